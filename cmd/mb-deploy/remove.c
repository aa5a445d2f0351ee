/* SPDX-License-Identifier: MIT
 *
 * Removes a deployment's folder. Every name is taken relative to an open folder and no symbolic link is followed, so
 * that nothing outside goes, whatever is linked from inside. The journal and the marker are last: after a crash the
 * folder still says whose it is, and the same command ends what was begun.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deploy.h"

static int open_dir(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* 1 for what goes last. */
static int is_ours(const char *name)
{
	return !strcmp(name, "deploy.json") || !strcmp(name, "deploy.ndjson") || !strcmp(name, "deploy.lock") ||
	       !strncmp(name, "deploy.ndjson.lock", strlen("deploy.ndjson.lock"));
}

/* Empties the folder `fd`, which it closes; at the top what is ours stays. */
static int empty(int fd, int top)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int bad = 0;

	if (!dir) {
		close(fd);
		return -1;
	}
	while (!bad && (errno = 0, entry = readdir(dir))) {
		int below;

		if (is_dots(entry->d_name) || (top && is_ours(entry->d_name)))
			continue;
		if (unlinkat(fd, entry->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR && errno != EPERM) {
			bad = -1;
			break;
		}
		below = open_dir(fd, entry->d_name);
		bad = below < 0 || empty(below, 0) < 0 ||
				      (unlinkat(fd, entry->d_name, AT_REMOVEDIR) < 0 && errno != ENOENT)
			      ? -1
			      : 0;
	}
	if (!bad && errno)
		bad = -1;
	closedir(dir);
	return bad;
}

static int remove_last(int fd)
{
	static const char *const last[] = {"deploy.ndjson", "deploy.ndjson.lock.held", "deploy.ndjson.lock",
					   "deploy.lock", "deploy.json"};

	for (size_t i = 0; i < MB_COUNT(last); i++) {
		if (unlinkat(fd, last[i], 0) < 0 && errno != ENOENT)
			return -1;
		deploy_step();
	}
	return 0;
}

int folder_remove_tree(const char *path, struct mb_err *err)
{
	int fd;

	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	fd = open_dir(AT_FDCWD, path);
	if (fd < 0 || empty(fd, 0) < 0 || rmdir(path) < 0)
		return mb_err_errno(err, path, "cannot be removed whole");
	return 0;
}

int folder_remove(struct deployment *deployment, struct mb_err *err)
{
	int fd = open_dir(AT_FDCWD, deployment->folder), inside = fd < 0 ? -1 : dup(fd);
	int bad = inside < 0 || empty(inside, 1) < 0;

	deploy_step();
	bad = bad || remove_last(fd) < 0 || rmdir(deployment->folder) < 0;
	if (bad)
		mb_err_errno(err, deployment->folder, "cannot be removed whole");
	if (fd >= 0)
		close(fd);
	deploy_step();
	return bad ? -1 : folder_unlink(deployment->name, err);
}
