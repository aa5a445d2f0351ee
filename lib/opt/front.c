/* SPDX-License-Identifier: MIT */
#include "opt/front.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "opt/acquire.h"
#include "opt/holds.h"
#include "opt/merit.h"
#include "stat/stat.h"

enum {
	BASES = 8,       /* trials of the front that are varied: those that lie alone first */
	MOST_FRONT = 100 /* points that boxes are made of: of more those that lie alone */
};

#define STEP 1e-4 /* of a mean or deviation, as a share of the deviation, for slopes */

struct model {
	const struct mb_history *history;
	struct mb_rows rows;
	struct mb_output outputs[MB_MOST_OBJECTIVES];
	struct mb_holds holds;
	struct mb_boxes boxes;
	size_t m, fitted;
	size_t *order; /* observations with values, the best first */
	size_t n, feasible;
	double *points; /* n × m in that order */
	double *scratch; /* 2 × dims */
};

static const json_t *start_of(const struct model *model, size_t k)
{
	return json_array_get(json_object_get(model->history->surrogate, "objectives"), k);
}

static double *noise_of(const struct model *model, size_t objective)
{
	const struct mb_experiment *experiment = model->history->experiment;
	double *noise;

	if (!model->history->metrics_stddev)
		return NULL;
	noise = mb_alloc((model->n + 1) * sizeof *noise);
	for (size_t k = 0, at = 0; k < experiment->n_metrics; k++)
		if (experiment->metrics[k].strategy == MB_STRATEGY_OPTIMIZE && at++ == objective)
			for (size_t i = 0; i < model->n; i++)
				noise[i] = model->history->metrics_stddev[model->order[i] * experiment->n_metrics + k];
	return noise;
}

static int fit(struct model *model, struct mb_rng *rng)
{
	double *values = mb_alloc((model->n + 1) * sizeof *values);
	int bad = 0;

	for (size_t k = 0; k < model->m && !bad; k++) {
		double *noise = noise_of(model, k);

		for (size_t i = 0; i < model->n; i++)
			values[i] = model->points[i * model->m + k];
		bad = mb_output_init(&model->outputs[k], &model->rows, model->history, model->order, model->n, values, noise,
				     start_of(model, k), rng);
		model->fitted++;
		free(noise);
	}
	free(values);
	return bad;
}

/* Where trials are open, the front is taken to have what they are expected to give: it stands to gain nothing there.
 * */
static double *with_pending(const struct model *model, size_t *n)
{
	const struct mb_history *history = model->history;
	size_t m = model->m, count = model->feasible < MOST_FRONT ? model->feasible : MOST_FRONT;
	double *points = mb_alloc((count + history->n + 1) * m * sizeof *points), sd;

	memcpy(points, model->points, count * m * sizeof *points);
	for (size_t i = 0; i < history->n; i++) {
		if (!history->observations[i].pending)
			continue;
		mb_rows_put(&model->rows, &history->u[i * model->rows.dims], model->scratch);
		for (size_t k = 0; k < m; k++)
			mb_output_predict(&model->outputs[k], model->scratch, 1, &points[count * m + k], &sd);
		count++;
	}
	*n = count;
	return points;
}

static void make_boxes(struct model *model)
{
	double given[MB_MOST_OBJECTIVES], reference[MB_MOST_OBJECTIVES], *points;
	size_t n;

	mb_thresholds(model->history->experiment, given);
	mb_pareto_reference(model->points, model->feasible, model->m, given, reference);
	points = with_pending(model, &n);
	mb_boxes_init(&model->boxes, points, n, model->m, reference);
	free(points);
}

static int model_init(struct model *model, const struct mb_history *history, struct mb_rng *rng)
{
	*model = (struct model){.history = history,
				.m = mb_experiment_count(history->experiment, MB_STRATEGY_OPTIMIZE),
				.order = mb_alloc((history->n + 1) * sizeof *model->order)};
	mb_rows_init(&model->rows, &history->experiment->space);
	model->scratch = mb_alloc(2 * model->rows.dims * sizeof *model->scratch);
	model->n = mb_merit(history, model->order, &model->feasible);
	model->points = mb_alloc((model->n + 1) * model->m * sizeof *model->points);
	mb_objectives(history, model->order, model->n, model->points);
	mb_holds_init(&model->holds, &model->rows, history, rng);
	if (model->n < 2 || fit(model, rng) < 0)
		return -1;
	if (model->feasible)
		make_boxes(model);
	return 0;
}

static void model_release(struct model *model)
{
	for (size_t k = 0; k < model->fitted; k++)
		mb_output_release(&model->outputs[k]);
	mb_boxes_release(&model->boxes);
	mb_holds_release(&model->holds);
	mb_rows_release(&model->rows);
	free(model->scratch);
	free(model->points);
	free(model->order);
}

/* ---- the acquisition ---- */

static void score(const void *context, const double *rows, size_t count, double *score)
{
	const struct model *model = context;
	size_t m = model->m;
	double *mean = mb_alloc(2 * (count + 1) * m * sizeof *mean), *sd = mean + (count + 1) * m;

	for (size_t k = 0; k < m && model->feasible; k++)
		mb_output_predict(&model->outputs[k], rows, count, mean + k * count, sd + k * count);
	for (size_t i = 0; i < count; i++) {
		double at[MB_MOST_OBJECTIVES], width[MB_MOST_OBJECTIVES];

		for (size_t k = 0; k < m; k++) {
			at[k] = mean[k * count + i];
			width[k] = sd[k * count + i];
		}
		score[i] = model->feasible ? mb_log_ehvi(&model->boxes, at, width) : 0;
	}
	mb_holds_add(&model->holds, rows, count, score);
	free(mean);
}

/* The slope of log EHVI by what `at` points to, one of mean and sd. */
static double slope(const struct model *model, const double *mean, const double *sd, double *at, double step)
{
	double was = *at, above, below;

	*at = was + step;
	above = mb_log_ehvi(&model->boxes, mean, sd);
	*at = was - step;
	below = mb_log_ehvi(&model->boxes, mean, sd);
	*at = was;
	return (above - below) / (2 * step);
}

/* By the chain rule: the processes' own derivatives, and differences for the few numbers between. */
static double score_gradient(const void *context, const double *row, double *by_row)
{
	const struct model *model = context;
	size_t dims = model->rows.dims, m = model->m;
	double *slopes = mb_alloc(2 * m * dims * sizeof *slopes), mean[MB_MOST_OBJECTIVES], sd[MB_MOST_OBJECTIVES], value = 0;

	memset(by_row, 0, dims * sizeof *by_row);
	for (size_t k = 0; k < m && model->feasible; k++)
		mb_output_gradient(&model->outputs[k], row, &mean[k], &sd[k], slopes + 2 * k * dims,
				   slopes + (2 * k + 1) * dims);
	if (model->feasible)
		value = mb_log_ehvi(&model->boxes, mean, sd);
	for (size_t k = 0; k < m && model->feasible; k++) {
		double by_mean = slope(model, mean, sd, &mean[k], STEP * sd[k]);
		double by_sd = slope(model, mean, sd, &sd[k], STEP * sd[k]);

		for (size_t i = 0; i < dims; i++)
			by_row[i] += by_mean * slopes[2 * k * dims + i] + by_sd * slopes[(2 * k + 1) * dims + i];
	}
	value += mb_holds_gradient(&model->holds, row, by_row);
	free(slopes);
	return value;
}

static json_t *write_surrogate(const struct model *model)
{
	json_t *surrogate = json_object(), *objectives = json_array();

	for (size_t k = 0; k < model->m; k++)
		json_array_append_new(objectives, mb_output_write(&model->outputs[k]));
	mb_json_set(surrogate, "objectives", objectives);
	mb_holds_write(&model->holds, surrogate);
	return surrogate;
}

json_t *mb_front_point(const struct mb_history *history, struct mb_rng *rng, json_t **surrogate)
{
	const double *base[BASES];
	struct model model;
	struct mb_acquire acquire = {.history = history, .rows = &model.rows, .score = score,
				     .gradient = score_gradient, .context = &model, .base = base};
	json_t *point = NULL;

	if (model_init(&model, history, rng) == 0) {
		for (; acquire.n_base < BASES && acquire.n_base < model.n; acquire.n_base++)
			base[acquire.n_base] = &history->u[model.order[acquire.n_base] * model.rows.dims];
		point = mb_acquire(&acquire, rng);
	}
	if (point)
		*surrogate = write_surrogate(&model);
	model_release(&model);
	return point;
}
