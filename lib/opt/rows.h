/* SPDX-License-Identifier: MIT
 *
 * Within the room: points of the space as rows that a model with distances can take. One coordinate a dimension, in the
 * order of mb_space_locate: a number in [0, 1] (an integer the middle of its cell, a value of a grid where it lies between
 * the grid's ends, in logarithms with transformation: log), a category its index; what is inactive stands in the middle,
 * at 1/2 or index 0, so that its distance to itself is 0 and the conditional's own dimension tells branches apart.
 *
 *     mb_rows_init(&rows, space);
 *     mb_rows_put(&rows, &history->u[i * rows.dims], row);
 *     mb_rows_release(&rows);
 */
#ifndef MB_OPT_ROWS_H
#define MB_OPT_ROWS_H

#include "opt/opt.h"

struct mb_rows {
	const struct mb_space *space;
	size_t dims;
	unsigned char *category;   /* one flag a dimension */
	unsigned char *continuous; /* a double within bounds: its row is its coordinate */
	size_t *cells;             /* values of a categorical or a grid; 0: a range */
	double **place;            /* of a grid's values, in [0, 1]; NULL: no grid */
};

void mb_rows_init(struct mb_rows *rows, const struct mb_space *space);
void mb_rows_release(struct mb_rows *rows);

/* u: settled coordinates, NaN where inactive (mb_space_settle, history->u). */
void mb_rows_put(const struct mb_rows *rows, const double *u, double *row);

/* Equal for rows that agree to nine digits. */
uint64_t mb_rows_key(const struct mb_rows *rows, const double *row);

#endif
