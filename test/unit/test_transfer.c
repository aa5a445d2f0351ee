/* SPDX-License-Identifier: MIT
 *
 * Logs of other experiments: what they count for, and that derivatives are those of what is added.
 */
#include <math.h>

#include "check.h"
#include "search.h"

#define PLANE                                                                                                          \
	"parameters:\n"                                                                                                \
	"  - {name: x, type: double, bounds: {min: 0, max: 1}}\n"                                                      \
	"  - {name: y, type: double, bounds: {min: 0, max: 1}}\n"

/* A log of 49 results on a grid, f1 (more is better) being sign * (x - y^2) * 40. */
static void put_log(struct mb_transfer *transfer, double sign)
{
	mb_transfer_log(transfer);
	for (int i = 0; i < 49; i++) {
		double x = i % 7 / 6.0, y = i / 7 / 6.0;
		char *text = mb_textf("{\"trial\": %d, \"status\": \"completed\", \"assignments\": {\"x\": %.17g, \"y\": %.17g}, "
				      "\"metrics\": {\"f1\": %.17g}}", i + 1, x, y, sign * (x - y * y) * 40);
		struct mb_record record;
		struct mb_err err;

		CHECK_INT(mb_record_parse(&record, text, strlen(text), "log:1", &err), 0);
		CHECK_INT(mb_transfer_take(transfer, &record), 1);
		mb_record_release(&record);
		free(text);
	}
	CHECK_INT(mb_transfer_fit(transfer), 49);
}

TEST(what_agrees_counts_and_what_does_not_counts_nothing)
{
	struct mb_experiment *plane = experiment(PLANE, 9);
	struct mb_transfer *transfer = mb_transfer_new(plane);
	double rows[20], y[10], weight[2], expected[10] = {0}, most = 0, slope[2] = {0}, step = 1e-5;

	put_log(transfer, 1);
	put_log(transfer, -1);
	for (int i = 0; i < 10; i++) {
		rows[2 * i] = i * 37 % 100 / 100.0;
		rows[2 * i + 1] = i * 53 % 100 / 100.0;
		y[i] = -3 * (rows[2 * i] - rows[2 * i + 1] * rows[2 * i + 1]);
	}
	CHECK(mb_transfer_weigh(transfer, rows, y, 10, weight));
	CHECK(weight[0] > 0);
	CHECK_NEAR(weight[1], 0, 0);
	mb_transfer_add(transfer, weight, rows, 10, expected);
	for (int i = 1; i < 10; i++) /* all that is left is a constant and what trust is short of 1 */
		most = fmax(most, fabs((y[i] - expected[i]) - (y[0] - expected[0])));
	CHECK(most < 0.6);

	CHECK_NEAR(mb_transfer_gradient(transfer, weight, rows + 2, slope), expected[1], 1e-12);
	for (int j = 0; j < 2; j++) {
		double near[4] = {rows[2], rows[3], rows[2], rows[3]}, mean[2] = {0};

		near[j] -= step;
		near[2 + j] += step;
		mb_transfer_add(transfer, weight, near, 2, mean);
		CHECK_NEAR(slope[j], (mean[1] - mean[0]) / (2 * step), 1e-4);
	}
	mb_transfer_free(transfer);
	mb_experiment_free(plane);
}

TEST_MAIN
