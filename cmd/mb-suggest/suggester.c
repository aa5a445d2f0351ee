/* SPDX-License-Identifier: MIT */
#include "suggester.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sigopt.h"

void suggester_init(struct suggester *suggester, struct mb_tool *tool, const struct mb_experiment *experiment,
		    const struct mb_algorithm *algorithm, uint64_t seed)
{
	*suggester = (struct suggester){
		.tool = tool, .experiment = experiment, .algorithm = algorithm, .seed = seed, .log = {.fd = -1},
		.cache = mb_cache_new()};
	suggester->ladder = mb_ladder_of(experiment);
	suggester->spending.budget = mb_ladder_budget(&suggester->ladder);
}

void suggester_release(struct suggester *suggester)
{
	for (size_t i = 0; i < suggester->n_issued; i++)
		json_decref(suggester->issued[i]);
	free(suggester->issued);
	free(suggester->open);
	json_decref(suggester->owner);
	json_decref(suggester->surrogate);
	mb_hashset_release(&suggester->points);
	free(suggester->observations);
	free(suggester->u);
	free(suggester->metrics);
	free(suggester->metrics_stddev);
	free(suggester->observed);
	mb_cache_free(suggester->cache);
	mb_log_close(&suggester->log);
}

static int is_open(const struct mb_key *key)
{
	return key->status == MB_STATUS_OPEN || key->status == MB_STATUS_INTERRUPTED;
}

/* What a suggestion was made with; its result carries that too, and is all that a history of results has. */
static void learn_issue(struct suggester *suggester, const json_t *record)
{
	json_t *surrogate = json_object_get(record, "surrogate");
	double start_s, end_s = mb_record_last_span(record, "suggest", &start_s);

	if (surrogate) {
		json_decref(suggester->surrogate);
		suggester->surrogate = json_incref(surrogate);
	}
	if (end_s > 0) {
		suggester->suggest_s += end_s - start_s;
		suggester->n_suggest++;
	}
}

/* Of an algorithm with restarts, the run that asked for it. */
static int64_t run_of(const json_t *record)
{
	const json_t *run = json_object_get(json_object_get(record, "surrogate"), "run");

	return json_is_integer(run) && json_integer_value(run) >= 0 ? json_integer_value(run) : -1;
}

/* A row for each observation, filled when its result comes. */
static void add_metric_rows(struct suggester *suggester, size_t n)
{
	size_t m = suggester->experiment->n_metrics;

	suggester->metrics =
		mb_grow(suggester->metrics, &suggester->cap_metrics, (n + 1) * m, sizeof *suggester->metrics);
	suggester->metrics_stddev =
		mb_grow(suggester->metrics_stddev, &suggester->cap_stddev, (n + 1) * m, sizeof *suggester->metrics_stddev);
	for (size_t i = n * m; i < (n + 1) * m; i++) {
		suggester->metrics[i] = NAN;
		suggester->metrics_stddev[i] = 0;
	}
}

static double share_of(const struct suggester *suggester, const struct mb_key *key)
{
	const struct mb_ladder *ladder = &suggester->ladder;

	return (double)ladder->units[mb_ladder_rung(ladder, key->rung)] / (double)ladder->full;
}

static void learn_point(struct suggester *suggester, const struct mb_key *key)
{
	const struct mb_space *space = &suggester->experiment->space;
	const json_t *record = key->issue ? key->issue : key->result;
	const json_t *assignments = json_object_get(record, "assignments");
	size_t dims = mb_space_dims(space), n = suggester->n_observations;
	struct mb_err err;

	learn_issue(suggester, record);
	if (mb_space_check(space, assignments, &err) < 0) {
		suggester->outside++;
		MB_PUSH(suggester->observed, suggester->n_observed, suggester->cap_observed, NOT_OBSERVED);
		return;
	}
	mb_hashset_add(&suggester->points, mb_space_key(space, assignments));
	MB_PUSH(suggester->observed, suggester->n_observed, suggester->cap_observed, n);
	suggester->u = mb_grow(suggester->u, &suggester->cap_u, (n + 1) * dims, sizeof *suggester->u);
	mb_space_locate(space, assignments, &suggester->u[n * dims]); /* it was checked just now */
	add_metric_rows(suggester, n);
	MB_PUSH(suggester->observations, suggester->n_observations, suggester->cap_observations,
		((struct mb_observation){.trial = key->trial, .rung = key->rung, .fidelity = share_of(suggester, key),
					 .pending = 1, .run = run_of(key->issue ? key->issue : key->result)}));
}

static double spent_s(const json_t *record)
{
	static const char *const phases[] = {"train", "validate"};
	double seconds = 0;

	for (size_t i = 0; i < MB_COUNT(phases); i++) {
		double start_s, end_s = mb_record_last_span(record, phases[i], &start_s);

		seconds += end_s > 0 ? end_s - start_s : 0;
	}
	return seconds;
}

/* A trial has ended. A result without an optimised metric (one that was renamed) teaches as little as a failed one. */
static void learn_result(struct suggester *suggester, size_t index)
{
	const struct mb_experiment *experiment = suggester->experiment;
	const struct mb_metric *objective = mb_experiment_objective(experiment);
	const struct mb_key *key = &suggester->log.keys[index];
	const json_t *stddev = json_object_get(key->result, "metrics_stddev");
	size_t at = suggester->observed[index], m = experiment->n_metrics;
	struct mb_observation *observation;

	if (at == NOT_OBSERVED)
		return;
	observation = &suggester->observations[at];
	observation->pending = 0;
	observation->told = key->line;
	observation->cost_s = spent_s(key->result);
	observation->failed = key->status != MB_STATUS_COMPLETED;
	for (size_t i = 0; i < m; i++) {
		const struct mb_metric *metric = &experiment->metrics[i];
		const json_t *given = json_object_get(stddev, metric->name);
		double value = observation->failed ? NAN : mb_record_metric(key->result, metric->name);

		suggester->metrics[at * m + i] = value;
		suggester->metrics_stddev[at * m + i] = given ? json_number_value(given) : metric->noise;
		if (metric->strategy == MB_STRATEGY_OPTIMIZE)
			observation->failed |= isnan(value);
		if (metric == objective) {
			observation->value = metric->maximize ? -value : value;
			observation->noise = suggester->metrics_stddev[at * m + i];
		}
	}
}

void suggester_update(struct suggester *suggester)
{
	const struct mb_log *log = &suggester->log;
	size_t kept = 0;

	for (; suggester->keys_seen < log->n_keys; suggester->keys_seen++) {
		suggester->spending.open += mb_ladder_adds(&suggester->ladder, log, suggester->keys_seen);
		learn_point(suggester, &log->keys[suggester->keys_seen]);
		MB_PUSH(suggester->open, suggester->n_open, suggester->cap_open, suggester->keys_seen);
	}
	for (size_t i = 0; i < suggester->n_open; i++)
		if (is_open(&log->keys[suggester->open[i]])) {
			suggester->open[kept++] = suggester->open[i];
		} else {
			int64_t units = mb_ladder_adds(&suggester->ladder, log, suggester->open[i]);

			suggester->spending.open -= units;
			suggester->spending.finished += units;
			learn_result(suggester, suggester->open[i]);
		}
	suggester->n_open = kept;
}

static uint64_t trial_seed(const struct suggester *suggester, int64_t trial)
{
	struct mb_rng rng;

	mb_rng_init(&rng, suggester->seed, (uint64_t)trial, MB_RNG_TRIAL);
	return mb_rng_u64(&rng) & (uint64_t)(MB_NUM_EXACT - 1);
}

static int put_issue(struct suggester *suggester, json_t *record, double start_s, struct mb_err *err)
{
	json_object_del(record, "commit"); /* an attempt is of the code that it runs */
	if (suggester->experiment->commit)
		mb_json_set(record, "commit", json_string(suggester->experiment->commit));
	if (suggester->owner)
		mb_json_set(record, "owner", json_incref(suggester->owner));
	mb_record_add_span(record, "suggest", start_s, mb_clock_now_s() - start_s);
	MB_PUSH(suggester->issued, suggester->n_issued, suggester->cap_issued, record);
	return mb_log_append(&suggester->log, record, err);
}

/* A trial that was issued before goes out under its own number, as the suggestion it was. */
static int issue_again(struct suggester *suggester, size_t index, struct mb_err *err)
{
	static const char *const of_the_attempt[] = {"owner", "spans", "metrics", "metrics_stddev", "error", "host",
						     "pid",   "device", "model",  "epoch_metrics"};
	const struct mb_key *key = &suggester->log.keys[index];
	json_t *record = json_copy(key->issue ? key->issue : key->result);
	/* An interrupted record of a trial that somebody else issued: the log knows no issue, the record tells which it was. */
	int64_t told = key->issue ? 0 : json_integer_value(json_object_get(record, "attempt"));
	double start_s = mb_clock_now_s();

	if (suggester->reissued)
		suggester->reissued(suggester, index);
	for (size_t i = 0; i < MB_COUNT(of_the_attempt); i++)
		json_object_del(record, of_the_attempt[i]);
	mb_record_set_status(record, MB_STATUS_OPEN);
	mb_json_set(record, "attempt", json_integer((told > key->attempt ? told : key->attempt) + 1));
	return put_issue(suggester, record, start_s, err);
}

struct mb_history suggester_history(const struct suggester *suggester)
{
	return (struct mb_history){
		.experiment = suggester->experiment,
		.seen = &suggester->points,
		.observations = suggester->observations,
		.u = suggester->u,
		.metrics = suggester->metrics,
		.metrics_stddev = suggester->metrics_stddev,
		.surrogate = suggester->surrogate,
		.suggest_s = suggester->n_suggest ? suggester->suggest_s / (double)suggester->n_suggest : 0,
		.n = suggester->n_observations,
		.seed = suggester->seed,
		.cache = suggester->cache,
		.transfer = suggester->transfer};
}

static struct mb_move next_move(const struct suggester *suggester)
{
	const struct mb_spending *spending = &suggester->spending;
	struct mb_history history = suggester_history(suggester);

	return mb_fidelity_next(&history, spending->budget - spending->finished - spending->open,
				!suggester->exhausted);
}

/* Appends a first issue of a key. `member`: what a service wants to find there, NULL: nothing. */
static int put_new(struct suggester *suggester, int64_t trial, size_t rung, const struct mb_suggestion *suggestion,
		   json_t *member, json_t *seed, double start_s, struct mb_err *err)
{
	json_t *record = json_object(), *fidelity = mb_ladder_fidelity(&suggester->ladder, rung);

	mb_json_set(record, "experiment", json_string(suggester->experiment->name));
	mb_json_set(record, "trial", json_integer(trial));
	if (fidelity) {
		mb_json_set(record, "rung", json_integer((json_int_t)rung));
		mb_json_set(record, "fidelity", fidelity);
	}
	mb_json_set(record, "assignments", suggestion->assignments);
	mb_json_set(record, "seed", seed);
	mb_record_set_status(record, MB_STATUS_OPEN);
	mb_json_set(record, "attempt", json_integer(1));
	mb_json_set(record, "algorithm", json_string(suggestion->algorithm));
	if (suggestion->surrogate)
		mb_json_set(record, "surrogate", suggestion->surrogate);
	if (member)
		mb_json_set(record, "sigopt", member);
	if (put_issue(suggester, record, start_s, err) < 0)
		return -1;
	suggester_update(suggester);
	return 0;
}

static json_t *seed_of(const struct suggester *suggester, int64_t trial)
{
	return json_integer((json_int_t)trial_seed(suggester, trial));
}

static int issue_new(struct suggester *suggester, size_t rung, double start_s, struct mb_err *err)
{
	struct mb_history history = suggester_history(suggester);
	struct mb_suggestion suggestion;
	json_t *member = NULL;

	history.trial = mb_log_next_trial(&suggester->log, NULL, err);
	if (history.trial < 0)
		return -1;
	if (suggester->sigopt)
		start_s -= sigopt_take(suggester->sigopt, &suggestion, &member);
	else if (mb_suggest(suggester->algorithm, &history, &suggestion, err) < 0)
		return -1;
	return put_new(suggester, history.trial, rung, &suggestion, member, seed_of(suggester, history.trial), start_s, err);
}

/* A trial goes on to a higher rung as the suggestion that it was. */
static int issue_promotion(struct suggester *suggester, const struct mb_move *move, double start_s, struct mb_err *err)
{
	const struct mb_observation *from = &suggester->observations[move->from];
	const struct mb_key *key = mb_log_find(&suggester->log, from->trial, from->rung);
	const json_t *record = key->issue ? key->issue : key->result;
	json_t *seed = json_object_get(record, "seed");
	struct mb_suggestion suggestion = {json_incref(json_object_get(record, "assignments")), "asha", NULL};

	return put_new(suggester, from->trial, move->rung, &suggestion, NULL,
		       seed ? json_incref(seed) : seed_of(suggester, from->trial), start_s, err);
}

/* 1: issued; 0: there is nothing now; -1: an error. */
static int issue_next(struct suggester *suggester, struct mb_err *err)
{
	double start_s = mb_clock_now_s();
	struct mb_move move = next_move(suggester);

	if (move.kind == MB_MOVE_PROMOTE)
		return issue_promotion(suggester, &move, start_s, err) < 0 ? -1 : 1;
	if (move.kind == MB_MOVE_NONE || (suggester->sigopt && !sigopt_ready(suggester->sigopt)))
		return 0;
	if (issue_new(suggester, move.rung, start_s, err) == 0)
		return 1;
	if (err->code != MB_EXIT_NO)
		return -1;
	suggester->exhausted = 1;
	return issue_next(suggester, err);
}

int suggester_has_more(const struct suggester *suggester)
{
	return next_move(suggester).kind != MB_MOVE_NONE;
}

/* Issues again every open key of that fate, up to count in all. */
static int issue_fate(struct suggester *suggester, enum fate fate, size_t count, struct mb_err *err)
{
	for (size_t i = 0; i < suggester->n_open && suggester->n_issued < count; i++)
		if (suggester->fate(suggester, suggester->open[i]) == fate &&
		    issue_again(suggester, suggester->open[i], err) < 0)
			return -1;
	return 0;
}

size_t suggester_budget_left(const struct suggester *suggester)
{
	size_t budget = (size_t)suggester->experiment->observation_budget;
	size_t used = suggester->log.finished + suggester->n_open;

	return used < budget && !suggester->exhausted ? budget - used : 0;
}

int suggester_prepare(struct suggester *suggester, size_t count, struct mb_err *err)
{
	struct sigopt *sigopt = suggester->sigopt;
	size_t left = suggester_budget_left(suggester), free = 0;

	if (!sigopt)
		return 0;
	for (size_t i = 0; i < suggester->n_open; i++)
		free += suggester->fate(suggester, suggester->open[i]) == FATE_FREE;
	/* A loop gives out first what can be had without the service, and comes back. */
	if (count && free && suggester->owner && !suggester_done(suggester))
		return 0;
	count = count > free ? count - free : 0;
	count = count < left ? count : left;
	return count || sigopt_due(sigopt) ? sigopt_begin(sigopt, count, err) : 0;
}

int suggester_settle(struct suggester *suggester, struct mb_err *err)
{
	return suggester->sigopt ? sigopt_end(suggester->sigopt, err) : 0;
}

static int is_used_up(const struct suggester *suggester)
{
	return suggester->spending.finished >= suggester->spending.budget;
}

int suggester_issue(struct suggester *suggester, size_t count, struct mb_err *err)
{
	suggester_update(suggester);
	if (is_used_up(suggester))
		return 0;
	if (issue_fate(suggester, FATE_FREE, count, err) < 0)
		return -1;
	while (suggester->n_issued < count) {
		int issued = issue_next(suggester, err);

		if (issued <= 0)
			return issued;
	}
	return 0;
}

int suggester_issue_late(struct suggester *suggester, struct mb_err *err)
{
	return issue_fate(suggester, FATE_LATE, (size_t)-1, err);
}

static void tell_issued(const struct suggester *suggester, const json_t *record)
{
	const json_t *rung = json_object_get(record, "rung");
	struct mb_str text = {0};

	if (rung && json_object_get(record, "fidelity")) {
		mb_str_adds(&text, ", ");
		mb_ladder_rung_text(&suggester->ladder, mb_ladder_rung(&suggester->ladder, json_integer_value(rung)),
				    &text);
	}
	mb_tool_detail(suggester->tool, "trial %lld%s by %s",
		       (long long)json_integer_value(json_object_get(record, "trial")), text.n ? text.at : "",
		       json_string_value(json_object_get(record, "algorithm")));
	mb_str_release(&text);
}

int suggester_print_one(struct suggester *suggester)
{
	json_t *record = suggester->issued[0];

	if (mb_tool_put(suggester->tool, record) < 0)
		return -1;
	tell_issued(suggester, record);
	json_decref(record);
	memmove(suggester->issued, suggester->issued + 1, --suggester->n_issued * sizeof *suggester->issued);
	return 0;
}

int suggester_done(const struct suggester *suggester)
{
	return is_used_up(suggester) || (!suggester->n_open && !suggester_has_more(suggester));
}

void suggester_budget_text(const struct suggester *suggester, struct mb_str *text)
{
	mb_ladder_text(&suggester->ladder, suggester->spending.finished, text);
	mb_str_adds(text, " of ");
	mb_ladder_text(&suggester->ladder, suggester->spending.budget, text);
}

int suggester_nothing(const struct suggester *suggester, struct mb_err *err)
{
	struct mb_str budget = {0}, finished = {0}, open = {0};

	suggester_budget_text(suggester, &budget);
	mb_ladder_text(&suggester->ladder, suggester->spending.finished, &finished);
	if (suggester->ladder.n > 1) {
		mb_str_adds(&open, " of ");
		mb_ladder_text(&suggester->ladder, suggester->spending.open, &open);
	}
	if (is_used_up(suggester))
		mb_err_set(err, MB_EXIT_NO, NULL, "no suggestion: %s observations are in, the budget is used up",
			   budget.at);
	else if (suggester->exhausted)
		mb_err_set(err, MB_EXIT_NO, NULL, "no suggestion: the space is exhausted");
	else if (!suggester->n_open)
		mb_err_set(err, MB_EXIT_NO, NULL,
			   "no suggestion: %s observations are in, no training costs as little as what is left",
			   budget.at);
	else
		mb_err_set(err, MB_EXIT_NO, NULL,
			   "no suggestion: %s finished and %zu open trials%s fill the budget of %lld; mb-suggest "
			   "--reissue gives out again what no trainer has",
			   finished.at, suggester->n_open, open.at ? open.at : "",
			   (long long)suggester->experiment->observation_budget);
	mb_str_release(&budget);
	mb_str_release(&finished);
	mb_str_release(&open);
	return -1;
}

void suggester_complain(struct suggester *suggester)
{
	struct mb_errs *bad = &suggester->log.bad;

	if (suggester->outside)
		mb_tool_say(suggester->tool, "%zu observation%s outside the space: kept in the log, not modelled",
			    suggester->outside, suggester->outside == 1 ? " lies" : "s lie");
	suggester->outside = 0;
	for (size_t i = 0; i < bad->n; i++)
		mb_tool_fail(suggester->tool, &bad->at[i]);
	if (bad->n)
		mb_tool_warn(suggester->tool, "%zu bad line%s skipped; mb-collect --fsck --repair sets them aside", bad->n,
			     bad->n == 1 ? "" : "s");
	mb_errs_release(bad);
}
