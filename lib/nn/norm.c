/* SPDX-License-Identifier: MIT */
#include "nn/norm.h"

#include <math.h>
#include <string.h>

#define EPSILON ((mb_real)1e-5)
#define MOMENTUM ((mb_real)0.1)

/* sum[j] = Σ_i a[i][j] · b[i][j]; b NULL: of a alone. */
MB_CLONES
static void column_sums(const mb_real *restrict a, const mb_real *restrict b, size_t rows, size_t ld,
			mb_real *restrict sum)
{
	memset(sum, 0, ld * sizeof *sum);
	for (size_t i = 0; i < rows; i++, a += ld) {
		if (!b) {
			for (size_t j = 0; j < ld; j++)
				sum[j] += a[j];
			continue;
		}
		for (size_t j = 0; j < ld; j++)
			sum[j] += a[j] * b[j];
		b += ld;
	}
}

MB_CLONES
static void shift_scale(const mb_real *restrict from, const mb_real *restrict scale, const mb_real *restrict shift,
			size_t rows, size_t ld, mb_real *restrict to)
{
	for (size_t i = 0; i < rows; i++, from += ld, to += ld)
		for (size_t j = 0; j < ld; j++)
			to[j] = from[j] * scale[j] + shift[j];
}

MB_CLONES
static void center(mb_real *restrict a, const mb_real *restrict mean, size_t rows, size_t ld)
{
	for (size_t i = 0; i < rows; i++, a += ld)
		for (size_t j = 0; j < ld; j++)
			a[j] -= mean[j];
}

MB_CLONES
static void scale_columns(const mb_real *restrict a, const mb_real *restrict scale, size_t rows, size_t ld,
			  mb_real *restrict to)
{
	for (size_t i = 0; i < rows; i++, a += ld, to += ld)
		for (size_t j = 0; j < ld; j++)
			to[j] = a[j] * scale[j];
}

void mb_norm_train(struct mb_mlp *net, const struct mb_layer *layer, size_t rows)
{
	const size_t ld = layer->ld;
	mb_real *running_mean = net->stats + layer->mean, *running_var = net->stats + layer->var;
	mb_real *mean = net->delta[0], *var = net->delta[1]; /* free on the way forward */

	column_sums(layer->a, NULL, rows, ld, mean);
	for (size_t j = 0; j < ld; j++)
		mean[j] /= (mb_real)rows;
	center(layer->a, mean, rows, ld);
	column_sums(layer->a, layer->a, rows, ld, var);
	for (size_t j = 0; j < layer->out; j++) {
		running_mean[j] += MOMENTUM * (mean[j] - running_mean[j]);
		if (rows > 1)
			running_var[j] += MOMENTUM * (var[j] / (mb_real)(rows - 1) - running_var[j]);
	}
	for (size_t j = 0; j < ld; j++)
		layer->deviation[j] = 1 / MB_REAL(sqrt)(var[j] / (mb_real)rows + EPSILON);
	scale_columns(layer->a, layer->deviation, rows, ld, layer->normal);
	shift_scale(layer->normal, net->param + layer->gamma, net->param + layer->beta, rows, ld, layer->a);
}

void mb_norm_apply(struct mb_mlp *net, const struct mb_layer *layer, size_t rows)
{
	const size_t ld = layer->ld;
	const mb_real *mean = net->stats + layer->mean, *var = net->stats + layer->var;
	const mb_real *gamma = net->param + layer->gamma, *beta = net->param + layer->beta;

	for (size_t j = 0; j < ld; j++)
		layer->deviation[j] = 1 / MB_REAL(sqrt)(var[j] + EPSILON);
	for (size_t i = 0; i < rows; i++) {
		mb_real *a = layer->a + i * ld;

		for (size_t j = 0; j < ld; j++)
			a[j] = (a[j] - mean[j]) * layer->deviation[j] * gamma[j] + beta[j];
	}
}

void mb_norm_back(struct mb_mlp *net, const struct mb_layer *layer, size_t rows, mb_real *delta)
{
	const size_t ld = layer->ld;
	const mb_real *gamma = net->param + layer->gamma, *normal = layer->normal;
	mb_real *dgamma = net->grad + layer->gamma, *dbeta = net->grad + layer->beta;
	const mb_real share = 1 / (mb_real)rows;

	column_sums(delta, NULL, rows, ld, dbeta);
	column_sums(delta, normal, rows, ld, dgamma);
	for (size_t i = 0; i < rows; i++, delta += ld, normal += ld)
		for (size_t j = 0; j < ld; j++)
			delta[j] = gamma[j] * layer->deviation[j] *
				   (delta[j] - share * dbeta[j] - normal[j] * (share * dgamma[j]));
}
