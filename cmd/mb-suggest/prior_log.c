/* SPDX-License-Identifier: MIT
 *
 * --prior-log: what other experiments' logs teach, read once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "suggester.h"

enum { MOST_LINES = 1000000 };

/* Of one log. */
struct reading {
	size_t results, useless;
};

static int take_line(struct mb_transfer *transfer, struct reading *reading, const struct mb_line *line, const char *path,
		     struct mb_err *err)
{
	struct mb_record record;
	char where[512];
	int bad = 0;

	if (mb_line_is_blank(line))
		return 0;
	snprintf(where, sizeof where, "%.480s:%zu", path, line->number);
	if (line->number > MOST_LINES) {
		mb_err_set(err, MB_EXIT_RECORD, where, "more than %d lines", MOST_LINES);
		return mb_err_hint(err, "give a part of the log: its best results say most");
	}
	if (mb_record_parse(&record, line->text, line->n, where, err) < 0)
		return -1;
	if (!record.trial && !json_is_object(json_object_get(record.json, "assignments"))) {
		mb_err_set(err, MB_EXIT_RECORD, where, "neither a trial nor assignments: no line of a log");
		bad = mb_err_hint(err, "expected what mb-collect writes");
	} else {
		reading->results += record.status == MB_STATUS_COMPLETED;
		reading->useless += !mb_transfer_take(transfer, &record);
	}
	mb_record_release(&record);
	return bad;
}

static int read_lines(struct mb_transfer *transfer, struct reading *reading, int fd, const char *path, struct mb_err *err)
{
	enum mb_line_result result;
	struct mb_lines lines;
	struct mb_line line;
	int bad = 0;

	mb_lines_init(&lines, fd);
	while (!bad && (result = mb_lines_next(&lines, &line)) != MB_LINE_END && result != MB_LINE_ERROR)
		if (result == MB_LINE)
			bad = take_line(transfer, reading, &line, path, err);
	if (!bad && lines.error) {
		errno = lines.error;
		bad = mb_err_errno(err, path, "read");
	}
	mb_lines_release(&lines);
	return bad;
}

static int read_log(struct mb_tool *tool, struct mb_transfer *transfer, const char *metric, const char *path,
		    struct mb_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), bad;
	struct reading reading = {0};
	size_t n;

	if (fd < 0)
		return mb_err_errno(err, path, NULL);
	mb_transfer_log(transfer);
	bad = read_lines(transfer, &reading, fd, path, err);
	close(fd);
	if (bad)
		return -1;
	n = mb_transfer_fit(transfer);
	if (reading.useless)
		mb_tool_warn(tool, "%s: %zu of %zu results skipped: no %s, or parameters missing or outside the space", path,
			     reading.useless, reading.results, metric);
	if (n < MB_TRANSFER_LEAST)
		mb_tool_warn(tool, "%s: %zu result%s to learn from, needs %d: not used", path, n, n == 1 ? "" : "s",
			     MB_TRANSFER_LEAST);
	else
		mb_tool_detail(tool, "%s: learns from %zu results", path, n);
	return 0;
}

static int check(const struct mb_experiment *experiment, const struct mb_algorithm *algorithm, struct mb_err *err)
{
	if (!algorithm->takes_prior_logs) {
		mb_err_set(err, MB_EXIT_USAGE, "--prior-log", "algorithm %s does not learn from other logs",
			   algorithm->name);
		return mb_err_hint(err, "expected auto or gp");
	}
	if (mb_experiment_count(experiment, MB_STRATEGY_OPTIMIZE) != 1) {
		mb_err_set(err, MB_EXIT_USAGE, "--prior-log", "the experiment has several optimised metrics");
		return mb_err_hint(err, "expected one with strategy: optimize");
	}
	return 0;
}

struct mb_transfer *read_prior_logs(struct mb_tool *tool, const struct mb_experiment *experiment,
				    const struct mb_algorithm *algorithm, const struct mb_opt_texts *paths, int *status)
{
	struct mb_transfer *transfer = mb_transfer_new(experiment);
	struct mb_err err;
	int bad = check(experiment, algorithm, &err);

	for (size_t i = 0; i < paths->n && !bad; i++)
		bad = read_log(tool, transfer, mb_experiment_objective(experiment)->name, paths->at[i], &err);
	if (!bad)
		return transfer;
	*status = mb_tool_fail(tool, &err);
	mb_transfer_free(transfer);
	return NULL;
}
