/* SPDX-License-Identifier: MIT
 *
 * The watcher's side of the run files: is a trial that was issued still held by somebody, or is it free to be issued again?
 *
 *     struct mb_holders holders = {0};
 *     mb_holders_scan(&holders, log_path, &err);          // now and then
 *     if (mb_holders_ask(&holders, &log, i) == MB_HOLD_GONE) … log.keys[i] …
 *
 * What can only be known by watching (how long a file has been missing) is kept between scans.
 */
#ifndef MB_DATA_HOLDERS_H
#define MB_DATA_HOLDERS_H

#include "data/holder.h"
#include "data/log.h"

enum mb_hold {
	MB_HOLD_HELD,    /* somebody who may be alive has it */
	MB_HOLD_NOBODY,  /* printed by -n, no trainer has read it */
	MB_HOLD_GONE,    /* its holder died, or its result was lost */
	MB_HOLD_UNBEGUN  /* its holder ended in order without a result */
};

struct mb_claim {
	int64_t trial, rung, attempt;
	int done;
};

struct mb_run_file {
	char *path;
	struct mb_ident ident;
	int known;       /* the identity could be read */
	int ended, visible, alive; /* alive: only for visible ones */
	double untouched_s; /* for the others and the ended */
	struct mb_claim *claims;
	size_t n_claims, cap_claims;
	size_t first_undone; /* all claims before it are done */
};

/* What was seen of an issue, to notice that it stays lost. */
struct mb_watch {
	int64_t attempt;
	int claimed;        /* a claimant was seen */
	double lost_since_s; /* monotonic; 0: not lost */
};

struct mb_holders {
	struct mb_ident self;
	char *log_path;
	struct mb_run_file *files;
	size_t n_files, cap_files;
	struct mb_claim_ref { uint32_t file, claim; } *slots; /* hash table over all claims; file + 1, 0: free */
	size_t n_slots;
	struct mb_watch *watched; /* by index of the log's keys */
	size_t n_watched, cap_watched;
	int once; /* the caller cannot wait and watch (mb-suggest -n): the age of the issue counts instead */
};

int mb_holders_scan(struct mb_holders *holders, const char *log_path, struct mb_err *err);

/* For log->keys[index], an open key with an issue. */
enum mb_hold mb_holders_ask(struct mb_holders *holders, const struct mb_log *log, size_t index);

/* Removes the files of the gone that no open issue of the log needs. Under the log's lock. */
void mb_holders_sweep(struct mb_holders *holders, const struct mb_log *log);
void mb_holders_release(struct mb_holders *holders);

#endif
