/* SPDX-License-Identifier: MIT
 *
 * The sections fidelity and tasks: trainings that cost less than a full one.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "data/experiment_keys.h"

static const struct mb_key fidelity_keys[] = {
	{"name", MB_KEY_NAME, .flags = MB_KEY_REQUIRED, .offset = offsetof(struct mb_fidelity, name),
	 .hint = "name: epochs"},
	{"min", MB_KEY_INT, .offset = offsetof(struct mb_fidelity, min), .min = 1, .max = 1000000},
	{"max", MB_KEY_INT, .flags = MB_KEY_REQUIRED, .offset = offsetof(struct mb_fidelity, max), .min = 2,
	 .max = 1000000, .hint = "of a full training: max: 27"},
	{"eta", MB_KEY_INT, .offset = offsetof(struct mb_fidelity, eta), .min = 2, .max = 1000},
	{0},
};

void mb_read_fidelity(struct mb_reader *reader, const struct mb_yaml *node, void *section)
{
	struct mb_fidelity *fidelity = &((struct mb_experiment *)section)->fidelity;

	*fidelity = (struct mb_fidelity){.min = 1, .eta = 3, .line = node->line};
	if (mb_read_section(reader, node, fidelity_keys, fidelity) == 0 && fidelity->max &&
	    fidelity->min >= fidelity->max)
		mb_reader_complain(reader, node, NULL, "min %lld is not below max %lld", (long long)fidelity->min,
				   (long long)fidelity->max);
}

static void read_cost(struct mb_reader *reader, const struct mb_yaml *node, void *section)
{
	struct mb_cost_task *task = section;

	if (mb_yaml_number(node, &task->cost) < 0 || !(task->cost > 0) || task->cost > 1)
		mb_reader_wrong(reader, node, NULL, "a number in (0, 1], as a share of the full training");
}

static const struct mb_key task_keys[] = {
	{"name", MB_KEY_NAME, .flags = MB_KEY_REQUIRED, .offset = offsetof(struct mb_cost_task, name),
	 .hint = "name: full"},
	{"cost", MB_KEY_OWN, .flags = MB_KEY_REQUIRED, .read = read_cost, .hint = "cost: 1"},
	{0},
};

static int by_cost(const void *a, const void *b)
{
	const struct mb_cost_task *left = a, *right = b;

	if (left->cost != right->cost)
		return left->cost < right->cost ? -1 : 1;
	return left->line < right->line ? -1 : left->line > right->line;
}

void mb_read_tasks(struct mb_reader *reader, const struct mb_yaml *node, void *section)
{
	struct mb_experiment *experiment = section;
	const struct mb_yaml *twice = NULL;
	size_t full = 0;

	if (mb_reader_is_list(reader, node, "tasks") < 0 || !node->n)
		return;
	experiment->tasks = mb_alloc(node->n * sizeof *experiment->tasks);
	for (const struct mb_yaml *item = node->first; item; item = item->next) {
		struct mb_cost_task *task = &experiment->tasks[experiment->n_tasks];

		if (item->bad)
			continue;
		experiment->n_tasks++;
		*task = (struct mb_cost_task){.line = item->line};
		mb_read_section(reader, item, task_keys, task);
		full += task->cost == 1;
		if (full == 2 && !twice)
			twice = item;
		for (size_t i = 0; task->name && i + 1 < experiment->n_tasks; i++)
			if (experiment->tasks[i].name && !strcmp(experiment->tasks[i].name, task->name))
				mb_reader_complain(reader, item, NULL, "a second task of the name %.100s, first in line %d",
						   task->name, experiment->tasks[i].line);
	}
	if (!full)
		mb_reader_complain(reader, node, "cost: 1", "no task is the full one");
	if (twice)
		mb_reader_complain(reader, twice, NULL, "a second task of cost 1");
	if (experiment->fidelity.name)
		mb_reader_complain(reader, node, "keep one of the two", "given beside fidelity");
	if (experiment->n_tasks > MB_MOST_RUNGS)
		mb_reader_complain(reader, node, NULL, "%zu tasks, at most %d are possible", experiment->n_tasks,
				   MB_MOST_RUNGS);
	qsort(experiment->tasks, experiment->n_tasks, sizeof *experiment->tasks, by_cost);
}

void mb_experiment_free_fidelity(struct mb_experiment *experiment)
{
	free(experiment->fidelity.name);
	for (size_t i = 0; i < experiment->n_tasks; i++)
		free(experiment->tasks[i].name);
	free(experiment->tasks);
}
