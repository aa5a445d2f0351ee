/* SPDX-License-Identifier: MIT
 *
 * What a node of the tree means and how it is shown: strict resolution of plain scalars, paths, quotations.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "data/yaml.h"

static int plain(const struct mb_yaml *node)
{
	return node->kind == MB_YAML_SCALAR && !node->quoted && !node->bad;
}

/* `words` is NULL-terminated. */
static int is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (!strcasecmp(text, *words))
			return 1;
	return 0;
}

int mb_yaml_is_null(const struct mb_yaml *node)
{
	static const char *const words[] = {"", "~", "null", NULL};

	return plain(node) && is_one_of(node->text, words);
}

int mb_yaml_int(const struct mb_yaml *node, int64_t *value)
{
	return plain(node) ? mb_num_int(node->text, value) : -1;
}

int mb_yaml_number(const struct mb_yaml *node, double *value)
{
	return plain(node) ? mb_num_double(node->text, value) : -1;
}

int mb_yaml_bool(const struct mb_yaml *node, int *value)
{
	static const char *const yes[] = {"true", "yes", "on", NULL}, *const no[] = {"false", "no", "off", NULL};

	if (!plain(node))
		return -1;
	*value = is_one_of(node->text, yes);
	return *value || is_one_of(node->text, no) ? 0 : -1;
}

/* What readers of YAML 1.1 or 1.2 take for a number: the rest of the text after a sign. */
static int is_loose_number(const char *text)
{
	static const char *const words[] = {".inf", ".nan", NULL};
	static const char decimal[] = "0123456789_";

	if (is_one_of(text, words))
		return 1;
	if (*text == '0' && text[1] && strchr("xXoObB", text[1])) {
		const char *digits = strchr("xX", text[1]) ? "0123456789abcdefABCDEF_" : "01234567_";

		return text[2] && !text[2 + strspn(text + 2, digits)];
	}
	if (*text < '0' || *text > '9')
		return 0;
	text += strspn(text, decimal);
	if (*text == '.')
		text += 1 + strspn(text + 1, decimal);
	if (*text == 'e' || *text == 'E') {
		text += 1 + (text[1] == '-' || text[1] == '+');
		if (!*text)
			return 0;
		text += strspn(text, decimal);
	}
	return !*text;
}

int mb_yaml_is_odd_number(const struct mb_yaml *node)
{
	const char *text;
	int64_t integer;
	double number;

	if (!plain(node))
		return 0;
	text = node->text + (*node->text == '-' || *node->text == '+');
	if (!is_loose_number(text) || mb_num_int(node->text, &integer) == 0)
		return 0;
	return !strpbrk(text, ".eE") || mb_num_double(node->text, &number) < 0;
}

static json_t *scalar_json(const struct mb_yaml *node)
{
	int64_t integer;
	double number;

	if (mb_yaml_is_null(node) || mb_yaml_is_odd_number(node))
		return NULL;
	if (mb_yaml_int(node, &integer) == 0)
		return json_integer(integer);
	if (mb_yaml_number(node, &number) == 0)
		return json_real(number);
	if (!node->quoted && (!strcasecmp(node->text, "true") || !strcasecmp(node->text, "false")))
		return json_boolean(!strcasecmp(node->text, "true"));
	return json_string(node->text);
}

json_t *mb_yaml_json(const struct mb_yaml *node)
{
	json_t *array;

	if (node->bad || node->kind == MB_YAML_MAP)
		return NULL;
	if (node->kind == MB_YAML_SCALAR)
		return scalar_json(node);
	array = json_array();
	for (const struct mb_yaml *item = node->first; item; item = item->next) {
		json_t *value = mb_yaml_json(item);

		if (!value) {
			json_decref(array);
			return NULL;
		}
		json_array_append_new(array, value);
	}
	return array;
}

void mb_yaml_path(const struct mb_yaml *node, struct mb_str *text)
{
	if (!node->parent)
		return;
	mb_yaml_path(node->parent, text);
	if (!node->key) {
		mb_str_addf(text, "[%zu]", node->index);
		return;
	}
	if (node->parent->parent)
		mb_str_adds(text, ".");
	mb_str_add_clean(text, node->key, 60);
}

static void show(const struct mb_yaml *node, struct mb_str *text, size_t most)
{
	const char *open = node->kind == MB_YAML_LIST ? "[" : "{", *close = node->kind == MB_YAML_LIST ? "]" : "}";

	if (text->n > most)
		return;
	if (node->kind == MB_YAML_SCALAR) {
		mb_str_adds(text, node->quoted ? "\"" : "");
		mb_str_add_clean(text, node->text, 60);
		mb_str_adds(text, node->quoted ? "\"" : "");
		return;
	}
	mb_str_adds(text, open);
	for (const struct mb_yaml *item = node->first; item; item = item->next) {
		mb_str_adds(text, item == node->first ? "" : ", ");
		if (text->n > most) {
			mb_str_adds(text, "…");
			break;
		}
		if (item->key) {
			mb_str_add_clean(text, item->key, 60);
			mb_str_adds(text, ": ");
		}
		show(item, text, most);
	}
	mb_str_adds(text, close);
}

void mb_yaml_show(const struct mb_yaml *node, struct mb_str *text)
{
	show(node, text, text->n + 60);
}
