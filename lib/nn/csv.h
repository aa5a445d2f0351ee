/* SPDX-License-Identifier: MIT
 *
 * Comma-separated text, row by row (RFC 4180): fields in quotes may hold commas, line breaks and doubled quotes; lines end
 * with LF or CRLF; a byte order mark at the start and blank lines are passed over; blanks around a field without quotes are
 * not part of it. The whole file is held in memory, and can be gone through again.
 *
 *     if (mb_csv_open(&csv, path, &err) == 0)
 *         while ((more = mb_csv_row(&csv, &err)) > 0)
 *             … mb_csv_field(&csv, 0) … csv.n - 1 …
 *     mb_csv_close(&csv);
 */
#ifndef MB_NN_CSV_H
#define MB_NN_CSV_H

#include "base/base.h"

struct mb_csv {
	const char *path;     /* the caller's */
	struct mb_str text;
	size_t at;            /* in text: where the next row begins */
	size_t line, next;    /* lines, from 1: the row's first one; that of `at` */
	struct mb_str row;    /* the fields, each with its NUL */
	size_t *starts, cap;  /* in row */
	size_t n;             /* fields of the row */
};

/* -1: the file cannot be read, or holds a NUL byte (MB_EXIT_SYSTEM). */
int mb_csv_open(struct mb_csv *csv, const char *path, struct mb_err *err);
void mb_csv_close(struct mb_csv *csv); /* also after an error */
void mb_csv_rewind(struct mb_csv *csv);

/* 1: a row; 0: there are no more; -1: a quote that does not end, or text after one (MB_EXIT_SYSTEM, with line and column;
 * columns here are fields, from 1). */
int mb_csv_row(struct mb_csv *csv, struct mb_err *err);

/* Valid until the next row. */
const char *mb_csv_field(const struct mb_csv *csv, size_t i);

#endif
