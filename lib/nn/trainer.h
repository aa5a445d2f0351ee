/* SPDX-License-Identifier: MIT
 *
 * One trial in training. What comes out depends on (data, split, hyperparameters, seed, epochs, max_epochs) alone,
 * to the bit: not on interruptions, on what runs beside it, or on time.
 *
 *     struct mb_trainer *trainer = mb_trainer_new(&setup, &err);
 *     if (mb_trainer_resume(trainer, path, &err) < 0) …              // damaged or foreign: say so, start anew
 *     while ((end = mb_trainer_run(trainer, stop, context)) == MB_TRAIN_EPOCH)
 *         … mb_trainer_save(trainer, path, &err) every now and then …
 *     if (end == MB_TRAIN_DONE)
 *         mb_trainer_metrics(trainer, metrics);                      // val_loss, val_accuracy, …
 *
 * A trainer that was stopped can be run on, or saved and resumed by another process: also in the middle of an epoch.
 * Several trainers of one process share the split and the data set; each takes turns as its caller likes.
 */
#ifndef MB_NN_TRAINER_H
#define MB_NN_TRAINER_H

#include "data/data.h"
#include "nn/evaluate.h"
#include "nn/hyper.h"
#include "nn/mlp.h"
#include "nn/split.h"

struct mb_trainer_setup {
	const struct mb_split *split; /* the caller's, must outlive the trainer */
	struct mb_hyper hyper;
	uint64_t seed;
	int64_t epochs;        /* train until so many are done, ≥ 1 */
	int64_t max_epochs;    /* what the schedules span, ≥ epochs; fidelity.max, else the same as epochs */
	int curve;             /* validate after each epoch, not only the last */
	double time_limit_s;   /* training and validation together, over all resumptions; 0: none */
	uint64_t digest;       /* what a checkpoint must have been made for; see mb_trainer_digest */
	const struct mb_kernel *kernel; /* NULL: the best one */
	const json_t *
		about; /* kept in checkpoints for readers, "about"; may be NULL; the caller's, outlives the trainer */
};

enum mb_train_end {
	MB_TRAIN_EPOCH,   /* an epoch has ended: run again */
	MB_TRAIN_STOPPED, /* the caller's stop said so: run again, or save */
	MB_TRAIN_DONE,    /* all epochs are done and validated */
	MB_TRAIN_FAILED   /* trainer->error says why: diverged, or out of time; for the record's `error` */
};

struct mb_trainer {
	struct mb_trainer_setup setup;
	struct mb_mlp *net;
	mb_real *state;              /* slots × n_params: of the optimiser, and the average of the weights, if wanted */
	int slots;
	mb_real *average;            /* the last of the slots; NULL: not wanted */
	uint32_t *order;             /* n_train: this epoch's */
	float *numbers;              /* in regression: of the batch; else NULL */
	uint16_t *labels;            /* of the batch */
	int8_t *shifts;              /* 2 × batch: pixels down, right; NULL: none */
	size_t batch;                /* min(batch_size, n_train) */
	size_t tile;                 /* rows of it at once */
	size_t steps_an_epoch;
	int64_t epoch;               /* epochs done */
	size_t step;                 /* steps done of the next one */
	int order_is_for;            /* 0: order must be made for `epoch` */
	double loss_sum;             /* of the rows seen in this epoch */
	double train_loss;           /* mean over the last epoch that ended */
	int64_t validated;           /* the epoch that `validation` is of; 0: none */
	struct mb_evaluation validation;
	json_t *curve;               /* array: one object an epoch validated */
	double train_s, validate_s;  /* wall time, over all resumptions */
	double train_now_s, validate_now_s; /* of it, by this object */
	char error[160];
};

/* NULL: no BLAS, no memory for such a network (MB_EXIT_SYSTEM). mb_trainer_free takes NULL. */
struct mb_trainer *mb_trainer_new(const struct mb_trainer_setup *setup, struct mb_err *err);
void mb_trainer_free(struct mb_trainer *trainer);

/* Trains until the end of the epoch, asking `stop` (may be NULL) before each batch. */
enum mb_train_end mb_trainer_run(struct mb_trainer *trainer, mb_stop_fn *stop, void *context);

/* The same for up to MB_TRAINERS_MOST that are pairwise alike, side by side: each batch is read once and the first layers are
 * multiplied together, which takes half the time of one after another for narrow networks. Each ends as it would alone, to
 * the bit; ends[i] is what mb_trainer_run would have said of it. The time is divided among them. */
enum { MB_TRAINERS_MOST = 32 };

void mb_trainers_run(struct mb_trainer *const *trainers, size_t n, mb_stop_fn *stop, void *context,
		     enum mb_train_end *ends);

/* Whether two can go through their next epoch side by side: the same data, batches, and number of epochs done. */
int mb_trainers_alike(const struct mb_trainer *a, const struct mb_trainer *b);

/* After MB_TRAIN_DONE: sets val_loss, val_accuracy, val_macro_f1, train_loss, train_seconds; in regression val_r2 in place of
 * the second and third. */
void mb_trainer_metrics(const struct mb_trainer *trainer, json_t *metrics);

/* A digest of what a trial's result depends on: data, split, hyperparameters, seed, max_epochs, number format. Not of
 * `epochs`: a promoted trial goes on from a lower rung. setup->digest itself is not looked at. */
uint64_t mb_trainer_digest(const struct mb_trainer_setup *setup);

#endif
