/* SPDX-License-Identifier: MIT
 *
 * One line that is redrawn on a terminal: trials done of the budget, the best so far, failures, rate, time left.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "collect.h"
#include "opt/opt.h"

static int better(const struct mb_metric *objective, double a, double b)
{
	return objective->maximize ? a > b : a < b;
}

static void take(struct progress *progress, const json_t *record, int64_t trial)
{
	const struct mb_metric *objective = mb_experiment_objective(progress->experiment);
	double value = mb_record_metric(record, objective->name);

	if (isnan(value))
		return;
	progress->completed++;
	if (!mb_is_feasible(progress->experiment, record))
		return;
	progress->feasible++;
	if (!progress->best_trial || better(objective, value, progress->best)) {
		progress->best = value;
		progress->best_trial = trial;
	}
}

void progress_start(struct progress *progress, struct mb_tool *tool, const struct mb_experiment *experiment,
		    const struct mb_log *log)
{
	struct mb_ranking ranking;

	*progress = (struct progress){.tool = tool,
				      .experiment = experiment,
				      .draws = !tool->quiet && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO),
				      .start_s = mb_clock_monotonic_s(),
				      .had = log->finished};
	for (size_t i = 0; i < log->n_keys; i++)
		progress->failed += log->keys[i].status == MB_STATUS_FAILED;
	mb_ranking_init(&ranking, log, experiment);
	for (size_t i = 0; i < ranking.n; i++)
		take(progress, ranking.keys[i]->result, ranking.keys[i]->trial);
	mb_ranking_release(&ranking);
	progress_draw(progress, log, 1);
}

void progress_add(struct progress *progress, const struct mb_record *record)
{
	progress->failed += record->status == MB_STATUS_FAILED;
	if (record->status == MB_STATUS_COMPLETED)
		take(progress, record->json, record->trial);
}

static void add_time(struct mb_str *text, double seconds)
{
	if (seconds < 100)
		mb_str_addf(text, "%.0f s", seconds);
	else if (seconds < 6000)
		mb_str_addf(text, "%.0f min", seconds / 60);
	else
		mb_str_addf(text, "%.1f h", seconds / 3600);
}

static void add_front(const struct progress *progress, const struct mb_log *log, struct mb_str *text)
{
	struct mb_ranking ranking;

	mb_ranking_init(&ranking, log, progress->experiment);
	if (ranking.front)
		mb_str_addf(text, ", a front of %zu trial%s, hypervolume %.5g", ranking.front,
			    ranking.front == 1 ? "" : "s", ranking.hypervolume);
	mb_ranking_release(&ranking);
}

static void add_counts(const struct progress *progress, const struct mb_log *log, struct mb_str *text)
{
	if (progress->failed)
		mb_str_addf(text, ", %zu failed", progress->failed);
	if (progress->completed && !progress->feasible)
		mb_str_adds(text, ", none keeps the constraints yet");
	else if (mb_experiment_count(progress->experiment, MB_STRATEGY_OPTIMIZE) > 1)
		add_front(progress, log, text);
	else if (progress->best_trial)
		mb_str_addf(text, ", best %s %.5g (trial %lld)", mb_experiment_objective(progress->experiment)->name,
			    progress->best, (long long)progress->best_trial);
}

static void add_bar(struct mb_str *text, size_t done, size_t budget)
{
	enum { WIDTH = 20 };
	size_t full = budget ? done * WIDTH / budget : 0;

	mb_str_adds(text, "[");
	for (size_t i = 0; i < WIDTH; i++)
		mb_str_adds(text, i < full ? "#" : ".");
	mb_str_adds(text, "] ");
}

void progress_draw(struct progress *progress, const struct mb_log *log, int now)
{
	double at = mb_clock_monotonic_s(), rate;
	size_t budget = (size_t)progress->experiment->observation_budget, gained = log->finished - progress->had;
	struct winsize size = {.ws_col = 80};
	struct mb_str text = {0};
	const char *term = getenv("TERM");

	if (!progress->draws || (!now && at - progress->drawn_s < 0.1) || !term || !strcmp(term, "dumb"))
		return;
	progress->drawn_s = at;
	progress->shown = 1;
	mb_str_adds(&text, "\r");
	add_bar(&text, log->finished, budget);
	mb_str_addf(&text, "%zu/%zu", log->finished, budget);
	add_counts(progress, log, &text);
	rate = gained / (at - progress->start_s + 1e-9);
	if (gained) {
		mb_str_addf(&text, ", %.3g/%s", rate >= 1 ? rate : rate * 60, rate >= 1 ? "s" : "min");
		if (budget > log->finished) {
			mb_str_adds(&text, ", ");
			add_time(&text, (double)(budget - log->finished) / rate);
			mb_str_adds(&text, " left");
		}
	}
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 20)
		size.ws_col = 80;
	if (text.n > size.ws_col) /* the carriage return takes no column; one is left free so that no terminal wraps */
		text.n = size.ws_col;
	mb_str_adds(&text, "\033[K");
	if (write(STDERR_FILENO, text.at, text.n) < 0)
		progress->draws = 0;
	mb_str_release(&text);
}

void progress_end(struct progress *progress, const struct mb_log *log)
{
	size_t budget = (size_t)progress->experiment->observation_budget;
	struct mb_str text = {0};

	if (progress->shown && write(STDERR_FILENO, "\r\033[K", 4) < 0)
		progress->draws = 0;
	mb_str_addf(&text, "%zu of %zu observations", log->finished, budget);
	add_counts(progress, log, &text);
	if (log->finished < budget)
		mb_str_adds(&text, "; the same line again goes on");
	mb_tool_say(progress->tool, "%s", text.at);
	mb_str_release(&text);
}
