/* SPDX-License-Identifier: MIT */
#include "opt/merit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stat/stat.h"

struct entry {
	size_t index, rank;
	double violation, value, crowding;
};

static int by_merit(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;

	if (left->violation != right->violation)
		return left->violation < right->violation ? -1 : 1;
	if (left->rank != right->rank)
		return left->rank < right->rank ? -1 : 1;
	if (left->crowding != right->crowding)
		return left->crowding > right->crowding ? -1 : 1;
	if (left->value != right->value)
		return left->value < right->value ? -1 : 1;
	return left->index < right->index ? -1 : left->index > right->index;
}

int mb_is_plain(const struct mb_experiment *experiment)
{
	return mb_experiment_count(experiment, MB_STRATEGY_OPTIMIZE) <= 1 &&
	       !mb_experiment_count(experiment, MB_STRATEGY_CONSTRAINT);
}

void mb_objectives(const struct mb_history *history, const size_t *list, size_t n, double *points)
{
	const struct mb_experiment *experiment = history->experiment;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < experiment->n_metrics; k++) {
			double value = history->metrics[list[i] * experiment->n_metrics + k];

			if (experiment->metrics[k].strategy == MB_STRATEGY_OPTIMIZE)
				*points++ = experiment->metrics[k].maximize ? -value : value;
		}
}

void mb_thresholds(const struct mb_experiment *experiment, double *given)
{
	for (size_t k = 0; k < experiment->n_metrics; k++) {
		const struct mb_metric *metric = &experiment->metrics[k];

		if (metric->strategy == MB_STRATEGY_OPTIMIZE)
			*given++ = !metric->has_threshold ? NAN : metric->maximize ? -metric->threshold : metric->threshold;
	}
}

static void add_violations(const struct mb_history *history, struct entry *entries, size_t n)
{
	size_t m = history->experiment->n_metrics;
	double *rows = mb_alloc((n + 1) * m * sizeof *rows), *violation = mb_alloc((n + 1) * sizeof *violation);

	for (size_t i = 0; i < n; i++)
		memcpy(rows + i * m, history->metrics + entries[i].index * m, m * sizeof *rows);
	mb_violation(history->experiment, rows, n, violation);
	for (size_t i = 0; i < n; i++)
		entries[i].violation = violation[i];
	free(violation);
	free(rows);
}

/* Entry's crowding among those of its own front. */
static void add_crowding(struct entry **members, const double *const *points, size_t n, size_t m)
{
	double *rows = mb_alloc((n + 1) * m * sizeof *rows), *distance = mb_alloc((n + 1) * sizeof *distance);

	for (size_t i = 0; i < n; i++)
		memcpy(rows + i * m, points[i], m * sizeof *rows);
	mb_pareto_crowding(rows, n, m, distance);
	for (size_t i = 0; i < n; i++)
		members[i]->crowding = distance[i];
	free(distance);
	free(rows);
}

/* Fronts among the feasible: the first n entries. */
static void add_fronts(const struct mb_history *history, struct entry *entries, size_t n, size_t m)
{
	size_t *list = mb_alloc((n + 1) * sizeof *list), *rank = mb_alloc((n + 1) * sizeof *rank), fronts;
	struct entry **members = mb_alloc((n + 1) * sizeof *members);
	const double **rows = mb_alloc((n + 1) * sizeof *rows);
	double *points = mb_alloc((n + 1) * m * sizeof *points);

	for (size_t i = 0; i < n; i++)
		list[i] = entries[i].index;
	mb_objectives(history, list, n, points);
	fronts = mb_pareto_ranks(points, n, m, rank);
	for (size_t front = 0; front < fronts; front++) {
		size_t count = 0;

		for (size_t i = 0; i < n; i++)
			if (rank[i] == front) {
				entries[i].rank = front;
				rows[count] = points + i * m;
				members[count++] = &entries[i];
			}
		add_crowding(members, rows, count, m);
	}
	free(points);
	free(rows);
	free(members);
	free(rank);
	free(list);
}

size_t mb_merit(const struct mb_history *history, size_t *order, size_t *feasible)
{
	const struct mb_experiment *experiment = history->experiment;
	struct entry *entries = mb_alloc((history->n + 1) * sizeof *entries);
	size_t n = 0, good = 0, m = mb_experiment_count(experiment, MB_STRATEGY_OPTIMIZE);

	for (size_t i = 0; i < history->n; i++) {
		const struct mb_observation *observation = &history->observations[i];

		if (!observation->pending && !observation->failed)
			entries[n++] = (struct entry){.index = i, .value = observation->value};
	}
	if (mb_experiment_count(experiment, MB_STRATEGY_CONSTRAINT))
		add_violations(history, entries, n);
	qsort(entries, n, sizeof *entries, by_merit);
	while (good < n && entries[good].violation == 0)
		good++;
	if (m > 1) {
		add_fronts(history, entries, good, m);
		qsort(entries, good, sizeof *entries, by_merit);
	}
	for (size_t i = 0; i < n; i++)
		order[i] = entries[i].index;
	if (feasible)
		*feasible = good;
	free(entries);
	return n;
}
