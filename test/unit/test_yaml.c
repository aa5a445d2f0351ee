/* SPDX-License-Identifier: MIT
 *
 * The YAML tree: lines, paths, strict scalars, limits, and what is refused.
 */
#include <stdlib.h>

#include "check.h"
#include "data/yaml.h"

static struct mb_yaml *parse(const char *text, struct mb_errs *errs)
{
	*errs = (struct mb_errs){0};
	return mb_yaml_parse(text, strlen(text), "f.yaml", errs);
}

/* The first complaint about `text`, "" when there is none. */
static const char *complaint(const char *text)
{
	static char words[2200];
	struct mb_errs errs;
	struct mb_yaml *root = parse(text, &errs);

	words[0] = '\0';
	if (errs.n) {
		snprintf(words, sizeof words, "%s: %s", errs.at[0].where, errs.at[0].what);
		CHECK_INT(errs.at[0].code, MB_EXIT_USAGE);
	}
	CHECK(root || errs.n);
	mb_errs_release(&errs);
	mb_yaml_free(root);
	return words;
}

TEST(keeps_lines_columns_and_order)
{
	struct mb_errs errs;
	struct mb_yaml *root = parse("# words\na: 1\n\nlist:\n  - x\n  - {b: [p, q]}\n", &errs);
	const struct mb_yaml *list = mb_yaml_get(root, "list"), *q;
	struct mb_str path = {0};

	CHECK_INT(errs.n, 0);
	CHECK_INT(root->kind, MB_YAML_MAP);
	CHECK_INT(root->n, 2);
	CHECK_TEXT(root->first->key, "a");
	CHECK_INT(root->first->line, 2);
	CHECK_INT(root->first->column, 4);
	CHECK_INT(list->kind, MB_YAML_LIST);
	CHECK_INT(list->key_line, 4);
	CHECK_INT(list->n, 2);
	q = mb_yaml_get(list->last, "b")->last;
	CHECK_TEXT(q->text, "q");
	CHECK_INT(q->line, 6);
	mb_yaml_path(q, &path);
	CHECK_TEXT(path.at, "list[1].b[1]");
	CHECK(!mb_yaml_get(root, "b"));
	mb_str_release(&path);
	mb_yaml_free(root);
}

/* What a scalar is, as one letter each: n null, i integer, d number, b boolean, o odd number. */
static const char *kinds(const char *scalar)
{
	static char letters[8];
	char *text = mb_textf("a: %s\n", scalar);
	struct mb_errs errs;
	struct mb_yaml *root = parse(text, &errs);
	const struct mb_yaml *node = root->first;
	int64_t integer;
	double number;
	int flag;

	snprintf(letters, sizeof letters, "%s%s%s%s%s", mb_yaml_is_null(node) ? "n" : "",
		 mb_yaml_int(node, &integer) == 0 ? "i" : "", mb_yaml_number(node, &number) == 0 ? "d" : "",
		 mb_yaml_bool(node, &flag) == 0 ? (flag ? "b+" : "b-") : "", mb_yaml_is_odd_number(node) ? "o" : "");
	mb_yaml_free(root);
	mb_errs_release(&errs);
	free(text);
	return letters;
}

TEST(resolves_plain_scalars_strictly)
{
	static const char *const table[][2] = {
		{"", "n"}, {"~", "n"}, {"null", "n"}, {"Null", "n"}, {"nul", ""},
		{"7", "id"}, {"-7", "id"}, {"+7", "id"}, {"0", "id"}, {"-0", "id"},
		{"1e-4", "d"}, {"1.0e-5", "d"}, {"1E5", "d"}, {".5", "d"}, {"5.", "d"}, {"-1.5e+3", "d"},
		{"010", "o"}, {"00", "o"}, {"-010", "o"}, {"0x10", "o"}, {"0X1f", "o"}, {"0o17", "o"}, {"0b11", "o"},
		{"1_000", "o"}, {"1_0.5", "o"}, {"01.5", "o"}, {".inf", "o"}, {"-.Inf", "o"}, {".nan", "o"},
		{".NaN", "o"}, {"1e999", "o"}, {"99999999999999999999", "do"},
		{"1e", ""}, {"1.2.3", ""}, {"3x3", ""}, {"0xfg", ""}, {"2024-01-02", ""}, {"00:30:00", ""},
		{"inf", ""}, {"nan", ""}, {"e5", ""}, {"_1", ""}, {"+", ""}, {".", ""},
		{"true", "b+"}, {"False", "b-"}, {"YES", "b+"}, {"no", "b-"}, {"On", "b+"}, {"off", "b-"}, {"y", ""},
		{"\"7\"", ""}, {"'true'", ""}, {"\"\"", ""}, {"'010'", ""},
	};

	for (size_t i = 0; i < MB_COUNT(table); i++)
		if (strcmp(kinds(table[i][0]), table[i][1]))
			FAIL("%s is \"%s\", not \"%s\"", table[i][0], kinds(table[i][0]), table[i][1]);
}

/* The value in `a: …` as JSON text, "-" when it has none. */
static const char *json_of(const char *value)
{
	static struct mb_str out;
	char *text = mb_textf("a: %s\n", value);
	struct mb_errs errs;
	struct mb_yaml *root = parse(text, &errs);
	json_t *json = mb_yaml_json(root->first);

	mb_str_clear(&out);
	if (json)
		mb_json_print(json, &out);
	else
		mb_str_adds(&out, "-");
	json_decref(json);
	mb_yaml_free(root);
	mb_errs_release(&errs);
	free(text);
	return out.at;
}

TEST(turns_values_into_json)
{
	CHECK_TEXT(json_of("[1, 1.0, 1e-4, -0.0]"), "[1,1.0,0.0001,-0.0]");
	CHECK_TEXT(json_of("[true, False, yes, No, on, 'true']"), "[true,false,\"yes\",\"No\",\"on\",\"true\"]");
	CHECK_TEXT(json_of("[[20], [10, 10], []]"), "[[20],[10,10],[]]");
	CHECK_TEXT(json_of("9223372036854775807"), "9223372036854775807");
	CHECK_TEXT(json_of("9223372036854775808"), "-"); /* not silently a double */
	CHECK_TEXT(json_of("[1, null]"), "-");
	CHECK_TEXT(json_of("{b: 1}"), "-");
	CHECK_TEXT(json_of("[1, 0x10]"), "-");
	CHECK_TEXT(json_of("\"\\u00e9\\t\""), "\"é\\t\"");
}

TEST(refuses_what_hides_values)
{
	CHECK_TEXT(complaint("a: 1\nb: 2\na: 3\n"), "f.yaml:3: a: given twice, first in line 1");
	CHECK_TEXT(complaint("x:\n  - a: 1\n    \"a\": 3\n"), "f.yaml:3: x[0].a: given twice, first in line 2");
	CHECK_TEXT(complaint("a: &x 1\n"), "f.yaml:1: a: anchors (x) are not read");
	CHECK_TEXT(complaint("a: [*x]\n"), "f.yaml:1: a[0]: aliases (x) are not read");
	CHECK_TEXT(complaint("*x : 1\n"), "f.yaml:1: aliases (x) are not read");
	CHECK_TEXT(complaint("&x a: 1\n"), "f.yaml:1: anchors (x) are not read");
	CHECK_TEXT(complaint("a: !!int 1\n"), "f.yaml:1: a: tags (tag:yaml.org,2002:int) are not read");
	CHECK_TEXT(complaint("a:\n  <<: 1\n"), "f.yaml:2: a: merge keys (<<) are not read");
	CHECK_TEXT(complaint("a: 1\n---\nb: 2\n"), "f.yaml:2: a second document");
	CHECK_TEXT(complaint("? [a]\n: 1\n"), "f.yaml:1: a key that is a list");
	CHECK_TEXT(complaint("'': 1\n"), "f.yaml:1: an empty key");
	CHECK_TEXT(complaint("a: \"b\\0c\"\n"), "f.yaml:1: a: a text that holds a NUL character");
	CHECK_TEXT(complaint("\"b\\0c\": 1\n"), "f.yaml:1: a key that holds a NUL character");
	CHECK_TEXT(complaint("--- # one document may say so\na: 1\n...\n"), "");
	CHECK_TEXT(complaint("\xEF\xBB\xBF" "a: 1\r\nb: 2\r\n"), "");
}

TEST(refuses_bytes_that_are_not_utf8)
{
	CHECK_TEXT(complaint("a: 1\nb: \xE9\n"), "f.yaml:2: byte 0xE9 is not UTF-8");
	CHECK_TEXT(complaint("a: \xC0\x80\n"), "f.yaml:1: byte 0xC0 is not UTF-8");         /* a long form of NUL */
	CHECK_TEXT(complaint("a: \xED\xA0\x80\n"), "f.yaml:1: byte 0xED is not UTF-8");     /* a surrogate */
	CHECK_TEXT(complaint("a: \xF4\x90\x80\x80\n"), "f.yaml:1: byte 0xF4 is not UTF-8"); /* beyond U+10FFFF */
	CHECK_TEXT(complaint("a: \xE2\x82"), "f.yaml:1: byte 0xE2 is not UTF-8");           /* cut short */
	CHECK_TEXT(complaint("a: \x1b[1m\n"), "f.yaml:1: a control character, 0x1B");
	CHECK_TEXT(complaint("a: \xF0\x9F\x98\x80 \xC3\xA9 \xE2\x82\xAC\n"), "");
}

/* `n` times `piece` between head and tail. */
static char *repeat(const char *head, const char *piece, int n, const char *tail)
{
	struct mb_str text = {0};

	mb_str_adds(&text, head);
	for (int i = 0; i < n; i++)
		mb_str_adds(&text, piece);
	mb_str_adds(&text, tail);
	return mb_str_take(&text);
}

static void check_complaint(char *text, const char *want)
{
	CHECK_TEXT(complaint(text), want);
	free(text);
}

TEST(holds_its_limits)
{
	char *close = repeat("", "]", 63, "\n");

	check_complaint(repeat("a: ", "[", 63, close), "");
	free(close);
	check_complaint(repeat("a: ", "[", 64, "]\n"), "f.yaml:1: nested deeper than 64 levels");
	check_complaint(repeat("a: ", "[", 100000, "\n"), "f.yaml:1: nested deeper than 64 levels");
	check_complaint(repeat("a: ", "{b: ", 100000, "\n"), "f.yaml:1: nested deeper than 64 levels");
	check_complaint(repeat("", "- ", 100000, "\n"), "f.yaml:1: nested deeper than 64 levels");
	check_complaint(repeat("a:\n", "- 1\n", 9997, ""), ""); /* and the mapping, its key, the list */
	check_complaint(repeat("a:\n", "- 1\n", 9998, ""), "f.yaml:9999: more than 10000 values");
	check_complaint(repeat("a: 1 #", "x", (1 << 20) - 6, ""), "");
	check_complaint(repeat("a: 1 #", "x", (1 << 20) - 5, ""), "f.yaml:1: 1048577 bytes, more than 1048576");
}

TEST(says_where_the_syntax_is_wrong)
{
	CHECK(!strncmp(complaint("a: 1\n\tb: 2\n"), "f.yaml:2: not YAML: ", 20));
	CHECK(!strncmp(complaint("a: 1\nb: [1, 2\n"), "f.yaml:3: not YAML: ", 20));
	CHECK(!strncmp(complaint("a: \"x\n"), "f.yaml:2: not YAML: ", 20));
	CHECK(!strncmp(complaint("a: b: c\n"), "f.yaml:1: not YAML: ", 20));
	CHECK(!strncmp(complaint("a: @b\n"), "f.yaml:1: not YAML: ", 20));
	CHECK_TEXT(complaint(""), "f.yaml:1: an empty file: no key in it");
	CHECK_TEXT(complaint("# words\n"), "f.yaml:1: an empty file: no key in it");
}

TEST(shows_values_safely)
{
	struct mb_errs errs;
	struct mb_yaml *root = parse("a: \"x\\e[2J\\x9b\\n\"\nb: [1, {c: 'd'}]\n", &errs);
	struct mb_str text = {0};
	struct mb_err err;
	char path[1000];

	mb_yaml_show(root->first, &text);
	CHECK_TEXT(text.at, "\"x\\x1b[2J\\x9b\\n\"");
	mb_str_clear(&text);
	mb_yaml_show(root->last, &text);
	CHECK_TEXT(text.at, "[1, {c: \"d\"}]");
	mb_str_clear(&text);
	mb_str_add_clean(&text, "äöüäöü", 5); /* cut between characters */
	CHECK_TEXT(text.at, "äöü…");
	mb_str_release(&text);
	mb_yaml_free(root);

	memset(path, 'p', sizeof path);
	path[sizeof path - 1] = '\0';
	mb_yaml_where(&err, path, 77);
	CHECK_TEXT(err.where + strlen(err.where) - 4, "p:77");
}

TEST_MAIN
