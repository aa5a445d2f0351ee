/* SPDX-License-Identifier: MIT
 *
 * The user's own job, `model.command`: a list is argv, a text is for /bin/sh -c. The record on stdin, the
 * experiment's folder as working directory, MB_TRIAL, MB_SEED, MB_OUTPUT_PATH (and MB_DATA with -d) in the
 * environment; the last line of its stdout is the result.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "train.h"

enum { EXIT_INTERRUPTED = 85 };

static size_t workers(const struct train *train)
{
	int64_t cores = mb_cores(), bandwidth = train->experiment->parallel_bandwidth;

	if (train->jobs)
		return (size_t)train->jobs;
	return (size_t)(bandwidth < cores ? bandwidth : cores);
}

static int start(struct train *train, struct mb_errs *errs)
{
	struct mb_err err;
	char where[512];

	if (train->experiment->model.command || train->experiment->model.shell)
		return 0;
	snprintf(where, sizeof where, "%s:%d", train->experiment->path, train->experiment->model.line);
	mb_err_set(&err, MB_EXIT_USAGE, where, "model.entry_point: Python functions are not built in yet");
	mb_err_hint(&err, "model.command: [python3, %s] runs a program",
		    train->experiment->model.entry_point ? train->experiment->model.entry_point : "main.py");
	return mb_errs_add(errs, &err);
}

/* Where the trials' folders are: absolute, as the job runs in another folder. */
static int open_job(struct train *train, struct mb_err *err)
{
	char *folder = train->models ? mb_strdup(train->models) : mb_path_join(train->log_folder, "output");
	char *path = mb_mkdirs(folder, err) < 0 ? NULL : realpath(folder, NULL);

	if (!path && !err->what[0])
		mb_err_errno(err, folder, NULL);
	free(folder);
	train->job_state = path;
	return path ? 0 : -1;
}

static void close_job(struct train *train)
{
	free(train->job_state);
}

struct variables {
	char *at[8];
	size_t n;
};

static int set_variables(struct train *train, const json_t *record, struct variables *variables, struct mb_err *err)
{
	long long trial = (long long)json_integer_value(json_object_get(record, "trial"));
	long long seed = (long long)json_integer_value(json_object_get(record, "seed"));
	char *output = mb_textf("%s/%lld", (const char *)train->job_state, trial);
	char *data = train->data ? realpath(train->data, NULL) : NULL;
	int bad = mb_mkdirs(output, err);

	variables->at[variables->n++] = mb_textf("MB_TRIAL=%lld", trial);
	variables->at[variables->n++] = mb_textf("MB_SEED=%lld", seed);
	variables->at[variables->n++] = mb_textf("MB_OUTPUT_PATH=%s", output);
	if (train->data)
		variables->at[variables->n++] = mb_textf("MB_DATA=%s", data ? data : train->data);
	free(output);
	free(data);
	return bad;
}

/* One exit status and two signals decide before the output is looked at. */
static void conclude(struct train *train, struct mb_child *child, json_t *record)
{
	int status = child->status;
	int exited = WIFEXITED(status), code = exited ? WEXITSTATUS(status) : 0;
	char why[512] = "", error[1024];

	mb_record_add_span(record, "train", child->start_s, child->seconds);
	if (child->timed_out)
		snprintf(error, sizeof error, "timeout after %g s", child->timeout_s);
	else if (exited && code == EXIT_INTERRUPTED)
		snprintf(error, sizeof error, "-");
	else if (exited && code)
		snprintf(error, sizeof error, "exit status %d%s%s", code, child->last_words[0] ? ": " : "",
			 child->last_words);
	else if (!exited)
		snprintf(error, sizeof error, "killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else if (result_merge(record, train->experiment, &child->output, why) < 0)
		snprintf(error, sizeof error, "%s", why);
	else
		error[0] = '\0';
	if (!error[0]) {
		enum mb_status said = MB_STATUS_COMPLETED;

		mb_status_from_name(json_string_value(json_object_get(record, "status")), &said);
		result_set(record, said, child->pid, NULL);
	} else if (!child->timed_out && (child->forwarded || (exited && code == EXIT_INTERRUPTED))) {
		result_set(record, MB_STATUS_INTERRUPTED, child->pid, NULL);
	} else {
		result_set(record, MB_STATUS_FAILED, child->pid, error);
	}
}

/* The shell's way of saying that there is no such command. */
static int is_missing(const struct mb_child *child)
{
	return child->shell && !child->timed_out && WIFEXITED(child->status) &&
	       (WEXITSTATUS(child->status) == 126 || WEXITSTATUS(child->status) == 127);
}

static int run(struct train *train, struct mb_link *link, json_t *record, struct mb_err *err)
{
	const struct mb_experiment *experiment = train->experiment;
	struct variables variables = {0};
	struct mb_str input = {0};
	struct mb_child child = {.argv = experiment->model.command,
				 .shell = experiment->model.shell,
				 .folder = experiment->folder,
				 .variables = variables.at,
				 .timeout_s = experiment->trial_timeout_s,
				 .grace_s = experiment->grace_s};
	char where[512];
	int bad = set_variables(train, record, &variables, err);

	mb_json_print(record, &input);
	mb_str_adds(&input, "\n");
	child.input = input.at;
	child.n_input = input.n;
	snprintf(where, sizeof where, "%s:%d", experiment->path, experiment->model.line);
	if (!bad && (bad = mb_child_run(&child, link, err)) < 0) {
		struct mb_err cause = *err;

		mb_err_set(err, cause.code, where, "model.command: %s", cause.what);
		mb_err_hint(err, "commands are looked for in PATH and run in %s", experiment->folder);
	} else if (!bad && is_missing(&child)) {
		bad = mb_err_set(err, MB_EXIT_CHILD, where, "model.command: exit status %d: %s",
				 WEXITSTATUS(child.status), child.last_words);
		mb_err_hint(err, "126: it cannot be executed, 127: there is no such command");
	} else if (!bad) {
		conclude(train, &child, record);
	}
	for (size_t i = 0; i < variables.n; i++)
		free(variables.at[i]);
	mb_child_release(&child);
	mb_str_release(&input);
	return bad;
}

const struct job job_command = {
	.keeps = 1,
	.workers = workers,
	.start = start,
	.open = open_job,
	.run = run,
	.close = close_job,
};
