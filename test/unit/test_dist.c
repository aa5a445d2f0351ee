/* SPDX-License-Identifier: MIT
 *
 * The normal and the beta distribution, held to closed forms and to digits that are in every table.
 */
#include "check.h"

#include "base/base.h"

#define PI 3.14159265358979323846

static void check_relative(double got, double want, double tolerance)
{
	CHECK_NEAR(got / want, 1, tolerance);
}

TEST(the_normal_distribution)
{
	CHECK_NEAR(mb_normal_cdf(0), 0.5, 0);
	check_relative(mb_normal_cdf(1.959963984540054), 0.975, 1e-15);
	check_relative(mb_normal_cdf(-1), 0.15865525393145705, 1e-14);
	check_relative(mb_normal_cdf(-10), 7.619853024160527e-24, 1e-13);
	check_relative(mb_normal_quantile(0.975), 1.959963984540054, 1e-14);
	check_relative(mb_normal_quantile(0.75), 0.6744897501960817, 1e-14);
	check_relative(mb_normal_quantile(1e-20), -9.262340089798408, 1e-13);
	CHECK_NEAR(mb_normal_quantile(0.5), 0, 1e-15);
	CHECK(mb_normal_quantile(0) == -INFINITY && mb_normal_quantile(1) == INFINITY);
	CHECK(isfinite(mb_normal_quantile(5e-324)));
	for (double z = -8; z <= 5; z += 0.37)
		CHECK_NEAR(mb_normal_quantile(mb_normal_cdf(z)), z, z < 2 ? 1e-13 : 1e-9);
	check_relative(mb_normal_between(9, 10), mb_normal_cdf(-9) - mb_normal_cdf(-10), 1e-15);
	check_relative(mb_normal_between(-1, 1), 0.6826894921370859, 1e-14);
}

TEST(a_truncated_normal)
{
	static const double ends[][2] = {{-1, 2}, {-8, 0}, {0, 8}, {3, 9}, {-30, 30}, {-1e-3, 1e-3}, {-1e-9, 1e-9}, {-9, -4}};

	for (size_t i = 0; i < MB_COUNT(ends); i++) {
		double low = ends[i][0], high = ends[i][1], last = -INFINITY;

		CHECK_NEAR(mb_truncated_quantile(low, high, 0), low, 1e-6 * (high - low) + (high > 20 ? 30 : 0));
		CHECK_NEAR(mb_truncated_quantile(low, high, 1), high, 1e-6 * (high - low) + (high > 20 ? 30 : 0));
		for (double u = 0.01; u < 1; u += 0.01) {
			double z = mb_truncated_quantile(low, high, u);

			CHECK(z > last && z >= low && z <= high);
			CHECK_NEAR(mb_truncated_cdf(low, high, z), u, 1e-8);
			last = z;
		}
	}
	/* (Φ(0.5) - Φ(-1)) / (Φ(2) - Φ(-1)) with the table's Φ */
	check_relative(mb_truncated_cdf(-1, 2, 0.5), (0.691462461274013 - 0.158655253931457) /
							       (0.977249868051821 - 0.158655253931457), 1e-13);
}

/* I_x(a, b) for whole a, b is the chance of a successes at least in a + b - 1 trials; I_x(1/2, 1/2) is the arcsine law;
 * I_x(a, 1) = x^a. */
TEST(the_beta_distribution)
{
	check_relative(mb_beta_cdf(2, 3, 0.5), 11.0 / 16, 1e-14);
	check_relative(mb_beta_cdf(5, 2, 0.2), 0.0016, 1e-13);
	check_relative(mb_beta_cdf(0.5, 0.5, 0.3), 2 / PI * asin(sqrt(0.3)), 1e-13);
	check_relative(mb_beta_cdf(0.5, 0.5, 1e-10), 2 / PI * asin(1e-5), 1e-13);
	check_relative(mb_beta_cdf(3.7, 1, 0.01), pow(0.01, 3.7), 1e-13);
	check_relative(mb_beta_cdf(1, 1, 0.123), 0.123, 1e-13);
	CHECK_NEAR(mb_beta_cdf(1000, 1000, 0.5), 0.5, 1e-12);
	CHECK_NEAR(mb_beta_cdf(10000, 10000, 0.5), 0.5, 1e-10);
	CHECK(mb_beta_cdf(2, 3, 0) == 0 && mb_beta_cdf(2, 3, 1) == 1 && mb_beta_cdf(2, 3, -1) == 0);
	CHECK(mb_beta_quantile(2, 3, 0) == 0 && mb_beta_quantile(2, 3, 1) == 1);
	for (double a = 0.1; a < 50; a *= 3)
		for (double b = 0.1; b < 50; b *= 3) {
			CHECK_NEAR(mb_beta_cdf(a, b, 0.3), 1 - mb_beta_cdf(b, a, 0.7), 1e-13);
			for (double p = 0.05; p < 1; p += 0.1) /* a small b has its share so near 1 that x has no digits */
				CHECK_NEAR(mb_beta_cdf(a, b, mb_beta_quantile(a, b, p)), p, b < 0.8 ? 1e-3 : 1e-9);
		}
	check_relative(mb_beta_quantile(0.1, 1, 1e-3), 1e-30, 1e-11);
}

TEST_MAIN
