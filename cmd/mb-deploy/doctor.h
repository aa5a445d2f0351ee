/* SPDX-License-Identifier: MIT
 *
 * doctor: what a search needs here, looked at one by one. Each check adds one line: what was looked at, how it
 * stands, and for what is wrong, what to do.
 */
#ifndef MB_DEPLOY_DOCTOR_H
#define MB_DEPLOY_DOCTOR_H

#include "deploy.h"

enum finding_kind {
	FINDING_OK,
	FINDING_NOTE, /* not there, and not needed */
	FINDING_PROBLEM
};

struct finding {
	enum finding_kind kind;
	const char *check; /* "locks" */
	char *what, *remedy; /* remedy may be NULL */
};

struct doctor {
	struct mb_tool *tool;
	const struct mb_experiment *experiment; /* NULL: no file */
	const struct profile *profile;
	const char *folder; /* that the experiment's folder will lie in */
	int on_slurm, nodes;
	struct finding *findings;
	size_t n, cap;
};

/* `remedy` may be NULL. */
void doctor_add(struct doctor *doctor, enum finding_kind kind, const char *check, const char *remedy,
		const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* An error as a problem, its hint as the remedy. */
void doctor_add_err(struct doctor *doctor, const char *check, const struct mb_err *err);

/* ---- doctor_files.c: the file system ---- */
void doctor_files(struct doctor *doctor);

/* One of several processes that count together under a lock; 0, or the exit code. For `mb-deploy doctor` of two
 * nodes. */
int doctor_count(struct mb_tool *tool, const char *what);

/* What `processes` of them left in `path`: 1 when nothing was lost; *sum: what there is, *meant: what should be. */
int doctor_counted(const char *path, int processes, int64_t *sum, int64_t *meant);

/* ---- doctor_slurm.c ---- */
void doctor_slurm(struct doctor *doctor);

#endif
