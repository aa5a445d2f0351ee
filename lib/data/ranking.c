/* SPDX-License-Identifier: MIT */
#include "data/ranking.h"

#include <math.h>
#include <stdlib.h>

struct ranked {
	const struct mb_key *key;
	double value; /* higher is better */
};

static int by_value(const void *a, const void *b)
{
	const struct ranked *left = a, *right = b;

	if (left->value != right->value)
		return left->value < right->value ? 1 : -1;
	return left->key->trial < right->key->trial ? -1 : left->key->trial > right->key->trial;
}

const struct mb_key **mb_ranking(const struct mb_log *log, const struct mb_metric *objective, size_t *n)
{
	const struct mb_key **keys = mb_alloc((log->n_keys + 1) * sizeof *keys);
	struct ranked *ranked = mb_alloc((log->n_keys + 1) * sizeof *ranked);
	int64_t highest = 0;

	*n = 0;
	for (size_t i = 0; i < log->n_keys; i++)
		if (log->keys[i].status == MB_STATUS_COMPLETED && log->keys[i].rung > highest)
			highest = log->keys[i].rung;
	for (size_t i = 0; i < log->n_keys; i++) {
		const struct mb_key *key = &log->keys[i];
		double value = key->result ? mb_record_metric(key->result, objective->name) : NAN;

		if (key->status == MB_STATUS_COMPLETED && key->rung == highest && !isnan(value))
			ranked[(*n)++] = (struct ranked){key, objective->maximize ? value : -value};
	}
	qsort(ranked, *n, sizeof *ranked, by_value);
	for (size_t i = 0; i < *n; i++)
		keys[i] = ranked[i].key;
	free(ranked);
	return keys;
}

const struct mb_key *mb_incumbent(const struct mb_log *log, const struct mb_metric *objective)
{
	size_t n;
	const struct mb_key **keys = mb_ranking(log, objective, &n);
	const struct mb_key *best = n ? keys[0] : NULL;

	free(keys);
	return best;
}
