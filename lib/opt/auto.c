/* SPDX-License-Identifier: MIT
 *
 * The policy: which algorithm suits the experiment and what its log holds. It reads the log alone, never a clock, so that
 * the same log always gives the same choice.
 */
#include "opt/algorithm.h"
#include "opt/merit.h"

enum {
	SMOOTH_GP = 20, /* observations a dimension after which cmaes goes on in a space of doubles */
	SMOOTH_LEAST = 100,
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

/* 1 when there are ranges of doubles alone, at least two, and one exact value to look at. There cmaes polishes what gp found:
 * of the targets of test/bench/bbob.py, 12 functions in 5 dimensions, it reaches .212 after 100 evaluations a dimension, gp
 * alone .172 (s.e. of the difference .017); after 50 both have .14. In 10 dimensions 120 observations by gp before it come
 * to .168, 300 to .158 (.013). */
static int is_smooth(const struct mb_experiment *experiment)
{
	const struct mb_space *space = &experiment->space;

	if (space->n_conditionals || space->n_params < 2 || !mb_is_plain(experiment) || experiment->fidelity.name ||
	    experiment->n_tasks || mb_experiment_objective(experiment)->noise > 0)
		return 0;
	for (size_t i = 0; i < space->n_params; i++)
		if (space->params[i].type != MB_PARAM_DOUBLE || space->params[i].n_values)
			return 0;
	return 1;
}

static size_t most_gp(const struct mb_experiment *experiment)
{
	size_t smooth = SMOOTH_GP * experiment->space.n_params;

	if (!is_smooth(experiment))
		return MOST_GP;
	smooth = smooth > SMOOTH_LEAST ? smooth : SMOOTH_LEAST;
	return smooth < MOST_GP ? smooth : MOST_GP;
}

static const struct mb_algorithm *after_gp(const struct mb_experiment *experiment)
{
	if (is_smooth(experiment))
		return &mb_algorithm_cmaes;
	return mb_experiment_count(experiment, MB_STRATEGY_OPTIMIZE) > 1 ? &mb_algorithm_nsga2 : &mb_algorithm_tpe;
}

static int ask(const struct mb_history *history, struct mb_suggestion *suggestion, struct mb_err *err)
{
	const struct mb_algorithm *algorithm = &mb_algorithm_gp;

	if (history->n > most_gp(history->experiment))
		algorithm = after_gp(history->experiment);
	if (thinking_is_dear(history))
		algorithm = &mb_algorithm_random;
	return algorithm->ask(history, suggestion, err);
}

const struct mb_algorithm mb_algorithm_auto = {
	.name = "auto",
	.about = "gp, after 1,000 observations tpe (nsga2; of doubles alone cmaes, sooner); random for quick trials (the default)",
	.takes_prior_logs = 1,
	.ask = ask,
};
