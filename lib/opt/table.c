/* SPDX-License-Identifier: MIT
 *
 * The algorithms that are built in. A new one is a file with its entry, and a line here.
 */
#include <string.h>

#include "opt/algorithm.h"

const struct mb_algorithm *const mb_algorithms[] = {
	&mb_algorithm_auto,  &mb_algorithm_gp,  &mb_algorithm_tpe,    &mb_algorithm_cmaes, &mb_algorithm_nsga2,
	&mb_algorithm_sobol, &mb_algorithm_lhs, &mb_algorithm_random, &mb_algorithm_grid,  NULL,
};

const struct mb_algorithm *mb_algorithm_find(const char *name)
{
	for (const struct mb_algorithm *const *at = mb_algorithms; *at; at++)
		if (!strcmp((*at)->name, name))
			return *at;
	return NULL;
}

static int not_built_in(const char *where, const char *name, struct mb_err *err)
{
	const char *names[MB_COUNT(mb_algorithms)] = {0}, *near;
	struct mb_str list = {0};

	for (size_t i = 0; mb_algorithms[i]; i++) {
		names[i] = mb_algorithms[i]->name;
		mb_str_addf(&list, "%s%s", i ? ", " : "", names[i]);
	}
	near = mb_nearest(name, names);
	mb_err_set(err, MB_EXIT_USAGE, where, "\"%.100s\" is not built in, only %s", name, list.at);
	if (near)
		mb_err_hint(err, "did you mean %s?", near);
	mb_str_release(&list);
	return -1;
}

const struct mb_algorithm *mb_algorithm_choose(const struct mb_experiment *experiment, const char *option,
					       struct mb_err *err)
{
	const char *name = option ? option : experiment->algorithm;
	const struct mb_algorithm *algorithm = mb_algorithm_find(name);
	char where[sizeof err->where];

	if (algorithm)
		return !algorithm->check || algorithm->check(experiment, err) == 0 ? algorithm : NULL;
	snprintf(where, sizeof where, "%s:%d: experiment.algorithm", experiment->path, experiment->algorithm_line);
	not_built_in(option ? "--algorithm" : where, name, err);
	return NULL;
}
