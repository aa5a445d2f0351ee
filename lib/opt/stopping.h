/* SPDX-License-Identifier: MIT
 *
 * When to stop: a search that brings nothing new any more, and a trial in training whose curve is worse than the others'.
 * Everything is less is better here.
 *
 *     struct mb_curves all = {0}, own = {0};
 *     for (… completed keys of the log …) mb_curves_add(&all, key->result, objective);
 *     mb_curves_add(&own, record, objective);
 *     if (mb_stop_by_median(&all, &own, &judged)) … judged.own is worse than judged.mark …
 *     mb_curves_release(&all);
 */
#ifndef MB_OPT_STOPPING_H
#define MB_OPT_STOPPING_H

#include "data/data.h"

struct mb_history;

/* ---- a trial, by its curve ---- */

struct mb_curve_point {
	int64_t trial, rung, epoch;
	double value;
};

struct mb_curves {
	struct mb_curve_point *points; /* sorted by trial and epoch once asked about; one a (trial, epoch) */
	size_t n, cap;
	int sorted;
};

/* Takes the rows of the record's `epoch_metrics`: each an object with the metric and, unless it is the row's number, `epoch`.
 * Returns how many it took. */
size_t mb_curves_add(struct mb_curves *curves, const json_t *record, const struct mb_metric *metric);
void mb_curves_release(struct mb_curves *curves);

enum {
	MB_STOP_CURVES = 5, /* the least other trials that the median rule judges by */
	MB_STOP_EPOCHS = 2  /* the least epochs of the trial judged */
};

struct mb_judged {
	int64_t epoch; /* of the trial judged, its last; the rung's */
	double own;    /* its best value so far (median rule), its value at the rung (rungs) */
	double mark;   /* the median; the value that was needed */
	size_t others; /* trials that it was compared with; too few: it is never stopped */
};

/* The median stopping rule (Golovin and others, "Google Vizier", KDD 2017, section 3.1.2): 1 when the trial's best value up to
 * its last epoch s is worse than the median of the others' means over their epochs up to s. The trial's own points in `all` are
 * left out. */
int mb_stop_by_median(struct mb_curves *all, struct mb_curves *own, struct mb_judged *judged);

/* Successive halving of a running trial (Li and others, MLSys 2020): 1 when its value at the highest rung that it has come to,
 * below its own `rung`, is not among the best 1/eta there: of the results on that rung and the curves that cross it. */
int mb_stop_by_rung(struct mb_curves *all, struct mb_curves *own, const struct mb_ladder *ladder, const struct mb_log *log,
		    const struct mb_metric *metric, int64_t rung, struct mb_judged *judged);

/* ---- the search ---- */

/* SigOpt's rule: 1 when the best of the last 5 × dims values is no better than the 5th best of those before. values (n): in
 * the order in which they came, NaN where an observation has none. */
int mb_stop_by_stagnation(const double *values, size_t n, size_t dims);

struct mb_regret {
	double bound;   /* the best is hardly worse than the optimum by more: see below */
	double epsilon; /* what does not matter: the noise, at least a hundredth of the values' deviation */
};

/* The bound of Makarova and others, "Automatic termination for hyperparameter optimization" (AutoML 2022), eq. 3, by a Gaussian
 * process: the least upper confidence bound of a point tried less the least lower one of any point, at 2 deviations. 0; -1
 * when there are too few results for it, or several objectives or constraints. In the units of the metric. */
int mb_expected_regret(const struct mb_history *history, struct mb_regret *regret);

#endif
