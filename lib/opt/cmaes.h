/* SPDX-License-Identifier: MIT
 *
 * Within the room: where a search by CMA-ES stands, as the replay of the history's results in the order in which they came.
 *
 * The results of the running generation are gathered until there are lambda, whoever computed them and in whatever order
 * they come; then the distribution moves on. A result counts when its trial was drawn in the same run (between two
 * restarts), which its record tells; its steps are those that this state draws for that trial, so that an integer keeps what
 * rounding took, or, where the state has moved on since, those to the point itself, shortened (mb_cma_clip). A foreign point
 * (of a user, of another algorithm) counts when it is better than all before it, in the same way.
 *
 *     struct mb_cmaes *search = mb_cmaes_new(history);
 *     mb_cmaes_replay(search, history);                 // again, with a later history: goes on from there
 *     mb_cmaes_draw(search, &rng, u);
 *     mb_cmaes_free(search);
 *
 * Restarts: N. Hansen, "Benchmarking a BI-population CMA-ES on the BBOB-2009 function testbed", 2009. Start from an earlier
 * log: Nomura, Watanabe, Akimoto, Ozaki and Onishi, "Warm starting CMA-ES for hyperparameter optimization", AAAI 2021.
 * Categories: independent probabilities that move to those of the better half, each kept above a margin as in Hamano and
 * others, "CatCMA: stochastic optimization for mixed-category problems", GECCO 2024.
 */
#ifndef MB_OPT_CMAES_H
#define MB_OPT_CMAES_H

#include "opt/opt.h"
#include "stat/stat.h"

struct mb_cmaes;

struct mb_cmaes *mb_cmaes_new(const struct mb_history *history);
void mb_cmaes_free(struct mb_cmaes *search); /* may be NULL */

/* Takes in the results that are new since the last call. */
void mb_cmaes_replay(struct mb_cmaes *search, const struct mb_history *history);

/* The number of the run that the next suggestion belongs to, from 0 on: mb_observation.run of what it comes to. */
int64_t mb_cmaes_run(const struct mb_cmaes *search);

/* The distribution as it stands. */
const struct mb_cma *mb_cmaes_state(const struct mb_cmaes *search);

/* A point of the distribution; u: mb_space_dims coordinates in [0, 1]. */
void mb_cmaes_draw(struct mb_cmaes *search, struct mb_rng *rng, double *u);

#endif
