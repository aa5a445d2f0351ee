/* SPDX-License-Identifier: MIT
 *
 * A search without a log: an algorithm is asked and told, as mb-suggest does it. Include after check.h.
 *
 *     struct search *search = search_new("parameters: …", 60, seed);
 *     next(search, "tpe");                          // search->last, or -1 and search->err
 *     tell(search, value);                          // NaN: it failed; keep(search): it is open
 */
#ifndef MB_TEST_SEARCH_H
#define MB_TEST_SEARCH_H

#include <stdlib.h>
#include <unistd.h>

#include "opt/opt.h"

enum { MOST_TOLD = 6000 };

/* A search: suggestions and results, as mb-suggest keeps them. */
struct search {
	struct mb_experiment *experiment;
	struct mb_hashset seen;
	struct mb_history history;
	struct mb_observation observations[MOST_TOLD];
	double *u;
	double *metrics;
	size_t told; /* results so far */
	struct mb_suggestion last;
	struct mb_err err;
};

#define HEAD "experiment: {name: a, observation_budget: %d}\nmetrics: [f1]\n"

__attribute__((unused)) static struct mb_experiment *experiment(const char *space, int budget)
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
	json_decref(search->last.surrogate);
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
	json_decref(search->last.surrogate);
	search->last = (struct mb_suggestion){0};
	if (mb_suggest(mb_algorithm_find(algorithm), &search->history, &search->last, &search->err) < 0)
		return -1;
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
	search->history.trial++;
	search->observations[n] = (struct mb_observation){.trial = search->history.trial - 1, .fidelity = 1, .pending = 1,
							   .run = run ? json_integer_value(run) : -1};
	return &search->observations[n];
}

static void end(struct search *search, struct mb_observation *observation, double value)
{
	observation->pending = 0;
	observation->value = value;
	observation->failed = isnan(value);
	observation->told = ++search->told;
	search->metrics[(size_t)(observation - search->observations) * search->experiment->n_metrics] = value;
}

static void tell(struct search *search, double value)
{
	end(search, keep(search), value);
}

__attribute__((unused)) static double number(const struct search *search, const char *name)
{
	return json_number_value(json_object_get(search->last.assignments, name));
}

#endif
