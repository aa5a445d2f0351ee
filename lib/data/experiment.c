/* SPDX-License-Identifier: MIT
 *
 * The experiment file as a whole: its sections, its defaults, and what no section can check alone.
 */
#include "data/experiment.h"

#include <stdlib.h>
#include <string.h>

#include "data/experiment_keys.h"

/* In the order of reading: the conditions of the parameters need the conditionals. */
static const struct mb_key sections[] = {
	{"experiment", MB_KEY_OWN, .flags = MB_KEY_REQUIRED, .read = mb_read_experiment,
	 .hint = "experiment: {name: first try, observation_budget: 24}"},
	{"conditionals", MB_KEY_OWN, .flags = MB_KEY_NULL, .read = mb_read_conditionals},
	{"parameters", MB_KEY_OWN, .flags = MB_KEY_REQUIRED, .read = mb_read_parameters,
	 .hint = "parameters: [{name: learning_rate, type: double, bounds: {min: 1e-5, max: 0.1}}]"},
	{"linear_constraints", MB_KEY_OWN, .flags = MB_KEY_NULL, .read = mb_read_constraints},
	{"metrics", MB_KEY_OWN, .flags = MB_KEY_REQUIRED, .read = mb_read_metrics,
	 .hint = "metrics: [{name: val_macro_f1, objective: maximize}]"},
	{"fidelity", MB_KEY_OWN, .flags = MB_KEY_NULL, .read = mb_read_fidelity},
	{"task", MB_KEY_OWN, .flags = MB_KEY_NULL, .read = mb_read_task},
	{"tasks", MB_KEY_OWN, .flags = MB_KEY_NULL, .read = mb_read_tasks},
	{"model", MB_KEY_OWN, .flags = MB_KEY_NULL, .read = mb_read_model},
	/* mb-deploy's and SigOpt's: types only */
	{"git_options", MB_KEY_OWN, .flags = MB_KEY_NULL, .read = mb_read_git},
	{"data_options", MB_KEY_OWN, .flags = MB_KEY_NULL, .read = mb_read_data},
	{"cluster_modules", MB_KEY_OWN, .flags = MB_KEY_NULL, .read = mb_read_modules},
	{"sbatch_options", MB_KEY_OWN, .flags = MB_KEY_NULL, .read = mb_read_sbatch},
	{"sigopt_options", MB_KEY_OWN, .flags = MB_KEY_NULL, .read = mb_read_sigopt},
	{0},
};

static struct mb_experiment *new_experiment(const char *path)
{
	struct mb_experiment *experiment = mb_alloc(sizeof *experiment);

	experiment->path = mb_strdup(path);
	experiment->folder = mb_path_dir(path);
	experiment->code = mb_strdup(experiment->folder);
	experiment->parallel_bandwidth = mb_cores();
	experiment->algorithm = mb_strdup("auto");
	experiment->lease_s = 3600;
	experiment->grace_s = 10;
	experiment->task.dataset = mb_strdup("fashion-mnist");
	experiment->task.validation_split = 0.2;
	experiment->task.data_seed = 1337;
	experiment->task.epochs = 5;
	experiment->use_local_workspace = 1;
	return experiment;
}

/* `name` defaults to the one that SigOpt's section gives. */
static void find_name(struct mb_reader *reader, const struct mb_yaml *root)
{
	const struct mb_yaml *section = mb_yaml_get(root, "experiment"), *name = NULL;
	const struct mb_yaml *sigopt = mb_yaml_get(root, "sigopt_options");

	if (!section || section->bad || section->kind != MB_YAML_MAP || mb_yaml_get(section, "name"))
		return;
	if (sigopt && !sigopt->bad && sigopt->kind == MB_YAML_MAP)
		name = mb_yaml_get(sigopt, "experiment_name");
	if (!name || (!name->bad && mb_yaml_is_null(name)))
		mb_reader_missing(reader, section, "name", "name: first try, or sigopt_options.experiment_name");
	else if (!name->bad && name->kind == MB_YAML_SCALAR && mb_check_experiment_name(reader, name) == 0)
		reader->experiment->name = mb_strdup(name->text);
}

static int by_line(const void *a, const void *b)
{
	const struct mb_complaint *left = a, *right = b;

	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	return left->sequence < right->sequence ? -1 : 1;
}

/* All complaints in the order of the file: the reader's own and those of the YAML underneath, errs[before] and on. */
static void hand_over(struct mb_reader *reader, size_t before, struct mb_errs *errs)
{
	for (size_t i = before; i < errs->n; i++) {
		struct mb_complaint complaint = {.sequence = i, .err = errs->at[i]};
		const char *colon = strrchr(complaint.err.where, ':');
		int64_t line = 0;

		if (colon)
			mb_num_int(colon + 1, &line);
		complaint.line = (int)line;
		MB_PUSH(reader->at, reader->n, reader->cap, complaint);
	}
	errs->n = before;
	if (reader->n)
		qsort(reader->at, reader->n, sizeof *reader->at, by_line);
	for (size_t i = 0; i < reader->n; i++)
		mb_errs_add(errs, &reader->at[i].err);
	free(reader->at);
}

static struct mb_yaml *read_yaml(const char *path, struct mb_errs *errs)
{
	struct mb_str text = {0};
	struct mb_yaml *root = NULL;
	struct mb_err err;

	if (mb_file_read(path, MB_YAML_BYTES, &text, &err) < 0) {
		if (err.code == MB_EXIT_SYSTEM)
			mb_err_hint(&err, "name the experiment file: -e FILE, or MB_EXPERIMENT=FILE");
		err.code = MB_EXIT_USAGE;
		mb_errs_add(errs, &err);
	} else {
		root = mb_yaml_parse(text.at, text.n, path, errs);
	}
	mb_str_release(&text);
	return root;
}

struct mb_experiment *mb_experiment_read(const char *path, struct mb_errs *errs)
{
	struct mb_reader reader = {.path = path};
	size_t before = errs->n;
	struct mb_yaml *root = read_yaml(path, errs);

	if (!root)
		return NULL;
	reader.experiment = new_experiment(path);
	if (mb_read_section(&reader, root, sections, reader.experiment) == 0) {
		find_name(&reader, root);
		mb_check_metrics(&reader, root);
	}
	hand_over(&reader, before, errs);
	mb_yaml_free(root);
	if (errs->n == before)
		return reader.experiment;
	mb_experiment_free(reader.experiment);
	return NULL;
}

static void free_model(struct mb_model *model)
{
	for (char **word = model->command; word && *word; word++)
		free(*word);
	free(model->command);
	free(model->shell);
	free(model->entry_point);
	free(model->function_name);
	free(model->test_function_name);
}

void mb_experiment_free(struct mb_experiment *experiment)
{
	if (!experiment)
		return;
	mb_space_release(&experiment->space);
	free_model(&experiment->model);
	for (size_t i = 0; i < experiment->n_metrics; i++)
		free(experiment->metrics[i].name);
	free(experiment->metrics);
	free(experiment->task.dataset);
	free(experiment->task.label);
	free(experiment->task.test);
	free(experiment->algorithm);
	mb_experiment_free_cluster(experiment);
	mb_experiment_free_fidelity(experiment);
	free(experiment->name);
	free(experiment->path);
	free(experiment->folder);
	free(experiment->code);
	free(experiment->commit);
	free(experiment->environment);
	free(experiment);
}

const struct mb_metric *mb_experiment_objective(const struct mb_experiment *experiment)
{
	for (size_t i = 0; i < experiment->n_metrics; i++)
		if (experiment->metrics[i].strategy == MB_STRATEGY_OPTIMIZE)
			return &experiment->metrics[i];
	return NULL;
}

size_t mb_experiment_count(const struct mb_experiment *experiment, enum mb_strategy strategy)
{
	size_t n = 0;

	for (size_t i = 0; i < experiment->n_metrics; i++)
		n += experiment->metrics[i].strategy == strategy;
	return n;
}
