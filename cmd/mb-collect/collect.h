/* SPDX-License-Identifier: MIT
 *
 * mb-collect's parts: the end of the pipe (append.c with progress.c), the questions to the log (ask.c), its check (fsck.c),
 * its pictures (plot.c by gnuplot, html.c by itself, both of what chart.h makes of it).
 */
#ifndef MB_COLLECT_COLLECT_H
#define MB_COLLECT_COLLECT_H

#include "tool.h"

/* The values of --plot, NULL-terminated. */
extern const char *const plot_kinds[];

struct collect {
	struct mb_tool *tool;
	const struct mb_experiment *experiment;
	const char *log_path;
};

/* Opens the log for reading and says what could not be read in it; 0, or the exit code. */
int collect_open_log(struct collect *collect, struct mb_log *log);

/* An object whose members are the names of metrics: those of the file first, then what else the records bring, in order
 * of appearance. The caller decrefs. */
json_t *collect_metric_names(const struct mb_experiment *experiment, const struct mb_log *log);

/* Seconds of a record's spans of that phase; of NULL 0. */
double collect_sum_spans(const json_t *record, const char *phase);

/* How much a metric (index into experiment->metrics) depends on each parameter and conditional, the most important
 * first: mb_space_dims of the space. NULL with err when too few trials have it (MB_EXIT_NO). The caller frees; names are
 * the space's. */
struct importance {
	const char *name;
	double total, alone; /* as mb_surface_importance says */
};
struct importance *importance_new(const struct mb_log *log, const struct mb_experiment *experiment, size_t metric,
				  struct mb_err *err);

/* Each returns the exit code. */
int collect_append(struct collect *collect);
int collect_best(struct collect *collect); /* and --pareto */
int collect_top(struct collect *collect, int64_t n);
int collect_summary(struct collect *collect);
int collect_tsv(struct collect *collect);
int collect_plot(struct collect *collect, const char *kind, const char *path); /* path NULL: as text on stdout */
int collect_html(struct collect *collect, const char *path);
int collect_importance(struct collect *collect);
int collect_fsck(struct collect *collect, int repair);

/* What is drawn while the pipe runs, and the closing line. */
struct progress {
	struct mb_tool *tool;
	const struct mb_experiment *experiment;
	int draws;          /* stdout and stderr are a terminal */
	double start_s;     /* monotonic */
	double drawn_s;
	struct mb_ladder ladder;
	int64_t had;        /* units of the budget that were finished at the start */
	size_t failed;
	int64_t best_trial; /* of one objective; 0: none yet */
	int64_t best_rung;   /* the highest so far: best, completed and feasible are of it */
	double best;
	size_t completed, feasible;
	int shown;          /* a line stands on the terminal */
};

void progress_start(struct progress *progress, struct mb_tool *tool, const struct mb_experiment *experiment,
		    const struct mb_log *log);
void progress_add(struct progress *progress, const struct mb_record *record); /* a result that was new */
void progress_draw(struct progress *progress, const struct mb_log *log, int now);
void progress_end(struct progress *progress, const struct mb_log *log);

#endif
