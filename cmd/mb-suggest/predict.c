/* SPDX-License-Identifier: MIT
 *
 * --predict: what the log says that records on stdin would come to.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suggester.h"

struct predictor {
	struct mb_tool *tool;
	const struct mb_experiment *experiment;
	struct mb_surface **models; /* a metric each; NULL: stored only */
	int bad;                  /* lines */
};

static int predict(const struct predictor *predictor, json_t *record, const char *where, struct mb_err *err)
{
	const struct mb_experiment *experiment = predictor->experiment;
	const json_t *assignments = json_object_get(record, "assignments");
	json_t *mean = json_object(), *stddev = json_object();
	double *u = mb_alloc(mb_space_dims(&experiment->space) * sizeof *u);
	int bad = mb_space_check(&experiment->space, assignments, err);

	if (bad)
		snprintf(err->where, sizeof err->where, "%s", where);
	else
		mb_space_locate(&experiment->space, assignments, u);
	for (size_t i = 0; i < experiment->n_metrics && !bad; i++) {
		double one, deviation;

		if (!predictor->models[i])
			continue;
		mb_surface_predict(predictor->models[i], u, &one, &deviation);
		mb_json_set(mean, experiment->metrics[i].name, json_real(one));
		mb_json_set(stddev, experiment->metrics[i].name, json_real(deviation));
	}
	mb_json_set(record, "predicted", mean);
	mb_json_set(record, "predicted_stddev", stddev);
	free(u);
	return bad;
}

/* 0, or -1 when stdout takes no more. */
static int take_line(struct predictor *predictor, const struct mb_line *line)
{
	struct mb_record record;
	struct mb_err err;
	char where[64];
	int bad = 0;

	if (mb_line_is_blank(line))
		return 0;
	snprintf(where, sizeof where, "stdin:%zu", line->number);
	if (mb_record_parse(&record, line->text, line->n, where, &err) < 0 ||
	    predict(predictor, record.json, where, &err) < 0) {
		mb_tool_fail(predictor->tool, &err);
		predictor->bad++;
	} else {
		bad = mb_tool_put(predictor->tool, record.json);
	}
	mb_record_release(&record);
	return bad;
}

static int make_models(struct predictor *predictor, const struct mb_log *log, struct mb_err *err)
{
	for (size_t i = 0; i < predictor->experiment->n_metrics; i++) {
		if (predictor->experiment->metrics[i].strategy == MB_STRATEGY_STORE)
			continue;
		predictor->models[i] = mb_surface_new(log, predictor->experiment, i, err);
		if (!predictor->models[i])
			return -1;
	}
	return 0;
}

static int answer(struct predictor *predictor)
{
	enum mb_line_result result;
	struct mb_lines lines;
	struct mb_line line;
	struct mb_err err;
	int bad = 0;

	mb_lines_init(&lines, STDIN_FILENO);
	while (!bad && (result = mb_lines_next(&lines, &line)) == MB_LINE)
		bad = take_line(predictor, &line);
	if (!bad && result == MB_LINE_ERROR) {
		mb_err_set(&err, MB_EXIT_SYSTEM, "stdin", "read: %s", strerror(lines.error));
		bad = mb_tool_fail(predictor->tool, &err);
	} else if (bad) {
		bad = predictor->tool->stdout_gone ? 0 : MB_EXIT_SYSTEM;
	}
	mb_lines_release(&lines);
	return bad ? bad : predictor->bad ? MB_EXIT_RECORD : MB_EXIT_OK;
}

int suggest_predict(struct mb_tool *tool, const struct mb_experiment *experiment)
{
	struct predictor predictor = {.tool = tool, .experiment = experiment,
				      .models = mb_alloc(experiment->n_metrics * sizeof *predictor.models)};
	char *path = mb_tool_log_path(tool, experiment);
	struct mb_log log;
	struct mb_err err;
	int status;

	if (mb_log_open(&log, path, experiment->name, MB_LOG_READ, NULL, &err) < 0) {
		status = mb_tool_fail(tool, &err);
	} else {
		status = make_models(&predictor, &log, &err) < 0 ? mb_tool_fail(tool, &err) : answer(&predictor);
		mb_log_close(&log);
	}
	for (size_t i = 0; i < experiment->n_metrics; i++)
		mb_surface_free(predictor.models[i]);
	free(predictor.models);
	free(path);
	return status;
}
