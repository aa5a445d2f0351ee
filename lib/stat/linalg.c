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

/* Four dot products with the same a: its elements are read once, and four sums do not wait for each other. */
MB_WIDE static void dot_4(const double *restrict a, const double *restrict b, size_t ld, size_t n, double *restrict dot)
{
	double part[4][LANES] = {{0}}, rest[4] = {0};
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
		for (size_t lane = 0; lane < LANES; lane++) {
			part[0][lane] += a[i + lane] * b[i + lane];
			part[1][lane] += a[i + lane] * b[ld + i + lane];
			part[2][lane] += a[i + lane] * b[2 * ld + i + lane];
			part[3][lane] += a[i + lane] * b[3 * ld + i + lane];
		}
	for (; i < n; i++)
		for (size_t r = 0; r < 4; r++)
			rest[r] += a[i] * b[r * ld + i];
	for (size_t r = 0; r < 4; r++)
		dot[r] = ((part[r][0] + part[r][4]) + (part[r][1] + part[r][5])) +
			 ((part[r][2] + part[r][6]) + (part[r][3] + part[r][7])) + rest[r];
}

MB_WIDE static void subtract(double *restrict to, const double *restrict from, double times, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] -= times * from[i];
}

/* to -= sum_r times_r * row r of from: four rows for one reading and writing of `to`. */
MB_WIDE static void subtract_4(double *restrict to, const double *restrict from, size_t ld, const double *restrict times,
			       size_t n)
{
	const double a = times[0], b = times[1], c = times[2], d = times[3];

	for (size_t i = 0; i < n; i++)
		to[i] -= (a * from[i] + b * from[ld + i]) + (c * from[2 * ld + i] + d * from[3 * ld + i]);
}

int mb_cholesky_append(double *l, size_t n, size_t ld)
{
	double *row = l + n * ld, pivot, dot[4];
	size_t j = 0;

	for (; j + 4 <= n; j += 4) {
		const double *block = l + j * ld;

		dot_4(row, block, ld, j, dot);
		for (size_t r = 0; r < 4; r++) {
			double sum = dot[r];

			for (size_t k = 0; k < r; k++)
				sum += row[j + k] * block[r * ld + j + k];
			row[j + r] = (row[j + r] - sum) * (1 / block[r * ld + j + r]); /* divided while waiting */
		}
	}
	for (; j < n; j++)
		row[j] = (row[j] - mb_dot(row, l + j * ld, j)) * (1 / l[j * ld + j]);
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
		size_t j = 0;

		for (; j + 4 <= i; j += 4)
			subtract_4(to, b + j * ldb, ldb, row + j, m);
		for (; j < i; j++)
			subtract(to, b + j * ldb, row[j], m);
		for (size_t k = 0; k < m; k++)
			to[k] /= row[i];
	}
}

/* rows = L^-1, lower triangle, stride n; above the diagonal 0 within each four rows. */
static void invert_factor(const double *l, size_t n, size_t ld, double *rows)
{
	memset(rows, 0, n * n * sizeof *rows);
	for (size_t i = 0; i < n; i++) {
		double *row = rows + i * n, over = 1 / l[i * ld + i];
		size_t j = 0;

		for (; j + 4 <= i; j += 4)
			subtract_4(row, rows + j * n, n, l + i * ld + j, j + 4);
		for (; j < i; j++)
			subtract(row, rows + j * n, l[i * ld + j], j + 1);
		for (j = 0; j < i; j++)
			row[j] *= over;
		row[i] = over;
	}
}

/* The product of L^-1' with L^-1, four ranks at a time. */
void mb_cholesky_inverse(const double *l, size_t n, size_t ld, double *inverse, double *scratch)
{
	invert_factor(l, n, ld, scratch);
	memset(inverse, 0, n * n * sizeof *inverse);
	for (size_t k = 0; k < n; k += 4) {
		size_t ranks = n - k < 4 ? n - k : 4;

		for (size_t i = 0; i < k + ranks; i++) {
			double times[4];

			for (size_t r = 0; r < ranks; r++)
				times[r] = -scratch[(k + r) * n + i];
			if (ranks == 4)
				subtract_4(inverse + i * n, scratch + k * n, n, times, i + 1);
			else
				for (size_t r = 0; r < ranks; r++)
					subtract(inverse + i * n, scratch + (k + r) * n, times[r], i + 1);
		}
	}
}
