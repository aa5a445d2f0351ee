/* SPDX-License-Identifier: MIT */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int model_open(struct mb_python *python, const struct mb_experiment *experiment, const char *function, int output,
	       struct mb_err *err)
{
	const struct mb_model *model = &experiment->model;
	int result = mb_python_open(python, model->entry_point, function, experiment->code, output, err);
	struct mb_err cause = *err;
	char where[512];

	if (result >= 0)
		return result;
	snprintf(where, sizeof where, "%s:%d", experiment->path, model->line);
	mb_err_set(err, cause.code, where, "model.entry_point: %.200s: %s", model->entry_point, cause.what);
	return mb_err_hint(err, "python3 is the first in PATH, run in %s", experiment->code);
}

/* scp's way of writing a path of another host. */
static int is_remote(const char *path)
{
	size_t n = strcspn(path, ":/");

	return path[n] == ':';
}

char *model_dataset(const struct mb_experiment *experiment, const char *option)
{
	const char *written = option ? option : experiment->dataset_path;
	char *path, *whole;

	if (!written)
		return NULL;
	if (!option && is_remote(written))
		return mb_strdup(written);
	path = option ? mb_strdup(written) : mb_path_join(experiment->folder, written);
	whole = realpath(path, NULL);
	if (!whole)
		return path;
	free(path);
	return whole;
}

/* MB_RUNG=1 and MB_FIDELITY=9, or the task's name. */
static void add_fidelity(const json_t *record, struct model_variables *variables)
{
	json_t *fidelity = json_object_get(record, "fidelity");
	void *member = json_object_iter(fidelity);
	const json_t *value = member ? json_object_iter_value(member) : NULL;
	struct mb_str text = {0};

	if (!value)
		return;
	if (json_is_string(value))
		mb_str_adds(&text, json_string_value(value));
	else
		mb_json_print(value, &text);
	variables->at[variables->n++] =
		mb_textf("MB_RUNG=%lld", (long long)json_integer_value(json_object_get(record, "rung")));
	variables->at[variables->n++] = mb_textf("MB_FIDELITY=%s", text.at);
	mb_str_release(&text);
}

void model_variables(const json_t *record, const char *output, struct model_variables *variables)
{
	long long trial = (long long)json_integer_value(json_object_get(record, "trial"));
	long long seed = (long long)json_integer_value(json_object_get(record, "seed"));

	variables->at[variables->n++] = mb_textf("MB_TRIAL=%lld", trial);
	variables->at[variables->n++] = mb_textf("MB_SEED=%lld", seed);
	variables->at[variables->n++] = mb_textf("MB_OUTPUT_PATH=%s", output);
	add_fidelity(record, variables);
}

void model_variables_release(struct model_variables *variables)
{
	for (size_t i = 0; i < variables->n; i++)
		free(variables->at[i]);
}

static json_t *text_or_null(const char *text)
{
	json_t *json = text ? json_string(text) : NULL;

	return json ? json : json_null(); /* a path that is not UTF-8 cannot be passed on */
}

void model_request(const struct model_call *call, const json_t *record, struct mb_str *input)
{
	json_t *request = json_object(), *argument = json_object(), *seed = json_object_get(record, "seed");
	json_t *fidelity = json_object_get(record, "fidelity"), *assignments = json_object_get(record, "assignments");

	mb_json_set(argument, "suggestion", assignments ? json_incref(assignments) : json_object());
	mb_json_set(argument, "dataset", text_or_null(call->dataset));
	mb_json_set(argument, "output_path", text_or_null(call->output));
	if (fidelity)
		mb_json_set(argument, "fidelity", json_incref(fidelity));
	if (call->split)
		mb_json_set(argument, "split", json_string(call->split));
	mb_json_set(request, "argument", argument);
	mb_json_set(request, "metric", json_string(call->metric));
	mb_json_set(request, "seed", seed ? json_incref(seed) : json_integer(0));
	mb_json_print(request, input);
	json_decref(request);
}
