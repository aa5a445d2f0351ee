/* SPDX-License-Identifier: MIT
 *
 * Log expected improvement and log normal probabilities against a table made with mpmath 1.3 at 60 digits, by the formulas
 * h = phi + z Phi and Phi = erfc(-z / sqrt 2) / 2; its derivatives against differences.
 */
#include "check.h"
#include "stat/stat.h"

static const struct {
	double z, log_h, log_cdf;
} table[] = {
	{8, 2.07944154167983594, -6.22096057427178606e-16},
	{3, 1.09873966532770777, -0.0013508099647481938},
	{1, 0.08002621884930694, -0.17275377902344989},
	{0, -0.918938533204672742, -0.693147180559945309},
	{-0.5, -1.62051626438731992, -1.17591176159361861},
	{-1, -2.48512102571264134, -1.84102164500926351},
	{-2, -4.76878352391711416, -3.78318433368203195},
	{-4.9, -16.2128164078977359, -14.5511826893553126},
	{-5, -16.7443011626609901, -15.0649983939887257},
	{-5.1, -17.2851857747048341, -15.5884870918714657},
	{-8, -37.122364261692633, -35.0134371599145499},
	{-12, -77.9091005450073483, -75.4106730015687959},
	{-20, -206.917838509425098, -203.917155371097264},
	{-30, -457.724653760598004, -454.321243956343197},
	{-38, -730.196183402113739, -726.55721601882013},
	{-100, -5010.12957880024979, -5005.52420869420509},
	{-10000, -50000019.3396193072, -50000010.1292789152},
};

TEST(the_tail_is_that_of_the_table)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		CHECK_NEAR(mb_log_h(table[i].z), table[i].log_h, 1e-12 * (1 + fabs(table[i].log_h)));
		CHECK_NEAR(mb_log_normal_cdf(table[i].z), table[i].log_cdf, 1e-12 * (1 + fabs(table[i].log_cdf)));
	}
	CHECK_NEAR(mb_log_normal_cdf(8) * 1e16, -6.22096057427178606, 1e-10);
	CHECK_NEAR(mb_log_ei(3, 2, 1), log(2) + table[5].log_h, 1e-12);
}

TEST(gradients_are_those_of_differences)
{
	static const double targets[] = {3, 0.5, -1, -9, -9.9, -10.1, -40, -400};
	double mean = 0.3, sd = 2, step = 1e-6, by_mean, by_sd;

	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
		double t = targets[i], z = (t - mean) / sd;

		CHECK_NEAR(mb_log_ei_gradient(mean, sd, t, &by_mean, &by_sd), mb_log_ei(mean, sd, t), 1e-11 * t * t);
		CHECK_NEAR(by_mean, (mb_log_ei(mean + step, sd, t) - mb_log_ei(mean - step, sd, t)) / (2 * step),
			   1e-6 * (1 + fabs(by_mean)));
		CHECK_NEAR(by_sd, (mb_log_ei(mean, sd + step, t) - mb_log_ei(mean, sd - step, t)) / (2 * step),
			   1e-6 * (1 + fabs(by_sd)));
		CHECK_NEAR(mb_log_normal_cdf_gradient(z),
			   (mb_log_normal_cdf(z + step) - mb_log_normal_cdf(z - step)) / (2 * step),
			   1e-6 * (1 + fabs(z)));
	}
}

TEST_MAIN
