/* SPDX-License-Identifier: MIT */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

static const char *const kind_names[] = {[MB_LOCK_OFD] = "ofd", [MB_LOCK_LINK] = "link"};

static int ofd_call(int fd, int command, short type)
{
	struct flock whole = {.l_type = type, .l_whence = SEEK_SET};
	int result;

	do
		result = fcntl(fd, command, &whole);
	while (result < 0 && errno == EINTR);
	return result;
}

static void nap(double seconds)
{
	struct timespec time = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};

	nanosleep(&time, NULL);
}

/* ---- the lock file that names the kind ---- */

/* Puts `text` into `path` if nobody did before: 0 when `path` exists afterwards, whoever made it. */
static int make_once(const char *path, const char *text, struct mb_err *err)
{
	char *temporary = mb_path_unique(path);
	int bad = mb_file_replace(temporary, text, strlen(text), 0, err);

	if (bad) /* the temporary's own name tells nobody anything */
		snprintf(err->where, sizeof err->where, "%s", path);
	if (!bad && link(temporary, path) < 0 && errno != EEXIST) {
		bad = mb_err_errno(err, path, "link");
		mb_err_hint(err, "the log needs a file system with hard links; choose another folder with --log");
	}
	unlink(temporary);
	free(temporary);
	return bad;
}

static enum mb_lock_kind usable_kind(const char *path)
{
	char *probe = mb_path_unique(path);
	int fd = open(probe, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	enum mb_lock_kind kind = MB_LOCK_OFD;

	if (fd >= 0 && ofd_call(fd, F_OFD_SETLK, F_WRLCK) < 0 && errno != EAGAIN && errno != EACCES)
		kind = MB_LOCK_LINK;
	if (fd >= 0)
		close(fd);
	unlink(probe);
	free(probe);
	return kind;
}

static int read_kind(struct mb_lock *lock, struct mb_err *err)
{
	struct mb_str text = {0};
	int bad = mb_file_read(lock->path, 4096, &text, err);

	if (!bad) {
		text.at[strcspn(text.at, "\n")] = '\0';
		if (!strcmp(text.at, kind_names[MB_LOCK_OFD]))
			lock->kind = MB_LOCK_OFD;
		else if (!strcmp(text.at, kind_names[MB_LOCK_LINK]))
			lock->kind = MB_LOCK_LINK;
		else
			bad = mb_err_set(err, MB_EXIT_SYSTEM, lock->path, "\"%.40s\" is no kind of lock: \"ofd\" or \"link\"",
					 text.at);
	}
	mb_str_release(&text);
	return bad;
}

int mb_lock_open(struct mb_lock *lock, const char *log_path, const char *wanted, struct mb_err *err)
{
	*lock = (struct mb_lock){.fd = -1, .patience_s = 90};
	lock->path = mb_textf("%s.lock", log_path);
	lock->held = mb_textf("%s.lock.held", log_path);
	if (mb_ident_self(&lock->self, err) < 0)
		goto bad;
	if (wanted && *wanted && strcmp(wanted, kind_names[MB_LOCK_OFD]) && strcmp(wanted, kind_names[MB_LOCK_LINK])) {
		mb_err_set(err, MB_EXIT_USAGE, "MB_LOCK", "\"%.40s\" is no kind of lock: \"ofd\" or \"link\"", wanted);
		goto bad;
	}
	if (access(lock->path, F_OK) < 0) {
		const char *kind = wanted && *wanted ? wanted : kind_names[usable_kind(lock->path)];
		char line[32];

		snprintf(line, sizeof line, "%.20s\n", kind);
		if (make_once(lock->path, line, err) < 0)
			goto bad;
	}
	if (read_kind(lock, err) < 0)
		goto bad;
	if (lock->kind == MB_LOCK_OFD) {
		lock->fd = open(lock->path, O_RDWR | O_CLOEXEC);
		if (lock->fd < 0) {
			mb_err_errno(err, lock->path, NULL);
			goto bad;
		}
		if (ofd_call(lock->fd, F_OFD_SETLK, F_WRLCK) == 0) {
			ofd_call(lock->fd, F_OFD_SETLK, F_UNLCK);
		} else if (errno != EAGAIN && errno != EACCES) {
			mb_err_errno(err, lock->path, "byte-range locks do not work here, but this log was made with them");
			goto bad;
		}
	}
	return 0;
bad:
	mb_lock_close(lock);
	return -1;
}

/* ---- the link lock ---- */

static int holds(const char *path, const char *token)
{
	struct mb_str text = {0};
	int same = mb_file_read(path, 4096, &text, &(struct mb_err){0}) == 0 && !strcmp(text.at, token);

	mb_str_release(&text);
	return same;
}

static int read_holder(const char *path, struct mb_ident *holder, struct mb_str *text)
{
	struct mb_err err;
	long long pid, ticks;
	unsigned long long ns;

	mb_str_clear(text);
	if (mb_file_read(path, 4096, text, &err) < 0)
		return -1;
	*holder = (struct mb_ident){0};
	if (sscanf(text->at, "%64s %39s %llu %lld %lld", holder->host, holder->boot_id, &ns, &pid, &ticks) != 5)
		return -1;
	holder->pid_ns = ns;
	holder->pid = pid;
	holder->start_ticks = ticks;
	return 0;
}

/* 1 when `path` names a holder that is gone; its token is left in `token`. */
static int is_gone(const struct mb_lock *lock, const char *path, struct mb_str *token)
{
	struct mb_ident holder;
	int known = read_holder(path, &holder, token) == 0;

	if (!token->n)
		return 0; /* free by now */
	if (known && mb_ident_visible(&lock->self, &holder))
		return !mb_ident_alive(&holder);
	return mb_file_untouched_s(path) >= lock->patience_s;
}

/* Removes `path` if its holder is gone: renames it, looks at what was renamed, puts back what is another's. */
static void push_aside(const struct mb_lock *lock, const char *path)
{
	char *aside = mb_path_unique(path);
	struct mb_str token = {0};

	/* Looked at again, because to tell the dead takes time in which others may have done this. */
	if (is_gone(lock, path, &token) && holds(path, token.at) && rename(path, aside) == 0) {
		if (!holds(aside, token.at))
			(void)!link(aside, path);
		unlink(aside);
	}
	mb_str_release(&token);
	free(aside);
}

/* Takes the lock away from a holder that is gone. What push_aside puts back was missing for an instant, in which a
 * third process could take the lock too (seen once in 800 kills): so only one at a time may try, who has linked its
 * own token as `<log>.lock.held.retake`. That needs a kill in this very place to go wrong, and then
 * mb_lock_still_ours tells. */
static void retake_if_gone(const struct mb_lock *lock, const char *own)
{
	char *guard = mb_textf("%s.retake", lock->held);
	struct mb_str token = {0};

	if (!is_gone(lock, lock->held, &token))
		goto out;
	if (link(own, guard) < 0) {
		push_aside(lock, guard);
		goto out;
	}
	push_aside(lock, lock->held);
	if (holds(guard, lock->token))
		unlink(guard);
out:
	mb_str_release(&token);
	free(guard);
}

/* One attempt: 1 when the lock is ours, 0 when another has it, -1. */
static int try_link(struct mb_lock *lock, struct mb_err *err)
{
	char *temporary = mb_path_unique(lock->held);
	struct stat made;
	int taken;

	snprintf(lock->token, sizeof lock->token, "%s %s %llu %lld %lld %lu\n", lock->self.host, lock->self.boot_id,
		 (unsigned long long)lock->self.pid_ns, (long long)lock->self.pid, (long long)lock->self.start_ticks,
		 ++lock->taken);
	taken = mb_file_replace(temporary, lock->token, strlen(lock->token), 0, err);
	if (taken == 0) {
		/* On NFS a link(2) whose answer was lost fails although it was done: the link count tells. */
		if (link(temporary, lock->held) == 0 || (stat(temporary, &made) == 0 && made.st_nlink == 2))
			taken = 1;
		else if (errno != EEXIST)
			taken = mb_err_errno(err, lock->held, "link");
		else
			retake_if_gone(lock, temporary);
	}
	unlink(temporary);
	free(temporary);
	if (taken <= 0)
		lock->token[0] = '\0';
	return taken;
}

static int take_link(struct mb_lock *lock, struct mb_err *err)
{
	double wait = 0.0005;
	int taken;

	while (!(taken = try_link(lock, err))) {
		nap(wait);
		if (wait < 0.05)
			wait *= 1.5;
	}
	return taken < 0 ? -1 : 0;
}

int mb_lock_try(struct mb_lock *lock, struct mb_err *err)
{
	if (lock->kind == MB_LOCK_LINK)
		return try_link(lock, err);
	if (ofd_call(lock->fd, F_OFD_SETLK, F_WRLCK) == 0)
		return 1;
	return errno == EAGAIN || errno == EACCES ? 0 : mb_err_errno(err, lock->path, "lock");
}

void mb_lock_touch(const struct mb_lock *lock)
{
	if (lock->kind == MB_LOCK_LINK && mb_lock_still_ours(lock))
		utimensat(AT_FDCWD, lock->held, NULL, 0);
}

int mb_lock_take(struct mb_lock *lock, struct mb_err *err)
{
	if (lock->kind == MB_LOCK_LINK)
		return take_link(lock, err);
	if (ofd_call(lock->fd, F_OFD_SETLKW, F_WRLCK) < 0)
		return mb_err_errno(err, lock->path, "lock");
	return 0;
}

int mb_lock_still_ours(const struct mb_lock *lock)
{
	return lock->kind == MB_LOCK_OFD || (lock->token[0] && holds(lock->held, lock->token));
}

void mb_lock_drop(struct mb_lock *lock)
{
	if (lock->kind == MB_LOCK_OFD) {
		ofd_call(lock->fd, F_OFD_SETLK, F_UNLCK);
		return;
	}
	if (mb_lock_still_ours(lock))
		unlink(lock->held);
	lock->token[0] = '\0';
}

void mb_lock_close(struct mb_lock *lock)
{
	if (lock->fd >= 0)
		close(lock->fd);
	free(lock->path);
	free(lock->held);
	*lock = (struct mb_lock){.fd = -1};
}
