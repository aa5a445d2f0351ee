/* SPDX-License-Identifier: MIT
 *
 * Which completed trials of a log are best. Only the highest rung that any trial reached counts: values of unlike fidelity
 * are not comparable.
 *
 *     const struct mb_key *best = mb_incumbent(&log, mb_experiment_objective(experiment));
 */
#ifndef MB_DATA_RANKING_H
#define MB_DATA_RANKING_H

#include "data/experiment.h"
#include "data/log.h"

/* The completed keys that have a value of the objective, best first, of equal ones the earlier trial. *n: how many. The
 * caller frees the array; the keys are the log's. */
const struct mb_key **mb_ranking(const struct mb_log *log, const struct mb_metric *objective, size_t *n);

/* The first of them; NULL when there is none. */
const struct mb_key *mb_incumbent(const struct mb_log *log, const struct mb_metric *objective);

#endif
