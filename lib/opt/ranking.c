/* SPDX-License-Identifier: MIT */
#include "opt/ranking.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stat/stat.h"

/* By how much the value breaks the threshold; at most 0 when it does not. */
static double excess(const struct mb_metric *metric, double value)
{
	return metric->maximize ? metric->threshold - value : value - metric->threshold;
}

int mb_is_feasible(const struct mb_experiment *experiment, const json_t *record)
{
	for (size_t i = 0; i < experiment->n_metrics; i++) {
		const struct mb_metric *metric = &experiment->metrics[i];

		if (metric->strategy == MB_STRATEGY_CONSTRAINT &&
		    !(excess(metric, mb_record_metric(record, metric->name)) <= 0))
			return 0;
	}
	return 1;
}

void mb_violation(const struct mb_experiment *experiment, const double *metrics, size_t n, double *violation)
{
	size_t m = experiment->n_metrics;

	memset(violation, 0, n * sizeof *violation);
	for (size_t k = 0; k < m; k++) {
		const struct mb_metric *metric = &experiment->metrics[k];
		double most = 0;

		if (metric->strategy != MB_STRATEGY_CONSTRAINT)
			continue;
		for (size_t i = 0; i < n; i++)
			most = fmax(most, excess(metric, metrics[i * m + k])); /* fmax passes a NaN over */
		for (size_t i = 0; i < n; i++) {
			double over = excess(metric, metrics[i * m + k]);

			violation[i] += isnan(over) ? 1 : over > 0 ? over / most : 0;
		}
	}
}

struct entry {
	const struct mb_key *key;
	double violation, first; /* first: the first objective, less is better */
	size_t rank;
};

static int by_merit(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;

	if (left->violation != right->violation)
		return left->violation < right->violation ? -1 : 1;
	if (left->rank != right->rank)
		return left->rank < right->rank ? -1 : 1;
	if (left->first != right->first)
		return left->first < right->first ? -1 : 1;
	return left->key->trial < right->key->trial ? -1 : left->key->trial > right->key->trial;
}

static size_t objectives_of(const struct mb_experiment *experiment, const struct mb_metric **objectives)
{
	size_t m = 0;

	for (size_t i = 0; i < experiment->n_metrics; i++)
		if (experiment->metrics[i].strategy == MB_STRATEGY_OPTIMIZE)
			objectives[m++] = &experiment->metrics[i];
	return m;
}

static int64_t highest_rung(const struct mb_log *log)
{
	int64_t highest = 0;

	for (size_t i = 0; i < log->n_keys; i++)
		if (log->keys[i].status == MB_STATUS_COMPLETED && log->keys[i].rung > highest)
			highest = log->keys[i].rung;
	return highest;
}

struct table {
	struct entry *entries;
	double *points;  /* n × m, less is better */
	double *metrics; /* n × experiment->n_metrics */
	size_t n;
};

/* What is ranked, in the order of the log. */
static void gather(struct table *table, const struct mb_log *log, const struct mb_experiment *experiment,
		   const struct mb_metric *const *objectives, size_t m)
{
	int64_t rung = highest_rung(log);

	for (size_t i = 0; i < log->n_keys; i++) {
		const struct mb_key *key = &log->keys[i];
		double *point = table->points + table->n * m;
		int whole = key->result && key->status == MB_STATUS_COMPLETED && key->rung == rung;

		for (size_t k = 0; k < m && whole; k++) {
			double value = mb_record_metric(key->result, objectives[k]->name);

			point[k] = objectives[k]->maximize ? -value : value;
			whole = !isnan(value);
		}
		if (!whole)
			continue;
		for (size_t k = 0; k < experiment->n_metrics; k++)
			table->metrics[table->n * experiment->n_metrics + k] =
				mb_record_metric(key->result, experiment->metrics[k].name);
		table->entries[table->n++] = (struct entry){.key = key, .first = point[0]};
	}
}

/* Fronts of the feasible, and their volume. */
static void weigh(struct mb_ranking *ranking, struct table *table, const struct mb_metric *const *objectives, size_t m)
{
	double *points = mb_alloc((table->n + 1) * m * sizeof *points), given[MB_MOST_OBJECTIVES];
	size_t *rank = mb_alloc((table->n + 1) * sizeof *rank), n = 0;

	for (size_t i = 0; i < table->n; i++)
		if (table->entries[i].violation == 0)
			memcpy(points + n++ * m, table->points + i * m, m * sizeof *points);
	mb_pareto_ranks(points, n, m, rank);
	for (size_t i = 0, at = 0; i < table->n; i++)
		if (table->entries[i].violation == 0) {
			ranking->front += rank[at] == 0;
			table->entries[i].rank = rank[at++];
		}
	ranking->feasible = n;
	if (m == 1 && ranking->front)
		ranking->front = 1; /* of equal ones the earliest */
	for (size_t k = 0; k < m; k++)
		given[k] = !objectives[k]->has_threshold ? NAN
			 : objectives[k]->maximize	 ? -objectives[k]->threshold
							 : objectives[k]->threshold;
	if (n && m > 1) {
		mb_pareto_reference(points, n, m, given, ranking->reference);
		ranking->hypervolume = mb_hypervolume(points, n, m, ranking->reference);
		for (size_t k = 0; k < m; k++)
			if (objectives[k]->maximize)
				ranking->reference[k] = -ranking->reference[k];
	}
	free(rank);
	free(points);
}

void mb_ranking_init(struct mb_ranking *ranking, const struct mb_log *log, const struct mb_experiment *experiment)
{
	const struct mb_metric *objectives[MB_MOST_OBJECTIVES];
	size_t m = objectives_of(experiment, objectives), rows = log->n_keys + 1;
	struct table table = {.entries = mb_alloc(rows * sizeof *table.entries),
			      .points = mb_alloc(rows * m * sizeof *table.points),
			      .metrics = mb_alloc(rows * experiment->n_metrics * sizeof *table.metrics)};
	double *violation = mb_alloc(rows * sizeof *violation);

	*ranking = (struct mb_ranking){.keys = mb_alloc(rows * sizeof *ranking->keys)};
	gather(&table, log, experiment, objectives, m);
	mb_violation(experiment, table.metrics, table.n, violation);
	for (size_t i = 0; i < table.n; i++)
		table.entries[i].violation = violation[i];
	weigh(ranking, &table, objectives, m);
	qsort(table.entries, table.n, sizeof *table.entries, by_merit);
	for (size_t i = 0; i < table.n; i++)
		ranking->keys[i] = table.entries[i].key;
	ranking->n = table.n;
	free(violation);
	free(table.entries);
	free(table.points);
	free(table.metrics);
}

void mb_ranking_release(struct mb_ranking *ranking)
{
	free(ranking->keys);
	*ranking = (struct mb_ranking){0};
}
