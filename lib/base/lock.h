/* SPDX-License-Identifier: MIT
 *
 * One lock per log, of the kind that the file system can do.
 *
 * `<log>.lock` names the kind, "ofd" or "link", chosen once by whoever creates the log. "ofd" is a byte-range lock of the
 * open file description on that very file: the kernel frees it with its holder. Where such locks do not work (some NFS and
 * Lustre mounts) it is "link": `<log>.lock.held`, made by link(2) of a finished temporary file that names its holder.
 *
 *     struct mb_lock lock;
 *     if (mb_lock_open(&lock, "trials.ndjson", NULL, &err) < 0) …
 *     if (mb_lock_take(&lock, &err) < 0) …
 *     … mb_lock_still_ours(&lock) before each write …
 *     mb_lock_drop(&lock);
 */
#ifndef MB_BASE_LOCK_H
#define MB_BASE_LOCK_H

#include "base/err.h"
#include "base/ident.h"

enum mb_lock_kind { MB_LOCK_OFD, MB_LOCK_LINK };

struct mb_lock {
	enum mb_lock_kind kind;
	int fd;                /* of the lock file, for OFD */
	char *path, *held;     /* "<log>.lock", "<log>.lock.held" */
	struct mb_ident self;
	unsigned long taken;   /* how often, part of the token */
	char token[192];       /* what the link lock holds while it is ours; empty when it is not */
	double patience_s;     /* a link lock of another machine is dead after this long untouched (90) */
};

/* `wanted`: "ofd" or "link" to choose for a log without a lock file, NULL to try OFD first. Errors: the file cannot be
 * made, names a kind unknown or unusable here (MB_EXIT_SYSTEM). */
int mb_lock_open(struct mb_lock *lock, const char *log_path, const char *wanted, struct mb_err *err);
int mb_lock_take(struct mb_lock *lock, struct mb_err *err); /* waits */
int mb_lock_try(struct mb_lock *lock, struct mb_err *err);  /* does not: 1 when it is ours, 0 when another has it, -1 */

/* Shows that the holder lives: who keeps a lock for long calls it every 15 s or so. */
void mb_lock_touch(const struct mb_lock *lock);

/* 1 while the lock is this process's; a holder that slept too long may have lost a link lock. */
int mb_lock_still_ours(const struct mb_lock *lock);
void mb_lock_drop(struct mb_lock *lock);
void mb_lock_close(struct mb_lock *lock);

#endif
