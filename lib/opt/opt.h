/* SPDX-License-Identifier: MIT
 *
 * The room `opt`: what to try next. An algorithm is one constant entry of a table; it keeps nothing between calls:
 * the same history gives the same suggestion, in any process. Stands on base, data and stat.
 *
 *     const struct mb_algorithm *algorithm = mb_algorithm_choose(experiment, option, &err);
 *     struct mb_history history = {.experiment = experiment, .seed = seed, .trial = last + 1, .seen = &seen, …};
 *     struct mb_suggestion suggestion;
 *     if (mb_suggest(algorithm, &history, &suggestion, &err) < 0) …        // MB_EXIT_NO: the space is exhausted
 *     mb_hashset_add(&seen, mb_space_key(&experiment->space, suggestion.assignments));
 *     mb_json_set(record, "assignments", suggestion.assignments);          // takes the reference
 */
#ifndef MB_OPT_OPT_H
#define MB_OPT_OPT_H

#include <stddef.h>
#include <stdint.h>

#include "data/data.h"
#include "opt/fidelity.h"
#include "opt/ranking.h"
#include "opt/surface.h"
#include "opt/stopping.h"
#include "opt/transfer.h"

/* A training in the log whose point lies in the space, for algorithms that learn from results. */
struct mb_observation {
	int64_t trial, rung; /* of one trial there are several on different rungs */
	double fidelity;     /* share of a full training, in (0, 1]; 1 without multi-fidelity */
	double value;        /* of the (first) optimised metric, less is better: the negative of what is maximised; means
	                        nothing while pending or failed */
	double noise;        /* standard deviation of value as the result or the experiment file says; 0: not known */
	double cost_s;       /* seconds of its `train` and `validate` spans; 0: not known */
	int failed, pending; /* pending: suggested, no result yet */
	size_t told;         /* orders the results by when they came, from 1 on; 0 while pending */
	int64_t run;         /* member "run" of its surrogate, by an algorithm that restarts; -1: none */
};

/* What an algorithm may keep from call to call, of one history that grows: it saves time and changes no suggestion. */
struct mb_cache;
struct mb_cache *mb_cache_new(void);
void mb_cache_free(struct mb_cache *cache); /* may be NULL */

/* All that a suggestion may depend on. The caller owns everything. */
struct mb_history {
	const struct mb_experiment *experiment;
	uint64_t seed;                 /* the experiment's, or that of --seed */
	int64_t trial;                 /* the number that this suggestion will get, from 1 on */
	const struct mb_hashset *seen; /* mb_space_key of every point in the log, open or finished */
	const struct mb_observation *observations; /* n, in the order of the log */
	const double *u;               /* n × mb_space_dims, row-major: where they are, as of mb_space_locate */
	const double *metrics;         /* n × experiment->n_metrics, row-major: as recorded, in the order of the
	                                  experiment file; NaN: none */
	const double *metrics_stddev;  /* the same shape; 0: not known */
	const json_t *surrogate;       /* of the latest issue that carries one, for a start; NULL: none */
	struct mb_cache *cache;        /* NULL: none */
	double suggest_s;              /* mean seconds of the `suggest` spans of the log; 0: none */
	const struct mb_transfer *transfer; /* logs of other experiments; NULL: none. For takes_prior_logs alone */
	size_t n;
};

struct mb_suggestion {
	json_t *assignments;   /* the caller decrefs */
	const char *algorithm; /* what really produced it, for the record: "default", "sobol"…; static text */
	json_t *surrogate;     /* fitted hyperparameters for the record, taken by the caller; NULL: none */
};

struct mb_algorithm {
	const char *name, *about; /* about: one line for --list-algorithms */

	/* 0, or -1 when it cannot work on the experiment's space (MB_EXIT_USAGE). NULL: works on any. */
	int (*check)(const struct mb_experiment *experiment, struct mb_err *err);

	int takes_prior_logs; /* history->transfer is for it */

	/* A point not in history->seen, or -1. Call mb_suggest instead, which sees to what is common to all. */
	int (*ask)(const struct mb_history *history, struct mb_suggestion *suggestion, struct mb_err *err);
};

extern const struct mb_algorithm *const mb_algorithms[]; /* NULL-terminated, "auto" first */

const struct mb_algorithm *mb_algorithm_find(const char *name); /* or NULL */

/* The algorithm `option` (of --algorithm), or when that is NULL the experiment's own, checked against the
 * experiment's space; else NULL and MB_EXIT_USAGE. */
const struct mb_algorithm *mb_algorithm_choose(const struct mb_experiment *experiment, const char *option,
					       struct mb_err *err);

/* The next point to try: that of the defaults first, if there are any, then what the algorithm asks for; never one
 * that was seen. -1 with MB_EXIT_NO when no unseen point is left. */
int mb_suggest(const struct mb_algorithm *algorithm, const struct mb_history *history,
	       struct mb_suggestion *suggestion, struct mb_err *err);

#endif
