/* SPDX-License-Identifier: MIT */
#include "opt/stopping.h"

#include <math.h>
#include <stdlib.h>

enum { BEST = 5, WINDOW = 5 }; /* SigOpt's: the 5th best, and 5 observations a dimension */

size_t mb_curves_add(struct mb_curves *curves, const json_t *record, const struct mb_metric *metric)
{
	const json_t *rows = json_object_get(record, "epoch_metrics"), *row;
	const size_t had = curves->n;
	size_t i;

	json_array_foreach(rows, i, row) {
		const json_t *epoch = json_object_get(row, "epoch"), *value = json_object_get(row, metric->name);
		struct mb_curve_point point = {.trial = json_integer_value(json_object_get(record, "trial")),
					       .rung = json_integer_value(json_object_get(record, "rung")),
					       .epoch = json_is_integer(epoch) ? json_integer_value(epoch) : (int64_t)i + 1};

		if (!json_is_number(value))
			continue;
		point.value = metric->maximize ? -json_number_value(value) : json_number_value(value);
		MB_PUSH(curves->points, curves->n, curves->cap, point);
	}
	curves->sorted = 0;
	return curves->n - had;
}

void mb_curves_release(struct mb_curves *curves)
{
	free(curves->points);
	*curves = (struct mb_curves){0};
}

static int by_epoch(const void *a, const void *b)
{
	const struct mb_curve_point *left = a, *right = b;

	if (left->trial != right->trial)
		return left->trial < right->trial ? -1 : 1;
	if (left->epoch != right->epoch)
		return left->epoch < right->epoch ? -1 : 1;
	return left->rung > right->rung ? -1 : left->rung < right->rung;
}

/* What a trial went through on two rungs counts once. */
static void sort(struct mb_curves *curves)
{
	size_t kept = 0;

	if (curves->sorted || !curves->n)
		return;
	qsort(curves->points, curves->n, sizeof *curves->points, by_epoch);
	for (size_t i = 0; i < curves->n; i++)
		if (!kept || curves->points[i].trial != curves->points[kept - 1].trial ||
		    curves->points[i].epoch != curves->points[kept - 1].epoch)
			curves->points[kept++] = curves->points[i];
	curves->n = kept;
	curves->sorted = 1;
}

static int by_number(const void *a, const void *b)
{
	const double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

/* For each trial but `own` its mean up to the epoch; returns how many have one. */
static size_t running_means(const struct mb_curves *all, int64_t own, int64_t epoch, double *means)
{
	size_t count = 0;

	for (size_t i = 0; i < all->n;) {
		const int64_t trial = all->points[i].trial;
		double sum = 0;
		size_t rows = 0;

		for (; i < all->n && all->points[i].trial == trial; i++)
			if (all->points[i].epoch <= epoch) {
				sum += all->points[i].value;
				rows++;
			}
		if (rows && trial != own)
			means[count++] = sum / (double)rows;
	}
	return count;
}

int mb_stop_by_median(struct mb_curves *all, struct mb_curves *own, struct mb_judged *judged)
{
	double *means = mb_alloc((all->n + 1) * sizeof *means);
	size_t n;

	*judged = (struct mb_judged){.own = INFINITY, .mark = INFINITY};
	sort(all);
	sort(own);
	for (size_t i = 0; i < own->n; i++)
		judged->own = own->points[i].value < judged->own ? own->points[i].value : judged->own;
	judged->epoch = own->n ? own->points[own->n - 1].epoch : 0;
	judged->others = n = own->n ? running_means(all, own->points[0].trial, judged->epoch, means) : 0;
	qsort(means, n, sizeof *means, by_number);
	if (n)
		judged->mark = (means[(n - 1) / 2] + means[n / 2]) / 2;
	free(means);
	return n >= MB_STOP_CURVES && judged->epoch >= MB_STOP_EPOCHS && judged->own > judged->mark;
}

/* The value of the trial at that epoch, or NaN. */
static double value_at(const struct mb_curves *curves, int64_t trial, int64_t epoch)
{
	for (size_t i = 0; i < curves->n; i++)
		if (curves->points[i].trial == trial && curves->points[i].epoch == epoch)
			return curves->points[i].value;
	return NAN;
}

/* What the others had at the rung: results there, and curves of those that began above it. */
static size_t values_at_rung(const struct mb_curves *all, const struct mb_log *log, const struct mb_metric *metric,
			     int64_t own, int64_t rung, int64_t epoch, double *values)
{
	size_t n = 0;

	for (size_t i = 0; i < log->n_keys; i++) {
		const struct mb_key *key = &log->keys[i];
		double value = NAN;

		if (key->trial == own || key->status != MB_STATUS_COMPLETED)
			continue;
		if (key->rung == rung)
			value = mb_record_metric(key->result, metric->name) * (metric->maximize ? -1 : 1);
		else if (key->rung > rung && !mb_log_find(log, key->trial, rung) &&
			 !mb_log_find(log, key->trial, key->rung - 1)) /* its first rung */
			value = value_at(all, key->trial, epoch);
		if (!isnan(value))
			values[n++] = value;
	}
	return n;
}

int mb_stop_by_rung(struct mb_curves *all, struct mb_curves *own, const struct mb_ladder *ladder, const struct mb_log *log,
		    const struct mb_metric *metric, int64_t rung, struct mb_judged *judged)
{
	double *values = mb_alloc((log->n_keys + 1) * sizeof *values);
	size_t at = 0, better = 0, places;

	*judged = (struct mb_judged){.own = NAN, .mark = INFINITY};
	sort(all);
	sort(own);
	judged->epoch = own->n ? own->points[own->n - 1].epoch : 0;
	while (at < ladder->n && (int64_t)at < rung && ladder->units[at] <= judged->epoch)
		at++; /* rungs below its own that it has come to */
	if (at && !mb_log_find(log, own->points[0].trial, (int64_t)at - 1))
		judged->own = value_at(own, own->points[0].trial, ladder->units[at - 1]);
	if (at)
		judged->epoch = ladder->units[at - 1];
	if (!isnan(judged->own))
		judged->others = values_at_rung(all, log, metric, own->points[0].trial, (int64_t)at - 1,
						ladder->units[at - 1], values);
	places = (judged->others + 1) / (size_t)ladder->eta;
	qsort(values, judged->others, sizeof *values, by_number);
	for (size_t i = 0; i < judged->others; i++)
		better += values[i] < judged->own;
	if (places && places <= judged->others)
		judged->mark = values[places - 1];
	free(values);
	return places > 0 && better >= places;
}

int mb_stop_by_stagnation(const double *values, size_t n, size_t dims)
{
	const size_t window = WINDOW * dims, before = n > window ? n - window : 0;
	double *older = mb_alloc((before + 1) * sizeof *older), recent = INFINITY, fifth = INFINITY;
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		if (isnan(values[i]))
			continue;
		else if (i < before)
			older[count++] = values[i];
		else if (values[i] < recent)
			recent = values[i];
	qsort(older, count, sizeof *older, by_number);
	if (count >= BEST)
		fifth = older[BEST - 1];
	free(older);
	return count >= BEST && fifth <= recent;
}
