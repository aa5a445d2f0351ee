/* SPDX-License-Identifier: MIT
 *
 * Searches with constraints, several objectives and failures, and the order of merit that they stand on.
 */
#include "check.h"

#include "many_search.h"
#include "opt/holds.h"
#include "stat/stat.h"

#define UNIT_PLANE                                                                                                     \
	"parameters:\n"                                                                                                \
	"  - {name: x, type: double, bounds: {min: 0, max: 1}}\n"                                                      \
	"  - {name: y, type: double, bounds: {min: 0, max: 1}}\n"

#define TWO "metrics: [{name: f, objective: minimize}, {name: g}]\n"
#define HELD "metrics: [{name: f, objective: minimize}, {name: c, objective: minimize, strategy: constraint, threshold: 0}]\n"

/* ---- a front: f = x, -g = 1 - sqrt(x) + y; the front is y = 0 ---- */

static double front_volume(const char *algorithm, int budget, uint64_t seed)
{
	struct many *many = many_new(UNIT_PLANE TWO, budget, seed);
	double *points = mb_alloc(2 * (size_t)budget * sizeof *points), volume;

	for (int i = 0; i < budget; i++) {
		many_next(many, algorithm);
		points[2 * i] = many->x[0];
		points[2 * i + 1] = 1 - sqrt(many->x[0]) + many->x[1];
		many_tell(many, (double[]){points[2 * i], -points[2 * i + 1]});
	}
	volume = mb_hypervolume(points, (size_t)budget, 2, (double[]){1, 1});
	free(points);
	many_free(many);
	return volume;
}

/* The whole is 2/3. */
static void check_front(const char *algorithm, int budget, double least)
{
	enum { SEEDS = 5 };
	double sum = 0, random = 0;

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		sum += front_volume(algorithm, budget, seed) / SEEDS;
		random += front_volume("random", budget, seed) / SEEDS;
	}
	printf("# hypervolume after %d, of 2/3: %s %.4f, random %.4f\n", budget, algorithm, sum, random);
	CHECK(sum > least && sum > random);
}

TEST(nsga2_finds_a_front)
{
	check_front("nsga2", 200, 0.63);
}

TEST(gp_finds_a_front)
{
	check_front("gp", 30, 0.62);
}

TEST(tpe_finds_a_front)
{
	check_front("tpe", 100, 0.6);
}

/* ---- a constraint: f = x + y, at the circle (x - 1)^2 + (y - 1)^2 <= 1/4 ---- */

static double held_best(const char *algorithm, int budget, uint64_t seed, double *infeasible)
{
	struct many *many = many_new(UNIT_PLANE HELD, budget, seed);
	double best = INFINITY, late = 0;

	for (int i = 0; i < budget; i++) {
		double f, c;

		many_next(many, algorithm);
		f = many->x[0] + many->x[1];
		c = pow(many->x[0] - 1, 2) + pow(many->x[1] - 1, 2) - 0.25;
		many_tell(many, (double[]){f, c});
		if (c <= 0)
			best = fmin(best, f);
		else
			late += i >= budget / 2;
	}
	*infeasible += late / (budget - budget / 2);
	many_free(many);
	return best;
}

/* The optimum is 2 - sqrt(1/2). */
static void check_held(const char *algorithm, int budget, double within)
{
	enum { SEEDS = 10 };
	double sum = 0, random = 0, infeasible = 0, unused = 0;

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		sum += held_best(algorithm, budget, seed, &infeasible) / SEEDS - (2 - sqrt(0.5)) / SEEDS;
		random += held_best("random", budget, seed, &unused) / SEEDS - (2 - sqrt(0.5)) / SEEDS;
	}
	printf("# regret after %d: %s %.4f, random %.4f; infeasible in the second half %.0f%%, %.0f%%\n", budget, algorithm,
	       sum, random, 100 * infeasible / SEEDS, 100 * unused / SEEDS);
	CHECK(sum < within && sum < random);
	CHECK(infeasible < unused);
}

TEST(nsga2_keeps_a_constraint)
{
	check_held("nsga2", 100, 0.1);
}

TEST(tpe_keeps_a_constraint)
{
	check_held("tpe", 60, 0.1);
}

TEST(gp_keeps_a_constraint)
{
	check_held("gp", 40, 0.002);
}

/* ---- failures: half the square, beyond a line; f is least just inside ---- */

TEST(gp_keeps_away_from_failures)
{
	enum { SEEDS = 10, BUDGET = 50, EARLY = 20 };
	int failed = 0;
	double regret = 0;

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct many *many = many_new(UNIT_PLANE "metrics: [{name: f, objective: minimize}]\n", BUDGET, seed);
		double best = INFINITY;

		for (int i = 0; i < BUDGET; i++) {
			double f, sum;

			many_next(many, "gp");
			f = hypot(many->x[0] - 0.4, many->x[1] - 0.57);
			sum = many->x[0] + many->x[1];
			many_tell(many, sum > 1 ? NULL : &f);
			failed += sum > 1 && i >= EARLY;
			best = sum > 1 ? best : fmin(best, f);
		}
		regret += best / SEEDS;
		many_free(many);
	}
	printf("# %d of %d late trials fail, regret %.4f\n", failed, SEEDS * (BUDGET - EARLY), regret);
	CHECK(failed <= 0.15 * SEEDS * (BUDGET - EARLY) && regret < 0.03);
}

/* What the failures of 40 random trials in the unit square add to the score of a point on either side of the line. */
static void add_to_scores(int place, uint64_t seed, double *score)
{
	struct many *many = many_new(UNIT_PLANE "metrics: [{name: f, objective: minimize}]\n", 40, seed);
	struct mb_holds holds;
	struct mb_rows rows;
	struct mb_rng rng;

	for (int i = 0; i < 40; i++) {
		many_next(many, "random");
		many_tell(many, (place ? many->x[0] + many->x[1] > 1 : i % 20 == 7) ? NULL : (double[]){many->x[0]});
	}
	mb_rng_init(&rng, seed, 0, MB_RNG_SUGGEST);
	mb_rows_init(&rows, &many->experiment->space);
	mb_holds_init(&holds, &rows, &many->history, &rng);
	score[0] = score[1] = 0;
	mb_holds_add(&holds, (double[]){0.2, 0.2, 0.8, 0.8}, 2, score);
	mb_holds_release(&holds);
	mb_rows_release(&rows);
	many_free(many);
}

TEST(failures_count_where_they_have_a_place)
{
	enum { SEEDS = 20 };
	int lucky = 0;

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		double score[2];

		add_to_scores(1, seed, score);
		CHECK(score[1] < score[0] - 10);
		add_to_scores(0, seed, score);
		lucky += score[0] == 0 && score[1] == 0;
	}
	printf("# crashes at random count for nothing in %d of %d\n", lucky, SEEDS);
	CHECK(lucky >= SEEDS * 3 / 4);
}

TEST_MAIN
