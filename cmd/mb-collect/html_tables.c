/* SPDX-License-Identifier: MIT
 *
 * The tables of the report: the space, the best, failures, phases, all trials.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect.h"
#include "html.h"

/* A value as people read it: six digits, the rest under the pointer. NULL: an empty cell. */
static void add_cell(const json_t *value, struct mb_str *page)
{
	struct mb_str whole = {0};
	char rounded[MB_NUM_TEXT] = "";

	if (!value) {
		mb_str_adds(page, "<td></td>");
		return;
	}
	chart_word(value, &whole);
	mb_str_adds(page, json_is_number(value) ? "<td class=\"n\"" : "<td");
	if (json_is_real(value))
		snprintf(rounded, sizeof rounded, "%.6g", json_real_value(value));
	if (*rounded && strlen(rounded) < whole.n) {
		mb_str_adds(page, " title=\"");
		xml_add(page, whole.at);
		mb_str_addf(page, "\">%s", rounded);
	} else {
		mb_str_adds(page, ">");
		xml_add(page, whole.at ? whole.at : "");
	}
	mb_str_adds(page, "</td>");
	mb_str_release(&whole);
}

static void add_text(const char *tag, const char *text, struct mb_str *page)
{
	mb_str_addf(page, "<%s>", tag);
	xml_add(page, text);
	mb_str_addf(page, "</%s>", tag);
}

void html_space(const struct chart *chart, struct mb_str *page)
{
	const struct mb_space *space = &chart->experiment->space;
	struct mb_str text = {0};

	mb_str_adds(page, "<section><h2>Space</h2><div class=\"wide\"><table><thead>"
			  "<tr><th>parameter</th><th>values</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < space->n_conditionals; i++) {
		mb_str_adds(page, "<tr>");
		add_text("th", space->conditionals[i].name, page);
		mb_str_clear(&text);
		mb_str_adds(&text, "conditional, one of ");
		for (size_t k = 0; k < space->conditionals[i].n_values; k++) {
			mb_str_adds(&text, k ? ", " : "");
			chart_word(json_array_get(space->conditionals[i].values, k), &text);
		}
		add_text("td", text.at, page);
		mb_str_adds(page, "</tr>\n");
	}
	for (size_t i = 0; i < space->n_params; i++) {
		mb_str_adds(page, "<tr>");
		add_text("th", space->params[i].name, page);
		mb_str_clear(&text);
		mb_space_param_text(space, &space->params[i], &text);
		add_text("td", text.at, page);
		mb_str_adds(page, "</tr>\n");
	}
	for (size_t i = 0; i < space->n_constraints; i++) {
		mb_str_adds(page, "<tr><th></th>");
		mb_str_clear(&text);
		mb_space_constraint_text(space, &space->constraints[i], &text);
		add_text("td", text.at, page);
		mb_str_adds(page, "</tr>\n");
	}
	mb_str_adds(page, "</tbody></table></div></section>\n");
	mb_str_release(&text);
}

static void add_metric(const struct mb_metric *metric, struct mb_str *page)
{
	static const char *const strategies[] = {[MB_STRATEGY_OPTIMIZE] = "", [MB_STRATEGY_STORE] = "stored",
						 [MB_STRATEGY_CONSTRAINT] = "constraint"};
	char text[MB_NUM_TEXT];

	mb_str_adds(page, "<tr>");
	add_text("th", metric->name, page);
	mb_str_addf(page, "<td>%s%s%s", strategies[metric->strategy], *strategies[metric->strategy] ? ", " : "",
		    metric->maximize ? "maximize" : "minimize");
	if (metric->has_threshold)
		mb_str_addf(page, ", at %s %s", metric->maximize ? "least" : "most",
			    mb_num_print(metric->threshold, text));
	mb_str_adds(page, "</td></tr>\n");
}

void html_metrics(const struct chart *chart, struct mb_str *page)
{
	mb_str_adds(page, "<section><h2>Metrics</h2><div class=\"wide\"><table><thead>"
			  "<tr><th>metric</th><th>what is wanted of it</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < chart->experiment->n_metrics; i++)
		add_metric(&chart->experiment->metrics[i], page);
	mb_str_adds(page, "</tbody></table></div></section>\n");
}

/* ---- rows of trials ---- */

/* What the columns are: assignments in the order of the space, then metrics. */
struct columns {
	const struct chart *chart;
	json_t *metrics; /* an object, its members the names */
	int rungs;       /* there are several */
};

static struct columns columns_of(const struct chart *chart)
{
	struct columns columns = {.chart = chart, .metrics = collect_metric_names(chart->experiment, chart->log)};

	for (size_t i = 0; i < chart->log->n_keys; i++)
		columns.rungs |= chart->log->keys[i].rung > 0;
	return columns;
}

static void add_head(const struct columns *columns, int all, struct mb_str *page)
{
	const struct mb_space *space = &columns->chart->experiment->space;
	const char *name;
	json_t *unused;

	mb_str_adds(page, "<thead><tr><th>trial</th>");
	if (columns->rungs)
		mb_str_adds(page, "<th>rung</th>");
	if (all)
		mb_str_adds(page, "<th>status</th>");
	json_object_foreach(columns->metrics, name, unused)
		add_text("th", name, page);
	for (size_t i = 0; i < space->n_conditionals; i++)
		add_text("th", space->conditionals[i].name, page);
	for (size_t i = 0; i < space->n_params; i++)
		add_text("th", space->params[i].name, page);
	mb_str_adds(page, all ? "<th>train s</th><th>error</th></tr></thead>\n" : "</tr></thead>\n");
}

static void add_row(const struct columns *columns, const struct mb_key *key, int all, struct mb_str *page)
{
	const struct mb_space *space = &columns->chart->experiment->space;
	const json_t *record = key->result ? key->result : key->issue;
	const json_t *assignments = json_object_get(record, "assignments");
	const char *name, *status = mb_status_name(key->status);
	json_t *unused;

	if (key->status == MB_STATUS_COMPLETED && !mb_is_feasible(columns->chart->experiment, key->result))
		status = "breaks a constraint";
	mb_str_addf(page, "<tr><td class=\"n\">%lld</td>", (long long)key->trial);
	if (columns->rungs)
		mb_str_addf(page, "<td class=\"n\">%lld</td>", (long long)key->rung);
	if (all)
		mb_str_addf(page, "<td class=\"%s\">%s</td>",
			    key->status == MB_STATUS_COMPLETED ? "" : mb_status_name(key->status), status);
	json_object_foreach(columns->metrics, name, unused)
		add_cell(json_object_get(json_object_get(key->result, "metrics"), name), page);
	for (size_t i = 0; i < space->n_conditionals; i++)
		add_cell(json_object_get(assignments, space->conditionals[i].name), page);
	for (size_t i = 0; i < space->n_params; i++)
		add_cell(json_object_get(assignments, space->params[i].name), page);
	if (all) {
		const char *error = json_string_value(json_object_get(key->result, "error"));
		double seconds = collect_sum_spans(key->result, "train");

		mb_str_addf(page, seconds > 0 ? "<td class=\"n\">%.3f</td>" : "<td></td>", seconds);
		add_text("td", error ? error : "", page);
	}
	mb_str_adds(page, "</tr>\n");
}

void html_best(const struct chart *chart, struct mb_str *page)
{
	struct columns columns = columns_of(chart);
	const struct mb_ranking *ranking = &chart->ranking;

	mb_str_addf(page, "<section><h2>%s</h2>", chart->n_objectives > 1 ? "Best trials: the front" : "Best trial");
	if (!ranking->front) {
		mb_str_adds(page, ranking->n ? "<p>No completed trial keeps the constraints.</p>"
					     : "<p>No trial is completed yet.</p>");
	} else {
		mb_str_adds(page, "<div class=\"wide\"><table>");
		add_head(&columns, 0, page);
		mb_str_adds(page, "<tbody>\n");
		for (size_t i = 0; i < ranking->front; i++)
			add_row(&columns, ranking->keys[i], 0, page);
		mb_str_adds(page, "</tbody></table></div>");
	}
	if (ranking->front && chart->n_objectives > 1)
		mb_str_addf(page, "<p>Hypervolume %.6g.</p>", ranking->hypervolume);
	mb_str_adds(page, "</section>\n");
	json_decref(columns.metrics);
}

void html_trials(const struct chart *chart, struct mb_str *page)
{
	struct columns columns = columns_of(chart);

	mb_str_adds(page, "<section><h2>All trials</h2><div class=\"wide tall\"><table class=\"sorts\">");
	add_head(&columns, 1, page);
	mb_str_adds(page, "<tbody>\n");
	for (size_t i = 0; i < chart->log->n_keys; i++)
		add_row(&columns, &chart->log->keys[i], 1, page);
	mb_str_adds(page, "</tbody></table></div></section>\n");
	json_decref(columns.metrics);
}

/* ---- importance ---- */

static void add_share(double share, struct mb_str *page)
{
	mb_str_addf(page, "<td class=\"share\"><i style=\"width:%.1f%%\"></i> %.1f %%</td>", 60 * fmin(1, share),
		    100 * share);
}

static void add_importance(const struct chart *chart, const struct mb_metric *metric, const struct importance *at,
			   struct mb_str *page)
{
	mb_str_adds(page, "<div class=\"wide\"><table><thead><tr><th>");
	xml_add(page, metric->name);
	mb_str_adds(page, " by</th><th>share of its variance</th><th>alone</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < mb_space_dims(&chart->experiment->space); i++) {
		mb_str_adds(page, "<tr>");
		add_text("th", at[i].name, page);
		add_share(at[i].total, page);
		add_share(at[i].alone, page);
		mb_str_adds(page, "</tr>\n");
	}
	mb_str_adds(page, "</tbody></table></div>");
}

void html_importance(const struct chart *chart, struct mb_str *page)
{
	int begun = 0;

	for (size_t k = 0; k < chart->n_objectives; k++) {
		const struct mb_metric *metric = chart->objectives[k];
		struct mb_err too_few;
		struct importance *at = importance_new(chart->log, chart->experiment,
						       (size_t)(metric - chart->experiment->metrics), &too_few);

		if (!at)
			continue;
		if (!begun++)
			mb_str_adds(page, "<section><h2>Importance</h2>");
		add_importance(chart, metric, at, page);
		free(at);
	}
	if (begun)
		mb_str_adds(page, "</section>\n");
}

/* ---- failures ---- */

void html_failures(const struct chart *chart, struct mb_str *page)
{
	json_t *messages = json_object(), *trials;
	const char *message;

	for (size_t i = 0; i < chart->n; i++) {
		const json_t *error = json_object_get(chart->trials[i].key->result, "error");

		if (chart->trials[i].standing != CHART_FAILED)
			continue;
		message = json_is_string(error) ? json_string_value(error) : "(no message)";
		if (!json_object_get(messages, message))
			mb_json_set(messages, message, json_array());
		json_array_append_new(json_object_get(messages, message), json_integer(chart->trials[i].key->trial));
	}
	if (json_object_size(messages)) {
		mb_str_adds(page, "<section><h2>Failures</h2><div class=\"wide\"><table><thead>"
				  "<tr><th>times</th><th>error</th><th>trials</th></tr></thead><tbody>\n");
		json_object_foreach(messages, message, trials) {
			size_t n = json_array_size(trials), shown = n < 20 ? n : 20;

			mb_str_addf(page, "<tr><td class=\"n\">%zu</td>", n);
			add_text("td", message, page);
			mb_str_adds(page, "<td>");
			for (size_t i = 0; i < shown; i++)
				mb_str_addf(page, "%s%lld", i ? ", " : "",
					    (long long)json_integer_value(json_array_get(trials, i)));
			mb_str_adds(page, n > shown ? ", …</td></tr>\n" : "</td></tr>\n");
		}
		mb_str_adds(page, "</tbody></table></div></section>\n");
	}
	json_decref(messages);
}

/* ---- phases ---- */

/* The lifecycle's order; what else the records bring comes after, in order of appearance. */
static json_t *phases_of(const struct mb_log *log)
{
	static const char *const order[] = {"deploy",	 "queue",    "setup",	"suggest", "load",    "train",
					    "checkpoint", "validate", "collect", "test", "metrics", "undeploy"};
	json_t *phases = json_object(), *sorted = json_object(), *span, *durations;
	const char *name;
	size_t s;

	for (size_t i = 0; i < log->n_keys; i++) {
		const json_t *record = log->keys[i].result ? log->keys[i].result : log->keys[i].issue;

		json_array_foreach(json_object_get(record, "spans"), s, span) {
			name = json_string_value(json_object_get(span, "phase"));
			if (!name)
				continue;
			if (!json_object_get(phases, name))
				mb_json_set(phases, name, json_array());
			json_array_append(json_object_get(phases, name), json_object_get(span, "seconds"));
		}
	}
	for (size_t i = 0; i < MB_COUNT(order); i++)
		if (json_object_get(phases, order[i]))
			json_object_set(sorted, order[i], json_object_get(phases, order[i]));
	json_object_foreach(phases, name, durations)
		if (!json_object_get(sorted, name))
			json_object_set(sorted, name, durations);
	json_decref(phases);
	return sorted;
}

void html_phases(const struct chart *chart, struct mb_str *page)
{
	json_t *phases = phases_of(chart->log), *durations, *seconds;
	const char *name;
	double all = 0;
	size_t i;

	json_object_foreach(phases, name, durations)
		json_array_foreach(durations, i, seconds)
			all += json_number_value(seconds);
	if (json_object_size(phases))
		mb_str_adds(page, "<section><h2>Lifecycle</h2><div class=\"wide\"><table><thead>"
				  "<tr><th>phase</th><th>times</th><th>sum s</th><th>mean s</th><th>longest s</th><th>share</th></tr></thead><tbody>\n");
	json_object_foreach(phases, name, durations) {
		double sum = 0, most = 0;
		size_t n = json_array_size(durations);

		json_array_foreach(durations, i, seconds) {
			sum += json_number_value(seconds);
			most = fmax(most, json_number_value(seconds));
		}
		mb_str_adds(page, "<tr>");
		add_text("td", name, page);
		mb_str_addf(page, "<td class=\"n\">%zu</td><td class=\"n\">%.3f</td>"
				  "<td class=\"n\">%.3f</td><td class=\"n\">%.3f</td>",
			    n, sum, sum / (double)n, most);
		add_share(all > 0 ? sum / all : 0, page);
		mb_str_adds(page, "</tr>\n");
	}
	if (json_object_size(phases))
		mb_str_adds(page, "</tbody></table></div></section>\n");
	json_decref(phases);
}
