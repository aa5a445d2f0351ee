/* SPDX-License-Identifier: MIT
 *
 * The experiment in SigOpt's words, and points both ways. Categorical values are texts there: what is no text stands
 * for itself as its JSON.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sigopt.h"

enum { MOST_OBJECTIVES = 2, MOST_CONSTRAINTS = 4, MOST_METRICS = 50, MOST_TEXT = 50, SHOWN_TEXT = 30 };

/* ---- what cannot be said ---- */

static int wrong(const struct mb_experiment *experiment, int line, struct mb_err *err, const char *what,
		 const char *hint)
{
	char where[sizeof err->where];

	snprintf(where, sizeof where, "%.480s:%d", experiment->path, line);
	mb_err_set(err, MB_EXIT_USAGE, where, "%s", what);
	return mb_err_hint(err, "%s", hint);
}

static char *text_of(const json_t *value)
{
	struct mb_str text = {0};

	if (json_is_string(value))
		return mb_strdup(json_string_value(value));
	mb_json_print(value, &text);
	return mb_str_take(&text);
}

/* How many bytes the first `most` characters of a text in UTF-8 take. */
static size_t bytes_of(const char *text, size_t most)
{
	size_t n = 0, characters = 0;

	for (; text[n]; n++)
		if (((unsigned char)text[n] & 0xC0) != 0x80 && characters++ == most)
			break;
	return n;
}

/* Each value's text is its own, and short enough. */
static int check_texts(const struct mb_experiment *experiment, const char *name, const json_t *values, int line,
		       struct mb_err *err)
{
	for (size_t i = 0; i < json_array_size(values); i++) {
		char *text = text_of(json_array_get(values, i)), *what = NULL;

		for (size_t j = 0; j < i && !what; j++) {
			char *other = text_of(json_array_get(values, j));

			if (!strcmp(other, text))
				what = mb_textf("%.100s: two values that are both %.100s as text; SigOpt knows values as texts",
						name, text);
			free(other);
		}
		if (!what && text[bytes_of(text, MOST_TEXT)])
			what = mb_textf("%.100s: %.*s… is longer than SigOpt's %d characters for a value", name,
					(int)bytes_of(text, SHOWN_TEXT), text, MOST_TEXT);
		free(text);
		if (what) {
			wrong(experiment, line, err, what, "algorithm: auto takes it");
			free(what);
			return -1;
		}
	}
	return 0;
}

static int check_param(const struct mb_experiment *experiment, const struct mb_param *param, struct mb_err *err)
{
	const char *no = param->type == MB_PARAM_DOUBLE   ? NULL
			 : param->log                     ? "transformation: log of an int is not SigOpt's"
			 : param->prior.kind              ? "a prior of an int is not SigOpt's"
							  : NULL;
	char *what;

	if (no) {
		what = mb_textf("%.100s: %s", param->name, no);
		wrong(experiment, param->line, err, what, "make it type: double, or algorithm: auto");
		free(what);
		return -1;
	}
	if (param->type != MB_PARAM_CATEGORICAL)
		return 0;
	if (param->n_values < 2) {
		what = mb_textf("%.100s: SigOpt wants two categorical values at least", param->name);
		wrong(experiment, param->line, err, what, "remove the parameter, or algorithm: auto");
		free(what);
		return -1;
	}
	return check_texts(experiment, param->name, param->values, param->line, err);
}

static int check_metrics(const struct mb_experiment *experiment, struct mb_err *err)
{
	size_t optimised = mb_experiment_count(experiment, MB_STRATEGY_OPTIMIZE),
	       constraints = mb_experiment_count(experiment, MB_STRATEGY_CONSTRAINT);
	int line = experiment->metrics[0].line;

	if (optimised > MOST_OBJECTIVES)
		return wrong(experiment, line, err, "metrics: SigOpt optimises two at most",
			     "strategy: store for the others, or algorithm: auto");
	if (constraints > MOST_CONSTRAINTS)
		return wrong(experiment, line, err, "metrics: SigOpt takes four constraints at most", "algorithm: auto");
	if (experiment->n_metrics > MOST_METRICS)
		return wrong(experiment, line, err, "metrics: SigOpt takes fifty at most", "remove some");
	return 0;
}

int sigopt_check(const struct mb_experiment *experiment, struct mb_err *err)
{
	const struct mb_space *space = &experiment->space;

	if (experiment->fidelity.name)
		return wrong(experiment, experiment->fidelity.line, err,
			     "fidelity: SigOpt knows no multi-fidelity search of this kind",
			     "remove it, or algorithm: auto");
	if (experiment->n_tasks)
		return wrong(experiment, experiment->tasks[0].line, err,
			     "tasks: not built in with algorithm: sigopt", "algorithm: auto takes them; or remove them");
	if (check_metrics(experiment, err) < 0)
		return -1;
	for (size_t i = 0; i < space->n_params; i++)
		if (check_param(experiment, &space->params[i], err) < 0)
			return -1;
	for (size_t i = 0; i < space->n_conditionals; i++) {
		const struct mb_conditional *conditional = &space->conditionals[i];

		if (check_texts(experiment, conditional->name, conditional->values, 1, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- the experiment ---- */

static json_t *texts_of(const json_t *values)
{
	json_t *texts = json_array();

	for (size_t i = 0; i < json_array_size(values); i++) {
		char *text = text_of(json_array_get(values, i));

		json_array_append_new(texts, json_string(text));
		free(text);
	}
	return texts;
}

static json_t *number(double value, int whole)
{
	return whole ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *prior_of(const struct mb_prior *prior)
{
	return prior->kind == MB_PRIOR_NORMAL
		       ? json_pack("{s:s, s:f, s:f}", "name", "normal", "mean", prior->a, "scale", prior->b)
		       : json_pack("{s:s, s:f, s:f}", "name", "beta", "shape_a", prior->a, "shape_b", prior->b);
}

static json_t *conditions_of(const struct mb_space *space, const struct mb_param *param)
{
	json_t *conditions = json_object();

	for (size_t i = 0; i < param->n_conditions; i++) {
		const struct mb_condition *condition = &param->conditions[i];
		const struct mb_conditional *conditional = &space->conditionals[condition->conditional];
		json_t *all = texts_of(conditional->values), *allowed = json_array();

		for (size_t j = 0; j < conditional->n_values; j++)
			if (condition->allowed[j])
				json_array_append(allowed, json_array_get(all, j));
		mb_json_set(conditions, conditional->name, allowed);
		json_decref(all);
	}
	return conditions;
}

static json_t *fallback_of(const struct mb_param *param)
{
	json_t *text;
	char *word;

	if (param->type != MB_PARAM_CATEGORICAL)
		return json_incref(param->fallback);
	word = text_of(param->fallback);
	text = json_string(word);
	free(word);
	return text;
}

static json_t *param_of(const struct mb_space *space, const struct mb_param *param)
{
	static const char *const types[] = {"double", "int", "categorical"};
	int whole = param->type == MB_PARAM_INT;
	json_t *json = json_pack("{s:s, s:s}", "name", param->name, "type", types[param->type]);

	if (param->type == MB_PARAM_CATEGORICAL)
		mb_json_set(json, "categorical_values", texts_of(param->values));
	else if (param->values)
		mb_json_set(json, "grid", json_incref(param->values));
	else
		mb_json_set(json, "bounds",
			    json_pack("{s:o, s:o}", "min", number(param->min, whole), "max", number(param->max, whole)));
	if (param->log)
		mb_json_set(json, "transformation", json_string("log"));
	if (param->prior.kind)
		mb_json_set(json, "prior", prior_of(&param->prior));
	if (param->fallback)
		mb_json_set(json, "default_value", fallback_of(param));
	if (param->n_conditions)
		mb_json_set(json, "conditions", conditions_of(space, param));
	return json;
}

static json_t *metric_of(const struct mb_metric *metric)
{
	static const char *const strategies[] = {"optimize", "store", "constraint"};
	json_t *json = json_pack("{s:s, s:s, s:s}", "name", metric->name, "objective",
				 metric->maximize ? "maximize" : "minimize", "strategy", strategies[metric->strategy]);

	if (metric->has_threshold && metric->strategy != MB_STRATEGY_STORE)
		mb_json_set(json, "threshold", json_real(metric->threshold));
	return json;
}

static json_t *constraint_of(const struct mb_space *space, const struct mb_constraint *constraint)
{
	json_t *terms = json_array();

	for (size_t i = 0; i < constraint->n_terms; i++)
		json_array_append_new(terms, json_pack("{s:s, s:f}", "name", space->params[constraint->terms[i].param].name,
						       "weight", constraint->terms[i].weight));
	return json_pack("{s:s, s:f, s:o}", "type", constraint->at_least ? "greater_than" : "less_than", "threshold",
			 constraint->threshold, "terms", terms);
}

json_t *sigopt_experiment(const struct mb_experiment *experiment, int random)
{
	const struct mb_space *space = &experiment->space;
	const struct mb_sigopt *options = &experiment->sigopt;
	json_t *params = json_array(), *metrics = json_array(), *conditionals = json_array(), *constraints = json_array();
	json_t *json = json_pack("{s:s, s:s, s:I, s:I}", "name",
				 options->experiment_name ? options->experiment_name : experiment->name, "type",
				 random ? "random" : "offline", "observation_budget",
				 (json_int_t)experiment->observation_budget, "parallel_bandwidth",
				 (json_int_t)experiment->parallel_bandwidth);

	for (size_t i = 0; i < space->n_params; i++)
		json_array_append_new(params, param_of(space, &space->params[i]));
	for (size_t i = 0; i < experiment->n_metrics; i++)
		json_array_append_new(metrics, metric_of(&experiment->metrics[i]));
	for (size_t i = 0; i < space->n_conditionals; i++)
		json_array_append_new(conditionals, json_pack("{s:s, s:o}", "name", space->conditionals[i].name, "values",
							      texts_of(space->conditionals[i].values)));
	for (size_t i = 0; i < space->n_constraints; i++)
		json_array_append_new(constraints, constraint_of(space, &space->constraints[i]));
	mb_json_set(json, "parameters", params);
	mb_json_set(json, "metrics", metrics);
	if (space->n_conditionals)
		mb_json_set(json, "conditionals", conditionals);
	else
		json_decref(conditionals);
	if (space->n_constraints)
		mb_json_set(json, "linear_constraints", constraints);
	else
		json_decref(constraints);
	if (options->project)
		mb_json_set(json, "project", json_string(options->project));
	return json;
}

/* ---- points ---- */

json_t *sigopt_assignments(const struct mb_experiment *experiment, const json_t *assignments)
{
	const struct mb_space *space = &experiment->space;
	json_t *json = json_object();
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)assignments, name, value)
	{
		int is_text = 0;

		for (size_t i = 0; i < space->n_conditionals; i++)
			is_text |= !strcmp(space->conditionals[i].name, name);
		for (size_t i = 0; i < space->n_params; i++)
			is_text |= !strcmp(space->params[i].name, name) && space->params[i].type == MB_PARAM_CATEGORICAL;
		if (is_text) {
			char *text = text_of(value);

			mb_json_set(json, name, json_string(text));
			free(text);
		} else {
			mb_json_set(json, name, json_incref(value));
		}
	}
	return json;
}

/* The value among `values` of that text, a new reference; NULL: none. */
static json_t *value_of(const json_t *values, const json_t *text)
{
	json_t *found = NULL;

	for (size_t i = 0; json_is_string(text) && !found && i < json_array_size(values); i++) {
		char *word = text_of(json_array_get(values, i));

		if (!strcmp(word, json_string_value(text)))
			found = json_incref(json_array_get(values, i));
		free(word);
	}
	return found;
}

/* The listed number nearest to what was sent, which may have lost its last digit on the way through a logarithm. */
static json_t *grid_value(const json_t *values, double sent)
{
	json_t *nearest = json_array_get(values, 0);

	for (size_t i = 1; i < json_array_size(values); i++)
		if (fabs(json_number_value(json_array_get(values, i)) - sent) < fabs(json_number_value(nearest) - sent))
			nearest = json_array_get(values, i);
	return fabs(json_number_value(nearest) - sent) <= 1e-9 * fabs(sent) ? json_incref(nearest) : NULL;
}

static json_t *param_value(const struct mb_param *param, const json_t *sent)
{
	double value = json_number_value(sent), slack = 1e-9 * fmax(fabs(param->min), fabs(param->max));

	if (param->type == MB_PARAM_CATEGORICAL)
		return value_of(param->values, sent);
	if (!json_is_number(sent))
		return NULL;
	if (param->values)
		return grid_value(param->values, value);
	if (param->type == MB_PARAM_INT)
		return json_integer((json_int_t)llround(value));
	if (value < param->min - slack || value > param->max + slack)
		return NULL;
	return json_real(fmin(fmax(value, param->min), param->max));
}

/* Whether the conditionals of `point` let the parameter be. */
static int is_active(const struct mb_space *space, const struct mb_param *param, const json_t *point)
{
	for (size_t i = 0; i < param->n_conditions; i++) {
		const struct mb_condition *condition = &param->conditions[i];
		const struct mb_conditional *conditional = &space->conditionals[condition->conditional];
		const json_t *value = json_object_get(point, conditional->name);
		size_t at = 0;

		while (at < conditional->n_values && json_array_get(conditional->values, at) != value)
			at++;
		if (at == conditional->n_values || !condition->allowed[at])
			return 0;
	}
	return 1;
}

json_t *sigopt_point(const struct mb_experiment *experiment, const json_t *assignments, struct mb_err *err)
{
	const struct mb_space *space = &experiment->space;
	json_t *point = json_object();
	char shown[64];

	for (size_t i = 0; i < space->n_conditionals + space->n_params; i++) {
		const struct mb_conditional *conditional = i < space->n_conditionals ? &space->conditionals[i] : NULL;
		const struct mb_param *param = conditional ? NULL : &space->params[i - space->n_conditionals];
		const char *name = conditional ? conditional->name : param->name;
		const json_t *sent = json_object_get(assignments, name);
		json_t *value;

		if (param && !is_active(space, param, point))
			continue;
		value = conditional ? value_of(conditional->values, sent) : param_value(param, sent);
		if (!value) {
			mb_err_set(err, MB_EXIT_SYSTEM, NULL, "the service suggests %.100s: %s, which the file does not allow",
				   name, sent ? mb_json_show(sent, shown) : "nothing");
			json_decref(point);
			return NULL;
		}
		mb_json_set(point, name, value);
	}
	if (mb_space_check(space, point, err) == 0)
		return point;
	json_decref(point);
	return NULL;
}

/* Suggestions come from sigopt.c: an algorithm of the library makes no requests. */
const struct mb_algorithm algorithm_sigopt = {
	.name = "sigopt",
	.about = "suggestions of the SigOpt service (sigopt_options, $SIGOPT_TOKEN); auto without a token",
	.check = sigopt_check,
};
