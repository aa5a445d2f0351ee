/* SPDX-License-Identifier: MIT
 *
 * --importance: which parameters the metric depends on, by a model of the log.
 */
#include <math.h>
#include <stdlib.h>

#include "collect.h"
#include "opt/opt.h"

static int by_total(const void *a, const void *b)
{
	const struct importance *left = a, *right = b;

	return left->total > right->total ? -1 : left->total < right->total;
}

static json_t *rounded(double share)
{
	return json_real(round(share * 1e4) / 1e4);
}

struct importance *importance_new(const struct mb_log *log, const struct mb_experiment *experiment, size_t metric,
				  struct mb_err *err)
{
	const struct mb_space *space = &experiment->space;
	struct mb_surface *model = mb_surface_new(log, experiment, metric, err);
	size_t dims = mb_space_dims(space);
	struct importance *at;
	double *total, *alone;

	if (!model)
		return NULL;
	at = mb_alloc(dims * sizeof *at);
	total = mb_alloc(2 * dims * sizeof *total);
	alone = total + dims;
	mb_surface_importance(model, total, alone);
	for (size_t i = 0; i < dims; i++)
		at[i] = (struct importance){i < space->n_conditionals ? space->conditionals[i].name
								      : space->params[i - space->n_conditionals].name,
					    total[i], fmin(alone[i], total[i])}; /* more is the estimator's error */
	qsort(at, dims, sizeof *at, by_total);
	free(total);
	mb_surface_free(model);
	return at;
}

static int print(struct collect *collect, const struct importance *at, const char *metric)
{
	struct mb_str text = {0};
	int bad;

	for (size_t i = 0; i < mb_space_dims(&collect->experiment->space); i++) {
		json_t *line = json_object();

		mb_json_set(line, "metric", json_string(metric));
		mb_json_set(line, "parameter", json_string(at[i].name));
		mb_json_set(line, "importance", rounded(at[i].total));
		mb_json_set(line, "alone", rounded(at[i].alone));
		mb_json_print(line, &text);
		mb_str_adds(&text, "\n");
		json_decref(line);
	}
	bad = mb_tool_write(collect->tool, text.at, text.n) < 0 && !collect->tool->stdout_gone;
	mb_str_release(&text);
	return bad ? MB_EXIT_SYSTEM : MB_EXIT_OK;
}

int collect_importance(struct collect *collect)
{
	const struct mb_experiment *experiment = collect->experiment;
	struct mb_log log;
	struct mb_err err;
	int status = collect_open_log(collect, &log);

	if (status)
		return status;
	for (size_t i = 0; i < experiment->n_metrics && status == MB_EXIT_OK; i++) {
		struct importance *at;

		if (experiment->metrics[i].strategy != MB_STRATEGY_OPTIMIZE)
			continue;
		at = importance_new(&log, experiment, i, &err);
		status = at ? print(collect, at, experiment->metrics[i].name) : mb_tool_fail(collect->tool, &err);
		free(at);
	}
	mb_log_close(&log);
	return status;
}
