/* SPDX-License-Identifier: MIT */
#include "chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double drawn(double value)
{
	return fabs(value) < 1e-200 ? 0 : value > 1e200 ? 1e200 : value < -1e200 ? -1e200 : value;
}

double chart_metric(const json_t *record, const char *name)
{
	return drawn(mb_record_metric(record, name));
}

static int by_number(const void *a, const void *b)
{
	const struct mb_key *left = ((const struct chart_trial *)a)->key;
	const struct mb_key *right = ((const struct chart_trial *)b)->key;

	if (left->trial != right->trial)
		return left->trial < right->trial ? -1 : 1;
	return left->rung < right->rung ? -1 : left->rung > right->rung;
}

static void gather(struct chart *chart)
{
	const struct mb_ranking *ranking = &chart->ranking;

	for (size_t i = 0; i < ranking->n; i++)
		chart->trials[chart->n++] = (struct chart_trial){
			.key = ranking->keys[i],
			.value = chart_metric(ranking->keys[i]->result, chart->objectives[0]->name),
			.standing = i < ranking->feasible ? CHART_GOOD : CHART_BREAKS,
			.front = i < ranking->front};
	for (size_t i = 0; i < chart->log->n_keys; i++)
		if (chart->log->keys[i].status == MB_STATUS_FAILED)
			chart->trials[chart->n++] = (struct chart_trial){
				.key = &chart->log->keys[i], .value = NAN, .standing = CHART_FAILED};
}

void chart_init(struct chart *chart, const struct mb_experiment *experiment, const struct mb_log *log)
{
	double best = NAN;

	*chart = (struct chart){.experiment = experiment,
				.log = log,
				.trials = mb_alloc((log->n_keys + 1) * sizeof *chart->trials)};
	for (size_t i = 0; i < experiment->n_metrics; i++)
		if (experiment->metrics[i].strategy == MB_STRATEGY_OPTIMIZE)
			chart->objectives[chart->n_objectives++] = &experiment->metrics[i];
	mb_ranking_init(&chart->ranking, log, experiment);
	gather(chart);
	qsort(chart->trials, chart->n, sizeof *chart->trials, by_number);
	for (size_t i = 0, seen = 0; i < chart->n; i++) {
		struct chart_trial *trial = &chart->trials[i];

		chart->counts[trial->standing]++;
		if (trial->standing == CHART_GOOD &&
		    (isnan(best) || (chart->objectives[0]->maximize ? trial->value > best : trial->value < best)))
			best = trial->value;
		trial->best = best;
		if (trial->standing == CHART_FAILED)
			continue;
		chart->low = seen ? fmin(chart->low, trial->value) : trial->value;
		chart->high = seen++ ? fmax(chart->high, trial->value) : trial->value;
	}
	chart->log_value = chart->low > 0 && chart->high / chart->low > 1000;
}

void chart_release(struct chart *chart)
{
	mb_ranking_release(&chart->ranking);
	free(chart->trials);
	*chart = (struct chart){0};
}

struct chart_axis chart_axis(const struct chart *chart, size_t dim)
{
	const struct mb_space *space = &chart->experiment->space;
	struct chart_axis axis = {0};

	if (dim < space->n_conditionals) {
		axis.name = space->conditionals[dim].name;
		axis.words = space->conditionals[dim].values;
	} else {
		axis.param = &space->params[dim - space->n_conditionals];
		axis.name = axis.param->name;
		axis.words = axis.param->type == MB_PARAM_CATEGORICAL ? axis.param->values : NULL;
		axis.low = axis.param->log ? fmax(axis.param->min, 1e-200) : drawn(axis.param->min);
		axis.high = drawn(axis.param->max);
		axis.log = axis.param->log;
	}
	if (axis.words) {
		axis.low = 0;
		axis.high = (double)json_array_size(axis.words) - 1;
		axis.log = 0;
	}
	for (size_t i = 0; i < chart->n; i++) { /* a user's own points, and those of an older file, may lie outside */
		double at;

		if (chart_place(&axis, chart->trials[i].key, &at) == 0) {
			axis.low = fmin(axis.low, at);
			axis.high = fmax(axis.high, at);
		}
	}
	return axis;
}

void chart_pad(double *low, double *high, int log_scale, double below, double above)
{
	double from = log_scale ? log(*low) : *low, to = log_scale ? log(*high) : *high, extent;

	if (!(to > from)) {
		double half = log_scale ? log(2) : from ? fabs(from) / 10 : 1;

		from -= half;
		to += half;
	}
	extent = to - from;
	*low = log_scale ? exp(from - below * extent) : from - below * extent;
	*high = log_scale ? exp(to + above * extent) : to + above * extent;
}

void chart_values(const struct chart *chart, double *low, double *high, double *failed)
{
	*low = *failed = chart->low;
	*high = chart->high;
	if (chart->counts[CHART_FAILED])
		chart_pad(failed, &(double){chart->high}, chart->log_value, 0.08, 0);
	chart_pad(low, high, chart->log_value, chart->counts[CHART_FAILED] ? 0.14 : 0.05, 0.08);
}

int chart_place(const struct chart_axis *axis, const struct mb_key *key, double *at)
{
	const json_t *record = key->result ? key->result : key->issue;
	const json_t *value = json_object_get(json_object_get(record, "assignments"), axis->name), *word;
	size_t i;

	if (!value)
		return -1;
	if (!axis->words) {
		*at = drawn(json_number_value(value));
		return json_is_number(value) && (!axis->log || *at > 0) ? 0 : -1;
	}
	json_array_foreach(axis->words, i, word)
		if (json_equal(word, value) || (json_is_number(word) && json_is_number(value) &&
						json_number_value(word) == json_number_value(value))) {
			*at = (double)i;
			return 0;
		}
	return -1;
}

double chart_share(const struct chart_axis *axis, double at)
{
	if (!(axis->high > axis->low))
		return 0.5;
	return axis->log ? (log(at) - log(axis->low)) / (log(axis->high) - log(axis->low))
			 : (at - axis->low) / (axis->high - axis->low);
}

double chart_jitter(const struct chart_axis *axis, const struct mb_key *key)
{
	double golden = (double)key->trial * 0.6180339887498949; /* multiples of it lie evenly, however many there are */

	return axis->words ? (golden - floor(golden) - 0.5) / 2 : 0;
}

void chart_word(const json_t *word, struct mb_str *text)
{
	if (json_is_string(word))
		mb_str_adds(text, json_string_value(word));
	else
		mb_json_print(word, text);
}

enum chart_standing chart_standing(const struct chart *chart, const struct mb_key *key)
{
	return key->status == MB_STATUS_FAILED			      ? CHART_FAILED
	       : mb_is_feasible(chart->experiment, key->result) ? CHART_GOOD
								      : CHART_BREAKS;
}

const char *chart_curve_metric(const struct chart *chart)
{
	const char *objective = chart->objectives[0]->name, *first = NULL, *name;
	json_t *row, *value;
	size_t e;

	for (size_t i = 0; i < chart->log->n_keys; i++)
		json_array_foreach(json_object_get(chart->log->keys[i].result, "epoch_metrics"), e, row) {
			if (json_is_number(json_object_get(row, objective)))
				return objective;
			json_object_foreach(row, name, value)
				if (!first && json_is_number(value) && strcmp(name, "epoch"))
					first = name;
		}
	return first;
}

int chart_curve_point(const json_t *rows, size_t i, const char *metric, double *epoch, double *value)
{
	const json_t *row = json_array_get(rows, i), *number = json_object_get(row, metric), *count;

	if (!json_is_number(number))
		return -1;
	count = json_object_get(row, "epoch");
	*epoch = json_is_number(count) ? json_number_value(count) : (double)i + 1;
	*value = drawn(json_number_value(number));
	return 0;
}
