/* SPDX-License-Identifier: MIT
 *
 * What a log shows to the eye, before it is drawn: the trials with their value and standing, and each parameter as an
 * axis. --plot draws it by gnuplot, --html by svg.c; both show the same.
 *
 *     struct chart chart;
 *     chart_init(&chart, experiment, &log);
 *     for (size_t i = 0; i < chart.n; i++) … chart.trials[i].value …
 *     chart_release(&chart);
 */
#ifndef MB_COLLECT_CHART_H
#define MB_COLLECT_CHART_H

#include "data/data.h"
#include "opt/opt.h"

enum chart_standing { CHART_GOOD, CHART_BREAKS, CHART_FAILED, CHART_STANDINGS }; /* breaks: a constraint */

struct chart_trial {
	const struct mb_key *key;
	double value; /* of the first objective; NaN: failed */
	double best;  /* of the good ones up to this; NaN: none yet */
	enum chart_standing standing;
	int front;    /* no other dominates it; of one objective: the best */
};

struct chart {
	const struct mb_experiment *experiment;
	const struct mb_log *log;
	struct mb_ranking ranking;
	const struct mb_metric *objectives[MB_MOST_OBJECTIVES];
	size_t n_objectives;
	struct chart_trial *trials; /* in the order of their numbers: the ranked ones, and all failed */
	size_t n, counts[CHART_STANDINGS];
	double low, high; /* of the values; both 0 where there is none */
	int log_value;    /* they are positive and span more than three decades */
};

void chart_init(struct chart *chart, const struct mb_experiment *experiment, const struct mb_log *log);
void chart_release(struct chart *chart);

/* A record's metric as it is drawn: what lies beyond 1e200 stands there, and what is nearer to 0 than 1e-200 stands at 0, so that
 * the extent of an axis and of its logarithm are numbers too. NaN when absent. */
double chart_metric(const json_t *record, const char *name);

/* A parameter or conditional, by its dimension in the space. */
struct chart_axis {
	const char *name;
	const struct mb_param *param;  /* NULL: a conditional */
	const json_t *words;           /* the values of a categorical, which stand at 0, 1, …; NULL: numbers */
	double low, high;              /* what its values span, in the space and in the log */
	int log;
};

struct chart_axis chart_axis(const struct chart *chart, size_t dim);

/* Moves the ends of a range out by these shares of it, so that no mark stands on the frame; a range without extent gets
 * one. */
void chart_pad(double *low, double *high, int log, double below, double above);

/* What a picture of the values spans, and where in it those stand that failed and have none. */
void chart_values(const struct chart *chart, double *low, double *high, double *failed);

/* Where the trial stands on the axis; -1 when it has no such value: an inactive parameter, an older file's. */
int chart_place(const struct chart_axis *axis, const struct mb_key *key, double *at);

/* The same as a share of the axis, in [0, 1]. */
double chart_share(const struct chart_axis *axis, double at);

/* What moves a mark aside, at most 0.25, so that those of one word do not hide each other; 0 among numbers. */
double chart_jitter(const struct chart_axis *axis, const struct mb_key *key);

/* A word of an axis as people write it: a text bare, anything else as JSON; appended. */
void chart_word(const json_t *word, struct mb_str *text);

/* The metric that epoch_metrics are drawn of: the first objective when any trial kept it, else the first number there;
 * NULL when no trial kept any. Belongs to the log. */
const char *chart_curve_metric(const struct chart *chart);

/* Row `i` of a trial's epoch_metrics: its epoch, and that metric's value. -1: it has none. */
int chart_curve_point(const json_t *rows, size_t i, const char *metric, double *epoch, double *value);

/* How a result stands that need not be among chart.trials: those of lower rungs have curves too. */
enum chart_standing chart_standing(const struct chart *chart, const struct mb_key *key);

#endif
