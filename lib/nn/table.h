/* SPDX-License-Identifier: MIT
 *
 * A table out of files, before it is made inputs and labels of a network: cells that are numbers or one of a column's
 * words. From .csv text with or without a line of names, from .npy arrays, or from a pair x.npy and y.npy. A second file,
 * of the same columns, is the test part: its rows follow the first one's.
 */
#ifndef MB_NN_TABLE_H
#define MB_NN_TABLE_H

#include <stddef.h>

#include "base/base.h"

enum { MB_WORDS_MAX = 100 }; /* different words of a column that is not the label */

struct mb_column {
	char *name;            /* as in the first line; without one its number, from 1 */
	int text;              /* its cells are words, else numbers */
	char **words;          /* of a text column, in the order of strcmp */
	size_t n_words;
	size_t odd_line;       /* where the first cell stands that is no number; 0: there is none */
	char *odd;             /* that cell */
};

struct mb_table {
	struct mb_column *columns;
	size_t n_columns, label; /* the label's place */
	size_t n_rows, n_train;  /* of both files; of the first one */
	double *cells;           /* n_rows x n_columns: the number, or which of the words; NaN: missing */
	char *files[2];          /* the second one NULL where there is none */
	size_t *lines;           /* n_rows: where the row begins; in an array the row itself, from 1 */
};

/* Whether a path names a table rather than a folder of images: a file that ends in .csv or .npy, or a folder with x.npy and
 * y.npy. */
int mb_table_is(const char *path);

/* test, label: NULL: none; the last column. -1: no such file or column, rows of other lengths, a column of too many words,
 * a label that is missing (file, line and column; MB_EXIT_SYSTEM, for `label` MB_EXIT_USAGE). */
int mb_table_read(struct mb_table *table, const char *path, const char *test, const char *label, struct mb_err *err);
void mb_table_release(struct mb_table *table);

/* "data.csv:12:3": where a cell stands; column: from 0. The caller frees. */
char *mb_table_where(const struct mb_table *table, size_t row, size_t column);

#endif
