/* SPDX-License-Identifier: MIT */
#include "base/ident.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* State letter and start time of a process; -1 when there is no such process. */
static int read_stat(int64_t pid, char *state, int64_t *start_ticks)
{
	char path[64], *at;
	struct mb_str text = {0};
	struct mb_err err;
	int ok = -1;

	snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
	if (mb_file_read(path, 0, &text, &err) < 0)
		goto out;
	at = strrchr(text.at, ')'); /* the command's name may itself hold blanks and parentheses */
	if (!at || at[1] != ' ')
		goto out;
	*state = at[2];
	at += 2;
	for (int field = 3; field < 22 && at; field++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	if (at) {
		*start_ticks = strtoll(at, NULL, 10);
		ok = 0;
	}
out:
	mb_str_release(&text);
	return ok;
}

int mb_ident_self(struct mb_ident *ident, struct mb_err *err)
{
	struct mb_str boot_id = {0};
	struct stat ns;
	char state;
	int bad = -1;

	*ident = (struct mb_ident){.pid = getpid()};
	if (gethostname(ident->host, sizeof ident->host - 1) < 0)
		return mb_err_errno(err, NULL, "gethostname");
	if (mb_file_read("/proc/sys/kernel/random/boot_id", 0, &boot_id, err) < 0)
		goto out;
	snprintf(ident->boot_id, sizeof ident->boot_id, "%.36s", boot_id.at);
	if (stat("/proc/self/ns/pid", &ns) < 0) {
		mb_err_errno(err, "/proc/self/ns/pid", NULL);
		goto out;
	}
	ident->pid_ns = ns.st_ino;
	if (read_stat(ident->pid, &state, &ident->start_ticks) < 0) {
		mb_err_set(err, MB_EXIT_SYSTEM, "/proc/self/stat", "cannot be read");
		goto out;
	}
	bad = 0;
out:
	mb_str_release(&boot_id);
	return bad;
}

int mb_ident_visible(const struct mb_ident *self, const struct mb_ident *other)
{
	return !strcmp(self->host, other->host) && !strcmp(self->boot_id, other->boot_id) &&
	       self->pid_ns == other->pid_ns;
}

int mb_ident_equal(const struct mb_ident *a, const struct mb_ident *b)
{
	return mb_ident_visible(a, b) && a->pid == b->pid && a->start_ticks == b->start_ticks;
}

int mb_ident_alive(const struct mb_ident *other)
{
	int64_t start_ticks;
	char state;

	return read_stat(other->pid, &state, &start_ticks) == 0 && start_ticks == other->start_ticks && state != 'Z' &&
	       state != 'X';
}
