/* SPDX-License-Identifier: MIT
 *
 * Multi-fidelity search: who trains on, and on which rung a new trial begins. Asynchronous successive halving (Li and others,
 * "A system for massively parallel hyperparameter tuning", MLSys 2020, algorithm 2): whenever a worker is free, a trial among
 * the best 1/eta of its rung that has not gone on yet does so, the highest rung first; else a new trial begins. Where it
 * begins follows Hyperband's brackets (Li and others, JMLR 18, 2018, algorithm 1): rung 0 for most, a full training at once
 * for some, in Hyperband's numbers.
 *
 *     struct mb_move move = mb_fidelity_next(&history, left, 1);
 *     if (move.kind == MB_MOVE_PROMOTE) … history.observations[move.from] goes on to move.rung …
 *     else if (move.kind == MB_MOVE_NEW) … mb_suggest(algorithm, &history, &suggestion, &err), on move.rung …
 *
 * The best are those of mb_ranking (opt/ranking.h): what keeps the constraints before what does not, and of several objectives
 * the fronts in turn.
 *
 * All rungs are shared: a result counts on its rung whatever the bracket that brought it there. Decisions come from the
 * history alone, so any number of workers may ask, each under the log's lock.
 */
#ifndef MB_OPT_FIDELITY_H
#define MB_OPT_FIDELITY_H

#include <stddef.h>
#include <stdint.h>

struct mb_history;

enum mb_move_kind {
	MB_MOVE_NONE,   /* nothing that fits, now: a result may change that */
	MB_MOVE_NEW,    /* a new trial, on `rung` */
	MB_MOVE_PROMOTE /* the trial of observations[from] goes on to `rung` */
};

struct mb_move {
	enum mb_move_kind kind;
	size_t rung, from;
};

/* `left`: units of the budget that nobody has spoken for, see data/ladder.h; no move costs more. `can_new`: the space has
 * points left.
 *
 * Without fidelities it is MB_MOVE_NEW on rung 0 while there is something left. When what is left cannot train a new trial in
 * full (or no new one can be made), the best that wait on a rung go on past the quota of 1/eta, if what is left takes them to
 * the top: only there do they count. */
struct mb_move mb_fidelity_next(const struct mb_history *history, int64_t left, int can_new);

/* How many new trials Hyperband begins on each of n rungs in a round: ceil(n / (s + 1) × eta^s) with s = n - 1 - rung. */
double mb_fidelity_share(size_t rung, size_t n, int64_t eta);

#endif
