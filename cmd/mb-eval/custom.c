/* SPDX-License-Identifier: MIT
 *
 * Models of one's own: `model.test_function_name` is called with a record's suggestion, in a child of the
 * interpreter that a worker attends, as mb-train does it.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "eval.h"
#include "model.h"

struct custom {
	struct mb_python python;
	struct mb_pool pool;
	char *dataset; /* or NULL */
};

int custom_check(const struct eval *eval, struct mb_err *err)
{
	const struct mb_model *model = &eval->experiment->model;
	char where[512];

	if (model->entry_point && model->test_function_name)
		return 0;
	snprintf(where, sizeof where, "%s:%d", eval->experiment->path, model->line);
	mb_err_set(err, MB_EXIT_USAGE, where, "model.test_function_name: missing");
	return mb_err_hint(err, model->entry_point ? "the function of %.100s that scores a model"
						   : "with model.command your own program scores its models",
			   model->entry_point);
}

/* ---- in the worker ---- */

static const char *prefix(const struct eval *eval)
{
	return !strcmp(eval->split, "validate") ? "val_" : !strcmp(eval->split, "train") ? "train_" : "test_";
}

/* What a bare number is: the optimised metric, on this split ("val_loss" is "test_loss"). */
static void bare_name(const struct eval *eval, char name[256])
{
	static const char *const known[] = {"train_", "val_", "test_"};
	const char *of = mb_experiment_objective(eval->experiment)->name;

	for (size_t i = 0; i < MB_COUNT(known); i++)
		if (!strncmp(of, known[i], strlen(known[i]))) {
			of += strlen(known[i]);
			break;
		}
	snprintf(name, 256, "%s%.200s", prefix(eval), of);
}

/* What the trial has left: the folder its record names, else the one that mb-train made. NULL: an error. */
static char *output_of(const struct eval *eval, const json_t *record, struct mb_err *err)
{
	const char *model = json_string_value(json_object_get(record, "model"));
	char *name = model ? mb_strdup(model)
			   : mb_textf("output/%lld", (long long)json_integer_value(json_object_get(record, "trial")));
	char *path = mb_path_join(eval->log_folder, name), *whole = NULL;

	if (mb_mkdirs(path, err) == 0 && !(whole = realpath(path, NULL)))
		mb_err_errno(err, path, NULL);
	free(name);
	free(path);
	return whole;
}

/* The answer, or why there is none. */
static void conclude(const struct mb_child *child, struct mb_str *answer)
{
	char limit[MB_BYTES_TEXT];
	struct mb_err err;
	json_t *result = NULL;

	if (child->memory)
		mb_str_addf(answer, "Ememory limit of %s exceeded", mb_bytes_print(child->memory_limit, limit));
	else if (child->timed_out)
		mb_str_addf(answer, "Etimeout after %g s", child->timeout_s);
	else if (WIFSIGNALED(child->status))
		mb_str_addf(answer, "Ekilled by signal %d (%s)", WTERMSIG(child->status), strsignal(WTERMSIG(child->status)));
	else if (WEXITSTATUS(child->status))
		mb_str_addf(answer, "Eexit status %d", WEXITSTATUS(child->status));
	else if (!child->output.n || !(result = mb_json_parse(child->output.at, child->output.n - 1, NULL, &err)))
		mb_str_adds(answer, "Eit ended without a result");
	else if (json_object_get(result, "error"))
		mb_str_addf(answer, "E%s", json_string_value(json_object_get(result, "error")));
	if (!answer->n) {
		mb_str_adds(answer, "R");
		mb_json_print(result, answer);
	}
	json_decref(result);
}

/* One record in; out: "R" and the function's result, "E" and why this record has none, "X" and why none can have
 * one. */
static int work(void *context, struct mb_link *link, const char *line, size_t n, struct mb_str *answer)
{
	const struct eval *eval = context;
	const struct mb_experiment *experiment = eval->experiment;
	struct mb_err err;
	json_t *record = mb_json_parse(line, n, NULL, &err);
	char name[256], *output = record ? output_of(eval, record, &err) : NULL;
	struct model_call call = {.metric = name, .dataset = eval->custom->dataset, .output = output, .split = eval->split};
	struct model_variables variables = {0};
	struct mb_str input = {0};
	struct mb_child child = {.python = &eval->custom->python, .variables = variables.at,
				 .timeout_s = experiment->trial_timeout_s, .grace_s = experiment->grace_s,
				 .memory_limit = experiment->memory_limit};
	int bad = !output;

	if (!bad) {
		bare_name(eval, name);
		model_variables(record, output, &variables);
		model_request(&call, record, &input);
		child.input = input.at;
		child.n_input = input.n;
		bad = mb_child_run(&child, link, &err);
	}
	if (bad)
		mb_str_addf(answer, "X%s%s%s", err.where, err.where[0] ? ": " : "", err.what);
	else
		conclude(&child, answer);
	model_variables_release(&variables);
	mb_child_release(&child);
	mb_str_release(&input);
	json_decref(record);
	free(output);
	return 0;
}

/* ---- in mb-eval ---- */

/* At the first record that is scored. 1: the reader of stdout went away meanwhile. */
static int open_custom(struct eval *eval, struct mb_err *err)
{
	struct custom *custom = eval->custom;
	int result;

	if (custom)
		return 0;
	custom = eval->custom = mb_alloc(sizeof *custom);
	custom->python.fd = -1;
	custom->dataset = model_dataset(eval->experiment, eval->data);
	result = model_open(&custom->python, eval->experiment, eval->experiment->model.test_function_name,
			    STDOUT_FILENO, err);
	return result ? result : mb_pool_init(&custom->pool, 1, 1, work, eval, err);
}

void custom_close(struct eval *eval)
{
	if (!eval->custom)
		return;
	mb_pool_close(&eval->custom->pool);
	mb_python_close(&eval->custom->python);
	free(eval->custom->dataset);
	free(eval->custom);
	eval->custom = NULL;
}

/* 0 with the answer, 1 when the reader of stdout went away, -1 when the worker died. */
static int await(struct mb_worker *worker, struct mb_str *answer)
{
	for (;;) {
		struct pollfd fds[] = {{.fd = worker->fd, .events = POLLIN}, {.fd = STDOUT_FILENO}};
		enum mb_pool_event event;

		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents & (POLLERR | POLLHUP))
			return 1;
		event = mb_pool_receive(worker, answer);
		if (event == MB_POOL_ANSWER)
			return 0;
		if (event == MB_POOL_DEAD) {
			worker->busy = 0;
			return -1;
		}
	}
}

static void merge(const struct eval *eval, json_t *record, json_t *result, const char *member)
{
	json_t *to, *value, *from = json_object_get(result, member);
	const char *name, *split = prefix(eval);
	char whole[512];

	if (!from)
		return;
	if (!json_is_object(json_object_get(record, member)))
		mb_json_set(record, member, json_object());
	to = json_object_get(record, member);
	json_object_foreach(from, name, value) {
		int has = !strncmp(name, split, strlen(split));

		snprintf(whole, sizeof whole, "%s%.400s", has ? "" : split, name);
		mb_json_set(to, whole, json_incref(value));
	}
}

static void put_result(const struct eval *eval, json_t *record, json_t *result, double start_s)
{
	json_t *metadata = json_object_get(result, "metadata"), *report;

	merge(eval, record, result, "metrics");
	merge(eval, record, result, "metrics_stddev");
	if (metadata) {
		report = json_object();
		mb_json_set(report, "split", json_string(eval->split));
		mb_json_set(report, "metadata", json_incref(metadata));
		mb_json_set(record, "report", report);
	}
	mb_record_add_span(record, !strcmp(eval->split, "test") ? "test" : "validate", start_s,
			   mb_clock_now_s() - start_s);
}

static int call(struct eval *eval, const json_t *record, struct mb_str *answer, struct mb_err *err)
{
	struct mb_worker *worker = mb_pool_idle(&eval->custom->pool, err);
	struct mb_str line = {0};
	int result;

	if (!worker)
		return -1;
	mb_json_print(record, &line);
	mb_pool_send(worker, line.at, line.n);
	mb_str_release(&line);
	result = await(worker, answer);
	return result < 0 ? mb_err_set(err, MB_EXIT_CHILD, NULL, "the worker was killed") : result;
}

int custom_score(struct eval *eval, json_t *record, const char *where, struct mb_err *err)
{
	struct mb_str answer = {0};
	double start_s = mb_clock_now_s();
	int result = open_custom(eval, err);
	json_t *json;

	if (!result)
		result = call(eval, record, &answer, err);
	if (result > 0) {
		eval->tool.stdout_gone = 1;
	} else if (!result && answer.at[0] == 'R') {
		json = mb_json_parse(answer.at + 1, answer.n - 1, where, err);
		result = json ? 0 : -1;
		if (json)
			put_result(eval, record, json, start_s);
		json_decref(json);
	} else if (!result) {
		result = mb_err_set(err, answer.at[0] == 'E' ? MB_EXIT_RECORD : MB_EXIT_CHILD, where, "%s: %s",
				    eval->experiment->model.test_function_name, answer.at + 1);
	}
	mb_str_release(&answer);
	return result;
}

void custom_text(const struct eval *eval, const json_t *record, struct mb_str *text)
{
	json_t *metrics = json_object_get(record, "metrics"), *value;
	const char *name, *split = prefix(eval);

	mb_str_addf(text, "trial %lld, %s split\n", (long long)json_integer_value(json_object_get(record, "trial")),
		    eval->split);
	json_object_foreach(metrics, name, value)
		if (!strncmp(name, split, strlen(split)))
			mb_str_addf(text, "%24s  %.6g\n", name, json_number_value(value));
	mb_str_adds(text, "\n");
}
