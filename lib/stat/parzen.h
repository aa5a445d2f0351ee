/* SPDX-License-Identifier: MIT
 *
 * A Parzen estimator: the density of points in the unit cube, as a mixture of one kernel a point and a flat one, the
 * prior. A kernel is a product over dimensions: of a number, a normal truncated to [0, 1]; of a category, a smoothed
 * count. What a point does not have (NaN) is flat there, and a dimension that is asked for as NaN is left out, which
 * makes it the marginal density: so conditional dimensions count where they are active.
 *
 *     struct mb_parzen good;
 *     mb_parzen_init(&good, dims, categories, rows, n);
 *     mb_parzen_draw(&good, &rng, u);
 *     score = mb_parzen_log(&good, u) - mb_parzen_log(&bad, u);
 *     mb_parzen_release(&good);
 *
 * After J. Bergstra, R. Bardenet, Y. Bengio and B. Kégl, "Algorithms for hyper-parameter optimization", NIPS 2011, and
 * S. Falkner, A. Klein and F. Hutter, "BOHB", ICML 2018 (joint kernels); the bandwidths are D. W. Scott's rate n^(-1/(d + 4)),
 * as S. Watanabe, "Tree-structured Parzen estimator", arXiv:2304.11127 (2023), compares them.
 */
#ifndef MB_STAT_PARZEN_H
#define MB_STAT_PARZEN_H

#include <stddef.h>

#include "base/base.h"

struct mb_parzen {
	size_t n, dims;           /* kernels, the prior not among them */
	const size_t *categories; /* per dimension: how many, 0 for a number; borrowed */
	double *weight;           /* n + 1, the sum 1; the last is the prior's */
	double *log_weight;       /* n + 1 */
	double *middle;           /* dims × n; NaN: the point does not have it */
	double *precision;        /* dims × n: 1 / bandwidth, 0 where flat */
	double *offset;           /* dims × n: log of what makes the kernel integrate to 1; for a category log p unless hit */
	double *width;            /* dims: bandwidth, or what a hit adds to the log of a category */
	double *sum;              /* n, scratch of mb_parzen_log */
	double *block;
};

/* rows: n pointers to dims coordinates in [0, 1] or NaN, the oldest first. The newest 25 count fully, older ones less and
 * less. A category c of k has the coordinate (c + 1/2) / k. */
void mb_parzen_init(struct mb_parzen *parzen, size_t dims, const size_t *categories, const double *const *rows,
		    size_t n);

/* A point of the density; u: dims, none is NaN. */
void mb_parzen_draw(const struct mb_parzen *parzen, struct mb_rng *rng, double *u);

/* The log of the density at u, a category's probability counted as density. */
double mb_parzen_log(const struct mb_parzen *parzen, const double *u);

void mb_parzen_release(struct mb_parzen *parzen);

#endif
