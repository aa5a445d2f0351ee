/* SPDX-License-Identifier: MIT */
#include "stat/linalg.h"

#include <math.h>
#include <string.h>

#include "stat/wide.h"

enum { LANES = 8 };

/* Eight partial sums, so that the order is the same for every vector width. */
MB_WIDE double mb_dot(const double *restrict a, const double *restrict b, size_t n)
{
	double part[LANES] = {0}, rest = 0;
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
		for (size_t lane = 0; lane < LANES; lane++)
			part[lane] += a[i + lane] * b[i + lane];
	for (; i < n; i++)
		rest += a[i] * b[i];
	return ((part[0] + part[4]) + (part[1] + part[5])) + ((part[2] + part[6]) + (part[3] + part[7])) + rest;
}

MB_WIDE static void subtract(double *restrict to, const double *restrict from, double times, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] -= times * from[i];
}

MB_WIDE static void add(double *restrict to, const double *restrict from, double times, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] += times * from[i];
}

int mb_cholesky_append(double *l, size_t n, size_t ld)
{
	double *row = l + n * ld, pivot;

	for (size_t j = 0; j < n; j++)
		row[j] = (row[j] - mb_dot(row, l + j * ld, j)) / l[j * ld + j];
	pivot = row[n] - mb_dot(row, row, n);
	if (!(pivot > 0) || !isfinite(pivot))
		return -1;
	row[n] = sqrt(pivot);
	return 0;
}

int mb_cholesky(double *a, size_t n, size_t ld)
{
	for (size_t i = 0; i < n; i++)
		if (mb_cholesky_append(a, i, ld) < 0)
			return -1;
	return 0;
}

void mb_solve_lower(const double *l, size_t n, size_t ld, double *b)
{
	for (size_t i = 0; i < n; i++)
		b[i] = (b[i] - mb_dot(l + i * ld, b, i)) / l[i * ld + i];
}

void mb_solve_upper(const double *l, size_t n, size_t ld, double *b)
{
	for (size_t i = n; i-- > 0;) {
		b[i] /= l[i * ld + i];
		subtract(b, l + i * ld, b[i], i);
	}
}

void mb_solve_lower_many(const double *l, size_t n, size_t ld, double *b, size_t m, size_t ldb)
{
	for (size_t i = 0; i < n; i++) {
		const double *row = l + i * ld;
		double *to = b + i * ldb;

		for (size_t j = 0; j < i; j++)
			subtract(to, b + j * ldb, row[j], m);
		for (size_t k = 0; k < m; k++)
			to[k] /= row[i];
	}
}

/* First scratch = L^-1 row by row, then the product of its transpose with itself, one rank at a time. */
void mb_cholesky_inverse(const double *l, size_t n, size_t ld, double *inverse, double *scratch)
{
	for (size_t i = 0; i < n; i++) {
		double *row = scratch + i * n, over = 1 / l[i * ld + i];

		memset(row, 0, i * sizeof *row);
		for (size_t j = 0; j < i; j++)
			subtract(row, scratch + j * n, l[i * ld + j], j + 1);
		for (size_t j = 0; j < i; j++)
			row[j] *= over;
		row[i] = over;
	}
	memset(inverse, 0, n * n * sizeof *inverse);
	for (size_t k = 0; k < n; k++) {
		const double *row = scratch + k * n;

		for (size_t i = 0; i <= k; i++)
			add(inverse + i * n, row, row[i], i + 1);
	}
}
