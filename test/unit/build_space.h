/* SPDX-License-Identifier: MIT
 *
 * Search spaces made by hand, for the tests of what is done with them. Include after check.h.
 */
#ifndef MB_TEST_BUILD_SPACE_H
#define MB_TEST_BUILD_SPACE_H

#include <stdlib.h>

#include "data/space.h"

static json_t *json(const char *text)
{
	struct mb_err err;
	json_t *value = mb_json_parse(text, strlen(text), "test", &err);

	if (!value)
		FAIL("%s: %s", text, err.what);
	return value;
}

static struct mb_param *add_param(struct mb_space *space, const char *name, enum mb_param_type type)
{
	struct mb_param *param;

	space->params = mb_realloc(space->params, (space->n_params + 1) * sizeof *space->params);
	param = &space->params[space->n_params++];
	*param = (struct mb_param){.name = mb_strdup(name), .type = type, .line = 1};
	return param;
}

static struct mb_param *add_range(struct mb_space *space, const char *name, enum mb_param_type type, double min,
				  double max, int log)
{
	struct mb_param *param = add_param(space, name, type);

	param->min = min;
	param->max = max;
	param->log = log;
	return param;
}

static struct mb_param *add_values(struct mb_space *space, const char *name, enum mb_param_type type,
				   const char *values)
{
	struct mb_param *param = add_param(space, name, type);

	param->values = json(values);
	param->n_values = json_array_size(param->values);
	return param;
}

#endif
