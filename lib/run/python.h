/* SPDX-License-Identifier: MIT
 *
 * A Python interpreter with a user's module loaded, which forks for each trial: imports are paid once. Its program is
 * python_server.py, embedded, and given to `python3 -` on stdin.
 *
 *     struct mb_python python;
 *     if (mb_python_open(&python, "main.py", "train", folder, -1, &err) == 0) {
 *         struct mb_child child = {.python = &python, .input = request, …};      // run/child.h
 *         … mb_child_run, in any number of workers forked since …
 *         mb_python_close(&python);
 *     }
 *
 * The request is {"argument": {…}, "metric": name of a bare number, "seed": …}: the function is called with
 * `argument`. The answer is one object: `metrics`, and where there are any `metrics_stddev` and `metadata`; or
 * `status` failed and `error`.
 *
 * A worker asks with one datagram: "T", the variables of the environment, each with a NUL at its end, and five
 * descriptors: request, answer, stderr, control, leash. On control come the child's number, and once it ended its
 * status as waitpid has it; its zombie stays until control is closed. The leash is a pipe that nobody writes to:
 * its hang-up kills the group.
 */
#ifndef MB_RUN_PYTHON_H
#define MB_RUN_PYTHON_H

#include <sys/types.h>

#include "base/base.h"

struct mb_python {
	pid_t pid; /* 0: not running */
	int fd;    /* -1: not running */
};

/* Runs python3 in `folder` and has it load `entry`; what it prints goes to stderr. Waits until that is done. 1: it
 * was not, as a signal that asks for a stop came (run/signals.h; it is not taken) or the other end of `output` went
 * away (-1: nobody's). -1: no python3, or the module cannot be loaded, or lacks the function (MB_EXIT_CHILD,
 * err->what is Python's last line). */
int mb_python_open(struct mb_python *python, const char *entry, const char *function, const char *folder, int output,
		   struct mb_err *err);

/* Sends one request for a child; `fds` as above. 0, or -1: the interpreter is gone. */
int mb_python_fork(const struct mb_python *python, char *const *variables, const int fds[5]);

void mb_python_close(struct mb_python *python); /* ends it at once */

#endif
