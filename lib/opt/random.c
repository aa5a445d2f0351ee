/* SPDX-License-Identifier: MIT */
#include "opt/algorithm.h"

void mb_draw_random(const struct mb_history *history, struct mb_rng *rng, uint32_t attempt, double *u)
{
	size_t dims = mb_space_dims(&history->experiment->space);

	(void)attempt; /* the stream goes on */
	for (size_t i = 0; i < dims; i++)
		u[i] = mb_rng_unit(rng);
}

static int ask(const struct mb_history *history, struct mb_suggestion *suggestion, struct mb_err *err)
{
	return mb_ask_unseen(history, mb_draw_random, mb_algorithm_random.name, suggestion, err);
}

const struct mb_algorithm mb_algorithm_random = {
	.name = "random",
	.about = "independent points, uniform in each parameter's own scale, or by its prior",
	.ask = ask,
};
