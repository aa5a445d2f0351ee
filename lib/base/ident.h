/* SPDX-License-Identifier: MIT
 *
 * Who a process is, well enough to tell from elsewhere whether it still lives: a pid alone is reused, means nothing in
 * another pid namespace, and says nothing after a reboot.
 */
#ifndef MB_BASE_IDENT_H
#define MB_BASE_IDENT_H

#include <stdint.h>

#include "base/err.h"

struct mb_ident {
	char host[65];
	char boot_id[40];     /* /proc/sys/kernel/random/boot_id */
	uint64_t pid_ns;      /* inode number of the pid namespace */
	int64_t pid;
	int64_t start_ticks;  /* clock ticks since boot, field 22 of /proc/PID/stat */
};

int mb_ident_self(struct mb_ident *ident, struct mb_err *err);
int mb_ident_equal(const struct mb_ident *a, const struct mb_ident *b);

/* 1 when `other` lives where `self` can see it: same host, boot and pid namespace. */
int mb_ident_visible(const struct mb_ident *self, const struct mb_ident *other);

/* For a visible one: 1 when a process has that pid and start time and is not a zombie. A stopped process is alive. */
int mb_ident_alive(const struct mb_ident *other);

#endif
