/* SPDX-License-Identifier: MIT */
#include "nn/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stat/stat.h"

/* All that the result depends on, as text: two setups of the same text give the same network. */
static void describe(const struct mb_trainer_setup *setup, struct mb_str *text)
{
	const struct mb_hyper *h = &setup->hyper;
	const double numbers[] = {h->learning_rate, h->weight_decay, h->momentum, h->beta1, h->beta2, h->dropout,
				  h->label_smoothing, h->warmup_epochs, setup->split->share};

	mb_str_addf(text, "%s %llu %llu %llu %lld %lld %d", MB_REAL_NAME,
		    (unsigned long long)setup->split->set->digest, (unsigned long long)setup->split->data_seed,
		    (unsigned long long)setup->seed, (long long)setup->max_epochs, (long long)h->batch_size,
		    h->batch_norm);
	mb_str_addf(text, " %s %s %s %s", h->optimizer->name, h->activation->name, mb_schedule_names[h->schedule],
		    mb_init_names[h->init]);
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
	numbers = (size_t)setup->hyper.optimizer->slots * trainer->net->n_params;
	trainer->state = calloc(numbers + 1, sizeof *trainer->state);
	trainer->order = malloc(split->n_train * sizeof *trainer->order);
	trainer->labels = malloc(trainer->batch);
	if (!trainer->state || !trainer->order || !trainer->labels) {
		mb_err_set(err, MB_EXIT_SYSTEM, NULL, "no memory for the optimiser's %zu numbers", numbers);
		mb_trainer_free(trainer);
		return NULL;
	}
	trainer->curve = json_array();
	mb_init_mlp(trainer->net, setup->hyper.init, setup->seed);
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
	json_decref(trainer->curve);
	free(trainer);
}

static double learning_rate(const struct mb_trainer *trainer, uint64_t step)
{
	const struct mb_trainer_setup *setup = &trainer->setup;
	const double an_epoch = (double)trainer->steps_an_epoch;
	uint64_t warmup = (uint64_t)llround(setup->hyper.warmup_epochs * an_epoch);

	return setup->hyper.learning_rate * mb_schedule_factor(setup->hyper.schedule, step, warmup,
							       (uint64_t)setup->max_epochs * trainer->steps_an_epoch);
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

/* One batch; the loss summed over its rows. */
static double train_batch(struct mb_trainer *trainer)
{
	const struct mb_trainer_setup *setup = &trainer->setup;
	const struct mb_hyper *hyper = &setup->hyper;
	const struct mb_split *split = setup->split;
	const size_t first = trainer->step * trainer->batch, left = split->n_train - first;
	const size_t rows = left < trainer->batch ? left : trainer->batch;
	const uint32_t *index = trainer->order + first;
	uint64_t step = (uint64_t)trainer->epoch * trainer->steps_an_epoch + trainer->step;
	struct mb_dropout dropout = {hyper->dropout, setup->seed, step, 0};
	struct mb_optimizer_step at = {learning_rate(trainer, step),
				       hyper->weight_decay,
				       hyper->momentum,
				       hyper->beta1,
				       hyper->beta2,
				       step + 1};
	struct mb_mlp *net = trainer->net;
	double loss = 0;

	for (size_t i = 0; i < rows; i++)
		trainer->labels[i] = split->set->train_y[index[i]];
	for (size_t done = 0, some; done < rows; done += some) {
		some = rows - done < trainer->tile ? rows - done : trainer->tile;
		dropout.first = done;
		mb_gather(split->set->train_x, index + done, some, split->set->pixels, net->x);
		mb_mlp_forward(net, some, &dropout);
		loss += mb_mlp_backward(net, some, trainer->labels + done, hyper->label_smoothing, rows, done > 0);
	}
	hyper->optimizer->step(&at, net->param, net->grad, trainer->state, net->n_params);
	return loss;
}

static int out_of_time(struct mb_trainer *trainer, double now_s)
{
	double limit = trainer->setup.time_limit_s;

	if (!(limit > 0) || trainer->train_s + trainer->validate_s + now_s < limit)
		return 0;
	snprintf(trainer->error, sizeof trainer->error, "timeout after %g s", limit);
	return 1;
}

/* The rest of the epoch. */
static enum mb_train_end train_epoch(struct mb_trainer *trainer, mb_stop_fn *stop, void *context)
{
	const double start = mb_clock_monotonic_s();
	enum mb_train_end end = MB_TRAIN_EPOCH;

	if (!trainer->order_is_for)
		mb_split_order(trainer->setup.split, (uint64_t)trainer->epoch, trainer->order);
	trainer->order_is_for = 1;
	while (trainer->step < trainer->steps_an_epoch && end == MB_TRAIN_EPOCH) {
		double loss;

		if (stop && stop(context)) {
			end = MB_TRAIN_STOPPED;
			break;
		}
		loss = train_batch(trainer);
		trainer->step++;
		trainer->loss_sum += loss;
		if (!isfinite(loss))
			end = fail(trainer, "loss", loss);
		else if (out_of_time(trainer, mb_clock_monotonic_s() - start))
			end = MB_TRAIN_FAILED;
	}
	trainer->train_s += mb_clock_monotonic_s() - start;
	trainer->train_now_s += mb_clock_monotonic_s() - start;
	if (end != MB_TRAIN_EPOCH)
		return end;
	trainer->train_loss = trainer->loss_sum / (double)trainer->setup.split->n_train;
	trainer->loss_sum = 0;
	trainer->epoch++;
	trainer->step = 0;
	trainer->order_is_for = 0;
	return mb_mlp_finite(trainer->net) ? MB_TRAIN_EPOCH : fail(trainer, "a parameter", INFINITY);
}

/* val_loss … of the validation, into an object. */
static void put_scores(const struct mb_trainer *trainer, json_t *to)
{
	struct mb_classification scores;

	mb_classify(trainer->validation.confusion, MB_CLASSES, NULL, &scores);
	mb_json_set(to, "val_loss", json_real(trainer->validation.loss));
	mb_json_set(to, "val_accuracy", json_real(scores.accuracy));
	mb_json_set(to, "val_macro_f1", json_real(scores.macro.f1));
	mb_json_set(to, "train_loss", json_real(trainer->train_loss));
	mb_json_set(to, "train_seconds", json_real(round(trainer->train_s * 1e6) / 1e6));
}

static enum mb_train_end validate(struct mb_trainer *trainer, mb_stop_fn *stop, void *context)
{
	const struct mb_split *split = trainer->setup.split;
	const double start = mb_clock_monotonic_s();
	int stopped = mb_evaluate(trainer->net, split->set->train_x, split->set->train_y, split->val, split->n_val,
				  stop, context, &trainer->validation);
	double seconds = mb_clock_monotonic_s() - start;

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
	return out_of_time(trainer, 0) ? MB_TRAIN_FAILED : MB_TRAIN_EPOCH;
}

enum mb_train_end mb_trainer_run(struct mb_trainer *trainer, mb_stop_fn *stop, void *context)
{
	const struct mb_trainer_setup *setup = &trainer->setup;
	enum mb_train_end end = MB_TRAIN_EPOCH;
	/* an epoch that ended unvalidated, here or before the checkpoint, comes first */
	int waiting = !trainer->step && trainer->epoch > trainer->validated;

	if (trainer->error[0])
		return MB_TRAIN_FAILED;
	if (!(waiting && (setup->curve || trainer->epoch >= setup->epochs))) {
		if (trainer->epoch >= setup->epochs)
			return MB_TRAIN_DONE;
		end = train_epoch(trainer, stop, context);
		waiting = 1;
	}
	if (end == MB_TRAIN_EPOCH && (setup->curve || trainer->epoch >= setup->epochs))
		end = validate(trainer, stop, context);
	if (end == MB_TRAIN_EPOCH && trainer->epoch >= setup->epochs)
		return MB_TRAIN_DONE;
	return end;
}

void mb_trainer_metrics(const struct mb_trainer *trainer, json_t *metrics)
{
	put_scores(trainer, metrics);
}
