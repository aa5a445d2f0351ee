/* SPDX-License-Identifier: MIT
 *
 * Boxes against hypervolumes, on lattices full of ties; the expectation against a sum over a grid, and in the far tail.
 */
#include "check.h"

#include <stdlib.h>

#include "base/base.h"
#include "stat/stat.h"

enum { SIDE = 7, MOST = 30 };

/* The boxes, cut off at -1, make up all that is not dominated. */
TEST(boxes_are_what_is_left)
{
	static const double reference[] = {SIDE, SIDE, SIDE, SIDE};
	struct mb_rng rng;

	mb_rng_init(&rng, 3, 0, MB_RNG_SUGGEST);
	for (size_t m = 2; m <= 4; m++)
		for (size_t n = 0; n <= MOST; n += 3)
			for (int repeat = 0; repeat < 10; repeat++) {
				double points[MOST * 4], volume = 0;
				struct mb_boxes boxes;

				for (size_t i = 0; i < n * m; i++)
					points[i] = repeat % 2 ? (double)mb_rng_below(&rng, SIDE + 1)
							       : SIDE * mb_rng_unit(&rng);
				mb_boxes_init(&boxes, points, n, m, reference);
				for (size_t i = 0; i < boxes.n; i++) {
					double part = 1;

					for (size_t k = 0; k < m; k++)
						part *= boxes.high[i * m + k] - fmax(boxes.low[i * m + k], -1);
					volume += part;
				}
				CHECK_NEAR(volume, pow(SIDE + 1, (double)m) - mb_hypervolume(points, n, m, reference),
					   1e-8);
				mb_boxes_release(&boxes);
			}
}

/* The mean improvement over a grid of outcomes, by the definition. */
static double slow_ehvi(const double *points, size_t n, size_t m, const double *reference, const double *mean,
			const double *sd)
{
	enum { STEPS = 60 };
	double now = mb_hypervolume(points, n, m, reference), sum = 0, all = 0, *more = mb_alloc((n + 1) * m * sizeof *more);
	size_t cells = 1;

	memcpy(more, points, n * m * sizeof *more);
	for (size_t k = 0; k < m; k++)
		cells *= STEPS;
	for (size_t cell = 0; cell < cells; cell++) {
		double weight = 1;

		for (size_t k = 0, rest = cell; k < m; k++, rest /= STEPS) {
			double z = -6 + 12 * ((double)(rest % STEPS) + 0.5) / STEPS;

			weight *= exp(-z * z / 2);
			more[n * m + k] = mean[k] + sd[k] * z;
		}
		sum += weight * (mb_hypervolume(more, n + 1, m, reference) - now);
		all += weight;
	}
	free(more);
	return sum / all;
}

TEST(the_expectation_is_that_of_the_definition)
{
	static const double points[] = {1, 3, 2, 2, 2, 2, 1, 3, 3, 1.5, 3, 1};
	static const double reference[] = {4, 4, 4}, mean[] = {1.8, 2.1, 2}, sd[] = {0.7, 0.4, 0.5};

	for (size_t m = 2; m <= 3; m++) {
		struct mb_boxes boxes;

		mb_boxes_init(&boxes, points, 12 / m, m, reference);
		CHECK_NEAR(exp(mb_log_ehvi(&boxes, mean, sd)) / slow_ehvi(points, 12 / m, m, reference, mean, sd), 1, 5e-3);
		mb_boxes_release(&boxes);
	}
}

/* One objective of two is beyond the reference by 30 deviations: EHVI is a product. */
TEST(the_far_tail_is_finite)
{
	struct mb_boxes boxes;

	mb_boxes_init(&boxes, NULL, 0, 2, (double[]){0, 0});
	CHECK_NEAR(mb_log_ehvi(&boxes, (double[]){30, 0}, (double[]){1, 1}), mb_log_h(-30) + mb_log_h(0), 1e-9);
	CHECK_INT(boxes.n, 1);
	mb_boxes_release(&boxes);
}

TEST_MAIN
