/* SPDX-License-Identifier: MIT
 *
 * Errors: what went wrong, where, and what to do about it.
 *
 * A function that can fail returns 0 or -1 (or NULL) and fills a struct mb_err that its caller owns. lib never prints:
 * a tool turns the error into one line on stderr and ends with the error's exit code.
 *
 *     struct mb_err err;
 *     if (mb_file_read(path, &text, &err) < 0)
 *         return mb_tool_fail(tool, &err);          // mb-suggest: exp.yaml: No such file or directory (…)
 */
#ifndef MB_BASE_ERR_H
#define MB_BASE_ERR_H

#include <stddef.h>

/* Exit codes of every tool: a public contract, see mb(7). */
enum mb_exit {
	MB_EXIT_OK = 0,
	MB_EXIT_NO = 1,     /* the answer is "no": nothing found, nothing left */
	MB_EXIT_USAGE = 2,  /* command line or experiment file wrong */
	MB_EXIT_RECORD = 3, /* some input records were bad */
	MB_EXIT_SYSTEM = 4, /* system or I/O error, something needed is missing */
	MB_EXIT_CHILD = 5   /* a child or job could not be run */
};

struct mb_err {
	enum mb_exit code;
	char where[512]; /* "exp.yaml:12", "stdin:17", a path; may be empty */
	char what[1024]; /* "parameters[3].bounds.min: 0 is not > 0 (transformation: log)" */
	char hint[512];  /* what to type; may be empty */
};

/* Sets the error and returns -1. `where` may be NULL. */
int mb_err_set(struct mb_err *err, enum mb_exit code, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Sets "where: doing: strerror(errno)", code MB_EXIT_SYSTEM; returns -1. `doing` may be NULL. */
int mb_err_errno(struct mb_err *err, const char *where, const char *doing);

/* Adds the remedy to an error already set; returns -1. */
int mb_err_hint(struct mb_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Writes "where: what (hint)" into text, cut at size; returns text. */
char *mb_err_text(const struct mb_err *err, char *text, size_t size);

/* A list of errors, for checks that go on after the first. Zero-initialise; mb_errs_release frees. */
struct mb_errs {
	struct mb_err *at;
	size_t n, cap;
};

/* Appends a copy of err; returns -1, as mb_err_set does. */
int mb_errs_add(struct mb_errs *errs, const struct mb_err *err);
void mb_errs_release(struct mb_errs *errs);

#endif
