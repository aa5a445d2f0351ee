/* SPDX-License-Identifier: MIT
 *
 * Whether assignments are a point of the space, and in words why not.
 */
#include <stdlib.h>
#include <string.h>

#include "data/param.h"
#include "data/space_active.h"
#include "data/space_constraint.h"
#include "data/value.h"

static int wrong(struct mb_err *err, const char *name, const char *what, struct mb_str *expected)
{
	mb_err_set(err, MB_EXIT_RECORD, NULL, "assignments.%s: %s%s", name, what, expected->n ? expected->at : "");
	mb_str_release(expected);
	return -1;
}

static int check_conditional(const struct mb_conditional *conditional, const json_t *value, struct mb_err *err)
{
	struct mb_str expected = {0};
	char shown[64], what[80];

	if (value && mb_value_index(conditional->values, value) >= 0)
		return 0;
	mb_value_list(conditional->values, &expected);
	if (!value)
		return wrong(err, conditional->name, "missing, expected one of ", &expected);
	snprintf(what, sizeof what, "%s is not one of ", mb_json_show(value, shown));
	return wrong(err, conditional->name, what, &expected);
}

/* The first condition that does not hold. */
static int inactive(const struct mb_space *space, const struct mb_param *param, const size_t *choice,
		    struct mb_err *err)
{
	char shown[64];

	for (size_t i = 0; i < param->n_conditions; i++) {
		const struct mb_conditional *conditional = &space->conditionals[param->conditions[i].conditional];
		size_t chosen = choice[param->conditions[i].conditional];

		if (!param->conditions[i].allowed[chosen])
			return mb_err_set(err, MB_EXIT_RECORD, NULL, "assignments.%s: is not active while %s is %s",
					  param->name, conditional->name,
					  mb_json_show(json_array_get(conditional->values, chosen), shown));
	}
	return 0;
}

static int check_param(const struct mb_space *space, const struct mb_param *param, const json_t *value,
		       const size_t *choice, struct mb_err *err)
{
	struct mb_str expected = {0};
	char shown[64], what[80];

	if (!mb_param_active(param, choice))
		return value ? inactive(space, param, choice, err) : 0;
	if (value && mb_param_has(param, value))
		return 0;
	mb_param_expect(param, value, &expected);
	if (!value)
		return wrong(err, param->name, "missing, expected ", &expected);
	snprintf(what, sizeof what, "%s is not ", mb_json_show(value, shown));
	return wrong(err, param->name, what, &expected);
}

static int known(const struct mb_space *space, const char *name)
{
	for (size_t i = 0; i < space->n_conditionals; i++)
		if (!strcmp(space->conditionals[i].name, name))
			return 1;
	for (size_t i = 0; i < space->n_params; i++)
		if (!strcmp(space->params[i].name, name))
			return 1;
	return 0;
}

static int unknown(const struct mb_space *space, const char *name, struct mb_err *err)
{
	const char **names = mb_alloc((mb_space_dims(space) + 1) * sizeof *names), *nearest;
	struct mb_str shown = {0};
	size_t n = 0;

	for (size_t i = 0; i < space->n_conditionals; i++)
		names[n++] = space->conditionals[i].name;
	for (size_t i = 0; i < space->n_params; i++)
		names[n++] = space->params[i].name;
	nearest = mb_nearest(name, names);
	mb_str_add_clean(&shown, name, 60);
	mb_err_set(err, MB_EXIT_RECORD, NULL, "assignments.%s: no parameter of that name", shown.n ? shown.at : "");
	mb_str_release(&shown);
	if (nearest)
		mb_err_hint(err, "did you mean %s?", nearest);
	free(names);
	return -1;
}

static int check_names(const struct mb_space *space, const json_t *assignments, struct mb_err *err)
{
	json_t *object = (json_t *)assignments;

	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at))
		if (!known(space, json_object_iter_key(at)))
			return unknown(space, json_object_iter_key(at), err);
	return 0;
}

static int check_constraint(const struct mb_space *space, const struct mb_constraint *constraint,
			    const json_t *assignments, struct mb_err *err)
{
	struct mb_str text = {0};
	char number[MB_NUM_TEXT];
	double total;

	if (mb_constraint_holds(space, constraint, assignments, &total))
		return 0;
	mb_space_constraint_text(space, constraint, &text);
	mb_err_set(err, MB_EXIT_RECORD, NULL, "assignments: %.900s does not hold, the left side is %s", text.at,
		   mb_value_number(total, number));
	mb_str_release(&text);
	return -1;
}

int mb_space_check(const struct mb_space *space, const json_t *assignments, struct mb_err *err)
{
	size_t *choice;
	char shown[64];
	int bad = 0;

	if (!json_is_object(assignments))
		return mb_err_set(err, MB_EXIT_RECORD, NULL, "assignments: %s is not an object",
				  assignments ? mb_json_show(assignments, shown) : "null");
	if (check_names(space, assignments, err) < 0)
		return -1;
	choice = mb_space_choice(space, assignments);
	for (size_t i = 0; i < space->n_conditionals && !bad; i++)
		bad = check_conditional(&space->conditionals[i],
					json_object_get(assignments, space->conditionals[i].name), err);
	for (size_t i = 0; i < space->n_params && !bad; i++)
		bad = check_param(space, &space->params[i], json_object_get(assignments, space->params[i].name),
				  choice, err);
	for (size_t i = 0; i < space->n_constraints && !bad; i++)
		bad = check_constraint(space, &space->constraints[i], assignments, err);
	free(choice);
	return bad;
}
