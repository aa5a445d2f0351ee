/* SPDX-License-Identifier: MIT
 *
 * Expected hypervolume improvement, exactly: the space that a front leaves undominated below the reference is cut
 * into boxes, and in each of them the expectation is a product of one-dimensional ones. Less is better in all m
 * objectives, which are independent normals.
 *
 *     mb_boxes_init(&boxes, points, n, m, reference);
 *     score = mb_log_ehvi(&boxes, mean, sd);
 *     mb_boxes_release(&boxes);
 *
 * The boxes are those of R. Lacour, K. Klamroth and C. M. Fonseca, "A box decomposition algorithm to compute the
 * hypervolume indicator", Computers & Operations Research 79 (2017), eq. 7; for two objectives, the strips between
 * neighbours. The sum over boxes of the products of E[(u - max(y, l))+] is M. Emmerich, K. Yang and A. Deutz's,
 * "Infill criteria for multiobjective Bayesian optimization" (2020), and S. Daulton, M. Balandat and E. Bakshy's,
 * NeurIPS 2020, eq. 5 for one point.
 */
#ifndef MB_STAT_EHVI_H
#define MB_STAT_EHVI_H

#include <stddef.h>

struct mb_boxes {
	size_t n, m;
	double *low, *high; /* n × m; low may be -INFINITY */
};

/* points: n × m, those not below the reference in all objectives do not count. */
void mb_boxes_init(struct mb_boxes *boxes, const double *points, size_t n, size_t m, const double *reference);
void mb_boxes_release(struct mb_boxes *boxes);

/* The log of the expected improvement at mean and sd (m each, sd > 0): finite however small it is. */
double mb_log_ehvi(const struct mb_boxes *boxes, const double *mean, const double *sd);

#endif
