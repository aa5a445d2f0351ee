/* SPDX-License-Identifier: MIT
 *
 * Quantiles, against those of Python's statistics.quantiles(method="inclusive"), which is the same definition, and by hand.
 */
#include "stat/standard.h"
#include "stat/summary.h"
#include "unit/check.h"

TEST(equals_python)
{
	double values[] = {0.4, 12.5, 3.25, 0.07, 7.75, 1.5, 2.0};
	struct mb_summary summary = mb_summary_of(values, 7);

	CHECK_INT(summary.n, 7);
	CHECK_NEAR(summary.sum, 27.47, 1e-12);
	CHECK_NEAR(summary.median, 2.0, 0);
	CHECK_NEAR(summary.p95, 11.075, 1e-12);
	CHECK_NEAR(mb_quantile(values, 7, 0.1), 0.268, 1e-12);
}

TEST(the_median_of_an_even_number_lies_between)
{
	double values[] = {4, 1, 3, 2};

	CHECK_NEAR(mb_summary_of(values, 4).median, 2.5, 0);
	CHECK_NEAR(values[0], 1, 0); /* sorted */
}

TEST(ends_are_the_extremes)
{
	double values[] = {1, 2, 5};

	CHECK_NEAR(mb_quantile(values, 3, 0), 1, 0);
	CHECK_NEAR(mb_quantile(values, 3, 1), 5, 0);
}

TEST(one_value_is_all_and_none_is_nan)
{
	double value = 7;

	CHECK_NEAR(mb_summary_of(&value, 1).p95, 7, 0);
	CHECK(isnan(mb_summary_of(NULL, 0).median));
	CHECK_NEAR(mb_summary_of(NULL, 0).sum, 0, 0);
}

TEST(ordinary_values_are_standardised_and_no_more)
{
	double y[] = {3, -1, 2, 5, 1}, unit = mb_standardise(y, 5);

	/* mean 2, squares 1 9 0 9 1: deviation 2 */
	CHECK_NEAR(unit, 2, 1e-14);
	CHECK_NEAR(y[0], 0.5, 1e-14);
	CHECK_NEAR(y[1], -1.5, 1e-14);
	CHECK_NEAR(y[2], 0, 1e-14);
}

TEST(an_outlier_leaves_the_others_apart)
{
	double y[] = {1, 2, 3, 4, 1e300, 2.5, 1.5, 3.5, 2.2, 2.8}, one[] = {7, 7, 7}, half[] = {0, 0, 0, 0, 1e-200};

	mb_standardise(y, 10);
	CHECK(y[0] < y[6] && y[6] < y[1] && y[1] < y[8] && y[8] < y[5] && y[9] < y[2] && y[3] < y[4]);
	CHECK(y[3] - y[0] > 1 && y[4] < 3);
	mb_standardise(one, 3);
	CHECK_NEAR(one[0], 0, 0);
	mb_standardise(half, 5);
	CHECK_NEAR(half[0], -0.5, 1e-12);
	CHECK_NEAR(half[4], 2, 1e-12);
	CHECK_NEAR(mb_standardise(one, 0), 1, 0);
}

TEST_MAIN
