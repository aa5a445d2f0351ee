/* SPDX-License-Identifier: MIT
 *
 * Questions to the log: they read it without a lock and write nothing to it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "collect.h"
#include "opt/opt.h"

int collect_open_log(struct collect *collect, struct mb_log *log)
{
	struct mb_err err;

	if (mb_log_open(log, collect->log_path, collect->experiment->name, MB_LOG_READ, NULL, &err) < 0)
		return mb_tool_fail(collect->tool, &err);
	if (log->fd < 0) {
		mb_tool_warn(collect->tool, "%s: no such log yet; mb-suggest starts one", collect->log_path);
		mb_log_close(log);
		return MB_EXIT_NO;
	}
	if (log->bad.n)
		mb_tool_warn(collect->tool, "%s: %zu bad line%s skipped; see mb-collect --fsck", collect->log_path,
			     log->bad.n, log->bad.n == 1 ? "" : "s");
	return 0;
}

static int print(struct collect *collect, struct mb_str *text)
{
	int bad = text->n && mb_tool_write(collect->tool, text->at, text->n) < 0 && !collect->tool->stdout_gone;

	mb_str_release(text);
	return bad ? MB_EXIT_SYSTEM : MB_EXIT_OK;
}

/* Why there is no best trial. */
static int nothing_best(struct collect *collect, const struct mb_ranking *ranking)
{
	if (!ranking->n)
		mb_tool_say(collect->tool, "%s: no completed trial yet", collect->log_path);
	else
		mb_tool_say(collect->tool, "%s: none of %zu completed trials keeps the constraints; --top %zu shows them, "
			    "the nearest first", collect->log_path, ranking->n, ranking->n);
	return MB_EXIT_NO;
}

/* The first `n` records of the ranking, or when that is 0 the front. */
static int print_ranking(struct collect *collect, size_t n)
{
	struct mb_ranking ranking;
	struct mb_str text = {0};
	struct mb_log log;
	int status = collect_open_log(collect, &log);

	if (status)
		return status;
	mb_ranking_init(&ranking, &log, collect->experiment);
	n = !n ? ranking.front : n < ranking.n ? n : ranking.n;
	for (size_t i = 0; i < n; i++) {
		mb_json_print(ranking.keys[i]->result, &text);
		mb_str_adds(&text, "\n");
	}
	status = n ? print(collect, &text) : nothing_best(collect, &ranking);
	mb_ranking_release(&ranking);
	mb_log_close(&log);
	return status;
}

int collect_top(struct collect *collect, int64_t n)
{
	return print_ranking(collect, (size_t)n);
}

int collect_best(struct collect *collect)
{
	return print_ranking(collect, 0);
}

/* ---- --tsv ---- */

/* A cell: text bare with tabs and newlines escaped, anything else as JSON; empty when absent. */
static void add_cell(struct mb_str *text, const json_t *value)
{
	mb_str_adds(text, "\t");
	if (!value)
		return;
	if (!json_is_string(value)) {
		mb_json_print(value, text);
		return;
	}
	for (const char *at = json_string_value(value); *at; at++)
		switch (*at) {
		case '\t':
			mb_str_adds(text, "\\t");
			break;
		case '\n':
			mb_str_adds(text, "\\n");
			break;
		case '\r':
			mb_str_adds(text, "\\r");
			break;
		case '\\':
			mb_str_adds(text, "\\\\");
			break;
		default:
			mb_str_add(text, at, 1);
		}
}

double collect_sum_spans(const json_t *json, const char *phase)
{
	const json_t *spans = json_object_get(json, "spans");
	double seconds = 0;

	for (size_t i = 0; i < json_array_size(spans); i++) {
		const json_t *span = json_array_get(spans, i);
		const char *name = json_string_value(json_object_get(span, "phase"));

		if (name && !strcmp(name, phase))
			seconds += json_number_value(json_object_get(span, "seconds"));
	}
	return seconds;
}

json_t *collect_metric_names(const struct mb_experiment *experiment, const struct mb_log *log)
{
	json_t *names = json_object();
	const char *name;
	json_t *value;

	for (size_t i = 0; i < experiment->n_metrics; i++)
		mb_json_set(names, experiment->metrics[i].name, json_true());
	for (size_t i = 0; i < log->n_keys; i++)
		json_object_foreach(json_object_get(log->keys[i].result, "metrics"), name, value)
			mb_json_set(names, name, json_true());
	return names;
}

static void add_row(const struct collect *collect, const struct mb_key *key, json_t *metrics, struct mb_str *text)
{
	const struct mb_space *space = &collect->experiment->space;
	const json_t *record = key->result ? key->result : key->issue;
	const json_t *assignments = json_object_get(record, "assignments");
	json_t *seconds = json_real(collect_sum_spans(key->result, "train")), *unused;
	const char *name;

	mb_str_addf(text, "%lld\t%lld\t%s", (long long)key->trial, (long long)key->rung, mb_status_name(key->status));
	for (size_t i = 0; i < space->n_conditionals; i++)
		add_cell(text, json_object_get(assignments, space->conditionals[i].name));
	for (size_t i = 0; i < space->n_params; i++)
		add_cell(text, json_object_get(assignments, space->params[i].name));
	json_object_foreach(metrics, name, unused)
		add_cell(text, json_object_get(json_object_get(key->result, "metrics"), name));
	add_cell(text, key->result ? seconds : NULL);
	add_cell(text, json_object_get(key->result, "error"));
	mb_str_adds(text, "\n");
	json_decref(seconds);
}

int collect_tsv(struct collect *collect)
{
	const struct mb_space *space = &collect->experiment->space;
	struct mb_str text = {0};
	struct mb_log log;
	int status = collect_open_log(collect, &log);
	json_t *metrics, *unused;
	const char *name;

	if (status)
		return status;
	metrics = collect_metric_names(collect->experiment, &log);
	mb_str_adds(&text, "trial\trung\tstatus");
	for (size_t i = 0; i < space->n_conditionals; i++)
		mb_str_addf(&text, "\t%s", space->conditionals[i].name);
	for (size_t i = 0; i < space->n_params; i++)
		mb_str_addf(&text, "\t%s", space->params[i].name);
	json_object_foreach(metrics, name, unused)
		mb_str_addf(&text, "\t%s", name);
	mb_str_adds(&text, "\ttrain_span_seconds\terror\n");
	for (size_t i = 0; i < log.n_keys; i++)
		add_row(collect, &log.keys[i], metrics, &text);
	json_decref(metrics);
	mb_log_close(&log);
	return print(collect, &text);
}

/* ---- --summary ---- */

static void add_assignments(const struct mb_key *key, struct mb_str *text)
{
	json_t *assignments = json_object_get(key->result, "assignments"), *value;
	const char *name;

	json_object_foreach(assignments, name, value) {
		mb_str_adds(text, "              ");
		mb_str_add_clean(text, name, 100);
		mb_str_adds(text, " = ");
		mb_json_print(value, text);
		mb_str_adds(text, "\n");
	}
}

/* The metrics of that strategy in one line: "loss 0.2, seconds 3". */
static void add_values(const struct mb_experiment *experiment, const struct mb_key *key, enum mb_strategy strategy,
		       struct mb_str *text)
{
	const char *between = "";

	for (size_t i = 0; i < experiment->n_metrics; i++) {
		const struct mb_metric *metric = &experiment->metrics[i];

		if (metric->strategy != strategy)
			continue;
		mb_str_addf(text, "%s%s %.6g", between, metric->name, mb_record_metric(key->result, metric->name));
		between = ", ";
	}
}

static void add_front(const struct mb_experiment *experiment, const struct mb_ranking *ranking, struct mb_str *text)
{
	const char *between = "";
	size_t m = 0;

	mb_str_addf(text, "front         %zu trial%s that no other dominates\n", ranking->front,
		    ranking->front == 1 ? "" : "s");
	for (size_t i = 0; i < ranking->front; i++) {
		mb_str_adds(text, "              ");
		add_values(experiment, ranking->keys[i], MB_STRATEGY_OPTIMIZE, text);
		mb_str_addf(text, " (trial %lld)\n", (long long)ranking->keys[i]->trial);
	}
	mb_str_addf(text, "hypervolume   %.6g, measured from ", ranking->hypervolume);
	for (size_t i = 0; i < experiment->n_metrics; i++)
		if (experiment->metrics[i].strategy == MB_STRATEGY_OPTIMIZE) {
			mb_str_addf(text, "%s%s %.6g", between, experiment->metrics[i].name, ranking->reference[m++]);
			between = ", ";
		}
	mb_str_adds(text, "\n");
}

/* The best trial, its constraints, and what the others reached; or the front. */
static void add_best(const struct mb_experiment *experiment, const struct mb_ranking *ranking, struct mb_str *text)
{
	const struct mb_metric *objective = mb_experiment_objective(experiment);
	int constrained = mb_experiment_count(experiment, MB_STRATEGY_CONSTRAINT) > 0;

	if (constrained && ranking->n)
		mb_str_addf(text, "feasible      %zu of %zu completed trials keep the constraints\n", ranking->feasible,
			    ranking->n);
	if (!ranking->front)
		return;
	if (mb_experiment_count(experiment, MB_STRATEGY_OPTIMIZE) > 1) {
		add_front(experiment, ranking, text);
		return;
	}
	mb_str_addf(text, "best          %s %.6g (trial %lld)\n", objective->name,
		    mb_record_metric(ranking->keys[0]->result, objective->name), (long long)ranking->keys[0]->trial);
	if (constrained) {
		mb_str_adds(text, "              with ");
		add_values(experiment, ranking->keys[0], MB_STRATEGY_CONSTRAINT, text);
		mb_str_adds(text, "\n");
	}
	add_assignments(ranking->keys[0], text);
	mb_str_addf(text, "%s: median %.6g, worst %.6g\n", objective->name,
		    mb_record_metric(ranking->keys[ranking->feasible / 2]->result, objective->name),
		    mb_record_metric(ranking->keys[ranking->feasible - 1]->result, objective->name));
}

static void add_failures(const struct mb_log *log, struct mb_str *text)
{
	json_t *messages = json_object(), *count;
	const char *message;

	for (size_t i = 0; i < log->n_keys; i++) {
		if (log->keys[i].status != MB_STATUS_FAILED)
			continue;
		message = json_string_value(json_object_get(log->keys[i].result, "error"));
		message = message ? message : "(no message)";
		count = json_object_get(messages, message);
		mb_json_set(messages, message, json_integer(count ? json_integer_value(count) + 1 : 1));
	}
	json_object_foreach(messages, message, count) {
		mb_str_addf(text, "failed        %lld x ", (long long)json_integer_value(count));
		mb_str_add_clean(text, message, 500);
		mb_str_adds(text, "\n");
	}
	json_decref(messages);
}

static void add_times(const struct mb_log *log, struct mb_str *text)
{
	static const char *const phases[] = {"suggest", "load", "train", "validate", "collect"};
	double first = INFINITY, last = 0, start;

	for (size_t i = 0; i < log->n_keys; i++) {
		double end = mb_record_last_span(log->keys[i].result, NULL, NULL);

		if (mb_record_last_span(log->keys[i].issue, "suggest", &start) > 0 && start < first)
			first = start;
		if (end > last)
			last = end;
	}
	if (last > first)
		mb_str_addf(text, "time          %.1f s from the first suggestion to the last result\n", last - first);
	for (size_t p = 0; p < MB_COUNT(phases); p++) {
		double seconds = 0;

		for (size_t i = 0; i < log->n_keys; i++)
			seconds += collect_sum_spans(log->keys[i].result, phases[p]);
		if (seconds > 0)
			mb_str_addf(text, "              %-9s %.3f s in all\n", phases[p], seconds);
	}
}

/* A line a rung: how many were trained there, and the best of them. */
static void add_rungs(const struct mb_ladder *ladder, const struct mb_log *log, const struct mb_metric *objective,
		      struct mb_str *text)
{
	for (size_t rung = 0; rung < ladder->n; rung++) {
		size_t finished = 0, failed = 0;
		double best = NAN;

		for (size_t i = 0; i < log->n_keys; i++) {
			const struct mb_key *key = &log->keys[i];
			double value = key->status == MB_STATUS_COMPLETED ? mb_record_metric(key->result, objective->name) : NAN;

			if (mb_ladder_rung(ladder, key->rung) != rung)
				continue;
			finished += key->status == MB_STATUS_COMPLETED || key->status == MB_STATUS_FAILED;
			failed += key->status == MB_STATUS_FAILED;
			if (isnan(best) || (objective->maximize ? value > best : value < best))
				best = value;
		}
		mb_str_addf(text, "rung %-8zu ", rung);
		mb_ladder_rung_text(ladder, rung, text);
		mb_str_addf(text, ": %zu finished", finished);
		if (failed)
			mb_str_addf(text, ", %zu failed", failed);
		if (!isnan(best))
			mb_str_addf(text, ", best %.6g", best);
		mb_str_adds(text, "\n");
	}
}

int collect_summary(struct collect *collect)
{
	const struct mb_metric *objective = mb_experiment_objective(collect->experiment);
	struct mb_ranking ranking;
	size_t counts[4] = {0};
	struct mb_ladder ladder;
	struct mb_spending spending;
	struct mb_str text = {0};
	struct mb_log log;
	int status = collect_open_log(collect, &log);

	if (status)
		return status;
	ladder = mb_ladder_of(collect->experiment);
	spending = mb_ladder_spending(&ladder, &log);
	for (size_t i = 0; i < log.n_keys; i++)
		counts[log.keys[i].status]++;
	mb_str_addf(&text, "experiment    %s\n", collect->experiment->name);
	mb_str_adds(&text, "observations  ");
	mb_ladder_text(&ladder, spending.finished, &text);
	mb_str_addf(&text, " of %lld: %zu completed, %zu failed; %zu open, %zu interrupted\n",
		    (long long)collect->experiment->observation_budget, counts[MB_STATUS_COMPLETED],
		    counts[MB_STATUS_FAILED], counts[MB_STATUS_OPEN], counts[MB_STATUS_INTERRUPTED]);
	if (ladder.n > 1)
		add_rungs(&ladder, &log, objective, &text);
	mb_ranking_init(&ranking, &log, collect->experiment);
	add_best(collect->experiment, &ranking, &text);
	add_times(&log, &text);
	add_failures(&log, &text);
	mb_ranking_release(&ranking);
	mb_log_close(&log);
	return print(collect, &text);
}
