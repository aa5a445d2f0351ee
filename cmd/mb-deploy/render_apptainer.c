/* SPDX-License-Identifier: MIT
 *
 * An Apptainer definition file: mb built from its source tree; the experiment's folder is the working directory.
 */
#include <stdlib.h>

#include "render.h"

static int print(const struct render *render, struct mb_str *out, struct mb_err *err)
{
	char *log = mb_path_join(render->name, "trials.ndjson");
	struct mb_str script = {0};

	(void)err;
	render_comment(out, render->experiment->name);
	mb_str_adds(out, "# In mb's source tree: apptainer build mb.sif THIS-FILE\n"
			 "# In the folder of the experiment file: apptainer run mb.sif\n"
			 "Bootstrap: docker\nFrom: debian:bookworm-slim\n\n"
			 "%files\n    . /src\n\n"
			 "%post\n    export DEBIAN_FRONTEND=noninteractive\n    apt-get update\n");
	mb_str_addf(out, "    apt-get install -y --no-install-recommends %s \\\n        %s\n", render_build_packages,
		    render_run_packages);
	mb_str_adds(out, "    make -s -C /src BUILD=/tmp/build install\n"
			 "    rm -rf /src /tmp/build /var/lib/apt/lists/*\n\n"
			 "%runscript\n    exec /bin/bash -c ");
	mb_str_adds(&script, "mkdir -p ");
	plan_add_word(&script, render->name);
	mb_str_adds(&script, "\n");
	render_pipe(&script, mb_path_name(render->file), log, render->keep);
	plan_add_word(out, script.at);
	mb_str_adds(out, "\n");
	mb_str_release(&script);
	free(log);
	return 0;
}

const struct render_target render_apptainer = {.name = "apptainer", .single = 1, .print = print};
