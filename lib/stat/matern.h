/* SPDX-License-Identifier: MIT
 *
 * The Matérn covariance of smoothness 5/2 with a length scale a dimension (automatic relevance determination), for rows
 * that mix numbers and categories. With s = sum_j w_j d_j, w_j = 1 / l_j^2, d_j = (x_j - y_j)^2 of a number and
 * [x_j != y_j] of a category (Hamming's distance),
 *
 *     k(s) = (1 + sqrt(5 s) + 5/3 s) exp(-sqrt(5 s)),     dk/ds = -5/6 (1 + sqrt(5 s)) exp(-sqrt(5 s)).
 *
 * Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), eq. 4.17 and 5.1.
 *
 * Points come by columns: coordinate j of point i is at x[j * ld + i], so that one row against many runs through memory.
 */
#ifndef MB_STAT_MATERN_H
#define MB_STAT_MATERN_H

#include <stddef.h>

/* s of `point` (dims) against each of n points. category: one flag a dimension. */
void mb_matern_distance(const double *x, size_t n, size_t ld, size_t dims, const unsigned char *category,
			const double *weight, const double *point, double *s);

/* k = amplitude * k(s), in place of s; and beside it slope = amplitude * dk/ds when slope is not NULL. */
void mb_matern_values(double *s, double *slope, size_t n, double amplitude);

/* The square of one dimension's distance, d_j of the above, of `at` against n coordinates. */
void mb_matern_part(const double *x, size_t n, int category, double at, double *d);

#endif
