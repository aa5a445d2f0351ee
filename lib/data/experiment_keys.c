/* SPDX-License-Identifier: MIT
 *
 * Sections by table, and the wording of complaints.
 */
#include "data/experiment_keys.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A list or mapping begins with its first item; its key is where the reader looks. */
static int line_of(const struct mb_yaml *node)
{
	return node->kind != MB_YAML_SCALAR && node->key ? node->key_line : node->line;
}

/* What is wrong with a bad node was said when it was read. */
static int complain(struct mb_reader *reader, const struct mb_yaml *node, int line, struct mb_str *what,
		    const char *hint)
{
	struct mb_complaint complaint = {.line = line, .sequence = reader->n};

	if (node->bad) {
		mb_str_release(what);
		return -1;
	}
	mb_err_set(&complaint.err, MB_EXIT_USAGE, NULL, "%s", what->at);
	mb_yaml_where(&complaint.err, reader->path, line);
	if (hint)
		mb_err_hint(&complaint.err, "%s", hint);
	MB_PUSH(reader->at, reader->n, reader->cap, complaint);
	mb_str_release(what);
	return -1;
}

static void add_path(const struct mb_yaml *node, struct mb_str *what)
{
	mb_yaml_path(node, what);
	if (what->n)
		mb_str_adds(what, ": ");
}

static void add_formatted(struct mb_str *what, const char *fmt, va_list args)
{
	char text[800];

	vsnprintf(text, sizeof text, fmt, args);
	mb_str_adds(what, text);
}

/* What often makes a number or boolean none. */
static const char *usual_hint(const struct mb_yaml *node)
{
	struct mb_yaml bare = *node;
	double number;
	int flag;

	if (mb_yaml_is_odd_number(node) && (strchr(node->text, '_') || strspn(node->text, "+-0") > 0))
		return "write it in decimal, without leading zeros or _";
	bare.quoted = 0;
	if (node->quoted && (mb_yaml_number(&bare, &number) == 0 || mb_yaml_bool(&bare, &flag) == 0))
		return "remove the quotes";
	return NULL;
}

int mb_reader_wrong(struct mb_reader *reader, const struct mb_yaml *node, const char *hint, const char *fmt, ...)
{
	struct mb_str what = {0};
	va_list args;

	add_path(node, &what);
	if (node->kind == MB_YAML_SCALAR && !node->quoted && !*node->text) {
		mb_str_adds(&what, "empty, expected ");
	} else {
		mb_yaml_show(node, &what);
		mb_str_adds(&what, " is not ");
	}
	va_start(args, fmt);
	add_formatted(&what, fmt, args);
	va_end(args);
	return complain(reader, node, line_of(node), &what, hint ? hint : usual_hint(node));
}

int mb_reader_complain(struct mb_reader *reader, const struct mb_yaml *node, const char *hint, const char *fmt, ...)
{
	struct mb_str what = {0};
	va_list args;

	add_path(node, &what);
	va_start(args, fmt);
	add_formatted(&what, fmt, args);
	va_end(args);
	return complain(reader, node, line_of(node), &what, hint);
}

int mb_reader_missing(struct mb_reader *reader, const struct mb_yaml *node, const char *key, const char *hint)
{
	struct mb_str what = {0};

	mb_yaml_path(node, &what);
	mb_str_addf(&what, "%s%s: missing", what.n ? "." : "", key);
	return complain(reader, node, line_of(node), &what, hint);
}

int mb_reader_twice(struct mb_reader *reader, const struct mb_yaml *node)
{
	struct mb_str what = {0};

	add_path(node, &what);
	mb_yaml_show(node, &what);
	mb_str_adds(&what, " is given twice");
	return complain(reader, node, line_of(node), &what, "remove one");
}

int mb_reader_not_one_of(struct mb_reader *reader, const struct mb_yaml *node, const char *const *words)
{
	const char *nearest = node->kind == MB_YAML_SCALAR ? mb_nearest(node->text, words) : NULL;
	char hint[120], all[200] = "";
	size_t n = 0;

	for (size_t i = 0; words[i] && n < sizeof all; i++)
		n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", !i ? "" : words[i + 1] ? ", " : " or ",
				      words[i]);
	if (nearest)
		snprintf(hint, sizeof hint, "did you mean %s?", nearest);
	return mb_reader_wrong(reader, node, nearest ? hint : NULL, "%s", all);
}

int mb_reader_is_list(struct mb_reader *reader, const struct mb_yaml *node, const char *of)
{
	const char *hint = node->kind == MB_YAML_MAP ? "begin each item with `- `" : NULL;
	struct mb_str brackets = {0};
	int bad = 0;

	if (node->kind == MB_YAML_SCALAR && !mb_yaml_is_null(node)) {
		mb_str_adds(&brackets, "write [");
		mb_yaml_show(node, &brackets);
		mb_str_adds(&brackets, "]");
		hint = brackets.at;
	}
	if (node->kind != MB_YAML_LIST)
		bad = mb_reader_wrong(reader, node, hint, "a list of %s", of);
	mb_str_release(&brackets);
	return bad;
}

const char *mb_reader_text(struct mb_reader *reader, const struct mb_yaml *node)
{
	if (node->kind == MB_YAML_SCALAR && !mb_yaml_is_null(node))
		return node->text;
	mb_reader_wrong(reader, node, NULL, "a text");
	return NULL;
}

int mb_check_name(struct mb_reader *reader, const struct mb_yaml *node, const char *text)
{
	size_t characters = 0;

	for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
		if (*at < 0x20 || *at == 0x7F || (*at == 0xC2 && at[1] < 0xA0))
			return mb_reader_wrong(reader, node, NULL, "a name: it holds a control character");
		characters += (*at & 0xC0) != 0x80;
	}
	if (!characters || characters > 100)
		return mb_reader_wrong(reader, node, NULL, "a name of 1 to 100 characters");
	return 0;
}

int mb_check_experiment_name(struct mb_reader *reader, const struct mb_yaml *node)
{
	const char *text = mb_reader_text(reader, node);

	if (!text || mb_check_name(reader, node, text) < 0)
		return -1;
	if (*text == '-' || *text == '.')
		return mb_reader_wrong(reader, node, NULL, "a name: it begins with %c", *text);
	if (strchr(text, '/'))
		return mb_reader_wrong(reader, node, NULL, "a name: it holds a /");
	return 0;
}

static void read_text(struct mb_reader *reader, const struct mb_key *key, const struct mb_yaml *node, char **to)
{
	const char *text = mb_reader_text(reader, node);

	if (!text)
		return;
	if (key->type == MB_KEY_NAME && mb_check_name(reader, node, text) < 0)
		return;
	if (to)
		*to = mb_strdup(text);
}

static void read_int(struct mb_reader *reader, const struct mb_key *key, const struct mb_yaml *node, int64_t *to)
{
	int64_t value;

	if (mb_yaml_int(node, &value) < 0 || value < key->min || value > key->max)
		mb_reader_wrong(reader, node, NULL, "an integer from %lld to %lld", (long long)key->min,
				(long long)key->max);
	else if (to)
		*to = value;
}

static void read_real(struct mb_reader *reader, const struct mb_key *key, const struct mb_yaml *node, double *to)
{
	int is_share = key->type == MB_KEY_SHARE;
	double value;

	if (mb_yaml_number(node, &value) < 0 || !(value > 0) || (is_share ? value >= 1 : value > 1e9))
		mb_reader_wrong(reader, node, NULL, "%s",
				is_share ? "a number between 0 and 1" : "a number of seconds > 0 (up to 1e9)");
	else if (to)
		*to = value;
}

static void read_bool(struct mb_reader *reader, const struct mb_yaml *node, int *to)
{
	int value;

	if (mb_yaml_bool(node, &value) < 0)
		mb_reader_wrong(reader, node, NULL, "true or false");
	else if (to)
		*to = value;
}

/* Files for cluster-hyperopt leave out in Python's way as well. */
static int is_none(const struct mb_yaml *node)
{
	return node->kind == MB_YAML_SCALAR && !node->quoted && !strcmp(node->text, "None");
}

static void read_value(struct mb_reader *reader, const struct mb_key *key, const struct mb_yaml *node, void *section)
{
	void *to = section && !(key->flags & MB_KEY_CHECK) ? (char *)section + key->offset : NULL;

	if ((key->flags & MB_KEY_NULL) && (mb_yaml_is_null(node) || is_none(node)))
		return;
	if (key->line)
		*(int *)((char *)section + key->line) = node->line;
	switch (key->type) {
	case MB_KEY_OWN:
		key->read(reader, node, section);
		break;
	case MB_KEY_TEXT:
	case MB_KEY_NAME:
		read_text(reader, key, node, to);
		break;
	case MB_KEY_INT:
		read_int(reader, key, node, to);
		break;
	case MB_KEY_SECONDS:
	case MB_KEY_SHARE:
		read_real(reader, key, node, to);
		break;
	case MB_KEY_BOOL:
		read_bool(reader, node, to);
		break;
	case MB_KEY_NODE:
		*(const struct mb_yaml **)to = node;
		break;
	}
}

static void unknown_key(struct mb_reader *reader, const struct mb_yaml *node, const struct mb_key *keys)
{
	const char *names[64], *nearest;
	struct mb_str hint = {0}, what = {0};
	size_t n = 0;

	for (const struct mb_key *key = keys; key->name && n < MB_COUNT(names) - 1; key++)
		names[n++] = key->name;
	names[n] = NULL;
	nearest = mb_nearest(node->key, names);
	mb_str_addf(&hint, nearest ? "did you mean %s?" : "known:", nearest);
	for (size_t i = 0; i < n && !nearest; i++)
		mb_str_addf(&hint, "%s %s", i ? "," : "", names[i]);
	add_path(node, &what);
	mb_str_adds(&what, "unknown key");
	complain(reader, node, node->key_line, &what, hint.at);
	mb_str_release(&hint);
}

static int is_known(const struct mb_key *keys, const char *name)
{
	for (; keys->name; keys++)
		if (!strcmp(keys->name, name))
			return 1;
	return 0;
}

int mb_read_open_section(struct mb_reader *reader, const struct mb_yaml *node, const struct mb_key *keys,
			 void *section)
{
	if (node->kind != MB_YAML_MAP)
		return mb_reader_wrong(reader, node, NULL, "a mapping (key: value)");
	for (const struct mb_key *key = keys; key->name; key++) {
		const struct mb_yaml *value = mb_yaml_get(node, key->name);

		if (value && (key->flags & MB_KEY_REQUIRED) && mb_yaml_is_null(value) && !value->bad)
			mb_reader_complain(reader, value, key->hint, "empty");
		else if (value && !value->bad)
			read_value(reader, key, value, section);
		else if (!value && (key->flags & MB_KEY_REQUIRED))
			mb_reader_missing(reader, node, key->name, key->hint);
	}
	return 0;
}

int mb_read_section(struct mb_reader *reader, const struct mb_yaml *node, const struct mb_key *keys, void *section)
{
	if (mb_read_open_section(reader, node, keys, section) < 0)
		return -1;
	for (const struct mb_yaml *value = node->first; value; value = value->next)
		if (!value->bad && !is_known(keys, value->key))
			unknown_key(reader, value, keys);
	return 0;
}
