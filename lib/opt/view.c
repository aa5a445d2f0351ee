/* SPDX-License-Identifier: MIT */
#include "opt/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows of one trial stand together, its highest result first, then what has no result. */
struct row {
	const struct mb_observation *observation;
	size_t rung;
};

static int by_trial(const void *a, const void *b)
{
	const struct row *left = a, *right = b;
	const struct mb_observation *one = left->observation, *other = right->observation;

	if (one->trial != other->trial)
		return one->trial < other->trial ? -1 : 1;
	if (one->pending != other->pending)
		return one->pending ? 1 : -1;
	return left->rung > right->rung ? -1 : left->rung < right->rung;
}

static int by_number(const void *a, const void *b)
{
	const double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

static int has_value(const struct row *row)
{
	return !row->observation->pending && !row->observation->failed;
}

static double value_of(const struct mb_history *history, const struct row *row, size_t metric)
{
	const size_t at = (size_t)(row->observation - history->observations);

	return history->metrics[at * history->experiment->n_metrics + metric];
}

/* What a trial gains of a metric from rung to rung + 1: the median over the trials that have results on both; 0 when none
 * has. */
static double gain(const struct mb_history *history, const struct row *rows, size_t rung, size_t metric, double *gains)
{
	size_t count = 0;

	for (size_t i = 0; i + 1 < history->n; i++) {
		double more;

		if (rows[i].rung != rung + 1 || rows[i + 1].rung != rung || !has_value(&rows[i]) ||
		    !has_value(&rows[i + 1]) || rows[i].observation->trial != rows[i + 1].observation->trial)
			continue;
		more = value_of(history, &rows[i], metric) - value_of(history, &rows[i + 1], metric);
		if (!isnan(more))
			gains[count++] = more;
	}
	qsort(gains, count, sizeof *gains, by_number);
	return count ? (gains[(count - 1) / 2] + gains[count / 2]) / 2 : 0;
}

static int by_place(const void *a, const void *b)
{
	const struct row *left = a, *right = b;

	return left->observation < right->observation ? -1 : left->observation > right->observation;
}

/* more: of each metric, to the top. */
static void take_row(struct mb_view *view, const struct mb_history *history, const struct row *row, const double *more)
{
	const struct mb_experiment *experiment = history->experiment;
	const struct mb_metric *objective = mb_experiment_objective(experiment);
	const size_t dims = mb_space_dims(&experiment->space), m = experiment->n_metrics;
	const size_t from = (size_t)(row->observation - history->observations), to = view->history.n++;

	view->observations[to] = *row->observation;
	memcpy(&view->u[to * dims], &history->u[from * dims], dims * sizeof *view->u);
	memcpy(&view->metrics[to * m], &history->metrics[from * m], m * sizeof *view->metrics);
	memcpy(&view->metrics_stddev[to * m], &history->metrics_stddev[from * m], m * sizeof *view->metrics);
	if (!has_value(row))
		return;
	for (size_t j = 0; j < m; j++)
		view->metrics[to * m + j] += more[j];
	view->observations[to].value += (objective->maximize ? -1 : 1) * more[objective - experiment->metrics];
}

void mb_view_init(struct mb_view *view, const struct mb_history *history)
{
	const struct mb_experiment *experiment = history->experiment;
	const struct mb_ladder ladder = mb_ladder_of(experiment);
	const size_t n = history->n, dims = mb_space_dims(&experiment->space), m = experiment->n_metrics;
	struct row *rows = mb_alloc((n + 1) * sizeof *rows);
	double *gains = mb_alloc((n + 1) * sizeof *gains), *to_top = mb_alloc(ladder.n * m * sizeof *to_top);
	size_t kept = 0;

	*view = (struct mb_view){.history = *history};
	view->history.n = 0;
	view->history.cache = NULL; /* values of the past change with what is gained */
	view->history.observations = view->observations = mb_alloc((n + 1) * sizeof *view->observations);
	view->history.u = view->u = mb_alloc((n * dims + 1) * sizeof *view->u);
	view->history.metrics = view->metrics = mb_alloc((n * m + 1) * sizeof *view->metrics);
	view->history.metrics_stddev = view->metrics_stddev = mb_alloc((n * m + 1) * sizeof *view->metrics_stddev);
	for (size_t i = 0; i < n; i++)
		rows[i] = (struct row){&history->observations[i], mb_ladder_rung(&ladder, history->observations[i].rung)};
	qsort(rows, n, sizeof *rows, by_trial);
	for (size_t at = (ladder.n - 1) * m; at-- > 0;)
		to_top[at] = to_top[at + m] + gain(history, rows, at / m, at % m, gains);
	for (size_t i = 0; i < n; i++)
		if (!i || rows[i - 1].observation->trial != rows[i].observation->trial)
			rows[kept++] = rows[i];
	qsort(rows, kept, sizeof *rows, by_place); /* the order of the log */
	for (size_t i = 0; i < kept; i++)
		take_row(view, history, &rows[i], &to_top[rows[i].rung * m]);
	free(to_top);
	free(gains);
	free(rows);
}

void mb_view_release(struct mb_view *view)
{
	free(view->observations);
	free(view->u);
	free(view->metrics);
	free(view->metrics_stddev);
}
