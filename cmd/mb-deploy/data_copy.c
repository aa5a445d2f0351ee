/* SPDX-License-Identifier: MIT
 *
 * A copy of the data on the node's own disk, NODE/mb-UID/ID, ID a digest of where the data are, their names, sizes
 * and times: other data are another copy. Workers of one node share it: each holds ID.lock (flock, which the kernel
 * frees with the last process that inherited it), exclusively while it is made, shared while it is used. Whoever can
 * have it exclusively at the end is the last, and removes the copy. One left by a node's end is used by the next
 * worker there.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "data.h"
#include "run/run.h"

enum { DEPTH = 64, CHUNK = 1 << 20 };

/* ---- what there is to copy ---- */

struct item {
	char *path; /* below the source; "" for a single file */
	int is_folder;
	int64_t bytes;
	struct timespec time;
};

struct items {
	struct item *at;
	size_t n, cap;
	int64_t bytes;
};

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct item *)a)->path, ((const struct item *)b)->path);
}

static int list(struct items *items, const char *root, const char *below, int depth, struct mb_err *err)
{
	char *path = *below ? mb_path_join(root, below) : mb_strdup(root);
	struct dirent *entry;
	struct stat file;
	DIR *dir = NULL;
	int bad = 0;

	if (depth > DEPTH) {
		bad = mb_err_set(err, MB_EXIT_SYSTEM, path, "folders lie %d deep: a link to one of them?", DEPTH);
	} else if (stat(path, &file) < 0 || (S_ISDIR(file.st_mode) && !(dir = opendir(path)))) {
		bad = mb_err_errno(err, path, NULL);
	} else if (!dir && !S_ISREG(file.st_mode)) {
		bad = mb_err_set(err, MB_EXIT_SYSTEM, path, "is neither file nor folder, and cannot be copied");
	} else {
		struct item item = {mb_strdup(below), dir != NULL, dir ? 0 : file.st_size, file.st_mtim};

		items->bytes += item.bytes;
		MB_PUSH(items->at, items->n, items->cap, item);
	}
	while (dir && !bad && (entry = readdir(dir))) {
		char *name;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		name = *below ? mb_path_join(below, entry->d_name) : mb_strdup(entry->d_name);
		bad = list(items, root, name, depth + 1, err);
		free(name);
	}
	if (dir)
		closedir(dir);
	free(path);
	return bad;
}

static void items_release(struct items *items)
{
	for (size_t i = 0; i < items->n; i++)
		free(items->at[i].path);
	free(items->at);
}

static uint64_t digest_of(const struct items *items, const char *source)
{
	uint64_t digest = mb_hash_bytes(source, strlen(source), 1);

	for (size_t i = 0; i < items->n; i++) {
		const struct item *item = &items->at[i];
		const int64_t numbers[] = {item->is_folder, item->bytes, item->is_folder ? 0 : item->time.tv_sec,
					   item->is_folder ? 0 : item->time.tv_nsec};

		digest = mb_hash_bytes(item->path, strlen(item->path) + 1, digest);
		digest = mb_hash_bytes(numbers, sizeof numbers, digest);
	}
	return digest;
}

/* ---- copying ---- */

static char *place_of(const char *root, const struct item *item)
{
	return *item->path ? mb_path_join(root, item->path) : mb_strdup(root);
}

/* Reads a file to its end, writes it to `to` unless that is -1; its bytes' digest. */
static int pass(int from, int to, const char *from_path, const char *to_path, uint64_t *digest, int64_t *bytes,
		struct mb_err *err)
{
	char *chunk = mb_alloc(CHUNK);
	int bad = 0;

	*bytes = 0;
	while (!bad) {
		size_t n = 0;
		ssize_t got = 0;

		/* Whole chunks: the digest depends on where they are cut. */
		while (n < CHUNK && (got = read(from, chunk + n, CHUNK - n)) > 0)
			n += (size_t)got;
		if (got < 0)
			bad = mb_err_errno(err, from_path, "read");
		else if (!n)
			break;
		else if (to >= 0 && mb_write_all(to, chunk, n) < 0)
			bad = mb_err_errno(err, to_path, "write");
		else if (mb_signals_stopped())
			bad = mb_err_set(err, MB_EXIT_SYSTEM, to_path,
					 "stopped by a signal while the data were copied");
		*digest = mb_hash_bytes(chunk, n, *digest);
		*bytes += (int64_t)n;
	}
	free(chunk);
	return bad;
}

/* Copies, and reads the copy again: what the disk gives must be what was written. */
static int copy_file(const struct item *item, const char *from, const char *to, struct mb_err *err)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600),
		bad = -1;
	uint64_t written = 0, read_back = 0;
	int64_t bytes = 0, bytes_back = 0;

	if (in < 0 || out < 0) {
		mb_err_errno(err, in < 0 ? from : to, NULL);
		goto out;
	}
	posix_fadvise(in, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (pass(in, out, from, to, &written, &bytes, err) < 0)
		goto out;
	if (bytes != item->bytes) {
		mb_err_set(err, MB_EXIT_SYSTEM, from, "changed while it was copied");
		goto out;
	}
	if (lseek(out, 0, SEEK_SET) < 0 || pass(out, -1, to, to, &read_back, &bytes_back, err) < 0)
		goto out;
	if (read_back != written || bytes_back != bytes) {
		mb_err_set(err, MB_EXIT_SYSTEM, to, "what was read back is not what was written: a disk fault?");
		goto out;
	}
	bad = 0;
out:
	if (in >= 0)
		close(in);
	if (out >= 0 && close(out) < 0 && !bad)
		bad = mb_err_errno(err, to, "close");
	return bad;
}

static int check_space(const struct items *items, const char *node, struct mb_err *err)
{
	struct statvfs disk;
	double most;

	if (statvfs(node, &disk) < 0)
		return 0;
	most = (double)disk.f_bavail * (double)disk.f_frsize;
	if ((double)items->bytes <= most)
		return 0;
	mb_err_set(err, MB_EXIT_SYSTEM, node, "the data are %.1f MB, and %.1f MB are free here",
		   (double)items->bytes / 1e6,
		   most / 1e6);
	return mb_err_hint(err,
			   "data_options.copy_data: false reads them where they are; TMPDIR, or node_folder in the "
				"cluster's profile, names another disk");
}

static int make(const struct items *items, const char *source, const char *node, const char *copy, struct mb_err *err)
{
	char *part = mb_textf("%s.part", copy);
	struct mb_err ignored;
	int bad = folder_remove_tree(part, err) < 0 || check_space(items, node, err) < 0;

	for (size_t i = 0; i < items->n && !bad; i++) {
		char *from = place_of(source, &items->at[i]), *to = place_of(part, &items->at[i]);

		if (!items->at[i].is_folder)
			bad = copy_file(&items->at[i], from, to, err);
		else if (mkdir(to, 0700) < 0)
			bad = mb_err_errno(err, to, "mkdir");
		free(from);
		free(to);
	}
	if (!bad && rename(part, copy) < 0)
		bad = mb_err_errno(err, copy, "rename");
	if (bad) {
		if (strstr(err->what, strerror(ENOSPC)) || strstr(err->what, strerror(EDQUOT)))
			mb_err_hint(err, "data_options.copy_data: false reads the data where they are");
		folder_remove_tree(part, &ignored);
	}
	free(part);
	return bad ? -1 : 0;
}

/* Whether a copy that is there is still whole: its digest stands in its name, so what is compared are the sizes. */
static int is_whole(const struct items *items, const char *copy)
{
	int whole = 1;

	for (size_t i = 0; i < items->n && whole; i++) {
		char *path = place_of(copy, &items->at[i]);
		struct stat file;

		whole = lstat(path, &file) == 0 &&
			(items->at[i].is_folder ? S_ISDIR(file.st_mode)
						: S_ISREG(file.st_mode) && file.st_size == items->at[i].bytes);
		free(path);
	}
	return whole;
}

/* ---- sharing ---- */

/* The user's own folder there: /tmp is everybody's, and the name can be guessed. */
static char *own_folder(const char *node, struct mb_err *err)
{
	char *path = mb_textf("%s/mb-%ld", node, (long)getuid());
	struct stat file;

	if ((mkdir(path, 0700) < 0 && errno != EEXIST) || lstat(path, &file) < 0) {
		mb_err_errno(err, path, "mkdir");
		mb_err_hint(err,
			    "data_options.copy_data: true needs a folder on the node's disk: TMPDIR, or node_folder in "
				 "the cluster's profile");
	} else if (!S_ISDIR(file.st_mode) || file.st_uid != getuid() || (file.st_mode & 077)) {
		mb_err_set(err, MB_EXIT_SYSTEM, path, "is there, and others may write or read in it");
		mb_err_hint(err, "remove it, or chmod 700");
	} else {
		return path;
	}
	free(path);
	return NULL;
}

/* 1 when the lock is had, 0 when others keep it, -1 with err. */
static int try_lock(int fd, const char *path, int how, struct mb_err *err)
{
	if (flock(fd, how | LOCK_NB) == 0)
		return 1;
	return errno == EWOULDBLOCK || errno == EINTR ? 0 : mb_err_errno(err, path, "lock");
}

static int open_lock(const char *path, struct mb_err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 ? mb_err_errno(err, path, NULL) : fd;
}

/* Whether the path still leads to that lock file: its last holder removes it. */
static int is_named(int fd, const char *path)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && stat(path, &named) == 0 && held.st_ino == named.st_ino;
}

/* Shared as soon as the copy is whole; while it is not, whoever has the lock alone makes it. */
static int take_part(const struct items *items, const char *source, const char *own, const char *copy,
		     struct data_use *use, struct mb_err *err)
{
	for (;;) {
		int had;

		if (use->lock < 0 && (use->lock = open_lock(use->lock_path, err)) < 0)
			return -1;
		had = try_lock(use->lock, use->lock_path, LOCK_SH, err);
		if (had == 1 && !is_named(use->lock, use->lock_path)) {
			close(use->lock);
			use->lock = -1;
			continue;
		}
		if (had == 1 && is_whole(items, copy))
			return 0;
		if (had == 1) /* the lock is given up before it is had alone, so others may come in between */
			had = try_lock(use->lock, use->lock_path, LOCK_EX, err);
		if (had < 0)
			return -1;
		if (had == 1 && !is_whole(items, copy) &&
		    (folder_remove_tree(copy, err) < 0 || mb_mkdirs(use->copy, err) < 0 ||
		     make(items, source, own, copy, err) < 0))
			return -1;
		if (mb_signals_stopped())
			return mb_err_set(err, MB_EXIT_SYSTEM, copy,
					  "stopped by a signal while another worker made it");
		if (!had)
			nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	}
}

int data_copy(const char *source, const char *node, struct data_use *use, struct mb_err *err)
{
	char *own = own_folder(node, err), *copy = NULL;
	struct items items = {0};
	int bad = -1;

	use->lock = -1;
	if (!own || list(&items, source, "", 0, err) < 0)
		goto out;
	qsort(items.at, items.n, sizeof *items.at, by_path);
	use->copy = mb_textf("%s/%016llx", own, (unsigned long long)digest_of(&items, source));
	use->lock_path = mb_textf("%s.lock", use->copy);
	copy = mb_path_join(use->copy, mb_path_name(source)); /* a file keeps its name, which programs go by */
	bad = take_part(&items, source, own, copy, use, err);
	if (bad)
		data_leave(use);
	else
		use->dataset = mb_strdup(copy);
out:
	items_release(&items);
	free(copy);
	free(own);
	return bad;
}

void data_leave(struct data_use *use)
{
	struct mb_err ignored;

	if (use->lock >= 0) {
		if (use->copy && flock(use->lock, LOCK_EX | LOCK_NB) == 0) {
			folder_remove_tree(use->copy, &ignored);
			unlink(use->lock_path);
		}
		close(use->lock);
	}
	free(use->dataset);
	free(use->copy);
	free(use->lock_path);
	*use = (struct data_use){.lock = -1};
}
