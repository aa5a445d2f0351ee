/* SPDX-License-Identifier: MIT
 *
 * The user's own job, a Python function: `model.entry_point` and `model.function_name`. One interpreter serves all
 * workers: it loads the module before they are forked, so all trials of this process pay the imports once, and
 * share the module's memory.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "custom.h"

struct python_job {
	struct mb_python python;
	char *folder;  /* of the trials' folders */
	char *shown;   /* the same as it stands in records */
	char *dataset; /* or NULL */
};

static void close_job(struct train *train)
{
	struct python_job *job = train->job_state;

	mb_python_close(&job->python);
	free(job->folder);
	free(job->shown);
	free(job->dataset);
	free(job);
	train->job_state = NULL;
}

static int open_job(struct train *train, struct mb_err *err)
{
	struct python_job *job = mb_alloc(sizeof *job);
	const struct mb_experiment *experiment = train->experiment;
	double began = mb_clock_monotonic_s();
	int result;

	train->job_state = job;
	job->python.fd = -1;
	job->folder = custom_folder(train, err);
	if (!job->folder)
		return -1;
	job->shown = seen_from(train->log_folder, job->folder);
	job->dataset = model_dataset(experiment, train->data);
	result = model_open(&job->python, experiment, experiment->model.function_name, STDOUT_FILENO, err);
	if (result == 0)
		mb_tool_detail(&train->tool, "%s is loaded, in %.3g s", experiment->model.entry_point,
			       mb_clock_monotonic_s() - began);
	if (result > 0)
		close_job(train);
	return result;
}

static int is_empty(const char *folder)
{
	DIR *dir = opendir(folder);
	int entries = 0;

	while (dir && entries < 3 && readdir(dir))
		entries++;
	if (dir)
		closedir(dir);
	return entries < 3; /* . and .. */
}

/* What a completed trial left in its folder is its model. */
static void name_model(const struct python_job *job, const char *output, json_t *record)
{
	const char *status = json_string_value(json_object_get(record, "status"));
	enum mb_status is = MB_STATUS_OPEN;
	char *model;

	if (mb_status_from_name(status, &is) < 0 || is != MB_STATUS_COMPLETED || is_empty(output))
		return;
	model = mb_path_join(job->shown, mb_path_name(output));
	mb_json_set(record, "model", json_string(model));
	free(model);
}

static int run(struct train *train, struct mb_link *link, json_t *record, struct mb_err *err)
{
	const struct python_job *job = train->job_state;
	char *output = custom_output(job->folder, record, err);
	struct model_variables variables = {0};
	struct model_call call = {.metric = mb_experiment_objective(train->experiment)->name, .dataset = job->dataset,
				  .output = output};
	struct mb_str input = {0};
	struct mb_child child = {.python = &job->python, .variables = variables.at};
	int bad = -1;

	if (output) {
		model_variables(record, output, &variables);
		if (train->data && job->dataset)
			variables.at[variables.n++] = mb_textf("MB_DATA=%s", job->dataset);
		model_request(&call, record, &input);
		child.input = input.at;
		child.n_input = input.n;
		custom_limits(train, &child);
		bad = mb_child_run(&child, link, err);
	}
	if (!bad) {
		custom_conclude(train, &child, record);
		name_model(job, output, record);
	}
	model_variables_release(&variables);
	mb_child_release(&child);
	mb_str_release(&input);
	free(output);
	return bad;
}

const struct job job_python = {
	.keeps = 1,
	.workers = custom_workers,
	.open_phase = "load",
	.open = open_job,
	.run = run,
	.close = close_job,
};
