/* SPDX-License-Identifier: MIT
 *
 * Opening, locking and writing; the replay of lines into keys is in log_replay.c.
 */
#include "data/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/log_replay.h"

enum { CHUNK = 1 << 20 };

static int fail_at(struct mb_log *log, const char *doing, struct mb_err *err)
{
	return mb_err_errno(err, log->path, doing);
}

static int replay(struct mb_log *log, struct mb_str *tail, struct mb_err *err);

/* A reader takes a last line without its newline for what it is, when it is whole. */
static int replay_whole_tail(struct mb_log *log, struct mb_err *err)
{
	struct mb_str tail = {0};
	struct mb_record record;
	int bad = replay(log, &tail, err);

	if (!bad && mb_record_parse(&record, tail.at, tail.n, NULL, &(struct mb_err){0}) == 0) {
		mb_record_release(&record);
		mb_str_adds(&tail, "\n");
		bad = mb_log_replay_lines(log, tail.at, tail.n, err);
	}
	mb_str_release(&tail);
	return bad;
}

int mb_log_open(struct mb_log *log, const char *path, const char *experiment, enum mb_log_mode mode,
		const char *lock_kind, struct mb_err *err)
{
	int flags = mode == MB_LOG_WRITE ? O_RDWR | O_CREAT | O_CLOEXEC : O_RDONLY | O_CLOEXEC;

	*log = (struct mb_log){.mode = mode, .fd = -1, .lock = {.fd = -1}, .synced_s = mb_clock_monotonic_s()};
	log->path = mb_strdup(path);
	log->torn_path = mb_textf("%s.torn", path);
	log->experiment = experiment ? mb_strdup(experiment) : NULL;
	if (mode == MB_LOG_MEMORY)
		return 0;
	/* The lock comes before the log: whoever makes the log has settled the kind of lock. */
	if (mode == MB_LOG_WRITE && mb_lock_open(&log->lock, path, lock_kind, err) < 0)
		goto bad;
	log->fd = open(path, flags, 0666);
	if (log->fd < 0 && !(mode == MB_LOG_READ && errno == ENOENT)) {
		fail_at(log, NULL, err);
		goto bad;
	}
	if (mb_log_update(log, err) < 0)
		goto bad;
	if (mode == MB_LOG_READ && log->tail && replay_whole_tail(log, err) < 0)
		goto bad;
	return 0;
bad:
	mb_log_close(log);
	return -1;
}

void mb_log_close(struct mb_log *log)
{
	mb_log_replay_release(log);
	if (log->locked)
		mb_lock_drop(&log->lock);
	mb_lock_close(&log->lock);
	if (log->fd >= 0)
		close(log->fd);
	mb_errs_release(&log->bad);
	mb_str_release(&log->pending);
	free(log->experiment);
	free(log->torn_path);
	free(log->path);
	*log = (struct mb_log){.fd = -1, .lock = {.fd = -1}};
}

/* Replays whole lines from log->size on; *tail is what follows the last newline. */
static int replay(struct mb_log *log, struct mb_str *tail, struct mb_err *err)
{
	struct stat now;
	struct mb_str *text = tail;

	mb_str_clear(text);
	if (log->fd < 0)
		return 0;
	if (fstat(log->fd, &now) < 0)
		return fail_at(log, NULL, err);
	if (now.st_size < log->size || now.st_nlink == 0) {
		mb_err_set(err, MB_EXIT_SYSTEM, log->path, "was %s while in use", now.st_nlink ? "cut short" : "removed");
		return mb_err_hint(err, "start again; the log is append-only");
	}
	while (log->size + (int64_t)text->n < now.st_size) {
		char *newline;
		size_t whole;
		ssize_t got;

		text->at = mb_grow(text->at, &text->cap, text->n + CHUNK + 1, 1);
		got = pread(log->fd, text->at + text->n, CHUNK, log->size + (int64_t)text->n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail_at(log, "read", err);
		if (got == 0)
			break;
		text->n += (size_t)got;
		text->at[text->n] = '\0';
		newline = memrchr(text->at, '\n', text->n);
		if (!newline)
			continue;
		whole = (size_t)(newline - text->at) + 1;
		if (mb_log_replay_lines(log, text->at, whole, err) < 0)
			return -1;
		log->size += (int64_t)whole;
		memmove(text->at, text->at + whole, text->n - whole);
		text->n -= whole;
	}
	log->tail = text->n;
	return 0;
}

int mb_log_update(struct mb_log *log, struct mb_err *err)
{
	struct mb_str tail = {0};
	int bad;

	if (log->mode == MB_LOG_MEMORY)
		return 0;
	if (log->fd < 0) { /* MB_LOG_READ of a log that nobody had made yet */
		log->fd = open(log->path, O_RDONLY | O_CLOEXEC);
		if (log->fd < 0)
			return errno == ENOENT ? 0 : fail_at(log, NULL, err);
	}
	bad = replay(log, &tail, err);
	mb_str_release(&tail);
	return bad;
}

/* ---- writing ---- */

/* Appends bytes at the end, all or nothing: what a full disk cut short is taken back. */
static int append_bytes(struct mb_log *log, int fd, const char *path, const void *bytes, size_t n, struct mb_err *err)
{
	off_t end = lseek(fd, 0, SEEK_END);

	if (end < 0)
		return mb_err_errno(err, path, NULL);
	if (!mb_lock_still_ours(&log->lock)) {
		mb_err_set(err, MB_EXIT_SYSTEM, log->lock.held, "the lock was lost: this process stood still for too long");
		return mb_err_hint(err, "start again; nothing was written");
	}
	if (mb_write_all(fd, bytes, n) == 0)
		return 0;
	mb_err_errno(err, path, "write");
	if (ftruncate(fd, end) < 0)
		mb_err_hint(err, "a torn line may remain; the next writer mends it");
	else
		mb_err_hint(err, "nothing of it was kept; make room and start again");
	return -1;
}

/* Moves a torn tail out of the log, into <log>.torn. */
static int set_torn_aside(struct mb_log *log, const struct mb_str *tail, struct mb_err *err)
{
	int fd = open(log->torn_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666), bad;

	if (fd < 0)
		return mb_err_errno(err, log->torn_path, NULL);
	bad = append_bytes(log, fd, log->torn_path, tail->at, tail->n, err) < 0 ||
	      append_bytes(log, fd, log->torn_path, "\n", 1, err) < 0;
	close(fd);
	if (!bad && ftruncate(log->fd, log->size) < 0)
		bad = fail_at(log, "truncate", err);
	return bad ? -1 : 0;
}

/* A tail without newline that is a whole record gets its newline, any other is cut off and kept aside. */
static int mend_tail(struct mb_log *log, struct mb_str *tail, struct mb_err *err)
{
	struct mb_record record;
	struct mb_err why;

	if (!tail->n)
		return 0;
	if (mb_record_parse(&record, tail->at, tail->n, NULL, &why) < 0)
		return set_torn_aside(log, tail, err);
	mb_record_release(&record);
	if (append_bytes(log, log->fd, log->path, "\n", 1, err) < 0)
		return -1;
	log->unsynced = 1;
	return replay(log, tail, err);
}

int mb_log_lock(struct mb_log *log, struct mb_err *err)
{
	struct mb_str tail = {0};
	struct stat ours, named;
	int bad;

	if (log->mode == MB_LOG_MEMORY)
		return 0;
	if (mb_lock_take(&log->lock, err) < 0)
		return -1;
	log->locked = 1;
	if (fstat(log->fd, &ours) < 0 || stat(log->path, &named) < 0 || ours.st_ino != named.st_ino) {
		mb_err_set(err, MB_EXIT_SYSTEM, log->path, "was removed or replaced while in use");
		bad = mb_err_hint(err, "start again");
	} else {
		bad = replay(log, &tail, err) < 0 || mend_tail(log, &tail, err) < 0;
	}
	mb_str_release(&tail);
	if (bad) {
		mb_lock_drop(&log->lock);
		log->locked = 0;
	}
	return bad ? -1 : 0;
}

int mb_log_append(struct mb_log *log, json_t *record, struct mb_err *err)
{
	size_t start = log->pending.n;
	struct mb_record checked;

	if (mb_record_check(&checked, record, log->path, err) < 0)
		return -1;
	if (log->mode == MB_LOG_MEMORY)
		return mb_log_replay_record(log, &checked, err);
	mb_json_print(record, &log->pending);
	mb_str_adds(&log->pending, "\n");
	return mb_log_replay_lines(log, log->pending.at + start, log->pending.n - start, err);
}

int mb_log_unlock(struct mb_log *log, struct mb_err *err)
{
	int bad = 0;

	if (log->mode == MB_LOG_MEMORY)
		return 0;
	if (log->pending.n) {
		bad = append_bytes(log, log->fd, log->path, log->pending.at, log->pending.n, err);
		log->size += (int64_t)log->pending.n;
		log->unsynced = 1;
		mb_str_clear(&log->pending);
	}
	mb_lock_drop(&log->lock);
	log->locked = 0;
	return bad;
}

int mb_log_sync(struct mb_log *log, int now, struct mb_err *err)
{
	double at = mb_clock_monotonic_s();

	if (!log->unsynced || (!now && at - log->synced_s < 1))
		return 0;
	log->synced_s = at;
	log->unsynced = 0;
	/* Some file systems (and devices in tests) have nothing to sync. A failed sync is never retried on the same
	 * descriptor: the kernel may have dropped the pages, and a second call would lie. */
	if (fdatasync(log->fd) < 0 && errno != EINVAL && errno != ENOSYS)
		return fail_at(log, "fdatasync", err);
	return 0;
}
