/* SPDX-License-Identifier: MIT */
#include "base/opt.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/num.h"

static int usage(struct mb_err *err, const char *shown, const char *what)
{
	mb_err_set(err, MB_EXIT_USAGE, NULL, "%s: %s", shown, what);
	return mb_err_hint(err, "see --help");
}

static int out_of_range(const struct mb_opt *opt, double value)
{
	return (opt->min != 0 || opt->max != 0) && (value < opt->min || value > opt->max);
}

static int range_error(const struct mb_opt *opt, const char *shown, const char *value, const char *kind,
		       struct mb_err *err)
{
	char low[MB_NUM_TEXT], high[MB_NUM_TEXT], what[256];

	if (opt->min == 0 && opt->max == 0)
		snprintf(what, sizeof what, "\"%.100s\" is not %s", value, kind);
	else if (opt->max >= 9e15)
		snprintf(what, sizeof what, "\"%.100s\" is not %s of at least %.15g", value, kind, opt->min);
	else
		snprintf(what, sizeof what, "\"%.100s\" is not %s in [%s, %s]", value, kind,
			 (snprintf(low, sizeof low, "%.15g", opt->min), low),
			 (snprintf(high, sizeof high, "%.15g", opt->max), high));
	return usage(err, shown, what);
}

static int set_value(const struct mb_opt *opt, const char *shown, const char *value, struct mb_err *err)
{
	struct mb_opt_texts *texts;
	int64_t number;
	double real;

	if (opt->given)
		*opt->given = 1;
	switch (opt->kind) {
	case MB_OPT_FLAG:
		*(int *)opt->to = 1;
		return 0;
	case MB_OPT_INT:
		if (mb_num_int(value, &number) < 0 || out_of_range(opt, (double)number))
			return range_error(opt, shown, value, "an integer", err);
		*(int64_t *)opt->to = number;
		return 0;
	case MB_OPT_NUMBER:
		if (mb_num_double(value, &real) < 0 || out_of_range(opt, real))
			return range_error(opt, shown, value, "a number", err);
		*(double *)opt->to = real;
		return 0;
	case MB_OPT_TEXTS:
		texts = opt->to;
		MB_PUSH(texts->at, texts->n, texts->cap, value);
		return 0;
	case MB_OPT_TEXT:
	case MB_OPT_MAYBE:
	case MB_OPT_UNBUILT:
		break;
	}
	for (size_t i = 0; opt->words && strcmp(value, opt->words[i]);)
		if (!opt->words[++i]) {
			const char *near = mb_nearest(value, opt->words);
			struct mb_str what = {0};

			mb_str_addf(&what, "\"%s\" is not one of", value);
			for (i = 0; opt->words[i]; i++)
				mb_str_addf(&what, "%s %s", i ? "," : "", opt->words[i]);
			usage(err, shown, what.at);
			mb_str_release(&what);
			return near ? mb_err_hint(err, "did you mean %s?", near) : -1;
		}
	*(const char **)opt->to = value;
	return 0;
}

static void no_such_option(const struct mb_opt *table, const char *name, size_t n, const char *shown,
			   struct mb_err *err)
{
	const char *names[64], *near;
	size_t count = 0;
	char cut[64];

	for (; table->name && count < MB_COUNT(names) - 1; table++)
		names[count++] = table->name;
	names[count] = NULL;
	snprintf(cut, sizeof cut, "%.*s", (int)(n < sizeof cut ? n : sizeof cut), name);
	near = mb_nearest(cut, names);
	usage(err, shown, "no such option");
	if (near)
		mb_err_hint(err, "did you mean --%s?", near);
}

static const struct mb_opt *find_long(const struct mb_opt *table, const char *name, size_t n, const char *shown,
				      struct mb_err *err)
{
	const struct mb_opt *found = NULL;
	struct mb_str several = {0};
	int count = 0;

	for (const struct mb_opt *opt = table; opt->name && n; opt++) {
		if (strncmp(opt->name, name, n))
			continue;
		found = opt;
		if (!opt->name[n]) {
			count = 1;
			break;
		}
		mb_str_addf(&several, "%s --%s", count++ ? "," : "could mean", opt->name);
	}
	if (!found)
		no_such_option(table, name, n, shown, err);
	else if (count > 1)
		usage(err, shown, several.at);
	mb_str_release(&several);
	return count == 1 ? found : NULL;
}

static const struct mb_opt *find_letter(const struct mb_opt *table, char letter)
{
	for (; table->name; table++)
		if (table->letter == letter)
			return table;
	return NULL;
}

static int parse_long(const struct mb_opt *table, int argc, char **argv, int *at, struct mb_err *err)
{
	const char *name = argv[*at] + 2, *equals = strchr(name, '=');
	const struct mb_opt *opt;
	char shown[128];
	size_t n = equals ? (size_t)(equals - name) : strlen(name);

	snprintf(shown, sizeof shown, "--%.*s", (int)(n < 100 ? n : 100), name);
	opt = find_long(table, name, n, shown, err);
	if (!opt)
		return -1;
	if (opt->kind == MB_OPT_UNBUILT)
		return usage(err, shown, "not built in yet");
	if (equals) {
		if (opt->kind == MB_OPT_FLAG)
			return usage(err, shown, "takes no value");
		return set_value(opt, shown, equals + 1, err);
	}
	if (opt->kind == MB_OPT_FLAG || opt->kind == MB_OPT_MAYBE)
		return set_value(opt, shown, "", err);
	if (*at + 1 >= argc)
		return usage(err, shown, "needs a value");
	return set_value(opt, shown, argv[++*at], err);
}

static int parse_letters(const struct mb_opt *table, int argc, char **argv, int *at, struct mb_err *err)
{
	for (const char *letter = argv[*at] + 1; *letter; letter++) {
		const struct mb_opt *opt = find_letter(table, *letter);
		char shown[3] = {'-', *letter, 0};

		if (!opt)
			return usage(err, shown, "no such option");
		if (opt->kind == MB_OPT_UNBUILT)
			return usage(err, shown, "not built in yet");
		if (opt->kind != MB_OPT_FLAG && opt->kind != MB_OPT_MAYBE) {
			if (letter[1])
				return set_value(opt, shown, letter + 1, err);
			if (*at + 1 >= argc)
				return usage(err, shown, "needs a value");
			return set_value(opt, shown, argv[++*at], err);
		}
		if (set_value(opt, shown, "", err) < 0)
			return -1;
	}
	return 0;
}

int mb_opt_parse(const struct mb_opt *table, int stop_at_operand, int argc, char **argv, int *rest, struct mb_err *err)
{
	int operands = 0, at;

	for (at = 1; at < argc; at++) {
		char *arg = argv[at];
		int first = at;

		if (!strcmp(arg, "--")) {
			at++;
			break;
		}
		if (arg[0] != '-' || !arg[1]) {
			if (stop_at_operand)
				break;
			operands++;
			continue;
		}
		if ((arg[1] == '-' ? parse_long : parse_letters)(table, argc, argv, &at, err) < 0)
			return -1;
		/* Operands seen so far step behind the option just read. */
		for (; operands && first <= at; first++) {
			char *held = argv[first];

			memmove(argv + first - operands + 1, argv + first - operands, (size_t)operands * sizeof *argv);
			argv[first - operands] = held;
		}
	}
	if (operands && at <= argc && !strcmp(argv[at - 1], "--")) { /* "a -- b": the mark itself goes before the operands */
		memmove(argv + at - operands, argv + at - 1 - operands, (size_t)operands * sizeof *argv);
	}
	*rest = at - operands;
	return 0;
}

static void add_default(const struct mb_opt *opt, struct mb_str *text)
{
	const char *word;

	switch (opt->kind) {
	case MB_OPT_INT:
		if (!out_of_range(opt, (double)*(int64_t *)opt->to)) /* outside: no default */
			mb_str_addf(text, " (%lld)", (long long)*(int64_t *)opt->to);
		break;
	case MB_OPT_NUMBER:
		if (!isnan(*(double *)opt->to))
			mb_str_addf(text, " (%g)", *(double *)opt->to);
		break;
	case MB_OPT_TEXT:
		word = *(const char **)opt->to;
		if (word)
			mb_str_addf(text, " (%s)", word);
		break;
	default:
		break;
	}
}

void mb_opt_help(const struct mb_opt *table, struct mb_str *text)
{
	for (; table->name; table++) {
		size_t start = text->n, used;

		if (table->kind == MB_OPT_UNBUILT)
			continue;
		if (table->letter)
			mb_str_addf(text, "  -%c, --%s", table->letter, table->name);
		else
			mb_str_addf(text, "      --%s", table->name);
		if (table->arg)
			mb_str_addf(text, table->kind == MB_OPT_MAYBE ? "[=%s]" : " %s", table->arg);
		used = text->n - start;
		mb_str_addf(text, "%*s%s", used < 28 ? (int)(28 - used) : 2, "", table->help);
		add_default(table, text);
		mb_str_adds(text, "\n");
	}
}
