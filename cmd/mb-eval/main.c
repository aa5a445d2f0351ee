/* SPDX-License-Identifier: MIT
 *
 * mb-eval: scores the trained models of the records on stdin, on one split of their data.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "eval.h"

/* Failed and interrupted trials have no model, and belong into the log all the same. */
static int is_scored(const struct mb_record *record)
{
	return record->status == MB_STATUS_OPEN || record->status == MB_STATUS_COMPLETED ||
	       json_object_get(record->json, "model");
}

static int check_experiment(const struct eval *eval, const json_t *record, const char *where, struct mb_err *err)
{
	const char *name = json_string_value(json_object_get(record, "experiment"));

	if (!name || !strcmp(name, eval->experiment->name))
		return 0;
	return mb_err_set(err, MB_EXIT_USAGE, where, "experiment: \"%.100s\" is not \"%s\", that of %s", name,
			  eval->experiment->name, eval->experiment->path);
}

static int put(struct eval *eval, json_t *record, const struct scores *scores)
{
	struct mb_str text = {0};
	int bad;

	if (!strcmp(eval->format, "json")) {
		report_json(eval, record, scores);
		return mb_tool_put(&eval->tool, record);
	}
	report_text(eval, record, scores, &text);
	bad = mb_tool_write(&eval->tool, text.at, text.n);
	mb_str_release(&text);
	return bad;
}

static int score_builtin(struct eval *eval, json_t *record, const char *where, int *stop, struct mb_err *err)
{
	struct scores scores = {0};
	int bad = score(eval, record, where, &scores, err);

	*stop = bad ? err->code == MB_EXIT_SYSTEM : put(eval, record, &scores) < 0;
	scores_release(&scores);
	return bad;
}

static int score_custom(struct eval *eval, json_t *record, const char *where, int *stop, struct mb_err *err)
{
	struct mb_str text = {0};
	int result = custom_score(eval, record, where, err);

	*stop = result > 0 || (result < 0 && err->code != MB_EXIT_RECORD);
	if (result)
		return result < 0 ? -1 : 0;
	if (!strcmp(eval->format, "json")) {
		*stop = mb_tool_put(&eval->tool, record) < 0;
		return 0;
	}
	custom_text(eval, record, &text);
	*stop = mb_tool_write(&eval->tool, text.at, text.n) < 0;
	mb_str_release(&text);
	return 0;
}

/* One record: 0 when it was handled, -1 with an error; *stop when no other can be handled either. */
static int handle(struct eval *eval, const struct mb_line *line, int *stop, struct mb_err *err)
{
	struct mb_record record;
	char where[32];
	int bad;

	snprintf(where, sizeof where, "stdin:%zu", line->number);
	if (mb_record_parse(&record, line->text, line->n, where, err) < 0)
		return -1;
	bad = check_experiment(eval, record.json, where, err);
	if (!bad && !is_scored(&record)) {
		if (!strcmp(eval->format, "json"))
			*stop = mb_tool_put(&eval->tool, record.json) < 0;
	} else if (!bad) {
		bad = (eval->experiment->model.given ? score_custom : score_builtin)(eval, record.json, where, stop, err);
	}
	mb_record_release(&record);
	return bad;
}

/* The next line; notices while it waits that the reader of stdout has gone. */
static enum mb_line_result next_line(struct eval *eval, struct mb_lines *lines, struct mb_line *line)
{
	for (;;) {
		struct pollfd fds[] = {{.fd = lines->fd, .events = POLLIN}, {.fd = STDOUT_FILENO}};
		enum mb_line_result result = mb_lines_buffered(lines, line);

		if (result != MB_LINE_NONE)
			return result;
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents & (POLLERR | POLLHUP)) {
			eval->tool.stdout_gone = 1;
			return MB_LINE_END;
		}
		if (fds[0].revents)
			mb_lines_fill(lines);
	}
}

static int handle_all(struct eval *eval)
{
	struct mb_lines lines;
	struct mb_line line;
	struct mb_err err;
	enum mb_line_result result = MB_LINE_END;
	size_t records = 0;
	int stop = 0, status = MB_EXIT_OK;

	mb_lines_init(&lines, STDIN_FILENO);
	while (!stop && (result = next_line(eval, &lines, &line)) == MB_LINE) {
		if (mb_line_is_blank(&line))
			continue;
		if (!records++ && eval->experiment->model.given && custom_check(eval, &err) < 0) {
			status = mb_tool_fail(&eval->tool, &err);
			break;
		}
		if (handle(eval, &line, &stop, &err) < 0) {
			int code = mb_tool_fail(&eval->tool, &err);

			/* another experiment's records weigh more than bad ones */
			if (stop || status != MB_EXIT_USAGE)
				status = code;
		} else if (stop && !eval->tool.stdout_gone) {
			status = MB_EXIT_SYSTEM;
		}
	}
	if (result == MB_LINE_ERROR) {
		mb_tool_warn(&eval->tool, "stdin: %s", strerror(lines.error));
		status = MB_EXIT_SYSTEM;
	} else if (!records && !eval->tool.stdout_gone) {
		mb_tool_warn(&eval->tool, "no record with a model on stdin (mb-collect --best prints one)");
		status = MB_EXIT_NO;
	}
	mb_lines_release(&lines);
	return status;
}

static int open_experiment(struct eval *eval)
{
	char *path;

	eval->experiment = mb_tool_experiment(&eval->tool);
	if (!eval->experiment)
		return MB_EXIT_USAGE;
	path = mb_tool_log_path(&eval->tool, eval->experiment);
	eval->log_folder = strcmp(path, "-") ? mb_path_dir(path) : mb_strdup(eval->experiment->folder);
	free(path);
	eval->cache = mb_tool_cache();
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const splits[] = {"train", "validate", "test", NULL};
	static const char *const formats[] = {"json", "text", NULL};
	struct eval eval = {
		.tool = {.name = "mb-eval",
			 .synopsis = "[--split train|validate|test] [--format json|text] [-d DATA] < records",
			 .about = "Scores the trained models of records on one split of their data.",
			 .blas = mb_blas_name},
		.split = "test",
		.format = "json",
	};
	const struct mb_opt table[] = {
		{0, "split", MB_OPT_TEXT, &eval.split, "NAME", "train, validate or test", .words = splits},
		{0, "format", MB_OPT_TEXT, &eval.format, "NAME",
		 "json: records with metrics and report; text: a report for people", .words = formats},
		{'d', "data", MB_OPT_TEXT, &eval.data, "DATA", "folder of the data set"},
		{0},
	};
	int rest, status = mb_tool_start(&eval.tool, table, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest < argc) {
		mb_tool_warn(&eval.tool, "%s: an operand is not expected (records come from stdin)", argv[rest]);
		return MB_EXIT_USAGE;
	}
	setenv("OPENBLAS_NUM_THREADS", "1", 1); /* the same bits as in training */
	setenv("OMP_NUM_THREADS", "1", 1);
	status = open_experiment(&eval);
	if (!status)
		status = handle_all(&eval);
	custom_close(&eval);
	mb_dataset_close(eval.set);
	mb_experiment_free(eval.experiment);
	free(eval.log_folder);
	free(eval.cache);
	return mb_tool_end(&eval.tool, status);
}
