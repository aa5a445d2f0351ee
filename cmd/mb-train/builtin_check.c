/* SPDX-License-Identifier: MIT
 *
 * The experiment file, held against the built-in job before anything starts: every value that a suggestion may have
 * is one that the job takes, so no suggestion of this experiment is a bad record later.
 */
#include <stdio.h>
#include <string.h>

#include "builtin.h"

/* Which of val_accuracy, val_macro_f1 and val_r2 there are depends on the data, see builtin_check_data. */
static const char *const metric_names[] = {"val_loss",   "val_accuracy",  "val_macro_f1", "val_r2",
					   "train_loss", "train_seconds", NULL};

/* Tries one value; the message names the key in the file instead of a record's member. Takes the value. */
static int try(const struct train *train, const struct mb_param *param, size_t index, const char *key, json_t *value,
	       struct mb_errs *errs)
{
	json_t *assignments = json_object();
	struct mb_hyper hyper;
	struct mb_err cause, err;
	char where[512];
	const char *what;
	int bad;

	mb_json_set(assignments, param->name, value);
	bad = mb_hyper_parse(assignments, NULL, &hyper, &cause);
	json_decref(assignments);
	if (!bad)
		return 0;
	snprintf(where, sizeof where, "%s:%d", train->experiment->path, param->line);
	what = strchr(cause.what, ':'); /* "assignments.NAME: VALUE is not …" */
	mb_err_set(&err, MB_EXIT_USAGE, where, "parameters[%zu].%s: %s%s", index, key, param->name,
		   what ? what : cause.what);
	if (cause.hint[0])
		mb_err_hint(&err, "%s", cause.hint);
	return mb_errs_add(errs, &err);
}

static json_t *bound(const struct mb_param *param, double value)
{
	return param->type == MB_PARAM_INT ? json_integer((json_int_t)value) : json_real(value);
}

static int is_known(const char *name)
{
	for (const struct mb_hyper_entry *entry = mb_hyper_table; entry->name; entry++)
		if (!strcmp(entry->name, name))
			return 1;
	return 0;
}

static void check_name(const struct train *train, const char *name, const char *path, int line, struct mb_errs *errs)
{
	const char *names[64];
	size_t n = 0;
	const char *near;
	struct mb_err err;
	char where[512];

	if (is_known(name))
		return;
	for (; mb_hyper_table[n].name && n + 1 < MB_COUNT(names); n++)
		names[n] = mb_hyper_table[n].name;
	names[n] = NULL;
	snprintf(where, sizeof where, line ? "%s:%d" : "%s", train->experiment->path, line);
	mb_err_set(&err, MB_EXIT_USAGE, where, "%s.name: %s is not a hyperparameter of the built-in job", path, name);
	near = mb_nearest(name, names);
	if (near)
		mb_err_hint(&err, "did you mean %s? a job of your own is model.command", near);
	else
		mb_err_hint(&err, "mb-train(1) lists them; a job of your own is model.command");
	mb_errs_add(errs, &err);
}

static void check_param(const struct train *train, size_t index, struct mb_errs *errs)
{
	const struct mb_param *param = &train->experiment->space.params[index];
	const char *key = param->type == MB_PARAM_CATEGORICAL ? "categorical_values" : "grid";
	size_t had = errs->n;
	char text[64];

	snprintf(text, sizeof text, "parameters[%zu]", index);
	check_name(train, param->name, text, param->line, errs);
	if (errs->n > had)
		return;
	for (size_t i = 0; i < param->n_values; i++) {
		snprintf(text, sizeof text, "%s[%zu]", key, i);
		try(train, param, index, text, json_incref(json_array_get(param->values, i)), errs);
	}
	if (!param->n_values) {
		try(train, param, index, "bounds.min", bound(param, param->min), errs);
		try(train, param, index, "bounds.max", bound(param, param->max), errs);
	}
	if (param->fallback)
		try(train, param, index, "default_value", json_incref(param->fallback), errs);
}

static void check_metric(const struct train *train, size_t index, struct mb_errs *errs)
{
	const struct mb_metric *metric = &train->experiment->metrics[index];
	struct mb_err err;
	char where[512];

	if (metric->strategy == MB_STRATEGY_STORE) /* mb-eval or the user may add it */
		return;
	for (size_t i = 0; metric_names[i]; i++)
		if (!strcmp(metric_names[i], metric->name))
			return;
	snprintf(where, sizeof where, "%s:%d", train->experiment->path, metric->line);
	mb_err_set(&err, MB_EXIT_USAGE, where, "metrics[%zu].name: %s is not a metric of the built-in job", index,
		   metric->name);
	mb_err_hint(&err, "it has val_loss, val_accuracy and val_macro_f1 (of classes), val_r2 (of a number), train_loss and "
			  "train_seconds");
	mb_errs_add(errs, &err);
}

/* The only thing that the network can have less of is epochs. */
static void check_fidelity(const struct train *train, struct mb_errs *errs)
{
	const struct mb_experiment *experiment = train->experiment;
	struct mb_err err;
	char where[512];

	if (experiment->fidelity.name && strcmp(experiment->fidelity.name, "epochs")) {
		snprintf(where, sizeof where, "%s:%d", experiment->path, experiment->fidelity.line);
		mb_err_set(&err, MB_EXIT_USAGE, where, "fidelity.name: %s is not a fidelity of the built-in job",
			   experiment->fidelity.name);
		mb_err_hint(&err, "it has epochs; a job of your own, model.command, takes any");
		mb_errs_add(errs, &err);
	}
	if (experiment->n_tasks) {
		snprintf(where, sizeof where, "%s:%d", experiment->path, experiment->tasks[0].line);
		mb_err_set(&err, MB_EXIT_USAGE, where, "tasks: the built-in job has one task alone");
		mb_err_hint(&err, "trainings that cost less: fidelity: {name: epochs, min: 1, max: 27}; tasks are for a "
			    "job of your own, model.command");
		mb_errs_add(errs, &err);
	}
}

int builtin_check(struct train *train, struct mb_errs *errs)
{
	const struct mb_experiment *experiment = train->experiment;
	char path[64];

	for (size_t i = 0; i < experiment->space.n_params; i++)
		check_param(train, i, errs);
	for (size_t i = 0; i < experiment->space.n_conditionals; i++) {
		snprintf(path, sizeof path, "conditionals[%zu]", i);
		check_name(train, experiment->space.conditionals[i].name, path, 0, errs);
	}
	for (size_t i = 0; i < experiment->n_metrics; i++)
		check_metric(train, i, errs);
	check_fidelity(train, errs);
	return errs->n ? -1 : 0;
}

const char *builtin_unfit(const struct builtin *builtin, const char *name)
{
	const struct mb_dataset *set = builtin->set;

	if (!set->train_x && !strcmp(name, "augment_shift"))
		return "is for images, not for a table";
	if (!set->train_x && !strcmp(name, "input_scaling"))
		return "is for images; the columns of a table are standardised";
	if (set->train_t && !strcmp(name, "label_smoothing"))
		return "is for classes, not for regression";
	return NULL;
}

static int check_data_metric(const struct train *train, const struct builtin *builtin, size_t index, struct mb_err *err)
{
	const struct mb_metric *metric = &train->experiment->metrics[index];
	const char *name = metric->name;
	char where[512];

	if (metric->strategy == MB_STRATEGY_STORE ||
	    (strcmp(name, "val_r2") && strcmp(name, "val_accuracy") && strcmp(name, "val_macro_f1")) ||
	    !strcmp(name, "val_r2") == (builtin->set->train_t != NULL))
		return 0;
	snprintf(where, sizeof where, "%s:%d", train->experiment->path, metric->line);
	mb_err_set(err, MB_EXIT_USAGE, where, "metrics[%zu].name: %s is not a metric of %s on %s", index, name,
		   builtin->set->train_t ? "regression" : "classification", builtin->set->name);
	if (builtin->set->train_t)
		return mb_err_hint(err, "val_loss and val_r2 are; or task.kind: classification");
	return mb_err_hint(err, "val_loss, val_accuracy and val_macro_f1 are%s",
			   builtin->set->train_x ? "" : "; or task.kind: regression");
}

int builtin_check_data(const struct train *train, const struct builtin *builtin, struct mb_err *err)
{
	const struct mb_experiment *experiment = train->experiment;
	char where[512];

	for (size_t i = 0; i < experiment->n_metrics; i++)
		if (check_data_metric(train, builtin, i, err) < 0)
			return -1;
	for (size_t i = 0; i < experiment->space.n_params; i++) {
		const struct mb_param *param = &experiment->space.params[i];
		const char *why = builtin_unfit(builtin, param->name);

		if (!why)
			continue;
		snprintf(where, sizeof where, "%s:%d", experiment->path, param->line);
		return mb_err_set(err, MB_EXIT_USAGE, where, "parameters[%zu].name: %s %s", i, param->name, why);
	}
	return 0;
}
