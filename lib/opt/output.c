/* SPDX-License-Identifier: MIT */
#include "opt/output.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	ITERATIONS = 30,
	MOST_FITTED = 200 /* rows: of more, so many spread evenly over them */
};

#define LEAST_SD 1e-9 /* of a deviation of 1: where the process is certain */

static void standardise(struct mb_output *output, const double *values, size_t n)
{
	double square = 0;

	for (size_t i = 0; i < n; i++)
		output->mean += values[i] / (double)n;
	for (size_t i = 0; i < n; i++)
		square += (values[i] - output->mean) * (values[i] - output->mean) / (double)n;
	output->deviation = square > 0 ? sqrt(square) : 1;
}

int mb_surrogate_read(const json_t *surrogate, size_t dims, double *theta)
{
	const json_t *length = json_object_get(surrogate, "length");
	double amplitude = json_number_value(json_object_get(surrogate, "amplitude"));
	double noise = json_number_value(json_object_get(surrogate, "noise"));

	if (json_array_size(length) != dims || !(amplitude > 0) || !(noise > 0))
		return -1;
	for (size_t i = 0; i < dims; i++) {
		double l = json_number_value(json_array_get(length, i));

		if (!(l > 0))
			return -1;
		theta[i] = log(l);
	}
	theta[MB_GP_AMPLITUDE(dims)] = log(amplitude);
	theta[MB_GP_NOISE(dims)] = log(noise);
	return 0;
}

json_t *mb_output_write(const struct mb_output *output)
{
	size_t dims = output->gp.dims;
	json_t *surrogate = json_object(), *length = json_array();

	for (size_t i = 0; i < dims; i++)
		json_array_append_new(length, json_real(exp(output->theta[i])));
	mb_json_set(surrogate, "length", length);
	mb_json_set(surrogate, "amplitude", json_real(exp(output->theta[MB_GP_AMPLITUDE(dims)])));
	mb_json_set(surrogate, "noise", json_real(exp(output->theta[MB_GP_NOISE(dims)])));
	return surrogate;
}

static void try_start(struct mb_output *output, const struct mb_gp *gp, double *theta, double *best)
{
	double value = mb_gp_fit(gp, &mb_gp_low_noise, theta, ITERATIONS);

	if (value < *best) {
		*best = value;
		memcpy(output->theta, theta, (output->gp.dims + 2) * sizeof *theta);
	}
}

/* From the middle of the prior, from an earlier optimum, and once in a while from elsewhere. */
static void fit(struct mb_output *output, const struct mb_gp *gp, const json_t *start, struct mb_rng *rng)
{
	enum { RANDOM_START = 5 };
	size_t dims = output->gp.dims;
	double *theta = mb_alloc((dims + 2) * sizeof *theta), best = INFINITY;

	mb_gp_start(dims, output->theta);
	mb_gp_start(dims, theta);
	try_start(output, gp, theta, &best);
	if (mb_surrogate_read(start, dims, theta) == 0)
		try_start(output, gp, theta, &best);
	if (mb_rng_below(rng, RANDOM_START) == 0) {
		mb_gp_start(dims, theta);
		for (size_t i = 0; i < dims; i++)
			theta[i] = 0.7 * mb_rng_normal(rng);
		try_start(output, gp, theta, &best);
	}
	free(theta);
}

/* Hyperparameters of some of many rows. */
static void fit_some(struct mb_output *output, const struct mb_rows *rows, const json_t *start, struct mb_rng *rng)
{
	const struct mb_gp *all = &output->gp;
	double *row = mb_alloc(rows->dims * sizeof *row);
	struct mb_gp some;

	mb_gp_init(&some, rows->dims, rows->category, MOST_FITTED);
	for (size_t k = 0; k < MOST_FITTED; k++) {
		size_t i = (k + 1) * all->n / MOST_FITTED - 1;

		for (size_t j = 0; j < rows->dims; j++)
			row[j] = all->x[j * all->cap + i];
		mb_gp_add(&some, row, all->y[i], all->noise[i]);
	}
	fit(output, &some, start, rng);
	mb_gp_release(&some);
	free(row);
}

int mb_output_init(struct mb_output *output, const struct mb_rows *rows, const struct mb_history *history,
		   const size_t *list, size_t n, const double *values, const double *noise, const json_t *start,
		   struct mb_rng *rng)
{
	double *row = mb_alloc(rows->dims * sizeof *row);
	int bad;

	*output = (struct mb_output){.theta = mb_alloc((rows->dims + 2) * sizeof *output->theta)};
	standardise(output, values, n);
	mb_gp_init(&output->gp, rows->dims, rows->category, history->n + 1);
	for (size_t i = 0; i < n; i++) {
		double sd = noise ? noise[i] / output->deviation : 0;

		mb_rows_put(rows, &history->u[list[i] * rows->dims], row);
		mb_gp_add(&output->gp, row, (values[i] - output->mean) / output->deviation, sd * sd);
	}
	if (n > MOST_FITTED)
		fit_some(output, rows, start, rng);
	else
		fit(output, &output->gp, start, rng);
	bad = mb_gp_condition(&output->gp, output->theta);
	for (size_t i = 0; i < history->n && !bad; i++)
		if (history->observations[i].pending) {
			mb_rows_put(rows, &history->u[i * rows->dims], row);
			mb_gp_believe(&output->gp, row); /* one that cannot be told from another adds nothing */
		}
	free(row);
	return bad;
}

void mb_output_release(struct mb_output *output)
{
	mb_gp_release(&output->gp);
	free(output->theta);
	*output = (struct mb_output){0};
}

void mb_output_predict(const struct mb_output *output, const double *rows, size_t m, double *mean, double *sd)
{
	mb_gp_predict(&output->gp, rows, m, mean, sd);
	for (size_t i = 0; i < m; i++) {
		mean[i] = output->mean + output->deviation * mean[i];
		sd[i] = output->deviation * (sqrt(sd[i]) + LEAST_SD);
	}
}

void mb_output_gradient(const struct mb_output *output, const double *row, double *mean, double *sd, double *by_mean,
			double *by_sd)
{
	double variance, root;

	mb_gp_predict_gradient(&output->gp, row, mean, &variance, by_mean, by_sd);
	root = sqrt(variance) + LEAST_SD;
	for (size_t i = 0; i < output->gp.dims; i++) {
		by_mean[i] *= output->deviation;
		by_sd[i] *= output->deviation / (2 * root);
	}
	*mean = output->mean + output->deviation * *mean;
	*sd = output->deviation * root;
}
