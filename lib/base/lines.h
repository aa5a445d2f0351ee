/* SPDX-License-Identifier: MIT
 *
 * Lines of a pipe or file, numbered from 1, as they come: for NDJSON.
 *
 *     struct mb_lines in;
 *     mb_lines_init(&in, STDIN_FILENO);
 *     while (mb_lines_next(&in, &line) == MB_LINE) …      // blocks for more
 *
 * With mb_lines_fill and mb_lines_buffered a program that polls several descriptors reads without blocking.
 */
#ifndef MB_BASE_LINES_H
#define MB_BASE_LINES_H

#include <stddef.h>

#include "base/str.h"

enum mb_line_result { MB_LINE, MB_LINE_NONE, MB_LINE_END, MB_LINE_ERROR };

struct mb_line {
	char *text;    /* without the newline, NUL-terminated, valid until the next call on the reader */
	size_t n;      /* bytes; the text may hold NUL bytes */
	size_t number; /* 1, 2, … */
	int whole;     /* 0: the last line, without a newline */
};

struct mb_lines {
	int fd;
	struct mb_str buffer;
	size_t at;      /* start of what is not yet handed out */
	size_t scanned; /* no newline before here */
	size_t number;
	int end;        /* read returned 0 */
	int error;      /* errno of a failed read */
};

void mb_lines_init(struct mb_lines *lines, int fd);

/* One read(2); MB_LINE when bytes came, else MB_LINE_END, MB_LINE_ERROR, or MB_LINE_NONE (EAGAIN, EINTR). */
enum mb_line_result mb_lines_fill(struct mb_lines *lines);

/* The next line already in memory: MB_LINE, MB_LINE_NONE (read more), MB_LINE_END or MB_LINE_ERROR. */
enum mb_line_result mb_lines_buffered(struct mb_lines *lines, struct mb_line *line);

/* The next line, reading as needed: never MB_LINE_NONE on a blocking descriptor, unless a signal came. */
enum mb_line_result mb_lines_next(struct mb_lines *lines, struct mb_line *line);

/* 1 when the line holds blanks alone. */
int mb_line_is_blank(const struct mb_line *line);

void mb_lines_release(struct mb_lines *lines); /* does not close fd */

#endif
