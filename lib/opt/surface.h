/* SPDX-License-Identifier: MIT
 *
 * What a log tells of one metric, for people's questions: a Gaussian process (stat/gp.h) over the completed trials. It
 * predicts the metric for any point of the space, with the uncertainty, and says which parameters matter.
 *
 *     struct mb_surface *model = mb_surface_new(&log, experiment, metric, &err);   // index into experiment->metrics
 *     mb_surface_predict(model, u, &mean, &stddev);                    // u: of mb_space_locate
 *     mb_surface_importance(model, total, alone);
 *     mb_surface_free(model);
 */
#ifndef MB_OPT_SURFACE_H
#define MB_OPT_SURFACE_H

#include "data/data.h"

struct mb_surface;

/* Of the trials with a result on the highest rung that any has reached. At most 1,000 are held, spread over the ranking, the
 * best among them. -> NULL and MB_EXIT_NO when fewer than 3 have the metric. */
struct mb_surface *mb_surface_new(const struct mb_log *log, const struct mb_experiment *experiment, size_t metric,
			      struct mb_err *err);
void mb_surface_free(struct mb_surface *model); /* may be NULL */

/* Of the value that a trial at u would give, in the metric's own units; stddev: with the noise that was fitted. */
void mb_surface_predict(const struct mb_surface *model, const double *u, double *mean, double *stddev);

/* For each dimension the share of the metric's variance over the space (points drawn as `random` does) that goes when all
 * others are known (total), and that it explains alone: Sobol's total and first indices of the posterior mean, by Jansen's
 * estimators (M. J. W. Jansen, "Analysis of variance designs for model output", 1999); functional ANOVA as F. Hutter, H. Hoos
 * and K. Leyton-Brown use it, ICML 2014. A parameter counts where it is active. All 0 where the model is flat. */
void mb_surface_importance(const struct mb_surface *model, double *total, double *alone);

#endif
