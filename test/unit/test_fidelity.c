/* SPDX-License-Identifier: MIT
 *
 * Multi-fidelity: the rungs, what they cost, and who goes on, each worked out by hand.
 */
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "opt/opt.h"
#include "opt/view.h"

#define HEAD "experiment: {name: a, observation_budget: %d}\nmetrics: [{name: loss, objective: minimize}]\n" \
	"parameters: [{name: x, type: double, bounds: {min: 0, max: 1}}]\nmodel: {command: [x]}\n"

static struct mb_experiment *experiment(int budget, const char *rest)
{
	char path[] = "/tmp/mb-test-XXXXXX", *text;
	struct mb_errs errs = {0};
	struct mb_experiment *read;
	int fd = mkstemp(path);

	text = mb_textf(HEAD "%s", budget, rest);
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

static void check_rungs(const char *rest, const char *want, int64_t eta)
{
	struct mb_experiment *read = experiment(4, rest);
	struct mb_ladder ladder = mb_ladder_of(read);
	struct mb_str got = {0};

	for (size_t i = 0; i < ladder.n; i++)
		mb_str_addf(&got, "%s%lld", i ? " " : "", (long long)ladder.units[i]);
	CHECK_TEXT(got.at, want);
	CHECK_INT(ladder.eta, eta);
	mb_str_release(&got);
	mb_experiment_free(read);
}

TEST(the_rungs)
{
	check_rungs("", "1", 3);
	check_rungs("fidelity: {name: epochs, max: 27}", "1 3 9 27", 3);
	check_rungs("fidelity: {name: epochs, min: 2, max: 50, eta: 4}", "2 8 32 50", 4);
	check_rungs("fidelity: {name: epochs, min: 999999, max: 1000000, eta: 1000}", "999999 1000000", 1000);
	check_rungs("tasks: [{name: full, cost: 1}, {name: tenth, cost: 0.1}]", "100000000 1000000000", 3);
}

TEST(units_as_full_trainings_are_cut_not_rounded)
{
	struct mb_experiment *read = experiment(4, "fidelity: {name: epochs, max: 27}");
	struct mb_ladder ladder = mb_ladder_of(read);
	struct mb_str text = {0};

	for (int64_t units = 107; units <= 109; units++) {
		mb_ladder_text(&ladder, units, &text);
		mb_str_adds(&text, " ");
	}
	CHECK_TEXT(text.at, "3.96 4 4.03 ");
	mb_str_release(&text);
	mb_experiment_free(read);
}

/* "trial rung status", status as in the log; a new line each. */
static int64_t spent(const struct mb_experiment *read, const char *lines, int64_t *open)
{
	struct mb_ladder ladder = mb_ladder_of(read);
	struct mb_spending spending;
	struct mb_log log;
	struct mb_err err;
	const char *at = lines;
	int trial, rung, n;
	char status[16];

	CHECK(mb_log_open(&log, "memory", "a", MB_LOG_MEMORY, NULL, &err) == 0);
	for (; sscanf(at, " %d %d %15s%n", &trial, &rung, status, &n) == 3; at += n) {
		json_t *record = json_object();

		mb_json_set(record, "trial", json_integer(trial));
		mb_json_set(record, "rung", json_integer(rung));
		mb_json_set(record, "status", json_string(status));
		CHECK(mb_log_append(&log, record, &err) == 0);
		json_decref(record);
	}
	spending = mb_ladder_spending(&ladder, &log);
	mb_log_close(&log);
	*open = spending.open;
	return spending.finished;
}

TEST(a_training_spends_its_own_new_epochs)
{
	struct mb_experiment *read = experiment(4, "fidelity: {name: epochs, max: 27}");
	int64_t open;

	CHECK_INT(spent(read, "1 0 completed", &open), 1);
	CHECK_INT(spent(read, "1 0 completed 1 1 completed 1 2 failed", &open), 9);
	CHECK_INT(open, 0);
	CHECK_INT(spent(read, "1 0 completed 1 1 open 2 2 interrupted 3 3 completed", &open), 28);
	CHECK_INT(open, 2 + 9);
	CHECK_INT(spent(read, "1 0 completed 1 3 completed", &open), 27);
	CHECK_INT(spent(read, "1 9 completed", &open), 27);
	mb_experiment_free(read);

	read = experiment(4, "tasks: [{name: full, cost: 1}, {name: tenth, cost: 0.1}]");
	CHECK_INT(spent(read, "1 0 completed 1 1 open 2 0 failed", &open), 200000000);
	CHECK_INT(open, 1000000000);
	mb_experiment_free(read);

	read = experiment(4, "");
	CHECK_INT(spent(read, "1 0 completed 2 0 failed 3 0 open", &open), 2);
	CHECK_INT(open, 1);
	mb_experiment_free(read);
}

/* ---- the ladder, a move after the other ---- */

struct search {
	struct mb_history history;
	struct mb_observation observations[64];
};

static void add(struct search *search, int64_t trial, int64_t rung, double value)
{
	search->observations[search->history.n++] =
		(struct mb_observation){.trial = trial, .rung = rung, .value = value, .pending = isinf(value),
					.failed = isnan(value)};
	search->history.observations = search->observations;
}

/* "new 0", "trial 3 to 1", "none" */
static const char *next(const struct search *search, int64_t left, int can_new)
{
	static char text[64];
	struct mb_move move = mb_fidelity_next(&search->history, left, can_new);

	if (move.kind == MB_MOVE_NONE)
		return "none";
	if (move.kind == MB_MOVE_NEW)
		snprintf(text, sizeof text, "new %zu", move.rung);
	else
		snprintf(text, sizeof text, "trial %lld to %zu",
			 (long long)search->observations[move.from].trial, move.rung);
	return text;
}

TEST(one_in_eta_goes_on_the_highest_rung_first)
{
	struct mb_experiment *read = experiment(100, "fidelity: {name: epochs, max: 9}");
	struct search search = {.history.experiment = read};

	add(&search, 1, 0, 0.5);
	add(&search, 2, 0, 0.4);
	CHECK_TEXT(next(&search, 900, 1), "new 1"); /* 2 results: none is the best of 3 */
	add(&search, 3, 0, INFINITY);
	CHECK_TEXT(next(&search, 900, 1), "new 1"); /* what is pending is no result */
	search.observations[2].pending = 0;
	search.observations[2].value = 0.6;
	CHECK_TEXT(next(&search, 900, 1), "trial 2 to 1");
	add(&search, 2, 1, INFINITY);
	CHECK_TEXT(next(&search, 900, 1), "new 1"); /* trial 2 is on its way: the second best has no place yet */
	add(&search, 4, 0, 0.1);
	CHECK_TEXT(next(&search, 900, 1), "trial 4 to 1"); /* the best now, though trial 2 went before */
	add(&search, 4, 1, 0.09);
	search.observations[3].pending = 0;
	search.observations[3].value = 0.3;
	add(&search, 5, 1, 0.2);
	CHECK_TEXT(next(&search, 900, 1), "trial 4 to 2"); /* rung 1 has 3 results: 0.09, 0.2, 0.3 */
	add(&search, 4, 2, INFINITY);
	add(&search, 6, 0, 0.45);
	add(&search, 7, 0, 0.47); /* rung 0: 0.1 0.4 0.45 0.47 0.5 0.6: two places, both taken */
	CHECK_TEXT(next(&search, 900, 1), "new 2");
	mb_experiment_free(read);
}

/* What breaks a constraint comes after all that keep them, however good; of two objectives the front goes first. */
TEST(the_best_keep_the_constraints)
{
	struct mb_experiment *read = experiment(100, "fidelity: {name: epochs, max: 9}");
	struct search search = {.history.experiment = read};
	double metrics[] = {1, 9, 2, 1, 3, 1, 4, 1, 5, 9, 6, 9};

	read->metrics = mb_realloc(read->metrics, 2 * sizeof *read->metrics);
	read->metrics[1] = (struct mb_metric){.name = mb_strdup("size"), .strategy = MB_STRATEGY_CONSTRAINT,
					      .has_threshold = 1, .threshold = 2};
	read->n_metrics = 2;
	search.history.metrics = metrics;
	for (int trial = 1; trial <= 6; trial++)
		add(&search, trial, 0, metrics[2 * trial - 2]);
	CHECK_TEXT(next(&search, 900, 1), "trial 2 to 1");
	read->metrics[1].strategy = MB_STRATEGY_OPTIMIZE;
	read->metrics[1].has_threshold = 0;
	CHECK_TEXT(next(&search, 900, 1), "trial 1 to 1"); /* (1, 9) and (2, 1) are the front, both lonely: the earlier */
	metrics[1] = 0;
	CHECK_TEXT(next(&search, 900, 1), "trial 1 to 1"); /* (1, 0) dominates all */
	mb_experiment_free(read);
}

TEST(what_failed_stays_but_counts)
{
	struct mb_experiment *read = experiment(100, "fidelity: {name: epochs, max: 9}");
	struct search search = {.history.experiment = read};

	add(&search, 1, 0, NAN);
	add(&search, 2, 0, NAN);
	add(&search, 3, 0, NAN);
	CHECK_TEXT(next(&search, 900, 1), "new 1");
	add(&search, 4, 0, 7);
	CHECK_TEXT(next(&search, 900, 1), "trial 4 to 1");
	search.observations[3].failed = 1;
	CHECK_TEXT(next(&search, 900, 1), "new 1");
	mb_experiment_free(read);
}

/* Hyperband with 3 rungs and eta 3 (Li and others, algorithm 1): ceil(3/3 × 9), ceil(3/2 × 3), ceil(3/1 × 1). */
TEST(new_trials_begin_in_hyperbands_shares)
{
	struct mb_experiment *read = experiment(100, "fidelity: {name: epochs, max: 9}");
	struct search search = {.history.experiment = read};
	int began[3] = {0};

	CHECK_NEAR(mb_fidelity_share(0, 3, 3), 9, 0);
	CHECK_NEAR(mb_fidelity_share(1, 3, 3), 5, 0);
	CHECK_NEAR(mb_fidelity_share(2, 3, 3), 3, 0);
	CHECK_NEAR(mb_fidelity_share(0, 5, 3), 81, 0); /* the paper's table 1, R = 81 */
	CHECK_NEAR(mb_fidelity_share(1, 5, 3), 34, 0);
	CHECK_NEAR(mb_fidelity_share(2, 5, 3), 15, 0);
	CHECK_NEAR(mb_fidelity_share(3, 5, 3), 8, 0);
	CHECK_NEAR(mb_fidelity_share(4, 5, 3), 5, 0);
	for (int64_t trial = 1; trial <= 34; trial++) {
		struct mb_move move = mb_fidelity_next(&search.history, 9000, 1);

		CHECK(move.kind == MB_MOVE_NEW);
		began[move.rung]++;
		add(&search, trial, (int64_t)move.rung, INFINITY);
	}
	CHECK_INT(began[0], 18);
	CHECK_INT(began[1], 10);
	CHECK_INT(began[2], 6);
	mb_experiment_free(read);
}

TEST(no_move_costs_more_than_is_left)
{
	struct mb_experiment *read = experiment(100, "fidelity: {name: epochs, min: 2, max: 18}");
	struct search search = {.history.experiment = read};

	CHECK_TEXT(next(&search, 0, 1), "none");
	CHECK_TEXT(next(&search, 1, 1), "none");
	CHECK_TEXT(next(&search, 2, 1), "new 0");
	add(&search, 1, 0, 3);
	add(&search, 2, 0, 2);
	add(&search, 3, 0, 1);
	CHECK_TEXT(next(&search, 4, 1), "trial 3 to 1");
	CHECK_TEXT(next(&search, 3, 1), "new 0");
	add(&search, 3, 1, 1);
	CHECK_TEXT(next(&search, 3, 1), "new 0");
	/* Not enough for a new one in full, enough to bring trial 3 from 6 to 18, though it has no two beside it there. */
	CHECK_TEXT(next(&search, 12, 1), "trial 3 to 2");
	CHECK_TEXT(next(&search, 17, 1), "trial 3 to 2");
	CHECK_TEXT(next(&search, 11, 1), "new 1");
	CHECK_TEXT(next(&search, 18, 1), "new 1");
	/* No points left: the best go on while there is budget. */
	CHECK_TEXT(next(&search, 100, 0), "trial 3 to 2");
	add(&search, 3, 2, 1);
	CHECK_TEXT(next(&search, 100, 0), "trial 2 to 1");
	CHECK_TEXT(next(&search, 3, 0), "none");
	mb_experiment_free(read);
}

/* Each trial once, as if all had been trained in full. */
TEST(what_the_algorithm_sees)
{
	struct mb_experiment *read = experiment(100, "fidelity: {name: epochs, max: 9}");
	static const double u[] = {.1, .2, .3, .1, .2, .4, .1, .5, .3};
	double metrics[9], stddev[9] = {0};
	struct search search = {.history = {.experiment = read, .u = u, .metrics = metrics, .metrics_stddev = stddev}};
	struct mb_view view;

	add(&search, 1, 0, 5);
	add(&search, 2, 0, 6);
	add(&search, 3, 0, 7);
	add(&search, 1, 1, 4);        /* gains -1 from rung 0 to 1 */
	add(&search, 2, 1, 3);        /* -3: the median is -2 */
	add(&search, 4, 0, NAN);
	add(&search, 1, 2, 3.5);      /* -0.5 from 1 to 2 */
	add(&search, 5, 1, INFINITY); /* no result yet */
	add(&search, 3, 1, INFINITY); /* on its way, known from rung 0 */
	for (size_t i = 0; i < 9; i++)
		metrics[i] = search.observations[i].value;
	mb_view_init(&view, &search.history);
	CHECK_INT(view.history.n, 5);
	CHECK_INT(view.observations[0].trial, 3);
	CHECK_NEAR(view.observations[0].value, 7 - 2 - .5, 1e-12);
	CHECK_NEAR(view.metrics[0], 7 - 2 - .5, 1e-12);
	CHECK_NEAR(view.u[0], .3, 0);
	CHECK_INT(view.observations[1].trial, 2);
	CHECK_NEAR(view.observations[1].value, 3 - .5, 1e-12);
	CHECK_INT(view.observations[2].trial, 4);
	CHECK(view.observations[2].failed);
	CHECK_INT(view.observations[3].trial, 1);
	CHECK_NEAR(view.observations[3].value, 3.5, 0);
	CHECK_INT(view.observations[4].trial, 5);
	CHECK(view.observations[4].pending);
	mb_view_release(&view);
	mb_experiment_free(read);
}

TEST(without_fidelities_it_is_counting)
{
	struct mb_experiment *read = experiment(4, "");
	struct search search = {.history.experiment = read};

	CHECK_TEXT(next(&search, 1, 1), "new 0");
	CHECK_TEXT(next(&search, 0, 1), "none");
	CHECK_TEXT(next(&search, 1, 0), "none");
	mb_experiment_free(read);
}

TEST_MAIN
