/* SPDX-License-Identifier: MIT
 *
 * What all algorithms must do (unseen points only, every point before the end, the same answer for the same
 * history) and what each one is for.
 */
#include "check.h"

#include <stdlib.h>

#include "opt/opt.h"

/* ---- spaces ---- */

static struct mb_param *add_param(struct mb_space *space, const char *name, enum mb_param_type type)
{
	space->params = mb_realloc(space->params, (space->n_params + 1) * sizeof *space->params);
	space->params[space->n_params] = (struct mb_param){.name = mb_strdup(name), .type = type, .line = 7};
	return &space->params[space->n_params++];
}

static void add_range(struct mb_space *space, const char *name, enum mb_param_type type, double min, double max,
		      int log)
{
	struct mb_param *param = add_param(space, name, type);

	param->min = min;
	param->max = max;
	param->log = log;
}

static void add_values(struct mb_space *space, const char *name, enum mb_param_type type, const char *values)
{
	struct mb_param *param = add_param(space, name, type);

	param->values = json_loads(values, 0, NULL);
	param->n_values = json_array_size(param->values);
	if (type == MB_PARAM_CATEGORICAL)
		return;
	param->min = json_number_value(json_array_get(param->values, 0));
	param->max = json_number_value(json_array_get(param->values, param->n_values - 1));
}

static void set_default(struct mb_space *space, const char *value)
{
	space->params[space->n_params - 1].fallback = json_loads(value, JSON_DECODE_ANY, NULL);
}

/* The last parameter is active only while the conditional has value number `allowed`. */
static void set_condition(struct mb_space *space, size_t conditional, size_t allowed)
{
	struct mb_param *param = &space->params[space->n_params - 1];

	param->conditions = mb_alloc(sizeof *param->conditions);
	param->n_conditions = 1;
	param->conditions[0].conditional = conditional;
	param->conditions[0].allowed = mb_alloc(space->conditionals[conditional].n_values);
	param->conditions[0].allowed[allowed] = 1;
}

static void add_conditional(struct mb_space *space, const char *name, const char *values)
{
	json_t *list = json_loads(values, 0, NULL);

	space->conditionals =
		mb_realloc(space->conditionals, (space->n_conditionals + 1) * sizeof *space->conditionals);
	space->conditionals[space->n_conditionals++] =
		(struct mb_conditional){.name = mb_strdup(name), .values = list, .n_values = json_array_size(list)};
}

/* A run: an experiment, and what was suggested so far. */
struct run {
	struct mb_experiment experiment;
	struct mb_hashset seen;
	struct mb_history history;
	struct mb_suggestion last;
	struct mb_err err;
};

static void run_init(struct run *run, uint64_t seed)
{
	static struct mb_metric metric = {.name = "loss", .strategy = MB_STRATEGY_OPTIMIZE};

	*run = (struct run){.experiment = {.path = "exp.yaml", .algorithm = "auto", .algorithm_line = 4,
						     .observation_budget = 60}};
	run->history =
		(struct mb_history){.experiment = &run->experiment, .seed = seed, .trial = 1, .seen = &run->seen};
	run->experiment.metrics = &metric;
	run->experiment.n_metrics = 1;
}

static void run_release(struct run *run)
{
	json_decref(run->last.assignments);
	json_decref(run->last.surrogate);
	mb_space_release(&run->experiment.space);
	mb_hashset_release(&run->seen);
}

/* The next suggestion into run->last, put into the log; 0 or -1. */
static int next(struct run *run, const char *algorithm)
{
	const struct mb_space *space = &run->experiment.space;

	json_decref(run->last.assignments);
	json_decref(run->last.surrogate);
	run->last = (struct mb_suggestion){0};
	if (mb_suggest(mb_algorithm_find(algorithm), &run->history, &run->last, &run->err) < 0)
		return -1;
	if (mb_space_check(space, run->last.assignments, &run->err) < 0)
		FAIL("trial %d: %s", (int)run->history.trial, run->err.what);
	if (!mb_hashset_add(&run->seen, mb_space_key(space, run->last.assignments)))
		FAIL("trial %d was suggested before", (int)run->history.trial);
	run->history.trial++;
	return 0;
}

static double number(const struct run *run, const char *name)
{
	return json_number_value(json_object_get(run->last.assignments, name));
}

/* 3 ints × 2 values × (1 + 4 + 2 × 3 by the conditional) = 66 points */
static void small_space(struct mb_space *space)
{
	add_conditional(space, "optimizer", "[\"none\", \"sgd\", \"adam\"]");
	add_range(space, "layers", MB_PARAM_INT, 1, 3, 0);
	add_values(space, "shape", MB_PARAM_CATEGORICAL, "[[20], [10, 10]]");
	add_values(space, "momentum", MB_PARAM_DOUBLE, "[0, 0.5, 0.9, 0.99]");
	set_condition(space, 0, 1);
	add_range(space, "beta", MB_PARAM_INT, 2, 3, 0);
	set_condition(space, 0, 2);
	add_values(space, "eps", MB_PARAM_CATEGORICAL, "[\"a\", \"b\", true]");
	set_condition(space, 0, 2);
}

/* ---- what is common ---- */

static const char *const names[] = {"auto", "gp", "sobol", "random", "tpe", "lhs", "grid", "nsga2", "cmaes"};

TEST(every_point_once_then_the_end)
{
	for (size_t i = 0; i < MB_COUNT(names); i++)
		for (uint64_t seed = 0; seed < 10; seed++) {
			struct run run;
			int count = 0;

			run_init(&run, seed);
			small_space(&run.experiment.space);
			while (count < 70 && next(&run, names[i]) == 0)
				count++;
			CHECK_INT(count, 66);
			CHECK_INT(run.err.code, MB_EXIT_NO);
			CHECK_TEXT(run.err.what, "the space is exhausted: all 66 points are suggested");
			CHECK(!run.last.assignments);
			run_release(&run);
		}
}

TEST(default_comes_first_and_once)
{
	for (size_t i = 0; i < MB_COUNT(names); i++) {
		struct run run;
		int count = 1;

		run_init(&run, 3);
		small_space(&run.experiment.space);
		set_default(&run.experiment.space, "\"b\"");
		run.experiment.space.params[0].fallback = json_integer(3);
		CHECK_INT(next(&run, names[i]), 0);
		CHECK_TEXT(run.last.algorithm, "default");
		CHECK_NEAR(number(&run, "layers"), 3, 0);
		while (count < 70 && next(&run, names[i]) == 0) {
			CHECK(strcmp(run.last.algorithm, "default"));
			count++;
		}
		CHECK_INT(count, 66);
		run_release(&run);
	}
}

TEST(a_default_already_in_the_log_is_not_tried_again)
{
	struct run run;
	json_t *point;

	run_init(&run, 3);
	small_space(&run.experiment.space);
	run.experiment.space.params[0].fallback = json_integer(3);
	point = mb_space_default(&run.experiment.space);
	mb_hashset_add(&run.seen, mb_space_key(&run.experiment.space, point));
	json_decref(point);
	run.history.trial = 2;
	CHECK_INT(next(&run, "random"), 0);
	CHECK_TEXT(run.last.algorithm, "random");
	run_release(&run);
}

TEST(auto_says_what_it_used)
{
	struct run run;

	run_init(&run, 0);
	add_range(&run.experiment.space, "x", MB_PARAM_DOUBLE, 0, 1, 0);
	CHECK_INT(next(&run, "auto"), 0);
	CHECK_TEXT(run.last.algorithm, "centre");
	CHECK_INT(next(&run, "auto"), 0);
	CHECK_TEXT(run.last.algorithm, "sobol");
	run_release(&run);
}

/* The same history in another process: only (seed, trial, seen) count. */
TEST(same_history_same_suggestion)
{
	for (size_t i = 0; i < MB_COUNT(names); i++) {
		struct run run;
		struct mb_suggestion again;
		int differ = 0;

		run_init(&run, 11);
		small_space(&run.experiment.space);
		for (int k = 0; k < 60; k++) {
			struct mb_history history = run.history, other = run.history;
			struct mb_suggestion of_other;

			mb_suggest(mb_algorithm_find(names[i]), &history, &again, &run.err);
			other.seed = 12;
			mb_suggest(mb_algorithm_find(names[i]), &other, &of_other, &run.err);
			differ += !json_equal(of_other.assignments, again.assignments);
			json_decref(of_other.assignments);
			json_decref(of_other.surrogate);
			CHECK_INT(next(&run, names[i]), 0);
			CHECK(json_equal(again.assignments, run.last.assignments));
			json_decref(again.assignments);
			json_decref(again.surrogate);
		}
		CHECK(strcmp(names[i], "grid") ? differ > 30 : differ == 0);
		run_release(&run);
	}
}

/* Half of the draws fall on the single point of "none"; it must come once, and the rest must be new each time. */
TEST(a_space_that_cannot_be_counted_gives_no_point_twice)
{
	struct run run;
	int none = 0;

	run_init(&run, 5);
	add_conditional(&run.experiment.space, "decay", "[\"none\", \"some\"]");
	add_range(&run.experiment.space, "rate", MB_PARAM_DOUBLE, 1e-5, 1, 1);
	set_condition(&run.experiment.space, 0, 1);
	for (int k = 0; k < 1000; k++) {
		CHECK_INT(next(&run, "sobol"), 0);
		none += !json_object_get(run.last.assignments, "rate");
	}
	CHECK_INT(none, 1);
	run_release(&run);
}

/* All of a large space but one point is in the log: the walk finds it. */
TEST(the_last_point_of_many_is_found)
{
	struct run run;

	run_init(&run, 1);
	add_range(&run.experiment.space, "k", MB_PARAM_INT, 0, 9999, 0);
	for (uint64_t k = 0; k < 10000; k++) {
		json_t *point = mb_space_at(&run.experiment.space, k);

		if (k != 6543)
			mb_hashset_add(&run.seen, mb_space_key(&run.experiment.space, point));
		json_decref(point);
	}
	run.history.trial = 10000;
	CHECK_INT(next(&run, "sobol"), 0);
	CHECK_NEAR(number(&run, "k"), 6543, 0);
	CHECK_TEXT(run.last.algorithm, "random");
	CHECK_INT(next(&run, "sobol"), -1);
	run_release(&run);
}

/* ---- random ---- */

/* Chi-square of counts against equal expectations; bound: the 1 - 1e-4 quantile, Wilson and Hilferty (1931). */
static void check_uniform(const char *what, const unsigned *count, size_t cells, double total)
{
	double chi = 0, f = (double)cells - 1, bound = f * pow(1 - 2 / (9 * f) + 3.719 * sqrt(2 / (9 * f)), 3);

	for (size_t i = 0; i < cells; i++)
		chi += pow(count[i] - total / (double)cells, 2) / (total / (double)cells);
	printf("# %s: chi-square %.1f, bound %.1f\n", what, chi, bound);
	CHECK(chi < bound);
}

TEST(random_is_uniform_in_each_parameters_own_scale)
{
	enum { DRAWS = 20000, SEED = 2024 };
	unsigned linear[20] = {0}, integer[7] = {0}, logarithm[20] = {0}, category[5] = {0}, pair[4] = {0};
	struct run run;

	printf("# seed %d\n", SEED);
	run_init(&run, SEED);
	add_range(&run.experiment.space, "x", MB_PARAM_DOUBLE, -3, 7, 0);
	add_range(&run.experiment.space, "k", MB_PARAM_INT, -3, 3, 0);
	add_range(&run.experiment.space, "rate", MB_PARAM_DOUBLE, 1e-5, 10, 1);
	add_values(&run.experiment.space, "c", MB_PARAM_CATEGORICAL, "[\"a\", \"b\", \"c\", \"d\", \"e\"]");
	for (int i = 0; i < DRAWS; i++) {
		double x, rate;

		if (next(&run, "random") < 0)
			break;
		x = (number(&run, "x") + 3) / 10;
		rate = log10(number(&run, "rate") / 1e-5) / 6;
		linear[(int)(x * 20)]++;
		integer[(int)number(&run, "k") + 3]++;
		logarithm[(int)(rate * 20)]++;
		category[json_string_value(json_object_get(run.last.assignments, "c"))[0] - 'a']++;
		pair[2 * (x < 0.5) + (rate < 0.5)]++;
	}
	check_uniform("double", linear, MB_COUNT(linear), DRAWS);
	check_uniform("int", integer, MB_COUNT(integer), DRAWS);
	check_uniform("log", logarithm, MB_COUNT(logarithm), DRAWS);
	check_uniform("categorical", category, MB_COUNT(category), DRAWS);
	check_uniform("double and log together", pair, MB_COUNT(pair), DRAWS);
	run_release(&run);
}

/* On a log scale the integer k has the share log((k + 1/2) / (k - 1/2)) of log(100.5 / 0.5). */
TEST(random_int_on_a_log_scale)
{
	enum { DRAWS = 20000, SEED = 7 };
	unsigned low = 0, middle = 0;
	struct run run;

	printf("# seed %d\n", SEED);
	run_init(&run, SEED);
	add_range(&run.experiment.space, "k", MB_PARAM_INT, 1, 100, 1);
	add_range(&run.experiment.space, "x", MB_PARAM_DOUBLE, 0, 1, 0);
	for (int i = 0; i < DRAWS; i++) {
		next(&run, "random");
		low += number(&run, "k") == 1;
		middle += number(&run, "k") > 1 && number(&run, "k") <= 10;
	}
	CHECK_NEAR(low / (double)DRAWS, log(3) / log(201), 4 * sqrt(0.25 / DRAWS));
	CHECK_NEAR(middle / (double)DRAWS, log(7) / log(201), 4 * sqrt(0.25 / DRAWS));
	run_release(&run);
}

/* The order in which a small space is used up is uniform too: every point is as likely to be the last. */
TEST(what_is_left_in_the_end_is_uniform)
{
	enum { RUNS = 6000 };
	unsigned first[6] = {0}, last[6] = {0};

	for (uint64_t seed = 0; seed < RUNS; seed++) {
		struct run run;

		run_init(&run, seed);
		add_range(&run.experiment.space, "k", MB_PARAM_INT, 0, 5, 0);
		next(&run, "random");
		first[(int)number(&run, "k")]++;
		for (int i = 0; i < 5; i++)
			next(&run, "random");
		last[(int)number(&run, "k")]++;
		run_release(&run);
	}
	check_uniform("first of six", first, 6, RUNS);
	check_uniform("last of six", last, 6, RUNS);
}

/* ---- sobol ---- */

TEST(sobol_stratifies_each_parameter)
{
	for (uint64_t seed = 0; seed < 5; seed++) {
		unsigned x[64] = {0}, rate[64] = {0}, k[8] = {0};
		struct run run;

		run_init(&run, seed);
		add_range(&run.experiment.space, "x", MB_PARAM_DOUBLE, 0, 1, 0);
		add_range(&run.experiment.space, "rate", MB_PARAM_DOUBLE, 1e-4, 1, 1);
		add_range(&run.experiment.space, "k", MB_PARAM_INT, 1, 8, 0);
		for (int i = 0; i < 64; i++) {
			next(&run, "sobol");
			x[(int)(64 * number(&run, "x"))]++;
			rate[(int)(64 * (1 + log10(number(&run, "rate")) / 4))]++;
			k[(int)number(&run, "k") - 1]++;
		}
		for (int i = 0; i < 64; i++)
			CHECK(x[i] == 1 && rate[i] == 1 && k[i / 8] == 8);
		run_release(&run);
	}
}

TEST(sobol_goes_on_beyond_its_dimensions_at_random)
{
	enum { DIMS = 140, DRAWS = 2000 };
	static unsigned count[DIMS][10];
	struct run run;
	char name[16];

	run_init(&run, 8);
	for (int d = 0; d < DIMS; d++) {
		snprintf(name, sizeof name, "x%d", d);
		add_range(&run.experiment.space, name, MB_PARAM_DOUBLE, 0, 1, 0);
	}
	for (int i = 0; i < DRAWS; i++) {
		next(&run, "sobol");
		for (int d = 0; d < DIMS; d++) {
			snprintf(name, sizeof name, "x%d", d);
			count[d][(int)(10 * number(&run, name))]++;
		}
	}
	check_uniform("dimension 128, the last of the table", count[127], 10, DRAWS);
	check_uniform("dimension 129, random", count[128], 10, DRAWS);
	check_uniform("dimension 140, random", count[139], 10, DRAWS);
	run_release(&run);
}

/* ---- grid ---- */

TEST(grid_is_in_order)
{
	struct run run;

	run_init(&run, 0);
	small_space(&run.experiment.space);
	for (uint64_t i = 0; i < 66; i++) {
		json_t *want = mb_space_at(&run.experiment.space, i);

		next(&run, "grid");
		CHECK_TEXT(run.last.algorithm, "grid");
		CHECK(json_equal(run.last.assignments, want));
		json_decref(want);
	}
	run_release(&run);
}

/* The default point is number 3 of 0 … 5 and the user added number 1: the rest follows in order, 0 not left for
 * later. */
TEST(grid_keeps_its_order_around_points_already_tried)
{
	static const int want[] = {3, 0, 2, 4, 5};
	struct run run;
	json_t *point;

	run_init(&run, 0);
	add_range(&run.experiment.space, "k", MB_PARAM_INT, 0, 5, 0);
	set_default(&run.experiment.space, "3");
	for (size_t i = 0; i < MB_COUNT(want); i++) {
		CHECK_INT(next(&run, "grid"), 0);
		CHECK_NEAR(number(&run, "k"), want[i], 0);
		if (want[i] == 0) { /* the user's own point takes a trial number */
			point = mb_space_at(&run.experiment.space, 1);
			mb_hashset_add(&run.seen, mb_space_key(&run.experiment.space, point));
			json_decref(point);
			run.history.trial++;
		}
	}
	CHECK_INT(next(&run, "grid"), -1);
	run_release(&run);
}

TEST(grid_of_many_points_is_not_quadratic)
{
	struct run run;
	double start = mb_clock_cpu_s();
	int count = 0;

	run_init(&run, 0);
	add_range(&run.experiment.space, "a", MB_PARAM_INT, 1, 100, 0);
	add_range(&run.experiment.space, "b", MB_PARAM_INT, 1, 1000, 0);
	run.experiment.space.params[0].fallback = json_integer(50);
	while (count < 100001 && next(&run, "grid") == 0)
		count++;
	CHECK_INT(count, 100000);
	printf("# 10^5 points of a grid in %.2f s\n", mb_clock_cpu_s() - start);
	CHECK(mb_clock_cpu_s() - start < 20); /* from the first point each time it would be hours */
	run_release(&run);
}

/* ---- choosing ---- */

static void check_choice(struct run *run, const char *option, const char *where, const char *what, const char *hint)
{
	CHECK(!mb_algorithm_choose(&run->experiment, option, &run->err));
	CHECK_INT(run->err.code, MB_EXIT_USAGE);
	CHECK_TEXT(run->err.where, where);
	CHECK_TEXT(run->err.what, what);
	CHECK_TEXT(run->err.hint, hint);
}

TEST(choosing_an_algorithm)
{
	struct run run;

	run_init(&run, 0);
	add_range(&run.experiment.space, "k", MB_PARAM_INT, 1, 5, 0);
	CHECK(mb_algorithms[0] == mb_algorithm_find("auto"));
	CHECK(!mb_algorithm_find("gri") && !mb_algorithm_find(""));
	for (size_t i = 0; mb_algorithms[i]; i++) {
		CHECK(mb_algorithm_find(mb_algorithms[i]->name) == mb_algorithms[i]);
		CHECK(mb_algorithm_choose(&run.experiment, mb_algorithms[i]->name, &run.err) == mb_algorithms[i]);
	}
	CHECK(mb_algorithm_choose(&run.experiment, NULL, &run.err) == mb_algorithms[0]);
	check_choice(&run, "sobl", "--algorithm", "\"sobl\" is not built in, only auto, gp, tpe, cmaes, nsga2, sobol, lhs, random, grid",
		     "did you mean sobol?");
	run.experiment.algorithm = "simulated_annealing";
	check_choice(&run, NULL, "exp.yaml:4: experiment.algorithm",
		     "\"simulated_annealing\" is not built in, only auto, gp, tpe, cmaes, nsga2, sobol, lhs, random, grid", "");
	run_release(&run);
}

TEST(grid_needs_a_countable_space)
{
	struct run run;

	run_init(&run, 0);
	add_range(&run.experiment.space, "k", MB_PARAM_INT, 1, 5, 0);
	add_values(&run.experiment.space, "y", MB_PARAM_DOUBLE, "[0.5, 1.5]");
	CHECK(mb_algorithm_choose(&run.experiment, "grid", &run.err));
	add_range(&run.experiment.space, "x", MB_PARAM_DOUBLE, 0, 2.5, 0);
	check_choice(&run, "grid", "exp.yaml:7", "parameters.x: algorithm grid needs a grid: [...] for a double",
		     "replace bounds by grid: [0, …, 2.5], or choose another algorithm");
	run_release(&run);

	run_init(&run, 0);
	add_range(&run.experiment.space, "a", MB_PARAM_INT, 1, 1e15, 0);
	add_range(&run.experiment.space, "b", MB_PARAM_INT, 1, 1e15, 0);
	check_choice(&run, "grid", "exp.yaml", "parameters: algorithm grid cannot count more than 2^63 points",
		     "give the int parameters a grid: [...], or choose another algorithm");
	run_release(&run);
}

TEST(an_ask_is_quick)
{
	enum { ASKS = 20000 };

	for (size_t i = 0; i < 5; i++) {
		struct run run;
		double start, each;
		char name[16];

		run_init(&run, 0);
		for (int d = 0; d < 10; d++) {
			snprintf(name, sizeof name, "x%d", d);
			add_range(&run.experiment.space, name, MB_PARAM_DOUBLE, 1e-5, 1, d & 1);
		}
		start = mb_clock_cpu_s();
		for (int k = 0; k < ASKS; k++)
			next(&run, names[i]);
		each = (mb_clock_cpu_s() - start) / ASKS;
		printf("# %s: %.1f us a suggestion in 10 dimensions\n", names[i], each * 1e6);
		CHECK(each < 500e-6); /* 50 us is the aim; sanitizers and busy machines are slower */
		run_release(&run);
	}
}

TEST_MAIN
