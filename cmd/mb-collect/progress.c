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

/* Values of unlike rungs are not comparable: those of a higher one make all before them forgotten. */
static void take(struct progress *progress, const json_t *record, int64_t rung, int64_t trial)
{
	const struct mb_metric *objective = mb_experiment_objective(progress->experiment);
	double value = mb_record_metric(record, objective->name);

	if (isnan(value) || rung < progress->best_rung)
		return;
	if (rung > progress->best_rung) {
		progress->best_rung = rung;
		progress->best_trial = 0;
		progress->completed = progress->feasible = 0;
	}
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
				      .ladder = mb_ladder_of(experiment)};
	progress->had = mb_ladder_spending(&progress->ladder, log).finished;
	for (size_t i = 0; i < log->n_keys; i++)
		progress->failed += log->keys[i].status == MB_STATUS_FAILED;
	mb_ranking_init(&ranking, log, experiment);
	for (size_t i = 0; i < ranking.n; i++)
		take(progress, ranking.keys[i]->result, ranking.keys[i]->rung, ranking.keys[i]->trial);
	mb_ranking_release(&ranking);
	progress_draw(progress, log, 1);
}

void progress_add(struct progress *progress, const struct mb_record *record)
{
	progress->failed += record->status == MB_STATUS_FAILED;
	if (record->status == MB_STATUS_COMPLETED)
		take(progress, record->json, record->rung, record->trial);
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

static void add_bar(struct mb_str *text, double share)
{
	enum { WIDTH = 20 };

	mb_str_adds(text, "[");
	for (size_t i = 0; i < WIDTH; i++)
		mb_str_adds(text, (double)(i + 1) <= share * WIDTH ? "#" : ".");
	mb_str_adds(text, "] ");
}

void progress_draw(struct progress *progress, const struct mb_log *log, int now)
{
	double at = mb_clock_monotonic_s(), rate;
	struct mb_spending spending;
	double gained;
	struct winsize size = {.ws_col = 80};
	struct mb_str text = {0};
	const char *term = getenv("TERM");

	if (!progress->draws || (!now && at - progress->drawn_s < 0.1) || !term || !strcmp(term, "dumb"))
		return;
	progress->drawn_s = at;
	progress->shown = 1;
	spending = mb_ladder_spending(&progress->ladder, log);
	gained = (double)(spending.finished - progress->had) / (double)progress->ladder.full;
	mb_str_adds(&text, "\r");
	add_bar(&text, (double)spending.finished / (double)spending.budget);
	mb_ladder_text(&progress->ladder, spending.finished, &text);
	mb_str_adds(&text, "/");
	mb_ladder_text(&progress->ladder, spending.budget, &text);
	add_counts(progress, log, &text);
	rate = gained / (at - progress->start_s + 1e-9);
	if (gained > 0) {
		mb_str_addf(&text, ", %.3g/%s", rate >= 1 ? rate : rate * 60, rate >= 1 ? "s" : "min");
		if (spending.budget > spending.finished) {
			mb_str_adds(&text, ", ");
			add_time(&text, (double)(spending.budget - spending.finished) / (double)progress->ladder.full / rate);
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
	const struct mb_spending spending = mb_ladder_spending(&progress->ladder, log);
	struct mb_str text = {0};

	if (progress->shown && write(STDERR_FILENO, "\r\033[K", 4) < 0)
		progress->draws = 0;
	mb_ladder_text(&progress->ladder, spending.finished, &text);
	mb_str_adds(&text, " of ");
	mb_ladder_text(&progress->ladder, spending.budget, &text);
	mb_str_adds(&text, " observations");
	add_counts(progress, log, &text);
	if (!mb_ladder_is_over(&progress->ladder, &spending))
		mb_str_adds(&text, "; the same line again goes on");
	mb_tool_say(progress->tool, "%s", text.at);
	mb_str_release(&text);
}
