/* SPDX-License-Identifier: MIT
 *
 * Adds up spans: of span files, one a line, and of trial logs, where each record carries those of its trial so far. A
 * record holds again what the earlier lines of its trial held, so a span counts once, wherever it stands again.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stat/stat.h"
#include "span.h"

struct phase {
	char *name;
	double *seconds;
	size_t n, cap;
	size_t unfinished;
};

/* A begin line, until its span is seen. */
struct begun {
	uint64_t id;
	size_t phase;
};

struct tally {
	struct mb_tool *tool;
	struct phase *phases;
	size_t n, cap;
	struct begun *begun;
	size_t n_begun, cap_begun;
	struct mb_hashset seen; /* spans, by what they are */
	struct mb_hashset ended, started; /* ids */
	size_t bad;
};

/* The life cycle comes first, in its order, others as they were met. */
static const char *const lifecycle[] = {"deploy",     "setup",   "queue", "suggest", "load",    "train",   "validate",
					"checkpoint", "collect", "test",  "metrics", "undeploy"};

static size_t phase_of(struct tally *tally, const char *name)
{
	for (size_t i = 0; i < tally->n; i++)
		if (!strcmp(tally->phases[i].name, name))
			return i;
	MB_PUSH(tally->phases, tally->n, tally->cap, (struct phase){.name = mb_strdup(name)});
	return tally->n - 1;
}

static int wrong(const char *where, const char *what, const json_t *value, const char *expected, struct mb_err *err)
{
	char shown[64];

	if (!value)
		return mb_err_set(err, MB_EXIT_RECORD, where, "%s: is missing, expected %s", what, expected);
	return mb_err_set(err, MB_EXIT_RECORD, where, "%s: %s is not %s", what, mb_json_show(value, shown), expected);
}

/* Adds one span; `owner` tells apart spans of different trials that look the same. */
static int add_span(struct tally *tally, const json_t *span, uint64_t owner, const char *where, const char *path,
		    struct mb_err *err)
{
	const json_t *phase = json_object_get(span, "phase"), *start = json_object_get(span, "start"),
		     *seconds = json_object_get(span, "seconds");
	struct phase *to;
	size_t index;
	char what[96];
	double times[2];

	if (!json_is_object(span))
		return wrong(where, path, span, "an object", err);
	if (!json_is_string(phase) || !*json_string_value(phase)) {
		snprintf(what, sizeof what, "%s%sphase", path, *path ? "." : "");
		return wrong(where, what, phase, "a text", err);
	}
	if (!json_is_number(start)) {
		snprintf(what, sizeof what, "%s%sstart", path, *path ? "." : "");
		return wrong(where, what, start, "a number", err);
	}
	if (!json_is_number(seconds) || json_number_value(seconds) < 0) {
		snprintf(what, sizeof what, "%s%sseconds", path, *path ? "." : "");
		return wrong(where, what, seconds, "a number of at least 0", err);
	}
	times[0] = json_number_value(start);
	times[1] = json_number_value(seconds);
	owner = mb_hash_bytes(times, sizeof times, owner);
	owner = mb_hash_bytes(json_string_value(phase), json_string_length(phase), owner);
	if (!mb_hashset_add(&tally->seen, owner))
		return 0;
	index = phase_of(tally, json_string_value(phase)); /* may move the phases */
	to = &tally->phases[index];
	MB_PUSH(to->seconds, to->n, to->cap, times[1]);
	return 0;
}

/* A line of a span file. Events of other kinds are for others. */
static int add_event(struct tally *tally, const json_t *line, const char *where, struct mb_err *err)
{
	const json_t *event = json_object_get(line, "event"), *id = json_object_get(line, "id"),
		     *phase = json_object_get(line, "phase");
	uint64_t key;

	if (!json_is_string(event))
		return wrong(where, "event", event, "a text", err);
	if (strcmp(json_string_value(event), "begin") && strcmp(json_string_value(event), "span"))
		return 0;
	if (!json_is_string(id))
		return wrong(where, "id", id, "a text", err);
	key = mb_hash_bytes(json_string_value(id), json_string_length(id), 1);
	if (!strcmp(json_string_value(event), "span")) {
		if (add_span(tally, line, key, where, "", err) < 0)
			return -1;
		mb_hashset_add(&tally->ended, key);
		return 0;
	}
	if (!json_is_string(phase) || !*json_string_value(phase))
		return wrong(where, "phase", phase, "a text", err);
	if (mb_hashset_add(&tally->started, key)) {
		struct begun begun = {key, phase_of(tally, json_string_value(phase))};

		MB_PUSH(tally->begun, tally->n_begun, tally->cap_begun, begun);
	}
	return 0;
}

/* A record: the spans of (experiment, trial, rung). */
static int add_record(struct tally *tally, const json_t *line, const char *where, struct mb_err *err)
{
	const json_t *spans = json_object_get(line, "spans"), *name = json_object_get(line, "experiment");
	json_int_t key[2] = {json_integer_value(json_object_get(line, "trial")),
			     json_integer_value(json_object_get(line, "rung"))};
	uint64_t owner = mb_hash_bytes(key, sizeof key, 2);
	char path[48];

	if (!spans)
		return 0;
	if (!json_is_array(spans))
		return wrong(where, "spans", spans, "an array", err);
	if (json_is_string(name))
		owner = mb_hash_bytes(json_string_value(name), json_string_length(name), owner);
	for (size_t i = 0; i < json_array_size(spans); i++) {
		snprintf(path, sizeof path, "spans[%zu]", i);
		if (add_span(tally, json_array_get(spans, i), owner, where, path, err) < 0)
			return -1;
	}
	return 0;
}

static int add_line(struct tally *tally, const struct mb_line *line, const char *where, struct mb_err *err)
{
	json_t *value = mb_json_parse(line->text, line->n, where, err);
	char shown[64];
	int status;

	if (!value)
		return -1;
	if (!json_is_object(value))
		status = mb_err_set(err, MB_EXIT_RECORD, where, "%s is not a span or a record, a JSON object",
				    mb_json_show(value, shown));
	else if (json_object_get(value, "event"))
		status = add_event(tally, value, where, err);
	else
		status = add_record(tally, value, where, err);
	json_decref(value);
	return status;
}

/* 0, or -1 when the file cannot be read. The last line may still be being written. */
static int add_file(struct tally *tally, const char *path, struct mb_err *err)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	enum mb_line_result result;
	struct mb_lines in;
	struct mb_line line;
	struct mb_err bad;
	char where[512];

	if (fd < 0)
		return mb_err_errno(err, path, NULL);
	mb_lines_init(&in, fd);
	while ((result = mb_lines_next(&in, &line)) == MB_LINE || result == MB_LINE_NONE) {
		if (result == MB_LINE_NONE)
			continue;
		snprintf(where, sizeof where, "%.480s:%zu", fd == STDIN_FILENO ? "stdin" : path, line.number);
		if (add_line(tally, &line, where, &bad) == 0 || !line.whole)
			continue;
		mb_tool_fail(tally->tool, &bad);
		tally->bad++;
	}
	if (result == MB_LINE_ERROR) {
		errno = in.error;
		mb_err_errno(err, path, NULL);
	}
	mb_lines_release(&in);
	if (fd != STDIN_FILENO)
		close(fd);
	return result == MB_LINE_ERROR ? -1 : 0;
}

static int rank(const struct phase *phase)
{
	size_t i = 0;

	while (i < MB_COUNT(lifecycle) && strcmp(lifecycle[i], phase->name))
		i++;
	return (int)i;
}

/* Stable, for those outside the life cycle. */
static void put_in_order(struct phase *phases, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t j = i; j && rank(&phases[j]) < rank(&phases[j - 1]); j--) {
			struct phase held = phases[j];

			phases[j] = phases[j - 1];
			phases[j - 1] = held;
		}
}

/* Seconds with four digits or so: spans are from microseconds to days. */
static const char *show(double seconds, char text[32])
{
	int digits = seconds >= 1000 ? 0 : seconds >= 100 ? 1 : seconds >= 10 ? 2 : seconds >= 1 ? 3 : seconds >= 0.01 ? 4 : 6;

	if (!(seconds >= 0))
		return "-";
	snprintf(text, 32, "%.*f", digits, seconds);
	return text;
}

static void add_row(struct mb_str *out, const char *name, const struct mb_summary *summary, double share, size_t unfinished)
{
	char total[32], median[32], p95[32];

	mb_str_addf(out, "%-12s %8zu %12s %12s %12s %6.1f%% %11zu\n", name, summary->n, show(summary->sum, total),
		    show(summary->median, median), show(summary->p95, p95), 100 * share, unfinished);
}

static json_t *rounded(double value)
{
	return json_real(round(value * 1e6) / 1e6);
}

static void add_object(struct mb_str *out, const char *name, const struct mb_summary *summary, double share,
		       size_t unfinished)
{
	json_t *object = json_object();

	mb_json_set(object, "phase", json_string(name));
	mb_json_set(object, "count", json_integer((json_int_t)summary->n));
	mb_json_set(object, "seconds", rounded(summary->sum));
	if (summary->n) {
		mb_json_set(object, "median_seconds", rounded(summary->median));
		mb_json_set(object, "p95_seconds", rounded(summary->p95));
	}
	mb_json_set(object, "share", rounded(share));
	mb_json_set(object, "unfinished", json_integer((json_int_t)unfinished));
	mb_json_print(object, out);
	mb_str_adds(out, "\n");
	json_decref(object);
}

static int print_report(struct tally *tally, int json)
{
	struct mb_str out = {0};
	double all = 0;
	int status;

	for (size_t i = 0; i < tally->n_begun; i++)
		if (!mb_hashset_has(&tally->ended, tally->begun[i].id))
			tally->phases[tally->begun[i].phase].unfinished++;
	put_in_order(tally->phases, tally->n);
	for (size_t i = 0; i < tally->n; i++)
		all += mb_summary_of(tally->phases[i].seconds, tally->phases[i].n).sum;
	if (!json)
		mb_str_adds(&out, "phase               n      total s     median s        p95 s   share  unfinished\n");
	for (size_t i = 0; i < tally->n; i++) {
		const struct phase *phase = &tally->phases[i];
		struct mb_summary summary = mb_summary_of(phase->seconds, phase->n);

		(json ? add_object : add_row)(&out, phase->name, &summary, all > 0 ? summary.sum / all : 0,
					      phase->unfinished);
	}
	status = mb_tool_write(tally->tool, out.at, out.n) < 0 && !tally->tool->stdout_gone ? MB_EXIT_SYSTEM : MB_EXIT_OK;
	mb_str_release(&out);
	return status;
}

int report(struct mb_tool *tool, char **paths, size_t n, int json)
{
	struct tally tally = {.tool = tool};
	int status = MB_EXIT_OK, printed;
	struct mb_err err;

	for (size_t i = 0; i < n; i++)
		if (add_file(&tally, paths[i], &err) < 0)
			status = mb_tool_fail(tool, &err);
	if (tally.n) {
		printed = print_report(&tally, json);
		status = status ? status : printed;
	} else if (!status && !tally.bad) {
		mb_tool_warn(tool, "no spans in %s%s", paths[0], n > 1 ? " and the other files" : "");
		status = MB_EXIT_NO;
	}
	if (!status && tally.bad)
		status = MB_EXIT_RECORD;
	for (size_t i = 0; i < tally.n; i++) {
		free(tally.phases[i].name);
		free(tally.phases[i].seconds);
	}
	free(tally.phases);
	free(tally.begun);
	mb_hashset_release(&tally.seen);
	mb_hashset_release(&tally.ended);
	mb_hashset_release(&tally.started);
	return status;
}
