/* SPDX-License-Identifier: MIT
 *
 * Within the room: what an algorithm learns from in a multi-fidelity search. It knows nothing of rungs; it is shown each
 * trial once, by the result on its highest rung, moved by what trials gain from there to the top: the median, rung by rung,
 * over those with results on both. The values of unlike rungs become comparable so, and none is thrown away, as it is by a
 * model of the highest rung that has enough results (BOHB: Falkner, Klein and Hutter, ICML 2018). On the six LCBench problems
 * of test/bench/fidelity.py, 30 seeds each, with tpe: the share of 60 full trainings' epochs after which random search's best
 * was reached, median, .118 by this and .179 by BOHB's choice; with 8 workers .199 and .238.
 *
 *     struct mb_view view;
 *     mb_view_init(&view, history);
 *     bad = algorithm->ask(&view.history, suggestion, err);
 *     mb_view_release(&view);
 */
#ifndef MB_OPT_VIEW_H
#define MB_OPT_VIEW_H

#include "opt/opt.h"

struct mb_view {
	struct mb_history history; /* as the algorithm shall see it; borrows from the original and from the blocks below */
	struct mb_observation *observations;
	double *u, *metrics, *metrics_stddev;
};

void mb_view_init(struct mb_view *view, const struct mb_history *history);
void mb_view_release(struct mb_view *view);

#endif
