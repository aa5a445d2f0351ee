/* SPDX-License-Identifier: MIT */
#include "opt/algorithm.h"
#include "stat/stat.h"

/* Trial t is point t - 1 of one sequence, whatever came before it. When that was seen, attempt k is the same point
 * of the k-th block of 2^24: the points that many trials end up with are then still spread evenly, and none is
 * taken that a later trial would start with. */
static void draw(const struct mb_history *history, struct mb_rng *rng, uint32_t attempt, double *u)
{
	size_t dims = mb_space_dims(&history->experiment->space);
	uint64_t index = ((uint64_t)attempt << 24) + (uint64_t)(history->trial - 1);

	for (size_t i = 0; i < dims && i < MB_SOBOL_DIMS; i++)
		u[i] = mb_sobol_unit(history->seed, i, index);
	/* Beyond the table of direction numbers the remaining dimensions are random. */
	for (size_t i = MB_SOBOL_DIMS; i < dims; i++)
		u[i] = mb_rng_unit(rng);
}

static int ask(const struct mb_history *history, struct mb_suggestion *suggestion, struct mb_err *err)
{
	return mb_ask_unseen(history, draw, mb_algorithm_sobol.name, suggestion, err);
}

const struct mb_algorithm mb_algorithm_sobol = {
	.name = "sobol",
	.about = "points of a scrambled Sobol' sequence, which fill the space more evenly than random ones",
	.ask = ask,
};
