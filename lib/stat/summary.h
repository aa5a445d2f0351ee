/* SPDX-License-Identifier: MIT
 *
 * A few numbers that stand for many: for tables of times.
 *
 *     struct mb_summary times = mb_summary_of(seconds, n);     // sorts seconds
 *     printf("%g of %g\n", times.p95, times.sum);
 */
#ifndef MB_STAT_SUMMARY_H
#define MB_STAT_SUMMARY_H

#include <stddef.h>

struct mb_summary {
	size_t n;
	double sum, median, p95; /* NaN for n = 0, but the sum */
};

/* Sorts values in place. */
struct mb_summary mb_summary_of(double *values, size_t n);

/* The p-quantile of n ascending values, 0 <= p <= 1, by linear interpolation between order statistics: definition 7 of
 * Hyndman and Fan, Sample Quantiles in Statistical Packages (1996), the default of R and NumPy. NaN for n = 0. */
double mb_quantile(const double *sorted, size_t n, double p);

#endif
