/* SPDX-License-Identifier: MIT */
#include "data/record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const status_names[] = {
	[MB_STATUS_OPEN] = "open",
	[MB_STATUS_COMPLETED] = "completed",
	[MB_STATUS_FAILED] = "failed",
	[MB_STATUS_INTERRUPTED] = "interrupted",
	NULL,
};

const char *mb_status_name(enum mb_status status)
{
	return status_names[status];
}

int mb_status_from_name(const char *name, enum mb_status *status)
{
	for (int i = 0; status_names[i]; i++)
		if (!strcmp(name, status_names[i])) {
			*status = (enum mb_status)i;
			return 0;
		}
	return -1;
}

/* ---- checks: one function a kind of member ---- */

struct check {
	const char *where;
	struct mb_err *err;
};

static int bad(const struct check *check, const char *path, const json_t *value, const char *expected)
{
	char shown[64];

	return mb_err_set(check->err, MB_EXIT_RECORD, check->where, "%s: %s is not %s", path,
			  mb_json_show(value, shown), expected);
}

static int check_int(const struct check *check, const json_t *json, const char *name, int64_t low, int64_t *to)
{
	const json_t *value = json_object_get(json, name);
	char expected[64];

	if (!value)
		return 0;
	snprintf(expected, sizeof expected, "an integer of at least %lld", (long long)low);
	if (!json_is_integer(value) || json_integer_value(value) < low)
		return bad(check, name, value, expected);
	if (json_integer_value(value) > MB_NUM_EXACT - 1)
		return bad(check, name, value, "an integer below 2^53");
	*to = json_integer_value(value);
	return 0;
}

static int check_text(const struct check *check, const json_t *json, const char *name)
{
	const json_t *value = json_object_get(json, name);

	return value && !json_is_string(value) ? bad(check, name, value, "a text") : 0;
}

static int check_status(const struct check *check, const json_t *json, enum mb_status *status)
{
	const json_t *value = json_object_get(json, "status");
	const char *near;

	if (!value)
		return 0;
	if (json_is_string(value) && mb_status_from_name(json_string_value(value), status) == 0)
		return 0;
	bad(check, "status", value, "open, completed, failed or interrupted");
	near = json_is_string(value) ? mb_nearest(json_string_value(value), status_names) : NULL;
	return near ? mb_err_hint(check->err, "did you mean %s?", near) : -1;
}

static int check_assignments(const struct check *check, json_t *json)
{
	json_t *assignments = json_object_get(json, "assignments"), *value;
	const char *name;
	char path[256];

	if (!assignments)
		return 0;
	if (!json_is_object(assignments))
		return bad(check, "assignments", assignments, "an object");
	json_object_foreach(assignments, name, value) {
		if (json_is_number(value) || json_is_string(value) || json_is_boolean(value) || json_is_array(value))
			continue;
		snprintf(path, sizeof path, "assignments.%.200s", name);
		return bad(check, path, value, "a number, text, boolean or array");
	}
	return 0;
}

static int check_metrics(const struct check *check, json_t *json, const char *member)
{
	json_t *metrics = json_object_get(json, member), *value;
	const char *name;
	char path[256];

	if (!metrics)
		return 0;
	if (!json_is_object(metrics))
		return bad(check, member, metrics, "an object");
	json_object_foreach(metrics, name, value) {
		if (json_is_number(value) && isfinite(json_number_value(value)))
			continue;
		snprintf(path, sizeof path, "%s.%.200s", member, name);
		return bad(check, path, value, "a finite number");
	}
	return 0;
}

static int check_fidelity(const struct check *check, const json_t *json)
{
	const json_t *value = json_object_get(json, "fidelity");

	return value && !json_is_object(value) ? bad(check, "fidelity", value, "an object such as {\"epochs\": 9}") : 0;
}

static int check_spans(const struct check *check, const json_t *json)
{
	const json_t *spans = json_object_get(json, "spans");
	char path[64];

	if (!spans)
		return 0;
	if (!json_is_array(spans))
		return bad(check, "spans", spans, "an array");
	for (size_t i = 0; i < json_array_size(spans); i++) {
		const json_t *span = json_array_get(spans, i);

		if (json_is_object(span) && json_is_string(json_object_get(span, "phase")) &&
		    json_is_number(json_object_get(span, "start")) && json_is_number(json_object_get(span, "seconds")))
			continue;
		snprintf(path, sizeof path, "spans[%zu]", i);
		return bad(check, path, span, "{\"phase\": text, \"start\": number, \"seconds\": number}");
	}
	return 0;
}

int mb_record_check(struct mb_record *record, json_t *json, const char *where, struct mb_err *err)
{
	struct check check = {where, err};
	int64_t seed = 0;

	*record = (struct mb_record){.json = json, .attempt = 1};
	if (!json_is_object(json))
		return mb_err_set(err, MB_EXIT_RECORD, where, "%s is not a record, a JSON object", mb_json_kind(json));
	if (check_int(&check, json, "trial", 1, &record->trial) < 0 ||
	    check_int(&check, json, "rung", 0, &record->rung) < 0 ||
	    check_int(&check, json, "attempt", 1, &record->attempt) < 0 ||
	    check_int(&check, json, "seed", 0, &seed) < 0 || check_status(&check, json, &record->status) < 0 ||
	    check_text(&check, json, "experiment") < 0 || check_text(&check, json, "error") < 0 ||
	    check_text(&check, json, "model") < 0 || check_assignments(&check, json) < 0 ||
	    check_metrics(&check, json, "metrics") < 0 || check_metrics(&check, json, "metrics_stddev") < 0 ||
	    check_fidelity(&check, json) < 0 || check_spans(&check, json) < 0)
		return -1;
	return 0;
}

int mb_record_parse(struct mb_record *record, const char *text, size_t n, const char *where, struct mb_err *err)
{
	json_t *json = mb_json_parse(text, n, where, err);

	*record = (struct mb_record){0};
	if (!json)
		return -1;
	if (mb_record_check(record, json, where, err) < 0) {
		json_decref(json);
		record->json = NULL;
		return -1;
	}
	return 0;
}

void mb_record_release(struct mb_record *record)
{
	json_decref(record->json);
	record->json = NULL;
}

void mb_record_set_status(json_t *json, enum mb_status status)
{
	mb_json_set(json, "status", json_string(mb_status_name(status)));
}

/* ---- spans and metrics ---- */

static json_t *microseconds(double seconds)
{
	return json_real(round(seconds * 1e6) / 1e6);
}

void mb_record_add_span(json_t *json, const char *phase, double start_s, double seconds)
{
	json_t *spans = json_object_get(json, "spans"), *span = json_object();

	if (!spans) {
		mb_json_set(json, "spans", json_array());
		spans = json_object_get(json, "spans");
	}
	mb_json_set(span, "phase", json_string(phase));
	mb_json_set(span, "start", microseconds(start_s));
	mb_json_set(span, "seconds", microseconds(seconds > 0 ? seconds : 0));
	json_array_append_new(spans, span);
}

double mb_record_last_span(const json_t *json, const char *phase, double *start_s)
{
	const json_t *spans = json_object_get(json, "spans");
	double end = 0;

	for (size_t i = 0; i < json_array_size(spans); i++) {
		const json_t *span = json_array_get(spans, i);
		const char *name = json_string_value(json_object_get(span, "phase"));
		double start = json_number_value(json_object_get(span, "start"));
		double until = start + json_number_value(json_object_get(span, "seconds"));

		if ((phase && (!name || strcmp(name, phase))) || until < end)
			continue;
		end = until;
		if (start_s)
			*start_s = start;
	}
	return end;
}

double mb_record_metric(const json_t *json, const char *name)
{
	const json_t *value = json_object_get(json_object_get(json, "metrics"), name);

	return json_is_number(value) ? json_number_value(value) : NAN;
}
