/* SPDX-License-Identifier: MIT */
#include "opt/algorithm.h"

static int check(const struct mb_experiment *experiment, struct mb_err *err)
{
	const struct mb_space *space = &experiment->space;
	char where[sizeof err->where];

	if (mb_space_size(space) != UINT64_MAX)
		return 0;
	for (const struct mb_param *param = space->params; param < space->params + space->n_params; param++) {
		if (param->type != MB_PARAM_DOUBLE || param->n_values)
			continue;
		snprintf(where, sizeof where, "%s:%d", experiment->path, param->line);
		mb_err_set(err, MB_EXIT_USAGE, where,
			   "parameters.%s: algorithm grid needs a grid: [...] for a double", param->name);
		return mb_err_hint(err, "replace bounds by grid: [%.15g, …, %.15g], or choose another algorithm",
				   param->min, param->max);
	}
	mb_err_set(err, MB_EXIT_USAGE, experiment->path,
		   "parameters: algorithm grid cannot count more than 2^63 points");
	return mb_err_hint(err, "give the int parameters a grid: [...], or choose another algorithm");
}

/* The first unseen point in the order of mb_space_at. Every earlier trial took one point, so the search starts at
 * point trial - 1 and goes back over what is unseen before it (the default point was tried out of order, or points
 * of the log are not on the grid); what users' own points made it skip is found when it wraps around. No search
 * from the first point on: that would be quadratic in the number of trials. */
static int ask(const struct mb_history *history, struct mb_suggestion *suggestion, struct mb_err *err)
{
	uint64_t size = mb_space_size(&history->experiment->space), start = (uint64_t)(history->trial - 1);

	for (start = start < size ? start : size; start; start--) {
		json_t *point = mb_space_at(&history->experiment->space, start - 1);
		int seen = mb_ask_seen(history, point);

		json_decref(point);
		if (seen)
			break;
	}
	*suggestion = (struct mb_suggestion){mb_ask_walk(history, start < size ? start : 0, size, err),
					     mb_algorithm_grid.name};
	return suggestion->assignments ? 0 : -1;
}

const struct mb_algorithm mb_algorithm_grid = {
	.name = "grid",
	.about = "every point of a countable space in order, the last parameter fastest",
	.check = check,
	.ask = ask,
};
