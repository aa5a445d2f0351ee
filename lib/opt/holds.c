/* SPDX-License-Identifier: MIT */
#include "opt/holds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "opt/merit.h"

static const char of_success[] = " failed";

/* On a square that fails in half, 40 trials after the first 20: failures with the weights 1, 30, 100, 300, 1000 were
 * 70, 27, 17, 11 and 7 %. A bold suggestion in so many finds the way out of a region that failures enclose. */
enum { BOLD_EVERY = 8 };
#define SAFE_WEIGHT 1000
#define BOLD_WEIGHT 30

/* Crashes are luck where that is e^DOUBT times as likely as a place that fails, of which those about a trial tell
 * as much as NEIGHBOURS trials would. Chosen on half, ball3 and ackley5 of the bench; Ackley's function in 4
 * dimensions after 60 trials, 5 % of which crash at random: regret 1.14 to .61 (60 seeds). */
enum { DOUBT = 2, NEIGHBOURS = 7 };

/* Of a constraint. On four textbook problems, what breaks one among suggestions 31 to 60 with weight 1, 2 (10 seeds) and
 * 4 (5 seeds): 43, 35, 32 %; the best of 60 differs in the fourth digit. */
#define HOLD_WEIGHT 2

struct sample {
	size_t *list;
	double *values, *noise;
	size_t n;
};

static void sample_init(struct sample *sample, const struct mb_history *history)
{
	*sample = (struct sample){.list = mb_alloc((history->n + 1) * sizeof *sample->list),
				  .values = mb_alloc((history->n + 1) * sizeof *sample->values),
				  .noise = mb_alloc((history->n + 1) * sizeof *sample->noise)};
}

static void sample_release(struct sample *sample)
{
	free(sample->list);
	free(sample->values);
	free(sample->noise);
}

static double median_size(const struct sample *sample)
{
	double *sizes = mb_alloc((sample->n + 1) * sizeof *sizes), median;

	for (size_t i = 0; i < sample->n; i++)
		sizes[i] = fabs(sample->values[i]);
	median = mb_summary_of(sizes, sample->n).median;
	free(sizes);
	return median > 0 ? median : 1;
}

/* By how much metric k lies above its threshold in the sense of worse, made less heavy in the tails. */
static void sample_metric(struct sample *sample, const struct mb_history *history, size_t k)
{
	const struct mb_metric *metric = &history->experiment->metrics[k];
	size_t m = history->experiment->n_metrics;
	double scale;

	sample->n = 0;
	for (size_t i = 0; i < history->n; i++) {
		double value = history->metrics[i * m + k];

		if (history->observations[i].pending || history->observations[i].failed || isnan(value))
			continue;
		sample->list[sample->n] = i;
		sample->noise[sample->n] = history->metrics_stddev ? history->metrics_stddev[i * m + k] : 0;
		sample->values[sample->n++] = metric->maximize ? metric->threshold - value : value - metric->threshold;
	}
	scale = median_size(sample);
	for (size_t i = 0; i < sample->n; i++) {
		double size = fabs(sample->values[i]);

		sample->noise[i] /= scale + size; /* the derivative of the logarithm */
		sample->values[i] = copysign(log1p(size / scale), sample->values[i]);
	}
}

static void sample_success(struct sample *sample, const struct mb_history *history)
{
	sample->n = 0;
	for (size_t i = 0; i < history->n; i++)
		if (!history->observations[i].pending) {
			sample->list[sample->n] = i;
			sample->noise[sample->n] = 0;
			sample->values[sample->n++] = history->observations[i].failed ? 1 : -1;
		}
}

static void add_output(struct mb_holds *holds, const struct mb_rows *rows, const struct mb_history *history,
		       const struct sample *sample, const char *name, struct mb_rng *rng)
{
	struct mb_output *output = &holds->outputs[holds->n];

	if (sample->n < 2)
		return;
	if (mb_output_init(output, rows, history, sample->list, sample->n, sample->values, sample->noise,
			   json_object_get(json_object_get(history->surrogate, "holds"), name), rng) < 0) {
		mb_output_release(output);
		return;
	}
	holds->names[holds->n++] = name;
}

static int any_failed(const struct mb_history *history)
{
	for (size_t i = 0; i < history->n; i++)
		if (history->observations[i].failed && !history->observations[i].pending)
			return 1;
	return 0;
}

/* Squared distance of the row to row i of the process, in its length scales. */
static double distance(const struct mb_gp *gp, const double *row, size_t i)
{
	double sum = 1e-18; /* a row of the log itself */

	for (size_t j = 0; j < gp->dims; j++) {
		double off = row[j] - gp->x[j * gp->cap + i];

		sum += gp->weight[j] * (gp->category[j] ? off != 0 : off * off);
	}
	return sum;
}

/* The share of failures among all other trials, weighted by their distance^-4 to trial i. */
static double share_about(const struct mb_gp *gp, size_t known, size_t i, double *row)
{
	double bad = 0, all = 0;

	for (size_t j = 0; j < gp->dims; j++)
		row[j] = gp->x[j * gp->cap + i];
	for (size_t k = 0; k < known; k++) {
		double square = k == i ? INFINITY : distance(gp, row, k), weight = 1 / (square * square);

		all += weight;
		bad += gp->y[k] > 0 ? weight : 0;
	}
	return bad / all;
}

/* By how much better, in nats, the outcome of each trial is told by those about it than by how many of the others
 * failed wherever they are: no trial vouches for itself, so that luck has no place. */
static double evidence_of_place(const struct mb_holds *holds, const struct mb_gp *gp)
{
	double n = (double)holds->known, failed = 0, sum = 0;

	for (size_t i = 0; i < holds->known; i++)
		failed += gp->y[i] > 0;
	for (size_t i = 0; i < holds->known; i++) {
		int bad = gp->y[i] > 0;
		double rate = (failed - bad + 1) / (n + 19); /* of luck, a Beta(1, 19) before any trial: it is rare */
		double here = (NEIGHBOURS * share_about(gp, holds->known, i, holds->scratch) + rate) / (NEIGHBOURS + 1);

		sum += bad ? log(here / rate) : log((1 - here) / (1 - rate));
	}
	return sum;
}

/* Luck weighs nothing: what fails at random anywhere must not close what lies about it. */
static void add_success(struct mb_holds *holds, const struct mb_rows *rows, const struct mb_history *history,
			const struct sample *sample, struct mb_rng *rng)
{
	size_t before = holds->n;

	add_output(holds, rows, history, sample, of_success, rng);
	if (holds->n > before && evidence_of_place(holds, &holds->outputs[before].gp) > -DOUBT)
		holds->weight = history->n % BOLD_EVERY ? SAFE_WEIGHT : BOLD_WEIGHT;
}

void mb_holds_init(struct mb_holds *holds, const struct mb_rows *rows, const struct mb_history *history,
		   struct mb_rng *rng)
{
	const struct mb_experiment *experiment = history->experiment;
	struct sample sample;

	*holds = (struct mb_holds){.outputs = mb_alloc((experiment->n_metrics + 1) * sizeof *holds->outputs),
				   .names = mb_alloc((experiment->n_metrics + 1) * sizeof *holds->names),
				   .scratch = mb_alloc(2 * rows->dims * sizeof *holds->scratch)};
	sample_init(&sample, history);
	for (size_t k = 0; k < experiment->n_metrics; k++)
		if (experiment->metrics[k].strategy == MB_STRATEGY_CONSTRAINT) {
			sample_metric(&sample, history, k);
			add_output(holds, rows, history, &sample, experiment->metrics[k].name, rng);
		}
	if (any_failed(history)) {
		sample_success(&sample, history);
		holds->known = sample.n;
		add_success(holds, rows, history, &sample, rng);
	}
	sample_release(&sample);
}

void mb_holds_release(struct mb_holds *holds)
{
	for (size_t i = 0; i < holds->n; i++)
		mb_output_release(&holds->outputs[i]);
	free(holds->outputs);
	free(holds->names);
	free(holds->scratch);
	*holds = (struct mb_holds){0};
}

/* Log of the share of successes, each trial weighted by its distance^-4; its derivatives, scaled, are added to
 * by_row unless that is NULL. */
static double log_success(const struct mb_holds *holds, const struct mb_output *success, const double *row, double scale,
			  double *by_row)
{
	const struct mb_gp *gp = &success->gp;
	double good = 0, all = 0, share;

	for (size_t i = 0; i < holds->known; i++) {
		double square = distance(gp, row, i), weight = 1 / (square * square);

		all += weight;
		good += gp->y[i] < 0 ? weight : 0;
	}
	share = good / all;
	for (size_t i = 0; i < holds->known && by_row && share > 0; i++) {
		double square = distance(gp, row, i), weight = 1 / (square * square);
		double slope = scale * -4 * weight / square * ((gp->y[i] < 0) / good - 1 / all);

		for (size_t j = 0; j < gp->dims; j++)
			if (!gp->category[j])
				by_row[j] += slope * gp->weight[j] * (row[j] - gp->x[j * gp->cap + i]);
	}
	return scale * log(fmax(share, 1e-300));
}

void mb_holds_add(const struct mb_holds *holds, const double *rows, size_t m, double *score)
{
	double *mean = mb_alloc(2 * (m + 1) * sizeof *mean), *sd = mean + m + 1;

	for (size_t k = 0; k < holds->n; k++) {
		const struct mb_output *output = &holds->outputs[k];

		if (holds->names[k] == of_success) {
			for (size_t i = 0; i < m; i++)
				score[i] += log_success(holds, output, rows + i * output->gp.dims, holds->weight, NULL);
			continue;
		}
		mb_output_predict(output, rows, m, mean, sd);
		for (size_t i = 0; i < m; i++)
			score[i] += HOLD_WEIGHT * mb_log_normal_cdf(-mean[i] / sd[i]);
	}
	free(mean);
}

double mb_holds_gradient(const struct mb_holds *holds, const double *row, double *by_row)
{
	double sum = 0;

	for (size_t k = 0; k < holds->n; k++) {
		size_t dims = holds->outputs[k].gp.dims;
		double *by_mean = holds->scratch, *by_sd = holds->scratch + dims, mean, sd, z, slope;

		if (holds->names[k] == of_success) {
			sum += log_success(holds, &holds->outputs[k], row, holds->weight, by_row);
			continue;
		}
		mb_output_gradient(&holds->outputs[k], row, &mean, &sd, by_mean, by_sd);
		z = -mean / sd;
		slope = HOLD_WEIGHT * mb_log_normal_cdf_gradient(z);
		sum += HOLD_WEIGHT * mb_log_normal_cdf(z);
		for (size_t i = 0; i < dims; i++)
			by_row[i] += slope * (-by_mean[i] - z * by_sd[i]) / sd;
	}
	return sum;
}

void mb_holds_write(const struct mb_holds *holds, json_t *surrogate)
{
	json_t *members = json_object();

	for (size_t k = 0; k < holds->n; k++)
		mb_json_set(members, holds->names[k], mb_output_write(&holds->outputs[k]));
	if (holds->n)
		mb_json_set(surrogate, "holds", json_incref(members));
	json_decref(members);
}
