/* SPDX-License-Identifier: MIT
 *
 * Within the room: how likely it is that a trial succeeds and keeps its constraints. One Gaussian process for each
 * constraint metric, and one for success where some trials have failed.
 *
 *     mb_holds_init(&holds, &rows, history, &rng);
 *     mb_holds_add(&holds, rows, m, score);              // score[i] += log P(all hold at row i)
 *     mb_holds_release(&holds);
 *
 * The product of these probabilities with the expected improvement is that of M. Schonlau, W. J. Welch and D. R.
 * Jones, "Global versus local search in constrained optimization of computer models" (1998), eq. 7, and of J. R.
 * Gardner and others, "Bayesian optimization with inequality constraints", ICML 2014; with no feasible point the
 * probabilities alone are maximised, as M. A. Gelbart, J. Snoek and R. P. Adams do, UAI 2014.
 */
#ifndef MB_OPT_HOLDS_H
#define MB_OPT_HOLDS_H

#include "opt/output.h"

struct mb_holds {
	struct mb_output *outputs;
	const char **names; /* of the metrics; "failed" with a blank before it for success, which no metric is called */
	size_t n;
	size_t known;       /* rows of the success process that have an outcome: the first */
	double weight;      /* of the log probability of success */
	double *scratch;    /* 2 × dims */
};

/* Excesses over the thresholds are modelled, as sign(c) log(1 + |c| / median |c|): far beyond a threshold it does
 * not matter how far (D. Eriksson and M. Poloczek, "Scalable constrained Bayesian optimization", AISTATS 2021,
 * section 3). The probability of success is the share of successes, weighted by distance^-4 (D. Shepard, "A
 * two-dimensional interpolation function for irregularly-spaced data", 1968) in the length scales of a process
 * fitted to success and failure as -1 and 1: it has no length of its own, so a search that closes in on a boundary
 * keeps nearer to what succeeded on any scale. A trial that fails teaches next to nothing, which is why its
 * logarithm is weighted far above the improvement. Where failures are told worse by their places than by a rate of
 * crashes at random, Beta(1, 19) before any trial, they count for nothing. An output that cannot be fitted is left
 * out. */
void mb_holds_init(struct mb_holds *holds, const struct mb_rows *rows, const struct mb_history *history,
		   struct mb_rng *rng);
void mb_holds_release(struct mb_holds *holds);

/* Adds the sum of log probabilities to the score of each of m rows. */
void mb_holds_add(const struct mb_holds *holds, const double *rows, size_t m, double *score);

/* The sum at one row; its derivatives are added to by_row (dims). */
double mb_holds_gradient(const struct mb_holds *holds, const double *row, double *by_row);

/* Into the record, as its member `holds`: a member for each output. */
void mb_holds_write(const struct mb_holds *holds, json_t *surrogate);

#endif
