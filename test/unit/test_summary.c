/* SPDX-License-Identifier: MIT
 *
 * Quantiles, against those of Python's statistics.quantiles(method="inclusive"), which is the same definition, and by hand.
 */
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

TEST_MAIN
