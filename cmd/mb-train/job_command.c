/* SPDX-License-Identifier: MIT
 *
 * The user's own job, `model.command`: a list is argv, a text is for /bin/sh -c. The record on stdin, the
 * experiment's folder as working directory, MB_TRIAL, MB_SEED, MB_OUTPUT_PATH (and MB_DATA with -d) in the
 * environment; the last line of its stdout is the result.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "custom.h"

static int open_job(struct train *train, struct mb_err *err)
{
	train->job_state = custom_folder(train, err);
	return train->job_state ? 0 : -1;
}

static void close_job(struct train *train)
{
	free(train->job_state);
}

/* The shell's way of saying that there is no such command. */
static int is_missing(const struct mb_child *child)
{
	return child->shell && !child->timed_out && WIFEXITED(child->status) &&
	       (WEXITSTATUS(child->status) == 126 || WEXITSTATUS(child->status) == 127);
}

static int run_child(struct train *train, struct mb_link *link, struct mb_child *child, json_t *record,
		     struct mb_err *err)
{
	const struct mb_experiment *experiment = train->experiment;
	char where[512];

	snprintf(where, sizeof where, "%s:%d", experiment->path, experiment->model.line);
	if (mb_child_run(child, link, err) < 0) {
		struct mb_err cause = *err;

		mb_err_set(err, cause.code, where, "model.command: %s", cause.what);
		return mb_err_hint(err, "commands are looked for in PATH and run in %s", experiment->code);
	}
	if (is_missing(child)) {
		mb_err_set(err, MB_EXIT_CHILD, where, "model.command: exit status %d: %s", WEXITSTATUS(child->status),
			   child->last_words);
		return mb_err_hint(err, "126: it cannot be executed, 127: there is no such command");
	}
	custom_conclude(train, child, record);
	return 0;
}

static int run(struct train *train, struct mb_link *link, json_t *record, struct mb_err *err)
{
	const struct mb_experiment *experiment = train->experiment;
	char *output = custom_output(train->job_state, record, err);
	char *data = train->data ? model_dataset(experiment, train->data) : NULL;
	struct model_variables variables = {0};
	struct mb_str input = {0};
	struct mb_child child = {.argv = experiment->model.command,
				 .shell = experiment->model.shell,
				 .folder = experiment->code,
				 .variables = variables.at};
	int bad = -1;

	if (output) {
		model_variables(record, output, &variables);
		if (data)
			variables.at[variables.n++] = mb_textf("MB_DATA=%s", data);
		mb_json_print(record, &input);
		mb_str_adds(&input, "\n");
		child.input = input.at;
		child.n_input = input.n;
		custom_limits(train, &child);
		bad = run_child(train, link, &child, record, err);
	}
	model_variables_release(&variables);
	mb_child_release(&child);
	mb_str_release(&input);
	free(output);
	free(data);
	return bad;
}

const struct job job_command = {
	.keeps = 1,
	.workers = custom_workers,
	.open = open_job,
	.run = run,
	.close = close_job,
};
