/* SPDX-License-Identifier: MIT
 *
 * --should-stop: has the search come to its end, or, with --trial -, is a running trial worth going on with? The answer is the
 * exit code, the reasons stand on stderr.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suggester.h"

/* ---- the search ---- */

static int by_line(const void *a, const void *b)
{
	const struct mb_key *left = *(const struct mb_key *const *)a, *right = *(const struct mb_key *const *)b;

	return left->line < right->line ? -1 : left->line > right->line;
}

/* Values in the order in which they came, NaN of what failed or breaks a constraint; on the highest rung alone, as others are
 * not comparable. Less is better. */
static double *values_of(const struct suggester *suggester, size_t *n)
{
	const struct mb_log *log = &suggester->log;
	const struct mb_metric *objective = mb_experiment_objective(suggester->experiment);
	const struct mb_key **keys = mb_alloc((log->n_keys + 1) * sizeof *keys);
	double *values = mb_alloc((log->n_keys + 1) * sizeof *values);
	int64_t highest = 0;

	*n = 0;
	for (size_t i = 0; i < log->n_keys; i++)
		if (log->keys[i].status == MB_STATUS_COMPLETED && log->keys[i].rung > highest)
			highest = log->keys[i].rung;
	for (size_t i = 0; i < log->n_keys; i++)
		if (log->keys[i].rung == highest && (log->keys[i].status == MB_STATUS_COMPLETED ||
						     log->keys[i].status == MB_STATUS_FAILED))
			keys[(*n)++] = &log->keys[i];
	qsort(keys, *n, sizeof *keys, by_line);
	for (size_t i = 0; i < *n; i++) {
		values[i] = mb_record_metric(keys[i]->result, objective->name) * (objective->maximize ? -1 : 1);
		if (keys[i]->status == MB_STATUS_FAILED || !mb_is_feasible(suggester->experiment, keys[i]->result))
			values[i] = NAN;
	}
	free(keys);
	return values;
}

static int stagnates(struct suggester *suggester)
{
	const size_t dims = mb_space_dims(&suggester->experiment->space);
	size_t n;
	double *values;
	int stop;

	if (mb_experiment_count(suggester->experiment, MB_STRATEGY_OPTIMIZE) > 1)
		return 0;
	values = values_of(suggester, &n);
	stop = mb_stop_by_stagnation(values, n, dims);
	free(values);
	if (stop)
		mb_tool_say(suggester->tool, "stop: possible_stagnation: the best of the last %zu observations is no better "
			    "than the 5th best before them", 5 * dims);
	return stop;
}

static int is_used_up(struct suggester *suggester)
{
	struct mb_str text = {0};
	int stop = mb_ladder_is_over(&suggester->ladder, &suggester->spending);

	suggester_budget_text(suggester, &text);
	if (stop)
		mb_tool_say(suggester->tool, "stop: observation_budget_reached: %s observations", text.at);
	mb_str_release(&text);
	return stop;
}

static int is_all_tried(struct suggester *suggester)
{
	const uint64_t size = mb_space_size(&suggester->experiment->space);

	if (suggester->ladder.n > 1 || size == UINT64_MAX || suggester->points.n < size)
		return 0;
	mb_tool_say(suggester->tool, "stop: space_exhausted: all %zu points are suggested", suggester->points.n);
	return 1;
}

static int hardly_improves(struct suggester *suggester, struct mb_regret *regret, int *known)
{
	struct mb_history history = suggester_history(suggester);

	history.trial = suggester->log.last_trial + 1;
	*known = mb_expected_regret(&history, regret) == 0;
	if (!*known || regret->bound >= regret->epsilon)
		return 0;
	mb_tool_say(suggester->tool, "stop: expected_regret: the best is within %.3g of the optimum, by the model's bounds; "
		    "%.3g is negligible", regret->bound, regret->epsilon);
	return 1;
}

static int judge_search(struct suggester *suggester)
{
	struct mb_regret regret;
	struct mb_str text = {0};
	int known, stop = is_used_up(suggester);

	stop |= is_all_tried(suggester);
	stop |= stagnates(suggester);
	stop |= hardly_improves(suggester, &regret, &known);
	if (stop)
		return MB_EXIT_OK;
	suggester_budget_text(suggester, &text);
	if (known)
		mb_str_addf(&text, " observations, the optimum may be better by %.3g", regret.bound);
	else
		mb_str_adds(&text, " observations, no reason to stop");
	mb_tool_say(suggester->tool, "go on: %s", text.at);
	mb_str_release(&text);
	return MB_EXIT_NO;
}

/* ---- a trial ---- */

/* The last record of stdin. */
static int read_trial(struct mb_record *record, struct mb_err *err)
{
	struct mb_lines lines;
	struct mb_line line;
	char where[32] = "stdin";
	struct mb_str last = {0};
	int bad;

	mb_lines_init(&lines, STDIN_FILENO);
	while (mb_lines_next(&lines, &line) == MB_LINE)
		if (!mb_line_is_blank(&line)) {
			mb_str_clear(&last);
			mb_str_add(&last, line.text, line.n);
			snprintf(where, sizeof where, "stdin:%zu", line.number);
		}
	mb_lines_release(&lines);
	if (!last.n) {
		mb_err_set(err, MB_EXIT_RECORD, where, "no record");
		bad = mb_err_hint(err, "the trial's, with epoch_metrics: [{\"epoch\": 1, …}, …]");
	} else {
		bad = mb_record_parse(record, last.at, last.n, where, err);
	}
	mb_str_release(&last);
	return bad;
}

static int take_curve(const struct mb_record *record, const struct mb_metric *objective, struct mb_curves *own,
		      struct mb_err *err)
{
	const json_t *rows = json_object_get(record->json, "epoch_metrics");
	char shown[64];

	if (!record->trial)
		return mb_err_set(err, MB_EXIT_RECORD, "stdin", "trial: missing");
	if (json_is_array(rows) && mb_curves_add(own, record->json, objective))
		return 0;
	mb_err_set(err, MB_EXIT_RECORD, "stdin", "epoch_metrics: %s has no value of %s",
		   rows ? mb_json_show(rows, shown) : "nothing", objective->name);
	return mb_err_hint(err, "expected an array of one object an epoch, [{\"epoch\": 1, \"%s\": 0.5}, …]",
			   objective->name);
}

/* As the metric is meant. */
static double shown(const struct mb_metric *objective, double value)
{
	return objective->maximize ? -value : value;
}

static int judge(struct suggester *suggester, const struct mb_record *record, struct mb_curves *own)
{
	const struct mb_metric *objective = mb_experiment_objective(suggester->experiment);
	const struct mb_log *log = &suggester->log;
	struct mb_curves all = {0};
	struct mb_judged judged, rung = {0};
	int stop, stop_at_rung = 0;

	for (size_t i = 0; i < log->n_keys; i++)
		if (log->keys[i].status == MB_STATUS_COMPLETED)
			mb_curves_add(&all, log->keys[i].result, objective);
	stop = mb_stop_by_median(&all, own, &judged);
	if (suggester->experiment->fidelity.name)
		stop_at_rung = mb_stop_by_rung(&all, own, &suggester->ladder, log, objective, record->rung, &rung);
	if (stop)
		mb_tool_say(suggester->tool, "stop: median: trial %lld has come to %s %.5g by epoch %lld, the median of %zu "
			    "others' means is %.5g", (long long)record->trial, objective->name,
			    shown(objective, judged.own), (long long)judged.epoch, judged.others,
			    shown(objective, judged.mark));
	if (stop_at_rung)
		mb_tool_say(suggester->tool, "stop: rung: trial %lld had %s %.5g at epoch %lld, %.5g is needed among %zu "
			    "others", (long long)record->trial, objective->name, shown(objective, rung.own),
			    (long long)rung.epoch, shown(objective, rung.mark), rung.others);
	if (!stop && !stop_at_rung && judged.others < MB_STOP_CURVES)
		mb_tool_say(suggester->tool, "go on: the log has curves of %zu other completed trials, %d are needed "
			    "(mb-train --curve)", judged.others, MB_STOP_CURVES);
	else if (!stop && !stop_at_rung)
		mb_tool_say(suggester->tool, "go on: trial %lld has come to %s %.5g by epoch %lld, the median is %.5g",
			    (long long)record->trial, objective->name, shown(objective, judged.own),
			    (long long)judged.epoch, shown(objective, judged.mark));
	mb_curves_release(&all);
	return stop || stop_at_rung ? MB_EXIT_OK : MB_EXIT_NO;
}

static int judge_trial(struct suggester *suggester)
{
	struct mb_record record = {0};
	struct mb_curves own = {0};
	struct mb_err err;
	int status;

	if (read_trial(&record, &err) < 0 ||
	    take_curve(&record, mb_experiment_objective(suggester->experiment), &own, &err) < 0)
		status = mb_tool_fail(suggester->tool, &err);
	else
		status = judge(suggester, &record, &own);
	mb_curves_release(&own);
	mb_record_release(&record);
	return status;
}

int suggest_should_stop(struct suggester *suggester, int trial)
{
	struct mb_tool *tool = suggester->tool;
	char *path = mb_tool_log_path(tool, suggester->experiment);
	struct mb_err err;
	int bad;

	if (!strcmp(path, "-")) {
		mb_tool_warn(tool, "--should-stop: needs a log on disk, not -l -");
		free(path);
		return MB_EXIT_USAGE;
	}
	bad = mb_log_open(&suggester->log, path, suggester->experiment->name, MB_LOG_READ, NULL, &err);
	free(path);
	if (bad)
		return mb_tool_fail(tool, &err);
	suggester_update(suggester);
	suggester_complain(suggester);
	return trial ? judge_trial(suggester) : judge_search(suggester);
}
