/* SPDX-License-Identifier: MIT */
#include "stat/classify.h"

#include "unit/check.h"

/* Three classes, worked by hand:
 *             predicted 0  1  2      precision   recall   F1
 *     class 0           5  1  0      5/7         5/6      10/13
 *     class 1           2  3  1      3/4         3/6      6/10
 *     class 2           0  0  8      8/9         8/8      16/17 */
static const uint64_t three[] = {5, 1, 0, 2, 3, 1, 0, 0, 8};

TEST(scores_by_hand)
{
	struct mb_class_score per[3];
	struct mb_classification all;

	mb_classify(three, 3, per, &all);
	CHECK_NEAR(per[0].precision, 5 / 7.0, 1e-15);
	CHECK_NEAR(per[0].recall, 5 / 6.0, 1e-15);
	CHECK_NEAR(per[0].f1, 10 / 13.0, 1e-15);
	CHECK_NEAR(per[1].f1, 0.6, 1e-15);
	CHECK_NEAR(per[2].f1, 16 / 17.0, 1e-15);
	CHECK_INT(per[2].support, 8);
	CHECK_INT(all.n, 20);
	CHECK_NEAR(all.accuracy, 16 / 20.0, 1e-15);
	CHECK_NEAR(all.macro.precision, (5 / 7.0 + 3 / 4.0 + 8 / 9.0) / 3, 1e-15);
	CHECK_NEAR(all.macro.recall, (5 / 6.0 + 0.5 + 1) / 3, 1e-15);
	CHECK_NEAR(all.macro.f1, (10 / 13.0 + 0.6 + 16 / 17.0) / 3, 1e-15);
	CHECK_NEAR(all.weighted.f1, (6 * 10 / 13.0 + 6 * 0.6 + 8 * 16 / 17.0) / 20, 1e-15);
	CHECK_NEAR(all.weighted.recall, all.accuracy, 1e-15);
}

/* A class that is never predicted has F1 0 and counts in the mean; one that is not there at all does not. */
TEST(zero_divisions)
{
	const uint64_t matrix[] = {4, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
	struct mb_class_score per[4];
	struct mb_classification all;

	mb_classify(matrix, 4, per, &all);
	CHECK_NEAR(per[0].f1, 8 / 10.0, 1e-15);
	CHECK_NEAR(per[1].precision, 0, 0);
	CHECK_NEAR(per[1].f1, 0, 0);
	CHECK_NEAR(all.macro.f1, 0.4, 1e-15);
	CHECK_NEAR(all.weighted.f1, 0.8 * 4 / 6, 1e-15);
	mb_classify((const uint64_t[]){0, 0, 0, 0}, 2, NULL, &all);
	CHECK_NEAR(all.accuracy, 0, 0);
	CHECK_NEAR(all.macro.f1, 0, 0);
}

TEST_MAIN
