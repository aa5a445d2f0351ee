/* SPDX-License-Identifier: MIT
 *
 * Within the room: Bayesian optimisation of several objectives, a Gaussian process each, by the expected hypervolume
 * improvement (stat/ehvi.h), times the probability that constraints hold and the trial succeeds (opt/holds.h).
 */
#ifndef MB_OPT_FRONT_H
#define MB_OPT_FRONT_H

#include "opt/opt.h"

/* The point of the largest expected improvement of the front, NULL when no unseen one was met or no model can be
 * made; and the fitted hyperparameters. Needs two finished observations. The volume is measured from the thresholds,
 * or where none is given from beyond the front (mb_pareto_reference). */
json_t *mb_front_point(const struct mb_history *history, struct mb_rng *rng, json_t **surrogate);

#endif
