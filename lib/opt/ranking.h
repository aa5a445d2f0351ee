/* SPDX-License-Identifier: MIT
 *
 * Which completed trials of a log are best. Only the highest rung that any trial reached counts: values of unlike
 * fidelity are not comparable. A trial that breaks a metric's constraint is never better than one that keeps all of
 * them.
 *
 *     struct mb_ranking ranking;
 *     mb_ranking_init(&ranking, &log, experiment);
 *     if (ranking.front) … ranking.keys[0] … the best, or with several objectives the front …
 *     mb_ranking_release(&ranking);
 */
#ifndef MB_OPT_RANKING_H
#define MB_OPT_RANKING_H

#include "data/data.h"

struct mb_ranking {
	/* The completed keys that have a value of every optimised metric, best first; the log's. Feasible ones come first: by
	 * the front that they are in (stat/pareto.h; one objective: by its value), then by the first objective, then the
	 * earlier trial. The others follow by how far they break the constraints, see mb_violation. */
	const struct mb_key **keys;
	size_t n;
	size_t feasible;      /* the first of them */
	size_t front;         /* the first of those: what nothing dominates; one objective: 1 at most */
	double hypervolume;   /* of the feasible, several objectives alone */
	double reference[MB_MOST_OBJECTIVES]; /* that it is measured from, in the metrics' own sense */
};

void mb_ranking_init(struct mb_ranking *ranking, const struct mb_log *log, const struct mb_experiment *experiment);
void mb_ranking_release(struct mb_ranking *ranking);

/* 1 when the record has a value of each constraint metric that keeps its threshold. */
int mb_is_feasible(const struct mb_experiment *experiment, const json_t *record);

/* How far the n × experiment->n_metrics values break the constraints, into violation (n): the sum of the excesses
 * over the thresholds, each divided by the greatest one of its metric; 0: feasible. A value that is missing (NaN)
 * counts as 1. */
void mb_violation(const struct mb_experiment *experiment, const double *metrics, size_t n, double *violation);

#endif
