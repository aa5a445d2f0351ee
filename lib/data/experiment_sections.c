/* SPDX-License-Identifier: MIT
 *
 * The sections experiment, metrics, task and model, and those that only mb-deploy uses.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "data/experiment_keys.h"

static void read_experiment_name(struct mb_reader *reader, const struct mb_yaml *node, void *section)
{
	struct mb_experiment *experiment = section;

	if (mb_check_experiment_name(reader, node) == 0)
		experiment->name = mb_strdup(node->text);
}

/* Whether there is such an algorithm is the program's to say: its table names them. */
static void read_algorithm(struct mb_reader *reader, const struct mb_yaml *node, void *section)
{
	struct mb_experiment *experiment = section;
	const char *text = mb_reader_text(reader, node);

	if (!text)
		return;
	if (!strcmp(text, "sigopt")) {
		mb_reader_not_built(reader, node);
		return;
	}
	free(experiment->algorithm);
	experiment->algorithm = mb_strdup(text);
	experiment->algorithm_line = node->line;
}

/* Below this no interpreter starts: a number without a unit is meant for another unit than bytes. */
static const int64_t least_memory = 1000000;

static void read_memory(struct mb_reader *reader, const struct mb_yaml *node, void *section)
{
	struct mb_experiment *experiment = section;
	int64_t bytes;

	if (node->kind != MB_YAML_SCALAR || mb_yaml_is_odd_number(node) || mb_bytes_parse(node->text, &bytes) < 0)
		mb_reader_wrong(reader, node, "memory_limit: 4 GB, or 512 MiB", "an amount of memory");
	else if (bytes < least_memory)
		mb_reader_wrong(reader, node, "memory_limit: 4 GB; without a unit it is bytes",
				"an amount of memory of 1 MB at least");
	else
		experiment->memory_limit = bytes;
}

static void read_multimetric(struct mb_reader *reader, const struct mb_yaml *node, void *section)
{
	int value;

	(void)section;
	if (mb_yaml_bool(node, &value) < 0)
		mb_reader_wrong(reader, node, NULL, "true or false");
	else if (value)
		mb_reader_not_built(reader, node);
}

#define AT(field) .offset = offsetof(struct mb_experiment, field)

static const struct mb_key experiment_keys[] = {
	{"name", MB_KEY_OWN, .read = read_experiment_name},
	{"observation_budget", MB_KEY_INT, .flags = MB_KEY_REQUIRED, AT(observation_budget), .min = 1,
	 .max = 1000000000, .hint = "how many trials to run: observation_budget: 24"},
	{"parallel_bandwidth", MB_KEY_INT, AT(parallel_bandwidth), .min = 1, .max = 1000000},
	{"seed", MB_KEY_INT, AT(seed), .min = 0, .max = MB_NUM_EXACT - 1},
	{"algorithm", MB_KEY_OWN, .read = read_algorithm},
	{"trial_timeout", MB_KEY_SECONDS, .flags = MB_KEY_NULL, AT(trial_timeout_s)},
	{"lease", MB_KEY_SECONDS, AT(lease_s)},
	{"grace", MB_KEY_SECONDS, AT(grace_s)},
	{"memory_limit", MB_KEY_OWN, .flags = MB_KEY_NULL, .read = read_memory},
	{"multimetric_experiment", MB_KEY_OWN, .flags = MB_KEY_NULL, .read = read_multimetric},
	/* mb-deploy's */
	{"cluster", MB_KEY_TEXT, .flags = MB_KEY_NULL, AT(cluster)},
	{"number_chain_jobs", MB_KEY_INT, .flags = MB_KEY_NULL | MB_KEY_CHECK, .min = 0, .max = 1000000},
	{"use_local_workspace", MB_KEY_BOOL, .flags = MB_KEY_NULL | MB_KEY_CHECK},
	{"conda_env", MB_KEY_TEXT, .flags = MB_KEY_NULL | MB_KEY_CHECK},
	{0},
};

void mb_read_experiment(struct mb_reader *reader, const struct mb_yaml *node, void *experiment)
{
	mb_read_section(reader, node, experiment_keys, experiment);
}

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
			if (metric->strategy == MB_STRATEGY_CONSTRAINT)
				mb_reader_not_built(reader, node);
			return;
		}
	mb_reader_not_one_of(reader, node, words);
}

static const struct mb_key metric_keys[] = {
	{"name", MB_KEY_NAME, .flags = MB_KEY_REQUIRED, .offset = offsetof(struct mb_metric, name),
	 .hint = "name: val_macro_f1"},
	{"objective", MB_KEY_OWN, .read = read_objective},
	{"strategy", MB_KEY_OWN, .read = read_strategy},
	{"threshold", MB_KEY_NODE, .flags = MB_KEY_NULL | MB_KEY_NOT_BUILT},
	{"noise", MB_KEY_NODE, .flags = MB_KEY_NULL | MB_KEY_NOT_BUILT},
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
	const struct mb_yaml *second = NULL;
	size_t optimised = 0;

	if (mb_reader_is_list(reader, node, "metrics") < 0)
		return;
	experiment->metrics = mb_alloc(node->n * sizeof *experiment->metrics);
	for (const struct mb_yaml *item = node->first; item; item = item->next) {
		optimised += item->bad; /* it might have been the one */
		if (item->bad)
			continue;
		read_metric(reader, item, experiment);
		optimised += experiment->metrics[experiment->n_metrics - 1].strategy == MB_STRATEGY_OPTIMIZE;
		if (optimised == 2 && !second)
			second = item;
	}
	if (!optimised)
		mb_reader_complain(reader, node, "metrics: [{name: val_macro_f1, objective: maximize}]",
				   "no metric to optimise");
	if (second)
		mb_reader_complain(reader, second, "give it strategy: store",
				   "more than one optimised metric is not built in yet");
}

static const struct mb_key task_keys[] = {
	{"dataset", MB_KEY_TEXT, .offset = offsetof(struct mb_task, dataset)},
	{"validation_split", MB_KEY_SHARE, .offset = offsetof(struct mb_task, validation_split)},
	{"data_seed", MB_KEY_INT, .offset = offsetof(struct mb_task, data_seed), .min = 0, .max = MB_NUM_EXACT - 1},
	{"epochs", MB_KEY_INT, .offset = offsetof(struct mb_task, epochs), .min = 1, .max = 1000000},
	{0},
};

void mb_read_task(struct mb_reader *reader, const struct mb_yaml *node, void *section)
{
	struct mb_task *task = &((struct mb_experiment *)section)->task, read = *task;

	read.dataset = NULL;
	mb_read_section(reader, node, task_keys, &read);
	if (read.dataset)
		free(task->dataset);
	else
		read.dataset = task->dataset;
	*task = read;
}

/* A list is argv, a text is for the shell. */
static void read_command(struct mb_reader *reader, const struct mb_yaml *node, void *section)
{
	struct mb_model *model = section;
	size_t n = 0;

	if (node->kind == MB_YAML_SCALAR && *node->text && !mb_yaml_is_null(node)) {
		model->shell = mb_strdup(node->text);
		return;
	}
	if (node->kind != MB_YAML_LIST || !node->n) {
		mb_reader_wrong(reader, node, "command: [python3, train.py], or a text for the shell",
				"a list of words, or a text");
		return;
	}
	model->command = mb_alloc((node->n + 1) * sizeof *model->command);
	for (const struct mb_yaml *item = node->first; item; item = item->next) {
		if (item->bad)
			continue;
		if (item->kind != MB_YAML_SCALAR || (!*item->text && (!item->quoted || !item->index)))
			mb_reader_wrong(reader, item, NULL, "a word of the command");
		else
			model->command[n++] = mb_strdup(item->text);
	}
}

static const struct mb_key model_keys[] = {
	{"command", MB_KEY_OWN, .read = read_command},
	{"entry_point", MB_KEY_TEXT, .offset = offsetof(struct mb_model, entry_point)},
	{"function_name", MB_KEY_TEXT, .offset = offsetof(struct mb_model, function_name)},
	{"test_function_name", MB_KEY_TEXT, .offset = offsetof(struct mb_model, test_function_name)},
	{0},
};

void mb_read_model(struct mb_reader *reader, const struct mb_yaml *node, void *section)
{
	struct mb_model *model = &((struct mb_experiment *)section)->model;
	const struct mb_yaml *entry;

	model->given = 1;
	model->line = node->line;
	if (mb_read_section(reader, node, model_keys, model) < 0)
		return;
	entry = mb_yaml_get(node, "entry_point");
	if (!entry && !mb_yaml_get(node, "command") && !mb_yaml_get(node, "function_name"))
		mb_reader_missing(reader, node, "command",
				  "command: [python3, train.py], or entry_point and function_name");
	if (entry && mb_yaml_get(node, "command"))
		mb_reader_complain(reader, entry, "keep one of the two", "given beside model.command");
	if (entry && !mb_yaml_get(node, "function_name"))
		mb_reader_missing(reader, node, "function_name", "the function of entry_point to call");
	if (!entry && mb_yaml_get(node, "function_name"))
		mb_reader_missing(reader, node, "entry_point", "the file that holds function_name");
}

static const struct mb_key git_keys[] = {
	{"git_uri", MB_KEY_TEXT, .flags = MB_KEY_NULL},
	{"branch", MB_KEY_TEXT, .flags = MB_KEY_NULL},
	{"version", MB_KEY_TEXT, .flags = MB_KEY_NULL},
	{0},
};

void mb_read_git(struct mb_reader *reader, const struct mb_yaml *node, void *experiment)
{
	(void)experiment;
	mb_read_open_section(reader, node, git_keys, NULL);
}

static const struct mb_key data_keys[] = {
	{"dataset_path", MB_KEY_TEXT, .flags = MB_KEY_NULL, AT(dataset_path)},
	{"copy_data", MB_KEY_BOOL, .flags = MB_KEY_NULL | MB_KEY_CHECK},
	{0},
};

void mb_read_data(struct mb_reader *reader, const struct mb_yaml *node, void *experiment)
{
	mb_read_open_section(reader, node, data_keys, experiment);
}

static const struct mb_key sigopt_keys[] = {
	{"dev_run", MB_KEY_BOOL, .flags = MB_KEY_NULL},
	{"project_id", MB_KEY_TEXT, .flags = MB_KEY_NULL},
	{"experiment_name", MB_KEY_TEXT, .flags = MB_KEY_NULL},
	{"client_id", MB_KEY_TEXT, .flags = MB_KEY_NULL},
	{"api_url", MB_KEY_TEXT, .flags = MB_KEY_NULL},
	{0},
};

void mb_read_sigopt(struct mb_reader *reader, const struct mb_yaml *node, void *experiment)
{
	(void)experiment;
	mb_read_open_section(reader, node, sigopt_keys, NULL);
}

void mb_read_not_built_list(struct mb_reader *reader, const struct mb_yaml *node, void *experiment)
{
	(void)experiment;
	if (node->kind != MB_YAML_LIST || node->n)
		mb_reader_not_built(reader, node);
}
