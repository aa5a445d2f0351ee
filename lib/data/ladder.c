/* SPDX-License-Identifier: MIT */
#include "data/ladder.h"

#include <math.h>

enum {
	TASK_UNITS = 1000000000, /* of a task of cost 1: a budget of 10^9 of them still fits an int64 */
	TASK_ETA = 3
};

struct mb_ladder mb_ladder_of(const struct mb_experiment *experiment)
{
	const struct mb_fidelity *fidelity = &experiment->fidelity;
	struct mb_ladder ladder = {.experiment = experiment, .n = 1, .units = {1}, .eta = TASK_ETA, .goes_on = 1};

	if (fidelity->name) {
		ladder.n = 0;
		ladder.eta = fidelity->eta;
		for (int64_t units = fidelity->min; units < fidelity->max; units *= fidelity->eta)
			ladder.units[ladder.n++] = units;
		ladder.units[ladder.n++] = fidelity->max;
	} else if (experiment->n_tasks) {
		ladder.n = experiment->n_tasks;
		ladder.goes_on = 0;
		for (size_t i = 0; i < ladder.n; i++) {
			int64_t units = llround(experiment->tasks[i].cost * TASK_UNITS);

			ladder.units[i] = units > 0 ? units : 1;
		}
	}
	ladder.full = ladder.units[ladder.n - 1];
	return ladder;
}

size_t mb_ladder_rung(const struct mb_ladder *ladder, int64_t rung)
{
	return rung < (int64_t)ladder->n ? (size_t)rung : ladder->n - 1;
}

int64_t mb_ladder_cost(const struct mb_ladder *ladder, int64_t from, size_t to)
{
	return ladder->units[to] - (ladder->goes_on && from >= 0 ? ladder->units[from] : 0);
}

/* With the trial's trainings summed up, what they spend is its highest rung's units: so what a key adds is what it rises
 * above those before it. */
int64_t mb_ladder_adds(const struct mb_ladder *ladder, const struct mb_log *log, size_t index)
{
	const struct mb_key *key = &log->keys[index];
	const size_t rung = mb_ladder_rung(ladder, key->rung);
	int64_t below = 0;

	if (!ladder->goes_on)
		return ladder->units[rung];
	for (size_t i = 0; i < ladder->n; i++) {
		const struct mb_key *other = mb_log_find(log, key->trial, (int64_t)i);

		if (other && other < key && ladder->units[i] > below)
			below = ladder->units[i];
	}
	return ladder->units[rung] > below ? ladder->units[rung] - below : 0;
}

int64_t mb_ladder_budget(const struct mb_ladder *ladder)
{
	return ladder->experiment->observation_budget * ladder->full;
}

struct mb_spending mb_ladder_spending(const struct mb_ladder *ladder, const struct mb_log *log)
{
	struct mb_spending spending = {.budget = mb_ladder_budget(ladder)};

	for (size_t i = 0; i < log->n_keys; i++) {
		const enum mb_status status = log->keys[i].status;
		const int finished = status == MB_STATUS_COMPLETED || status == MB_STATUS_FAILED;

		*(finished ? &spending.finished : &spending.open) += mb_ladder_adds(ladder, log, i);
	}
	return spending;
}

int mb_ladder_is_over(const struct mb_ladder *ladder, const struct mb_spending *spending)
{
	int64_t cheapest = ladder->units[0];

	for (size_t rung = 1; rung < ladder->n; rung++) {
		int64_t cost = mb_ladder_cost(ladder, (int64_t)rung - 1, rung);

		cheapest = cost < cheapest ? cost : cheapest;
	}
	return spending->finished >= spending->budget ||
	       (!spending->open && spending->budget - spending->finished < cheapest);
}

json_t *mb_ladder_fidelity(const struct mb_ladder *ladder, size_t rung)
{
	const struct mb_experiment *experiment = ladder->experiment;
	json_t *json = json_object();

	if (experiment->fidelity.name) {
		mb_json_set(json, experiment->fidelity.name, json_integer(ladder->units[rung]));
	} else if (experiment->n_tasks) {
		mb_json_set(json, "task", json_string(experiment->tasks[rung].name));
	} else {
		json_decref(json);
		json = NULL;
	}
	return json;
}

void mb_ladder_rung_text(const struct mb_ladder *ladder, size_t rung, struct mb_str *text)
{
	const struct mb_experiment *experiment = ladder->experiment;

	if (experiment->fidelity.name)
		mb_str_addf(text, "%s %lld", experiment->fidelity.name, (long long)ladder->units[rung]);
	else if (experiment->n_tasks)
		mb_str_addf(text, "task %s", experiment->tasks[rung].name);
}

void mb_ladder_text(const struct mb_ladder *ladder, int64_t units, struct mb_str *text)
{
	const int64_t hundredths = units % ladder->full * 100 / ladder->full;

	mb_str_addf(text, "%lld", (long long)(units / ladder->full));
	if (units % ladder->full)
		mb_str_addf(text, ".%02lld", (long long)hundredths);
}
