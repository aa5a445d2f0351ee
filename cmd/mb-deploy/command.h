/* SPDX-License-Identifier: MIT
 *
 * A program run to its end, without a shell and without a terminal: git, rsync, ws_allocate, sbatch. Values are
 * arguments, never text that somebody interprets. What it says is kept, and its last lines are the error when it
 * fails.
 *
 *     char *argv[] = {"ws_find", "-F", filesystem, "--", name, NULL};
 *     struct command command = {.argv = argv, .limit_s = 60};
 *     if (command_run(&command, &err) == 0)
 *         … command.out.at …
 *     command_release(&command);
 */
#ifndef MB_DEPLOY_COMMAND_H
#define MB_DEPLOY_COMMAND_H

#include "base/base.h"

enum { COMMAND_KEEPS = 1 << 20 }; /* bytes of each stream that are kept at least, the last ones */

struct command {
	char *const *argv;      /* NULL-terminated; argv[0] is looked for in PATH */
	const char *folder;     /* working directory; NULL: this one */
	char *const *environment; /* the whole of it, PATH too; NULL: this process's */
	char *const *variables; /* NULL-terminated; "NAME=value" is set, "NAME" unset; or NULL */
	const char *log;        /* its words and what it says are appended there, as it comes; NULL: nowhere */
	int out_is_private;     /* but not stdout */
	double limit_s;         /* killed after so long; 0: never */

	/* Set by command_run. */
	int status;             /* its exit code, 128 + the signal that ended it; 127: there is no such program */
	int timed_out, stopped; /* stopped: this process heard a signal (mb_signals_open) and ended it */
	struct mb_str out, err; /* the ends of its stdout and stderr; NUL-terminated */
};

/* 0 when it ended with 0. -1 with err: "rsync: ended with 23: its last lines" (MB_EXIT_SYSTEM; status is set), or
 * it could not be run at all. */
int command_run(struct command *command, struct mb_err *err);
void command_release(struct command *command);

/* The last `most` lines of what it said that are not empty, on one line ("a / b"); the caller frees. */
char *command_words(const struct command *command, size_t most);

/* The program's path, by PATH or as it is when it holds a slash; NULL when there is none. The caller frees. */
char *command_find(const char *program);

/* The same in the PATH of an environment; NULL: this process's. */
char *command_find_in(char *const *environment, const char *program);

/* The value of a variable there, or NULL. */
const char *command_variable(char *const *environment, const char *name);

#endif
