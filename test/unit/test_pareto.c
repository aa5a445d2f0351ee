/* SPDX-License-Identifier: MIT
 *
 * Fronts, crowding and hypervolume against exact counts: on a lattice every volume is a number of cells.
 */
#include "check.h"

#include <stdlib.h>

#include "base/base.h"
#include "stat/stat.h"

/* The definition: a front is what nothing left dominates. */
static size_t slow_ranks(const double *points, size_t n, size_t m, size_t *rank)
{
	size_t front = 0, left = n;

	for (size_t i = 0; i < n; i++)
		rank[i] = n;
	for (; left; front++) {
		unsigned char *in = mb_alloc(n);

		for (size_t i = 0; i < n; i++) {
			in[i] = rank[i] == n;
			for (size_t j = 0; j < n && in[i]; j++)
				in[i] = !(rank[j] == n && mb_dominates(points + j * m, points + i * m, m));
		}
		for (size_t i = 0; i < n; i++)
			if (in[i]) {
				rank[i] = front;
				left--;
			}
		free(in);
	}
	return front;
}

/* Points on the lattice 0 … side. */
static void draw(struct mb_rng *rng, double *points, size_t n, uint64_t side)
{
	for (size_t i = 0; i < n; i++)
		points[i] = (double)mb_rng_below(rng, side + 1);
}

TEST(dominance)
{
	CHECK(mb_dominates((double[]){1, 2}, (double[]){1, 3}, 2));
	CHECK(!mb_dominates((double[]){1, 2}, (double[]){1, 2}, 2));
	CHECK(!mb_dominates((double[]){0, 4}, (double[]){1, 3}, 2));
	CHECK(mb_dominates((double[]){0}, (double[]){1}, 1));
}

TEST(ranks_are_those_of_the_definition)
{
	struct mb_rng rng;

	mb_rng_init(&rng, 1, 0, MB_RNG_SUGGEST);
	for (size_t m = 1; m <= MB_PARETO_MOST; m++)
		for (size_t n = 0; n < 120; n += 7) {
			double points[120 * MB_PARETO_MOST];
			size_t rank[120], want[120];

			draw(&rng, points, n * m, 6 + n);
			CHECK_INT(mb_pareto_ranks(points, n, m, rank), slow_ranks(points, n, m, want));
			for (size_t i = 0; i < n; i++)
				CHECK_INT(rank[i], want[i]);
		}
}

TEST(crowding_by_hand)
{
	/* Ranges 4 and 8. The middle ones: (2 - 0) / 4 + (8 - 3) / 8 and (4 - 1) / 4 + (4 - 0) / 8. */
	static const double points[] = {1, 4, 0, 8, 4, 0, 2, 3};
	double distance[4];

	mb_pareto_crowding(points, 4, 2, distance);
	CHECK_NEAR(distance[0], 0.5 + 0.625, 1e-15);
	CHECK(isinf(distance[1]) && isinf(distance[2]));
	CHECK_NEAR(distance[3], 0.75 + 0.5, 1e-15);
	mb_pareto_crowding(points, 1, 2, distance);
	CHECK(isinf(distance[0]));
}

TEST(hypervolume_by_hand)
{
	static const double two[] = {1, 3, 2, 2, 3, 1, 3, 3, 5, 0};
	static const double three[] = {0, 1, 1, 1, 0, 1, 1, 1, 0};

	CHECK_NEAR(mb_hypervolume(two, 5, 2, (double[]){4, 4}), 3 + 2 + 1, 0);
	CHECK_NEAR(mb_hypervolume(two, 0, 2, (double[]){4, 4}), 0, 0);
	CHECK_NEAR(mb_hypervolume(two, 5, 2, (double[]){1, 1}), 0, 0);
	/* three boxes of 2 × 1 × 1 in the cube of side 2, which share the corner cell */
	CHECK_NEAR(mb_hypervolume(three, 3, 3, (double[]){2, 2, 2}), 4, 0);
	CHECK_NEAR(mb_hypervolume((double[]){0.25}, 1, 1, (double[]){1}), 0.75, 0);
}

/* Cells of the lattice, each counted once when some point lies below it. */
static unsigned count_cells(const double *points, size_t n, size_t m, unsigned side)
{
	unsigned cells = 1, count = 0;

	for (size_t k = 0; k < m; k++)
		cells *= side;
	for (unsigned cell = 0; cell < cells; cell++) {
		int is_in = 0;

		for (size_t i = 0; i < n && !is_in; i++) {
			unsigned rest = cell;

			is_in = 1;
			for (size_t k = 0; k < m; k++, rest /= side)
				is_in &= points[i * m + k] <= rest % side;
		}
		count += is_in;
	}
	return count;
}

TEST(hypervolume_is_the_count_of_cells)
{
	enum { SIDE = 9, MOST = 40 };
	static const double reference[] = {SIDE, SIDE, SIDE, SIDE};
	struct mb_rng rng;

	mb_rng_init(&rng, 2, 0, MB_RNG_SUGGEST);
	for (size_t m = 1; m <= MB_PARETO_MOST; m++)
		for (size_t n = 1; n <= MOST; n += 3)
			for (int repeat = 0; repeat < 5; repeat++) {
				double points[MOST * MB_PARETO_MOST];

				draw(&rng, points, n * m, SIDE);
				CHECK_NEAR(mb_hypervolume(points, n, m, reference), count_cells(points, n, m, SIDE), 0);
			}
}

/* n points of x + y = 1, evenly spaced, reference (1, 1): half of it, less the n - 1 triangles of the steps. */
TEST(hypervolume_of_a_line)
{
	enum { N = 1001 };
	double points[N * 2];

	for (int i = 0; i < N; i++) {
		points[2 * i] = i / (N - 1.0);
		points[2 * i + 1] = 1 - points[2 * i];
	}
	CHECK_NEAR(mb_hypervolume(points, N, 2, (double[]){1, 1}), 0.5 - 0.5 / (N - 1), 1e-12);
}

TEST_MAIN
