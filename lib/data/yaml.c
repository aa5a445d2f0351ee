/* SPDX-License-Identifier: MIT
 *
 * From libyaml's events to a tree. What its scalars mean is in yaml_scalar.c.
 */
#include "data/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct builder {
	const char *path, *text;
	size_t n;
	struct mb_errs *errs;
	struct mb_yaml *root, *open; /* the list or mapping that the next node goes into */
	char *key;                   /* read, its value not yet */
	int key_line;
	int key_bad;                 /* reported: its value is not looked at */
	int depth, nodes, documents;
};

void mb_yaml_where(struct mb_err *err, const char *path, int line)
{
	size_t n = strlen(path), most = sizeof err->where - 32;

	snprintf(err->where, sizeof err->where, "%s%s:%d", n > most ? "…" : "", n > most ? path + n - most : path,
		 line);
}

/* Reports and returns -1. */
__attribute__((format(printf, 4, 5))) static int report(struct builder *builder, int line, const char *hint,
							  const char *fmt, ...)
{
	struct mb_err err;
	char what[900];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof what, fmt, args);
	va_end(args);
	mb_err_set(&err, MB_EXIT_USAGE, NULL, "%s", what);
	mb_yaml_where(&err, builder->path, line);
	if (hint)
		mb_err_hint(&err, "%s", hint);
	return mb_errs_add(builder->errs, &err);
}

/* Length of the UTF-8 character at `at`, 0 when it is none (RFC 3629: no surrogates, no long forms). */
static size_t utf8(const unsigned char *at, size_t left)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = *at < 0x80 ? 1 : *at >> 5 == 6 ? 2 : *at >> 4 == 14 ? 3 : *at >> 3 == 30 ? 4 : 0;
	uint32_t point;

	if (n < 2 || n > left)
		return n == 1;
	point = *at & (0x7Fu >> n);
	for (size_t i = 1; i < n; i++) {
		if (at[i] >> 6 != 2)
			return 0;
		point = point << 6 | (at[i] & 0x3Fu);
	}
	return point < least[n] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF) ? 0 : n;
}

/* Before the parser sees it, so that the line is known: libyaml tells only the byte. */
static int check_bytes(struct builder *builder)
{
	const unsigned char *at = (const unsigned char *)builder->text, *end = at + builder->n;
	int line = 1;

	while (at < end) {
		size_t n = utf8(at, (size_t)(end - at));

		if (!n)
			return report(builder, line, "save the file as UTF-8", "byte 0x%02X is not UTF-8", *at);
		if ((*at < 0x20 && *at != '\n' && *at != '\r' && *at != '\t') || *at == 0x7F)
			return report(builder, line, "remove it, or write it as an escape in double quotes",
				      "a control character, 0x%02X", *at);
		line += *at == '\n';
		at += n;
	}
	return 0;
}

/* "path: what": names the node. */
static int report_at(struct builder *builder, const struct mb_yaml *node, int line, const char *hint,
		     const char *what)
{
	struct mb_str text = {0};
	int bad;

	mb_yaml_path(node, &text);
	bad = report(builder, line, hint, "%s%s%s", text.n ? text.at : "", text.n ? ": " : "", what);
	mb_str_release(&text);
	return bad;
}

static struct mb_yaml *add_node(struct builder *builder, enum mb_yaml_kind kind, const yaml_event_t *event)
{
	struct mb_yaml *node = mb_alloc(sizeof *node), *parent = builder->open;

	node->kind = kind;
	node->line = (int)event->start_mark.line + 1;
	node->column = (int)event->start_mark.column + 1;
	node->parent = parent;
	node->key = builder->key;
	node->key_line = builder->key_line;
	node->bad = builder->key_bad;
	builder->key = NULL;
	builder->key_bad = 0;
	if (!parent) {
		builder->root = node;
		return node;
	}
	node->index = parent->n++;
	if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
	return node;
}

/* In a mapping every other scalar is a key. 1 when the event was one. */
static int take_key(struct builder *builder, const yaml_event_t *event, const char *text, size_t n)
{
	const struct mb_yaml *same;
	int line = (int)event->start_mark.line + 1;

	if (!builder->open || builder->open->kind != MB_YAML_MAP || builder->key)
		return 0;
	builder->key = mb_strdup(text);
	builder->key_line = line;
	if (strlen(text) != n) {
		report_at(builder, builder->open, line, NULL, "a key that holds a NUL character");
	} else if (!n) {
		report_at(builder, builder->open, line, "write `key: value`", "an empty key");
	} else if (!strcmp(text, "<<") && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
		report_at(builder, builder->open, line, "write the keys out", "merge keys (<<) are not read");
	} else if ((same = mb_yaml_get(builder->open, text))) {
		char what[64];

		snprintf(what, sizeof what, "given twice, first in line %d", same->key_line);
		report_at(builder, same, line, "keep one of the two", what);
	} else {
		return 1;
	}
	builder->key_bad = 1;
	return 1;
}

/* Names the node's path and marks it, so that nobody complains about it again. */
static void report_node(struct builder *builder, struct mb_yaml *node, const char *hint, const char *what,
			const yaml_char_t *name)
{
	struct mb_str text = {0};

	mb_str_addf(&text, "%s (", what);
	mb_str_add_clean(&text, (const char *)name, 40); /* a tag may hold %-escapes of anything */
	mb_str_adds(&text, ") are not read");
	report_at(builder, node, node->line, hint, text.at);
	mb_str_release(&text);
	node->bad = 1;
}

static void check_marks(struct builder *builder, struct mb_yaml *node, const yaml_char_t *anchor,
			const yaml_char_t *tag)
{
	if (anchor)
		report_node(builder, node, "write the value out where it is used", "anchors", anchor);
	if (tag)
		report_node(builder, node, "remove it; quotes make a text of anything", "tags", tag);
}

static void add_scalar(struct builder *builder, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t n = event->data.scalar.length;
	struct mb_yaml *node;

	if (take_key(builder, event, text, n)) {
		struct mb_yaml mark = {.line = builder->key_line};

		check_marks(builder, &mark, event->data.scalar.anchor, event->data.scalar.tag);
		builder->key_bad |= mark.bad;
		return;
	}
	node = add_node(builder, MB_YAML_SCALAR, event);
	node->text = mb_strdup(text);
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	check_marks(builder, node, event->data.scalar.anchor, event->data.scalar.tag);
	if (strlen(text) != n) {
		report_at(builder, node, node->line, NULL, "a text that holds a NUL character");
		node->bad = 1;
	}
}

static void add_alias(struct builder *builder, const yaml_event_t *event)
{
	struct mb_yaml key = {.line = (int)event->start_mark.line + 1}, *node = &key;

	if (take_key(builder, event, "*", 1)) {
		builder->key_bad = 1;
	} else {
		node = add_node(builder, MB_YAML_SCALAR, event);
		node->text = mb_textf("*%s", (const char *)event->data.alias.anchor);
	}
	report_node(builder, node, "write the value out, or quote a text that begins with *", "aliases",
		    event->data.alias.anchor);
}

static int open_node(struct builder *builder, const yaml_event_t *event)
{
	int is_map = event->type == YAML_MAPPING_START_EVENT, line = (int)event->start_mark.line + 1;
	struct mb_yaml *node;

	if (builder->open && builder->open->kind == MB_YAML_MAP && !builder->key)
		return report_at(builder, builder->open, line, "quote a text that begins with [ or {",
				 is_map ? "a key that is a mapping" : "a key that is a list");
	if (++builder->depth > MB_YAML_DEPTH)
		return report(builder, line, NULL, "nested deeper than %d levels", MB_YAML_DEPTH);
	node = add_node(builder, is_map ? MB_YAML_MAP : MB_YAML_LIST, event);
	check_marks(builder, node, is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor,
		    is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag);
	builder->open = node;
	return 0;
}

static int handle(struct builder *builder, const yaml_event_t *event)
{
	int line = (int)event->start_mark.line + 1;

	switch (event->type) {
	case YAML_SCALAR_EVENT:
	case YAML_ALIAS_EVENT:
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		if (++builder->nodes > MB_YAML_NODES)
			return report(builder, line, NULL, "more than %d values", MB_YAML_NODES);
		if (event->type == YAML_SCALAR_EVENT)
			add_scalar(builder, event);
		else if (event->type == YAML_ALIAS_EVENT)
			add_alias(builder, event);
		else
			return open_node(builder, event);
		return 0;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		builder->open = builder->open->parent;
		builder->depth--;
		return 0;
	case YAML_DOCUMENT_START_EVENT:
		if (builder->documents++)
			return report(builder, line, "keep one; `---` begins a document", "a second document");
		return 0;
	default:
		return 0;
	}
}

/* libyaml's words for what it could not read, with the line where it stood. */
static int syntax_error(struct builder *builder, const yaml_parser_t *parser)
{
	const char *problem = parser->problem ? parser->problem : "cannot be read", *at = builder->text;
	const char *hint = "check the indentation and the brackets and quotes above";
	int line = (int)parser->problem_mark.line + 1;

	for (int i = 1; i < line && at; i++) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	if (at && strspn(at, " \t") > strspn(at, " "))
		hint = "indent with spaces, not tabs";
	else if (strstr(problem, "cannot start any token"))
		hint = "quote a text that begins with @, ` or %";
	else if (strstr(problem, "mapping values are not allowed"))
		hint = "quote a text that holds `: `";
	return report(builder, line, hint, "not YAML: %s", problem);
}

struct mb_yaml *mb_yaml_parse(const char *text, size_t n, const char *path, struct mb_errs *errs)
{
	struct builder builder = {.path = path, .text = text, .n = n, .errs = errs};
	yaml_parser_t parser;
	int bad = 0, ended = 0;

	if (n > MB_YAML_BYTES)
		bad = report(&builder, 1, NULL, "%zu bytes, more than %zu", n, MB_YAML_BYTES);
	if (bad || check_bytes(&builder) < 0 || !yaml_parser_initialize(&parser))
		return NULL;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	while (!bad && !ended) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event)) {
			bad = syntax_error(&builder, &parser);
			break;
		}
		ended = event.type == YAML_STREAM_END_EVENT;
		bad = handle(&builder, &event) < 0;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	free(builder.key);
	if (!bad && !builder.root)
		bad = report(&builder, 1, NULL, "an empty file: no key in it");
	if (bad) {
		mb_yaml_free(builder.root);
		return NULL;
	}
	return builder.root;
}

void mb_yaml_free(struct mb_yaml *root)
{
	while (root) {
		struct mb_yaml *next = root->next;

		mb_yaml_free(root->first);
		free(root->key);
		free(root->text);
		free(root);
		root = next;
	}
}

const struct mb_yaml *mb_yaml_get(const struct mb_yaml *map, const char *key)
{
	for (const struct mb_yaml *node = map->first; node; node = node->next)
		if (node->key && !strcmp(node->key, key))
			return node;
	return NULL;
}
