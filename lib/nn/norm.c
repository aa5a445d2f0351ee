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

/* ---- layer norm ---- */

/* Rows are short and their sums are in order, so these are plain loops: they cost little beside the products. */
static void normalise_row(const struct mb_layer *layer, const mb_real *gamma, const mb_real *beta, mb_real *restrict a,
			  mb_real *restrict normal, mb_real *deviation)
{
	const mb_real n = (mb_real)layer->out;
	mb_real mean = 0, var = 0;

	for (size_t j = 0; j < layer->out; j++)
		mean += a[j];
	mean /= n;
	for (size_t j = 0; j < layer->out; j++)
		var += (a[j] - mean) * (a[j] - mean);
	*deviation = 1 / MB_REAL(sqrt)(var / n + EPSILON);
	for (size_t j = 0; j < layer->out; j++) {
		const mb_real of_unit = (a[j] - mean) * *deviation;

		if (normal)
			normal[j] = of_unit;
		a[j] = of_unit * gamma[j] + beta[j];
	}
}

void mb_layer_norm(struct mb_mlp *net, const struct mb_layer *layer, size_t rows)
{
	for (size_t i = 0; i < rows; i++)
		normalise_row(layer, net->param + layer->gamma, net->param + layer->beta, layer->a + i * layer->ld,
			      layer->normal ? layer->normal + i * layer->ld : NULL, layer->deviation + i);
}

/* With g = delta · gamma and y the normalised row: delta = (g - mean g - y · mean(g y)) / deviation of the row. */
static void normalise_row_back(const struct mb_layer *layer, const mb_real *gamma, const mb_real *restrict normal,
			       mb_real deviation, mb_real *restrict delta)
{
	const mb_real n = (mb_real)layer->out;
	mb_real sum = 0, product = 0;

	for (size_t j = 0; j < layer->out; j++) {
		sum += delta[j] * gamma[j];
		product += delta[j] * gamma[j] * normal[j];
	}
	for (size_t j = 0; j < layer->out; j++)
		delta[j] = deviation * (delta[j] * gamma[j] - sum / n - normal[j] * (product / n));
}

void mb_layer_norm_back(struct mb_mlp *net, const struct mb_layer *layer, size_t rows, mb_real *delta, int add)
{
	mb_real *dgamma = net->grad + layer->gamma, *dbeta = net->grad + layer->beta;

	if (!add) {
		memset(dgamma, 0, layer->ld * sizeof *dgamma);
		memset(dbeta, 0, layer->ld * sizeof *dbeta);
	}
	for (size_t i = 0; i < rows; i++) {
		const mb_real *normal = layer->normal + i * layer->ld;
		mb_real *of_row = delta + i * layer->ld;

		for (size_t j = 0; j < layer->out; j++) {
			dgamma[j] += of_row[j] * normal[j];
			dbeta[j] += of_row[j];
		}
		normalise_row_back(layer, net->param + layer->gamma, normal, layer->deviation[i], of_row);
	}
}
