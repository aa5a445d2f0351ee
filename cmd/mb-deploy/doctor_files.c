/* SPDX-License-Identifier: MIT
 *
 * What a search asks of the file system that its log lies on: room, a clock that agrees with this machine's, and
 * locks that exclude. That last is not to be believed when said: several processes count in one file, each adding one
 * many times; where a lock does not hold, numbers are lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "doctor.h"

enum { COUNTS = 50, SKEW_S = 10 };

static const double few_bytes = 100e6;

/* ---- counting ---- */

static int add_one(int fd, struct mb_err *err)
{
	char text[32] = "0";
	int64_t value;
	int n;

	if (pread(fd, text, sizeof text - 1, 0) < 0)
		return mb_err_errno(err, "count", "read");
	text[strcspn(text, "\n")] = '\0';
	if (mb_num_int(text, &value) < 0)
		value = 0;
	nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL); /* the time in which another's sum would be lost */
	n = snprintf(text, sizeof text, "%lld\n", (long long)value + 1);
	return pwrite(fd, text, (size_t)n, 0) == n ? 0 : mb_err_errno(err, "count", "write");
}

/* Adds one COUNTS times to the number in `path`, under its lock of that kind. The file is opened anew each time,
 * as file systems of a network keep what they have read until then. */
static int count(const char *path, const char *kind, struct mb_err *err)
{
	struct mb_lock lock;
	int bad = mb_lock_open(&lock, path, kind, err);

	for (int i = 0; i < COUNTS && !bad; i++) {
		int fd;

		bad = mb_lock_take(&lock, err);
		if (bad)
			break;
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		bad = fd < 0 ? mb_err_errno(err, path, NULL) : add_one(fd, err);
		if (fd >= 0 && (fsync(fd) < 0 || close(fd) < 0) && !bad)
			bad = mb_err_errno(err, path, "write");
		mb_lock_drop(&lock);
	}
	mb_lock_close(&lock);
	return bad;
}

int doctor_counted(const char *path, int processes, int64_t *sum, int64_t *meant)
{
	struct mb_str text = {0};
	struct mb_err err;

	*sum = -1;
	*meant = (int64_t)processes * COUNTS;
	if (mb_file_read(path, 64, &text, &err) == 0 && text.n) {
		text.at[strcspn(text.at, "\n")] = '\0';
		if (mb_num_int(text.at, sum) < 0)
			*sum = -1;
	}
	mb_str_release(&text);
	return *sum == *meant;
}

int doctor_count(struct mb_tool *tool, const char *what)
{
	const char *colon = strchr(what, ':'); /* KIND:PATH */
	char *kind = mb_textf("%.*s", colon ? (int)(colon - what) : 0, what);
	struct mb_err err;
	int bad = colon ? count(colon + 1, kind, &err)
			: mb_err_set(&err, MB_EXIT_USAGE, "MB_DEPLOY_COUNT", "KIND:PATH");

	free(kind);
	return bad ? mb_tool_fail(tool, &err) : MB_EXIT_OK;
}

/* ---- locks ---- */

/* Two processes at once. */
static int count_twice(const char *path, const char *kind, struct mb_err *err)
{
	pid_t other = fork();
	int bad, status = 0;

	if (other == 0) {
		struct mb_err ignored;

		_exit(count(path, kind, &ignored) < 0);
	}
	if (other < 0)
		return mb_err_errno(err, NULL, "fork");
	bad = count(path, kind, err);
	while (waitpid(other, &status, 0) < 0 && errno == EINTR)
		;
	if (!bad && status)
		bad = mb_err_set(err, MB_EXIT_SYSTEM, path, "the other process could not take the lock");
	return bad;
}

/* 1 when they exclude. */
static int lock_holds(const char *folder, const char *kind, struct mb_str *words)
{
	char *path = mb_path_join(folder, kind);
	struct mb_err err;
	int64_t sum, meant;
	int holds = 0;

	if (count_twice(path, kind, &err) < 0) {
		mb_str_addf(words, "; %s: %s", kind, err.what);
	} else {
		holds = doctor_counted(path, 2, &sum, &meant);
		if (!holds)
			mb_str_addf(words, "; %s locks do not exclude: %lld of %lld counted", kind, (long long)sum,
				    (long long)meant);
	}
	free(path);
	return holds;
}

static void look_at_locks(struct doctor *doctor, const char *folder)
{
	struct mb_str words = {0};
	const int ofd = lock_holds(folder, "ofd", &words), link = lock_holds(folder, "link", &words);

	mb_str_adds(&words, "");
	if (ofd && link)
		doctor_add(doctor, FINDING_OK, "locks", NULL,
			   "byte-range locks and link(2) exclude, between two processes");
	else if (link)
		doctor_add(doctor, FINDING_NOTE, "locks", "lock: link in the cluster's profile takes what works",
			   "link(2) locks exclude%s", words.at ? words.at : "");
	else
		doctor_add(doctor, FINDING_PROBLEM, "locks", "use a folder of another file system",
			   "no kind of lock can be relied on%s", words.at ? words.at : "");
	mb_str_release(&words);
}

/* ---- the rest ---- */

static void look_at_room(struct doctor *doctor, const char *folder)
{
	struct statvfs disk;
	double free_bytes;

	if (statvfs(folder, &disk) < 0) {
		doctor_add(doctor, FINDING_PROBLEM, "space", NULL, "%s: %s", folder, strerror(errno));
		return;
	}
	free_bytes = (double)disk.f_bavail * (double)disk.f_frsize;
	if (free_bytes < few_bytes || (disk.f_files && disk.f_favail < 100))
		doctor_add(doctor, FINDING_PROBLEM, "space", "remove what is not needed, or use another folder",
			   "%.1f MB and %llu files are free", free_bytes / 1e6, (unsigned long long)disk.f_favail);
	else
		doctor_add(doctor, FINDING_OK, "space", NULL, "%.1f GB free", free_bytes / 1e9);
}

static double since(const struct timespec *then, const struct timespec *now)
{
	return (double)(now->tv_sec - then->tv_sec) + (double)(now->tv_nsec - then->tv_nsec) * 1e-9;
}

/* Whether a worker elsewhere lives is told by the ages of files. */
static void look_at_clock(struct doctor *doctor, const char *folder)
{
	char *path = mb_path_join(folder, "clock");
	struct timespec before, after;
	struct stat file;
	double early, late, skew;
	int fd;

	clock_gettime(CLOCK_REALTIME, &before);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0 && write(fd, "x", 1) == 1 && fsync(fd) == 0 && fstat(fd, &file) == 0) {
		clock_gettime(CLOCK_REALTIME, &after);
		/* Kernels stamp files by a clock that ticks, so a little early. */
		early = since(&before, &file.st_mtim);
		late = since(&after, &file.st_mtim);
		skew = early < 0 ? early : late > 0 ? late : 0;
		if (fabs(skew) > SKEW_S)
			doctor_add(doctor, FINDING_PROBLEM, "clock", "have both set by NTP",
				   "the file system's clock is %.0f s "
				   "%s this machine's", fabs(skew), skew > 0 ? "ahead of" : "behind");
		else
			doctor_add(doctor, FINDING_OK, "clock", NULL, "the file system's agrees to %.1f s",
				   fabs(skew));
	} else {
		doctor_add(doctor, FINDING_PROBLEM, "clock", NULL, "%s: %s", path, strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	free(path);
}

/* It is made by start, not here. */
static void look_at_state(struct doctor *doctor)
{
	char *path = folder_state_path();

	if (!path)
		doctor_add(doctor, FINDING_PROBLEM, "state", "export HOME=FOLDER",
			   "neither XDG_STATE_HOME nor HOME is set to a path that begins with /, so no experiment could be found again");
	else if (access(path, W_OK) < 0 && errno != ENOENT)
		doctor_add(doctor, FINDING_PROBLEM, "state", "export XDG_STATE_HOME=FOLDER, one that you may write",
			   "%s cannot be written: %s", path, strerror(errno));
	else
		doctor_add(doctor, FINDING_OK, "state", NULL, "%s", path);
	free(path);
}

void doctor_files(struct doctor *doctor)
{
	char *wanted = mb_path_join(doctor->folder, ".mb-doctor"), *folder = mb_path_unique(wanted);
	struct mb_err ignored;

	if (mkdir(folder, 0700) < 0) {
		doctor_add(doctor, FINDING_PROBLEM, "folder", "put the experiment file where you may write",
			   "%s cannot be written: %s", doctor->folder, strerror(errno));
	} else {
		doctor_add(doctor, FINDING_OK, "folder", NULL, "%s can be written", doctor->folder);
		look_at_room(doctor, folder);
		look_at_clock(doctor, folder);
		look_at_locks(doctor, folder);
		folder_remove_tree(folder, &ignored);
	}
	free(folder);
	free(wanted);
	look_at_state(doctor);
}
