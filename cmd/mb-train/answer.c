/* SPDX-License-Identifier: MIT
 *
 * A worker's side: a suggestion in, an answer out; or several suggestions in, and an answer for each as it ends.
 */
#include <unistd.h>

#include "train.h"

static void print_error(const struct mb_err *err, struct mb_str *text)
{
	json_t *json = json_object();

	mb_json_set(json, "code", json_integer(err->code));
	mb_json_set(json, "where", json_string(err->where));
	mb_json_set(json, "what", json_string(err->what));
	mb_json_set(json, "hint", json_string(err->hint));
	mb_str_adds(text, "E");
	mb_json_print(json, text);
	json_decref(json);
}

void answer_error(const json_t *json, struct mb_err *err)
{
	const char *what = json_string_value(json_object_get(json, "what"));
	const char *hint = json_string_value(json_object_get(json, "hint"));

	mb_err_set(err, (enum mb_exit)json_integer_value(json_object_get(json, "code")),
		   json_string_value(json_object_get(json, "where")), "%s", what ? what : "");
	if (hint && *hint)
		mb_err_hint(err, "%s", hint);
}

static void send_result(void *context, json_t *record)
{
	struct mb_str text = {0};

	mb_str_adds(&text, "R");
	mb_json_print(record, &text);
	mb_link_part(context, &text);
	mb_str_release(&text);
}

static void answer_all(struct train *train, struct mb_link *link, const json_t *array, struct mb_str *text)
{
	const size_t n = json_array_size(array);
	json_t **records = mb_alloc(n * sizeof *records);
	struct mb_err err = {.code = MB_EXIT_SYSTEM};

	for (size_t i = 0; i < n; i++)
		records[i] = json_array_get(array, i);
	if (train->job->run_all(train, records, n, send_result, link, &err) < 0)
		print_error(&err, text);
	else
		mb_str_adds(text, "D");
	free(records);
}

/* A worker that was told to stop is no use for another trial: it ends after its answer. */
int answer(void *context, struct mb_link *link, const char *line, size_t n, struct mb_str *text)
{
	struct train *train = context;
	struct mb_err err = {.code = MB_EXIT_SYSTEM};
	json_t *record = mb_json_parse(line, n, NULL, &err);

	if (json_is_array(record))
		answer_all(train, link, record, text);
	else if (record && mb_signals_stopped())
		result_set(record, MB_STATUS_INTERRUPTED, getpid(), NULL);
	else if (!record || train->job->run(train, link, record, &err) < 0)
		print_error(&err, text);
	if (!text->n) {
		mb_str_adds(text, "R");
		mb_json_print(record, text);
	}
	json_decref(record);
	return mb_signals_stopped();
}
