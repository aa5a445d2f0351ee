/* SPDX-License-Identifier: MIT
 *
 * --plot history, slice, pareto: a point for each trial.
 */
#include <math.h>

#include "plot.h"

/* The failed have no value: they stand in a row below all that have one. */
static double value_of(const struct chart_trial *trial, double failed)
{
	return trial->standing == CHART_FAILED ? failed : trial->value;
}

int plot_history(struct plot *plot, struct mb_err *err)
{
	const struct chart *chart = plot->chart;
	struct plot_marks marks = {0};
	double low, high, failed, first, last;

	(void)err;
	chart_values(chart, &low, &high, &failed);
	first = (double)chart->trials[0].key->trial;
	last = (double)chart->trials[chart->n - 1].key->trial;
	for (size_t i = 0; i < chart->n; i++) {
		const struct chart_trial *trial = &chart->trials[i];

		plot_marks_add(&marks.data[trial->standing], (double)trial->key->trial, value_of(trial, failed));
		if (!isnan(trial->best))
			plot_marks_add(&marks.best, (double)trial->key->trial, trial->best);
	}
	chart_pad(&first, &last, 0, 0.02, 0.02);
	plot_title(plot, "value by trial");
	plot_set(plot, "xlabel", "trial");
	plot_set(plot, "ylabel", chart->objectives[0]->name);
	plot_range(plot, "x", first, last, 0);
	plot_range(plot, "y", low, high, chart->log_value);
	plot_marks_draw(plot, &marks, 0, "points", "trial", "steps lw 2", "best so far");
	plot_marks_release(&marks);
	return 0;
}

/* Tics at the words of a categorical; numbers have gnuplot's own. */
static void set_tics(struct plot *plot, const struct chart_axis *axis)
{
	const json_t *word;
	size_t i;

	if (!axis->words) {
		mb_str_addf(plot->script, "set xtics %s norotate\n",
			    axis->param->type == MB_PARAM_INT && !axis->log && axis->high - axis->low < 12 ? "1" : "autofreq");
		return;
	}
	mb_str_addf(plot->script, "set xtics %s (",
		    json_array_size(axis->words) > 4 && !plot->text ? "rotate by -30" : "norotate");
	json_array_foreach(axis->words, i, word) {
		struct mb_str text = {0};

		chart_word(word, &text);
		mb_str_adds(plot->script, i ? ", " : "");
		gnuplot_quote_tic(text.at ? text.at : "", plot->script);
		mb_str_addf(plot->script, " %zu", i);
		mb_str_release(&text);
	}
	mb_str_adds(plot->script, ")\n");
}

static void draw_slice(struct plot *plot, size_t dim, double failed)
{
	const struct chart *chart = plot->chart;
	struct chart_axis axis = chart_axis(chart, dim);
	double low = axis.low, high = axis.high, at;
	struct plot_marks marks = {0};

	for (size_t i = 0; i < chart->n; i++) {
		const struct chart_trial *trial = &chart->trials[i];

		if (chart_place(&axis, trial->key, &at) < 0)
			continue;
		at += chart_jitter(&axis, trial->key);
		plot_marks_add(&marks.data[trial->standing], at, value_of(trial, failed));
		if (trial->front)
			plot_marks_add(&marks.best, at, trial->value);
	}
	if (axis.words) { /* a word's column is as wide as the next one's */
		low -= 0.5;
		high += 0.5;
	} else {
		chart_pad(&low, &high, axis.log, 0.03, 0.03);
	}
	plot_set(plot, "xlabel", axis.name);
	plot_range(plot, "x", low, high, axis.log);
	set_tics(plot, &axis);
	plot_marks_draw(plot, &marks, dim, "points", "trial",
			plot->text ? "points pt \"@\"" : "points pt 6 ps 1.6 lw 2", "best");
	plot_marks_release(&marks);
}

/* The panels have no room for a key: the title says what stands for what. */
static void quote_slices_title(struct plot *plot)
{
	struct mb_str title = {0};

	mb_str_addf(&title, "value by parameter (%s: best", plot->text ? "@" : "ring");
	if (plot->chart->counts[CHART_BREAKS])
		mb_str_addf(&title, ", %s: breaks a constraint", plot->text ? "#" : "triangle");
	if (plot->chart->counts[CHART_FAILED])
		mb_str_addf(&title, ", %s: failed", plot->text ? "x" : "cross");
	mb_str_adds(&title, ")");
	gnuplot_quote(title.at, plot->script);
	mb_str_release(&title);
}

int plot_slice(struct plot *plot, struct mb_err *err)
{
	size_t n = mb_space_dims(&plot->chart->experiment->space), most = plot->text ? 2 : 3;
	size_t across = n < most ? n : n == 4 && !plot->text ? 2 : most, down = (n + across - 1) / across;
	double low, high, failed;

	(void)err;
	plot->width = (int)across * (across > 1 ? 400 : 720);
	plot->height = (int)down * 300 + 60;
	if (plot->rows < (int)down * 14)
		plot->rows = (int)down * 14;
	chart_values(plot->chart, &low, &high, &failed);
	mb_str_addf(plot->script, "set multiplot layout %zu,%zu title ", down, across);
	quote_slices_title(plot);
	mb_str_adds(plot->script, "\nunset key\n");
	plot_set(plot, "ylabel", plot->chart->objectives[0]->name);
	plot_range(plot, "y", low, high, plot->chart->log_value);
	for (size_t dim = 0; dim < n; dim++)
		draw_slice(plot, dim, failed);
	mb_str_adds(plot->script, "unset multiplot\n");
	return 0;
}

int plot_pareto(struct plot *plot, struct mb_err *err)
{
	const struct chart *chart = plot->chart;
	double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
	struct plot_marks marks = {0};

	if (chart->n_objectives < 2)
		return mb_err_set(err, MB_EXIT_USAGE, chart->experiment->path,
				  "metrics: --plot pareto needs two with strategy optimize, here is one");
	for (size_t i = 0; i < chart->ranking.n; i++) { /* best first: the front in the order of its first metric */
		const json_t *record = chart->ranking.keys[i]->result;
		double at[2];

		for (size_t k = 0; k < 2; k++) {
			at[k] = chart_metric(record, chart->objectives[k]->name);
			low[k] = fmin(low[k], at[k]);
			high[k] = fmax(high[k], at[k]);
		}
		plot_marks_add(i < chart->ranking.front ? &marks.best
			       : &marks.data[i < chart->ranking.feasible ? CHART_GOOD : CHART_BREAKS],
			       at[0], at[1]);
	}
	for (size_t k = 0; k < 2; k++) {
		chart_pad(&low[k], &high[k], 0, 0.04, 0.04);
		plot_set(plot, k ? "ylabel" : "xlabel", chart->objectives[k]->name);
		plot_range(plot, k ? "y" : "x", low[k], high[k], 0);
	}
	plot_title(plot, chart->n_objectives > 2 ? "the front, by its first two metrics" : "the front");
	plot_marks_draw(plot, &marks, 0, "points", "dominated",
			plot->text		  ? "points pt \"@\""
			: chart->n_objectives > 2 ? "points pt 6 ps 1.4 lw 2"
						  : "linespoints pt 6 ps 1.2 lw 2",
			"front");
	plot_marks_release(&marks);
	return 0;
}
