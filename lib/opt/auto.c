/* SPDX-License-Identifier: MIT
 *
 * The policy: which algorithm suits the experiment and what its log holds. It reads the log alone, never a clock, so that
 * the same log always gives the same choice.
 */
#include "opt/algorithm.h"

enum {
	MOST_GP = 1000, /* observations: beyond, what gp does takes some 0.1 s and grows with the square */
	ENOUGH_COSTS = 10
};

/* 1 when to think takes longer than to try, by the spans of the log: then many blind trials beat few good ones. */
static int thinking_is_dear(const struct mb_history *history)
{
	double cost_s = 0;
	size_t n = 0;

	for (size_t i = 0; i < history->n; i++)
		if (history->observations[i].cost_s > 0) {
			cost_s += history->observations[i].cost_s;
			n++;
		}
	return n >= ENOUGH_COSTS && history->suggest_s > cost_s / (double)n;
}

static int ask(const struct mb_history *history, struct mb_suggestion *suggestion, struct mb_err *err)
{
	int several = mb_experiment_count(history->experiment, MB_STRATEGY_OPTIMIZE) > 1;
	const struct mb_algorithm *algorithm = &mb_algorithm_gp;

	if (history->n > MOST_GP)
		algorithm = several ? &mb_algorithm_nsga2 : &mb_algorithm_tpe;
	if (thinking_is_dear(history))
		algorithm = &mb_algorithm_random;
	return algorithm->ask(history, suggestion, err);
}

const struct mb_algorithm mb_algorithm_auto = {
	.name = "auto",
	.about = "gp to 1,000 observations, then tpe (nsga2); random when a suggestion costs more than a trial (the default)",
	.ask = ask,
};
