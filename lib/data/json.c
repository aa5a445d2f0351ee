/* SPDX-License-Identifier: MIT */
#include "data/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *mb_json_parse(const char *text, size_t n, const char *where, struct mb_err *err)
{
	json_error_t error;
	json_t *value = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

	if (!value) {
		mb_err_set(err, MB_EXIT_RECORD, where, "not JSON: %s (column %d)", error.text, error.column);
		if (!n)
			mb_err_set(err, MB_EXIT_RECORD, where, "an empty line is not a record");
	}
	return value;
}

static void print_text(const char *text, size_t n, struct mb_str *out)
{
	static const char short_escapes[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	size_t plain = 0;

	mb_str_adds(out, "\"");
	for (size_t i = 0; i < n; i++) {
		unsigned char byte = (unsigned char)text[i];
		const char *known;

		if (byte >= 0x20 && byte != '"' && byte != '\\')
			continue;
		mb_str_add(out, text + plain, i - plain);
		plain = i + 1;
		known = byte ? strchr(short_escapes, byte) : NULL;
		if (known)
			mb_str_addf(out, "\\%c", letters[known - short_escapes]);
		else
			mb_str_addf(out, "\\u%04x", byte);
	}
	mb_str_add(out, text + plain, n - plain);
	mb_str_adds(out, "\"");
}

static void print_object(const json_t *value, struct mb_str *out)
{
	json_t *object = (json_t *)value; /* jansson's iterators take no const */
	const char *separator = "{";

	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
		const char *name = json_object_iter_key(at);

		mb_str_adds(out, separator);
		print_text(name, json_object_iter_key_len(at), out);
		mb_str_adds(out, ":");
		mb_json_print(json_object_iter_value(at), out);
		separator = ",";
	}
	mb_str_adds(out, *separator == '{' ? "{}" : "}");
}

void mb_json_print(const json_t *value, struct mb_str *out)
{
	char number[MB_NUM_TEXT];

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		print_object(value, out);
		break;
	case JSON_ARRAY:
		mb_str_adds(out, "[");
		for (size_t i = 0; i < json_array_size(value); i++) {
			if (i)
				mb_str_adds(out, ",");
			mb_json_print(json_array_get(value, i), out);
		}
		mb_str_adds(out, "]");
		break;
	case JSON_STRING:
		print_text(json_string_value(value), json_string_length(value), out);
		break;
	case JSON_INTEGER:
		mb_str_addf(out, "%lld", (long long)json_integer_value(value));
		break;
	case JSON_REAL:
		if (isfinite(json_real_value(value)))
			mb_str_adds(out, mb_num_print(json_real_value(value), number));
		else
			mb_str_adds(out, "null");
		break;
	case JSON_TRUE:
		mb_str_adds(out, "true");
		break;
	case JSON_FALSE:
		mb_str_adds(out, "false");
		break;
	case JSON_NULL:
		mb_str_adds(out, "null");
		break;
	}
}

void mb_json_set(json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new(object, name, value) < 0)
		abort();
}

const char *mb_json_kind(const json_t *value)
{
	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a text";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a boolean";
	case JSON_NULL:
		break;
	}
	return "null";
}

char *mb_json_show(const json_t *value, char text[64])
{
	struct mb_str all = {0};

	mb_json_print(value, &all);
	snprintf(text, 64, "%.*s%s", all.n > 60 ? 57 : (int)all.n, all.at, all.n > 60 ? "…" : "");
	mb_str_release(&all);
	return text;
}
