/* SPDX-License-Identifier: MIT */
#include "opt/surface.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "opt/ranking.h"
#include "opt/rows.h"
#include "stat/stat.h"

enum {
	LEAST = 3,
	MOST_FIT = 300,   /* rows that hyperparameters are fitted to */
	MOST_HELD = 1000, /* rows that are conditioned on */
	ITERATIONS = 60,
	SAMPLES = 2048
};

struct mb_surface {
	const struct mb_space *space;
	struct mb_rows rows;
	struct mb_gp gp;
	double mean, deviation, noise; /* noise: variance, standardised */
};

/* The trials that are inside the space and have the metric, best first: coordinates and values. */
static size_t collect(const struct mb_log *log, const struct mb_experiment *experiment, size_t metric, double **u,
		      double **value)
{
	size_t dims = mb_space_dims(&experiment->space), n = 0;
	struct mb_ranking ranking;

	mb_ranking_init(&ranking, log, experiment);
	*u = mb_alloc((ranking.n + 1) * dims * sizeof **u);
	*value = mb_alloc((ranking.n + 1) * sizeof **value);
	for (size_t i = 0; i < ranking.n; i++) {
		const struct mb_key *key = ranking.keys[i];
		const json_t *assignments = json_object_get(key->issue ? key->issue : key->result, "assignments");
		struct mb_err err;

		(*value)[n] = mb_record_metric(key->result, experiment->metrics[metric].name);
		if (isnan((*value)[n]) || mb_space_check(&experiment->space, assignments, &err) < 0)
			continue;
		mb_space_locate(&experiment->space, assignments, &(*u)[n * dims]);
		n++;
	}
	mb_ranking_release(&ranking);
	return n;
}

/* Adds `most` of the n points, spread evenly from the first on. */
static void add(const struct mb_surface *model, struct mb_gp *gp, const double *u, const double *value, size_t n, size_t most)
{
	double *row = mb_alloc(model->rows.dims * sizeof *row);
	size_t count = n < most ? n : most;

	for (size_t k = 0; k < count; k++) {
		size_t i = k * n / count;

		mb_rows_put(&model->rows, &u[i * model->rows.dims], row);
		mb_gp_add(gp, row, (value[i] - model->mean) / model->deviation, 0);
	}
	free(row);
}

static void standardise(struct mb_surface *model, const double *value, size_t n)
{
	double square = 0;

	for (size_t i = 0; i < n; i++)
		model->mean += value[i] / (double)n;
	for (size_t i = 0; i < n; i++)
		square += (value[i] - model->mean) * (value[i] - model->mean) / (double)n;
	model->deviation = square > 0 ? sqrt(square) : 1;
}

static int fit(struct mb_surface *model, const double *u, const double *value, size_t n)
{
	size_t dims = model->rows.dims;
	double *theta = mb_alloc((dims + 2) * sizeof *theta);
	struct mb_gp gp;
	int bad;

	mb_gp_init(&gp, dims, model->rows.category, MOST_FIT);
	add(model, &gp, u, value, n, MOST_FIT);
	mb_gp_start(dims, theta);
	mb_gp_fit(&gp, &mb_gp_low_noise, theta, ITERATIONS);
	mb_gp_release(&gp);
	mb_gp_init(&model->gp, dims, model->rows.category, n < MOST_HELD ? n : MOST_HELD);
	add(model, &model->gp, u, value, n, MOST_HELD);
	bad = mb_gp_condition(&model->gp, theta);
	model->noise = exp(theta[MB_GP_NOISE(dims)]) + MB_GP_JITTER;
	free(theta);
	return bad;
}

struct mb_surface *mb_surface_new(const struct mb_log *log, const struct mb_experiment *experiment, size_t metric,
			      struct mb_err *err)
{
	double *u, *value;
	size_t n = collect(log, experiment, metric, &u, &value);
	struct mb_surface *model = NULL;

	if (n < LEAST) {
		mb_err_set(err, MB_EXIT_NO, log->path, "%zu completed trial%s with %s inside the space; a model needs %d", n,
			   n == 1 ? "" : "s", experiment->metrics[metric].name, LEAST);
	} else {
		model = mb_alloc(sizeof *model);
		model->space = &experiment->space;
		mb_rows_init(&model->rows, model->space);
		standardise(model, value, n);
		if (fit(model, u, value, n) < 0) {
			mb_err_set(err, MB_EXIT_NO, log->path, "%s: the covariance of the trials is singular",
				   experiment->metrics[metric].name);
			mb_surface_free(model);
			model = NULL;
		}
	}
	free(u);
	free(value);
	return model;
}

void mb_surface_free(struct mb_surface *model)
{
	if (!model)
		return;
	mb_gp_release(&model->gp);
	mb_rows_release(&model->rows);
	free(model);
}

void mb_surface_predict(const struct mb_surface *model, const double *u, double *mean, double *stddev)
{
	double *row = mb_alloc(model->rows.dims * sizeof *row), variance;

	mb_rows_put(&model->rows, u, row);
	mb_gp_predict(&model->gp, row, 1, mean, &variance);
	*mean = model->mean + model->deviation * *mean;
	*stddev = model->deviation * sqrt(variance + model->noise);
	free(row);
}

/* The posterior means at `n` points of the unit cube; scratch: n rows. */
static void means(const struct mb_surface *model, const double *points, size_t n, double *scratch, double *mean)
{
	size_t dims = model->rows.dims;
	double *u = mb_alloc(dims * sizeof *u);

	for (size_t i = 0; i < n; i++) {
		memcpy(u, &points[i * dims], dims * sizeof *u);
		mb_space_settle(model->space, u);
		mb_rows_put(&model->rows, u, &scratch[i * dims]);
	}
	mb_gp_predict(&model->gp, scratch, n, mean, NULL);
	free(u);
}

void mb_surface_importance(const struct mb_surface *model, double *total, double *alone)
{
	size_t dims = model->rows.dims, cells = SAMPLES * dims;
	double *a = mb_alloc(5 * (cells + SAMPLES) * sizeof *a), *b = a + cells, *mixed = b + cells, *scratch = mixed + cells;
	double *of_a = scratch + cells, *of_b = of_a + SAMPLES, *of_mixed = of_b + SAMPLES, centre = 0, variance = 0;
	struct mb_rng rng;

	mb_rng_init(&rng, 0, 0, MB_RNG_IMPORTANCE);
	for (size_t i = 0; i < 2 * cells; i++)
		a[i] = mb_rng_unit(&rng);
	means(model, a, SAMPLES, scratch, of_a);
	means(model, b, SAMPLES, scratch, of_b);
	for (size_t i = 0; i < SAMPLES; i++)
		centre += (of_a[i] + of_b[i]) / (2 * SAMPLES);
	for (size_t i = 0; i < SAMPLES; i++)
		variance += (pow(of_a[i] - centre, 2) + pow(of_b[i] - centre, 2)) / (2 * SAMPLES);
	for (size_t dim = 0; dim < dims; dim++) {
		double without = 0, rest = 0;

		memcpy(mixed, a, cells * sizeof *a);
		for (size_t i = 0; i < SAMPLES; i++)
			mixed[i * dims + dim] = b[i * dims + dim];
		means(model, mixed, SAMPLES, scratch, of_mixed);
		for (size_t i = 0; i < SAMPLES; i++) {
			without += pow(of_a[i] - of_mixed[i], 2) / (2 * SAMPLES);
			rest += pow(of_b[i] - of_mixed[i], 2) / (2 * SAMPLES);
		}
		total[dim] = variance > 1e-12 ? without / variance : 0;
		alone[dim] = variance > 1e-12 && rest < variance ? 1 - rest / variance : 0;
	}
	free(a);
}
