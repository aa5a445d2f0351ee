/* SPDX-License-Identifier: MIT */
#include "data/value.h"

#include <math.h>
#include <string.h>

/* Whole numbers are compared as integers, so that neither 1 == 1.0 nor 2^53 + 1 is lost. */
static int as_integer(const json_t *number, int64_t *integer)
{
	double real;

	if (json_is_integer(number)) {
		*integer = json_integer_value(number);
		return 1;
	}
	real = json_real_value(number);
	if (real != floor(real) || real < -0x1p63 || real >= 0x1p63)
		return 0;
	*integer = (int64_t)real;
	return 1;
}

static int same_number(const json_t *a, const json_t *b)
{
	int64_t whole_a, whole_b;
	int is_whole_a = as_integer(a, &whole_a), is_whole_b = as_integer(b, &whole_b);

	if (is_whole_a != is_whole_b)
		return 0;
	return is_whole_a ? whole_a == whole_b : json_real_value(a) == json_real_value(b);
}

int mb_value_same(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b))
		return same_number(a, b);
	if (json_is_array(a) && json_is_array(b)) {
		size_t n = json_array_size(a);

		if (n != json_array_size(b))
			return 0;
		for (size_t i = 0; i < n; i++)
			if (!mb_value_same(json_array_get(a, i), json_array_get(b, i)))
				return 0;
		return 1;
	}
	return json_equal(a, b);
}

static uint64_t hash_number(const json_t *number, uint64_t seed)
{
	int64_t integer;
	double real;

	if (as_integer(number, &integer))
		return mb_hash_bytes(&integer, sizeof integer, seed + JSON_INTEGER);
	real = json_real_value(number);
	return mb_hash_bytes(&real, sizeof real, seed + JSON_REAL);
}

uint64_t mb_value_hash(const json_t *value, uint64_t seed)
{
	json_t *object = (json_t *)value; /* jansson's iterators take no const */
	uint64_t hash, name;

	if (!value)
		return mb_hash_mix(seed);
	switch (json_typeof(value)) {
	case JSON_INTEGER:
	case JSON_REAL:
		return hash_number(value, seed);
	case JSON_STRING:
		return mb_hash_bytes(json_string_value(value), json_string_length(value), seed + JSON_STRING);
	case JSON_ARRAY:
		hash = mb_hash_mix(seed + JSON_ARRAY + (json_array_size(value) << 8));
		for (size_t i = 0; i < json_array_size(value); i++)
			hash = mb_value_hash(json_array_get(value, i), hash);
		return hash;
	case JSON_OBJECT: /* in no space, but a record may hold one: a sum, whatever the order of the members */
		hash = mb_hash_mix(seed + JSON_OBJECT);
		for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
			name = mb_hash_bytes(json_object_iter_key(at), json_object_iter_key_len(at), seed);
			hash += mb_value_hash(json_object_iter_value(at), name);
		}
		return hash;
	default:
		return mb_hash_mix(seed + json_typeof(value));
	}
}

long mb_value_index(const json_t *values, const json_t *value)
{
	size_t n = json_array_size(values);

	for (size_t i = 0; i < n; i++)
		if (mb_value_same(json_array_get(values, i), value))
			return (long)i;
	return -1;
}

void mb_value_list(const json_t *values, struct mb_str *text)
{
	size_t n = json_array_size(values), shown = n > 8 ? 7 : n;
	char one[64];

	for (size_t i = 0; i < shown; i++)
		mb_str_addf(text, "%s%s", i ? ", " : "", mb_json_show(json_array_get(values, i), one));
	if (shown < n)
		mb_str_addf(text, ", … (%zu in all)", n);
}

char *mb_value_number(double value, char text[MB_NUM_TEXT])
{
	size_t n = strlen(mb_num_print(value, text));

	if (n > 2 && !strcmp(text + n - 2, ".0"))
		text[n - 2] = '\0';
	return text;
}
