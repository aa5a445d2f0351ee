/* SPDX-License-Identifier: MIT
 *
 * The ends of a user's job, and what it is given.
 */
#include "custom.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { EXIT_INTERRUPTED = 85 };

size_t custom_workers(const struct train *train)
{
	int64_t cores = mb_cores(), bandwidth = train->experiment->parallel_bandwidth;

	if (train->jobs)
		return (size_t)train->jobs;
	return (size_t)(bandwidth < cores ? bandwidth : cores);
}

char *custom_folder(const struct train *train, struct mb_err *err)
{
	char *folder = train->models ? mb_strdup(train->models) : mb_path_join(train->log_folder, "output");
	char *path = NULL;

	if (mb_mkdirs(folder, err) == 0) {
		path = realpath(folder, NULL);
		if (!path)
			mb_err_errno(err, folder, NULL);
	}
	free(folder);
	return path;
}

char *custom_output(const char *folder, const json_t *record, struct mb_err *err)
{
	char *output = mb_textf("%s/%lld", folder, (long long)json_integer_value(json_object_get(record, "trial")));

	if (mb_mkdirs(output, err) == 0)
		return output;
	free(output);
	return NULL;
}

void custom_limits(const struct train *train, struct mb_child *child)
{
	child->timeout_s = train->experiment->trial_timeout_s;
	child->grace_s = train->experiment->grace_s;
	child->memory_limit = train->experiment->memory_limit;
}

/* 1 when mb stopped it for a limit, which is no interruption. */
static int passed_a_limit(const struct mb_child *child, char *error, size_t size)
{
	if (child->memory)
		memory_error(child->memory, child->memory_limit, error, size);
	else if (child->timed_out)
		snprintf(error, size, "timeout after %g s", child->timeout_s);
	return child->memory || child->timed_out;
}

/* Exit status, signals and output, in this order. 0: the result is in the record; else error says why there is
 * none. */
static int take_result(struct train *train, const struct mb_child *child, json_t *record, char *error, size_t size)
{
	const int status = child->status, exited = WIFEXITED(status), code = exited ? WEXITSTATUS(status) : 0;
	char why[512] = "";

	if (!exited)
		snprintf(error, size, "killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (code)
		snprintf(error, size, "exit status %d%s%s", code, child->last_words[0] ? ": " : "", child->last_words);
	else if (child->python && !child->output.n)
		snprintf(error, size, "it ended without a result");
	else if (result_merge(record, train->experiment, &child->output, why) < 0)
		snprintf(error, size, "%s", why);
	else
		return 0;
	return -1;
}

/* A signal that was passed on is why there is no result, or why a Python function raised KeyboardInterrupt or the
 * like. */
static int is_interrupted(const struct mb_child *child, const json_t *record, int bad)
{
	const char *status = json_string_value(json_object_get(record, "status"));

	if (bad)
		return child->forwarded || (WIFEXITED(child->status) && WEXITSTATUS(child->status) == EXIT_INTERRUPTED);
	return child->python && child->forwarded && !strcmp(status, mb_status_name(MB_STATUS_FAILED));
}

void custom_conclude(struct train *train, struct mb_child *child, json_t *record)
{
	enum mb_status status = MB_STATUS_COMPLETED;
	char error[1024];
	int bad;

	mb_record_add_span(record, "train", child->start_s, child->seconds);
	if (passed_a_limit(child, error, sizeof error)) {
		result_set(record, MB_STATUS_FAILED, child->pid, error);
		return;
	}
	bad = take_result(train, child, record, error, sizeof error);
	if (is_interrupted(child, record, bad)) {
		json_object_del(record, "error");
		result_set(record, MB_STATUS_INTERRUPTED, child->pid, NULL);
	} else if (bad) {
		result_set(record, MB_STATUS_FAILED, child->pid, error);
	} else {
		mb_status_from_name(json_string_value(json_object_get(record, "status")), &status);
		result_set(record, status, child->pid, NULL);
	}
}
