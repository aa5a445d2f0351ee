/* SPDX-License-Identifier: MIT
 *
 * --plot importance: a bar for each parameter.
 */
#include <stdlib.h>

#include "collect.h"
#include "plot.h"

/* Bars of half a row each; alone below total. */
static void add_bars(struct plot *plot, const char *name, const struct importance *at, size_t n, int alone)
{
	mb_str_addf(plot->script, "$%s << END\n", name);
	for (size_t i = 0; i < n; i++) {
		double row = (double)(n - i) + (alone ? -0.2 : 0.2), share = alone ? at[i].alone : at[i].total;

		mb_str_addf(plot->script, "%.6g %.6g 0 %.6g %.6g %.6g\n", share, row, share, row - 0.18, row + 0.18);
	}
	mb_str_adds(plot->script, "END\n");
}

int plot_importance(struct plot *plot, struct mb_err *err)
{
	const struct mb_experiment *experiment = plot->chart->experiment;
	const struct mb_metric *metric = plot->chart->objectives[0];
	size_t n = mb_space_dims(&experiment->space);
	struct importance *at = importance_new(plot->chart->log, experiment, (size_t)(metric - experiment->metrics), err);
	char *label;

	if (!at)
		return -1;
	add_bars(plot, "total", at, n, 0);
	add_bars(plot, "alone", at, n, 1);
	label = mb_textf("share of the variance of %s", metric->name);
	plot_title(plot, "importance of each parameter");
	plot_set(plot, "xlabel", label);
	mb_str_adds(plot->script, "set style fill solid 0.9\nset xrange [0:1]\nset ytics (");
	for (size_t i = 0; i < n; i++) {
		mb_str_adds(plot->script, i ? ", " : "");
		gnuplot_quote_tic(at[i].name, plot->script);
		mb_str_addf(plot->script, " %zu", n - i);
	}
	mb_str_addf(plot->script, ")\nset yrange [0.4:%.1f]\n", (double)n + 0.6);
	mb_str_adds(plot->script, "plot $total with boxxyerror lc rgb '#0072B2' title 'with its interactions', "
				  "$alone with boxxyerror lc rgb '#E69F00' title 'alone'\n");
	plot->height = 160 + 42 * (int)n;
	if (plot->rows < 2 * (int)n + 10)
		plot->rows = 2 * (int)n + 10;
	free(label);
	free(at);
	return 0;
}
