/* SPDX-License-Identifier: MIT
 *
 * CMA-ES: its constants, and what it is known to do on the sphere, an ellipsoid, Rosenbrock's function and integers.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "stat/stat.h"

enum { MOST_DIMS = 20, MOST_LAMBDA = 64 };

/* mu_eff, c_1, c_sigma, d_sigma, c_c, chi and the first weight as the package cmaes 0.13.1 (PyPI) has them; c_mu and the
 * last weight, which follow the tutorial's revision of 2023 here, by its formulas in other code. */
TEST(constants_are_the_tutorials)
{
	static const struct {
		size_t dims, lambda;
		double mu_eff, c_1, c_mu, c_sigma, d_sigma, c_c, chi, first, last;
	} want[] = {
		{2, 6, 2.02861146461, 0.154815399896, 0.0855927794267, 0.446204987378, 1.44620498738, 0.624554539027,
		 1.25427274282, 0.637042571241, -1.15598177816},
		{10, 10, 3.16729928141, 0.0152838245248, 0.0235517766504, 0.284428587946, 1.28442858795, 0.294990383036,
		 3.08472656517, 0.456272646903, -0.549749917697},
		{40, 15, 4.54091520908, 0.00116943272526, 0.00340521964371, 0.132030568702, 1.1320305687, 0.0930092166342,
		 6.2852150804, 0.344796198592, -0.308367259321},
	};

	for (size_t i = 0; i < MB_COUNT(want); i++) {
		double mean[40] = {0};
		struct mb_cma cma;

		CHECK_INT(mb_cma_lambda(want[i].dims), want[i].lambda);
		mb_cma_init(&cma, want[i].dims, want[i].lambda, mean, 1, NULL);
		CHECK_NEAR(cma.mu_eff, want[i].mu_eff, 1e-10);
		CHECK_NEAR(cma.c_1, want[i].c_1, 1e-11);
		CHECK_NEAR(cma.c_mu, want[i].c_mu, 1e-11);
		CHECK_NEAR(cma.c_sigma, want[i].c_sigma, 1e-11);
		CHECK_NEAR(cma.d_sigma, want[i].d_sigma, 1e-10);
		CHECK_NEAR(cma.c_c, want[i].c_c, 1e-11);
		CHECK_NEAR(cma.chi, want[i].chi, 1e-10);
		CHECK_NEAR(cma.weight[0], want[i].first, 1e-11);
		CHECK_NEAR(cma.weight[want[i].lambda - 1], want[i].last, 1e-11);
		mb_cma_release(&cma);
	}
}

/* ---- functions, on the whole of R^n ---- */

static double sphere(const double *x, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += x[i] * x[i];
	return sum;
}

static double ellipsoid(const double *x, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += pow(1e6, (double)i / (double)(n - 1)) * x[i] * x[i];
	return sum;
}

static double rosenbrock(const double *x, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i + 1 < n; i++)
		sum += 100 * pow(x[i] * x[i] - x[i + 1], 2) + pow(x[i] - 1, 2);
	return sum;
}

/* x2 + ... rotated: (x1 + x2)^2 is long, (x1 - x2)^2 short */
static double ridge(const double *x, size_t n)
{
	return sphere(x, n) + 1e6 * pow(x[0] - x[1], 2);
}

typedef double function(const double *x, size_t n);

struct sample {
	double value;
	double *step;
};

static int by_value(const void *a, const void *b)
{
	const struct sample *left = a, *right = b;

	return left->value < right->value ? -1 : left->value > right->value;
}

/* One generation; the best value of it. */
static double generation(struct mb_cma *cma, function *f, struct mb_rng *rng)
{
	static double steps[MOST_LAMBDA][MOST_DIMS];
	struct sample samples[MOST_LAMBDA];
	double z[MOST_DIMS], x[MOST_DIMS], *y[MOST_LAMBDA], value[MOST_LAMBDA];

	for (size_t k = 0; k < cma->lambda; k++) {
		for (size_t i = 0; i < cma->dims; i++)
			z[i] = mb_rng_normal(rng);
		mb_cma_place(cma, z, x);
		mb_cma_step(cma, x, steps[k]);
		samples[k] = (struct sample){f(x, cma->dims), steps[k]};
	}
	qsort(samples, cma->lambda, sizeof *samples, by_value);
	for (size_t k = 0; k < cma->lambda; k++) {
		y[k] = samples[k].step;
		value[k] = samples[k].value;
	}
	mb_cma_update(cma, y, value);
	return value[0];
}

/* Evaluations until the function is below `target`, the median of 11 runs from the mean (1, …) - or (0, …) -, sigma 1/3. */
static double evaluations(function *f, size_t dims, double start, double target)
{
	enum { RUNS = 11 };
	double times[RUNS];

	for (int run = 0; run < RUNS; run++) {
		struct mb_cma cma;
		struct mb_rng rng;
		double mean[MOST_DIMS], best = INFINITY;

		for (size_t i = 0; i < dims; i++)
			mean[i] = start;
		mb_rng_init(&rng, 7, (uint64_t)run, MB_RNG_SUGGEST);
		mb_cma_init(&cma, dims, mb_cma_lambda(dims), mean, 1. / 3, NULL);
		for (times[run] = 0; best > target && times[run] < 1e5; times[run] += (double)cma.lambda)
			best = generation(&cma, f, &rng);
		mb_cma_release(&cma);
	}
	return mb_summary_of(times, RUNS).median;
}

/* Log-linear: as many evaluations for each further factor, at .077 nepers of distance an evaluation, times n, by the package
 * cma 4.5 (PyPI) in 10 dimensions. With steps of the best length, .25 in the limit: D. V. Arnold, "Weighted multirecombination
 * evolution strategies", 2006. */
TEST(the_sphere_is_descended_at_the_known_rate)
{
	static const size_t dims[] = {5, 10, 20};

	for (size_t i = 0; i < MB_COUNT(dims); i++) {
		double far = evaluations(sphere, dims[i], 1, 1e-3), near = evaluations(sphere, dims[i], 1, 1e-9);
		double farther = evaluations(sphere, dims[i], 1, 1e-15);
		double rate = (double)dims[i] * log(1e6) / 2 / (near - far), later = (double)dims[i] * log(1e6) / 2 / (farther - near);

		printf("# %zu dimensions: %.0f, %.0f and %.0f evaluations to 1e-3, 1e-9 and 1e-15; rate %.3f, %.3f\n", dims[i],
		       far, near, farther, rate, later);
		CHECK(rate > 0.06 && rate < 0.12);
		CHECK_NEAR(later / rate, 1, 0.2);
	}
}

TEST(an_ellipsoid_and_rosenbrock_are_solved)
{
	double ell = evaluations(ellipsoid, 10, 1, 1e-9), rot = evaluations(ridge, 10, 1, 1e-9);
	double rosen = evaluations(rosenbrock, 10, 0, 1e-9);

	printf("# evaluations to 1e-9 in 10 dimensions: ellipsoid %.0f, a rotated ridge %.0f, Rosenbrock %.0f\n", ell, rot, rosen);
	CHECK(ell < 6000);
	CHECK(rot < 4000);
	CHECK(rosen < 8000);
}

/* What is learnt of an ellipsoid is its inverse Hessian. */
TEST(the_covariance_becomes_the_inverse_hessian)
{
	enum { N = 5 };
	double mean[N] = {1, 1, 1, 1, 1};
	struct mb_cma cma;
	struct mb_rng rng;

	mb_rng_init(&rng, 3, 0, MB_RNG_SUGGEST);
	mb_cma_init(&cma, N, mb_cma_lambda(N), mean, 0.3, NULL);
	for (int i = 0; i < 220; i++)
		generation(&cma, ellipsoid, &rng);
	for (size_t i = 0; i < N; i++) {
		double ratio = cma.cov[0] / cma.cov[i * N + i] / pow(1e6, (double)i / (N - 1));

		printf("# axis %zu: %.2f of the inverse\n", i, ratio);
		CHECK(ratio > 0.2 && ratio < 5);
	}
	mb_cma_release(&cma);
}

TEST(it_stops_when_there_is_nothing_left)
{
	double mean[2] = {0.5, 0.5};
	struct mb_cma cma;
	struct mb_rng rng;
	const char *why = NULL;

	mb_rng_init(&rng, 5, 0, MB_RNG_SUGGEST);
	mb_cma_init(&cma, 2, 6, mean, 0.3, NULL);
	while (!(why = mb_cma_stopped(&cma)) && cma.generation < 2000)
		generation(&cma, sphere, &rng);
	CHECK_TEXT(why ? why : "never", "tolfun");
	CHECK(cma.best[cma.generation - 1] < 1e-13);
	mb_cma_release(&cma);
}

static double everywhere_nothing(const double *x, size_t n)
{
	(void)x;
	return 0 * (double)n;
}

TEST(a_plateau_is_left_by_longer_steps)
{
	double mean[3] = {0.5, 0.5, 0.5};
	struct mb_cma cma;
	struct mb_rng rng;

	mb_rng_init(&rng, 5, 0, MB_RNG_SUGGEST);
	mb_cma_init(&cma, 3, 7, mean, 0.1, NULL);
	for (int i = 0; i < 5; i++)
		generation(&cma, everywhere_nothing, &rng);
	CHECK(cma.sigma > 0.3);
	mb_cma_release(&cma);
}

/* ---- steps of others ---- */

TEST(a_long_step_is_clipped_by_its_mahalanobis_length)
{
	double mean[4] = {0}, cov[16] = {4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}, y[4] = {200, 0, 0, 0}, small[4] = {1, 1, 0, 0};
	struct mb_cma cma;

	mb_cma_init(&cma, 4, 8, mean, 1, cov);
	mb_cma_clip(&cma, y); /* length 100, to 2 + 8 / 6 */
	CHECK_NEAR(y[0], 2 * (2 + 8. / 6), 1e-12);
	mb_cma_clip(&cma, small);
	CHECK_NEAR(small[0], 1, 0);
	mb_cma_release(&cma);
}

/* ---- bounds and cells ---- */

TEST(a_mirrored_distribution_is_the_same_one)
{
	double mean[3] = {0.5, 1.2, -0.1}, cov[9] = {1, 0, 0, 0.5, 1, 0, 0.2, -0.3, 1}, z[3] = {0.3, -0.7, 1.1}, before[3], after[3];
	struct mb_cma cma;

	mb_cma_init(&cma, 3, 7, mean, 0.1, cov);
	mb_cma_place(&cma, z, before);
	mb_cma_fold(&cma);
	CHECK_NEAR(cma.mean[1], 0.8, 1e-15);
	CHECK_NEAR(cma.mean[2], 0.1, 1e-15);
	z[1] = -z[1];
	z[2] = -z[2];
	mb_cma_place(&cma, z, after);
	CHECK_NEAR(after[0], before[0], 1e-15);
	CHECK_NEAR(after[1], 2 - before[1], 1e-15);
	CHECK_NEAR(after[2], -before[2], 1e-15);
	CHECK_NEAR(cma.cov[7], -0.3, 0); /* both turned */
	CHECK_NEAR(cma.cov[3], -0.5, 0);
	mb_cma_release(&cma);
}

TEST(a_folded_distribution_is_no_wider_than_a_third)
{
	double mean[2] = {0.5, 0.5}, cov[4] = {4, 0, 0.5, 1}, z[2] = {0.3, -0.7}, before[2], after[2];
	struct mb_cma cma;

	mb_cma_init(&cma, 2, 7, mean, 0.25, cov);
	mb_cma_place(&cma, z, before);
	mb_cma_fold(&cma); /* deviations of 1/2 and 1/4 */
	mb_cma_place(&cma, z, after);
	CHECK_NEAR((after[0] - 0.5) / (before[0] - 0.5), 2. / 3, 1e-14);
	CHECK_NEAR(after[1], before[1], 1e-15);
	CHECK_NEAR(cma.cov[0], 16. / 9, 1e-14);
	CHECK_NEAR(cma.cov[2], 1. / 3, 1e-14);
	mb_cma_release(&cma);
}

/* A deviation of a hundredth of the cell leaves it never; the margin makes it so often. */
TEST(a_margin_is_what_is_left_outside_the_cell)
{
	double mean[2] = {0.47, 0.5};
	struct mb_cma cma;
	double deviation;

	mb_cma_init(&cma, 2, 6, mean, 0.001, NULL);
	mb_cma_margin(&cma, 0, 0.4, 0.5, 0.1);
	deviation = cma.sigma * cma.scale[0];
	CHECK(mb_normal_cdf((0.4 - cma.mean[0]) / deviation) > 0.0499);
	CHECK(mb_normal_cdf((cma.mean[0] - 0.5) / deviation) > 0.0499);
	CHECK(mb_normal_cdf((0.4 - cma.mean[0]) / deviation) < 0.06);
	CHECK_NEAR(cma.scale[1], 1, 0);
	mb_cma_release(&cma);
}

TEST_MAIN
