/* SPDX-License-Identifier: MIT
 *
 * The Parzen estimator is a density (it integrates to one, and its marginals are right), and its draws follow it.
 */
#include "check.h"

#include "stat/stat.h"

enum { STEPS = 2000 };

/* The integral over dimension `dim`, by the midpoint rule; a category's values are summed. */
static double integral(const struct mb_parzen *parzen, double *u, size_t dim)
{
	size_t steps = parzen->categories[dim] ? parzen->categories[dim] : STEPS;
	double total = 0;

	for (size_t i = 0; i < steps; i++) {
		u[dim] = ((double)i + 0.5) / (double)steps;
		total += exp(mb_parzen_log(parzen, u)) / (parzen->categories[dim] ? 1 : STEPS);
	}
	return total;
}

/* One point at 1/2: bandwidth 1/3 by the clip, its kernel and the flat one by half. */
TEST(one_point_by_hand)
{
	static const size_t number[1] = {0};
	const double row[1] = {0.5}, *rows[1] = {row};
	double w = 1.0 / 3, inside = erf(0.5 / w / sqrt(2));
	struct mb_parzen parzen;

	mb_parzen_init(&parzen, 1, number, rows, 1);
	CHECK_NEAR(mb_parzen_log(&parzen, (double[]){0.5}), log(0.5 + 0.5 * 0.3989422804014327 / w / inside), 1e-14);
	CHECK_NEAR(mb_parzen_log(&parzen, (double[]){0.9}),
		   log(0.5 + 0.5 * 0.3989422804014327 * exp(-0.72) / w / inside), 1e-14);
	mb_parzen_release(&parzen);

	mb_parzen_init(&parzen, 1, number, rows, 0); /* the prior alone */
	CHECK_NEAR(mb_parzen_log(&parzen, (double[]){0.9}), 0, 1e-15);
	mb_parzen_release(&parzen);
}

/* Two of three points have category 0 of 4: kernels (1 + 1/4) / (1 + 4/4) and (1/4) / 2, the flat 1/4. */
TEST(categories_by_hand)
{
	static const size_t four[1] = {4};
	const double a[1] = {0.125}, b[1] = {0.625}, *rows[3] = {a, b, a};
	struct mb_parzen parzen;

	mb_parzen_init(&parzen, 1, four, rows, 3);
	CHECK_NEAR(exp(mb_parzen_log(&parzen, (double[]){0.125})), (2 * 0.625 + 0.125 + 0.25) / 4, 1e-14);
	CHECK_NEAR(exp(mb_parzen_log(&parzen, (double[]){0.625})), (2 * 0.125 + 0.625 + 0.25) / 4, 1e-14);
	CHECK_NEAR(exp(mb_parzen_log(&parzen, (double[]){0.875})), (3 * 0.125 + 0.25) / 4, 1e-14);
	mb_parzen_release(&parzen);
}

/* A number, a category, and a number that only some points have. */
static const size_t mixed[3] = {0, 3, 0};

static void init_mixed(struct mb_parzen *parzen, size_t n)
{
	static double block[64][3];
	static const double *rows[64];

	for (size_t i = 0; i < n; i++) {
		block[i][0] = (double)(i * 37 % 64) / 80;
		block[i][1] = ((double)(i * 5 % 3) + 0.5) / 3;
		block[i][2] = i % 3 ? (double)(i * 11 % 64) / 64 : NAN;
		rows[i] = block[i];
	}
	mb_parzen_init(parzen, 3, mixed, rows, n);
}

TEST(is_a_density_and_so_are_its_marginals)
{
	struct mb_parzen parzen;
	double u[3] = {NAN, NAN, NAN}, whole;

	init_mixed(&parzen, 40);
	CHECK_NEAR(mb_parzen_log(&parzen, u), 0, 1e-12);
	for (size_t dim = 0; dim < 3; dim++) {
		u[0] = u[1] = u[2] = NAN;
		CHECK_NEAR(integral(&parzen, u, dim), 1, 1e-6);
	}
	/* with the others given, the integral is what leaving the dimension out says */
	for (size_t dim = 0; dim < 3; dim++) {
		u[0] = 0.21, u[1] = 0.5, u[2] = 0.77;
		whole = integral(&parzen, u, dim);
		u[dim] = NAN;
		CHECK_NEAR(whole, exp(mb_parzen_log(&parzen, u)), 1e-6);
	}
	mb_parzen_release(&parzen);
}

TEST(draws_follow_the_density)
{
	enum { DRAWS = 60000, CELLS = 12 };
	static const int cells[3] = {CELLS, 3, CELLS};
	unsigned count[3][CELLS] = {{0}};
	struct mb_parzen parzen;
	struct mb_rng rng;
	double u[3];

	init_mixed(&parzen, 40);
	mb_rng_init(&rng, 42, 0, MB_RNG_SUGGEST);
	for (int i = 0; i < DRAWS; i++) {
		mb_parzen_draw(&parzen, &rng, u);
		for (int dim = 0; dim < 3; dim++) {
			if (!(u[dim] >= 0 && u[dim] < 1))
				FAIL("%g is not in [0, 1)", u[dim]);
			else
				count[dim][(int)(u[dim] * cells[dim])]++;
		}
	}
	for (size_t dim = 0; dim < 3; dim++) {
		double chi = 0;

		for (int cell = 0; cell < cells[dim]; cell++) {
			double want = 0;

			for (int i = 0; i < 50; i++) {
				u[0] = u[1] = u[2] = NAN;
				u[dim] = (cell + (i + 0.5) / 50) / cells[dim];
				want += exp(mb_parzen_log(&parzen, u)) / 50 * DRAWS / (mixed[dim] ? 1 : cells[dim]);
			}
			chi += pow(count[dim][cell] - want, 2) / want;
		}
		printf("# dimension %zu: chi-square %.1f of %d degrees of freedom\n", dim, chi, cells[dim] - 1);
		CHECK(chi < (mixed[dim] ? 21 : 40)); /* the 1 - 3e-5 quantiles of 2 and 11 */
	}
	mb_parzen_release(&parzen);
}

TEST(old_points_count_less)
{
	static const size_t number[1] = {0};
	const double old[1] = {0.1}, late[1] = {0.9}, *rows[100];
	struct mb_parzen parzen;

	for (int i = 0; i < 100; i++)
		rows[i] = i < 50 ? old : late;
	mb_parzen_init(&parzen, 1, number, rows, 100);
	/* 25 full ones, a ramp from 1/100 to 1 over 75, and the prior */
	CHECK_NEAR(parzen.weight[99] / parzen.weight[0], 100, 1e-9);
	CHECK_NEAR(parzen.weight[99], 1 / (26 + 75 * 0.505), 1e-12);
	CHECK(mb_parzen_log(&parzen, late) > mb_parzen_log(&parzen, old) + 0.5);
	mb_parzen_release(&parzen);
}

TEST_MAIN
