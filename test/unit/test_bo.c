/* SPDX-License-Identifier: MIT
 *
 * The algorithm gp: how it starts, that it finds what is there to be found, in every kind of space, with open trials, with
 * noise, and the same from the same log.
 */
#include "check.h"
#include "search.h"

TEST(it_starts_in_the_middle)
{
	struct search *search = search_new(FIVE, 20, 1);

	for (int i = 0; i < 8; i++) {
		CHECK_INT(next(search, "gp"), 0);
		CHECK_TEXT(search->last.algorithm, i == 0 ? "centre" : i < 3 ? "sobol" : "gp");
		CHECK(!search->last.surrogate == (i < 3));
		if (i == 0) {
			CHECK_NEAR(number(search, "x"), 0, 0);
			CHECK_NEAR(number(search, "rate"), 1e-3, 1e-15);
			CHECK_TEXT(json_string_value(json_object_get(search->last.assignments, "c")), "c");
		}
		tell(search, bowl(search));
	}
	search_free(search);
}

TEST(it_is_far_better_than_random_on_a_bowl)
{
	enum { SEEDS = 10 };
	double gp = 0, random = 0;

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		gp += log(best_after("gp", 40, seed) + 1e-9) / SEEDS;
		random += log(best_after("random", 40, seed)) / SEEDS;
	}
	printf("# best of 40, geometric mean of %d seeds: gp %.2g, random %.2g\n", SEEDS, exp(gp), exp(random));
	CHECK(exp(gp) < exp(random) / 100);
}

/* Another process knows the log alone. */
TEST(the_same_log_gives_the_same_suggestion)
{
	struct search *search = search_new(FIVE, 60, 3);

	for (int i = 0; i < 40; i++) {
		struct mb_suggestion again;

		mb_suggest(mb_algorithm_find("gp"), &search->history, &again, &search->err);
		next(search, "gp");
		CHECK(json_equal(again.assignments, search->last.assignments));
		CHECK(!again.surrogate == !search->last.surrogate &&
		      (!again.surrogate || json_equal(again.surrogate, search->last.surrogate)));
		json_decref(again.assignments);
		json_decref(again.surrogate);
		tell(search, bowl(search));
	}
	search_free(search);
}

/* Of many results some are fitted to, at every 32nd, and what was fitted is taken from the log in between. */
TEST(many_results_are_fitted_to_now_and_then)
{
	struct search *search = search_new(FIVE, 400, 3);
	int fitted = 0;

	for (int i = 0; i < 300; i++) {
		json_t *last = json_incref(search->surrogate);
		struct mb_suggestion again = {0};

		if (i > 230)
			mb_suggest(mb_algorithm_find("gp"), &search->history, &again, &search->err);
		next(search, i < 200 ? "random" : "gp");
		CHECK(i <= 230 || json_equal(again.assignments, search->last.assignments));
		if (i > 210 && !json_equal(json_object_get(last, "results"), json_object_get(search->surrogate, "results")))
			fitted++;
		json_decref(again.assignments);
		json_decref(again.surrogate);
		json_decref(last);
		tell(search, bowl(search));
	}
	CHECK_INT(fitted, 3); /* at 224, 256 and 288 */
	search_free(search);
}

/* Losses of trainings that diverged: were they taken as they are, all others would look the same beside them, and nothing
 * better than the first point would be found. */
TEST(an_outlier_hides_nothing)
{
	enum { SEEDS = 4 };
	double mean = 0;

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct search *search = search_new(FIVE, 60, seed);
		double best = INFINITY;

		for (int i = 0; i < 40; i++) {
			double value;

			next(search, "gp");
			value = bowl(search);
			best = value < best ? value : best;
			tell(search, i == 6 ? 1e300 : i == 9 ? 1e9 : value);
		}
		mean += log(best) / SEEDS;
		search_free(search);
	}
	printf("# best of 40, geometric mean of %d seeds: %.2g\n", SEEDS, exp(mean));
	CHECK(exp(mean) < 0.03);
}

TEST(equal_values_are_values)
{
	struct search *search = search_new(FIVE, 60, 3);

	for (int i = 0; i < 12; i++) {
		next(search, "gp");
		tell(search, 1e-30);
	}
	CHECK_TEXT(search->last.algorithm, "gp");
	search_free(search);
}

TEST(failures_alone_go_on)
{
	struct search *search = search_new(FIVE, 60, 3);

	for (int i = 0; i < 20; i++) {
		CHECK_INT(next(search, "gp"), 0);
		tell(search, NAN);
	}
	search_free(search);
}

/* Parallel trials know of each other: none on top of another, and the best still close to what one at a time finds. */
TEST(open_trials_keep_apart)
{
	struct search *search = search_new(FIVE, 200, 5);
	double best = INFINITY;

	for (int batch = 0; batch < 8; batch++) {
		double values[8];
		size_t from = search->history.n;

		for (int i = 0; i < 8; i++) {
			CHECK_INT(next(search, "gp"), 0);
			values[i] = bowl(search);
			keep(search);
		}
		for (int i = 0; i < 8; i++) {
			search->observations[from + (size_t)i] = (struct mb_observation){.value = values[i]};
			best = values[i] < best ? values[i] : best;
		}
	}
	printf("# best of 8 batches of 8: %.2g\n", best);
	CHECK(best < 2e-3);
	search_free(search);
}

/* Noise as large as the differences that matter, and declared: what the search comes to is still better than random's best. */
TEST(noise_that_is_declared_does_not_mislead)
{
	enum { SEEDS = 5, BUDGET = 60 };
	double gp = 0, random = 0;

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct search *search = search_new(FIVE, BUDGET, seed);
		double best = INFINITY;
		struct mb_rng rng;

		mb_rng_init(&rng, seed, 0, MB_RNG_DIGITS);
		for (int i = 0; i < BUDGET; i++) {
			double value;

			next(search, "gp");
			value = bowl(search);
			best = value < best ? value : best;
			*keep(search) = (struct mb_observation){.value = value + 0.05 * mb_rng_normal(&rng), .noise = 0.05};
		}
		search_free(search);
		gp += best / SEEDS;
		random += best_after("random", BUDGET, seed) / SEEDS;
	}
	printf("# best of %d under noise of 0.05: %.4f, of random points %.4f\n", BUDGET, gp, random);
	CHECK(gp < random / 3);
}

/* ---- auto ---- */

TEST(auto_takes_what_suits_the_log)
{
	struct search *search = search_new(FIVE, 1200, 2);

	for (int i = 0; i < 1002; i++) {
		next(search, i == 0 || i == 40 || i == 1001 ? "auto" : "random");
		if (i == 40) {
			CHECK_TEXT(search->last.algorithm, "gp");
			search->history.suggest_s = 0.02; /* what trials cost is not known */
			next(search, "auto");
			CHECK_TEXT(search->last.algorithm, "gp");
			for (int k = 0; k < 40; k++)
				search->observations[k].cost_s = 0.03;
			next(search, "auto");
			CHECK_TEXT(search->last.algorithm, "gp");
			for (int k = 0; k < 40; k++)
				search->observations[k].cost_s = 0.01;
			next(search, "auto");
			CHECK_TEXT(search->last.algorithm, "random");
			search->history.suggest_s = 0;
		}
		tell(search, bowl(search));
	}
	CHECK_TEXT(search->last.algorithm, "tpe");
	search_free(search);
}

/* In a space of doubles gp is followed by cmaes after 20 observations a dimension, 100 at least. */
TEST(auto_polishes_in_a_space_of_doubles)
{
	static const struct {
		const char *space;
		int last; /* observations of gp */
	} cases[] = {
		{"parameters:\n"
		 "  - {name: x, type: double, bounds: {min: 0, max: 1}}\n"
		 "  - {name: y, type: double, bounds: {min: 0, max: 1}}\n", 100},
		{"parameters:\n"
		 "  - {name: x, type: double, bounds: {min: 0, max: 1}}\n"
		 "  - {name: y, type: double, bounds: {min: 0, max: 1}}\n"
		 "  - {name: z, type: double, bounds: {min: 0, max: 1}}\n"
		 "  - {name: k, type: double, bounds: {min: 0, max: 1}}\n"
		 "  - {name: l, type: double, bounds: {min: 0, max: 1}}\n"
		 "  - {name: m, type: double, bounds: {min: 0, max: 1}}\n", 120},
		{"parameters:\n"
		 "  - {name: x, type: double, bounds: {min: 0, max: 1}}\n"
		 "  - {name: y, type: double, grid: [0, 1]}\n", 130},
	};

	for (size_t i = 0; i < MB_COUNT(cases); i++) {
		struct search *search = search_new(cases[i].space, 999, 2);

		for (int n = 0; n <= cases[i].last + 1; n++) {
			int asks = n == cases[i].last || n == cases[i].last + 1;

			next(search, asks ? "auto" : "random");
			if (asks)
				CHECK_TEXT(search->last.algorithm, n == cases[i].last || cases[i].last == 130 ? "gp" : "cmaes");
			tell(search, number(search, "x"));
		}
		search_free(search);
	}
}

TEST_MAIN
