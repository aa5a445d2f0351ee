/* SPDX-License-Identifier: MIT
 *
 * The model of a log: what it predicts, and the importances of functions whose Sobol' indices are known.
 */
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "opt/opt.h"

typedef double function(const json_t *assignments);

static double number(const json_t *assignments, const char *name)
{
	return json_number_value(json_object_get(assignments, name));
}

/* A log of n scattered trials of the function, in memory. */
static struct mb_experiment *fill(struct mb_log *log, const char *space, function *f, int n)
{
	char path[] = "/tmp/mb-test-XXXXXX", *text;
	struct mb_hashset seen = {0};
	struct mb_errs errs = {0};
	struct mb_experiment *experiment;
	struct mb_err err;
	int fd = mkstemp(path);

	text = mb_textf("experiment: {name: a, observation_budget: 999}\nmetrics: [{name: f, objective: minimize}]\n%s", space);
	CHECK(fd >= 0 && mb_write_all(fd, text, strlen(text)) == 0);
	close(fd);
	free(text);
	experiment = mb_experiment_read(path, &errs);
	unlink(path);
	if (!experiment)
		exit(1);
	CHECK_INT(mb_log_open(log, "memory", "a", MB_LOG_MEMORY, NULL, &err), 0);
	for (int trial = 1; trial <= n; trial++) {
		struct mb_history history = {.experiment = experiment, .seed = 1, .trial = trial, .seen = &seen};
		struct mb_suggestion suggestion;
		json_t *record = json_object(), *metrics = json_object();

		CHECK_INT(mb_suggest(mb_algorithm_find("sobol"), &history, &suggestion, &err), 0);
		mb_json_set(metrics, "f", json_real(f(suggestion.assignments)));
		mb_json_set(record, "trial", json_integer(trial));
		mb_json_set(record, "status", json_string("completed"));
		mb_json_set(record, "assignments", suggestion.assignments);
		mb_json_set(record, "metrics", metrics);
		CHECK_INT(mb_log_append(log, record, &err), 0);
		json_decref(record);
	}
	mb_hashset_release(&seen);
	return experiment;
}

static void importance(const char *space, function *f, int n, double *total, double *alone)
{
	struct mb_log log;
	struct mb_experiment *experiment = fill(&log, space, f, n);
	struct mb_err err;
	struct mb_surface *model = mb_surface_new(&log, experiment, 0, &err);

	CHECK(model);
	if (model)
		mb_surface_importance(model, total, alone);
	mb_surface_free(model);
	mb_log_close(&log);
	mb_experiment_free(experiment);
}

#define CUBE(low, high)                                                                                                \
	"parameters:\n"                                                                                                \
	"  - {name: a, type: double, bounds: {min: " low ", max: " high "}}\n"                                         \
	"  - {name: b, type: double, bounds: {min: " low ", max: " high "}}\n"                                         \
	"  - {name: c, type: double, bounds: {min: " low ", max: " high "}}\n"

static double linear(const json_t *assignments)
{
	return 3 * number(assignments, "a") - 2 * number(assignments, "b");
}

/* Variances 9 and 4 of 13, nothing of c, and no interactions. */
TEST(the_importances_of_a_sum_are_its_variances)
{
	double total[3], alone[3];

	importance(CUBE("0", "1"), linear, 60, total, alone);
	printf("# total %.3f %.3f %.3f, alone %.3f %.3f %.3f\n", total[0], total[1], total[2], alone[0], alone[1], alone[2]);
	CHECK_NEAR(total[0], 9. / 13, 0.04);
	CHECK_NEAR(alone[0], 9. / 13, 0.06);
	CHECK_NEAR(total[1], 4. / 13, 0.04);
	CHECK_NEAR(alone[1], 4. / 13, 0.06);
	CHECK_NEAR(total[2], 0, 0.01);
	CHECK_NEAR(alone[2], 0, 0.06);
}

static double ishigami(const json_t *assignments)
{
	double a = number(assignments, "a"), b = number(assignments, "b"), c = number(assignments, "c");

	return sin(a) + 7 * sin(b) * sin(b) + 0.1 * pow(c, 4) * sin(a);
}

/* T. Ishigami and T. Homma (1990), with a = 7, b = .1: first indices .3139, .4424, 0; total ones .5576, .4424, .2437. */
TEST(the_importances_of_ishigamis_function_are_the_published_ones)
{
	static const double want_total[] = {0.5576, 0.4424, 0.2437}, want_alone[] = {0.3139, 0.4424, 0};
	double total[3], alone[3];

	importance(CUBE("-3.141592653589793", "3.141592653589793"), ishigami, 300, total, alone);
	printf("# total %.3f %.3f %.3f, alone %.3f %.3f %.3f\n", total[0], total[1], total[2], alone[0], alone[1], alone[2]);
	for (int i = 0; i < 3; i++) {
		CHECK_NEAR(total[i], want_total[i], 0.06);
		CHECK_NEAR(alone[i], want_alone[i], 0.06);
	}
}

static double branches(const json_t *assignments)
{
	const char *kind = json_string_value(json_object_get(assignments, "kind"));

	return *kind == 'p' ? 4 * number(assignments, "y") : 10;
}

/* kind q (half of all): 10. kind p: 4 y, of mean 2, variance 4/3. Var = 16 + 2/3; y: E Var(f | kind) = 2/3; alone: the
 * variance of E(f | kind), 16. */
TEST(a_conditional_parameter_counts_where_it_is_active)
{
	double total[3], alone[3], all = 16 + 2. / 3;

	importance("conditionals: [{name: kind, values: [p, q]}]\n"
		   "parameters:\n"
		   "  - {name: y, type: double, bounds: {min: 0, max: 1}, conditions: {kind: p}}\n"
		   "  - {name: idle, type: int, bounds: {min: 1, max: 9}}\n", branches, 80, total, alone);
	printf("# total %.3f %.3f %.3f, alone %.3f %.3f %.3f\n", total[0], total[1], total[2], alone[0], alone[1], alone[2]);
	CHECK_NEAR(total[1], 2. / 3 / all, 0.015);
	CHECK_NEAR(alone[0], 16 / all, 0.04);
	CHECK_NEAR(total[2], 0, 0.01);
}

TEST(predictions_hold_what_was_not_seen_within_their_deviation)
{
	struct mb_log log;
	struct mb_experiment *experiment = fill(&log, CUBE("0", "1"), linear, 40);
	struct mb_err err;
	struct mb_surface *model = mb_surface_new(&log, experiment, 0, &err);
	struct mb_rng rng;
	double worst = 0, z = 0;

	mb_rng_init(&rng, 4, 0, MB_RNG_SUGGEST);
	for (int i = 0; i < 200; i++) {
		double u[3] = {mb_rng_unit(&rng), mb_rng_unit(&rng), mb_rng_unit(&rng)}, mean, stddev;

		mb_surface_predict(model, u, &mean, &stddev);
		worst = fmax(worst, fabs(mean - 3 * u[0] + 2 * u[1]));
		z = fmax(z, fabs(mean - 3 * u[0] + 2 * u[1]) / stddev);
		CHECK(stddev > 0 && stddev < 1);
	}
	printf("# worst error %.3f, %.1f deviations\n", worst, z);
	CHECK(worst < 0.2);
	CHECK(z < 4);
	mb_surface_free(model);
	mb_log_close(&log);
	mb_experiment_free(experiment);
}

TEST(two_trials_are_no_model)
{
	struct mb_log log;
	struct mb_experiment *experiment = fill(&log, CUBE("0", "1"), linear, 2);
	struct mb_err err;

	CHECK(!mb_surface_new(&log, experiment, 0, &err));
	CHECK_INT(err.code, MB_EXIT_NO);
	CHECK_TEXT(err.what, "2 completed trials with f inside the space; a model needs 3");
	mb_log_close(&log);
	mb_experiment_free(experiment);
}

TEST_MAIN
