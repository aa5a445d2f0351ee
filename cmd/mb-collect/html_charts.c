/* SPDX-License-Identifier: MIT
 *
 * The charts of the report: history, slices, the front, curves by epoch.
 */
#include <math.h>
#include <stdlib.h>

#include "html.h"

static const char *const classes[] = {
	[CHART_GOOD] = "good", [CHART_BREAKS] = "breaks", [CHART_FAILED] = "failed"};

static void add_legend(const struct chart *chart, const char *ring, const char *line, struct mb_str *page)
{
	static const char *const names[] = {
		[CHART_GOOD] = "trial", [CHART_BREAKS] = "breaks a constraint", [CHART_FAILED] = "failed"};

	mb_str_adds(page, "<figcaption>");
	for (size_t i = 0; i < CHART_STANDINGS; i++)
		if (chart->counts[i])
			mb_str_addf(page, "<span class=\"key %s\">%s</span>", classes[i], names[i]);
	if (ring)
		mb_str_addf(page, "<span class=\"key ring\">%s</span>", ring);
	if (line)
		mb_str_addf(page, "<span class=\"key best\">%s</span>", line);
	mb_str_adds(page, "</figcaption>");
}

/* What a mark says under the pointer. */
static char *tip_of(const struct chart *chart, const struct chart_trial *trial)
{
	const char *error = json_string_value(json_object_get(trial->key->result, "error"));

	if (trial->standing == CHART_FAILED)
		return mb_textf("trial %lld failed: %s", (long long)trial->key->trial, error ? error : "no message");
	return mb_textf("trial %lld: %s %.6g%s", (long long)trial->key->trial, chart->objectives[0]->name,
			mb_record_metric(trial->key->result, chart->objectives[0]->name),
			trial->standing == CHART_BREAKS ? ", breaks a constraint" : "");
}

static void add_trial(struct svg *svg, const struct chart *chart, const struct chart_trial *trial, double x,
		      double failed)
{
	double y = trial->standing == CHART_FAILED ? failed : trial->value;
	char *tip = tip_of(chart, trial);

	svg_mark(svg, classes[trial->standing], x, y, tip);
	free(tip);
}

void html_history(const struct chart *chart, struct mb_str *page)
{
	double *x = mb_alloc(2 * (chart->n + 1) * sizeof *x), *best = x + chart->n + 1, failed;
	struct svg svg = {.to = page, .width = 900, .height = 340};

	if (!chart->n || !chart->ranking.n)
		goto out;
	svg.x = (struct svg_axis){.label = "trial",
				  .low = (double)chart->trials[0].key->trial,
				  .high = (double)chart->trials[chart->n - 1].key->trial};
	chart_pad(&svg.x.low, &svg.x.high, 0, 0.02, 0.02);
	svg.y = (struct svg_axis){.label = chart->objectives[0]->name, .log = chart->log_value};
	chart_values(chart, &svg.y.low, &svg.y.high, &failed);
	mb_str_adds(page, "<section><h2>History</h2><figure>");
	svg_open(&svg, "value by trial, and the best so far");
	for (size_t i = 0; i < chart->n; i++) {
		x[i] = (double)chart->trials[i].key->trial;
		best[i] = chart->trials[i].best;
	}
	svg_line(&svg, "best", x, best, chart->n, 1);
	for (size_t i = 0; i < chart->n; i++)
		add_trial(&svg, chart, &chart->trials[i], x[i], failed);
	svg_close(&svg);
	add_legend(chart, NULL, "best so far", page);
	mb_str_adds(page, "</figure></section>\n");
out:
	free(x);
}

static void add_slice(const struct chart *chart, size_t dim, struct mb_str *page)
{
	struct chart_axis axis = chart_axis(chart, dim);
	struct svg svg = {.to = page, .width = 420, .height = 250};
	double failed, at;

	svg.x = (struct svg_axis){axis.name, axis.low, axis.high, axis.log, axis.words};
	if (axis.words) {
		svg.x.low -= 0.5;
		svg.x.high += 0.5;
	} else {
		chart_pad(&svg.x.low, &svg.x.high, axis.log, 0.03, 0.03);
	}
	svg.y = (struct svg_axis){.label = chart->objectives[0]->name, .log = chart->log_value};
	chart_values(chart, &svg.y.low, &svg.y.high, &failed);
	svg_open(&svg, axis.name);
	for (size_t i = 0; i < chart->n; i++) {
		const struct chart_trial *trial = &chart->trials[i];

		if (chart_place(&axis, trial->key, &at) < 0)
			continue;
		at += chart_jitter(&axis, trial->key);
		add_trial(&svg, chart, trial, at, failed);
		if (trial->front)
			svg_mark(&svg, "ring", at, trial->value, "best");
	}
	svg_close(&svg);
}

void html_slices(const struct chart *chart, struct mb_str *page)
{
	if (!chart->ranking.n)
		return;
	mb_str_adds(page, "<section><h2>Value by parameter</h2><figure class=\"many\">");
	for (size_t dim = 0; dim < mb_space_dims(&chart->experiment->space); dim++)
		add_slice(chart, dim, page);
	add_legend(chart, chart->n_objectives > 1 ? "front" : "best", NULL, page);
	mb_str_adds(page, "</figure></section>\n");
}

void html_front(const struct chart *chart, struct mb_str *page)
{
	const struct mb_ranking *ranking = &chart->ranking;
	struct svg svg = {.to = page, .width = 640, .height = 400};
	double *at[2] = {mb_alloc((ranking->n + 1) * sizeof(double)), mb_alloc((ranking->n + 1) * sizeof(double))};
	struct svg_axis *axes[2] = {&svg.x, &svg.y};

	if (chart->n_objectives < 2 || !ranking->n)
		goto out;
	for (size_t k = 0; k < 2; k++) {
		double low = INFINITY, high = -INFINITY;

		for (size_t i = 0; i < ranking->n; i++) {
			at[k][i] = chart_metric(ranking->keys[i]->result, chart->objectives[k]->name);
			low = fmin(low, at[k][i]);
			high = fmax(high, at[k][i]);
		}
		chart_pad(&low, &high, 0, 0.05, 0.05);
		*axes[k] = (struct svg_axis){.label = chart->objectives[k]->name, .low = low, .high = high};
	}
	mb_str_adds(page, "<section><h2>Front</h2><figure class=\"half\">");
	svg_open(&svg, "the front of the first two metrics");
	for (size_t i = ranking->n; i-- > 0;) {
		char *tip = mb_textf("trial %lld: %.6g, %.6g", (long long)ranking->keys[i]->trial, at[0][i], at[1][i]);

		svg_mark(&svg, i < ranking->feasible ? "good" : "breaks", at[0][i], at[1][i], tip);
		if (i < ranking->front)
			svg_mark(&svg, "ring", at[0][i], at[1][i], tip);
		free(tip);
	}
	if (chart->n_objectives == 2)
		svg_line(&svg, "best", at[0], at[1], ranking->front, 0);
	svg_close(&svg);
	add_legend(chart, "front: no other trial dominates it", NULL, page);
	mb_str_adds(page, "</figure></section>\n");
out:
	free(at[0]);
	free(at[1]);
}

/* ---- curves ---- */

/* One trial's curve, into x and y of room for all its rows; the number of points. */
static size_t curve_of(const json_t *rows, const char *metric, double *x, double *y)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(rows); i++)
		n += chart_curve_point(rows, i, metric, &x[n], &y[n]) == 0;
	return n;
}

static size_t longest(const struct mb_log *log)
{
	size_t most = 0;

	for (size_t k = 0; k < log->n_keys; k++) {
		size_t n = json_array_size(json_object_get(log->keys[k].result, "epoch_metrics"));

		most = n > most ? n : most;
	}
	return most;
}

void html_curves(const struct chart *chart, struct mb_str *page)
{
	const struct mb_log *log = chart->log;
	const char *metric = chart_curve_metric(chart);
	size_t room = longest(log);
	double *x = mb_alloc(2 * (room + 1) * sizeof *x), *y = x + room + 1;
	const struct mb_key *best = chart->ranking.front ? chart->ranking.keys[0] : NULL;
	struct svg svg = {.to = page, .width = 900, .height = 340};

	if (!metric)
		goto out;
	svg.x = (struct svg_axis){"epoch", INFINITY, -INFINITY, 0, NULL};
	svg.y = (struct svg_axis){metric, INFINITY, -INFINITY, 0, NULL};
	for (size_t k = 0; k < log->n_keys; k++) {
		const json_t *rows = json_object_get(log->keys[k].result, "epoch_metrics");

		for (size_t i = curve_of(rows, metric, x, y); i-- > 0;) {
			svg.x.low = fmin(svg.x.low, x[i]);
			svg.x.high = fmax(svg.x.high, x[i]);
			svg.y.low = fmin(svg.y.low, y[i]);
			svg.y.high = fmax(svg.y.high, y[i]);
		}
	}
	chart_pad(&svg.x.low, &svg.x.high, 0, 0.02, 0.02);
	chart_pad(&svg.y.low, &svg.y.high, 0, 0.05, 0.05);
	mb_str_adds(page, "<section><h2>Each trial by epoch</h2><figure>");
	svg_open(&svg, "epoch_metrics by epoch");
	for (int last = 0; last < 2; last++) /* the best over all others */
		for (size_t k = 0; k < log->n_keys; k++) {
			const struct mb_key *key = &log->keys[k];
			size_t n = (key == best) != last
					   ? 0
					   : curve_of(json_object_get(key->result, "epoch_metrics"), metric, x, y);

			if (n)
				svg_line(&svg, last ? "best" : classes[chart_standing(chart, key)], x, y, n, 0);
		}
	svg_close(&svg);
	add_legend(chart, NULL, best ? "best" : NULL, page);
	mb_str_adds(page, "</figure></section>\n");
out:
	free(x);
}
