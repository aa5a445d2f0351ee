/* SPDX-License-Identifier: MIT
 *
 * The log: an append-only file of events, several lines a trial, safe among many writers on many hosts. State is its
 * replay: the state of a key (trial, rung) is its first `completed` or `failed`, else its latest line.
 *
 *     struct mb_log log;
 *     mb_log_open(&log, path, "my experiment", MB_LOG_WRITE, &err);
 *     mb_log_lock(&log, &err);                  // waits, mends a torn tail, reads what others wrote
 *     mb_log_append(&log, record, &err);        // buffered: written by unlock
 *     mb_log_unlock(&log, &err);
 *     for (size_t i = 0; i < log.n_keys; i++) … log.keys[i] …
 */
#ifndef MB_DATA_LOG_H
#define MB_DATA_LOG_H

#include <stdint.h>

#include "data/record.h"

/* One key of the log. */
struct mb_key {
	int64_t trial, rung;
	enum mb_status status;
	int64_t attempt;     /* of the latest issue (`open` line); 0: never issued */
	json_t *issue;       /* the latest `open` record, NULL when never issued */
	json_t *result;      /* the record of `completed` or `failed`; else the latest `interrupted`, or NULL */
	size_t line;         /* of the result, else of the latest line */
};

enum mb_log_mode {
	MB_LOG_READ,  /* needs no lock and makes no file */
	MB_LOG_WRITE,
	MB_LOG_MEMORY /* no file at all: lock, unlock, update and sync do nothing; path is a name for messages */
};

struct mb_log {
	char *path, *torn_path;
	char *experiment;
	enum mb_log_mode mode;
	struct mb_lock lock;
	int fd;              /* -1: READ and no such file yet */
	int locked;
	int64_t size;        /* bytes replayed, up to the last newline */
	size_t tail;         /* bytes after it, at the last look */
	size_t lines;
	struct mb_key *keys; /* in order of first appearance */
	size_t n_keys, cap_keys;
	size_t *slots, n_slots; /* hash table over keys: index + 1 */
	int64_t last_trial;  /* highest number seen */
	size_t finished;     /* keys completed or failed */
	size_t results;      /* lines that told of a result, interrupted ones too */
	struct mb_errs bad;  /* lines that could not be read, for the caller to report and clear */
	struct mb_str pending; /* appended, not yet written */
	double synced_s;     /* monotonic, of the last fdatasync */
	int unsynced;
};

/* `experiment`: the name that every line must carry; NULL takes any. `lock_kind` for a new log: NULL, "ofd" or "link".
 * Replays what is there. A line of another experiment is an error with MB_EXIT_USAGE. */
int mb_log_open(struct mb_log *log, const char *path, const char *experiment, enum mb_log_mode mode,
		const char *lock_kind, struct mb_err *err);

/* Reads what was appended since. Needs no lock; a tail without newline is left for later. */
int mb_log_update(struct mb_log *log, struct mb_err *err);

int mb_log_lock(struct mb_log *log, struct mb_err *err);
int mb_log_unlock(struct mb_log *log, struct mb_err *err); /* writes what is pending, all or nothing */

/* Under the lock. Takes no reference, but in memory, where the log shares the record: do not change its members then. The
 * key's state changes at once. */
int mb_log_append(struct mb_log *log, json_t *record, struct mb_err *err);

/* 1 when the record would be passed on only: a result of a finished key, an `interrupted` of an earlier attempt. */
int mb_log_is_late(const struct mb_log *log, const struct mb_record *record);

/* Makes a result fit for the log: the next number for a `completed` without one (under the lock), the assignments and the
 * experiment's name when left out. -1 with MB_EXIT_RECORD when it is no result: no trial, unknown assignments, no value for
 * the metric `objective` (NULL: any), or another experiment's (MB_EXIT_USAGE); a suggestion is held to the last alone. */
int mb_log_complete(const struct mb_log *log, struct mb_record *record, const char *objective, const char *where,
		    struct mb_err *err);

/* The number of the next trial; -1 with MB_EXIT_RECORD when there is none left below 2^53. */
int64_t mb_log_next_trial(const struct mb_log *log, const char *where, struct mb_err *err);

const struct mb_key *mb_log_find(const struct mb_log *log, int64_t trial, int64_t rung); /* or NULL */

/* fdatasync, at most once a second unless `now`. */
int mb_log_sync(struct mb_log *log, int now, struct mb_err *err);
void mb_log_close(struct mb_log *log);

#endif
