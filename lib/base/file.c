/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"

int mb_file_read(const char *path, size_t limit, struct mb_str *text, struct mb_err *err)
{
	char chunk[65536];
	size_t before = text->n;
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return mb_err_errno(err, path, NULL);
	mb_str_add(text, "", 0);
	while ((got = read(fd, chunk, sizeof chunk)) > 0) {
		mb_str_add(text, chunk, (size_t)got);
		if (limit && text->n - before > limit) {
			close(fd);
			return mb_err_set(err, MB_EXIT_USAGE, path, "larger than %zu bytes", limit);
		}
	}
	if (got < 0)
		mb_err_errno(err, path, NULL);
	close(fd);
	return got < 0 ? -1 : 0;
}

int mb_write_all(int fd, const void *bytes, size_t n)
{
	const char *at = bytes;

	while (n) {
		ssize_t wrote = write(fd, at, n);

		if (wrote < 0 && errno == EAGAIN) {
			struct pollfd wait = {.fd = fd, .events = POLLOUT};

			poll(&wait, 1, -1);
		} else if (wrote < 0 && errno != EINTR) {
			return -1;
		} else if (wrote > 0) {
			at += wrote;
			n -= (size_t)wrote;
		}
	}
	return 0;
}

int mb_file_replace(const char *path, const void *bytes, size_t n, int durable, struct mb_err *err)
{
	char *temporary = mb_path_unique(path);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666), bad;

	if (fd < 0) {
		mb_err_errno(err, temporary, NULL);
		free(temporary);
		return -1;
	}
	bad = mb_write_all(fd, bytes, n) < 0 || (durable && fdatasync(fd) < 0);
	if (bad)
		mb_err_errno(err, temporary, "write");
	if (close(fd) < 0 && !bad) {
		bad = 1;
		mb_err_errno(err, temporary, "close");
	}
	if (!bad && rename(temporary, path) < 0) {
		bad = 1;
		mb_err_errno(err, path, "rename");
	}
	if (bad)
		unlink(temporary);
	free(temporary);
	return bad ? -1 : 0;
}

double mb_file_untouched_s(const char *path)
{
	char *probe = mb_path_unique(path);
	struct stat now, then;
	double seconds = 0;
	int fd;

	if (stat(path, &then) < 0) {
		free(probe);
		return -1;
	}
	fd = open(probe, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd >= 0) {
		if (write(fd, "", 1) == 1 && fstat(fd, &now) == 0)
			seconds = (double)(now.st_mtim.tv_sec - then.st_mtim.tv_sec) +
				  (double)(now.st_mtim.tv_nsec - then.st_mtim.tv_nsec) * 1e-9;
		close(fd);
	}
	unlink(probe);
	free(probe);
	return seconds > 0 ? seconds : 0;
}

int mb_mkdirs(const char *path, struct mb_err *err)
{
	char *partial = mb_strdup(path);
	struct stat made;
	int bad = 0;

	for (char *at = partial + (*partial == '/'); !bad; at++) {
		char held = *at;

		if (held != '/' && held)
			continue;
		*at = '\0';
		if (mkdir(partial, 0777) < 0 && errno != EEXIST)
			bad = mb_err_errno(err, partial, "mkdir");
		*at = held;
		if (!held)
			break;
	}
	/* "already there" is no success when it is a file */
	if (!bad && stat(path, &made) == 0 && !S_ISDIR(made.st_mode)) {
		errno = ENOTDIR;
		bad = mb_err_errno(err, path, "mkdir");
	}
	free(partial);
	return bad;
}

char *mb_path_dir(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return mb_strdup(".");
	if (slash == path)
		return mb_strdup("/");
	return mb_textf("%.*s", (int)(slash - path), path);
}

char *mb_path_join(const char *dir, const char *name)
{
	size_t n = strlen(dir);

	if (*name == '/' || !strcmp(dir, "."))
		return mb_strdup(name);
	return mb_textf("%s%s%s", dir, n && dir[n - 1] == '/' ? "" : "/", name);
}

char *mb_path_unique(const char *path)
{
	unsigned long long random = 0;

	/* Pids alone are not enough: in containers that share a folder everybody is number 1. */
	if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
		random = 0;
	return mb_textf("%s.%ld-%016llx.tmp", path, (long)getpid(), random);
}

const char *mb_path_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
