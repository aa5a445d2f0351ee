/* SPDX-License-Identifier: MIT */
#include "nn/regularize.h"

#include <math.h>
#include <string.h>

MB_CLONES
static void scale(mb_real *restrict a, mb_real by, size_t n)
{
	for (size_t i = 0; i < n; i++)
		a[i] *= by;
}

/* Sums of squares over rows of 64, so that the compiler may use vectors without changing the order. */
MB_CLONES
static double sum_of_squares(const mb_real *restrict a, size_t n)
{
	enum { LANES = 64 };
	double lanes[LANES] = {0}, sum = 0;
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
		for (size_t l = 0; l < LANES; l++)
			lanes[l] += (double)a[i + l] * (double)a[i + l];
	for (; i < n; i++)
		sum += (double)a[i] * (double)a[i];
	for (size_t l = 0; l < LANES; l++)
		sum += lanes[l];
	return sum;
}

void mb_clip_gradient(struct mb_mlp *net, double limit)
{
	const double norm = sqrt(sum_of_squares(net->grad, net->n_params)); /* padding is zero */

	if (norm + 1e-6 > limit)
		scale(net->grad, (mb_real)(limit / (norm + 1e-6)), net->n_params);
}

MB_CLONES
static void add_squares(const mb_real *restrict w, size_t rows, size_t ld, mb_real *restrict sum)
{
	for (size_t i = 0; i < rows; i++, w += ld)
		for (size_t j = 0; j < ld; j++)
			sum[j] += w[j] * w[j];
}

MB_CLONES
static void scale_columns(mb_real *restrict w, size_t rows, size_t ld, const mb_real *restrict by)
{
	for (size_t i = 0; i < rows; i++, w += ld)
		for (size_t j = 0; j < ld; j++)
			w[j] *= by[j];
}

void mb_hold_norms(struct mb_mlp *net, double limit)
{
	for (size_t l = 0; l + 1 < net->n_layers; l++) {
		const struct mb_layer *layer = &net->layers[l];
		mb_real *by = net->delta[0]; /* free after the step */

		memset(by, 0, layer->ld * sizeof *by);
		add_squares(net->param + layer->w, layer->in_ld, layer->ld, by);
		for (size_t j = 0; j < layer->ld; j++) {
			const double norm = sqrt((double)by[j]);

			by[j] = norm > limit ? (mb_real)(limit / norm) : 1;
		}
		scale_columns(net->param + layer->w, layer->in_ld, layer->ld, by);
	}
}

MB_CLONES
static void average(mb_real *restrict to, const mb_real *restrict from, mb_real rest, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] += rest * (from[i] - to[i]);
}

void mb_average_weights(const struct mb_mlp *net, double decay, uint64_t step, mb_real *to)
{
	const double most = (1 + (double)step) / (10 + (double)step);

	average(to, net->param, (mb_real)(1 - fmin(decay, most)), net->n_params);
}
