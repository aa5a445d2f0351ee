/* SPDX-License-Identifier: MIT
 *
 * Within the room: the table's entries, and how an algorithm that draws points comes to one that was not seen.
 */
#ifndef MB_OPT_ALGORITHM_H
#define MB_OPT_ALGORITHM_H

#include "opt/opt.h"

extern const struct mb_algorithm mb_algorithm_auto, mb_algorithm_gp, mb_algorithm_tpe, mb_algorithm_sobol, mb_algorithm_lhs,
	mb_algorithm_random, mb_algorithm_grid, mb_algorithm_nsga2, mb_algorithm_cmaes;

struct mb_cmaes;

struct mb_cache {
	struct mb_cmaes *cmaes; /* of the history so far; NULL: none yet */
};

/* Fills u (mb_space_dims numbers in [0, 1)) with draw number `attempt`, 0 … MB_ASK_ATTEMPTS - 1. The stream is this
 * trial's own and goes on from draw to draw. */
typedef void mb_draw(const struct mb_history *history, struct mb_rng *rng, uint32_t attempt, double *u);

#define MB_ASK_ATTEMPTS 128

/* The first unseen point among MB_ASK_ATTEMPTS draws, credited to `algorithm`; else an unseen point at random. -1
 * when there is none left. */
int mb_ask_unseen(const struct mb_history *history, mb_draw *draw, const char *algorithm,
		  struct mb_suggestion *suggestion, struct mb_err *err);

/* The first unseen point from number `start` on, wrapping around; NULL and MB_EXIT_NO when all are seen. The space is
 * countable and has `size` points. */
json_t *mb_ask_walk(const struct mb_history *history, uint64_t start, uint64_t size, struct mb_err *err);

/* 1 when the point is in the log; 1 when it is not and keeps the linear constraints. */
int mb_ask_seen(const struct mb_history *history, const json_t *assignments);
int mb_ask_takes(const struct mb_history *history, const json_t *assignments);

mb_draw mb_draw_random;

#endif
