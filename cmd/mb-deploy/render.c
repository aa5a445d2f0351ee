/* SPDX-License-Identifier: MIT
 *
 * render: prints files for others to run.
 */
#include "render.h"

#include <stdlib.h>
#include <string.h>

static const struct render_target *const targets[] = {&render_slurm, &render_kubernetes, &render_docker,
						      &render_apptainer};

const char render_build_packages[] = "gcc libc6-dev make libyaml-dev libjansson-dev zlib1g-dev libcurl4-openssl-dev";
const char render_run_packages[] = "libyaml-0-2 libjansson4 zlib1g libcurl4 libopenblas0 dataset-fashion-mnist python3 jq";

void render_comment(struct mb_str *out, const char *words)
{
	mb_str_adds(out, "# ");
	for (; *words; words++)
		mb_str_add(out, (unsigned char)*words < ' ' || *words == '\177' ? " " : words, 1);
	mb_str_adds(out, "\n");
}

void render_json(struct mb_str *out, const char *text)
{
	char *clean = folder_text(text);
	json_t *json = json_string(clean);

	mb_json_print(json, out);
	json_decref(json);
	free(clean);
}

static void add_stage(struct mb_str *out, const char *stage, const char *file, const char *log)
{
	mb_str_adds(out, stage);
	mb_str_adds(out, " -e ");
	plan_add_word(out, file);
	mb_str_adds(out, " -l ");
	plan_add_word(out, log);
}

/* The stages are one process group, by which they are reached. A wait that a signal cuts short is taken up again. */
void render_pipe(struct mb_str *out, const char *file, const char *log, int64_t keep)
{
	char *suggest = mb_textf("mb-suggest -k %lld", (long long)keep), *train = mb_textf("mb-train -j %lld", (long long)keep);

	mb_str_adds(out, "set -m -o pipefail\n");
	add_stage(out, suggest, file, log);
	mb_str_adds(out, " |\n\t");
	add_stage(out, train, file, log);
	mb_str_adds(out, " |\n\t");
	add_stage(out, "mb-collect -q", file, log);
	mb_str_adds(out, " >/dev/null &\n"
			 "set +m\n"
			 "trap 'kill -USR2 -- -$(jobs -p)' USR1 USR2 TERM INT\n"
			 "wait %1\n"
			 "status=$?\n"
			 "while [ -n \"$(jobs -pr)\" ]; do\n"
			 "\twait %1\n"
			 "\tstatus=$?\n"
			 "done\n"
			 "exit \"$status\"\n");
	free(train);
	free(suggest);
}

static const struct render_target *choose(struct mb_tool *tool, const char *name)
{
	for (size_t i = 0; name && i < MB_COUNT(targets); i++)
		if (!strcmp(targets[i]->name, name))
			return targets[i];
	mb_tool_warn(tool, "render: --for is missing: slurm, kubernetes, docker or apptainer (see --help)");
	return NULL;
}

static int64_t count(const struct render_target *target, const struct mb_experiment *experiment, int64_t wanted,
		     struct mb_err *err)
{
	if (target->by_driver)
		return driver_find("slurm")->workers(experiment, wanted, err);
	if (wanted)
		return wanted;
	return target->single ? 1 : experiment->parallel_bandwidth;
}

/* A newline in a path could begin a section of the file that is printed. */
static int check_path(const char *path, struct mb_err *err)
{
	for (const char *at = path; *at; at++)
		if ((unsigned char)*at < ' ' || *at == '\177')
			return mb_err_set(err, MB_EXIT_USAGE, path, "the path holds a control character");
	return 0;
}

/* What `start` would see to, and nobody does for what is printed. */
static void say_left_out(struct mb_tool *tool, const struct mb_experiment *experiment)
{
	const struct {
		int given;
		const char *key;
	} left_out[] = {
		{experiment->git.uri != NULL, "git_options"},
		{experiment->modules && experiment->modules[0], "cluster_modules"},
		{experiment->conda_env != NULL, "experiment.conda_env"},
		{experiment->dataset_path != NULL, "data_options"},
		{!experiment->use_local_workspace, "experiment.use_local_workspace"},
	};
	struct mb_str keys = {0};

	for (size_t i = 0; i < MB_COUNT(left_out); i++)
		if (left_out[i].given)
			mb_str_addf(&keys, "%s%s", keys.n ? ", " : "", left_out[i].key);
	if (keys.n)
		mb_tool_say(tool, "%s: nothing of what is printed makes or fetches it: see to it where the search will run",
			    keys.at);
	mb_str_release(&keys);
}

static int print(struct mb_tool *tool, const struct render_target *target, const struct mb_experiment *experiment,
		 int64_t workers)
{
	struct render render = {.experiment = experiment, .tool = tool, .workers = workers};
	struct mb_str out = {0};
	struct mb_err err;
	int status;

	render.file = realpath(experiment->path, NULL);
	render.name = folder_slug(experiment->name);
	render.keep = (experiment->parallel_bandwidth + workers - 1) / workers;
	if (!render.file)
		mb_err_errno(&err, experiment->path, NULL);
	if (!render.file || check_path(render.file, &err) < 0) {
		status = mb_tool_fail(tool, &err);
	} else {
		char *beside = mb_path_dir(render.file);

		render.folder = mb_path_join(beside, render.name);
		free(beside);
		if (target->print(&render, &out, &err) < 0)
			status = mb_tool_fail(tool, &err);
		else
			status = mb_tool_write(tool, out.at, out.n) < 0 && !tool->stdout_gone ? MB_EXIT_SYSTEM : MB_EXIT_OK;
		if (!status)
			say_left_out(tool, experiment);
	}
	mb_str_release(&out);
	free(render.folder);
	free(render.name);
	free(render.file);
	return status;
}

int verb_render(struct mb_tool *tool, const struct deploy_options *options)
{
	const struct render_target *target = choose(tool, options->target);
	struct mb_experiment *experiment;
	struct mb_err err;
	int64_t workers;
	int status;

	if (!target)
		return MB_EXIT_USAGE;
	if (options->name)
		tool->experiment_path = options->name;
	experiment = mb_tool_experiment(tool);
	if (!experiment)
		return MB_EXIT_USAGE;
	workers = count(target, experiment, options->workers, &err);
	status = workers ? print(tool, target, experiment, workers) : mb_tool_fail(tool, &err);
	mb_experiment_free(experiment);
	return status;
}
