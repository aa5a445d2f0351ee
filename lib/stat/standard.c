/* SPDX-License-Identifier: MIT */
#include "stat/standard.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "stat/summary.h"

static int by_size(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double draw_in(double t)
{
	return t > MB_FAR ? MB_FAR * (2 - MB_FAR / t) : t;
}

/* The median, and what is held to be an ordinary distance from it: the interquartile range or, when half of the values are
 * equal, the most. */
static double find_range(const double *y, size_t n, double *median)
{
	double *sorted = mb_alloc((n + 1) * sizeof *sorted), range, most;

	memcpy(sorted, y, n * sizeof *y);
	qsort(sorted, n, sizeof *sorted, by_size);
	*median = mb_quantile(sorted, n, 0.5);
	range = mb_quantile(sorted, n, 0.75) - mb_quantile(sorted, n, 0.25);
	most = fmax(sorted[n - 1] - *median, *median - sorted[0]);
	free(sorted);
	return range > 0 ? range : most;
}

double mb_standardise(double *y, size_t n)
{
	double large = 0, median, range, mean = 0, square = 0, deviation;

	for (size_t i = 0; i < n; i++)
		large = fmax(large, fabs(y[i]));
	large = large > 0 ? large : 1; /* so that no square is beyond a double */
	for (size_t i = 0; i < n; i++)
		y[i] /= large;
	range = n ? find_range(y, n, &median) : 0;
	if (!(range > 0)) {
		memset(y, 0, n * sizeof *y);
		return large;
	}
	for (size_t i = 0; i < n; i++) {
		y[i] = draw_in((y[i] - median) / range);
		mean += y[i] / (double)n;
	}
	for (size_t i = 0; i < n; i++)
		square += (y[i] - mean) * (y[i] - mean) / (double)n;
	deviation = sqrt(square);
	for (size_t i = 0; i < n; i++)
		y[i] = (y[i] - mean) / deviation;
	return large * range * deviation;
}
