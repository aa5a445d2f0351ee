/* SPDX-License-Identifier: MIT
 *
 * The coprocess: no log on disk, observations come on stdin, suggestions go to stdout (-l -). State is a log in memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "run/run.h"
#include "sigopt.h"

struct coprocess {
	size_t history_lines; /* what --history left open stands in these, and belongs to nobody */
	int bad;              /* lines */
};

/* What is open was issued by this process and is with whoever reads stdout, but for what an earlier one left. */
static enum fate fate_in_memory(struct suggester *suggester, size_t index)
{
	const struct coprocess *coprocess = suggester->mode;
	const struct mb_key *key = &suggester->log.keys[index];

	return key->status == MB_STATUS_INTERRUPTED || key->line <= coprocess->history_lines ? FATE_FREE : FATE_HELD;
}

static int check_line(struct suggester *suggester, struct mb_record *record, const char *where, int history,
		      struct mb_err *err)
{
	if (record->status != MB_STATUS_OPEN)
		return mb_log_complete(&suggester->log, record, mb_experiment_objective(suggester->experiment)->name, where,
				       err);
	if (history && record->trial) /* a history may be a whole log, with what was issued */
		return 0;
	mb_err_set(err, MB_EXIT_RECORD, where, "status: \"open\" is no result");
	return mb_err_hint(err, "expected completed, failed or interrupted");
}

static void take_line(struct suggester *suggester, const struct mb_line *line, const char *name, int history)
{
	struct coprocess *coprocess = suggester->mode;
	struct mb_record record;
	struct mb_err err;
	char where[512];
	int bad;

	if (mb_line_is_blank(line)) /* also what mb-collect --fsck --repair leaves of a bad one in a log */
		return;
	snprintf(where, sizeof where, "%.480s:%zu", name, line->number);
	bad = mb_record_parse(&record, line->text, line->n, where, &err) < 0 ||
	      check_line(suggester, &record, where, history, &err) < 0 ||
	      mb_log_append(&suggester->log, record.json, &err) < 0;
	if (bad) {
		coprocess->bad++;
		mb_tool_fail(suggester->tool, &err);
	}
	mb_record_release(&record);
}

static int read_history(struct suggester *suggester, const char *path)
{
	struct mb_lines lines;
	struct mb_line line;
	struct mb_err err;
	enum mb_line_result result;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		mb_err_errno(&err, path, NULL);
		return mb_tool_fail(suggester->tool, &err);
	}
	mb_lines_init(&lines, fd);
	while ((result = mb_lines_next(&lines, &line)) == MB_LINE)
		take_line(suggester, &line, path, 1);
	if (result == MB_LINE_ERROR) {
		errno = lines.error;
		mb_err_errno(&err, path, "read");
	}
	mb_lines_release(&lines);
	close(fd);
	return result == MB_LINE_ERROR ? mb_tool_fail(suggester->tool, &err) : 0;
}

/* ---- the conversation ---- */

/* Takes in the lines that wait, without blocking when `wait` is 0. 0 at the end of stdin, 1 else, -1 on a read error. */
static int hear(struct suggester *suggester, struct mb_lines *in, int wait)
{
	struct pollfd on[] = {{.fd = STDIN_FILENO, .events = POLLIN},
			      {.fd = mb_signals_fd(), .events = POLLIN},
			      {.fd = wait ? STDOUT_FILENO : -1}};
	enum mb_line_result result = MB_LINE_NONE;
	struct mb_line line;

	while (poll(on, MB_COUNT(on), wait ? -1 : 0) > 0) {
		if (on[1].revents)
			return 0;
		if (on[2].revents & (POLLERR | POLLNVAL)) {
			suggester->tool->stdout_gone = 1;
			return 0;
		}
		if (!on[0].revents)
			continue;
		result = mb_lines_fill(in);
		while (mb_lines_buffered(in, &line) == MB_LINE)
			take_line(suggester, &line, "stdin", 0);
		if (result == MB_LINE_END)
			return 0;
		if (result == MB_LINE_ERROR)
			return -1;
		wait = 0;
		on[2].fd = -1;
	}
	return 1;
}

static size_t held(struct suggester *suggester)
{
	size_t count = 0;

	for (size_t i = 0; i < suggester->n_open; i++)
		count += fate_in_memory(suggester, suggester->open[i]) == FATE_HELD;
	return count;
}

static int say_all(struct suggester *suggester)
{
	while (suggester->n_issued)
		if (suggester_print_one(suggester) < 0)
			return -1;
	return 0;
}

/* There is nothing to lock. */
static int issue(struct suggester *suggester, size_t count, struct mb_err *err)
{
	suggester_update(suggester);
	if (suggester_prepare(suggester, count, err) < 0 || (count && suggester_issue(suggester, count, err) < 0))
		return -1;
	return suggester_settle(suggester, err);
}

/* While a service takes its time. What waits on stdin is heard later. */
static int stop_waiting(void *arg)
{
	struct suggester *suggester = arg;
	struct pollfd out = {.fd = STDOUT_FILENO};

	if (poll(&out, 1, 0) > 0 && out.revents & (POLLERR | POLLNVAL))
		suggester->tool->stdout_gone = 1;
	return mb_signals_stopped() || suggester->tool->stdout_gone;
}

/* One suggestion at a time, so that each knows all that was said before it. 0 to go on, else stop. */
static int converse(struct suggester *suggester, struct mb_lines *in, size_t keep, struct mb_err *err)
{
	int more = 1;

	while (more > 0) {
		int full;

		suggester_update(suggester);
		suggester_complain(suggester);
		full = held(suggester) >= keep;
		if (issue(suggester, !full, err) < 0)
			return -1;
		mb_log_unlock(&suggester->log, err);
		suggester_update(suggester);
		if (say_all(suggester) < 0)
			return -1;
		if (suggester_done(suggester))
			return 0;
		full = held(suggester) >= keep || !(suggester_has_more(suggester) || held(suggester) < suggester->n_open);
		more = hear(suggester, in, full);
	}
	if (more < 0) {
		errno = in->error;
		return mb_err_errno(err, "stdin", "read");
	}
	return issue(suggester, 0, err); /* the last results are for the service too */
}

/* -n: hears all there is, then says COUNT suggestions. */
static int answer(struct suggester *suggester, struct mb_lines *in, size_t count, struct mb_err *err)
{
	int more;

	while ((more = hear(suggester, in, 1)) > 0)
		continue;
	if (more < 0) {
		errno = in->error;
		return mb_err_errno(err, "stdin", "read");
	}
	if (issue(suggester, count, err) < 0)
		return -1;
	return suggester->n_issued ? say_all(suggester) : suggester_nothing(suggester, err);
}

int suggest_coprocess(struct suggester *suggester, const struct run_options *options)
{
	size_t bandwidth = (size_t)suggester->experiment->parallel_bandwidth;
	size_t keep = options->keep && (size_t)options->keep < bandwidth ? (size_t)options->keep : bandwidth;
	struct coprocess coprocess = {0};
	struct mb_lines in;
	struct mb_err err = {0};
	int bad, status;

	suggester->mode = &coprocess;
	suggester->fate = fate_in_memory;
	if (mb_signals_open(0, &err) < 0)
		return mb_tool_fail(suggester->tool, &err);
	for (size_t i = 0; i < options->history.n; i++) {
		status = read_history(suggester, options->history.at[i]);
		if (status)
			return status;
	}
	coprocess.history_lines = suggester->log.lines;
	if (suggester->sigopt)
		sigopt_on_wait(suggester->sigopt, stop_waiting, suggester);
	mb_lines_init(&in, STDIN_FILENO);
	bad = options->count ? answer(suggester, &in, (size_t)options->count, &err)
			     : converse(suggester, &in, keep, &err);
	mb_lines_release(&in);
	status = coprocess.bad ? MB_EXIT_RECORD : MB_EXIT_OK;
	if (bad && err.what[0] && err.code != MB_EXIT_OK)
		return mb_tool_fail(suggester->tool, &err);
	return bad && !suggester->tool->stdout_gone && !mb_signals_stopped() ? MB_EXIT_SYSTEM : status;
}
