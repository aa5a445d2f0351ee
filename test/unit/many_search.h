/* SPDX-License-Identifier: MIT
 *
 * A search in memory with all metrics of its trials, as mb-suggest keeps them: for tests and benches of constraints,
 * several objectives and failures. Include after check.h.
 *
 *     struct many *many = many_new("parameters: …\nmetrics: …\n", budget, seed);
 *     many_next(many, "gp");                           // many->x: the numbers of the point, in the order of the file
 *     many_tell(many, (double[]){loss, size});         // NULL: it failed
 *     many_free(many);
 */
#ifndef MB_TEST_MANY_SEARCH_H
#define MB_TEST_MANY_SEARCH_H

#include <stdlib.h>
#include <unistd.h>

#include "opt/opt.h"

struct many {
	struct mb_experiment *experiment;
	struct mb_hashset seen;
	struct mb_history history;
	struct mb_observation *observations;
	double *u, *metrics, *stddev, *x;
	struct mb_suggestion last;
	json_t *surrogate;
	struct mb_err err;
};

static struct mb_experiment *many_read(const char *sections, int budget)
{
	char path[] = "/tmp/mb-test-XXXXXX";
	char *text = mb_textf("experiment: {name: a, observation_budget: %d, parallel_bandwidth: 1}\n%s", budget, sections);
	struct mb_errs errs = {0};
	struct mb_experiment *read = NULL;
	int fd = mkstemp(path);

	if (fd >= 0 && mb_write_all(fd, text, strlen(text)) == 0)
		read = mb_experiment_read(path, &errs);
	if (fd >= 0)
		close(fd);
	unlink(path);
	free(text);
	for (size_t i = 0; i < errs.n; i++)
		printf("# %s: %s\n", errs.at[i].where, errs.at[i].what);
	if (!read)
		exit(1);
	return read;
}

static struct many *many_new(const char *sections, int budget, uint64_t seed)
{
	struct many *many = mb_alloc(sizeof *many);
	size_t dims, m, n = (size_t)budget + 64;

	many->experiment = many_read(sections, budget);
	dims = mb_space_dims(&many->experiment->space);
	m = many->experiment->n_metrics;
	many->u = mb_alloc(n * dims * sizeof(double));
	many->x = mb_alloc(dims * sizeof(double));
	many->metrics = mb_alloc(n * m * sizeof(double));
	many->stddev = mb_alloc(n * m * sizeof(double));
	many->observations = mb_alloc(n * sizeof *many->observations);
	many->history = (struct mb_history){.experiment = many->experiment, .seed = seed, .trial = 1, .seen = &many->seen,
					    .observations = many->observations, .u = many->u, .metrics = many->metrics,
					    .metrics_stddev = many->stddev};
	return many;
}

static void many_free(struct many *many)
{
	json_decref(many->last.assignments);
	json_decref(many->surrogate);
	mb_hashset_release(&many->seen);
	mb_experiment_free(many->experiment);
	free(many->u);
	free(many->x);
	free(many->metrics);
	free(many->stddev);
	free(many->observations);
	free(many);
}

/* The next point, pending until many_tell; -1 when there is none. */
static int many_next(struct many *many, const char *algorithm)
{
	const struct mb_space *space = &many->experiment->space;
	size_t n = many->history.n;

	json_decref(many->last.assignments);
	many->last = (struct mb_suggestion){0};
	if (mb_suggest(mb_algorithm_find(algorithm), &many->history, &many->last, &many->err) < 0)
		return -1;
	if (many->last.surrogate) {
		json_decref(many->surrogate);
		many->history.surrogate = many->surrogate = many->last.surrogate;
	}
	if (mb_space_check(space, many->last.assignments, &many->err) < 0)
		printf("not ok trial %d: %s\n", (int)many->history.trial, many->err.what);
	for (size_t i = 0; i < space->n_params; i++)
		many->x[i] = json_number_value(json_object_get(many->last.assignments, space->params[i].name));
	mb_hashset_add(&many->seen, mb_space_key(space, many->last.assignments));
	mb_space_locate(space, many->last.assignments, &many->u[n * mb_space_dims(space)]);
	many->observations[n] = (struct mb_observation){.trial = many->history.trial++, .fidelity = 1, .pending = 1};
	for (size_t k = 0; k < many->experiment->n_metrics; k++)
		many->metrics[n * many->experiment->n_metrics + k] = NAN;
	many->history.n++;
	return 0;
}

/* What the last point has given: a value for each metric of the file. */
static void many_tell(struct many *many, const double *values)
{
	const struct mb_metric *objective = mb_experiment_objective(many->experiment);
	size_t n = many->history.n - 1, m = many->experiment->n_metrics;
	struct mb_observation *observation = &many->observations[n];

	observation->pending = 0;
	observation->failed = !values;
	for (size_t k = 0; values && k < m; k++) {
		many->metrics[n * m + k] = values[k];
		if (&many->experiment->metrics[k] == objective)
			observation->value = objective->maximize ? -values[k] : values[k];
	}
}

#endif
