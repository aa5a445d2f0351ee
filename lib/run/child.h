/* SPDX-License-Identifier: MIT
 *
 * A user's command or Python function, run to its end in a process group of its own, of which nothing is left
 * afterwards. Its stdin is fed, the tail of its stdout is kept, its stderr passes through. A signal that asks this
 * process to stop is forwarded to the group once; what has not ended `grace_s` later, or past its time limit, is
 * killed; so is at once a group that needs more memory than its limit.
 *
 * To be called in a worker of a pool made with `keeps` (run/pool.h): it reads that worker's signals, and watches its
 * link, so that the group dies with the program even when that is killed with -9.
 *
 *     struct mb_child child = {.shell = "python3 train.py", .folder = ".", .grace_s = 10};
 *     if (mb_child_run(&child, link, &err) < 0) …          // it could not be started
 *     if (WIFEXITED(child.status)) …
 *     mb_child_release(&child);
 */
#ifndef MB_RUN_CHILD_H
#define MB_RUN_CHILD_H

#include <stdint.h>

#include "run/pool.h"
#include "run/python.h"

enum { MB_CHILD_KEEPS = 1 << 20 }; /* bytes of stdout that are kept at least, the last ones */

struct mb_child {
	char *const *argv;       /* NULL-terminated; or NULL and */
	const char *shell;       /* a text for /bin/sh -c; or NULL and */
	const struct mb_python *python; /* an interpreter that forks it: `input` is its request, `output` its answer */
	const char *folder;      /* working directory; an interpreter has its own */
	char *const *variables;  /* "NAME=value", NULL-terminated, added to the environment */
	const char *input;       /* what stdin reads; NULL: nothing */
	size_t n_input;
	double timeout_s, grace_s; /* timeout 0: none */
	int64_t memory_limit;    /* bytes of the group, looked at ten times a second; 0: none */

	/* Set by mb_child_run. */
	pid_t pid;
	int status;              /* of waitpid */
	int forwarded;           /* the signal that was passed on, 0: none */
	int timed_out;
	int64_t memory;          /* bytes that were too much; 0: they were not */
	double start_s, seconds; /* Unix seconds of the start, duration */
	struct mb_str output;    /* the last of its stdout; NUL-terminated once used */
	char last_words[256];    /* last line of its stderr that is not empty, cut */
};

/* 0 when it ran, however it ended. -1 when the program could not be executed or its interpreter is gone
 * (MB_EXIT_CHILD) or a system call failed (MB_EXIT_SYSTEM). Does not return when the parent is gone. */
int mb_child_run(struct mb_child *child, struct mb_link *link, struct mb_err *err);
void mb_child_release(struct mb_child *child);

#endif
