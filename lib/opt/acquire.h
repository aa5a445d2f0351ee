/* SPDX-License-Identifier: MIT
 *
 * Within the room: the point of the space where an acquisition is largest, by a search that any model can use: points drawn
 * over the whole space, mutations of the best trials on three scales, every change of one category of theirs; then the best
 * of these are climbed from. A space of few points is looked at whole. Nothing seen, and nothing that breaks a linear
 * constraint, is ever returned.
 *
 *     struct mb_acquire acquire = {.history = history, .rows = &rows, .score = log_ei, .context = &model};
 *     acquire.base = best; acquire.n_base = 5;              // coordinates of the best trials, the best first
 *     json_t *assignments = mb_acquire(&acquire, &rng);     // NULL: no unseen point was met
 */
#ifndef MB_OPT_ACQUIRE_H
#define MB_OPT_ACQUIRE_H

#include "opt/rows.h"

/* How promising each of m rows is (m × dims, row-major), more is better; any finite scale, -INFINITY for never. */
typedef void mb_score(const void *context, const double *rows, size_t m, double *score);

/* The score of one row and its derivatives by the coordinates of rows->continuous dimensions; others are not read. */
typedef double mb_score_gradient(const void *context, const double *row, double *by_row);

struct mb_acquire {
	const struct mb_history *history;
	const struct mb_rows *rows;
	mb_score *score;
	mb_score_gradient *gradient; /* NULL: climb by mutations alone */
	const void *context;         /* of both */
	const double *const *base;   /* n_base pointers to settled coordinates, NaN where inactive */
	size_t n_base;
	int brief;                   /* 1: a quarter of the points, for models that are slow to ask */
};

json_t *mb_acquire(const struct mb_acquire *acquire, struct mb_rng *rng);

#endif
