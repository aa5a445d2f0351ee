/* SPDX-License-Identifier: MIT
 *
 * When to stop: the median rule, rungs, stagnation and the expected regret, against cases worked out by hand.
 */
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "opt/opt.h"

static const struct mb_metric loss = {.name = "loss"}, score = {.name = "score", .maximize = 1};

/* The record of a trial with these values of the metric in epochs 1, 2, …; they end with a negative one. */
static json_t *curve(int64_t trial, int64_t rung, const char *metric, const double *values)
{
	json_t *record = json_object(), *rows = json_array();

	mb_json_set(record, "trial", json_integer(trial));
	mb_json_set(record, "rung", json_integer(rung));
	for (size_t i = 0; values[i] >= 0; i++) {
		json_t *row = json_object();

		mb_json_set(row, "epoch", json_integer((json_int_t)i + 1));
		mb_json_set(row, metric, json_real(values[i]));
		json_array_append_new(rows, row);
	}
	mb_json_set(record, "epoch_metrics", rows);
	mb_json_set(record, "status", json_string("completed"));
	return record;
}

static void add(struct mb_curves *curves, int64_t trial, int64_t rung, const struct mb_metric *metric,
		const double *values)
{
	json_t *record = curve(trial, rung, metric->name, values);

	CHECK(mb_curves_add(curves, record, metric) > 0);
	json_decref(record);
}

/* Means up to epoch 2: 2, 3, 4, 5, and 6 of a trial that has one epoch alone. */
static void fill(struct mb_curves *all, const struct mb_metric *metric)
{
	add(all, 1, 0, metric, (double[]){3, 1, 9, -1});
	add(all, 2, 0, metric, (double[]){4, 2, 9, -1});
	add(all, 3, 0, metric, (double[]){5, 3, 0, -1});
	add(all, 4, 0, metric, (double[]){5, 5, -1});
	add(all, 5, 0, metric, (double[]){6, -1});
}

static int judge(struct mb_curves *all, const struct mb_metric *metric, int64_t trial, const double *values,
		 struct mb_judged *judged)
{
	struct mb_curves own = {0};
	int stop;

	add(&own, trial, 0, metric, values);
	stop = mb_stop_by_median(all, &own, judged);
	mb_curves_release(&own);
	return stop;
}

TEST(the_median_rule)
{
	struct mb_curves all = {0};
	struct mb_judged judged;

	fill(&all, &loss);
	CHECK(judge(&all, &loss, 9, (double[]){5, 4.5, -1}, &judged)); /* the best so far, 4.5, is above 4 */
	CHECK_NEAR(judged.mark, 4, 0);
	CHECK_NEAR(judged.own, 4.5, 0);
	CHECK_INT(judged.others, 5);
	CHECK_INT(judged.epoch, 2);
	CHECK(!judge(&all, &loss, 9, (double[]){3.9, 7, -1}, &judged)); /* it was below once */
	CHECK(!judge(&all, &loss, 9, (double[]){4, 7, -1}, &judged));   /* worse, not as bad */
	CHECK(!judge(&all, &loss, 9, (double[]){99, -1}, &judged));     /* one epoch is too early */
	CHECK(!judge(&all, &loss, 5, (double[]){99, 99, -1}, &judged)); /* itself is no other: 4 are too few */
	CHECK_INT(judged.others, 4);
	mb_curves_release(&all);

	fill(&all, &score);
	CHECK(judge(&all, &score, 9, (double[]){3, 3.5, -1}, &judged)); /* maximised */
	CHECK_NEAR(judged.mark, -4, 0);
	CHECK(!judge(&all, &score, 9, (double[]){3, 4.5, -1}, &judged));
	mb_curves_release(&all);
}

TEST(epochs_told_of_on_two_rungs_count_once)
{
	struct mb_curves all = {0};
	struct mb_judged judged;

	for (int64_t trial = 1; trial <= 5; trial++) {
		add(&all, trial, 0, &loss, (double[]){8, -1});
		add(&all, trial, 1, &loss, (double[]){6, 3, 3, -1}); /* the later word counts: mean of three 4, not 5 */
	}
	CHECK(judge(&all, &loss, 9, (double[]){9, 9, 4.5, -1}, &judged));
	CHECK_NEAR(judged.mark, 4, 1e-12);
	mb_curves_release(&all);
}

static struct mb_experiment *experiment(const char *rest)
{
	char path[] = "/tmp/mb-test-XXXXXX", *text;
	struct mb_errs errs = {0};
	struct mb_experiment *read;
	int fd = mkstemp(path);

	text = mb_textf("experiment: {name: a, observation_budget: 100}\nmetrics: [{name: loss, objective: minimize}]\n"
			"parameters: [{name: x, type: double, bounds: {min: 0, max: 1}}]\nmodel: {command: [x]}\n%s", rest);
	CHECK(fd >= 0 && mb_write_all(fd, text, strlen(text)) == 0);
	close(fd);
	free(text);
	read = mb_experiment_read(path, &errs);
	unlink(path);
	if (!read)
		exit(1);
	return read;
}

static void log_result(struct mb_log *log, int64_t trial, int64_t rung, const double *values, size_t epochs)
{
	json_t *record = curve(trial, rung, "loss", values), *metrics = json_object();
	struct mb_err err;

	mb_json_set(metrics, "loss", json_real(values[epochs - 1]));
	mb_json_set(record, "metrics", metrics);
	CHECK(mb_log_append(log, record, &err) == 0);
	json_decref(record);
}

/* Rungs of 1, 3 and 9 epochs; of three or more the best third is worth going on with. */
TEST(a_running_trial_at_a_rung)
{
	struct mb_experiment *read = experiment("fidelity: {name: epochs, max: 9}");
	struct mb_ladder ladder = mb_ladder_of(read);
	struct mb_curves all = {0}, own = {0};
	struct mb_judged judged;
	struct mb_log log;
	struct mb_err err;

	CHECK(mb_log_open(&log, "memory", "a", MB_LOG_MEMORY, NULL, &err) == 0);
	add(&own, 9, 2, &loss, (double[]){8, 7, 5, 4, -1}); /* runs on rung 2, has passed rung 1 with 5 */
	log_result(&log, 1, 1, (double[]){9, 9, 4, -1}, 3);
	CHECK(!mb_stop_by_rung(&all, &own, &ladder, &log, &loss, 2, &judged)); /* two of them: no place to miss */
	CHECK_INT(judged.epoch, 3);
	log_result(&log, 2, 1, (double[]){9, 9, 6, -1}, 3);
	CHECK(mb_stop_by_rung(&all, &own, &ladder, &log, &loss, 2, &judged)); /* 4, 5, 6: it is the second */
	CHECK_NEAR(judged.own, 5, 0);
	CHECK_NEAR(judged.mark, 4, 0);
	CHECK(!mb_stop_by_rung(&all, &own, &ladder, &log, &loss, 1, &judged)); /* on rung 1 this is its end: rung 0 has none */
	/* Three more with 6: among six there are two places. The last began on rung 2, and counts by its curve. */
	log_result(&log, 3, 1, (double[]){9, 9, 6, -1}, 3);
	log_result(&log, 4, 1, (double[]){9, 9, 6, -1}, 3);
	CHECK(mb_stop_by_rung(&all, &own, &ladder, &log, &loss, 2, &judged));
	add(&all, 5, 2, &loss, (double[]){9, 9, 6, 1, 1, 1, 1, 1, 1, -1});
	log_result(&log, 5, 2, (double[]){9, 9, 6, 1, 1, 1, 1, 1, 1, -1}, 9);
	CHECK(!mb_stop_by_rung(&all, &own, &ladder, &log, &loss, 2, &judged));
	CHECK_INT(judged.others, 5);
	/* A trial that went on from the rung was judged there. */
	log_result(&log, 9, 1, (double[]){9, 9, 8, -1}, 3);
	CHECK(!mb_stop_by_rung(&all, &own, &ladder, &log, &loss, 2, &judged));
	mb_log_close(&log);
	mb_curves_release(&own);
	mb_curves_release(&all);
	mb_experiment_free(read);
}

/* A parabola whose minimum is known: the bound covers it, and shrinks below what matters. */
TEST(the_expected_regret)
{
	struct mb_experiment *read = experiment("");
	struct mb_observation observations[24];
	double u[24], metrics[24], stddev[24] = {0};
	struct mb_history history = {.experiment = read, .trial = 25, .seed = 1, .observations = observations, .u = u,
				     .metrics = metrics, .metrics_stddev = stddev};
	struct mb_hashset seen = {0};
	struct mb_regret regret;

	history.seen = &seen;
	for (size_t i = 0; i < 24; i++) {
		u[i] = (double)((i * 7) % 24) / 24;
		metrics[i] = 100 + 3 * (u[i] - .3) * (u[i] - .3);
		observations[i] = (struct mb_observation){.trial = (int64_t)i + 1, .value = metrics[i]};
	}
	history.n = 9;
	CHECK(mb_expected_regret(&history, &regret) < 0); /* too few */
	history.n = 12; /* those so far leave gaps, and 0.3 is not among them */
	CHECK(mb_expected_regret(&history, &regret) == 0);
	CHECK(regret.bound >= 0);
	history.n = 24;
	CHECK(mb_expected_regret(&history, &regret) == 0);
	CHECK(regret.bound < regret.epsilon);
	CHECK_NEAR(regret.epsilon, .01 * .47, .003); /* a hundredth of the deviation of 3 (u - .3)^2 */
	/* Values without any shape: nothing is known of the optimum. */
	for (size_t i = 0; i < 24; i++)
		observations[i].value = metrics[i] = (double)((i * 11) % 24 % 5);
	CHECK(mb_expected_regret(&history, &regret) == 0);
	CHECK(regret.bound > regret.epsilon);
	mb_hashset_release(&seen);
	mb_experiment_free(read);
}

TEST(stagnation_is_sigopts)
{
	/* one dimension: the last 5 against the 5th best before them */
	CHECK(mb_stop_by_stagnation((double[]){1, 2, 3, 4, 5, 9, 9, 9, 9, 5}, 10, 1));
	CHECK(!mb_stop_by_stagnation((double[]){1, 2, 3, 4, 5, 9, 9, 9, 9, 4.9}, 10, 1));
	CHECK(!mb_stop_by_stagnation((double[]){1, 2, 3, 4, 9, 9, 9, 9, 9}, 9, 1));
	CHECK(!mb_stop_by_stagnation((double[]){1, 2, 3, 4, NAN, 9, 9, 9, 9, 9}, 10, 1));
	CHECK(!mb_stop_by_stagnation((double[]){1, 2, 3, 4, 5, 9, 9, 9, 9, 9}, 10, 2));
	CHECK(mb_stop_by_stagnation((double[]){1, 2, 3, 4, 5, NAN, NAN, NAN, NAN, NAN}, 10, 1));
}

TEST_MAIN
