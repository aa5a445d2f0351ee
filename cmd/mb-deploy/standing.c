/* SPDX-License-Identifier: MIT
 *
 * Where the search of a deployment stands: the replay of its log.
 */
#include <math.h>
#include <stdlib.h>

#include "deploy.h"

static void count(struct standing *standing, const struct mb_key *key)
{
	switch (key->status) {
	case MB_STATUS_COMPLETED:
		standing->completed++;
		break;
	case MB_STATUS_FAILED:
		standing->failed++;
		break;
	case MB_STATUS_INTERRUPTED:
		standing->interrupted++;
		break;
	case MB_STATUS_OPEN:
		standing->open++;
	}
}

/* Of the highest rung that was reached, as mb-collect --best. */
static void find_best(struct standing *standing, const struct mb_log *log, const struct mb_metric *objective)
{
	int64_t highest = 0;

	for (size_t i = 0; i < log->n_keys; i++)
		if (log->keys[i].status == MB_STATUS_COMPLETED && log->keys[i].rung > highest)
			highest = log->keys[i].rung;
	for (size_t i = 0; i < log->n_keys; i++) {
		const struct mb_key *key = &log->keys[i];
		double value = key->result ? mb_record_metric(key->result, objective->name) : NAN;

		if (key->status != MB_STATUS_COMPLETED || key->rung != highest || isnan(value))
			continue;
		if (!standing->best_trial ||
		    (objective->maximize ? value > standing->best : value < standing->best)) {
			standing->best = value;
			standing->best_trial = key->trial;
		}
	}
}

int standing_read(struct standing *standing, const struct deployment *deployment, struct mb_err *err)
{
	char *copy = folder_file(deployment, "experiment.yaml"), *path = folder_file(deployment, "trials.ndjson");
	struct mb_errs errs = {0};
	struct mb_log log;
	int bad = -1;

	*standing = (struct standing){0};
	standing->experiment = mb_experiment_read(copy, &errs);
	if (!standing->experiment)
		*err = errs.at[0];
	else
		bad = mb_log_open(&log, path, standing->experiment->name, MB_LOG_READ, NULL, err);
	if (!bad) {
		const struct mb_metric *objective = mb_experiment_objective(standing->experiment);

		standing->budget = standing->experiment->observation_budget;
		standing->metric = objective->name;
		for (size_t i = 0; i < log.n_keys; i++)
			count(standing, &log.keys[i]);
		find_best(standing, &log, objective);
		mb_log_close(&log);
	}
	mb_errs_release(&errs);
	free(copy);
	free(path);
	return bad;
}

int standing_is_over(const struct standing *standing)
{
	return standing->completed + standing->failed >= standing->budget;
}

void standing_release(struct standing *standing)
{
	mb_experiment_free(standing->experiment);
	*standing = (struct standing){0};
}
