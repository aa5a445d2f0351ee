/* SPDX-License-Identifier: MIT
 *
 * What all algorithms share: the default point first, and no point twice.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "opt/algorithm.h"
#include "opt/view.h"

enum {
	RANDOM_ATTEMPTS = 100000,
	FEASIBLE_ATTEMPTS = 4096,
	MOST_WALKED = 1 << 20 /* points of a space with linear constraints, most of which may be forbidden */
};

int mb_ask_seen(const struct mb_history *history, const json_t *assignments)
{
	return mb_hashset_has(history->seen, mb_space_key(&history->experiment->space, assignments));
}

int mb_ask_takes(const struct mb_history *history, const json_t *assignments)
{
	return mb_space_allows(&history->experiment->space, assignments) && !mb_ask_seen(history, assignments);
}

json_t *mb_ask_walk(const struct mb_history *history, uint64_t start, uint64_t size, struct mb_err *err)
{
	const struct mb_space *space = &history->experiment->space;
	uint64_t allowed = 0;

	for (uint64_t step = 0, at = start; step < size; step++) {
		json_t *point = mb_space_at(space, at);

		if (mb_space_allows(space, point)) {
			if (!mb_ask_seen(history, point))
				return point;
			allowed++;
		}
		json_decref(point);
		at = at + 1 < size ? at + 1 : 0;
	}
	mb_err_set(err, MB_EXIT_NO, NULL, "the space is exhausted: all %" PRIu64 " points are suggested", allowed);
	return NULL;
}

static json_t *draw_unseen(const struct mb_history *history, mb_draw *draw, struct mb_rng *rng, uint32_t attempts,
			   double *u)
{
	for (uint32_t attempt = 0; attempt < attempts; attempt++) {
		json_t *point;

		draw(history, rng, attempt, u);
		point = mb_space_point(&history->experiment->space, u);
		if (mb_ask_takes(history, point))
			return point;
		json_decref(point);
	}
	return NULL;
}

/* From what the linear constraints leave, however thin. NULL: nothing new, or nothing at all. */
static json_t *draw_feasible(const struct mb_history *history, struct mb_rng *rng, double *u)
{
	const struct mb_space *space = &history->experiment->space;
	struct mb_feasible feasible;
	json_t *found = NULL;

	for (int attempt = mb_feasible_init(&feasible, space, rng) < 0 ? FEASIBLE_ATTEMPTS : 0;
	     attempt < FEASIBLE_ATTEMPTS && !found; attempt++) {
		json_t *point;

		mb_feasible_draw(&feasible, rng, u);
		point = mb_space_point(space, u);
		if (mb_ask_takes(history, point))
			found = point;
		else
			json_decref(point);
	}
	mb_feasible_release(&feasible);
	return found;
}

int mb_ask_unseen(const struct mb_history *history, mb_draw *draw, const char *algorithm,
		  struct mb_suggestion *suggestion, struct mb_err *err)
{
	const struct mb_space *space = &history->experiment->space;
	double *u = mb_alloc(mb_space_dims(space) * sizeof *u);
	struct mb_rng rng;
	uint64_t size;

	mb_rng_init(&rng, history->seed, (uint64_t)history->trial, MB_RNG_SUGGEST);
	*suggestion = (struct mb_suggestion){draw_unseen(history, draw, &rng, MB_ASK_ATTEMPTS, u), algorithm, NULL};
	if (suggestion->assignments)
		goto out;

	/* Nearly all that can be drawn is seen, or forbidden: now it matters to find a point at all. */
	suggestion->algorithm = mb_algorithm_random.name;
	size = mb_space_size(space);
	if (size <= MOST_WALKED || (size != UINT64_MAX && !space->n_constraints)) {
		suggestion->assignments = mb_ask_walk(history, mb_rng_below(&rng, size), size, err);
		goto out;
	}
	suggestion->assignments = space->n_constraints
					  ? draw_feasible(history, &rng, u)
					  : draw_unseen(history, mb_draw_random, &rng, RANDOM_ATTEMPTS, u);
	if (!suggestion->assignments && space->n_constraints)
		mb_err_set(err, MB_EXIT_NO, NULL, "the space is exhausted: of what the linear constraints leave, %d draws "
			   "are all suggested already", FEASIBLE_ATTEMPTS);
	else if (!suggestion->assignments)
		mb_err_set(err, MB_EXIT_NO, NULL, "the space is exhausted: %d random points are all suggested already",
			   RANDOM_ATTEMPTS);
out:
	free(u);
	return suggestion->assignments ? 0 : -1;
}

int mb_suggest(const struct mb_algorithm *algorithm, const struct mb_history *history,
	       struct mb_suggestion *suggestion, struct mb_err *err)
{
	json_t *point = mb_space_default(&history->experiment->space);
	struct mb_view view;
	int bad;

	if (point && !mb_ask_seen(history, point)) {
		*suggestion = (struct mb_suggestion){point, "default", NULL};
		return 0;
	}
	json_decref(point);
	if (!history->experiment->fidelity.name && !history->experiment->n_tasks)
		return algorithm->ask(history, suggestion, err);
	mb_view_init(&view, history);
	bad = algorithm->ask(&view.history, suggestion, err);
	mb_view_release(&view);
	return bad;
}
