/* SPDX-License-Identifier: MIT
 *
 * mb-deploy: runs the pipe where there are cores for it. So far it plans: prints, as a shell script that can be run, what a
 * deployed search is on this machine.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "tool.h"

static const char *const verbs[] = {"start",  "continue", "status", "logs",   "list", "kill",
				    "delete", "plan",     "doctor", "render", "worker", NULL};

/* A word of the shell: as it is, or in single quotes. */
static void add_word(struct mb_str *text, const char *word)
{
	if (*word && !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%")]) {
		mb_str_adds(text, word);
		return;
	}
	mb_str_adds(text, "'");
	for (; *word; word++)
		if (*word == '\'')
			mb_str_adds(text, "'\\''");
		else
			mb_str_add(text, word, 1);
	mb_str_adds(text, "'");
}

/* A comment to the line's end, whatever the text holds. */
static void add_comment(struct mb_str *text, const char *words)
{
	mb_str_adds(text, "# ");
	for (; *words; words++)
		mb_str_add(text, (unsigned char)*words < ' ' ? " " : words, 1);
}

/* The folder's name: letters, digits, dot and underscore of the experiment's, all else one hyphen. */
static char *slug(const char *name)
{
	struct mb_str text = {0};

	for (; *name; name++) {
		unsigned char byte = (unsigned char)*name;

		if (isalnum(byte) || byte == '.' || byte == '_' || byte >= 0x80)
			mb_str_add(&text, name, 1);
		else if (text.n && text.at[text.n - 1] != '-')
			mb_str_adds(&text, "-");
	}
	while (text.n && text.at[text.n - 1] == '-')
		text.at[--text.n] = '\0';
	if (!text.n)
		mb_str_adds(&text, "experiment");
	return mb_str_take(&text);
}

/* " -e FILE -l LOG", each where the tools would not find it by themselves. */
static char *files_of(const struct mb_experiment *experiment, const char *log)
{
	struct mb_str text = {0};

	mb_str_adds(&text, " -e ");
	add_word(&text, experiment->path);
	mb_str_adds(&text, " -l ");
	add_word(&text, log);
	return mb_str_take(&text);
}

static int plan(struct mb_tool *tool, const struct mb_experiment *experiment)
{
	const int cores = mb_cores();
	const int64_t bandwidth = experiment->parallel_bandwidth, workers = bandwidth < cores ? bandwidth : cores,
		      keep = (bandwidth + workers - 1) / workers;
	char *name = slug(experiment->name), *folder = mb_path_join(experiment->folder, name),
	     *log = tool->log_option ? mb_strdup(tool->log_option) : mb_path_join(folder, "trials.ndjson"), *files;
	struct mb_str out = {0};
	int status;

	files = files_of(experiment, log);
	add_comment(&out, experiment->name);
	mb_str_addf(&out, ": %lld observations, %lld at once\n", (long long)experiment->observation_budget,
		    (long long)bandwidth);
	mb_str_addf(&out, "# on this machine, %d core%s: %lld worker%s of %lld\n", cores, cores == 1 ? "" : "s",
		    (long long)workers, workers == 1 ? "" : "s", (long long)keep);
	if (!tool->log_option) {
		mb_str_adds(&out, "mkdir -p ");
		add_word(&out, folder);
		mb_str_adds(&out, "\n");
	}
	for (int64_t i = 0; i < workers; i++)
		mb_str_addf(&out, "mb-suggest -k %lld%s | mb-train -j %lld%s | mb-collect%s &\n", (long long)keep, files,
			    (long long)keep, files, files);
	mb_str_adds(&out, "wait\n");
	status = mb_tool_write(tool, out.at, out.n) < 0 && !tool->stdout_gone ? MB_EXIT_SYSTEM : MB_EXIT_OK;
	mb_str_release(&out);
	free(files);
	free(log);
	free(folder);
	free(name);
	return status;
}

static int plan_file(struct mb_tool *tool, const char *on)
{
	struct mb_experiment *experiment = mb_tool_experiment(tool);
	int status;

	if (!experiment)
		return MB_EXIT_USAGE;
	if (!on)
		on = experiment->cluster && strcasecmp(experiment->cluster, "local") ? "slurm" : "local";
	if (!strcmp(on, "local")) {
		status = plan(tool, experiment);
	} else {
		mb_tool_warn(tool, "slurm: not built in yet (mb-deploy plan --on local plans it for this machine)");
		status = MB_EXIT_USAGE;
	}
	mb_experiment_free(experiment);
	return status;
}

static int is_verb(const char *word)
{
	for (size_t i = 0; verbs[i]; i++)
		if (!strcmp(verbs[i], word))
			return 1;
	return 0;
}

static int wrong_verb(struct mb_tool *tool, const char *word)
{
	const char *near = mb_nearest(word, verbs);

	if (is_verb(word))
		mb_tool_warn(tool, "%s: not built in yet (mb-deploy plan is)", word);
	else if (near)
		mb_tool_warn(tool, "%s: no such verb (did you mean %s?)", word, near);
	else
		mb_tool_warn(tool, "%s: no such verb (see --help)", word);
	return MB_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	static const char *const places[] = {"local", "slurm", NULL};
	struct mb_tool tool = {.name = "mb-deploy",
			       .synopsis = "plan [FILE] [--on local]",
			       .about = "Prints, as a shell script, the search of the experiment file FILE on this machine."};
	const char *on = NULL;
	int rest, status;
	const struct mb_opt table[] = {
		{0, "on", MB_OPT_TEXT, &on, "PLACE", "local; slurm is not built in yet", .words = places},
		{0},
	};

	status = mb_tool_start(&tool, table, argc, argv, &rest);
	if (status >= 0)
		return status;
	status = MB_EXIT_USAGE;
	if (rest == argc) {
		mb_tool_warn(&tool, "a verb is missing: mb-deploy plan (see --help)");
	} else if (strcmp(argv[rest], "plan")) {
		status = wrong_verb(&tool, argv[rest]);
	} else if (argc - rest > 2) {
		mb_tool_warn(&tool, "%s: one FILE at a time (see --help)", argv[rest + 2]);
	} else {
		if (argc - rest == 2)
			tool.experiment_path = argv[rest + 1];
		status = plan_file(&tool, on);
	}
	return mb_tool_end(&tool, status);
}
