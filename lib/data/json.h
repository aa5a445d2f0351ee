/* SPDX-License-Identifier: MIT
 *
 * JSON as the records use it: jansson's values, read strictly and printed so that nothing is lost. Numbers are the
 * shortest text that reads back to the same double, integers stay integers, members keep their order.
 *
 *     json_t *record = mb_json_parse(line.text, line.n, "stdin:17", &err);
 *     mb_json_print(record, &out);
 */
#ifndef MB_DATA_JSON_H
#define MB_DATA_JSON_H

#include <jansson.h>

#include "base/base.h"

/* One JSON value and nothing after it; the caller decrefs. Duplicate members, NaN and numbers beyond a double or an int64
 * are errors (MB_EXIT_RECORD, where: what). */
json_t *mb_json_parse(const char *text, size_t n, const char *where, struct mb_err *err);

/* Appends the value on one line, without a newline. A number that is not finite is printed as null. */
void mb_json_print(const json_t *value, struct mb_str *text);

/* Sets object[name] to a new value; takes the reference. Never fails but for memory, then aborts. */
void mb_json_set(json_t *object, const char *name, json_t *value);

/* The kind of a value for messages: "a number", "an object"… */
const char *mb_json_kind(const json_t *value);

/* Short text of a value for messages: printed JSON cut at 60 bytes into text; returns text. */
char *mb_json_show(const json_t *value, char text[64]);

#endif
