/* SPDX-License-Identifier: MIT
 *
 * Values of parameters (numbers, texts, booleans, arrays of these) compared and hashed by what they mean: 1 and 1.0
 * are the same, an array is its content.
 */
#ifndef MB_DATA_VALUE_H
#define MB_DATA_VALUE_H

#include <stdint.h>

#include "data/json.h"

int mb_value_same(const json_t *a, const json_t *b);

/* Equal for values that are the same. `seed` chains several. */
uint64_t mb_value_hash(const json_t *value, uint64_t seed);

/* Index of `value` in the array `values`, -1 when it is not there. */
long mb_value_index(const json_t *values, const json_t *value);

/* Appends up to 8 values of the array, "1, 2, …", for messages. */
void mb_value_list(const json_t *values, struct mb_str *text);

/* A number for messages: 10, not 10.0. */
char *mb_value_number(double value, char text[MB_NUM_TEXT]);

#endif
