/* SPDX-License-Identifier: MIT */
#include "data/param.h"

#include <math.h>
#include <string.h>

#include "data/prior.h"
#include "data/value.h"

static double clamp(double x, double low, double high)
{
	return x > low ? (x < high ? x : high) : low; /* NaN: low */
}

uint64_t mb_cell(double u, uint64_t n)
{
	double at = floor(clamp(u, 0, 1) * (double)n);

	return at < (double)(n - 1) ? (uint64_t)at : n - 1;
}

double mb_cell_middle(uint64_t index, uint64_t n)
{
	return ((double)index + 0.5) / (double)n;
}

static uint64_t int_count(const struct mb_param *param)
{
	return (uint64_t)((int64_t)param->max - (int64_t)param->min) + 1;
}

/* The number of a range at u. */
static double range_at(const struct mb_param *param, double u)
{
	double low = param->min, high = param->max, half;

	u = mb_prior_place(param, clamp(u, 0, 1));
	if (param->type == MB_PARAM_INT && !param->log)
		return low + (double)mb_cell(u, int_count(param));
	if (param->log) {
		double extend = param->type == MB_PARAM_INT ? 0.5 : 0;
		double from = log(low - extend), to = log(high + extend), x = exp(from + u * (to - from));

		if (param->type == MB_PARAM_INT)
			x = floor(x + 0.5);
		else if (u == 0 || u == 1)
			x = u == 0 ? low : high;
		return clamp(x, low, high);
	}
	if (u == 1)
		return high;
	if (isfinite(high - low))
		return clamp(low + u * (high - low), low, high);
	half = high / 2 - low / 2; /* max - min is beyond a double */
	return clamp(2 * (low / 2 + u * half), low, high);
}

/* The formula backwards, right but for rounding. */
static double range_guess(const struct mb_param *param, double value)
{
	double low = param->min, high = param->max;

	if (param->log) {
		double extend = param->type == MB_PARAM_INT ? 0.5 : 0;
		double from = log(low - extend);

		return clamp((log(value) - from) / (log(high + extend) - from), 0, 1);
	}
	if (param->type == MB_PARAM_INT)
		return mb_cell_middle((uint64_t)(value - low), int_count(param));
	return clamp((value / 2 - low / 2) / (high / 2 - low / 2), 0, 1);
}

/* The smallest u with range_at(u) >= value: bisection over the bits of u, ordered as the numbers from 0 on are. */
static double range_search(const struct mb_param *param, double value)
{
	double one = 1, u;
	uint64_t low = 0, high;

	if (range_at(param, 0) >= value)
		return 0;
	memcpy(&high, &one, sizeof high);
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		memcpy(&u, &middle, sizeof u);
		if (range_at(param, u) >= value)
			high = middle;
		else
			low = middle;
	}
	memcpy(&u, &high, sizeof u);
	return u;
}

double mb_param_number(const struct mb_param *param, double u)
{
	if (param->values)
		return json_number_value(json_array_get(param->values, mb_cell(u, param->n_values)));
	return range_at(param, u);
}

/* Ends of the range before ints are rounded, as logarithms with log. */
static void real_ends(const struct mb_param *param, double *low, double *high)
{
	double extend = param->type == MB_PARAM_INT ? 0.5 : 0;

	*low = param->log ? log(param->min - extend) : param->min - extend;
	*high = param->log ? log(param->max + extend) : param->max + extend;
}

double mb_param_real(const struct mb_param *param, double u)
{
	double low, high, at;

	real_ends(param, &low, &high);
	at = low + mb_prior_place(param, u) * (high - low);
	return param->log ? exp(at) : at;
}

double mb_param_real_share(const struct mb_param *param, double real)
{
	double low, high;

	real_ends(param, &low, &high);
	return mb_prior_share(param, clamp(((param->log ? log(real) : real) - low) / (high - low), 0, 1));
}

json_t *mb_param_decode(const struct mb_param *param, double u)
{
	if (param->values)
		return json_incref(json_array_get(param->values, mb_cell(u, param->n_values)));
	if (param->type == MB_PARAM_INT)
		return json_integer((json_int_t)range_at(param, u));
	return json_real(range_at(param, u));
}

/* The value as a number of the range, or -1. */
static int range_number(const struct mb_param *param, const json_t *value, double *number)
{
	if (!json_is_number(value))
		return -1;
	if (json_is_integer(value) && param->type == MB_PARAM_INT &&
	    (json_integer_value(value) > MB_NUM_EXACT || json_integer_value(value) < -MB_NUM_EXACT))
		return -1;
	*number = json_number_value(value);
	if (param->type == MB_PARAM_INT && *number != floor(*number))
		return -1;
	return *number >= param->min && *number <= param->max ? 0 : -1;
}

int mb_param_encode(const struct mb_param *param, const json_t *value, double *u)
{
	double number;

	if (param->values) {
		long index = mb_value_index(param->values, value);

		if (index < 0)
			return -1;
		*u = mb_cell_middle((uint64_t)index, param->n_values);
		return 0;
	}
	if (range_number(param, value, &number) < 0)
		return -1;
	*u = mb_prior_share(param, range_guess(param, number));
	if (param->prior.kind == MB_PRIOR_NONE && range_at(param, *u) != number) /* a prior makes the search slow */
		*u = range_search(param, number);
	return 0;
}

void mb_param_settle(const struct mb_param *param, double *u)
{
	if (param->values)
		*u = mb_cell_middle(mb_cell(*u, param->n_values), param->n_values);
	else if (param->type == MB_PARAM_INT)
		*u = mb_prior_share(param, range_guess(param, range_at(param, *u)));
}

/* Of an int, where it changes to k from the one below. */
static double int_edge(const struct mb_param *param, double k)
{
	double from, to;

	if (!param->log)
		return mb_prior_share(param, (k - param->min) / (double)int_count(param));
	from = log(param->min - 0.5);
	to = log(param->max + 0.5);
	return mb_prior_share(param, clamp((log(k - 0.5) - from) / (to - from), 0, 1));
}

int mb_param_cell(const struct mb_param *param, double u, double *low, double *high)
{
	double n = (double)param->n_values, k;

	if (param->values) {
		k = (double)mb_cell(u, param->n_values);
		*low = k / n;
		*high = (k + 1) / n;
		return 1;
	}
	if (param->type != MB_PARAM_INT)
		return 0;
	k = range_at(param, u);
	*low = int_edge(param, k);
	*high = int_edge(param, k + 1);
	return 1;
}

uint64_t mb_param_count(const struct mb_param *param)
{
	if (param->values)
		return param->n_values;
	return param->type == MB_PARAM_INT ? int_count(param) : UINT64_MAX;
}

json_t *mb_param_nth(const struct mb_param *param, uint64_t index)
{
	if (param->values)
		return json_incref(json_array_get(param->values, index));
	return json_integer((json_int_t)param->min + (json_int_t)index);
}

int mb_param_has(const struct mb_param *param, const json_t *value)
{
	double number;

	if (param->values)
		return mb_value_index(param->values, value) >= 0;
	return range_number(param, value, &number) == 0;
}

json_t *mb_param_own(const struct mb_param *param, const json_t *value)
{
	if (param->values)
		return json_incref(json_array_get(param->values, (size_t)mb_value_index(param->values, value)));
	if (param->type == MB_PARAM_INT)
		return json_integer((json_int_t)json_number_value(value));
	return json_real(json_number_value(value));
}

static int is_whole(const json_t *value)
{
	return json_is_number(value) && json_number_value(value) == floor(json_number_value(value));
}

void mb_param_expect(const struct mb_param *param, const json_t *value, struct mb_str *text)
{
	char low[MB_NUM_TEXT], high[MB_NUM_TEXT];

	if (param->values) {
		mb_str_adds(text, "one of ");
		mb_value_list(param->values, text);
		return;
	}
	if (param->type == MB_PARAM_INT && !is_whole(value))
		mb_str_adds(text, "an integer ");
	else if (!json_is_number(value))
		mb_str_adds(text, "a number ");
	mb_str_addf(text, "in [%s, %s]", mb_value_number(param->min, low), mb_value_number(param->max, high));
}
