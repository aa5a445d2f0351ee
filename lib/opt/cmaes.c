/* SPDX-License-Identifier: MIT */
#include "opt/cmaes.h"

#include <stdlib.h>

#include "opt/algorithm.h"

static int check(const struct mb_experiment *experiment, struct mb_err *err)
{
	const struct mb_space *space = &experiment->space;
	size_t objectives = 0;

	for (size_t i = 0; i < experiment->n_metrics; i++)
		objectives += experiment->metrics[i].strategy == MB_STRATEGY_OPTIMIZE;
	if (objectives > 1) {
		mb_err_set(err, MB_EXIT_USAGE, experiment->path, "metrics: algorithm cmaes optimises one metric, not %zu",
			   objectives);
		return mb_err_hint(err, "choose another algorithm, or strategy: store for the others");
	}
	for (size_t i = 0; i < space->n_params; i++)
		if (space->params[i].type != MB_PARAM_CATEGORICAL)
			return 0;
	mb_err_set(err, MB_EXIT_USAGE, experiment->path, "parameters: algorithm cmaes needs a double or an int");
	return mb_err_hint(err, "choose another algorithm for categories alone, as auto or tpe");
}

/* The state of the history, kept in its cache or to be freed by the caller. */
static struct mb_cmaes *replayed(const struct mb_history *history)
{
	struct mb_cmaes *search = history->cache ? history->cache->cmaes : NULL;

	if (!search)
		search = mb_cmaes_new(history);
	if (history->cache)
		history->cache->cmaes = search;
	mb_cmaes_replay(search, history);
	return search;
}

static json_t *draw_unseen(const struct mb_history *history, struct mb_cmaes *search)
{
	const struct mb_space *space = &history->experiment->space;
	double *u = mb_alloc(mb_space_dims(space) * sizeof *u);
	json_t *point = NULL;
	struct mb_rng rng;

	mb_rng_init(&rng, history->seed, (uint64_t)history->trial, MB_RNG_SUGGEST);
	for (int attempt = 0; attempt < MB_ASK_ATTEMPTS && !point; attempt++) {
		mb_cmaes_draw(search, &rng, u);
		point = mb_space_point(space, u);
		if (mb_ask_takes(history, point))
			break;
		json_decref(point);
		point = NULL;
	}
	free(u);
	return point;
}

static int ask(const struct mb_history *history, struct mb_suggestion *suggestion, struct mb_err *err)
{
	struct mb_cmaes *search = replayed(history);

	*suggestion = (struct mb_suggestion){draw_unseen(history, search), mb_algorithm_cmaes.name};
	if (suggestion->assignments) {
		suggestion->surrogate = json_object();
		mb_json_set(suggestion->surrogate, "run", json_integer(mb_cmaes_run(search)));
	}
	if (!history->cache)
		mb_cmaes_free(search);
	if (suggestion->assignments)
		return 0;
	return mb_ask_unseen(history, mb_draw_random, mb_algorithm_random.name, suggestion, err);
}

const struct mb_algorithm mb_algorithm_cmaes = {
	.name = "cmaes",
	.about = "CMA-ES with restarts, for numbers and hundreds of trials; starts from the best of an earlier log",
	.check = check,
	.ask = ask,
};
