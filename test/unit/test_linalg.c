/* SPDX-License-Identifier: MIT
 *
 * Cholesky's factor and what is done with it, and the minimum within a box.
 */
#include <stdlib.h>

#include "base/base.h"
#include "check.h"
#include "stat/stat.h"

enum { N = 37, LD = 41 };

/* A = B B' + I for a random B, and L its factor. */
static void make(double a[N][LD], double l[N][LD])
{
	static double b[N][N];
	struct mb_rng rng;

	mb_rng_init(&rng, 1, 0, MB_RNG_DIGITS);
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < N; j++)
			b[i][j] = mb_rng_normal(&rng);
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < N; j++) {
			a[i][j] = i == j;
			for (size_t k = 0; k < N; k++)
				a[i][j] += b[i][k] * b[j][k];
			l[i][j] = a[i][j];
		}
	CHECK_INT(mb_cholesky(l[0], N, LD), 0);
}

TEST(the_factor_times_itself_is_the_matrix)
{
	static double a[N][LD], l[N][LD];

	make(a, l);
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j <= i; j++) {
			double sum = 0;

			for (size_t k = 0; k <= j; k++)
				sum += l[i][k] * l[j][k];
			CHECK_NEAR(sum, a[i][j], 1e-11);
		}
}

TEST(a_row_appended_is_the_factor_from_scratch)
{
	static double a[N][LD], l[N][LD], grown[N][LD];

	make(a, l);
	memcpy(grown, a, sizeof a);
	CHECK_INT(mb_cholesky(grown[0], 20, LD), 0);
	for (size_t n = 20; n < N; n++)
		CHECK_INT(mb_cholesky_append(grown[0], n, LD), 0);
	for (size_t i = 0; i < N; i++)
		CHECK(!memcmp(grown[i], l[i], (i + 1) * sizeof **l));
}

TEST(solving_and_inverting)
{
	static double a[N][LD], l[N][LD], inverse[N * N], scratch[N * N], many[N][3];
	double x[N], b[N];

	make(a, l);
	for (size_t i = 0; i < N; i++)
		x[i] = b[i] = many[i][0] = many[i][2] = sin((double)i);
	mb_solve_lower(l[0], N, LD, b);
	mb_solve_lower_many(l[0], N, LD, many[0], 3, 3);
	for (size_t i = 0; i < N; i++) {
		CHECK_NEAR(many[i][0], b[i], 1e-12);
		CHECK_NEAR(many[i][1], 0, 0);
	}
	mb_solve_upper(l[0], N, LD, b);
	mb_cholesky_inverse(l[0], N, LD, inverse, scratch);
	for (size_t i = 0; i < N; i++) {
		double back = 0, product = 0;

		for (size_t k = 0; k < N; k++) {
			back += a[i][k] * b[k];
			product += (k > i ? inverse[k * N + i] : inverse[i * N + k]) * x[k];
		}
		CHECK_NEAR(back, x[i], 1e-10);
		CHECK_NEAR(product, b[i], 1e-10);
	}
}

TEST(what_is_not_positive_definite_is_told)
{
	double a[4] = {1, 0, 2, 1};

	CHECK_INT(mb_cholesky(a, 2, 2), -1);
}

/* H. H. Rosenbrock's valley (1960), its minimum 0 at (1, 1). */
static double valley(void *context, const double *x, double *gradient)
{
	double off = x[1] - x[0] * x[0];

	++*(int *)context;
	gradient[0] = -2 * (1 - x[0]) - 400 * x[0] * off;
	gradient[1] = 200 * off;
	return (1 - x[0]) * (1 - x[0]) + 100 * off * off;
}

TEST(the_minimum_of_rosenbrocks_valley)
{
	double x[2] = {-1.2, 1}, low[2] = {-5, -5}, high[2] = {5, 5}, value;
	int calls = 0;

	value = mb_lbfgs(valley, &calls, x, low, high, 2, 200);
	printf("# %d evaluations\n", calls);
	CHECK_NEAR(value, 0, 1e-8);
	CHECK_NEAR(x[0], 1, 1e-3);
	CHECK_NEAR(x[1], 1, 1e-3);
	CHECK(calls < 120);
}

/* With x_1 <= 1/2 the best is at that wall: x_0^2 = 1/2 nearly, where (1 - x_0) + 200 x_0 (x_0^2 - 1/2) … = 0. */
TEST(a_minimum_at_a_wall)
{
	double x[2] = {-1.2, 0.3}, low[2] = {-2, -5}, high[2] = {2, 0.5}, gradient[2];
	int calls = 0;

	mb_lbfgs(valley, &calls, x, low, high, 2, 200);
	valley(&calls, x, gradient);
	CHECK_NEAR(x[1], 0.5, 0);
	CHECK_NEAR(gradient[0], 0, 1e-3);
	CHECK(gradient[1] < 0);
}

TEST_MAIN
