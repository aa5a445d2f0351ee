/* SPDX-License-Identifier: MIT
 *
 * What a trial's record says at its end, and how the result of a user's job is read.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "train.h"

/* Any bytes as one line of text: no control characters, and UTF-8 or ASCII. */
static json_t *one_line(const char *bytes)
{
	char text[512];
	size_t n = 0;
	json_t *json = NULL;

	for (; bytes[n] && n < sizeof text - 1; n++)
		text[n] = (unsigned char)bytes[n] < ' ' || bytes[n] == 0x7f ? ' ' : bytes[n];
	for (size_t cut = 0; !json && cut < 4 && cut < n; cut++) /* a character cut in two at the end */
		json = json_stringn(text, n - cut);
	for (size_t i = 0; !json && i < n; i++)
		if ((unsigned char)text[i] >= 0x80)
			text[i] = '?';
	return json ? json : json_stringn(text, n);
}

void result_set(json_t *record, enum mb_status status, pid_t pid, const char *error)
{
	char host[65] = "";

	gethostname(host, sizeof host - 1);
	mb_record_set_status(record, status);
	if (error)
		mb_json_set(record, "error", one_line(error));
	mb_json_set(record, "host", json_string(host));
	mb_json_set(record, "pid", json_integer(pid));
}

void memory_error(int64_t bytes, int64_t limit, char *error, size_t size)
{
	char most[MB_BYTES_TEXT], found[MB_BYTES_TEXT];

	snprintf(error, size, "memory limit of %s exceeded (%s)", mb_bytes_print(limit, most),
		 mb_bytes_round(bytes, limit, found));
}

char *seen_from(const char *log_folder, const char *folder)
{
	char *base = realpath(log_folder, NULL), *whole = realpath(folder, NULL), *seen;
	size_t n = base ? strlen(base) : 0;

	if (base && whole && !strncmp(base, whole, n) && (whole[n] == '/' || !whole[n]))
		seen = mb_strdup(whole[n] ? whole + n + 1 : ".");
	else
		seen = mb_strdup(whole ? whole : folder);
	free(base);
	free(whole);
	return seen;
}

/* The last line that is not blank; n: its length. */
static const char *last_line(const struct mb_str *output, size_t *n)
{
	size_t end = output->n, start;

	while (end && strchr(" \t\r\n", output->at[end - 1]))
		end--;
	for (start = end; start && output->at[start - 1] != '\n'; start--)
		;
	*n = end - start;
	return output->at ? output->at + start : "";
}

/* What a job may not say of itself. */
static int is_ours(const char *name)
{
	static const char *const ours[] = {"experiment", "trial", "rung", "fidelity", "assignments",
					   "seed", "attempt", "owner", "algorithm", "surrogate"};

	for (size_t i = 0; i < MB_COUNT(ours); i++)
		if (!strcmp(name, ours[i]))
			return 1;
	return 0;
}

static void merge_object(json_t *record, json_t *result)
{
	json_t *value;
	const char *name;

	if (!json_object_get(result, "metrics") && !json_object_get(result, "status")) {
		mb_json_set(record, "metrics", json_incref(result));
		return;
	}
	json_object_foreach(result, name, value) {
		if (is_ours(name))
			continue;
		if (!strcmp(name, "spans") && json_is_array(value) && json_object_get(record, "spans"))
			json_array_extend(json_object_get(record, "spans"), value);
		else
			mb_json_set(record, name, json_incref(value));
	}
}

static int check_metrics(const json_t *record, const struct mb_experiment *experiment, char why[512])
{
	struct mb_str names = {0};
	json_t *metrics = json_object_get(record, "metrics"), *value;
	const char *name;

	for (size_t i = 0; i < experiment->n_metrics; i++) {
		const struct mb_metric *metric = &experiment->metrics[i];

		if (metric->strategy == MB_STRATEGY_STORE || isfinite(mb_record_metric(record, metric->name)))
			continue;
		json_object_foreach(metrics, name, value)
			mb_str_addf(&names, "%s%s", names.n ? ", " : "", name);
		snprintf(why, 512, "its result has no %.100s: %.300s", metric->name,
			 names.n ? names.at : "no metrics");
		mb_str_release(&names);
		return -1;
	}
	return 0;
}

/* A number or an object; NULL: neither, why is set. */
static json_t *parse(const char *line, size_t n, char why[512])
{
	struct mb_str text = {0};
	struct mb_err err;
	double number;
	json_t *json = mb_json_parse(line, n, NULL, &err);

	mb_str_add(&text, line, n);
	if (json && !json_is_object(json) && !json_is_number(json)) {
		json_decref(json);
		json = NULL;
	}
	if (!json && strlen(text.at) == n && mb_num_double(text.at, &number) == 0)
		json = json_real(number); /* "+0.5", ".5" */
	if (!n)
		snprintf(why, 512, "it printed no result");
	else if (!json)
		snprintf(why, 512, "the last line of its output is not a finite number or an object of metrics: %.*s",
			 n > 100 ? 100 : (int)n, line);
	mb_str_release(&text);
	return json;
}

/* What the merged record must be. */
static int check(json_t *merged, const struct mb_experiment *experiment, char why[512])
{
	struct mb_record record;
	struct mb_err err;

	if (mb_record_check(&record, merged, NULL, &err) < 0) {
		snprintf(why, 512, "its result is wrong: %.400s", err.what);
		return -1;
	}
	if (record.status == MB_STATUS_OPEN) {
		snprintf(why, 512, "its result is wrong: status: \"open\" is not completed, failed or interrupted");
		return -1;
	}
	if (record.status == MB_STATUS_FAILED && !json_object_get(merged, "error"))
		mb_json_set(merged, "error", json_string("the job says so"));
	return record.status == MB_STATUS_COMPLETED ? check_metrics(merged, experiment, why) : 0;
}

int result_merge(json_t *record, const struct mb_experiment *experiment, const struct mb_str *output, char why[512])
{
	size_t n;
	const char *line = last_line(output, &n);
	json_t *result = parse(line, n, why), *merged;
	int bad;

	if (!result)
		return -1;
	merged = json_deep_copy(record);
	mb_record_set_status(merged, MB_STATUS_COMPLETED);
	if (json_is_object(result)) {
		merge_object(merged, result);
	} else {
		mb_json_set(merged, "metrics", json_object());
		mb_json_set(json_object_get(merged, "metrics"), mb_experiment_objective(experiment)->name,
			    json_incref(result));
	}
	bad = check(merged, experiment, why);
	if (!bad) {
		json_object_clear(record);
		json_object_update(record, merged);
	}
	json_decref(merged);
	json_decref(result);
	return bad;
}
