/* SPDX-License-Identifier: MIT
 *
 * A batch script: an array of workers on one log, as one link of the chain that `mb-deploy start` would make.
 */
#include <stdlib.h>
#include <string.h>

#include "render.h"
#include "slurm.h"

/* Each option is a line of its own: what sbatch_check lets pass is a single word. */
static int add_options(const struct render *render, const struct profile *profile, struct mb_str *out, struct mb_err *err)
{
	struct mb_errs errs = {0};
	struct words words = {0};
	int bad = sbatch_check(render->experiment, profile, &errs);

	if (errs.n)
		*err = errs.at[0];
	mb_errs_release(&errs);
	if (bad)
		return -1;
	sbatch_add(render->experiment, profile, &words);
	for (size_t i = 0; i < words.n; i++)
		mb_str_addf(out, "#SBATCH %s\n", words.at[i]);
	words_release(&words);
	return 0;
}

static int print(const struct render *render, struct mb_str *out, struct mb_err *err)
{
	struct profile *profile = profile_of(render->tool, render->experiment, 0);
	char *log = mb_path_join(render->folder, "trials.ndjson");
	int bad;

	mb_str_adds(out, "#!/bin/bash\n");
	render_comment(out, render->experiment->name);
	mb_str_adds(out, "# sbatch THIS-FILE; again when its time was too short: it goes on where it ended.\n");
	mb_str_addf(out, "#SBATCH --job-name=%s\n", render->name);
	mb_str_addf(out, "#SBATCH --array=1-%lld\n", (long long)render->workers);
	if (profile)
		mb_str_addf(out, "#SBATCH --signal=B:USR2@%lld\n", (long long)chain_lead_s(render->experiment, profile));
	mb_str_addf(out, "#SBATCH --output=%s-%%a.log\n#SBATCH --open-mode=append\n#SBATCH --requeue\n", render->name);
	bad = profile ? add_options(render, profile, out, err)
		      : mb_err_set(err, MB_EXIT_USAGE, render->experiment->path, "its cluster's profile cannot be used");
	mb_str_adds(out, "\nmkdir -p ");
	plan_add_word(out, render->folder);
	mb_str_adds(out, "\n");
	render_pipe(out, render->file, log, render->keep);
	profile_free(profile);
	free(log);
	return bad ? -1 : 0;
}

const struct render_target render_slurm = {.name = "slurm", .by_driver = 1, .print = print};
