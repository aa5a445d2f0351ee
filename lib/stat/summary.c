/* SPDX-License-Identifier: MIT */
#include "stat/summary.h"

#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double mb_quantile(const double *sorted, size_t n, double p)
{
	double at;
	size_t below;

	if (n == 0)
		return NAN;
	at = p * (double)(n - 1);
	below = (size_t)at;
	if (below + 1 >= n)
		return sorted[n - 1];
	return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

struct mb_summary mb_summary_of(double *values, size_t n)
{
	struct mb_summary summary = {.n = n};

	if (n)
		qsort(values, n, sizeof *values, ascending);
	for (size_t i = 0; i < n; i++) /* ascending: the small ones are not lost beside the large */
		summary.sum += values[i];
	summary.median = mb_quantile(values, n, 0.5);
	summary.p95 = mb_quantile(values, n, 0.95);
	return summary;
}
