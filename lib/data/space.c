/* SPDX-License-Identifier: MIT
 *
 * Points of the space and their coordinates.
 */
#include "data/space.h"

#include <math.h>
#include <stdlib.h>

#include "data/param.h"
#include "data/space_active.h"
#include "data/space_constraint.h"
#include "data/value.h"

size_t mb_space_dims(const struct mb_space *space)
{
	return space->n_conditionals + space->n_params;
}

size_t *mb_space_choice(const struct mb_space *space, const json_t *assignments)
{
	size_t *choice = mb_alloc(space->n_conditionals * sizeof *choice);

	for (size_t i = 0; i < space->n_conditionals; i++) {
		const struct mb_conditional *conditional = &space->conditionals[i];
		const json_t *value = json_object_get(assignments, conditional->name);

		choice[i] = value ? (size_t)mb_value_index(conditional->values, value) : MB_NO_CHOICE;
	}
	return choice;
}

int mb_param_active(const struct mb_param *param, const size_t *choice)
{
	for (size_t i = 0; i < param->n_conditions; i++) {
		const struct mb_condition *condition = &param->conditions[i];
		size_t chosen = choice[condition->conditional];

		if (chosen == MB_NO_CHOICE || !condition->allowed[chosen])
			return 0;
	}
	return 1;
}

json_t *mb_space_point(const struct mb_space *space, const double *u)
{
	json_t *assignments = json_object();
	size_t *choice = mb_alloc(space->n_conditionals * sizeof *choice);

	for (size_t i = 0; i < space->n_conditionals; i++) {
		const struct mb_conditional *conditional = &space->conditionals[i];

		choice[i] = mb_cell(u[i], conditional->n_values);
		mb_json_set(assignments, conditional->name,
			    json_incref(json_array_get(conditional->values, choice[i])));
	}
	for (size_t i = 0; i < space->n_params; i++)
		if (mb_param_active(&space->params[i], choice))
			mb_json_set(assignments, space->params[i].name,
				    mb_param_decode(&space->params[i], u[space->n_conditionals + i]));
	free(choice);
	return assignments;
}

/* The number of term `term`, in the assignments or, when these are NULL, at u. */
static double term_value(const struct mb_space *space, const struct mb_term *term, const json_t *assignments,
			 const double *u)
{
	const struct mb_param *param = &space->params[term->param];

	return assignments ? json_number_value(json_object_get(assignments, param->name))
			   : mb_param_number(param, u[space->n_conditionals + term->param]);
}

/* 0.1 + 0.2 is to be at most 0.3: what rounding can have done does not count. */
static int holds(const struct mb_space *space, const struct mb_constraint *constraint, const json_t *assignments,
		 const double *u, double *total)
{
	double size = fabs(constraint->threshold);

	*total = 0;
	for (size_t i = 0; i < constraint->n_terms; i++) {
		double part = constraint->terms[i].weight * term_value(space, &constraint->terms[i], assignments, u);

		*total += part;
		size += fabs(part);
	}
	return constraint->at_least ? *total >= constraint->threshold - 1e-12 * size
				    : *total <= constraint->threshold + 1e-12 * size;
}

int mb_constraint_holds(const struct mb_space *space, const struct mb_constraint *constraint,
			const json_t *assignments, double *total)
{
	return holds(space, constraint, assignments, NULL, total);
}

int mb_space_allows(const struct mb_space *space, const json_t *assignments)
{
	double total;

	for (size_t i = 0; i < space->n_constraints; i++)
		if (!mb_constraint_holds(space, &space->constraints[i], assignments, &total))
			return 0;
	return 1;
}

int mb_space_allows_at(const struct mb_space *space, const double *u)
{
	double total;

	for (size_t i = 0; i < space->n_constraints; i++)
		if (!holds(space, &space->constraints[i], NULL, u, &total))
			return 0;
	return 1;
}

void mb_space_settle(const struct mb_space *space, double *u)
{
	size_t *choice = mb_alloc(space->n_conditionals * sizeof *choice);

	for (size_t i = 0; i < space->n_conditionals; i++) {
		choice[i] = mb_cell(u[i], space->conditionals[i].n_values);
		u[i] = mb_cell_middle(choice[i], space->conditionals[i].n_values);
	}
	for (size_t i = 0; i < space->n_params; i++) {
		const struct mb_param *param = &space->params[i];
		double *at = &u[space->n_conditionals + i];

		if (!mb_param_active(param, choice))
			*at = NAN;
		else
			mb_param_settle(param, at);
	}
	free(choice);
}

int mb_space_cell(const struct mb_space *space, size_t dim, double u, double *low, double *high)
{
	size_t n;

	if (dim >= space->n_conditionals)
		return mb_param_cell(&space->params[dim - space->n_conditionals], u, low, high);
	n = space->conditionals[dim].n_values;
	*low = (double)mb_cell(u, n) / (double)n;
	*high = (double)(mb_cell(u, n) + 1) / (double)n;
	return 1;
}

static int has_default(const struct mb_space *space)
{
	for (size_t i = 0; i < space->n_params; i++)
		if (space->params[i].fallback)
			return 1;
	return 0;
}

json_t *mb_space_default(const struct mb_space *space)
{
	json_t *assignments;
	size_t *choice;

	if (!has_default(space))
		return NULL;
	assignments = json_object();
	choice = mb_alloc(space->n_conditionals * sizeof *choice); /* zeroed: the first value of each */
	for (size_t i = 0; i < space->n_conditionals; i++)
		mb_json_set(assignments, space->conditionals[i].name,
			    json_incref(json_array_get(space->conditionals[i].values, 0)));
	for (size_t i = 0; i < space->n_params; i++) {
		const struct mb_param *param = &space->params[i];
		double u = param->type == MB_PARAM_CATEGORICAL ? 0 : 0.5;

		if (mb_param_active(param, choice))
			mb_json_set(assignments, param->name,
				    param->fallback ? json_incref(param->fallback) : mb_param_decode(param, u));
	}
	free(choice);
	if (mb_space_allows(space, assignments))
		return assignments;
	json_decref(assignments);
	return NULL;
}

/* The coordinates of the active parameters; -1 when a value is missing or outside. Counts the members used. */
static int locate_params(const struct mb_space *space, const json_t *assignments, const size_t *choice, double *u,
			 size_t *used)
{
	for (size_t i = 0; i < space->n_params; i++) {
		const struct mb_param *param = &space->params[i];
		double *at = &u[space->n_conditionals + i];
		const json_t *value;

		*at = NAN;
		if (!mb_param_active(param, choice))
			continue;
		value = json_object_get(assignments, param->name);
		if (!value || mb_param_encode(param, value, at) < 0)
			return -1;
		++*used;
	}
	return 0;
}

int mb_space_locate(const struct mb_space *space, const json_t *assignments, double *u)
{
	size_t *choice = mb_space_choice(space, assignments);
	size_t used = space->n_conditionals;
	int bad = 0;

	for (size_t i = 0; i < space->n_conditionals; i++) {
		bad |= choice[i] == MB_NO_CHOICE;
		u[i] = mb_cell_middle(choice[i], space->conditionals[i].n_values);
	}
	/* A member left over is an unknown name or an inactive parameter: not a point of this space. */
	if (!bad)
		bad = locate_params(space, assignments, choice, u, &used) < 0 ||
		      used != json_object_size(assignments);
	free(choice);
	return bad ? -1 : 0;
}

uint64_t mb_space_key(const struct mb_space *space, const json_t *assignments)
{
	size_t *choice = mb_space_choice(space, assignments);
	uint64_t key = 0;

	for (size_t i = 0; i < space->n_conditionals; i++)
		key = mb_value_hash(json_object_get(assignments, space->conditionals[i].name), key);
	for (size_t i = 0; i < space->n_params; i++)
		if (mb_param_active(&space->params[i], choice))
			key = mb_value_hash(json_object_get(assignments, space->params[i].name),
					    mb_hash_mix(key + i));
	free(choice);
	return key;
}

void mb_space_release(struct mb_space *space)
{
	for (size_t i = 0; i < space->n_params; i++) {
		struct mb_param *param = &space->params[i];

		for (size_t j = 0; j < param->n_conditions; j++)
			free(param->conditions[j].allowed);
		free(param->conditions);
		free(param->name);
		json_decref(param->values);
		json_decref(param->fallback);
	}
	for (size_t i = 0; i < space->n_conditionals; i++) {
		free(space->conditionals[i].name);
		json_decref(space->conditionals[i].values);
	}
	for (size_t i = 0; i < space->n_constraints; i++)
		free(space->constraints[i].terms);
	free(space->constraints);
	free(space->params);
	free(space->conditionals);
	*space = (struct mb_space){0};
}
