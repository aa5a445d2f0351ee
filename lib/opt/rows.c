/* SPDX-License-Identifier: MIT */
#include "opt/rows.h"

#include <math.h>
#include <stdlib.h>

static void init_grid(struct mb_rows *rows, size_t dim, const struct mb_param *param)
{
	double low = param->log ? log(param->min) : param->min, high = param->log ? log(param->max) : param->max;

	rows->place[dim] = mb_alloc(param->n_values * sizeof **rows->place);
	for (size_t i = 0; i < param->n_values; i++) {
		double value = json_number_value(json_array_get(param->values, i));

		rows->place[dim][i] = high > low ? ((param->log ? log(value) : value) - low) / (high - low) : 0.5;
	}
}

void mb_rows_init(struct mb_rows *rows, const struct mb_space *space)
{
	size_t dims = mb_space_dims(space), dim = 0;

	*rows = (struct mb_rows){.space = space,
				 .dims = dims,
				 .category = mb_alloc(dims),
				 .continuous = mb_alloc(dims),
				 .cells = mb_alloc(dims * sizeof *rows->cells),
				 .place = mb_alloc(dims * sizeof *rows->place)};
	for (size_t i = 0; i < space->n_conditionals; i++, dim++) {
		rows->category[dim] = 1;
		rows->cells[dim] = space->conditionals[i].n_values;
	}
	for (size_t i = 0; i < space->n_params; i++, dim++) {
		const struct mb_param *param = &space->params[i];

		rows->category[dim] = param->type == MB_PARAM_CATEGORICAL;
		rows->continuous[dim] = param->type == MB_PARAM_DOUBLE && !param->values;
		rows->cells[dim] = param->n_values;
		if (param->values && !rows->category[dim])
			init_grid(rows, dim, param);
	}
}

void mb_rows_release(struct mb_rows *rows)
{
	for (size_t i = 0; i < rows->dims; i++)
		free(rows->place[i]);
	free(rows->place);
	free(rows->cells);
	free(rows->continuous);
	free(rows->category);
	*rows = (struct mb_rows){0};
}

void mb_rows_put(const struct mb_rows *rows, const double *u, double *row)
{
	for (size_t i = 0; i < rows->dims; i++) {
		size_t index = rows->cells[i] && !isnan(u[i]) ? (size_t)(u[i] * (double)rows->cells[i]) : 0;

		if (rows->category[i])
			row[i] = (double)index;
		else if (isnan(u[i]))
			row[i] = 0.5;
		else
			row[i] = rows->cells[i] ? rows->place[i][index] : u[i];
	}
}

uint64_t mb_rows_key(const struct mb_rows *rows, const double *row)
{
	uint64_t key = 0;

	for (size_t i = 0; i < rows->dims; i++)
		key = mb_hash_mix(key + (uint64_t)(row[i] * 1e9 + 0.5));
	return key;
}
