/* SPDX-License-Identifier: MIT
 *
 * The space in words.
 */
#include <math.h>

#include "data/param.h"
#include "data/space_active.h"
#include "data/space_constraint.h"
#include "data/value.h"

static void add_values(const json_t *values, struct mb_str *text)
{
	mb_str_adds(text, json_array_size(values) > 1 ? "one of " : "");
	mb_value_list(values, text);
}

static void add_prior(const struct mb_param *param, struct mb_str *text)
{
	char a[MB_NUM_TEXT], b[MB_NUM_TEXT];

	mb_value_number(param->prior.a, a);
	mb_value_number(param->prior.b, b);
	if (param->prior.kind == MB_PRIOR_NORMAL)
		mb_str_addf(text, ", prior normal of mean %s, scale %s%s", a, b, param->log ? " (of log10)" : "");
	if (param->prior.kind == MB_PRIOR_BETA)
		mb_str_addf(text, ", prior beta of shapes %s, %s", a, b);
}

static void add_condition(const struct mb_space *space, const struct mb_condition *condition, struct mb_str *text)
{
	const struct mb_conditional *conditional = &space->conditionals[condition->conditional];
	json_t *allowed = json_array();

	for (size_t i = 0; i < conditional->n_values; i++)
		if (condition->allowed[i])
			json_array_append(allowed, json_array_get(conditional->values, i));
	mb_str_addf(text, " while %s is ", conditional->name);
	add_values(allowed, text);
	json_decref(allowed);
}

void mb_space_param_text(const struct mb_space *space, const struct mb_param *param, struct mb_str *text)
{
	static const char *const types[] = {"double", "int", "categorical"};
	char low[MB_NUM_TEXT], high[MB_NUM_TEXT], shown[64];

	mb_str_addf(text, "%s, ", types[param->type]);
	if (param->values)
		add_values(param->values, text);
	else
		mb_str_addf(text, "%s to %s", mb_value_number(param->min, low), mb_value_number(param->max, high));
	if (param->log)
		mb_str_adds(text, ", log");
	add_prior(param, text);
	if (param->fallback)
		mb_str_addf(text, ", default %s", mb_json_show(param->fallback, shown));
	for (size_t i = 0; i < param->n_conditions; i++) {
		mb_str_adds(text, i ? " and" : ",");
		add_condition(space, &param->conditions[i], text);
	}
}

void mb_space_constraint_text(const struct mb_space *space, const struct mb_constraint *constraint,
			      struct mb_str *text)
{
	char number[MB_NUM_TEXT];

	for (size_t i = 0; i < constraint->n_terms; i++) {
		double weight = constraint->terms[i].weight;

		mb_str_adds(text, i ? weight < 0 ? " - " : " + " : weight < 0 ? "-" : "");
		if (fabs(weight) != 1)
			mb_str_addf(text, "%s ", mb_value_number(fabs(weight), number));
		mb_str_adds(text, space->params[constraint->terms[i].param].name);
	}
	mb_str_addf(text, " %s %s", constraint->at_least ? ">=" : "<=", mb_value_number(constraint->threshold, number));
}
