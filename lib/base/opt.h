/* SPDX-License-Identifier: MIT
 *
 * Command-line options from one table, which also makes the help text: so the two cannot disagree, and the help shows
 * the live defaults.
 *
 *     int jobs = 2;
 *     struct mb_opt table[] = {
 *         {'j', "jobs", MB_OPT_INT, &jobs, "JOBS", "trials at once", .min = 1, .max = 4096},
 *         {0}};
 *     if (mb_opt_parse(table, argc, argv, &rest, &err) < 0) …
 *
 * Long options may be cut short while they stay unique, take their value as "--name=value" or "--name value", and stop
 * at "--". Options and operands may be mixed unless `stop_at_operand` (mb-time: the rest is the command's).
 */
#ifndef MB_BASE_OPT_H
#define MB_BASE_OPT_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum mb_opt_kind {
	MB_OPT_FLAG,     /* to: int, set to 1 */
	MB_OPT_INT,      /* to: int64_t, held to [min, max] */
	MB_OPT_NUMBER,   /* to: double, held to [min, max] */
	MB_OPT_TEXT,     /* to: const char * */
	MB_OPT_TEXTS,    /* to: struct mb_opt_texts, repeatable */
	MB_OPT_MAYBE,    /* to: const char *; the value may be left out ("--gpu", "--gpu=0,1"): then "" */
	MB_OPT_UNBUILT   /* known, but not built in yet: a usage error that says so; not in the help text */
};

struct mb_opt_texts {
	const char **at; /* into argv; the caller frees the array */
	size_t n, cap;
};

struct mb_opt {
	char letter;      /* 0: none */
	const char *name; /* NULL ends the table */
	enum mb_opt_kind kind;
	void *to;
	const char *arg;  /* "FILE"; NULL for flags */
	const char *help;
	double min, max;           /* for numbers; both 0: any */
	const char *const *words;  /* for texts: NULL-terminated allowed values, or NULL */
	int *given;                /* set to 1 when the option was given; may be NULL */
};

/* Parses argv[1…]. Operands are moved to the end of argv in order; *rest is the index of the first. Errors are usage
 * errors (exit 2) that name the option, the value and what was expected. */
int mb_opt_parse(const struct mb_opt *table, int stop_at_operand, int argc, char **argv, int *rest, struct mb_err *err);

/* Appends one line an option, aligned, with the default that the target holds now. */
void mb_opt_help(const struct mb_opt *table, struct mb_str *text);

#endif
