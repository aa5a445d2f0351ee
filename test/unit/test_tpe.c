/* SPDX-License-Identifier: MIT
 *
 * The algorithms that need more than a space: tpe, which learns from results, and lhs, which knows the budget.
 */
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "opt/opt.h"
#include "search.h"

/* ---- tpe ---- */

TEST(tpe_starts_with_sobol_and_says_so)
{
	struct search *search = search_new(FIVE, 60, 3), *sobol = search_new(FIVE, 60, 3);

	for (int i = 0; i < 20; i++) {
		CHECK_INT(next(search, "tpe"), 0);
		CHECK_INT(next(sobol, "sobol"), 0);
		CHECK_TEXT(search->last.algorithm, i < 10 ? "sobol" : "tpe");
		CHECK(i >= 10 || json_equal(search->last.assignments, sobol->last.assignments));
		tell(search, bowl(search));
		keep(sobol);
	}
	search_free(search);
	search_free(sobol);
}

TEST(tpe_is_far_better_than_random_on_a_bowl)
{
	enum { SEEDS = 15 };
	double tpe = 0, random = 0;
	int wins = 0;

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		double a = best_after("tpe", 80, seed), b = best_after("random", 80, seed);

		tpe += log(a) / SEEDS;
		random += log(b) / SEEDS;
		wins += a < b;
	}
	printf("# best of 80, geometric mean of %d seeds: tpe %.4f, random %.4f; %d wins\n", SEEDS, exp(tpe), exp(random),
	       wins);
	CHECK(exp(tpe) < exp(random) / 2.5);
	CHECK(wins >= 13);
}

TEST(the_same_history_gives_the_same_suggestion)
{
	struct search *search = search_new(FIVE, 60, 3);
	json_t *first;

	for (int i = 0; i < 30; i++) {
		next(search, "tpe");
		tell(search, bowl(search));
	}
	next(search, "tpe");
	first = json_incref(search->last.assignments);
	next(search, "tpe");
	CHECK(json_equal(first, search->last.assignments));
	search->history.seed++;
	next(search, "tpe");
	CHECK(!json_equal(first, search->last.assignments));
	json_decref(first);
	search_free(search);
}

/* All of x > 0 fails, and what is best lies at its edge: it is left alone all the same. */
TEST(tpe_keeps_away_from_what_fails)
{
	int tried = 0, late = 0;

	for (uint64_t seed = 0; seed < 10; seed++) {
		struct search *search = search_new(FIVE, 60, seed);

		for (int i = 0; i < 60; i++) {
			int fails;

			next(search, "tpe");
			fails = number(search, "x") > 0;
			late += i >= 30 && fails;
			tried += i >= 30;
			tell(search, fails ? NAN : bowl(search));
		}
		search_free(search);
	}
	printf("# %d of %d late points in the half that fails\n", late, tried);
	CHECK(late < 0.42 * tried); /* where failures count for nothing: 0.81 */
}

TEST(tpe_with_failures_alone_goes_on)
{
	struct search *search = search_new(FIVE, 60, 1);

	for (int i = 0; i < 30; i++) {
		CHECK_INT(next(search, "tpe"), 0);
		tell(search, NAN);
	}
	CHECK_TEXT(search->last.algorithm, "sobol");
	search_free(search);
}

/* 20 suggestions in a row after `start` results: those that know of the open ones before them lie further apart. */
static double spread(int start, int pending)
{
	double sum = 0, x[20];

	for (uint64_t seed = 0; seed < 10; seed++) {
		struct search *search = search_new("parameters:\n  - {name: x, type: double, bounds: {min: 0, max: 1}}\n",
						   2000, seed);

		for (int i = 0; i < start; i++) {
			next(search, start > 99 ? "random" : "tpe");
			tell(search, fabs(number(search, "x") - 0.3));
		}
		for (int i = 0; i < 20; i++) {
			next(search, "tpe");
			x[i] = number(search, "x");
			if (pending)
				keep(search);
			else
				search->history.trial++;
		}
		for (int i = 0; i < 20; i++)
			for (int k = 0; k < i; k++)
				sum += fabs(x[i] - x[k]) / 190 / 10;
		search_free(search);
	}
	return sum;
}

TEST(tpe_spreads_parallel_trials)
{
	double blind = spread(30, 0), aware = spread(30, 1);

	printf("# mean distance of 20 open points: %.3f, %.3f without knowing of each other\n", aware, blind);
	CHECK(aware > 1.3 * blind);
}

/* So many results that the model takes a part of them: the open ones are all in it. */
TEST(tpe_spreads_parallel_trials_of_a_long_search)
{
	double blind = spread(1000, 0), aware = spread(1000, 1);

	printf("# mean distance of 20 open points: %.4f, %.4f without knowing of each other\n", aware, blind);
	CHECK(aware > 6 * blind); /* 3.9 where they are left out: each then takes other finished ones */
}

/* More results than the model has kernels: those that stand for all of them lead to where the best lie. */
TEST(tpe_learns_from_a_long_log)
{
	enum { SEEDS = 5 };
	double ratio = 0;

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct search *search = search_new(FIVE, 2000, seed);
		double best[2] = {INFINITY, INFINITY};

		for (int i = 0; i < 1060; i++) {
			next(search, i < 1000 ? "random" : "tpe");
			best[i >= 1000] = fmin(best[i >= 1000], bowl(search));
			tell(search, bowl(search));
		}
		ratio += log(best[1] / best[0]) / SEEDS;
		search_free(search);
	}
	printf("# the best of 60 is %.2f of that of 1,000 random points before, in the mean\n", exp(ratio));
	CHECK(exp(ratio) < 0.5);
}

#define BRANCHES                                                                                                       \
	"conditionals: [{name: model, values: [none, svm, forest]}]\n"                                                 \
	"parameters:\n"                                                                                                \
	"  - {name: c, type: double, bounds: {min: 1e-3, max: 1e3}, transformation: log, conditions: {model: svm}}\n"  \
	"  - {name: trees, type: int, bounds: {min: 10, max: 500}, conditions: {model: [forest]}}\n"                   \
	"  - {name: depth, type: int, grid: [2, 4, 8, 16], conditions: {model: [forest]}}\n"

/* next() checks each point; the best branch is found, and what is tuned in it is tuned. */
TEST(tpe_in_a_space_with_conditions)
{
	int best_branch = 0, tuned = 0;

	for (uint64_t seed = 0; seed < 10; seed++) {
		struct search *search = search_new(BRANCHES, 60, seed);

		for (int i = 0; i < 60; i++) {
			const json_t *model;
			double value = 2;

			CHECK_INT(next(search, "tpe"), 0);
			model = json_object_get(search->last.assignments, "model");
			if (!strcmp(json_string_value(model), "svm"))
				value = 0.5 + fabs(log10(number(search, "c")) - 2);
			else if (!strcmp(json_string_value(model), "forest"))
				value = 1.5 + fabs(number(search, "trees") - 400) / 400;
			best_branch += i >= 30 && value < 1.5;
			tuned += i >= 30 && value < 1;
			tell(search, value);
		}
		search_free(search);
	}
	printf("# of 300 late points %d in the best sixth of the best branch, %d in its best twelfth\n", best_branch, tuned);
	CHECK(best_branch > 150); /* uniform: 300 / 3 / 3 = 33 */
	CHECK(tuned > 100);       /* uniform: 17 */
}

/* A prior is where the search begins, and where it stays while nothing speaks against it. */
TEST(tpe_uses_priors_and_constraints)
{
	struct search *search = search_new(
		"parameters:\n"
		"  - {name: x, type: double, bounds: {min: 0, max: 100}, prior: {name: normal, mean: 20, scale: 3}}\n"
		"  - {name: y, type: double, bounds: {min: 0, max: 100}}\n"
		"linear_constraints: [{type: greater_than, threshold: 60, terms: [{name: x, weight: 1}, {name: y, weight: 1}]}]\n",
		60, 5);
	int near = 0;

	for (int i = 0; i < 60; i++) {
		next(search, "tpe"); /* fails on a point that is not allowed */
		near += fabs(number(search, "x") - 20) < 9;
		tell(search, number(search, "y"));
	}
	CHECK(near >= 55);
	search_free(search);
}

TEST(tpe_is_quick)
{
	static const int sizes[] = {100, 1000};

	for (size_t s = 0; s < MB_COUNT(sizes); s++) {
		struct mb_str text = {0};
		struct search *search;
		struct mb_rng rng;
		double start, each;

		mb_str_adds(&text, "parameters:\n");
		for (int d = 0; d < 10; d++)
			mb_str_addf(&text, "  - {name: x%d, type: double, bounds: {min: 1e-5, max: 1}, transformation: %s}\n",
				    d, d & 1 ? "log" : "none");
		search = search_new(text.at, 2000, 1);
		mb_rng_init(&rng, 9, 0, MB_RNG_SUGGEST);
		for (int i = 0; i < sizes[s]; i++) {
			next(search, "random");
			tell(search, mb_rng_unit(&rng));
		}
		start = mb_clock_cpu_s();
		for (int i = 0; i < 50; i++) {
			next(search, "tpe");
			CHECK_TEXT(search->last.algorithm, "tpe");
			keep(search);
		}
		each = (mb_clock_cpu_s() - start) / 50;
		printf("# %.2f ms a suggestion after %d trials in 10 dimensions\n", each * 1e3, sizes[s]);
		CHECK(each < 40e-3); /* 2 ms is the aim; sanitizers and busy machines are slower */
		mb_str_release(&text);
		search_free(search);
	}
}

/* ---- linear constraints, which all algorithms keep ---- */

static const char *const names[] = {"auto", "gp", "tpe", "cmaes", "sobol", "lhs", "random", "grid"};

#define PAIRS                                                                                                          \
	"parameters:\n"                                                                                                \
	"  - {name: a, type: int, bounds: {min: 0, max: 10}}\n"                                                        \
	"  - {name: b, type: int, bounds: {min: 0, max: 10}}\n"                                                        \
	"linear_constraints:\n"                                                                                        \
	"  - {type: less_than, threshold: 10, terms: [{name: a, weight: 1}, {name: b, weight: 1}]}\n"                   \
	"  - {type: greater_than, threshold: 0, terms: [{name: a, weight: 2}, {name: b, weight: -1}]}\n"

/* a 0 … 10 leaves b 0 … min(2 a, 10 - a): 1 + 3 + 5 + 7 + 7 + 6 + 5 + 4 + 3 + 2 + 1 = 44 pairs. */
TEST(linear_constraints_leave_every_allowed_point_once)
{
	for (size_t i = 0; i < MB_COUNT(names); i++)
		for (uint64_t seed = 0; seed < 10; seed++) {
			struct search *search = search_new(PAIRS, 200, seed);
			int count = 0;

			while (count < 130 && next(search, names[i]) == 0) {
				tell(search, number(search, "a"));
				count++;
			}
			CHECK_INT(count, 44);
			CHECK_INT(search->err.code, MB_EXIT_NO);
			CHECK_TEXT(search->err.what, "the space is exhausted: all 44 points are suggested");
			search_free(search);
		}
}

/* One in 2,000 points is allowed; next() fails on one that is not. */
TEST(a_narrow_linear_constraint_is_kept)
{
	for (size_t i = 0; i < 7; i++) {
		struct search *search = search_new(
			"parameters:\n"
			"  - {name: x, type: double, bounds: {min: 0, max: 1}}\n"
			"  - {name: y, type: double, bounds: {min: 0, max: 1}}\n"
			"linear_constraints:\n"
			"  - {type: less_than, threshold: 0.0005, terms: [{name: x, weight: 1}, {name: y, weight: -1}]}\n"
			"  - {type: greater_than, threshold: 0, terms: [{name: x, weight: 1}, {name: y, weight: -1}]}\n", 99, 1);

		for (int k = 0; k < 20; k++) {
			CHECK_INT(next(search, names[i]), 0);
			tell(search, number(search, "x"));
		}
		search_free(search);
	}
}

/* ---- lhs ---- */

/* Each of n equal parts of each parameter has one of the n points of the budget, and of the n after them. */
TEST(lhs_stratifies_over_the_budget)
{
	static const int budgets[] = {1, 2, 7, 24, 60, 257};

	for (size_t b = 0; b < MB_COUNT(budgets); b++)
		for (uint64_t seed = 0; seed < 4; seed++) {
			int n = budgets[b], same = 0;
			struct search *search = search_new(
				"parameters:\n"
				"  - {name: x, type: double, bounds: {min: 0, max: 1}}\n"
				"  - {name: rate, type: double, bounds: {min: 1e-4, max: 1}, transformation: log}\n", n, seed);

			for (int cube = 0; cube < 2; cube++) {
				unsigned x[257] = {0}, rate[257] = {0};

				for (int i = 0; i < n; i++) {
					int at_x, at_rate;

					next(search, "lhs");
					CHECK_TEXT(search->last.algorithm, "lhs");
					at_x = (int)(n * number(search, "x"));
					at_rate = (int)(n * (1 + log10(number(search, "rate")) / 4));
					same += at_x == at_rate;
					x[at_x]++;
					rate[at_rate]++;
					keep(search);
				}
				for (int i = 0; i < n; i++)
					if (x[i] != 1 || rate[i] != 1)
						FAIL("part %d of %d, hypercube %d: %u and %u points", i, n, cube, x[i], rate[i]);
			}
			CHECK(n < 24 || same < 12); /* 2 on average: the parameters are not in step */
			search_free(search);
		}
}

TEST(lhs_depends_on_seed_trial_and_budget_alone)
{
	struct search *a = search_new(FIVE, 50, 4), *b = search_new(FIVE, 50, 4), *c = search_new(FIVE, 51, 4);

	for (int i = 0; i < 20; i++) {
		next(a, "lhs");
		keep(a);
	}
	a->history.trial = b->history.trial = c->history.trial = 33;
	next(a, "lhs");
	next(b, "lhs");
	next(c, "lhs");
	CHECK(json_equal(a->last.assignments, b->last.assignments));
	CHECK(!json_equal(a->last.assignments, c->last.assignments));
	b->history.seed = 5;
	next(b, "lhs");
	CHECK(!json_equal(a->last.assignments, b->last.assignments));
	search_free(a);
	search_free(b);
	search_free(c);
}

TEST_MAIN
