/* SPDX-License-Identifier: MIT */
#include "data/log_replay.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- keys by (trial, rung): an open-addressing table of indices, as trial numbers may be anything ---- */

static size_t first_slot(const struct mb_log *log, int64_t trial, int64_t rung)
{
	return mb_hash_mix((uint64_t)trial * 31 + (uint64_t)rung) & (log->n_slots - 1);
}

static size_t find_slot(const struct mb_log *log, int64_t trial, int64_t rung)
{
	size_t slot = first_slot(log, trial, rung);

	while (log->slots[slot]) {
		const struct mb_key *key = &log->keys[log->slots[slot] - 1];

		if (key->trial == trial && key->rung == rung)
			break;
		slot = (slot + 1) & (log->n_slots - 1);
	}
	return slot;
}

static void rehash(struct mb_log *log)
{
	free(log->slots);
	log->n_slots = log->n_slots ? 2 * log->n_slots : 256;
	log->slots = mb_alloc(log->n_slots * sizeof *log->slots);
	for (size_t i = 0; i < log->n_keys; i++)
		log->slots[find_slot(log, log->keys[i].trial, log->keys[i].rung)] = i + 1;
}

const struct mb_key *mb_log_find(const struct mb_log *log, int64_t trial, int64_t rung)
{
	size_t index = log->n_slots ? log->slots[find_slot(log, trial, rung)] : 0;

	return index ? &log->keys[index - 1] : NULL;
}

static struct mb_key *find_or_add(struct mb_log *log, int64_t trial, int64_t rung)
{
	size_t slot;

	if (2 * log->n_keys >= log->n_slots)
		rehash(log);
	slot = find_slot(log, trial, rung);
	if (!log->slots[slot]) {
		struct mb_key key = {.trial = trial, .rung = rung, .status = MB_STATUS_OPEN};

		MB_PUSH(log->keys, log->n_keys, log->cap_keys, key);
		log->slots[slot] = log->n_keys;
	}
	return &log->keys[log->slots[slot] - 1];
}

void mb_log_replay_release(struct mb_log *log)
{
	for (size_t i = 0; i < log->n_keys; i++) {
		json_decref(log->keys[i].issue);
		json_decref(log->keys[i].result);
	}
	free(log->keys);
	free(log->slots);
}

/* ---- events ---- */

static int is_final(enum mb_status status)
{
	return status == MB_STATUS_COMPLETED || status == MB_STATUS_FAILED;
}

static int late(const struct mb_key *key, const struct mb_record *record)
{
	return is_final(key->status) || (record->status == MB_STATUS_INTERRUPTED && record->attempt < key->attempt);
}

int mb_log_is_late(const struct mb_log *log, const struct mb_record *record)
{
	const struct mb_key *key = mb_log_find(log, record->trial, record->rung);

	return key && late(key, record);
}

static void replace(json_t **to, json_t *value)
{
	json_incref(value);
	json_decref(*to);
	*to = value;
}

static void apply(struct mb_log *log, const struct mb_record *record)
{
	struct mb_key *key = find_or_add(log, record->trial, record->rung);

	if (record->trial > log->last_trial)
		log->last_trial = record->trial;
	if (late(key, record))
		return;
	key->status = record->status;
	key->line = log->lines;
	if (record->status == MB_STATUS_OPEN) {
		replace(&key->issue, record->json);
		key->attempt = record->attempt;
		return;
	}
	log->results++;
	replace(&key->result, record->json);
	log->finished += (size_t)is_final(record->status);
}

/* The experiment's name on a line must be ours; a line without one is taken as ours. */
static int check_experiment(const struct mb_log *log, const json_t *json, const char *where, struct mb_err *err)
{
	const char *name = json_string_value(json_object_get(json, "experiment"));

	if (!name || !log->experiment || !strcmp(name, log->experiment))
		return 0;
	mb_err_set(err, MB_EXIT_USAGE, where, "experiment: \"%.200s\" is not \"%.200s\", the name in the experiment file",
		   name, log->experiment);
	return mb_err_hint(err, "a log holds one experiment: give another --log or --experiment");
}

int64_t mb_log_next_trial(const struct mb_log *log, const char *where, struct mb_err *err)
{
	if (log->last_trial < MB_NUM_EXACT - 1)
		return log->last_trial + 1;
	return mb_err_set(err, MB_EXIT_RECORD, where, "trial: no number is left after %lld, which %s holds",
			  (long long)log->last_trial, log->path);
}

int mb_log_complete(const struct mb_log *log, struct mb_record *record, const char *objective, const char *where,
		    struct mb_err *err)
{
	const struct mb_key *key;

	if (check_experiment(log, record->json, where, err) < 0)
		return -1;
	if (record->status == MB_STATUS_OPEN)
		return 0;
	if (record->status == MB_STATUS_COMPLETED && objective && isnan(mb_record_metric(record->json, objective))) {
		mb_err_set(err, MB_EXIT_RECORD, where, "metrics.%s: missing, the metric to optimize", objective);
		return mb_err_hint(err, "a completed record needs {\"metrics\": {\"%s\": number}}", objective);
	}
	if (!record->trial) {
		if (record->status != MB_STATUS_COMPLETED)
			return mb_err_set(err, MB_EXIT_RECORD, where, "trial: missing");
		record->trial = mb_log_next_trial(log, where, err);
		if (record->trial < 0)
			return -1;
		mb_json_set(record->json, "trial", json_integer(record->trial));
	}
	key = mb_log_find(log, record->trial, record->rung);
	if (!json_object_get(record->json, "assignments")) {
		if (!key || !key->issue)
			return mb_err_set(err, MB_EXIT_RECORD, where,
					  "assignments: missing, and the log does not know trial %lld",
					  (long long)record->trial);
		mb_json_set(record->json, "assignments", json_incref(json_object_get(key->issue, "assignments")));
	}
	if (!json_object_get(record->json, "experiment") && log->experiment)
		mb_json_set(record->json, "experiment", json_string(log->experiment));
	return 0;
}

static int replay_record(struct mb_log *log, const struct mb_record *record, const char *where, struct mb_err *err)
{
	struct mb_err why;

	if (!record->trial) {
		mb_err_set(&why, MB_EXIT_RECORD, where, "trial: missing");
		mb_errs_add(&log->bad, &why);
		return 0;
	}
	if (check_experiment(log, record->json, where, err) < 0)
		return -1;
	apply(log, record);
	return 0;
}

static int replay_line(struct mb_log *log, const char *text, size_t n, struct mb_err *err)
{
	struct mb_record record;
	struct mb_err why;
	char where[512];
	int bad;

	log->lines++;
	if (!n || strspn(text, " ") >= n) /* a blanked line: what --repair leaves of a bad one */
		return 0;
	snprintf(where, sizeof where, "%.480s:%zu", log->path, log->lines);
	if (mb_record_parse(&record, text, n, where, &why) < 0) {
		mb_errs_add(&log->bad, &why);
		return 0;
	}
	bad = replay_record(log, &record, where, err);
	mb_record_release(&record);
	return bad;
}

int mb_log_replay_record(struct mb_log *log, const struct mb_record *record, struct mb_err *err)
{
	log->lines++;
	return replay_record(log, record, log->path, err);
}

int mb_log_replay_lines(struct mb_log *log, const char *text, size_t n, struct mb_err *err)
{
	const char *end = text + n;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));

		if (replay_line(log, text, (size_t)(newline - text), err) < 0)
			return -1;
		text = newline + 1;
	}
	return 0;
}
