/* SPDX-License-Identifier: MIT
 *
 * The parts of mb-time: a command run and measured (wrap.c), the span file's lines (span.c), and what they add up to
 * (report.c).
 */
#ifndef MB_TIME_SPAN_H
#define MB_TIME_SPAN_H

#include <sys/resource.h>

#include "tool.h"

/* One run of a command. */
struct span {
	const char *phase;
	char **argv;
	char id[17], trace[33], parent[17]; /* hexadecimal; parent empty for none */
	double start_s, seconds;            /* Unix time; duration */
	struct rusage used;                 /* by the command and those of its children that it waited for */
	int exit, signal;                   /* the exit status, or the signal that ended it (0: none) */
};

/* Names the span, after TRACEPARENT where that holds one, and sets TRACEPARENT to it for the children. */
void span_name(struct span *span);

/* Appends one line to the span file: "begin", or "span" with what was measured. 0, or -1 with err. */
int span_append(const struct span *span, const char *event, const char *path, struct mb_err *err);

/* Runs the command and appends its two lines to `path`. SIGPIPE is given back to it as `sigpipe` says (SIG_DFL or SIG_IGN).
 * Returns the exit status to end with, or does not return: ends by the signal that ended the command. */
int wrap(struct mb_tool *tool, const char *phase, const char *path, char **argv, void (*sigpipe)(int));

/* Prints what the spans in these files add up to, per phase. Returns the exit code. */
int report(struct mb_tool *tool, char **paths, size_t n, int json);

#endif
