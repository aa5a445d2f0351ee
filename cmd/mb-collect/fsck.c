/* SPDX-License-Identifier: MIT
 *
 * Is the log whole? Every line a record, every trial number told of, no torn tail; and setting aside what is not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect.h"

/* Trial numbers up to the last one that no line tells of: their line was lost. */
static size_t report_gaps(struct collect *collect, const struct mb_log *log)
{
	struct mb_hashset trials = {0};
	int64_t missing;

	for (size_t i = 0; i < log->n_keys; i++)
		mb_hashset_add(&trials, (uint64_t)log->keys[i].trial);
	missing = log->last_trial - (int64_t)trials.n;
	for (int64_t trial = 1, told = 0; trial <= log->last_trial && told < missing && told < 10; trial++)
		if (!mb_hashset_has(&trials, (uint64_t)trial)) {
			mb_tool_warn(collect->tool, "%s: no line tells of trial %lld", log->path, (long long)trial);
			told++;
		}
	if (missing > 10)
		mb_tool_warn(collect->tool, "%s: no line tells of %lld more trials", log->path, (long long)missing - 10);
	mb_hashset_release(&trials);
	return (size_t)missing;
}

/* Blanks one bad line where it stands, after a copy went to <log>.torn: no other line moves, so readers need not care. */
static int set_line_aside(const struct mb_log *log, int torn, const char *line, size_t n, off_t at, struct mb_err *err)
{
	char *blank = mb_alloc(n + 1);
	ssize_t wrote;
	int bad;

	memset(blank, ' ', n);
	bad = mb_write_all(torn, line, n) < 0 || mb_write_all(torn, "\n", 1) < 0 || fdatasync(torn) < 0;
	if (bad) {
		mb_err_errno(err, log->torn_path, "write");
	} else {
		wrote = pwrite(log->fd, blank, n, at);
		bad = wrote != (ssize_t)n;
		if (bad)
			mb_err_errno(err, log->path, "write");
	}
	free(blank);
	return bad ? -1 : 0;
}

static int is_bad(const char *line, size_t n)
{
	struct mb_record record;
	int bad;

	if (!n || strspn(line, " ") >= n)
		return 0;
	if (mb_record_parse(&record, line, n, NULL, &(struct mb_err){0}) < 0)
		return 1;
	bad = record.trial == 0;
	mb_record_release(&record);
	return bad;
}

/* Under the lock, which mended the tail already. Returns how many lines were set aside, or -1. */
static int repair_lines(struct mb_log *log, struct mb_err *err)
{
	struct mb_str text = {0};
	int torn = open(log->torn_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666), count = 0;

	if (torn < 0)
		return mb_err_errno(err, log->torn_path, NULL);
	if (mb_file_read(log->path, 0, &text, err) < 0)
		count = -1;
	for (char *line = text.at; count >= 0 && line && line < text.at + text.n;) {
		char *end = memchr(line, '\n', text.n - (size_t)(line - text.at));
		size_t n = (size_t)((end ? end : text.at + text.n) - line); /* after a crash of the machine: NUL bytes in it */

		if (end)
			*end = '\0';
		if (is_bad(line, n)) {
			if (set_line_aside(log, torn, line, n, line - text.at, err) < 0)
				count = -1;
			else
				count++;
		}
		line = end ? end + 1 : NULL;
	}
	close(torn);
	mb_str_release(&text);
	return count;
}

static int repair(struct collect *collect, struct mb_log *log, int *set_aside)
{
	struct mb_err err;
	int bad = mb_log_lock(log, &err);

	if (bad)
		return mb_tool_fail(collect->tool, &err);
	*set_aside = log->bad.n ? repair_lines(log, &err) : 0;
	bad = *set_aside < 0;
	if (mb_log_unlock(log, bad ? &(struct mb_err){0} : &err) < 0 || bad || mb_log_sync(log, 1, &err) < 0)
		return mb_tool_fail(collect->tool, &err);
	return 0;
}

int collect_fsck(struct collect *collect, int do_repair)
{
	struct mb_tool *tool = collect->tool;
	struct mb_log log;
	struct mb_err err;
	size_t wrong, tail;
	int set_aside = 0, status = MB_EXIT_OK;

	if (mb_log_open(&log, collect->log_path, collect->experiment->name, MB_LOG_READ, NULL, &err) < 0)
		return mb_tool_fail(tool, &err);
	if (log.fd < 0) {
		mb_tool_say(tool, "%s: no such log yet", collect->log_path);
		return MB_EXIT_OK;
	}
	tail = log.tail;
	if (do_repair && (tail || log.bad.n)) {
		mb_log_close(&log);
		if (mb_log_open(&log, collect->log_path, collect->experiment->name, MB_LOG_WRITE, getenv("MB_LOCK"), &err) < 0)
			return mb_tool_fail(tool, &err);
		status = repair(collect, &log, &set_aside);
		if (status)
			goto out;
	}
	for (size_t i = 0; i < log.bad.n; i++)
		mb_tool_fail(tool, &log.bad.at[i]);
	if (tail)
		mb_tool_warn(tool, "%s: the last line has no newline", log.path);
	wrong = report_gaps(collect, &log) + (do_repair ? 0 : log.bad.n + (tail > 0));
	if (do_repair && (set_aside || tail))
		mb_tool_say(tool, "%s: %d bad line%s set aside in %s%s", log.path, set_aside, set_aside == 1 ? "" : "s",
			    log.torn_path, tail ? ", the tail mended" : "");
	if (wrong && !do_repair && log.bad.n + tail)
		mb_tool_say(tool, "%s: mb-collect --fsck --repair sets this aside; the next writer mends a tail by itself",
			    log.path);
	if (!wrong) /* with rungs, a key is a training of a trial, and a trial has several */
		mb_tool_say(tool, "%s: %zu lines, %lld trials, %zu %sfinished: nothing lost", log.path, log.lines,
			    (long long)log.last_trial, log.finished,
			    (int64_t)log.n_keys > log.last_trial ? "trainings " : "");
	status = wrong ? MB_EXIT_NO : MB_EXIT_OK;
out:
	mb_log_close(&log);
	return status;
}
