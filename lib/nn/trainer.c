/* SPDX-License-Identifier: MIT */
#include "nn/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/dropout.h"
#include "nn/regularize.h"
#include "stat/stat.h"

/* All that the result depends on, as text: two setups of the same text give the same network. */
static void describe(const struct mb_trainer_setup *setup, struct mb_str *text)
{
	const struct mb_hyper *h = &setup->hyper;
	const double numbers[] = {h->learning_rate, h->weight_decay, h->momentum, h->beta1, h->beta2, h->dropout,
				  h->label_smoothing, h->warmup_epochs, setup->split->share, h->gradient_clip, h->max_norm,
				  h->ema_decay, h->input_dropout};

	mb_str_addf(text, "%s %llu %llu %llu %lld %lld %d", MB_REAL_NAME,
		    (unsigned long long)setup->split->set->digest, (unsigned long long)setup->split->data_seed,
		    (unsigned long long)setup->seed, (long long)setup->max_epochs, (long long)h->batch_size,
		    h->batch_norm);
	mb_str_addf(text, " %s %s %s %s", h->optimizer->name, h->activation->name, mb_schedule_names[h->schedule],
		    mb_init_names[h->init]);
	mb_str_addf(text, " %d %d %d %lld", h->layer_norm, (int)h->momentum_schedule, (int)h->input_scaling,
		    (long long)h->augment_shift);
	for (size_t i = 0; i < MB_COUNT(numbers); i++)
		mb_str_addf(text, " %a", numbers[i]);
	for (int64_t i = 0; i < h->n_hidden; i++)
		mb_str_addf(text, " %lld", (long long)h->hidden[i]);
}

uint64_t mb_trainer_digest(const struct mb_trainer_setup *setup)
{
	struct mb_str text = {0};
	uint64_t digest;

	describe(setup, &text);
	digest = mb_hash_bytes(text.at, text.n, 0);
	mb_str_release(&text);
	return digest;
}

/* The mean and deviation of all training pixels make them 0 and 1. */
static void scale_inputs(struct mb_mlp *net, const struct mb_split *split)
{
	const size_t pixels = split->set->pixels;
	uint64_t sum = 0, squares = 0;
	double n = (double)split->n_train * (double)pixels, mean, deviation;

	for (size_t i = 0; i < split->n_train; i++) {
		const uint8_t *x = split->set->train_x + split->train[i] * pixels;
		uint32_t of_image = 0, its_squares = 0; /* 2^16 pixels of 255² stay below 2^32 */

		for (size_t j = 0; j < pixels; j++) {
			of_image += x[j];
			its_squares += (uint32_t)x[j] * x[j];
		}
		sum += of_image;
		squares += its_squares;
	}
	mean = (double)sum / n;
	deviation = sqrt((double)squares / n - mean * mean);
	if (!(deviation > 0))
		return; /* all pixels are the same: unit */
	net->input_scale = (mb_real)(1 / deviation);
	net->input_offset = (mb_real)(-mean / deviation);
}

struct mb_trainer *mb_trainer_new(const struct mb_trainer_setup *setup, struct mb_err *err)
{
	const struct mb_split *split = setup->split;
	struct mb_trainer *trainer;
	struct mb_mlp_shape shape;
	size_t batch = (size_t)setup->hyper.batch_size, numbers;

	trainer = mb_alloc(sizeof *trainer);
	trainer->setup = *setup;
	trainer->batch = batch < split->n_train ? batch : split->n_train;
	trainer->steps_an_epoch = (split->n_train + trainer->batch - 1) / trainer->batch;
	mb_mlp_shape_of(&setup->hyper, split->set->pixels, split->set->classes, &shape);
	trainer->tile = mb_mlp_tile(&shape, trainer->batch);
	trainer->net =
		mb_mlp_new(&shape, trainer->tile > MB_EVALUATE_ROWS ? trainer->tile : MB_EVALUATE_ROWS, 1, err);
	if (!trainer->net) {
		mb_trainer_free(trainer);
		return NULL;
	}
	if (setup->kernel)
		trainer->net->kernel = setup->kernel;
	trainer->slots = setup->hyper.optimizer->slots + (setup->hyper.ema_decay > 0);
	numbers = (size_t)trainer->slots * trainer->net->n_params;
	trainer->state = calloc(numbers + 1, sizeof *trainer->state);
	trainer->order = malloc(split->n_train * sizeof *trainer->order);
	trainer->labels = malloc(trainer->batch * sizeof *trainer->labels);
	trainer->numbers = split->set->train_t ? malloc(trainer->batch * sizeof *trainer->numbers) : NULL;
	trainer->shifts = setup->hyper.augment_shift && split->set->train_x ? malloc(2 * trainer->batch) : NULL;
	if (!trainer->state || !trainer->order || !trainer->labels ||
	    (split->set->train_t && !trainer->numbers) ||
	    (setup->hyper.augment_shift && split->set->train_x && !trainer->shifts)) {
		mb_err_set(err, MB_EXIT_SYSTEM, NULL, "no memory for the optimiser's %zu numbers", numbers);
		mb_trainer_free(trainer);
		return NULL;
	}
	trainer->curve = json_array();
	mb_init_mlp(trainer->net, setup->hyper.init, setup->seed);
	if (!split->set->train_x)
		trainer->net->input_scale = 1; /* of a table, whose inputs are scaled as they are read */
	else if (setup->hyper.input_scaling == MB_INPUT_STANDARD)
		scale_inputs(trainer->net, split);
	if (setup->hyper.ema_decay > 0) {
		trainer->average = trainer->state + (size_t)(trainer->slots - 1) * trainer->net->n_params;
		memcpy(trainer->average, trainer->net->param, trainer->net->n_params * sizeof *trainer->average);
	}
	return trainer;
}

void mb_trainer_free(struct mb_trainer *trainer)
{
	if (!trainer)
		return;
	mb_mlp_free(trainer->net);
	free(trainer->state);
	free(trainer->order);
	free(trainer->labels);
	free(trainer->numbers);
	free(trainer->shifts);
	mb_evaluation_release(&trainer->validation);
	json_decref(trainer->curve);
	free(trainer);
}

/* What the optimiser is to do at a step (0, 1, …). */
static struct mb_optimizer_step plan_step(const struct mb_trainer *trainer, uint64_t step)
{
	const struct mb_hyper *h = &trainer->setup.hyper;
	const uint64_t warmup = (uint64_t)llround(h->warmup_epochs * (double)trainer->steps_an_epoch);
	const uint64_t total = (uint64_t)trainer->setup.max_epochs * trainer->steps_an_epoch;

	return (struct mb_optimizer_step){
		.learning_rate = h->learning_rate * mb_schedule_factor(h->schedule, step, warmup, total),
		.weight_decay = h->weight_decay,
		.momentum = mb_schedule_momentum(h->momentum_schedule, h->momentum, step, warmup, total),
		.beta1 = mb_schedule_momentum(h->momentum_schedule, h->beta1, step, warmup, total),
		.beta2 = h->beta2,
		.step = step + 1};
}

static enum mb_train_end fail(struct mb_trainer *trainer, const char *what, double value)
{
	if (!trainer->step)
		snprintf(trainer->error, sizeof trainer->error, "diverged at epoch %lld: %s is %s",
			 (long long)trainer->epoch, what, isnan(value) ? "nan" : "inf");
	else
		snprintf(trainer->error, sizeof trainer->error, "diverged at epoch %lld, step %zu: %s is %s",
			 (long long)trainer->epoch + 1, trainer->step, what, isnan(value) ? "nan" : "inf");
	return MB_TRAIN_FAILED;
}

/* Rows done … of the batch, into net->x. */
static void take_rows(struct mb_trainer *trainer, const uint32_t *index, size_t done, size_t rows, uint64_t step)
{
	const struct mb_trainer_setup *setup = &trainer->setup;
	const struct mb_dataset *set = setup->split->set;
	struct mb_dropout dropout = {setup->hyper.input_dropout, setup->seed, step, done};

	if (trainer->shifts)
		mb_gather_shifted(trainer->net, set->train_x, index + done, rows, set->cols,
				  trainer->shifts + 2 * done);
	else
		mb_gather_part(trainer->net, set, 0, index + done, 0, rows);
	if (dropout.share > 0)
		mb_dropout_apply(&dropout, MB_HIDDEN_MAX, trainer->net->x, NULL, rows, set->pixels);
}

static void take_targets(struct mb_trainer *trainer, const uint32_t *index, size_t rows)
{
	const struct mb_dataset *set = trainer->setup.split->set;

	for (size_t i = 0; i < rows && trainer->numbers; i++)
		trainer->numbers[i] = set->train_t[index[i]];
	for (size_t i = 0; i < rows && !trainer->numbers; i++)
		trainer->labels[i] = set->train_y[index[i]];
}

static void draw_shifts(struct mb_trainer *trainer, size_t rows, uint64_t step)
{
	const int64_t most = trainer->setup.hyper.augment_shift;
	struct mb_rng rng;

	mb_rng_init(&rng, trainer->setup.seed, step, MB_RNG_SHIFT);
	for (size_t i = 0; i < 2 * rows; i++)
		trainer->shifts[i] = (int8_t)((int64_t)mb_rng_below(&rng, (uint64_t)(2 * most + 1)) - most);
}

static void step_weights(struct mb_trainer *trainer, uint64_t step)
{
	const struct mb_hyper *hyper = &trainer->setup.hyper;
	const struct mb_optimizer_step at = plan_step(trainer, step);
	struct mb_mlp *net = trainer->net;

	if (hyper->gradient_clip > 0)
		mb_clip_gradient(net, hyper->gradient_clip);
	hyper->optimizer->step(&at, net->param, net->grad, trainer->state, net->n_params);
	if (hyper->max_norm > 0)
		mb_hold_norms(net, hyper->max_norm);
	if (trainer->average)
		mb_average_weights(net, hyper->ema_decay, step + 1, trainer->average);
}

/* The next batch of all n trainers, which are at the same step of the same epoch; losses: summed over its rows. */
static void train_batch(struct mb_trainer *const *trainers, size_t n, double *losses)
{
	struct mb_trainer *const first = trainers[0];
	const struct mb_split *split = first->setup.split;
	const size_t start = first->step * first->batch, left = split->n_train - start;
	const size_t rows = left < first->batch ? left : first->batch;
	const uint32_t *index = first->order + start;
	const uint64_t step = (uint64_t)first->epoch * first->steps_an_epoch + first->step;
	struct mb_dropout dropouts[MB_TRAINERS_MOST];
	struct mb_targets targets;
	double smoothings[MB_TRAINERS_MOST];
	struct mb_mlp *nets[MB_TRAINERS_MOST];

	for (size_t i = 0; i < n; i++) {
		const struct mb_trainer_setup *setup = &trainers[i]->setup;

		nets[i] = trainers[i]->net;
		dropouts[i] = (struct mb_dropout){setup->hyper.dropout, setup->seed, step, 0};
		smoothings[i] = setup->hyper.label_smoothing;
		losses[i] = 0;
	}
	take_targets(first, index, rows);
	if (first->shifts)
		draw_shifts(first, rows, step);
	for (size_t done = 0, some; done < rows; done += some) {
		some = rows - done < first->tile ? rows - done : first->tile;
		for (size_t i = 0; i < n; i++)
			dropouts[i].first = done;
		take_rows(first, index, done, some, step);
		mb_mlp_forward_all(nets, n, first->net->x, some, dropouts);
		targets = (struct mb_targets){first->labels + done, first->numbers ? first->numbers + done : NULL};
		mb_mlp_backward_all(nets, n, first->net->x, some, targets, smoothings, rows, done > 0, losses);
	}
	for (size_t i = 0; i < n; i++)
		step_weights(trainers[i], step);
}

static int out_of_time(struct mb_trainer *trainer)
{
	double limit = trainer->setup.time_limit_s;

	if (!(limit > 0) || trainer->train_s + trainer->validate_s < limit)
		return 0;
	snprintf(trainer->error, sizeof trainer->error, "timeout after %g s", limit);
	return 1;
}

/* A batch of theirs is done: 0, or this one can go no further. */
static int count_step(struct mb_trainer *trainer, double loss, double seconds)
{
	trainer->step++;
	trainer->loss_sum += loss;
	trainer->train_s += seconds;
	trainer->train_now_s += seconds;
	if (!isfinite(loss))
		return fail(trainer, "loss", loss);
	return out_of_time(trainer);
}

static enum mb_train_end end_epoch(struct mb_trainer *trainer)
{
	trainer->train_loss = trainer->loss_sum / (double)trainer->setup.split->n_train;
	trainer->loss_sum = 0;
	trainer->epoch++;
	trainer->step = 0;
	trainer->order_is_for = 0;
	return mb_mlp_finite(trainer->net) ? MB_TRAIN_EPOCH : fail(trainer, "a parameter", INFINITY);
}

/* Those that are foremost behind: at the least step. Returns how many; at[i] are their places in trainers. */
static size_t hindmost(struct mb_trainer *const *trainers, size_t n, const enum mb_train_end *ends, size_t *at)
{
	size_t least = SIZE_MAX, found = 0;

	for (size_t i = 0; i < n; i++)
		if (ends[i] == MB_TRAIN_EPOCH && trainers[i]->step < least)
			least = trainers[i]->step;
	if (least == SIZE_MAX || least == trainers[0]->steps_an_epoch)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (ends[i] == MB_TRAIN_EPOCH && trainers[i]->step == least)
			at[found++] = i;
	return found;
}

/* The rest of the epoch, which is the same one for all; a trainer whose end is not MB_TRAIN_EPOCH has dropped out. */
static void train_epoch(struct mb_trainer *const *trainers, size_t n, mb_stop_fn *stop, void *context,
			enum mb_train_end *ends)
{
	struct mb_trainer *together[MB_TRAINERS_MOST];
	double losses[MB_TRAINERS_MOST], before = mb_clock_monotonic_s(), now;
	size_t at[MB_TRAINERS_MOST], some;

	for (size_t i = 0; i < n; i++) {
		if (!trainers[i]->order_is_for)
			mb_split_order(trainers[i]->setup.split, (uint64_t)trainers[i]->epoch, trainers[i]->order);
		trainers[i]->order_is_for = 1;
	}
	while ((some = hindmost(trainers, n, ends, at))) {
		if (stop && stop(context))
			break;
		for (size_t i = 0; i < some; i++)
			together[i] = trainers[at[i]];
		train_batch(together, some, losses);
		now = mb_clock_monotonic_s();
		for (size_t i = 0; i < some; i++)
			if (count_step(together[i], losses[i], (now - before) / (double)some))
				ends[at[i]] = MB_TRAIN_FAILED;
		before = now;
	}
	for (size_t i = 0; i < n; i++)
		if (ends[i] == MB_TRAIN_EPOCH)
			ends[i] = trainers[i]->step == trainers[i]->steps_an_epoch ? end_epoch(trainers[i])
										    : MB_TRAIN_STOPPED;
}

/* val_loss … of the validation, into an object. */
static void put_scores(const struct mb_trainer *trainer, json_t *to)
{
	const struct mb_dataset *set = trainer->setup.split->set;
	const double unit = set->train_t ? set->label_deviation * set->label_deviation : 1;
	struct mb_classification scores;

	mb_json_set(to, "val_loss", json_real(trainer->validation.loss));
	if (set->train_t) {
		mb_json_set(to, "val_r2", json_real(trainer->validation.r2));
	} else {
		mb_classify(trainer->validation.confusion, trainer->validation.classes, NULL, &scores);
		mb_json_set(to, "val_accuracy", json_real(scores.accuracy));
		mb_json_set(to, "val_macro_f1", json_real(scores.macro.f1));
	}
	mb_json_set(to, "train_loss", json_real(trainer->train_loss * unit));
	mb_json_set(to, "train_seconds", json_real(round(trainer->train_s * 1e6) / 1e6));
}

static enum mb_train_end validate(struct mb_trainer *trainer, mb_stop_fn *stop, void *context)
{
	const struct mb_split *split = trainer->setup.split;
	const double start = mb_clock_monotonic_s();
	struct mb_mlp *net = trainer->net;
	mb_real *param = net->param;
	double seconds;
	int stopped;

	net->param = trainer->average ? trainer->average : param;
	stopped = mb_evaluate(net, split->set, 0, split->val, split->n_val, stop, context, &trainer->validation);
	net->param = param;
	seconds = mb_clock_monotonic_s() - start;
	trainer->validate_s += seconds;
	trainer->validate_now_s += seconds;
	if (stopped)
		return MB_TRAIN_STOPPED;
	if (!isfinite(trainer->validation.loss))
		return fail(trainer, "val_loss", trainer->validation.loss);
	trainer->validated = trainer->epoch;
	if (trainer->setup.curve) {
		json_t *row = json_object();

		mb_json_set(row, "epoch", json_integer(trainer->epoch));
		put_scores(trainer, row);
		json_array_append_new(trainer->curve, row);
	}
	return out_of_time(trainer) ? MB_TRAIN_FAILED : MB_TRAIN_EPOCH;
}

/* An epoch that ended unvalidated, here or before the checkpoint, comes first. */
static int waits_for_validation(const struct mb_trainer *trainer)
{
	const struct mb_trainer_setup *setup = &trainer->setup;

	return !trainer->step && trainer->epoch > trainer->validated && (setup->curve || trainer->epoch >= setup->epochs);
}

void mb_trainers_run(struct mb_trainer *const *trainers, size_t n, mb_stop_fn *stop, void *context,
		     enum mb_train_end *ends)
{
	struct mb_trainer *training[MB_TRAINERS_MOST];
	enum mb_train_end theirs[MB_TRAINERS_MOST];
	size_t at[MB_TRAINERS_MOST], some = 0;

	for (size_t i = 0; i < n; i++) {
		const struct mb_trainer *trainer = trainers[i];

		ends[i] = trainer->error[0] ? MB_TRAIN_FAILED : MB_TRAIN_EPOCH;
		if (trainer->error[0] || waits_for_validation(trainer))
			continue;
		if (trainer->epoch >= trainer->setup.epochs) {
			ends[i] = MB_TRAIN_DONE;
			continue;
		}
		at[some] = i;
		theirs[some] = MB_TRAIN_EPOCH;
		training[some++] = trainers[i];
	}
	if (some)
		train_epoch(training, some, stop, context, theirs);
	for (size_t i = 0; i < some; i++)
		ends[at[i]] = theirs[i];
	for (size_t i = 0; i < n; i++) {
		if (ends[i] == MB_TRAIN_EPOCH && waits_for_validation(trainers[i]))
			ends[i] = validate(trainers[i], stop, context);
		if (ends[i] == MB_TRAIN_EPOCH && trainers[i]->epoch >= trainers[i]->setup.epochs)
			ends[i] = MB_TRAIN_DONE;
	}
}

enum mb_train_end mb_trainer_run(struct mb_trainer *trainer, mb_stop_fn *stop, void *context)
{
	enum mb_train_end end;

	mb_trainers_run(&trainer, 1, stop, context, &end);
	return end;
}

int mb_trainers_alike(const struct mb_trainer *a, const struct mb_trainer *b)
{
	if (a->setup.split != b->setup.split || a->net->kernel != b->net->kernel || a->epoch != b->epoch)
		return 0;
	return a == b || mb_hyper_alike(&a->setup.hyper, &b->setup.hyper);
}

void mb_trainer_metrics(const struct mb_trainer *trainer, json_t *metrics)
{
	put_scores(trainer, metrics);
}
