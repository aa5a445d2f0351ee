/* SPDX-License-Identifier: MIT
 *
 * Bayesian optimisation: a Gaussian process over all parameters, and the point where its log expected improvement is
 * largest. After D. R. Jones, M. Schonlau and W. J. Welch, "Efficient global optimization of expensive black-box functions"
 * (1998); S. Ament and others, "Unexpected improvements to expected improvement" (2023).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "opt/acquire.h"
#include "opt/algorithm.h"
#include "opt/front.h"
#include "opt/holds.h"
#include "opt/merit.h"
#include "stat/stat.h"

enum {
	MOST_START = 3,    /* points before the model is asked; 2 in one dimension */
	BASES = 5,         /* best trials that are varied */
	ITERATIONS = 30,   /* of a fit */
	MANY = 6,          /* parameters that a wide search is for */
	SETTLED = 64,      /* results from which on an earlier fit's optimum is start enough … */
	PRIOR_START = 4,   /* … but for one fit in so many, which starts in the middle of the prior too */
	RANDOM_START = 5,  /* one fit in so many has a random start as well */
	MOST_FITTED = 200, /* observations for the hyperparameters; of more, a choice of so many … */
	REFIT = 32,        /* … whenever so many are new */
	FITTED_BEST = 64, FITTED_NEWEST = 64 /* of the choice; the others are spread evenly over all ranks */
};

#define NOISY 0.01 /* variance of the noise, of all values' 1 */

/* What is to be improved on lies this many standard deviations of y beyond the best value, in turn: a search that only
 * polishes its best point does not find a better region. Regret after 60 trials of 22 problems, 10 to 20 seeds each: without
 * .184, with 0, 1/4, 1/2, 1 and 5 points before the model .117, with these and 3 points .105 (s.e. .005). */
static const double margins[] = {0, 0.25, 0.5, 1, 2};

struct model {
	const struct mb_history *history;
	struct mb_rows rows;
	struct mb_gp gp;
	struct mb_holds holds;
	size_t *finished; /* observations with a value, the best first */
	size_t n, feasible, failed;
	double *theta;
	size_t fitted; /* results that theta knows of */
	double *weight; /* of the prior logs; NULL: the process is of the values themselves */
	double *expected; /* by the prior logs, of each result: what is taken from its value */
	double target;
};

static size_t count_values(const struct mb_history *history)
{
	size_t n = 0;

	for (size_t i = 0; i < history->n; i++)
		n += !history->observations[i].pending && !history->observations[i].failed;
	return n;
}

/* ---- before there is a model ---- */

static size_t start_points(const struct mb_history *history)
{
	size_t most = mb_space_dims(&history->experiment->space) + 1;

	return most < MOST_START ? most : MOST_START;
}

/* The best points of prior logs; or the middle of the space, then points that fill it. */
static int ask_start(const struct mb_history *history, struct mb_suggestion *suggestion, struct mb_err *err)
{
	const struct mb_space *space = &history->experiment->space;
	double *u = mb_alloc(mb_space_dims(space) * sizeof *u);
	json_t *centre = history->transfer ? mb_transfer_point(history->transfer, history) : NULL;

	if (centre) {
		free(u);
		*suggestion = (struct mb_suggestion){centre, "prior-log", NULL};
		return 0;
	}
	for (size_t i = 0; i < mb_space_dims(space); i++)
		u[i] = 0.5;
	centre = mb_space_point(space, u);
	free(u);
	if (history->trial == 1 && mb_ask_takes(history, centre)) {
		*suggestion = (struct mb_suggestion){centre, "centre", NULL};
		return 0;
	}
	json_decref(centre);
	return mb_algorithm_sobol.ask(history, suggestion, err);
}

/* ---- the model ---- */

/* The turn's margin, less where few parameters are active: there is not so much that could be overlooked. */
static double find_margin(const struct mb_history *history)
{
	size_t conditionals = history->experiment->space.n_conditionals, dims = mb_space_dims(&history->experiment->space);
	double active = 0;

	for (size_t i = 0; i < history->n; i++)
		for (size_t j = conditionals; j < dims; j++)
			active += !isnan(history->u[i * dims + j]);
	active /= (double)history->n * MANY;
	return margins[history->n % MB_COUNT(margins)] * (active < 1 ? active : 1);
}

/* The values of the results in the order of the log, made fit for the model; returns what 1 of them is. */
static double find_values(const struct model *model, double *y)
{
	const struct mb_history *history = model->history;
	size_t n = 0;

	for (size_t i = 0; i < history->n; i++)
		if (!history->observations[i].pending && !history->observations[i].failed)
			y[n++] = history->observations[i].value;
	return mb_standardise(y, n);
}

/* What failed says nothing of the values; where that is, model->holds knows. */
static void add_results(struct model *model)
{
	const struct mb_history *history = model->history;
	double *y = mb_alloc((model->n + model->rows.dims) * sizeof *y), *row = y + model->n;
	double unit = find_values(model, y);
	size_t at = 0;

	for (size_t i = 0; i < history->n; i++) {
		const struct mb_observation *observation = &history->observations[i];
		double noise = observation->noise / unit;

		model->failed += observation->failed && !observation->pending;
		if (observation->pending || observation->failed)
			continue;
		mb_rows_put(&model->rows, &history->u[i * model->rows.dims], row);
		mb_gp_add(&model->gp, row, y[at++], noise * noise);
	}
	free(y);
}

/* The best feasible value, or where values are noisy the best that the model believes: the luckiest of many is no mark. */
static double find_best(const struct model *model)
{
	const struct mb_gp *gp = &model->gp;
	unsigned char *is_feasible;
	double *mean = mb_alloc(gp->n * (1 + gp->dims) * sizeof *mean), *rows = mean + gp->n, noise = 0, best = INFINITY;

	for (size_t i = 0; i < gp->n; i++) {
		noise += gp->noise[i] / (double)gp->n;
		for (size_t j = 0; j < gp->dims; j++)
			rows[i * gp->dims + j] = gp->x[j * gp->cap + i];
	}
	if (noise + exp(model->theta[MB_GP_NOISE(gp->dims)]) > NOISY)
		mb_gp_predict(gp, rows, gp->n, mean, NULL);
	else
		memcpy(mean, gp->y, gp->n * sizeof *mean);
	is_feasible = mb_alloc(model->history->n);
	for (size_t i = 0; i < model->feasible; i++)
		is_feasible[model->finished[i]] = 1;
	for (size_t i = 0, at = 0; i < model->history->n && at < model->n; i++)
		if (!model->history->observations[i].pending && !model->history->observations[i].failed) {
			double value = mean[at] + (model->expected ? model->expected[at] : 0);

			best = is_feasible[i] && value < best ? value : best;
			at++;
		}
	free(is_feasible);
	free(mean);
	return best;
}

static json_t *write_surrogate(const struct model *model)
{
	size_t dims = model->rows.dims;
	json_t *surrogate = json_object(), *length = json_array();

	for (size_t i = 0; i < dims; i++)
		json_array_append_new(length, json_real(exp(model->theta[i])));
	mb_json_set(surrogate, "length", length);
	mb_json_set(surrogate, "amplitude", json_real(exp(model->theta[MB_GP_AMPLITUDE(dims)])));
	mb_json_set(surrogate, "noise", json_real(exp(model->theta[MB_GP_NOISE(dims)])));
	mb_json_set(surrogate, "results", json_integer((json_int_t)model->fitted));
	mb_holds_write(&model->holds, surrogate);
	if (model->history->transfer) {
		json_t *weights = json_array();

		for (size_t i = 0; i < mb_transfer_count(model->history->transfer); i++)
			json_array_append_new(weights, json_real(model->weight ? model->weight[i] : 0));
		mb_json_set(surrogate, "prior_logs", weights);
	}
	return surrogate;
}

static void try_start(struct model *model, const struct mb_gp *gp, const double *start, double *best)
{
	size_t count = model->rows.dims + 2;
	double *theta = mb_alloc(count * sizeof *theta), value;

	memcpy(theta, start, count * sizeof *theta);
	value = mb_gp_fit(gp, &mb_gp_low_noise, theta, ITERATIONS);
	if (value < *best) {
		*best = value;
		memcpy(model->theta, theta, count * sizeof *theta);
	}
	free(theta);
}

/* Marks what the hyperparameters of many results are fitted to. */
static void choose_some(const struct model *model, unsigned char *chosen)
{
	size_t n = model->gp.n, left = MOST_FITTED - FITTED_BEST - FITTED_NEWEST;

	for (size_t i = 0; i < FITTED_BEST && i < model->n; i++)
		chosen[model->finished[i]] = 1;
	for (size_t i = model->history->n, newest = 0; i-- > 0 && newest < FITTED_NEWEST;)
		if (!model->history->observations[i].pending && !model->history->observations[i].failed) {
			chosen[i] = 1;
			newest++;
		}
	for (size_t i = 0; i < left && n > left; i++)
		chosen[model->finished[i * model->n / left]] = 1;
}

/* Of many results some are enough, and not every time. */
static void fit_some(struct model *model)
{
	const struct mb_history *history = model->history;
	size_t dims = model->rows.dims, at = 0;
	double *row, best = INFINITY, *start = mb_alloc((dims + 2) * sizeof *start);
	unsigned char *chosen;
	struct mb_gp some;

	mb_gp_start(dims, start);
	mb_gp_start(dims, model->theta);
	if (mb_surrogate_read(history->surrogate, dims, start) == 0) {
		memcpy(model->theta, start, (dims + 2) * sizeof *start);
		model->fitted = (size_t)json_integer_value(json_object_get(history->surrogate, "results"));
		if (model->fitted / REFIT == model->n / REFIT) {
			free(start);
			return;
		}
	}
	chosen = mb_alloc(history->n);
	row = mb_alloc(dims * sizeof *row);
	choose_some(model, chosen);
	mb_gp_init(&some, dims, model->rows.category, MOST_FITTED);
	for (size_t i = 0; i < history->n; i++) {
		if (chosen[i]) {
			mb_rows_put(&model->rows, &history->u[i * dims], row);
			mb_gp_add(&some, row, model->gp.y[at], model->gp.noise[at]);
		}
		at += !history->observations[i].pending && !history->observations[i].failed;
	}
	model->fitted = model->n;
	try_start(model, &some, start, &best);
	mb_gp_release(&some);
	free(row);
	free(chosen);
	free(start);
}

/* Returns minus the log of how probable the values are, where all of them are fitted to. */
static double fit(struct model *model, struct mb_rng *rng)
{
	size_t dims = model->rows.dims;
	double *start, best = INFINITY;
	int known;

	if (model->gp.n > MOST_FITTED) {
		fit_some(model);
		return best;
	}
	start = mb_alloc((dims + 2) * sizeof *start);
	mb_gp_start(dims, model->theta);
	mb_gp_start(dims, start);
	model->fitted = model->n;
	known = mb_surrogate_read(model->history->surrogate, dims, start) == 0;
	if (known)
		try_start(model, &model->gp, start, &best);
	if (!known || model->gp.n < SETTLED || model->gp.n % PRIOR_START == 0) {
		mb_gp_start(dims, start);
		try_start(model, &model->gp, start, &best);
	}
	if (mb_rng_below(rng, RANDOM_START) == 0) {
		mb_gp_start(dims, start);
		for (size_t i = 0; i < dims; i++)
			start[i] = 0.7 * mb_rng_normal(rng);
		try_start(model, &model->gp, start, &best);
	}
	free(start);
	return best;
}

/* ---- prior logs ---- */

/* The process becomes one of what the values differ from the prior logs by. */
static void take_expected(struct model *model, double sign)
{
	for (size_t i = 0; i < model->gp.n; i++)
		model->gp.y[i] -= sign * model->expected[i];
}

static void drop_prior(struct model *model)
{
	free(model->weight);
	free(model->expected);
	model->weight = model->expected = NULL;
}

/* Prior logs that rank the results better than chance are taken for the mean of the process, if the values are then more
 * probable than without: `own` is minus the log of that. The weights' scale was fitted to them and costs what a parameter
 * does (G. Schwarz, "Estimating the dimension of a model", 1978). */
static void weigh_prior(struct model *model, const double *rows, double own, struct mb_rng *rng)
{
	const struct mb_transfer *transfer = model->history->transfer;
	size_t n = model->gp.n, count = model->rows.dims + 2;
	double *theta;

	model->weight = mb_alloc(mb_transfer_count(transfer) * sizeof *model->weight);
	model->expected = mb_alloc(n * sizeof *model->expected);
	if (!mb_transfer_weigh(transfer, rows, model->gp.y, n, model->weight)) {
		drop_prior(model);
		return;
	}
	theta = mb_alloc(count * sizeof *theta);
	memcpy(theta, model->theta, count * sizeof *theta);
	mb_transfer_add(transfer, model->weight, rows, n, model->expected);
	take_expected(model, 1);
	if (!(fit(model, rng) + log((double)n) / 2 < own)) {
		take_expected(model, -1);
		memcpy(model->theta, theta, count * sizeof *theta);
		drop_prior(model);
	}
	free(theta);
}

/* Of many results the own ones say enough. */
static void fit_with_prior(struct model *model, struct mb_rng *rng)
{
	const struct mb_gp *gp = &model->gp;
	double own = fit(model, rng), *rows;

	if (!model->history->transfer || gp->n > MOST_FITTED)
		return;
	rows = mb_alloc(gp->n * gp->dims * sizeof *rows);
	for (size_t i = 0; i < gp->n; i++)
		for (size_t j = 0; j < gp->dims; j++)
			rows[i * gp->dims + j] = gp->x[j * gp->cap + i];
	weigh_prior(model, rows, own, rng);
	free(rows);
}

/* Open trials are taken to come out as the model expects, and so are those that failed: nothing is to be learned there. */
static void believe(struct model *model)
{
	const struct mb_history *history = model->history;
	double *row = mb_alloc(model->rows.dims * sizeof *row);

	for (size_t i = 0; i < history->n; i++) {
		if (!history->observations[i].pending && !history->observations[i].failed)
			continue;
		mb_rows_put(&model->rows, &history->u[i * model->rows.dims], row);
		mb_gp_believe(&model->gp, row); /* one that cannot be told from another adds nothing */
	}
	free(row);
}

static int model_init(struct model *model, const struct mb_history *history, struct mb_rng *rng)
{
	*model = (struct model){.history = history, .finished = mb_alloc((history->n + 1) * sizeof *model->finished)};
	mb_rows_init(&model->rows, &history->experiment->space);
	mb_gp_init(&model->gp, model->rows.dims, model->rows.category, history->n);
	model->theta = mb_alloc((model->rows.dims + 2) * sizeof *model->theta);
	model->n = mb_merit(history, model->finished, &model->feasible);
	add_results(model);
	fit_with_prior(model, rng);
	if (mb_gp_condition(&model->gp, model->theta) < 0)
		return -1;
	model->target = find_best(model);
	if (mb_is_plain(history->experiment) && !model->failed) /* else the margins lead to where it is bad anyway */
		model->target -= find_margin(history);
	believe(model);
	mb_holds_init(&model->holds, &model->rows, history, rng);
	return 0;
}

static void model_release(struct model *model)
{
	mb_gp_release(&model->gp);
	mb_holds_release(&model->holds);
	mb_rows_release(&model->rows);
	drop_prior(model);
	free(model->finished);
	free(model->theta);
}

/* ---- the acquisition ---- */

static void score(const void *context, const double *rows, size_t m, double *score)
{
	const struct model *model = context;
	double *variance = mb_alloc((m + 1) * sizeof *variance);

	mb_gp_predict(&model->gp, rows, m, score, variance);
	if (model->weight)
		mb_transfer_add(model->history->transfer, model->weight, rows, m, score);
	for (size_t i = 0; i < m; i++)
		score[i] = model->feasible ? mb_log_ei(score[i], sqrt(variance[i]) + 1e-9, model->target) : 0;
	mb_holds_add(&model->holds, rows, m, score);
	free(variance);
}

static double score_gradient(const void *context, const double *row, double *by_row)
{
	const struct model *model = context;
	size_t dims = model->rows.dims;
	double *by_variance = mb_alloc(dims * sizeof *by_variance), mean, variance, sd, by_mean, by_sd, value;

	if (!model->feasible) {
		memset(by_row, 0, dims * sizeof *by_row);
		free(by_variance);
		return mb_holds_gradient(&model->holds, row, by_row);
	}
	mb_gp_predict_gradient(&model->gp, row, &mean, &variance, by_row, by_variance);
	if (model->weight)
		mean += mb_transfer_gradient(model->history->transfer, model->weight, row, by_row);
	sd = sqrt(variance) + 1e-9;
	value = mb_log_ei_gradient(mean, sd, model->target, &by_mean, &by_sd);
	for (size_t i = 0; i < dims; i++)
		by_row[i] = by_mean * by_row[i] + by_sd * by_variance[i] / (2 * sd);
	value += mb_holds_gradient(&model->holds, row, by_row);
	free(by_variance);
	return value;
}

static json_t *best_point(const struct model *model, struct mb_rng *rng)
{
	const double *base[BASES];
	struct mb_acquire acquire = {.history = model->history, .rows = &model->rows, .score = score,
				     .gradient = score_gradient, .context = model, .base = base,
				     .brief = model->gp.factored > MOST_FITTED};

	for (; acquire.n_base < BASES && acquire.n_base < model->n; acquire.n_base++)
		base[acquire.n_base] = &model->history->u[model->finished[acquire.n_base] * model->rows.dims];
	return mb_acquire(&acquire, rng);
}

static int ask(const struct mb_history *history, struct mb_suggestion *suggestion, struct mb_err *err)
{
	size_t start = start_points(history);
	struct model model;
	struct mb_rng rng;

	if (history->n < start || count_values(history) < start)
		return ask_start(history, suggestion, err);
	mb_rng_init(&rng, history->seed, (uint64_t)history->trial, MB_RNG_SUGGEST);
	*suggestion = (struct mb_suggestion){.algorithm = mb_algorithm_gp.name};
	if (mb_experiment_count(history->experiment, MB_STRATEGY_OPTIMIZE) > 1) {
		suggestion->assignments = mb_front_point(history, &rng, &suggestion->surrogate);
	} else {
		if (model_init(&model, history, &rng) == 0) {
			suggestion->assignments = best_point(&model, &rng);
			suggestion->surrogate = suggestion->assignments ? write_surrogate(&model) : NULL;
		}
		model_release(&model);
	}
	if (suggestion->assignments)
		return 0;
	return mb_ask_unseen(history, mb_draw_random, mb_algorithm_random.name, suggestion, err);
}

const struct mb_algorithm mb_algorithm_gp = {
	.name = "gp",
	.about = "Bayesian optimisation: a Gaussian process and its log expected improvement",
	.takes_prior_logs = 1,
	.ask = ask,
};
