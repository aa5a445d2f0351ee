/* SPDX-License-Identifier: MIT
 *
 * A search in memory, suggestions and results as mb-suggest keeps them, and a bowl to search: for the tests of algorithms
 * that learn. Include after check.h.
 *
 *     struct search *search = search_new(FIVE, budget, seed);
 *     next(search, "gp");
 *     tell(search, bowl(search));
 *     search_free(search);
 */
#ifndef MB_TEST_SEARCH_H
#define MB_TEST_SEARCH_H

#include <stdlib.h>
#include <unistd.h>

#include "opt/opt.h"

/* A search: suggestions and results, as mb-suggest keeps them. */
struct search {
	struct mb_experiment *experiment;
	struct mb_hashset seen;
	struct mb_history history;
	struct mb_observation observations[6000];
	double *u, *metrics;
	size_t told; /* results so far */
	struct mb_suggestion last;
	json_t *surrogate; /* of the latest suggestion that has one, as the log keeps it */
	struct mb_err err;
};

#define HEAD "experiment: {name: a, observation_budget: %d}\nmetrics: [f1]\n"

static struct mb_experiment *experiment(const char *space, int budget)
{
	char path[] = "/tmp/mb-test-XXXXXX", *text;
	struct mb_errs errs = {0};
	struct mb_experiment *read;
	int fd = mkstemp(path);

	text = mb_textf(HEAD "%s", budget, space);
	CHECK(fd >= 0 && mb_write_all(fd, text, strlen(text)) == 0);
	close(fd);
	free(text);
	read = mb_experiment_read(path, &errs);
	unlink(path);
	for (size_t i = 0; i < errs.n; i++)
		FAIL("%s: %s", errs.at[i].where, errs.at[i].what);
	if (!read)
		exit(1);
	return read;
}

static struct search *search_new(const char *space, int budget, uint64_t seed)
{
	struct search *search = mb_alloc(sizeof *search);

	search->experiment = experiment(space, budget);
	search->u = mb_alloc(MB_COUNT(search->observations) * mb_space_dims(&search->experiment->space) * sizeof(double));
	search->metrics = mb_alloc(MB_COUNT(search->observations) * search->experiment->n_metrics * sizeof(double));
	search->history = (struct mb_history){.experiment = search->experiment, .seed = seed, .trial = 1,
					      .seen = &search->seen, .observations = search->observations,
					      .u = search->u, .metrics = search->metrics};
	return search;
}

static void search_free(struct search *search)
{
	json_decref(search->last.assignments);
	json_decref(search->surrogate);
	mb_hashset_release(&search->seen);
	mb_experiment_free(search->experiment);
	free(search->u);
	free(search->metrics);
	free(search);
}

static int next(struct search *search, const char *algorithm)
{
	const struct mb_space *space = &search->experiment->space;

	json_decref(search->last.assignments);
	search->last = (struct mb_suggestion){0};
	if (mb_suggest(mb_algorithm_find(algorithm), &search->history, &search->last, &search->err) < 0)
		return -1;
	if (search->last.surrogate) {
		json_decref(search->surrogate);
		search->history.surrogate = search->surrogate = search->last.surrogate;
	}
	if (mb_space_check(space, search->last.assignments, &search->err) < 0)
		FAIL("trial %d: %s", (int)search->history.trial, search->err.what);
	return 0;
}

/* The last suggestion goes into the history. */
static struct mb_observation *keep(struct search *search)
{
	const struct mb_space *space = &search->experiment->space;
	const json_t *run = json_object_get(search->last.surrogate, "run");
	size_t n = search->history.n++;

	CHECK(mb_hashset_add(&search->seen, mb_space_key(space, search->last.assignments)));
	mb_space_locate(space, search->last.assignments, &search->u[n * mb_space_dims(space)]);
	search->observations[n] = (struct mb_observation){.trial = search->history.trial++, .fidelity = 1, .pending = 1,
							   .run = run ? json_integer_value(run) : -1};
	return &search->observations[n];
}

static void end(struct search *search, struct mb_observation *observation, double value)
{
	size_t index = (size_t)(observation - search->observations);

	observation->pending = 0;
	observation->value = value;
	observation->failed = isnan(value);
	observation->told = ++search->told;
	search->metrics[index * search->experiment->n_metrics] = value;
}

static void tell(struct search *search, double value)
{
	end(search, keep(search), value);
}

__attribute__((unused)) static double number(const struct search *search, const char *name)
{
	return json_number_value(json_object_get(search->last.assignments, name));
}

#define FIVE                                                                                                           \
	"parameters:\n"                                                                                                \
	"  - {name: x, type: double, bounds: {min: -5, max: 5}}\n"                                                     \
	"  - {name: rate, type: double, bounds: {min: 1e-6, max: 1}, transformation: log}\n"                           \
	"  - {name: k, type: int, bounds: {min: 1, max: 30}}\n"                                                        \
	"  - {name: c, type: categorical, categorical_values: [a, b, c, d]}\n"                                         \
	"  - {name: idle, type: double, bounds: {min: 0, max: 1}}\n"

__attribute__((unused)) static double bowl(const struct search *search)
{
	double x = (number(search, "x") - 1.5) / 10, rate = (log10(number(search, "rate")) + 3) / 6;
	double k = (number(search, "k") - 21) / 30;
	const char *c = json_string_value(json_object_get(search->last.assignments, "c"));

	return x * x + rate * rate + k * k + (*c == 'c' ? 0 : 0.1);
}

__attribute__((unused)) static double best_after(const char *algorithm, int budget, uint64_t seed)
{
	struct search *search = search_new(FIVE, budget, seed);
	double best = INFINITY;

	for (int i = 0; i < budget; i++) {
		double value;

		next(search, algorithm);
		value = bowl(search);
		best = value < best ? value : best;
		tell(search, value);
	}
	search_free(search);
	return best;
}

#endif
