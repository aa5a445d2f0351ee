/* SPDX-License-Identifier: MIT
 *
 * The option table: every form an option may take, what is refused and in which words, and the help text.
 */
#include "check.h"

#include <stdlib.h>

#include "base/base.h"

static int loud, quiet, given;
static int64_t jobs;
static double rate;
static const char *file, *mode, *gpu;
static struct mb_opt_texts history;

static const char *const modes[] = {"random", "sobol", "grid", NULL};

static const struct mb_opt table[] = {
	{'q', "quiet", MB_OPT_FLAG, &quiet, NULL, "say less", 0, 0, NULL, NULL},
	{'l', "loud", MB_OPT_FLAG, &loud, NULL, "say more", 0, 0, NULL, NULL},
	{'j', "jobs", MB_OPT_INT, &jobs, "JOBS", "trials at once", 1, 4096, NULL, &given},
	{'r', "rate", MB_OPT_NUMBER, &rate, "RATE", "per second", 0, 0, NULL, NULL},
	{'f', "file", MB_OPT_TEXT, &file, "FILE", "read FILE", 0, 0, NULL, NULL},
	{'a', "algorithm", MB_OPT_TEXT, &mode, "NAME", "how to search", 0, 0, modes, NULL},
	{0, "history", MB_OPT_TEXTS, &history, "FILE", "read first", 0, 0, NULL, NULL},
	{'g', "gpu", MB_OPT_MAYBE, &gpu, "LIST", "devices", 0, 0, NULL, NULL},
	{0, "list", MB_OPT_FLAG, &(int){0}, NULL, "list them", 0, 0, NULL, NULL},
	{0, "list-algorithms", MB_OPT_FLAG, &(int){0}, NULL, "list them all", 0, 0, NULL, NULL},
	{0},
};

static char *argv[32];
static int argc;
static struct mb_err err;
static int rest;

/* Parses a line of words; 0 or -1. Afterwards operands() is what is left. */
static int parse_stopping(const char *line, int stop_at_operand)
{
	static char words[512];
	char *save, *word;

	loud = quiet = given = 0;
	jobs = 2;
	rate = 0.5;
	file = mode = gpu = NULL;
	history.n = 0;
	snprintf(words, sizeof words, "%s", line);
	argc = 1;
	argv[0] = "prog";
	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = strcmp(word, "EMPTY") ? word : "";
	argv[argc] = NULL;
	return mb_opt_parse(table, stop_at_operand, argc, argv, &rest, &err);
}

static int parse(const char *line)
{
	return parse_stopping(line, 0);
}

static const char *operands(void)
{
	static char text[512];

	text[0] = '\0';
	for (int i = rest; i < argc; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > rest ? " " : "", argv[i]);
	return text;
}

static const char *why(void)
{
	static char text[2048];

	CHECK_INT(err.code, MB_EXIT_USAGE);
	return mb_err_text(&err, text, sizeof text);
}

TEST(nothing_given)
{
	CHECK_INT(parse(""), 0);
	CHECK_INT(rest, 1);
	CHECK_INT(jobs, 2);
	CHECK_INT(given, 0);
	CHECK(!file && !gpu && !mode && !quiet);
}

TEST(every_form_of_a_value)
{
	static const char *const forms[] = {"--jobs 17", "--jobs=17", "-j 17", "-j17",
					    "--job=17", "--j 17", "--jobs +17"};

	for (size_t i = 0; i < MB_COUNT(forms); i++) {
		CHECK_INT(parse(forms[i]), 0);
		CHECK_INT(jobs, 17);
		CHECK_INT(given, 1);
		CHECK_INT(rest, argc);
	}
	CHECK_INT(parse("--rate=-1.5e-3 --file -"), 0);
	CHECK_NEAR(rate, -1.5e-3, 0);
	CHECK_TEXT(file, "-");
	CHECK_INT(parse("-f -q -r -2"), 0); /* a value may begin with a dash */
	CHECK_TEXT(file, "-q");
	CHECK_NEAR(rate, -2, 0);
	CHECK_INT(quiet, 0);
	CHECK_INT(parse("--file=a=b"), 0);
	CHECK_TEXT(file, "a=b");
	CHECK_INT(parse("--file="), -1); /* most likely a variable of a script that is not set */
	CHECK_INT(parse("--file EMPTY"), -1);
	CHECK_INT(parse("--file -- x"), 0); /* "--" as a value is a value */
	CHECK_TEXT(file, "--");
	CHECK_TEXT(operands(), "x");
	CHECK_INT(parse("x --file --"), 0);
	CHECK_TEXT(operands(), "x");
}

TEST(flags_and_letters_together)
{
	CHECK_INT(parse("-ql"), 0);
	CHECK(quiet && loud);
	CHECK_INT(parse("-qlj8"), 0);
	CHECK(quiet && loud && jobs == 8);
	CHECK_INT(parse("-qlj 8 -q"), 0);
	CHECK(quiet && loud && jobs == 8);
	CHECK_INT(parse("--quiet --loud"), 0);
	CHECK(quiet && loud);
}

TEST(the_last_one_counts_and_texts_add_up)
{
	CHECK_INT(parse("-j 3 -j 4 --history a --history=b --hist c"), 0);
	CHECK_INT(jobs, 4);
	CHECK_INT(history.n, 3);
	CHECK_TEXT(history.at[0], "a");
	CHECK_TEXT(history.at[1], "b");
	CHECK_TEXT(history.at[2], "c");
}

TEST(a_value_that_may_be_left_out)
{
	CHECK_INT(parse("--gpu"), 0);
	CHECK_TEXT(gpu, "");
	CHECK_INT(parse("--gpu=0,1"), 0);
	CHECK_TEXT(gpu, "0,1");
	CHECK_INT(parse("--gpu 0"), 0); /* then 0 is an operand */
	CHECK_TEXT(gpu, "");
	CHECK_TEXT(operands(), "0");
	CHECK_INT(parse("-gq"), 0);
	CHECK(gpu && quiet);
}

TEST(abbreviations_stay_unique)
{
	CHECK_INT(parse("--q --lo --r 3 --al grid"), 0);
	CHECK(quiet && loud && rate == 3);
	CHECK_TEXT(mode, "grid");
	CHECK_INT(parse("--list"), 0); /* whole, though it also begins another */
	CHECK_INT(parse("--list-"), 0);
	CHECK_INT(parse("--l"), -1);
	CHECK_TEXT(why(), "--l: could mean --loud, --list, --list-algorithms (see --help)");
	CHECK_INT(parse("--lis"), -1);
	CHECK_TEXT(why(), "--lis: could mean --list, --list-algorithms (see --help)");
}

TEST(operands_anywhere)
{
	CHECK_INT(parse("a -q b --jobs 5 c -"), 0);
	CHECK(quiet && jobs == 5);
	CHECK_TEXT(operands(), "a b c -");
	CHECK_TEXT(argv[1], "-q");
	CHECK_TEXT(argv[2], "--jobs");
	CHECK_TEXT(argv[3], "5");
	CHECK_INT(parse("a b c"), 0);
	CHECK_TEXT(operands(), "a b c");
	CHECK_INT(parse("EMPTY -q"), 0);
	CHECK_INT(argc - rest, 1);
	CHECK_TEXT(argv[rest], "");
}

TEST(two_dashes_end_the_options)
{
	CHECK_INT(parse("-q -- -l --jobs"), 0);
	CHECK(quiet && !loud);
	CHECK_TEXT(operands(), "-l --jobs");
	CHECK_INT(parse("a -- -l"), 0);
	CHECK_TEXT(operands(), "a -l");
	CHECK_INT(parse("a b -q c -- -l -- d"), 0);
	CHECK(quiet && !loud);
	CHECK_TEXT(operands(), "a b c -l -- d");
	CHECK_INT(parse("--"), 0);
	CHECK_INT(rest, argc);
	CHECK_INT(parse("a --"), 0);
	CHECK_TEXT(operands(), "a");
}

TEST(stopping_at_the_first_operand)
{
	CHECK_INT(parse_stopping("-q command -l --jobs x -- y", 1), 0);
	CHECK(quiet && !loud);
	CHECK_TEXT(operands(), "command -l --jobs x -- y");
	CHECK_INT(parse_stopping("-q -- -l x", 1), 0);
	CHECK_TEXT(operands(), "-l x");
	CHECK(!loud);
	CHECK_INT(parse_stopping("-- -- x", 1), 0);
	CHECK_TEXT(operands(), "-- x");
}

TEST(what_is_refused)
{
	static const struct {
		const char *line, *why;
	} bad[] = {
		{"--jbos 3", "--jbos: no such option (did you mean --jobs?)"},
		{"--xyzzy-plugh", "--xyzzy-plugh: no such option (see --help)"},
		{"--=3", "--: no such option (see --help)"},
		{"-x", "-x: no such option (see --help)"},
		{"-qx", "-x: no such option (see --help)"},
		{"-q-", "--: no such option (see --help)"},
		{"--jobs", "--jobs: needs a value (see --help)"},
		{"-j", "-j: needs a value (see --help)"},
		{"-qj", "-j: needs a value (see --help)"},
		{"--quiet=1", "--quiet: takes no value (see --help)"},
		{"--quiet=", "--quiet: takes no value (see --help)"},
		{"--jobs=0", "--jobs: \"0\" is not an integer in [1, 4096] (see --help)"},
		{"-j4097", "-j: \"4097\" is not an integer in [1, 4096] (see --help)"},
		{"-j -1", "-j: \"-1\" is not an integer in [1, 4096] (see --help)"},
		{"--jobs=", "--jobs: \"\" is not an integer in [1, 4096] (see --help)"},
		{"--jobs 2.0", "--jobs: \"2.0\" is not an integer in [1, 4096] (see --help)"},
		{"--jobs 9999999999999999999",
		 "--jobs: \"9999999999999999999\" is not an integer in [1, 4096] (see --help)"},
		{"--jobs 2x", "--jobs: \"2x\" is not an integer in [1, 4096] (see --help)"},
		{"--rate fast", "--rate: \"fast\" is not a number (see --help)"},
		{"--rate nan", "--rate: \"nan\" is not a number (see --help)"},
		{"--rate 1e999", "--rate: \"1e999\" is not a number (see --help)"},
		{"-a sobbol", "-a: \"sobbol\" is not one of random, sobol, grid (did you mean sobol?)"},
		{"-a Tree-Parzen", "-a: \"Tree-Parzen\" is not one of random, sobol, grid (see --help)"},
		{"--algorithm=", "--algorithm: \"\" is not one of random, sobol, grid (see --help)"},
		{"a b --jbos c", "--jbos: no such option (did you mean --jobs?)"},
	};

	for (size_t i = 0; i < MB_COUNT(bad); i++) {
		CHECK_INT(parse(bad[i].line), -1);
		CHECK_TEXT(why(), bad[i].why);
	}
}

/* Any line of words: no crash, and what is not an option stays, in order. */
TEST(random_lines)
{
	enum { SEED = 5 };
	static const char *const words[] = {"-q", "-l", "--loud", "-j3", "--jobs", "7", "--", "x", "y", "-", "--gpu",
					    "--gpu=1", "--bad", "-a", "grid", "EMPTY", "--history", "-", "z", "-f"};
	struct mb_rng rng;

	printf("# seed %d\n", SEED);
	mb_rng_init(&rng, SEED, 0, MB_RNG_SUGGEST);
	for (int round = 0; round < 20000; round++) {
		char line[256] = "", want[256] = "";
		int n = (int)mb_rng_below(&rng, 9), over = 0, mine[16], count = 0;

		for (int i = 0; i < n; i++) {
			mine[i] = (int)mb_rng_below(&rng, MB_COUNT(words));
			snprintf(line + strlen(line), sizeof line - strlen(line), "%s ", words[mine[i]]);
		}
		if (parse(line) < 0)
			continue;
		for (int i = 0; i < n; i++) {
			const char *word = words[mine[i]];

			if (!over && !strcmp(word, "--"))
				over = 1;
			else if (!over && word[0] == '-' && word[1])
				i += !strcmp(word, "--jobs") || !strcmp(word, "-a") || !strcmp(word, "--history") ||
				     !strcmp(word, "-f");
			else
				snprintf(want + strlen(want), sizeof want - strlen(want), "%s%s", count++ ? " " : "",
					 strcmp(word, "EMPTY") ? word : "");
		}
		if (strcmp(operands(), want) || argc - rest != count)
			FAIL("\"%s\" leaves \"%s\", not \"%s\"", line, operands(), want);
	}
}

TEST(help_shows_the_live_defaults)
{
	struct mb_str text = {0};

	parse("--rate=0.25 --file trials.ndjson");
	mb_opt_help(table, &text);
	CHECK_TEXT(text.at, "  -q, --quiet               say less\n"
			    "  -l, --loud                say more\n"
			    "  -j, --jobs JOBS           trials at once (2)\n"
			    "  -r, --rate RATE           per second (0.25)\n"
			    "  -f, --file FILE           read FILE (trials.ndjson)\n"
			    "  -a, --algorithm NAME      how to search\n"
			    "      --history FILE        read first\n"
			    "  -g, --gpu[=LIST]          devices\n"
			    "      --list                list them\n"
			    "      --list-algorithms     list them all\n");
	mb_str_release(&text);
	free(history.at);
	history = (struct mb_opt_texts){0};
}

TEST_MAIN
