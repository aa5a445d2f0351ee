/* SPDX-License-Identifier: MIT
 *
 * Within the room: which observations are better than others, with constraints and several objectives.
 *
 *     size_t *order = mb_alloc(history->n * sizeof *order), n = mb_merit(history, order, NULL);
 *     … order[0] the best observation, order[n - 1] the worst
 */
#ifndef MB_OPT_MERIT_H
#define MB_OPT_MERIT_H

#include "opt/opt.h"

/* The finished observations that did not fail, best first, into order (n of the history); returns how many. Feasible
 * ones before others (constraint-domination, Deb and others 2002, section VI-A), these by their violation; feasible
 * ones by their value, or with several objectives by the front they are in, within it by crowding distance, the
 * loneliest first. Of equal ones the earlier. *feasible, unless NULL: how many are feasible. */
size_t mb_merit(const struct mb_history *history, size_t *order, size_t *feasible);

/* The m objectives of the observations listed, row-major, less is better. */
void mb_objectives(const struct mb_history *history, const size_t *list, size_t n, double *points);

/* Whether there is more than one value to look at. */
int mb_is_plain(const struct mb_experiment *experiment);

/* The thresholds of the m objectives, less is better; NaN: none given. */
void mb_thresholds(const struct mb_experiment *experiment, double *given);

#endif
