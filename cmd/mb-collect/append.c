/* SPDX-License-Identifier: MIT
 *
 * The end of the pipe: what waits on stdin is appended under one lock, then passed on.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect.h"
#include "run/run.h"

struct append {
	struct collect *collect;
	struct mb_log log;
	struct mb_lines in;
	struct mb_record *batch; /* good records read and not yet appended */
	size_t n_batch, cap_batch;
	struct mb_str passed;    /* their lines, to go to stdout */
	struct progress progress;
	int to_terminal;         /* stdout is a terminal: it shows the progress, not the records */
	int told_open;           /* that suggestions are not appended */
	int status;              /* so far: MB_EXIT_RECORD or MB_EXIT_USAGE when a line was bad */
	int interrupts;
};

enum { BATCH = 1024 };

static void refuse(struct append *append, const struct mb_err *err)
{
	mb_tool_fail(append->collect->tool, err);
	if (append->status != MB_EXIT_USAGE)
		append->status = err->code;
}

static void add_collect_span(json_t *json)
{
	double end = mb_record_last_span(json, NULL, NULL);

	if (end > 0)
		mb_record_add_span(json, "collect", end, mb_clock_now_s() - end);
}

/* One record into the log, unless it comes too late to count. */
static int append_one(struct append *append, struct mb_record *record, struct mb_err *err)
{
	if (mb_log_is_late(&append->log, record))
		return 0;
	add_collect_span(record->json);
	if (mb_log_append(&append->log, record->json, err) < 0)
		return -1;
	progress_add(&append->progress, record);
	return 0;
}

/* Under the lock. One after the other, as the number that one gets depends on those before it. */
static int append_batch(struct append *append, struct mb_err *err)
{
	const char *objective = mb_experiment_objective(append->collect->experiment)->name;
	size_t kept = 0;
	int bad = 0;

	for (size_t i = 0; i < append->n_batch; i++) {
		struct mb_record record = append->batch[i];
		struct mb_err why;
		char where[32];

		snprintf(where, sizeof where, "stdin:%lld", (long long)record.line);
		if (mb_log_complete(&append->log, &record, objective, where, &why) < 0) {
			refuse(append, &why);
			mb_record_release(&record);
			continue;
		}
		append->batch[kept++] = record;
		if (record.status == MB_STATUS_OPEN && !append->told_open++)
			mb_tool_say(append->collect->tool, "%s: a suggestion, not a result: passed on, not appended (is mb-train "
				    "before mb-collect?)", where);
		if (!bad && record.status != MB_STATUS_OPEN) /* a suggestion is not a result: passed on */
			bad = append_one(append, &record, err);
	}
	append->n_batch = kept;
	return bad;
}

/* Appends the batch and passes it on: 0, or -1 with err. */
static int flush_batch(struct append *append, struct mb_err *err)
{
	int bad;

	if (!append->n_batch)
		return 0;
	if (mb_log_lock(&append->log, err) < 0)
		return -1;
	bad = append_batch(append, err);
	if (mb_log_unlock(&append->log, bad ? &(struct mb_err){0} : err) < 0)
		bad = -1;
	for (size_t i = 0; i < append->n_batch; i++) {
		if (!append->to_terminal && !bad) {
			mb_json_print(append->batch[i].json, &append->passed);
			mb_str_adds(&append->passed, "\n");
		}
		mb_record_release(&append->batch[i]);
	}
	append->n_batch = 0;
	return bad;
}

static int pass_on(struct append *append, struct mb_err *err)
{
	struct mb_tool *tool = append->collect->tool;
	int bad = append->passed.n && !tool->stdout_gone && mb_tool_write(tool, append->passed.at, append->passed.n) < 0;

	mb_str_clear(&append->passed);
	if (bad && !tool->stdout_gone) {
		append->to_terminal = 1; /* nothing more to stdout; the log still gets everything */
		append->status = MB_EXIT_SYSTEM;
	}
	return mb_log_sync(&append->log, 0, err);
}

static int take_lines(struct append *append, struct mb_err *err)
{
	struct mb_record record;
	struct mb_line line;
	struct mb_err why;
	char where[32];

	while (mb_lines_buffered(&append->in, &line) == MB_LINE) {
		if (mb_line_is_blank(&line))
			continue;
		snprintf(where, sizeof where, "stdin:%zu", line.number);
		if (mb_record_parse(&record, line.text, line.n, where, &why) < 0) {
			refuse(append, &why);
			continue;
		}
		record.line = (int64_t)line.number;
		MB_PUSH(append->batch, append->n_batch, append->cap_batch, record);
		if (append->n_batch == BATCH && (flush_batch(append, err) < 0 || pass_on(append, err) < 0))
			return -1;
	}
	return flush_batch(append, err) < 0 || pass_on(append, err) < 0 ? -1 : 0;
}

/* Signals are ignored while stdin is open: a stopping pipe still has results to bring. A second interrupt ends at once. */
static void hear_signals(struct append *append)
{
	int number;

	while ((number = mb_signals_take()))
		if (number == SIGINT && ++append->interrupts == 2) {
			mb_log_sync(&append->log, 1, &(struct mb_err){0});
			_exit(128 + SIGINT);
		}
}

/* Until stdin ends or, when the reader of stdout is gone, holds nothing more. -1 with err when the log failed. */
static int follow(struct append *append, struct mb_err *err)
{
	struct mb_tool *tool = append->collect->tool;
	struct pollfd on[] = {{.fd = STDIN_FILENO, .events = POLLIN},
			      {.fd = STDOUT_FILENO},
			      {.fd = mb_signals_fd(), .events = POLLIN}};

	for (;;) {
		int ready = poll(on, MB_COUNT(on), tool->stdout_gone ? 0 : append->progress.draws ? 500 : 1000);
		enum mb_line_result result;

		if (ready < 0 && errno != EINTR)
			return mb_err_errno(err, NULL, "poll");
		if (on[2].revents)
			hear_signals(append);
		if (on[1].revents & (POLLERR | POLLNVAL)) {
			tool->stdout_gone = 1;
			on[1].fd = -1;
		}
		if (!on[0].revents) {
			if (tool->stdout_gone && ready == 0)
				return 0;
			if (mb_log_sync(&append->log, 0, err) < 0)
				return -1;
			progress_draw(&append->progress, &append->log, 0);
			continue;
		}
		result = mb_lines_fill(&append->in);
		if (take_lines(append, err) < 0)
			return -1;
		progress_draw(&append->progress, &append->log, 0);
		if (result == MB_LINE_END)
			return 0;
		if (result == MB_LINE_ERROR) {
			errno = append->in.error;
			return mb_err_errno(err, "stdin", "read");
		}
	}
}

int collect_append(struct collect *collect)
{
	struct append append = {.collect = collect, .to_terminal = isatty(STDOUT_FILENO), .status = MB_EXIT_OK};
	struct mb_err err;
	int bad;

	if (mb_signals_open(0, &err) < 0 || mb_log_open(&append.log, collect->log_path, collect->experiment->name,
							MB_LOG_WRITE, getenv("MB_LOCK"), &err) < 0)
		return mb_tool_fail(collect->tool, &err);
	mb_lines_init(&append.in, STDIN_FILENO);
	progress_start(&append.progress, collect->tool, collect->experiment, &append.log);
	bad = follow(&append, &err);
	if (!bad)
		bad = mb_log_sync(&append.log, 1, &err);
	progress_end(&append.progress, &append.log);
	if (bad)
		append.status = mb_tool_fail(collect->tool, &err);
	mb_lines_release(&append.in);
	mb_str_release(&append.passed);
	for (size_t i = 0; i < append.n_batch; i++) /* left when the log failed */
		mb_record_release(&append.batch[i]);
	free(append.batch);
	mb_log_close(&append.log);
	return append.status;
}
