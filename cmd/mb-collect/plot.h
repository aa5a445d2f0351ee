/* SPDX-License-Identifier: MIT
 *
 * The kinds of --plot: each writes a gnuplot script of what a chart holds.
 */
#ifndef MB_COLLECT_PLOT_H
#define MB_COLLECT_PLOT_H

#include "chart.h"
#include "gnuplot.h"

struct plot {
	const struct chart *chart;
	struct mb_str *script;
	int text;             /* drawn with characters */
	int width, height;    /* of a picture, in pixels; a kind may change them */
	int columns, rows;    /* of a text */
};

/* Each appends to the script, or returns -1: MB_EXIT_NO, the log has nothing of that kind; MB_EXIT_USAGE, the experiment
 * has not. */
int plot_history(struct plot *plot, struct mb_err *err);
int plot_slice(struct plot *plot, struct mb_err *err);
int plot_parallel(struct plot *plot, struct mb_err *err);
int plot_curve(struct plot *plot, struct mb_err *err);
int plot_pareto(struct plot *plot, struct mb_err *err);
int plot_importance(struct plot *plot, struct mb_err *err);

/* ---- what they share (plot_marks.c) ---- */

/* Points or lines by their standing: what each block of data holds. */
struct plot_marks {
	struct mb_str data[CHART_STANDINGS], best;
	int by_value; /* the good ones have the value as third column, and its colour */
};

void plot_marks_add(struct mb_str *data, double x, double y);
void plot_marks_release(struct plot_marks *marks);

/* Appends the blocks $good, $breaks, $failed and $best (`suffix` makes their names unique), then the plot command: each
 * block that holds anything drawn `with` ("points", "lines"), the best by `best_with`, named in the key as `good` and `best`. */
void plot_marks_draw(struct plot *plot, const struct plot_marks *marks, size_t suffix, const char *with,
		     const char *good, const char *best_with, const char *best);

/* "set xrange […]", for axis "x", "y" or "cb", and its scale. */
void plot_range(struct plot *plot, const char *axis, double low, double high, int log);

/* "set xlabel 'text'" and its like. */
void plot_set(struct plot *plot, const char *what, const char *text);

/* The title: the experiment's name, and what is seen. */
void plot_title(struct plot *plot, const char *what);

#endif
