/* SPDX-License-Identifier: MIT
 *
 * The sections experiment, task and model.
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

static void read_cluster(struct mb_reader *reader, const struct mb_yaml *node, void *section)
{
	struct mb_experiment *experiment = section;
	const char *text = mb_reader_text(reader, node);

	if (text)
		experiment->cluster = mb_strdup(text);
	experiment->cluster_line = node->line;
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
	{"multimetric_experiment", MB_KEY_BOOL, .flags = MB_KEY_NULL | MB_KEY_CHECK}, /* by mb_check_metrics */
	/* mb-deploy's */
	{"cluster", MB_KEY_OWN, .flags = MB_KEY_NULL, .read = read_cluster},
	{"number_chain_jobs", MB_KEY_INT, .flags = MB_KEY_NULL, AT(number_chain_jobs), .min = 0, .max = 1000000},
	{"use_local_workspace", MB_KEY_BOOL, .flags = MB_KEY_NULL, AT(use_local_workspace)},
	{"conda_env", MB_KEY_TEXT, .flags = MB_KEY_NULL, AT(conda_env),
	 .line = offsetof(struct mb_experiment, conda_env_line)},
	{0},
};

void mb_read_experiment(struct mb_reader *reader, const struct mb_yaml *node, void *experiment)
{
	mb_read_section(reader, node, experiment_keys, experiment);
}

static void read_kind(struct mb_reader *reader, const struct mb_yaml *node, void *section)
{
	static const char *const kinds[] = {"classification", "regression", NULL};
	struct mb_task *task = section;
	const char *text = mb_reader_text(reader, node), *near;

	for (int i = 0; text && kinds[i]; i++)
		if (!strcmp(text, kinds[i])) {
			task->kind = i ? MB_TASK_REGRESSION : MB_TASK_CLASSIFICATION;
			return;
		}
	near = text ? mb_nearest(text, kinds) : NULL;
	if (text)
		mb_reader_wrong(reader, node, near, "classification or regression");
}

static const struct mb_key task_keys[] = {
	{"dataset", MB_KEY_TEXT, .offset = offsetof(struct mb_task, dataset)},
	{"label", MB_KEY_TEXT, .offset = offsetof(struct mb_task, label)},
	{"test", MB_KEY_TEXT, .offset = offsetof(struct mb_task, test)},
	{"kind", MB_KEY_OWN, .read = read_kind},
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
