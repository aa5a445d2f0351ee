/* SPDX-License-Identifier: MIT
 *
 * --plot curve, parallel: a line for each trial.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "plot.h"

int plot_curve(struct plot *plot, struct mb_err *err)
{
	const struct chart *chart = plot->chart;
	const char *metric = chart_curve_metric(chart);
	const struct mb_key *best = chart->ranking.front ? chart->ranking.keys[0] : NULL;
	struct plot_marks marks = {0};

	if (!metric) {
		mb_err_set(err, MB_EXIT_NO, chart->log->path, "no trial kept its epoch_metrics");
		return mb_err_hint(err, "mb-train --curve keeps them");
	}
	for (size_t k = 0; k < chart->log->n_keys; k++) {
		const struct mb_key *key = &chart->log->keys[k];
		const json_t *rows = json_object_get(key->result, "epoch_metrics");
		struct mb_str *data = key == best ? &marks.best : &marks.data[chart_standing(chart, key)];
		double epoch, value;

		for (size_t i = 0; i < json_array_size(rows); i++)
			if (chart_curve_point(rows, i, metric, &epoch, &value) == 0)
				plot_marks_add(data, epoch, value);
		if (rows)
			mb_str_adds(data, "\n"); /* lifts the pen */
	}
	plot_title(plot, "each trial by epoch");
	plot_set(plot, "xlabel", "epoch");
	plot_set(plot, "ylabel", metric);
	mb_str_adds(plot->script, "set xrange [*:*] noextend\n"
				  "set offsets graph 0.02, graph 0.02, graph 0.03, graph 0.03\n");
	plot_marks_draw(plot, &marks, 0, plot->text ? "linespoints" : "linespoints ps 0.5", "trial",
			plot->text ? "linespoints pt \"@\"" : "linespoints pt 7 ps 0.5 lw 3", "best");
	plot_marks_release(&marks);
	return 0;
}

/* ---- parallel ---- */

/* An upright line at `x`, and what its values are. */
static void draw_axis(struct plot *plot, size_t x, const struct chart_axis *axis)
{
	const json_t *word;
	size_t i, n = axis->words ? json_array_size(axis->words) : 0;
	char ends[2][MB_NUM_TEXT];

	mb_str_addf(plot->script, "set arrow from %zu,0 to %zu,1 nohead lc rgb '#444444' front\n", x, x);
	snprintf(ends[0], sizeof ends[0], "%.4g", axis->low);
	snprintf(ends[1], sizeof ends[1], "%.4g", axis->high);
	for (size_t end = 0; end < 2 && !axis->words; end++) {
		mb_str_adds(plot->script, "set label ");
		gnuplot_quote(ends[end], plot->script);
		mb_str_addf(plot->script, " at %zu,%s center front\n", x, end ? "1.05" : "-0.05");
	}
	json_array_foreach(axis->words, i, word) {
		struct mb_str text = {0};

		if (n > 12 && i > 0 && i < n - 1) /* more would stand in each other's way */
			continue;
		chart_word(word, &text);
		mb_str_adds(plot->script, "set label ");
		gnuplot_quote(text.at ? text.at : "", plot->script);
		mb_str_addf(plot->script, " at %zu,%.6g left offset 0.5,0 front\n", x, chart_share(axis, (double)i));
		mb_str_release(&text);
	}
}

/* The trial's line through all axes; broken where it has no value. */
static void add_line(const struct chart_axis *axes, size_t n, const struct chart_trial *trial, struct mb_str *data)
{
	char value[MB_NUM_TEXT] = "NaN";
	double at;

	if (!isnan(trial->value))
		mb_num_print(trial->value, value);
	for (size_t d = 0; d < n; d++) {
		if (chart_place(&axes[d], trial->key, &at) < 0)
			mb_str_adds(data, "\n");
		else
			mb_str_addf(data, "%zu %.6g %s\n", d + 1, chart_share(&axes[d], at), value);
	}
	if (!isnan(trial->value))
		mb_str_addf(data, "%zu %.6g %s\n", n + 1, chart_share(&axes[n], trial->value), value);
	mb_str_adds(data, "\n");
}

static void set_axes(struct plot *plot, const struct chart_axis *axes, size_t n)
{
	mb_str_addf(plot->script, "set xtics nomirror %s (", plot->text ? "norotate" : "rotate by -20");
	for (size_t d = 0; d <= n; d++) {
		mb_str_adds(plot->script, d ? ", " : "");
		gnuplot_quote_tic(axes[d].name, plot->script);
		mb_str_addf(plot->script, " %zu", d + 1);
	}
	mb_str_addf(plot->script, ")\nunset ytics\nset border 0\nset xrange [0.8:%.1f]\nset yrange [-0.1:1.1]\n",
		    (double)n + 1.4);
	for (size_t d = 0; d <= n; d++)
		draw_axis(plot, d + 1, &axes[d]);
}

int plot_parallel(struct plot *plot, struct mb_err *err)
{
	/* Viridis (S. van der Walt, N. Smith, 2015), which is as even to the colour blind; the worse the paler. */
	static const char *const steps[] = {"#fde725", "#7ad151", "#22a884", "#2a788e", "#414487", "#440154"};
	const struct chart *chart = plot->chart;
	size_t n = mb_space_dims(&chart->experiment->space);
	struct chart_axis *axes = mb_alloc((n + 1) * sizeof *axes);
	struct plot_marks marks = {.by_value = 1};
	int maximize = chart->objectives[0]->maximize;

	(void)err;
	for (size_t d = 0; d < n; d++)
		axes[d] = chart_axis(chart, d);
	axes[n] = (struct chart_axis){
		.name = chart->objectives[0]->name, .low = chart->low, .high = chart->high, .log = chart->log_value};
	for (size_t i = 0; i < chart->n; i++)
		if (chart->trials[i].standing != CHART_GOOD)
			add_line(axes, n, &chart->trials[i], &marks.data[chart->trials[i].standing]);
		else if (chart->trials[i].front)
			add_line(axes, n, &chart->trials[i], &marks.best);
	for (size_t i = chart->ranking.feasible; i-- > 0;) { /* the best over the worse */
		struct chart_trial trial = {.key = chart->ranking.keys[i],
					    .value = chart_metric(chart->ranking.keys[i]->result, axes[n].name)};

		add_line(axes, n, &trial, &marks.data[CHART_GOOD]);
	}
	plot->width = (int)(n + 2) * 150 > plot->width ? (int)(n + 2) * 150 : plot->width;
	plot_title(plot, "assignments and value");
	mb_str_adds(plot->script, "set palette defined (");
	for (size_t i = 0; i < MB_COUNT(steps); i++)
		mb_str_addf(plot->script, "%s%zu '%s'", i ? ", " : "", i, steps[maximize ? i : MB_COUNT(steps) - 1 - i]);
	mb_str_adds(plot->script, ")\n");
	if (chart->high > chart->low)
		plot_range(plot, "cb", chart->low, chart->high, chart->log_value);
	plot_set(plot, "cblabel", axes[n].name);
	set_axes(plot, axes, n);
	plot_marks_draw(plot, &marks, 0, "lines", "", "lines lw 3", chart->n_objectives > 1 ? "front" : "best");
	plot_marks_release(&marks);
	free(axes);
	return 0;
}
