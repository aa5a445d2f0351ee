/* SPDX-License-Identifier: MIT
 *
 * A turn at the SigOpt service: learns what it has, tells it what it lacks, fetches suggestions.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sigopt_turn.h"

/* What a process that was killed had sent may come to the service this much later. */
static const double crash_s = 2;

enum { MOST_REJECTED = 5, RANDOM_TRIES = 64 };

static int wait_hook(void *arg)
{
	struct sigopt *sigopt = arg;
	double now_s = mb_clock_monotonic_s();

	if (sigopt->state.held && sigopt->state.path && now_s - sigopt->touched_s > 5) {
		mb_lock_touch(&sigopt->state.lock);
		sigopt->touched_s = now_s;
	}
	return sigopt->stop && sigopt->stop(sigopt->stop_arg);
}

struct sigopt *sigopt_open(struct suggester *suggester, const struct sigopt_account *account, struct mb_err *err)
{
	struct sigopt *sigopt = mb_alloc(sizeof *sigopt);

	*sigopt = (struct sigopt){.suggester = suggester};
	sigopt_link_init(&sigopt->link, suggester->tool, account);
	sigopt->link.stop = wait_hook;
	sigopt->link.arg = sigopt;
	if (sigopt_state_open(&sigopt->state, &suggester->log, err) == 0)
		return sigopt;
	sigopt_close(sigopt);
	return NULL;
}

static void drop_spare(struct sigopt *sigopt, size_t at)
{
	free(sigopt->spare[at].id);
	json_decref(sigopt->spare[at].point);
	memmove(sigopt->spare + at, sigopt->spare + at + 1, (--sigopt->n_spare - at) * sizeof *sigopt->spare);
}

void sigopt_close(struct sigopt *sigopt)
{
	if (!sigopt)
		return;
	while (sigopt->n_spare)
		drop_spare(sigopt, 0);
	free(sigopt->spare);
	free(sigopt->newest);
	mb_hashset_release(&sigopt->taken);
	mb_hashset_release(&sigopt->reported);
	sigopt_state_close(&sigopt->state);
	sigopt_link_release(&sigopt->link);
	free(sigopt);
}

void sigopt_on_wait(struct sigopt *sigopt, int (*stop)(void *), void *arg)
{
	sigopt->stop = stop;
	sigopt->stop_arg = arg;
}

/* ---- the log's side ---- */

static uint64_t hash_of(const char *id)
{
	return mb_hash_bytes(id, strlen(id), 0);
}

/* The suggestion's id, when it is one of this experiment; the caller frees. */
static char *suggestion_of(const struct sigopt *sigopt, const struct mb_key *key)
{
	const json_t *member = sigopt_member(key);
	char *experiment = sigopt_id(json_object_get(member, "experiment")), *id = NULL;

	if (experiment && sigopt->state.experiment && !strcmp(experiment, sigopt->state.experiment))
		id = sigopt_id(json_object_get(member, "suggestion"));
	free(experiment);
	return id;
}

static void learn_taken(struct sigopt *sigopt)
{
	const struct mb_log *log = &sigopt->suggester->log;

	for (; sigopt->keys_seen < log->n_keys; sigopt->keys_seen++) {
		char *id = suggestion_of(sigopt, &log->keys[sigopt->keys_seen]);

		if (id)
			mb_hashset_add(&sigopt->taken, hash_of(id));
		free(id);
	}
}

/* ---- observations ---- */

static int take_observation(void *arg, json_t *item)
{
	struct sigopt *sigopt = arg;
	const json_t *trial = json_object_get(json_object_get(item, "metadata"), "mb_trial");
	char *id = sigopt_id(json_object_get(item, "id"));
	int known = id && sigopt->newest && !strcmp(id, sigopt->newest);
	int64_t number = json_integer_value(trial);

	free(id);
	if (json_is_string(trial) && mb_num_int(json_string_value(trial), &number) < 0)
		number = 0;
	if (!known && number > 0)
		mb_hashset_add(&sigopt->reported, (uint64_t)number);
	return known;
}

static int take_newest(void *arg, json_t *item)
{
	*(char **)arg = sigopt_id(json_object_get(item, "id"));
	return 1;
}

/* Which trials the service has an observation of: newest first, down to what was seen before. */
static int learn_observations(struct sigopt *sigopt, struct mb_err *err)
{
	char *path = sigopt_path(sigopt, "/observations"), *newest = NULL;
	int bad = sigopt_list(&sigopt->link, path, NULL, take_newest, &newest, err) < 0 ||
		  sigopt_list(&sigopt->link, path, NULL, take_observation, sigopt, err) < 0;

	free(path);
	if (bad || !newest) {
		free(newest);
		return bad ? -1 : 0;
	}
	free(sigopt->newest);
	sigopt->newest = newest;
	return 0;
}

/* Each metric's value; NULL when one is missing, which SigOpt does not take. */
static json_t *values_of(const struct sigopt *sigopt, size_t observation)
{
	const struct suggester *suggester = sigopt->suggester;
	const struct mb_experiment *experiment = suggester->experiment;
	json_t *values = json_array();

	for (size_t i = 0; i < experiment->n_metrics; i++) {
		double value = suggester->metrics[observation * experiment->n_metrics + i],
		       stddev = suggester->metrics_stddev[observation * experiment->n_metrics + i];
		json_t *one;

		if (!(value == value)) {
			json_decref(values);
			return NULL;
		}
		one = json_pack("{s:s, s:f}", "name", experiment->metrics[i].name, "value", value);
		if (stddev > 0)
			mb_json_set(one, "value_stddev", json_real(stddev));
		json_array_append_new(values, one);
	}
	return values;
}

static json_t *observation_of(const struct sigopt *sigopt, size_t index)
{
	const struct suggester *suggester = sigopt->suggester;
	const struct mb_key *key = &suggester->log.keys[index];
	json_t *body = json_object(), *values = NULL;
	char *suggestion = suggestion_of(sigopt, key);

	if (suggestion)
		mb_json_set(body, "suggestion", json_string(suggestion));
	else
		mb_json_set(body, "assignments",
			    sigopt_assignments(suggester->experiment,
					       json_object_get(key->issue ? key->issue : key->result, "assignments")));
	free(suggestion);
	if (key->status == MB_STATUS_COMPLETED)
		values = values_of(sigopt, suggester->observed[index]);
	if (values)
		mb_json_set(body, "values", values);
	else
		mb_json_set(body, "failed", json_true());
	if (!values && key->status == MB_STATUS_COMPLETED)
		mb_tool_say(suggester->tool, "trial %lld: not every metric has a value, so the service is told that it failed",
			    (long long)key->trial);
	mb_json_set(body, "metadata", json_pack("{s:I}", "mb_trial", (json_int_t)key->trial));
	return body;
}

/* What the service is told of: results in the space, of full trainings. */
static int is_for_service(const struct suggester *suggester, size_t index)
{
	const struct mb_key *key = &suggester->log.keys[index];

	return (key->status == MB_STATUS_COMPLETED || key->status == MB_STATUS_FAILED) && !key->rung &&
	       suggester->observed[index] != NOT_OBSERVED;
}

/* Tells of every result that the service has not got. */
static int report(struct sigopt *sigopt, struct mb_err *err)
{
	struct suggester *suggester = sigopt->suggester;
	const struct mb_log *log = &suggester->log;
	char *path = sigopt_path(sigopt, "/observations");
	int result = 0;

	for (size_t i = 0; result >= 0 && i < log->n_keys; i++) {
		uint64_t trial = (uint64_t)log->keys[i].trial;
		json_t *body;

		if (!is_for_service(suggester, i) || mb_hashset_has(&sigopt->reported, trial))
			continue;
		body = observation_of(sigopt, i);
		do {
			result = sigopt_call(&sigopt->link, "POST", path, body, NULL, err);
			if (result == 1 && learn_observations(sigopt, err) < 0)
				result = -1;
		} while (result == 1 && !mb_hashset_has(&sigopt->reported, trial));
		if (result >= 0)
			mb_hashset_add(&sigopt->reported, trial);
		json_decref(body);
	}
	free(path);
	if (result < 0)
		return -1;
	sigopt->settled = log->finished;
	return 0;
}

/* ---- suggestions ---- */

static int is_seen(const struct sigopt *sigopt, const json_t *point)
{
	return mb_hashset_has(&sigopt->suggester->points, mb_space_key(&sigopt->suggester->experiment->space, point));
}

static int is_spare(const struct sigopt *sigopt, const json_t *point)
{
	const struct mb_space *space = &sigopt->suggester->experiment->space;

	for (size_t i = 0; i < sigopt->n_spare; i++)
		if (mb_space_key(space, sigopt->spare[i].point) == mb_space_key(space, point))
			return 1;
	return 0;
}

/* Adds the suggestion if its point is of use; else 1. */
static int add_spare(struct sigopt *sigopt, const json_t *suggestion, struct mb_err *err)
{
	static const char *const ours[] = {"default", "random"};
	const struct mb_experiment *experiment = sigopt->suggester->experiment;
	const char *algorithm =
		json_string_value(json_object_get(json_object_get(suggestion, "metadata"), "mb_algorithm"));
	json_t *point = sigopt_point(experiment, json_object_get(suggestion, "assignments"), err);
	struct spare spare = {sigopt_id(json_object_get(suggestion, "id")), point, .algorithm = "sigopt"};

	if (!spare.id || !point || is_seen(sigopt, point) || is_spare(sigopt, point) ||
	    !mb_space_allows(&experiment->space, point)) {
		if (point && spare.id)
			mb_err_set(err, MB_EXIT_SYSTEM, NULL, "the service suggests what was tried or a linear constraint forbids");
		free(spare.id);
		json_decref(point);
		return 1;
	}
	for (size_t i = 0; algorithm && i < MB_COUNT(ours); i++)
		if (!strcmp(algorithm, ours[i]))
			snprintf(spare.algorithm, sizeof spare.algorithm, "%s", ours[i]);
	MB_PUSH(sigopt->spare, sigopt->n_spare, sigopt->cap_spare, spare);
	return 0;
}

/* A suggestion that nobody will try is not to count as open at the service. */
static int discard(struct sigopt *sigopt, const json_t *id, struct mb_err *err)
{
	char *text = sigopt_id(id), *rest, *path;
	int result = 0;

	if (text) {
		rest = mb_textf("/suggestions/%s", text);
		path = sigopt_path(sigopt, rest);
		result = sigopt_call(&sigopt->link, "DELETE", path, NULL, NULL, err);
		free(path);
		free(rest);
	}
	free(text);
	return result;
}

/* 1 with err as it is, or -1 where that suggestion cannot be discarded. */
static int useless(struct sigopt *sigopt, const json_t *suggestion, struct mb_err *err)
{
	struct mb_err why;

	if (discard(sigopt, json_object_get(suggestion, "id"), &why) == 0)
		return 1;
	*err = why;
	return -1;
}

/* The search is over: nothing stays open at the service. */
static int discard_spare(struct sigopt *sigopt, struct mb_err *err)
{
	while (sigopt->n_spare) {
		json_t *id = json_string(sigopt->spare[0].id);
		int bad = discard(sigopt, id, err);

		json_decref(id);
		if (bad)
			return -1;
		drop_spare(sigopt, 0);
	}
	return 0;
}

static int take_open(void *arg, json_t *item)
{
	json_array_append(arg, item);
	return 0;
}

/* What is open at the service and not in the log: asked for by a process that did not come to use it. */
static int learn_suggestions(struct sigopt *sigopt, struct mb_err *err)
{
	char *path = sigopt_path(sigopt, "/suggestions");
	json_t *open = json_array();
	int bad = sigopt_list(&sigopt->link, path, "state=open", take_open, open, err);

	free(path);
	while (sigopt->n_spare)
		drop_spare(sigopt, 0);
	for (size_t i = json_array_size(open); !bad && i-- > 0;) { /* oldest first */
		const json_t *item = json_array_get(open, i);
		char *id = sigopt_id(json_object_get(item, "id"));
		struct mb_err why;

		if (id && !mb_hashset_has(&sigopt->taken, hash_of(id)) && add_spare(sigopt, item, &why))
			bad = discard(sigopt, json_object_get(item, "id"), err);
		free(id);
	}
	json_decref(open);
	return bad;
}

/* Asks for one suggestion, or puts one of our own: 0 it is spare now, 1 it was of no use (err says why) and is
 * discarded, -1. */
static int ask(struct sigopt *sigopt, const json_t *point, const char *algorithm, struct mb_err *err)
{
	char *path = sigopt_path(sigopt, "/suggestions");
	json_t *body = json_object(), *answer = NULL;
	double start_s = mb_clock_monotonic_s();
	int result;

	if (point) {
		mb_json_set(body, "assignments", sigopt_assignments(sigopt->suggester->experiment, point));
		mb_json_set(body, "metadata", json_pack("{s:s}", "mb_algorithm", algorithm));
	}
	result = sigopt_call(&sigopt->link, "POST", path, body, &answer, err);
	if (result == 1) /* what it came to is among the open ones, if it was heard */
		result = learn_suggestions(sigopt, err);
	else if (!result && !add_spare(sigopt, answer, err))
		sigopt->spare[sigopt->n_spare - 1].seconds = mb_clock_monotonic_s() - start_s;
	else if (!result)
		result = useless(sigopt, answer, err);
	json_decref(answer);
	json_decref(body);
	free(path);
	return result;
}

/* The service repeats itself, or has no more: a point at random, or exhausted. */
static int ask_random(struct sigopt *sigopt, struct mb_err *err)
{
	struct suggester *suggester = sigopt->suggester;
	const struct mb_algorithm *algorithm = mb_algorithm_find("random");
	struct mb_suggestion suggestion;
	struct mb_history history = suggester_history(suggester);
	int result = 0;

	for (int64_t i = 0; i < RANDOM_TRIES; i++) {
		history.trial = suggester->log.last_trial + 1 + (int64_t)sigopt->n_spare + i;
		if (algorithm->ask(&history, &suggestion, err) < 0) {
			suggester->exhausted = err->code == MB_EXIT_NO && !sigopt->n_spare;
			return err->code == MB_EXIT_NO ? 1 : -1;
		}
		if (!is_spare(sigopt, suggestion.assignments)) {
			result = ask(sigopt, suggestion.assignments, "random", err);
			json_decref(suggestion.assignments);
			return result;
		}
		json_decref(suggestion.assignments);
	}
	return 1;
}

/* The point of all defaults comes first, as with every algorithm. A new reference, or NULL. */
static json_t *default_point(const struct sigopt *sigopt)
{
	json_t *point = mb_space_default(&sigopt->suggester->experiment->space);

	if (point && !is_seen(sigopt, point) && !is_spare(sigopt, point))
		return point;
	json_decref(point);
	return NULL;
}

static int fetch(struct sigopt *sigopt, size_t count, struct mb_err *err)
{
	int rejected = 0;

	while (sigopt->n_spare < count && !sigopt->suggester->exhausted) {
		json_t *point = default_point(sigopt);
		int result = ask(sigopt, point, "default", err);

		json_decref(point);
		if (result == 1) {
			result = ask_random(sigopt, err);
			if (result == 1 && (sigopt->n_spare || sigopt->suggester->exhausted))
				return 0;
			if (result == 1 && ++rejected >= MOST_REJECTED)
				return -1;
		}
		if (result < 0)
			return -1;
	}
	return 0;
}

/* ---- a turn ---- */

int sigopt_due(const struct sigopt *sigopt)
{
	return sigopt->suggester->log.finished != sigopt->settled;
}

/* Points may have come into the log from elsewhere. */
static void forget_seen(struct sigopt *sigopt)
{
	for (size_t i = sigopt->n_spare; i-- > 0;)
		if (is_seen(sigopt, sigopt->spare[i].point))
			drop_spare(sigopt, i);
}

static int turn(struct sigopt *sigopt, size_t count, struct mb_err *err)
{
	struct sigopt_state *state = &sigopt->state;
	int first = !sigopt->checked;
	size_t left;

	if (mb_log_update(&sigopt->suggester->log, err) < 0)
		return -1;
	suggester_update(sigopt->suggester);
	if (state->crashed && sigopt_nap(&sigopt->link, crash_s, err) < 0)
		return -1;
	if (sigopt_ensure(sigopt, err) < 0)
		return -1;
	learn_taken(sigopt);
	if ((first || state->others) && (learn_observations(sigopt, err) < 0 || learn_suggestions(sigopt, err) < 0))
		return -1;
	forget_seen(sigopt);
	if (report(sigopt, err) < 0)
		return -1;
	/* Others may have suggested while this process waited for its turn. */
	left = suggester_budget_left(sigopt->suggester);
	if (!left && suggester_done(sigopt->suggester))
		return discard_spare(sigopt, err);
	return fetch(sigopt, count < left ? count : left, err);
}

int sigopt_begin(struct sigopt *sigopt, size_t count, struct mb_err *err)
{
	if (sigopt_state_take(&sigopt->state, &sigopt->link, err) == 0 && turn(sigopt, count, err) == 0)
		return 0;
	sigopt_state_drop(&sigopt->state);
	return -1;
}

int sigopt_ready(const struct sigopt *sigopt)
{
	for (size_t i = 0; i < sigopt->n_spare; i++)
		if (!is_seen(sigopt, sigopt->spare[i].point))
			return sigopt->state.held;
	return 0;
}

double sigopt_take(struct sigopt *sigopt, struct mb_suggestion *suggestion, json_t **member)
{
	static const char *const names[] = {"sigopt", "default", "random"};
	double seconds;
	size_t at = 0;

	while (is_seen(sigopt, sigopt->spare[at].point))
		at++;
	seconds = sigopt->spare[at].seconds;
	*suggestion = (struct mb_suggestion){.assignments = json_incref(sigopt->spare[at].point), .algorithm = names[0]};
	for (size_t i = 1; i < MB_COUNT(names); i++)
		if (!strcmp(names[i], sigopt->spare[at].algorithm))
			suggestion->algorithm = names[i];
	*member = json_pack("{s:s, s:s}", "experiment", sigopt->state.experiment, "suggestion", sigopt->spare[at].id);
	drop_spare(sigopt, at);
	return seconds;
}

int sigopt_end(struct sigopt *sigopt, struct mb_err *err)
{
	int bad = 0;

	if (sigopt->state.held) {
		learn_taken(sigopt);
		bad = sigopt_state_write(&sigopt->state, 0, err);
	}
	sigopt_state_drop(&sigopt->state);
	return bad;
}

int sigopt_delete(struct sigopt *sigopt, struct mb_err *err)
{
	char *path;
	int result = sigopt_state_take(&sigopt->state, &sigopt->link, err);

	if (!result)
		sigopt_learn_experiment(sigopt);
	if (!result && !sigopt->state.experiment)
		result = sigopt_find(sigopt, err);
	if (!result && !sigopt->state.experiment) {
		result = 1;
	} else if (!result) {
		path = sigopt_path(sigopt, "");
		result = sigopt_call(&sigopt->link, "DELETE", path, NULL, NULL, err);
		free(path);
		if (!result)
			mb_tool_say(sigopt->suggester->tool, "experiment %s at %s is deleted", sigopt->state.experiment,
				    sigopt->link.account->url);
	}
	if (result >= 0 && sigopt_state_write(&sigopt->state, 0, err) < 0)
		result = -1;
	sigopt_state_drop(&sigopt->state);
	return result;
}
