/* SPDX-License-Identifier: MIT
 *
 * render: the pipe of a worker as text for others to run: one target a file, listed in render.c. Values come from a
 * file that anyone may have written, so each is quoted for where it stands.
 */
#ifndef MB_DEPLOY_RENDER_H
#define MB_DEPLOY_RENDER_H

#include "deploy.h"

struct render {
	const struct mb_experiment *experiment;
	struct mb_tool *tool;
	char *file, *folder; /* absolute: the experiment file, and the folder beside it that start would make */
	char *name;          /* that folder's own: letters, digits, - and _ */
	int64_t workers, keep;
};

struct render_target {
	const char *name;
	int by_driver; /* as many workers as Slurm would get; else parallel_bandwidth, or one where `single` */
	int single;
	int (*print)(const struct render *render, struct mb_str *out, struct mb_err *err); /* 0 or -1 */
};

extern const struct render_target render_slurm, render_kubernetes, render_docker, render_apptainer;

/* A bash script: the pipe on this file and log, with a soft stop (checkpoints) on SIGTERM, SIGINT, SIGUSR1 and SIGUSR2. */
void render_pipe(struct mb_str *out, const char *file, const char *log, int64_t keep);

/* "# words" to the line's end, whatever the words hold. */
void render_comment(struct mb_str *out, const char *words);

/* In double quotes with JSON's escapes: also for YAML and for the list form of a Dockerfile's CMD. */
void render_json(struct mb_str *out, const char *text);

/* Debian's packages for building and for running, in one line each. */
extern const char render_build_packages[], render_run_packages[];

#endif
