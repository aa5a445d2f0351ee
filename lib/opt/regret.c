/* SPDX-License-Identifier: MIT
 *
 * How much better than the best the optimum can be expected to be; see opt/stopping.h.
 */
#include <math.h>
#include <stdlib.h>

#include "opt/acquire.h"
#include "opt/merit.h"
#include "opt/stopping.h"
#include "opt/view.h"
#include "stat/stat.h"

enum {
	LEAST = 10,       /* results, and twice the dimensions */
	MOST = 200,       /* of the best results, and of the latest, that the model sees */
	ITERATIONS = 60,
	BASES = 5
};

static const double deviations = 2, negligible = 0.01;

struct model {
	struct mb_rows rows;
	struct mb_gp gp;
	size_t *order, n; /* the observations with values, best first */
	size_t *taken, n_taken;
	double mean, deviation;
};

static void standardise(struct model *model, const struct mb_history *history)
{
	double square = 0;

	for (size_t i = 0; i < model->n; i++)
		model->mean += history->observations[model->order[i]].value / (double)model->n;
	for (size_t i = 0; i < model->n; i++) {
		double off = history->observations[model->order[i]].value - model->mean;

		square += off * off / (double)model->n;
	}
	model->deviation = square > 0 ? sqrt(square) : 1;
}

/* order holds the best first; of the others those count that came last. */
static void take(struct model *model, const struct mb_history *history)
{
	const size_t best = model->n < MOST ? model->n : MOST;
	unsigned char *is_taken = mb_alloc(history->n + 1);
	size_t late = 0;

	for (size_t i = 0; i < best; i++)
		is_taken[model->order[i]] = 1;
	for (size_t i = history->n; i-- > 0 && late < MOST;)
		if (!history->observations[i].pending && !history->observations[i].failed && !is_taken[i]) {
			is_taken[i] = 1;
			late++;
		}
	model->taken = mb_alloc((history->n + 1) * sizeof *model->taken);
	for (size_t i = 0; i < history->n; i++)
		if (is_taken[i])
			model->taken[model->n_taken++] = i;
	free(is_taken);
}

static int model_init(struct model *model, const struct mb_history *history)
{
	const size_t dims = mb_space_dims(&history->experiment->space);
	double *row = mb_alloc(dims * sizeof *row), *theta = mb_alloc((dims + 2) * sizeof *theta);
	int bad;

	*model = (struct model){.order = mb_alloc((history->n + 1) * sizeof *model->order)};
	model->n = mb_merit(history, model->order, NULL);
	standardise(model, history);
	take(model, history);
	mb_rows_init(&model->rows, &history->experiment->space);
	mb_gp_init(&model->gp, dims, model->rows.category, model->n_taken);
	for (size_t i = 0; i < model->n_taken; i++) {
		const struct mb_observation *at = &history->observations[model->taken[i]];
		double noise = at->noise / model->deviation;

		mb_rows_put(&model->rows, &history->u[model->taken[i] * dims], row);
		mb_gp_add(&model->gp, row, (at->value - model->mean) / model->deviation, noise * noise);
	}
	mb_gp_start(dims, theta);
	mb_gp_fit(&model->gp, &mb_gp_low_noise, theta, ITERATIONS);
	bad = mb_gp_condition(&model->gp, theta);
	free(theta);
	free(row);
	return bad;
}

static void model_release(struct model *model)
{
	mb_gp_release(&model->gp);
	mb_rows_release(&model->rows);
	free(model->order);
	free(model->taken);
}

/* How low a row may go, less is more promising: so its negative. */
static void score(const void *context, const double *rows, size_t m, double *score)
{
	const struct model *model = context;
	double *variance = mb_alloc((m + 1) * sizeof *variance);

	mb_gp_predict(&model->gp, rows, m, score, variance);
	for (size_t i = 0; i < m; i++)
		score[i] = deviations * sqrt(variance[i]) - score[i];
	free(variance);
}

/* The lowest that any point may go; INFINITY when every point is taken. */
static double lowest(const struct model *model, const struct mb_history *history)
{
	const size_t dims = model->rows.dims;
	const double *base[BASES];
	struct mb_acquire acquire = {.history = history, .rows = &model->rows, .score = score, .context = model,
				     .base = base};
	double *u = mb_alloc(dims * sizeof *u), *row = mb_alloc(dims * sizeof *row), low = -INFINITY;
	struct mb_rng rng;
	json_t *point;

	for (; acquire.n_base < BASES && acquire.n_base < model->n; acquire.n_base++)
		base[acquire.n_base] = &history->u[model->order[acquire.n_base] * dims];
	mb_rng_init(&rng, history->seed, (uint64_t)history->trial, MB_RNG_SUGGEST);
	point = mb_acquire(&acquire, &rng);
	if (point) {
		mb_space_locate(&history->experiment->space, point, u);
		mb_rows_put(&model->rows, u, row);
		score(model, row, 1, &low);
		json_decref(point);
	}
	free(row);
	free(u);
	return -low;
}

/* The least upper bound of what was tried. */
static double surely(const struct model *model, const struct mb_history *history)
{
	const size_t dims = model->rows.dims;
	double *row = mb_alloc(dims * sizeof *row), least = INFINITY, mean, variance;

	for (size_t i = 0; i < model->n_taken; i++) {
		mb_rows_put(&model->rows, &history->u[model->taken[i] * dims], row);
		mb_gp_predict(&model->gp, row, 1, &mean, &variance);
		least = fmin(least, mean + deviations * sqrt(variance));
	}
	free(row);
	return least;
}

static int bound(const struct mb_history *history, struct mb_regret *regret)
{
	const size_t dims = mb_space_dims(&history->experiment->space);
	size_t n = 0;
	struct model model;
	double noise;
	int bad;

	for (size_t i = 0; i < history->n; i++)
		n += !history->observations[i].pending && !history->observations[i].failed;
	if (n < LEAST || n < 2 * dims || !mb_is_plain(history->experiment))
		return -1;
	bad = model_init(&model, history);
	if (!bad) {
		noise = mb_experiment_objective(history->experiment)->noise;
		regret->bound = fmax(0, surely(&model, history) - lowest(&model, history)) * model.deviation;
		regret->epsilon = fmax(noise, negligible * model.deviation);
	}
	model_release(&model);
	return bad;
}

int mb_expected_regret(const struct mb_history *history, struct mb_regret *regret)
{
	struct mb_view view;
	int bad;

	mb_view_init(&view, history);
	bad = bound(&view.history, regret);
	mb_view_release(&view);
	return bad;
}
