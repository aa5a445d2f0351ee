/* SPDX-License-Identifier: MIT
 *
 * The section metrics.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "data/experiment_keys.h"

static void read_objective(struct mb_reader *reader, const struct mb_yaml *node, void *section)
{
	static const char *const words[] = {"maximize", "minimize", NULL};
	struct mb_metric *metric = section;

	if (node->kind != MB_YAML_SCALAR || (strcmp(node->text, "maximize") && strcmp(node->text, "minimize")))
		mb_reader_not_one_of(reader, node, words);
	else
		metric->maximize = !strcmp(node->text, "maximize");
}

static void read_strategy(struct mb_reader *reader, const struct mb_yaml *node, void *section)
{
	static const char *const words[] = {"optimize", "store", "constraint", NULL};
	struct mb_metric *metric = section;

	for (int i = 0; node->kind == MB_YAML_SCALAR && words[i]; i++)
		if (!strcmp(node->text, words[i])) {
			metric->strategy = (enum mb_strategy)i;
			return;
		}
	mb_reader_not_one_of(reader, node, words);
}

static void read_threshold(struct mb_reader *reader, const struct mb_yaml *node, void *section)
{
	struct mb_metric *metric = section;

	if (mb_yaml_number(node, &metric->threshold) < 0)
		mb_reader_wrong(reader, node, NULL, "a number");
	else
		metric->has_threshold = 1;
}

static void read_noise(struct mb_reader *reader, const struct mb_yaml *node, void *section)
{
	struct mb_metric *metric = section;

	if (mb_yaml_number(node, &metric->noise) < 0 || metric->noise < 0)
		mb_reader_wrong(reader, node, NULL, "a standard deviation, a number >= 0");
}

static const struct mb_key metric_keys[] = {
	{"name", MB_KEY_NAME, .flags = MB_KEY_REQUIRED, .offset = offsetof(struct mb_metric, name),
	 .hint = "name: val_macro_f1"},
	{"objective", MB_KEY_OWN, .read = read_objective},
	{"strategy", MB_KEY_OWN, .read = read_strategy},
	{"threshold", MB_KEY_OWN, .flags = MB_KEY_NULL, .read = read_threshold},
	{"noise", MB_KEY_OWN, .flags = MB_KEY_NULL, .read = read_noise},
	{0},
};

/* A mapping, or a bare name. */
static void read_metric(struct mb_reader *reader, const struct mb_yaml *node, struct mb_experiment *experiment)
{
	struct mb_metric *metric = &experiment->metrics[experiment->n_metrics++];

	*metric = (struct mb_metric){.maximize = 1, .strategy = MB_STRATEGY_OPTIMIZE, .line = node->line};
	if (node->kind == MB_YAML_MAP) {
		mb_read_section(reader, node, metric_keys, metric);
	} else if (node->kind == MB_YAML_SCALAR && !mb_yaml_is_null(node)) {
		if (mb_check_name(reader, node, node->text) == 0)
			metric->name = mb_strdup(node->text);
	} else {
		mb_reader_wrong(reader, node, NULL, "a metric: {name: …, objective: …} or a bare name");
	}
	for (size_t i = 0; metric->name && i + 1 < experiment->n_metrics; i++)
		if (experiment->metrics[i].name && !strcmp(experiment->metrics[i].name, metric->name))
			mb_reader_complain(reader, node, NULL, "a second metric of the name %.100s, first in line %d",
					   metric->name, experiment->metrics[i].line);
}

void mb_read_metrics(struct mb_reader *reader, const struct mb_yaml *node, void *section)
{
	struct mb_experiment *experiment = section;
	size_t optimised = 0;

	if (mb_reader_is_list(reader, node, "metrics") < 0)
		return;
	experiment->metrics = mb_alloc(node->n * sizeof *experiment->metrics);
	for (const struct mb_yaml *item = node->first; item; item = item->next) {
		const struct mb_metric *metric = &experiment->metrics[experiment->n_metrics];

		optimised += item->bad; /* it might have been the one */
		if (item->bad)
			continue;
		read_metric(reader, item, experiment);
		optimised += metric->strategy == MB_STRATEGY_OPTIMIZE;
		if (optimised == MB_MOST_OBJECTIVES + 1)
			mb_reader_complain(reader, item, "give it strategy: store", "more than %d optimised metrics",
					   MB_MOST_OBJECTIVES);
		if (metric->strategy == MB_STRATEGY_CONSTRAINT && !metric->has_threshold &&
		    !mb_yaml_get(item, "threshold"))
			mb_reader_missing(reader, item, "threshold", "what a constraint's value is held to");
	}
	if (!optimised)
		mb_reader_complain(reader, node, "metrics: [{name: val_macro_f1, objective: maximize}]",
				   "no metric to optimise");
	for (const struct mb_yaml *item = node->first; item && optimised == 1; item = item->next) {
		const struct mb_yaml *threshold = item->kind == MB_YAML_MAP ? mb_yaml_get(item, "threshold") : NULL;
		const struct mb_yaml *strategy = threshold ? mb_yaml_get(item, "strategy") : NULL;

		if (threshold && !mb_yaml_is_null(threshold) &&
		    (!strategy || strategy->kind != MB_YAML_SCALAR || !strcmp(strategy->text, "optimize")))
			mb_reader_complain(reader, threshold, "give the metric strategy: constraint, or remove it",
					   "the only objective has no threshold");
	}
}

void mb_check_metrics(struct mb_reader *reader, const struct mb_yaml *root)
{
	const struct mb_yaml *section = mb_yaml_get(root, "experiment"), *multimetric;
	int wanted;

	if (!section || section->bad || section->kind != MB_YAML_MAP || !mb_yaml_get(root, "metrics"))
		return;
	multimetric = mb_yaml_get(section, "multimetric_experiment");
	if (!multimetric || multimetric->bad || mb_yaml_bool(multimetric, &wanted) < 0 || !wanted)
		return;
	if (mb_experiment_count(reader->experiment, MB_STRATEGY_OPTIMIZE) < 2)
		mb_reader_complain(reader, multimetric, "false, or a second metric with strategy: optimize",
				   "true needs two optimised metrics");
}
