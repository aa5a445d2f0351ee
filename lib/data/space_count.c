/* SPDX-License-Identifier: MIT
 *
 * How many points a space has, and which is the n-th. With conditionals the space is a sum over the combinations of
 * their values, each a product over the parameters that are active there; the experiment file keeps the combinations
 * few enough to walk through.
 */
#include <stdlib.h>

#include "data/param.h"
#include "data/space_active.h"

#define UNCOUNTABLE UINT64_MAX
#define MOST ((uint64_t)1 << 63)

static uint64_t times(uint64_t a, uint64_t b)
{
	if (a == UNCOUNTABLE || b == UNCOUNTABLE || (b && a > MOST / b))
		return UNCOUNTABLE;
	return a * b;
}

/* Points of one combination. */
static uint64_t size_of(const struct mb_space *space, const size_t *choice)
{
	uint64_t size = 1;

	for (size_t i = 0; i < space->n_params; i++)
		if (mb_param_active(&space->params[i], choice))
			size = times(size, mb_param_count(&space->params[i]));
	return size;
}

/* The next combination, the last conditional fastest; 0 after the last one. */
static int next_choice(const struct mb_space *space, size_t *choice)
{
	for (size_t i = space->n_conditionals; i-- > 0;) {
		if (++choice[i] < space->conditionals[i].n_values)
			return 1;
		choice[i] = 0;
	}
	return 0;
}

uint64_t mb_space_size(const struct mb_space *space)
{
	size_t *choice = mb_alloc(space->n_conditionals * sizeof *choice);
	uint64_t total = 0;

	do {
		uint64_t size = size_of(space, choice);

		total = size == UNCOUNTABLE || total > MOST - size ? UNCOUNTABLE : total + size;
	} while (total != UNCOUNTABLE && next_choice(space, choice));
	free(choice);
	return total;
}

json_t *mb_space_at(const struct mb_space *space, uint64_t index)
{
	size_t *choice = mb_alloc(space->n_conditionals * sizeof *choice);
	json_t *assignments = json_object();
	uint64_t size;

	while (index >= (size = size_of(space, choice)) && next_choice(space, choice))
		index -= size;
	for (size_t i = 0; i < space->n_conditionals; i++)
		mb_json_set(assignments, space->conditionals[i].name,
			    json_incref(json_array_get(space->conditionals[i].values, choice[i])));
	for (size_t i = 0; i < space->n_params; i++) {
		const struct mb_param *param = &space->params[i];

		if (!mb_param_active(param, choice))
			continue;
		size /= mb_param_count(param); /* points that share this parameter's value */
		mb_json_set(assignments, param->name, mb_param_nth(param, index / size));
		index %= size;
	}
	free(choice);
	return assignments;
}
