/* SPDX-License-Identifier: MIT
 *
 * Where the search of a deployment stands: the replay of its log.
 */
#include <stdlib.h>
#include <unistd.h>

#include "deploy.h"
#include "opt/opt.h"

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

static void rank(struct standing *standing, const struct mb_log *log)
{
	const struct mb_metric *objective = mb_experiment_objective(standing->experiment);
	struct mb_ranking ranking;

	mb_ranking_init(&ranking, log, standing->experiment);
	standing->metric = objective->name;
	standing->ranked = ranking.n;
	standing->feasible = ranking.feasible;
	if (mb_experiment_count(standing->experiment, MB_STRATEGY_OPTIMIZE) > 1) {
		standing->front = ranking.front;
		standing->hypervolume = ranking.hypervolume;
	} else if (ranking.front) {
		standing->best = mb_record_metric(ranking.keys[0]->result, objective->name);
		standing->best_trial = ranking.keys[0]->trial;
	}
	mb_ranking_release(&ranking);
}

/* The copy of the file comes after the marker and goes before it. */
static int not_whole(const struct deployment *deployment, struct mb_err *err)
{
	if (deployment->journal.delete_open) {
		mb_err_set(err, MB_EXIT_NO, deployment->folder, "is half deleted");
		return mb_err_hint(err, "mb-deploy delete %s ends it", deployment->name);
	}
	mb_err_set(err, MB_EXIT_NO, deployment->folder, "holds no copy of the experiment file");
	return mb_err_hint(err, "mb-deploy start %s makes it whole, mb-deploy delete %s removes it", deployment->source,
			   deployment->name);
}

int standing_read(struct standing *standing, const struct deployment *deployment, struct mb_err *err)
{
	char *copy = folder_file(deployment, "experiment.yaml"), *path = folder_file(deployment, "trials.ndjson");
	struct mb_errs errs = {0};
	struct mb_log log;
	int bad = -1;

	*standing = (struct standing){0};
	standing->experiment = mb_experiment_read(copy, &errs);
	if (!standing->experiment && access(copy, F_OK) < 0)
		not_whole(deployment, err);
	else if (!standing->experiment)
		*err = errs.at[0];
	else
		bad = mb_log_open(&log, path, standing->experiment->name, MB_LOG_READ, NULL, err);
	if (!bad) {
		standing->budget = standing->experiment->observation_budget;
		standing->ladder = mb_ladder_of(standing->experiment);
		standing->spending = mb_ladder_spending(&standing->ladder, &log);
		for (size_t i = 0; i < log.n_keys; i++)
			count(standing, &log.keys[i]);
		rank(standing, &log);
		mb_log_close(&log);
	}
	mb_errs_release(&errs);
	free(copy);
	free(path);
	return bad;
}

int standing_is_over(const struct standing *standing)
{
	return mb_ladder_is_over(&standing->ladder, &standing->spending);
}

void standing_text(const struct standing *standing, struct mb_str *text)
{
	mb_ladder_text(&standing->ladder, standing->spending.finished, text);
	mb_str_addf(text, " of %lld observations", (long long)standing->budget);
}

void standing_release(struct standing *standing)
{
	mb_experiment_free(standing->experiment);
	*standing = (struct standing){0};
}
