/* SPDX-License-Identifier: MIT
 *
 * What the six tools share as programs: the common options, where the experiment file and the log are, words on stderr,
 * and the last check that stdout closed cleanly.
 *
 *     int main(int argc, char **argv)
 *     {
 *         struct mb_tool tool = {.name = "mb-collect", .synopsis = "[-l LOG]", .about = "append records to the log"};
 *         int rest, status = mb_tool_start(&tool, table, argc, argv, &rest);
 *         if (status >= 0)
 *             return status;                       // --help, --version or a wrong option
 *         …
 *         return mb_tool_end(&tool, status);
 *     }
 */
#ifndef MB_CMD_TOOL_H
#define MB_CMD_TOOL_H

#include "data/data.h"

struct mb_tool {
	const char *name, *synopsis, *about; /* about: one line for --help */
	int stop_at_operand;                 /* the operands are a command's (mb-time) */
	const char *(*blas)(void);           /* names the BLAS for --version; NULL: the tool needs none */

	/* Set by mb_tool_start. */
	const char *experiment_path; /* -e, else $MB_EXPERIMENT, else experiment.yaml */
	const char *log_option;      /* -l, else $MB_LOG, else NULL */
	int quiet, verbose;
	int stdout_gone;             /* the reader of stdout went away */
};

/* Ignores SIGPIPE and parses: the tool's own table and the common options -e -l -q -v -h --version. Returns -1 to go on,
 * else the exit code to end with. *rest: index of the first operand in argv. */
int mb_tool_start(struct mb_tool *tool, const struct mb_opt *table, int argc, char **argv, int *rest);

/* The experiment file, checked, its folder that from which its relative paths begin: the file's own, but for the copy in a
 * folder of mb-deploy, which has code, commit and environment too; that environment is entered (PATH). Else `commit` is
 * $MB_COMMIT. NULL after every mistake was printed (end with MB_EXIT_USAGE). */
struct mb_experiment *mb_tool_experiment(struct mb_tool *tool);

/* Path of the log: the option, else trials.ndjson beside the experiment file. The caller frees. */
char *mb_tool_log_path(const struct mb_tool *tool, const struct mb_experiment *experiment);

/* Folder of caches, $XDG_CACHE_HOME/mb, else $HOME/.cache/mb; NULL where neither is set. The caller frees. */
char *mb_tool_cache(void);

/* One line on stderr, "mb-x: …": always; not with -q; only with -v. */
void mb_tool_warn(const struct mb_tool *tool, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void mb_tool_say(const struct mb_tool *tool, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void mb_tool_detail(const struct mb_tool *tool, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prints the error; returns its exit code. */
int mb_tool_fail(const struct mb_tool *tool, const struct mb_err *err);

/* Writes to stdout at once. 0, or -1: the reader is gone (tool->stdout_gone) or the write failed (printed). */
int mb_tool_write(struct mb_tool *tool, const void *bytes, size_t n);
int mb_tool_put(struct mb_tool *tool, const json_t *record); /* one record, one line */

/* Closes stdout; returns status, or MB_EXIT_SYSTEM when what was written could not be kept (full disk). */
int mb_tool_end(struct mb_tool *tool, int status);

#endif
