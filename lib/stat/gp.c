/* SPDX-License-Identifier: MIT */
#include "stat/gp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "stat/linalg.h"
#include "stat/matern.h"

enum { BLOCK = 64 }; /* rows predicted at a time */

void mb_gp_init(struct mb_gp *gp, size_t dims, const unsigned char *category, size_t cap)
{
	double *at;

	*gp = (struct mb_gp){.dims = dims, .cap = cap, .category = category};
	at = gp->block = mb_alloc((dims * cap + cap * cap + 5 * cap + 2 * dims + 2) * sizeof *at);
	gp->x = at;
	gp->factor = at += dims * cap;
	gp->y = at += cap * cap;
	gp->noise = at += cap;
	gp->white = at += cap;
	gp->ones = at += cap;
	gp->alpha = at += cap;
	gp->theta = at += cap;
	gp->weight = at + dims + 2;
}

void mb_gp_release(struct mb_gp *gp)
{
	free(gp->block);
	*gp = (struct mb_gp){0};
}

void mb_gp_add(struct mb_gp *gp, const double *row, double y, double noise)
{
	for (size_t j = 0; j < gp->dims; j++)
		gp->x[j * gp->cap + gp->n] = row[j];
	gp->y[gp->n] = y;
	gp->noise[gp->n++] = noise;
}

void mb_gp_start(size_t dims, double *theta)
{
	for (size_t j = 0; j <= dims; j++)
		theta[j] = 0;
	theta[MB_GP_NOISE(dims)] = -8;
}

/* Row i, coordinates next to each other. */
static void row_of(const struct mb_gp *gp, size_t i, double *row)
{
	for (size_t j = 0; j < gp->dims; j++)
		row[j] = gp->x[j * gp->cap + i];
}

/* Covariances of a row with the first n. */
static void covariances(const struct mb_gp *gp, const double *row, size_t n, double *k, double *slope)
{
	mb_matern_distance(gp->x, n, gp->cap, gp->dims, gp->category, gp->weight, row, k);
	mb_matern_values(k, slope, n, exp(gp->theta[MB_GP_AMPLITUDE(gp->dims)]));
}

/* Row gp->factored goes into the factor. */
static int factor_row(struct mb_gp *gp, double *row)
{
	size_t i = gp->factored;
	double *l = gp->factor + i * gp->cap;

	row_of(gp, i, row);
	covariances(gp, row, i, l, NULL);
	l[i] = exp(gp->theta[MB_GP_AMPLITUDE(gp->dims)]) + exp(gp->theta[MB_GP_NOISE(gp->dims)]) + MB_GP_JITTER +
	       gp->noise[i];
	if (mb_cholesky_append(gp->factor, i, gp->cap) < 0)
		return -1;
	gp->white[i] = (gp->y[i] - mb_dot(l, gp->white, i)) / l[i];
	gp->ones[i] = (1 - mb_dot(l, gp->ones, i)) / l[i];
	gp->factored++;
	return 0;
}

static void find_mean(struct mb_gp *gp)
{
	size_t n = gp->factored;

	gp->mean = mb_dot(gp->ones, gp->white, n) / mb_dot(gp->ones, gp->ones, n);
	for (size_t i = 0; i < n; i++)
		gp->alpha[i] = gp->white[i] - gp->mean * gp->ones[i];
	mb_solve_upper(gp->factor, n, gp->cap, gp->alpha);
}

int mb_gp_condition(struct mb_gp *gp, const double *theta)
{
	double *row = mb_alloc(gp->dims * sizeof *row);
	int bad = 0;

	memcpy(gp->theta, theta, (gp->dims + 2) * sizeof *theta);
	for (size_t j = 0; j < gp->dims; j++)
		gp->weight[j] = exp(-2 * theta[j]);
	gp->factored = 0;
	while (!bad && gp->factored < gp->n)
		bad = factor_row(gp, row) < 0;
	if (!bad)
		find_mean(gp);
	free(row);
	return bad ? -1 : 0;
}

int mb_gp_append(struct mb_gp *gp, const double *row, double y, double noise)
{
	double *copy = mb_alloc(gp->dims * sizeof *copy);
	int bad;

	mb_gp_add(gp, row, y, noise);
	bad = factor_row(gp, copy) < 0;
	if (bad)
		gp->n--;
	else
		find_mean(gp);
	free(copy);
	return bad ? -1 : 0;
}

int mb_gp_believe(struct mb_gp *gp, const double *row)
{
	double mean;

	mb_gp_predict(gp, row, 1, &mean, NULL);
	return mb_gp_append(gp, row, mean, 0);
}

/* At most BLOCK rows: k holds their covariances with row i of the process at k[i * BLOCK], columns: scratch. */
static void predict_block(const struct mb_gp *gp, const double *rows, size_t m, double *mean, double *variance,
			  double *k, double *columns)
{
	size_t n = gp->factored, dims = gp->dims;
	double amplitude = exp(gp->theta[MB_GP_AMPLITUDE(dims)]), *row = columns + dims * BLOCK;

	for (size_t j = 0; j < dims; j++)
		for (size_t b = 0; b < m; b++)
			columns[j * BLOCK + b] = rows[b * dims + j];
	for (size_t b = 0; b < m; b++)
		mean[b] = gp->mean;
	for (size_t i = 0; i < n; i++) {
		double *ki = k + i * BLOCK;

		row_of(gp, i, row);
		mb_matern_distance(columns, m, BLOCK, dims, gp->category, gp->weight, row, ki);
		mb_matern_values(ki, NULL, m, amplitude);
		for (size_t b = 0; b < m; b++)
			mean[b] += gp->alpha[i] * ki[b];
	}
	if (!variance)
		return;
	mb_solve_lower_many(gp->factor, n, gp->cap, k, m, BLOCK);
	for (size_t b = 0; b < m; b++)
		variance[b] = amplitude;
	for (size_t i = 0; i < n; i++)
		for (size_t b = 0; b < m; b++)
			variance[b] -= k[i * BLOCK + b] * k[i * BLOCK + b];
	for (size_t b = 0; b < m; b++)
		variance[b] = variance[b] > 0 ? variance[b] : 0;
}

void mb_gp_predict(const struct mb_gp *gp, const double *rows, size_t m, double *mean, double *variance)
{
	double *scratch = mb_alloc((gp->factored * BLOCK + gp->dims * (BLOCK + 1)) * sizeof *scratch);

	for (size_t from = 0; from < m; from += BLOCK)
		predict_block(gp, rows + from * gp->dims, m - from < BLOCK ? m - from : BLOCK, mean + from,
			      variance ? variance + from : NULL, scratch, scratch + gp->factored * BLOCK);
	free(scratch);
}

void mb_gp_predict_gradient(const struct mb_gp *gp, const double *row, double *mean, double *variance, double *by_mean,
			    double *by_variance)
{
	size_t n = gp->factored, dims = gp->dims;
	double *k = mb_alloc(3 * n * sizeof *k), *slope = k + n, *v = slope + n;

	covariances(gp, row, n, k, slope);
	*mean = gp->mean + mb_dot(gp->alpha, k, n);
	memcpy(v, k, n * sizeof *v);
	mb_solve_lower(gp->factor, n, gp->cap, v);
	*variance = exp(gp->theta[MB_GP_AMPLITUDE(dims)]) - mb_dot(v, v, n);
	*variance = *variance > 0 ? *variance : 0;
	mb_solve_upper(gp->factor, n, gp->cap, v);
	for (size_t j = 0; j < dims; j++) {
		const double *x = gp->x + j * gp->cap;
		double of_mean = 0, of_variance = 0;

		for (size_t i = 0; !gp->category[j] && i < n; i++) {
			double by_x = slope[i] * (row[j] - x[i]);

			of_mean += gp->alpha[i] * by_x;
			of_variance += v[i] * by_x;
		}
		by_mean[j] = 2 * gp->weight[j] * of_mean;
		by_variance[j] = -4 * gp->weight[j] * of_variance;
	}
	free(k);
}
