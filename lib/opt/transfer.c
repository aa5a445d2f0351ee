/* SPDX-License-Identifier: MIT */
#include "opt/transfer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "opt/algorithm.h"
#include "opt/rows.h"
#include "stat/stat.h"

enum {
	MOST_FITTED = 300, /* points of a log that are modelled … */
	MOST_BEST = 100,   /* … the best of them; the others are spread evenly over all ranks */
	ITERATIONS = 30,
	OFFERED = 4        /* the best one in so many of a log's points may be tried, but at least LEAST */
};

#define APART 0.15 /* root mean square of the differences of two points that are not the same place */
#define CHANCE 2    /* times the variance by chance: points of one search lie together and are no independent draws */

/* A log. */
struct source {
	double *u, *value; /* n coordinates and values, less is better; from mb_transfer_fit on the best first */
	size_t n, cap_u, cap_value;
	int64_t rung; /* of these; of lower ones nothing is kept */
	struct mb_hashset keys; /* of the results: the first of a trial and rung counts */
	struct mb_gp gp;
	int is_fitted;
};

struct mb_transfer {
	const struct mb_experiment *experiment;
	struct mb_rows rows;
	struct source *sources;
	size_t n, cap;
};

struct mb_transfer *mb_transfer_new(const struct mb_experiment *experiment)
{
	struct mb_transfer *transfer = mb_alloc(sizeof *transfer);

	transfer->experiment = experiment;
	mb_rows_init(&transfer->rows, &experiment->space);
	return transfer;
}

void mb_transfer_free(struct mb_transfer *transfer)
{
	if (!transfer)
		return;
	for (size_t i = 0; i < transfer->n; i++) {
		free(transfer->sources[i].u);
		free(transfer->sources[i].value);
		mb_hashset_release(&transfer->sources[i].keys);
		mb_gp_release(&transfer->sources[i].gp);
	}
	free(transfer->sources);
	mb_rows_release(&transfer->rows);
	free(transfer);
}

/* ---- reading ---- */

void mb_transfer_log(struct mb_transfer *transfer)
{
	MB_PUSH(transfer->sources, transfer->n, transfer->cap, (struct source){0});
}

/* What the space knows of the assignments. */
static json_t *known(const struct mb_space *space, const json_t *assignments)
{
	json_t *point = json_object();

	for (size_t i = 0; i < space->n_conditionals + space->n_params; i++) {
		const char *name = i < space->n_conditionals ? space->conditionals[i].name
							     : space->params[i - space->n_conditionals].name;
		json_t *value = json_object_get(assignments, name);

		if (value)
			mb_json_set(point, name, json_incref(value));
	}
	return point;
}

static int is_new(struct source *source, const struct mb_record *record)
{
	uint64_t key = mb_hash_mix(mb_hash_mix((uint64_t)record->trial) + (uint64_t)record->rung);

	return !record->trial || mb_hashset_add(&source->keys, key);
}

int mb_transfer_take(struct mb_transfer *transfer, const struct mb_record *record)
{
	const struct mb_metric *metric = mb_experiment_objective(transfer->experiment);
	const struct mb_space *space = &transfer->experiment->space;
	struct source *source = &transfer->sources[transfer->n - 1];
	size_t dims = transfer->rows.dims;
	double value = mb_record_metric(record->json, metric->name);
	struct mb_err err;
	json_t *point;

	if (record->status != MB_STATUS_COMPLETED || record->rung < source->rung || !is_new(source, record))
		return 1;
	point = known(space, json_object_get(record->json, "assignments"));
	if (isnan(value) || mb_space_check(space, point, &err) < 0) {
		json_decref(point);
		return 0;
	}
	if (record->rung > source->rung)
		source->n = 0;
	source->rung = record->rung;
	source->u = mb_grow(source->u, &source->cap_u, (source->n + 1) * dims, sizeof *source->u);
	mb_space_locate(space, point, &source->u[source->n * dims]);
	MB_PUSH(source->value, source->n, source->cap_value, metric->maximize ? -value : value);
	json_decref(point);
	return 1;
}

/* ---- the models ---- */

struct entry {
	double value;
	size_t at;
};

static int by_value(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;

	if (left->value != right->value)
		return left->value < right->value ? -1 : 1;
	return left->at < right->at ? -1 : left->at > right->at;
}

static void sort(struct source *source, size_t dims)
{
	struct entry *entries = mb_alloc(source->n * sizeof *entries);
	double *u = mb_alloc(source->n * dims * sizeof *u);

	for (size_t i = 0; i < source->n; i++)
		entries[i] = (struct entry){source->value[i], i};
	qsort(entries, source->n, sizeof *entries, by_value);
	for (size_t i = 0; i < source->n; i++) {
		source->value[i] = entries[i].value;
		memcpy(&u[i * dims], &source->u[entries[i].at * dims], dims * sizeof *u);
	}
	free(source->u);
	source->u = u;
	free(entries);
}

static void model(const struct mb_transfer *transfer, struct source *source)
{
	const struct mb_rows *rows = &transfer->rows;
	size_t count = source->n < MOST_FITTED ? source->n : MOST_FITTED, best = count < MOST_BEST ? count : MOST_BEST;
	double *row = mb_alloc(rows->dims * sizeof *row), *theta = mb_alloc((rows->dims + 2) * sizeof *theta);
	double *y = mb_alloc(source->n * sizeof *y);

	memcpy(y, source->value, source->n * sizeof *y);
	mb_standardise(y, source->n);
	mb_gp_init(&source->gp, rows->dims, rows->category, count);
	for (size_t k = 0; k < count; k++) {
		size_t i = k < best ? k : best + (k - best) * (source->n - best) / (count - best);

		mb_rows_put(rows, &source->u[i * rows->dims], row);
		mb_gp_add(&source->gp, row, y[i], 0);
	}
	mb_gp_start(rows->dims, theta);
	mb_gp_fit(&source->gp, &mb_gp_low_noise, theta, ITERATIONS);
	source->is_fitted = mb_gp_condition(&source->gp, theta) == 0;
	free(y);
	free(theta);
	free(row);
}

size_t mb_transfer_fit(struct mb_transfer *transfer)
{
	struct source *source = &transfer->sources[transfer->n - 1];

	if (source->n < MB_TRANSFER_LEAST)
		return source->n;
	sort(source, transfer->rows.dims);
	model(transfer, source);
	return source->n;
}

size_t mb_transfer_count(const struct mb_transfer *transfer)
{
	return transfer->n;
}

/* ---- where to begin ---- */

static double apart(const struct mb_rows *rows, const double *a, const double *b)
{
	double sum = 0;

	for (size_t i = 0; i < rows->dims; i++)
		sum += rows->category[i] ? a[i] != b[i] : (a[i] - b[i]) * (a[i] - b[i]);
	return sqrt(sum / (double)rows->dims);
}

static int is_near(const struct mb_rows *rows, const struct mb_history *history, const double *row)
{
	double *other = mb_alloc(rows->dims * sizeof *other);
	int near = 0;

	for (size_t i = 0; i < history->n && !near; i++) {
		mb_rows_put(rows, &history->u[i * rows->dims], other);
		near = apart(rows, row, other) < APART;
	}
	free(other);
	return near;
}

/* The best point of the log that is elsewhere than all that were tried. */
static json_t *best_elsewhere(const struct mb_transfer *transfer, const struct source *source,
			      const struct mb_history *history)
{
	const struct mb_rows *rows = &transfer->rows;
	size_t offered = source->n / OFFERED > MB_TRANSFER_LEAST ? source->n / OFFERED : MB_TRANSFER_LEAST;
	double *row = mb_alloc(rows->dims * sizeof *row);
	json_t *found = NULL;

	for (size_t i = 0; i < offered && i < source->n && source->is_fitted && !found; i++) {
		const double *u = &source->u[i * rows->dims];
		json_t *point;

		mb_rows_put(rows, u, row);
		if (is_near(rows, history, row))
			continue;
		point = mb_space_point(rows->space, u);
		if (mb_ask_takes(history, point))
			found = point;
		else
			json_decref(point);
	}
	free(row);
	return found;
}

json_t *mb_transfer_point(const struct mb_transfer *transfer, const struct mb_history *history)
{
	json_t *found = NULL;

	for (size_t i = 0; i < transfer->n && !found; i++)
		found = best_elsewhere(transfer, &transfer->sources[(history->n + i) % transfer->n], history);
	return found;
}

/* ---- what each log is worth ---- */

/* How surely the order of b is that of a: 0 when their agreement is no more than chance, to 1. Kendall's score S of pairs
 * that agree less those that do not has variance n (n - 1) (2 n + 5) / 18 by chance (M. G. Kendall, "A new measure of rank
 * correlation", 1938); 1 - variance / S^2 is the positive-part shrinkage of W. James and C. Stein (1961). */
static double trust(const double *a, const double *b, size_t n)
{
	double s = 0, variance = (double)n * ((double)n - 1) * (2 * (double)n + 5) / 18;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++) {
			double product = (a[i] - a[j]) * (b[i] - b[j]);

			s += (product > 0) - (product < 0);
		}
	return s > 0 && s * s > CHANCE * variance ? 1 - CHANCE * variance / (s * s) : 0;
}

/* Of y by x, by least squares; never negative. */
static double slope(const double *x, const double *y, size_t n)
{
	double x_mean = 0, y_mean = 0, both = 0, square = 0;

	for (size_t i = 0; i < n; i++) {
		x_mean += x[i] / (double)n;
		y_mean += y[i] / (double)n;
	}
	for (size_t i = 0; i < n; i++) {
		both += (x[i] - x_mean) * (y[i] - y_mean);
		square += (x[i] - x_mean) * (x[i] - x_mean);
	}
	return both > 0 && square > 1e-9 ? both / square : 0;
}

int mb_transfer_weigh(const struct mb_transfer *transfer, const double *rows, const double *y, size_t n, double *weight)
{
	double *mean = mb_alloc(2 * n * sizeof *mean), *sum = mean + n, all = 0, most = 0, scale;

	for (size_t i = 0; i < transfer->n; i++) {
		weight[i] = 0;
		if (!transfer->sources[i].is_fitted)
			continue;
		mb_gp_predict(&transfer->sources[i].gp, rows, n, mean, NULL);
		weight[i] = trust(mean, y, n);
		all += weight[i];
		most = fmax(most, weight[i]);
	}
	for (size_t i = 0; i < transfer->n; i++)
		weight[i] = all > 0 ? weight[i] / all : 0;
	mb_transfer_add(transfer, weight, rows, n, sum);
	scale = all > 0 ? most * slope(sum, y, n) : 0;
	for (size_t i = 0; i < transfer->n; i++)
		weight[i] *= scale;
	free(mean);
	return scale > 0;
}

void mb_transfer_add(const struct mb_transfer *transfer, const double *weight, const double *rows, size_t m, double *mean)
{
	double *one = mb_alloc((m + 1) * sizeof *one);

	for (size_t i = 0; i < transfer->n; i++) {
		if (!(weight[i] > 0))
			continue;
		mb_gp_predict(&transfer->sources[i].gp, rows, m, one, NULL);
		for (size_t j = 0; j < m; j++)
			mean[j] += weight[i] * one[j];
	}
	free(one);
}

double mb_transfer_gradient(const struct mb_transfer *transfer, const double *weight, const double *row, double *by_row)
{
	size_t dims = transfer->rows.dims;
	double *by_mean = mb_alloc(2 * dims * sizeof *by_mean), sum = 0;

	for (size_t i = 0; i < transfer->n; i++) {
		double mean, variance;

		if (!(weight[i] > 0))
			continue;
		mb_gp_predict_gradient(&transfer->sources[i].gp, row, &mean, &variance, by_mean, by_mean + dims);
		sum += weight[i] * mean;
		for (size_t j = 0; j < dims; j++)
			by_row[j] += weight[i] * by_mean[j];
	}
	free(by_mean);
	return sum;
}
