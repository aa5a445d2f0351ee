/* SPDX-License-Identifier: MIT
 *
 * The algorithm cmaes: CMA-ES as the replay of a log, with whatever a log may hold.
 */
#include "check.h"
#include "search.h"

#define SPHERE                                                                                                         \
	"parameters:\n"                                                                                                \
	"  - {name: a, type: double, bounds: {min: -5, max: 5}}\n"                                                     \
	"  - {name: b, type: double, bounds: {min: -5, max: 5}}\n"                                                     \
	"  - {name: c, type: double, bounds: {min: -5, max: 5}}\n"                                                     \
	"  - {name: d, type: double, bounds: {min: -5, max: 5}}\n"                                                     \
	"  - {name: e, type: double, bounds: {min: 1e-4, max: 1}, transformation: log}\n"

/* A sphere with its centre at (1.3, 2, -3, 4.2; 10^-2.7), in units of the axes. */
static double sphere(const struct search *search)
{
	static const double centre[] = {1.3, 2, -3, 4.2};
	double e = (log10(number(search, "e")) + 2.7) * 2.5, sum = e * e;

	for (int i = 0; i < 4; i++)
		sum += pow(number(search, (char[]){(char)('a' + i), 0}) - centre[i], 2);
	return sum;
}

static double best_sphere(int budget, uint64_t seed)
{
	struct search *search = search_new(SPHERE, 9999, seed);
	double best = INFINITY;

	for (int i = 0; i < budget; i++) {
		double value;

		CHECK_INT(next(search, "cmaes"), 0);
		CHECK_TEXT(search->last.algorithm, "cmaes");
		value = sphere(search);
		best = fmin(best, value);
		tell(search, value);
	}
	search_free(search);
	return best;
}

/* The package cma 4.5 (PyPI) is below 1e-8 after 721 evaluations, the median of 7 runs on a sphere like it. */
TEST(cmaes_descends_a_sphere)
{
	double worst = 0;

	for (uint64_t seed = 0; seed < 5; seed++)
		worst = fmax(worst, best_sphere(950, seed));
	printf("# the worst of 5 runs of 950 evaluations: %.2g\n", worst);
	CHECK(worst < 1e-8);
}

/* Some of everything: up to `open` trials at once that end in any order, some of them failed, every fifth point by another
 * algorithm. */
static double mixed_search(struct search *search, int budget, size_t open, uint64_t order, struct mb_cache *cache)
{
	double best = INFINITY;
	struct mb_rng rng;
	size_t n_open = 0, at[64];
	double value[64];

	mb_rng_init(&rng, order, 0, MB_RNG_SUGGEST);
	for (int i = 0; i < budget;) {
		if (n_open < open) {
			search->history.cache = cache;
			next(search, order && i % 5 == 4 ? "random" : "cmaes");
			if (cache) {
				json_t *warm = json_incref(search->last.assignments);

				search->history.cache = NULL;
				next(search, i % 5 == 4 ? "random" : "cmaes");
				CHECK(json_equal(warm, search->last.assignments));
				json_decref(warm);
			}
			value[n_open] = sphere(search);
			at[n_open++] = (size_t)(keep(search) - search->observations);
			i++;
			continue;
		}
		size_t pick = mb_rng_below(&rng, n_open);

		best = fmin(best, value[pick]);
		end(search, &search->observations[at[pick]], order && i % 9 == 0 ? NAN : value[pick]);
		value[pick] = value[--n_open];
		at[pick] = at[n_open];
	}
	return best;
}

TEST(cmaes_says_the_same_with_and_without_what_it_kept)
{
	static const size_t open[] = {1, 7, 40};

	for (size_t i = 0; i < MB_COUNT(open); i++) {
		struct search *search = search_new(SPHERE, 9999, 11);
		struct mb_cache *cache = mb_cache_new();

		mixed_search(search, 400, open[i], 5 + i, cache);
		mb_cache_free(cache);
		search_free(search);
	}
}

/* 16 trials at once, ending in any order, no generation ever complete at a time: the log-linear descent stays. */
TEST(cmaes_takes_results_in_any_order_from_many_workers)
{
	double worst = 0;

	for (uint64_t seed = 0; seed < 5; seed++) {
		struct search *search = search_new(SPHERE, 9999, seed);

		worst = fmax(worst, mixed_search(search, 1500, 16, 0, NULL));
		search_free(search);
	}
	printf("# the worst of 5 runs of 1500 evaluations, 16 at once: %.2g\n", worst);
	CHECK(worst < 1e-6);
}

/* The half around a > 1 fails, the best of what is left is at the edge. */
TEST(cmaes_takes_failures_as_the_worst)
{
	double worst = 0;

	for (uint64_t seed = 0; seed < 5; seed++) {
		struct search *search = search_new(SPHERE, 9999, seed);
		double best = INFINITY;

		for (int i = 0; i < 1200; i++) {
			double value;

			next(search, "cmaes");
			value = number(search, "a") > 1 ? NAN : sphere(search);
			best = fmin(best, value);
			tell(search, value);
		}
		worst = fmax(worst, best - 0.09); /* (1.3 - 1)^2 */
		search_free(search);
	}
	printf("# the worst of 5: %.2g above the best\n", worst);
	CHECK(worst < 1e-2);
}

#define MIXED                                                                                                          \
	"conditionals: [{name: kind, values: [p, q, r]}]\n"                                                            \
	"parameters:\n"                                                                                                \
	"  - {name: x, type: double, bounds: {min: 0, max: 1}}\n"                                                      \
	"  - {name: y, type: double, bounds: {min: 0, max: 1}, conditions: {kind: [q, r]}}\n"                          \
	"  - {name: k, type: int, bounds: {min: 1, max: 12}}\n"                                                        \
	"  - {name: two, type: int, bounds: {min: 0, max: 1}}\n"                                                       \
	"  - {name: m, type: int, bounds: {min: 1, max: 1000}, transformation: log}\n"                                 \
	"  - {name: g, type: double, grid: [0.1, 0.2, 0.5, 1]}\n"                                                      \
	"  - {name: c, type: categorical, categorical_values: [u, v, w]}\n"

/* The integers have a deceptive start: x alone has a slope that leads to small steps before k and two are right. */
static double mixed(const struct search *search)
{
	const char *kind = json_string_value(json_object_get(search->last.assignments, "kind"));
	const char *c = json_string_value(json_object_get(search->last.assignments, "c"));
	double value = 100 * pow(number(search, "x") - 0.3, 2) + fabs(number(search, "k") - 11) + 2 * (number(search, "two") < 1) +
		       fabs(log(number(search, "m") / 40)) + 3 * fabs(number(search, "g") - 0.5) + (*c == 'w' ? 0 : 1);

	if (*kind == 'p')
		return value + 2;
	return value + (*kind == 'r') + pow(number(search, "y") - 0.8, 2);
}

TEST(cmaes_in_a_space_of_everything)
{
	int solved = 0;

	for (uint64_t seed = 0; seed < 10; seed++) {
		struct search *search = search_new(MIXED, 9999, seed);
		double best = INFINITY;

		search->history.cache = mb_cache_new();
		for (int i = 0; i < 1200; i++) {
			double value;

			CHECK_INT(next(search, "cmaes"), 0);
			value = mixed(search);
			best = fmin(best, value);
			tell(search, value);
		}
		solved += best < 0.05; /* all integers and categories right */
		mb_cache_free(search->history.cache);
		search_free(search);
	}
	printf("# %d of 10 runs solved\n", solved);
	CHECK(solved >= 9);
}

/* Three local minima along each axis. */
static double wavy(const struct search *search)
{
	double x = number(search, "x") - 0.37, y = number(search, "y") - 0.71;

	return 6 * (x * x + y * y) + 2 - cos(20 * x) - cos(20 * y);
}

TEST(cmaes_restarts_in_local_minima)
{
	int found = 0, first = 0;

	for (uint64_t seed = 0; seed < 5; seed++) {
		struct search *search = search_new("parameters:\n"
						   "  - {name: x, type: double, bounds: {min: 0, max: 1}}\n"
						   "  - {name: y, type: double, bounds: {min: 0, max: 1}}\n", 9999, seed);
		double best[2] = {INFINITY, INFINITY};
		int64_t last = 0;

		search->history.cache = mb_cache_new();
		for (int i = 0; i < 3000; i++) {
			int64_t run;
			double value;

			CHECK_INT(next(search, "cmaes"), 0);
			run = json_integer_value(json_object_get(search->last.surrogate, "run"));
			CHECK(run == last || run == last + 1);
			last = run;
			value = wavy(search);
			best[run > 0] = fmin(best[run > 0], value);
			tell(search, value);
		}
		CHECK(last >= 2);
		first += best[0] < 1e-6;
		found += fmin(best[0], best[1]) < 1e-6;
		mb_cache_free(search->history.cache);
		search_free(search);
	}
	printf("# the best minimum is found in %d of 5 runs, before the first restart in %d\n", found, first);
	CHECK(found >= 4 && found > first);
}

/* ---- what others found ---- */

TEST(cmaes_starts_from_the_best_of_a_log)
{
	enum { SEEDS = 10 };
	double warm = 0, cold = 0;

	for (uint64_t seed = 0; seed < SEEDS; seed++)
		for (int start = 0; start <= 100; start += 100) {
			struct search *search = search_new(SPHERE, 9999, seed);
			double best = INFINITY;

			for (int i = 0; i < start; i++) {
				next(search, "tpe");
				tell(search, sphere(search));
			}
			for (int i = 0; i < 60; i++) {
				next(search, "cmaes");
				best = fmin(best, sphere(search));
				tell(search, sphere(search));
			}
			*(start ? &warm : &cold) += log(best) / SEEDS;
			search_free(search);
		}
	printf("# best of 60, geometric mean: %.3f, from 100 points of tpe %.3f\n", exp(cold), exp(warm));
	CHECK(exp(warm) < exp(cold) / 1.5);
}

/* The search moves on as if a worse point of a user had not been told; from a better one it learns. */
TEST(cmaes_takes_a_foreign_point_when_it_is_better)
{
	for (int better = 0; better < 2; better++) {
		struct search *a = search_new(SPHERE, 9999, 2), *b = search_new(SPHERE, 9999, 2);
		int64_t trial;

		for (int i = 0; i < 100; i++) {
			next(a, "cmaes");
			tell(a, sphere(a));
			next(b, "cmaes");
			tell(b, sphere(b));
		}
		trial = b->history.trial;
		b->history.trial = 100000;
		next(b, "random");
		tell(b, better ? 0 : 1000);
		b->history.trial = trial;
		for (int i = 0; i < 8; i++) { /* a generation */
			next(a, "cmaes");
			tell(a, sphere(a));
			next(b, "cmaes");
			tell(b, sphere(b));
		}
		next(a, "cmaes");
		next(b, "cmaes");
		CHECK_INT(json_equal(a->last.assignments, b->last.assignments), !better);
		search_free(a);
		search_free(b);
	}
}

/* ---- what it cannot ---- */

static int refuses(const char *text, const char *what)
{
	struct mb_experiment *it = experiment(text, 10);
	struct mb_err err = {0};
	int bad = !mb_algorithm_choose(it, "cmaes", &err);

	CHECK(!bad || err.code == MB_EXIT_USAGE);
	if (bad)
		CHECK(strstr(err.what, what));
	mb_experiment_free(it);
	return bad;
}

TEST(cmaes_needs_a_number)
{
	CHECK(refuses("parameters: [{name: c, type: categorical, categorical_values: [a, b]}]\n", "needs a double or an int"));
	CHECK(!refuses(MIXED, ""));
}

TEST_MAIN
