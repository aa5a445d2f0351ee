/* SPDX-License-Identifier: MIT
 *
 * Checkpoints: a trainer on disk, at any step, and at the end the trained model. The file, little-endian:
 *
 *     "mbckpt1\n", u64 digest of the trial, u64 bytes of the text, u64 numbers, u64 bytes of one number
 *     the text: one JSON object, the network's shape and how far it is ("epoch", "step", "epoch_metrics", …)
 *     the numbers: parameters (for each layer W out × in, b, gamma, beta), as many again for each optimiser state
 *                  and for the average of the weights ("averaged": it is the model then), then each hidden layer's running mean and variance where there is batch norm
 *     u64 digest of all before
 *
 * It is written beside and renamed into place, so a reader finds the old or the new one, whole.
 */
#ifndef MB_NN_CHECKPOINT_H
#define MB_NN_CHECKPOINT_H

#include "nn/trainer.h"

/* Makes the folder when it is missing. */
int mb_trainer_save(const struct mb_trainer *trainer, const char *path, struct mb_err *err);

/* 0: the trainer goes on from the file; 1: there is no such file; -1: it is damaged, of another trial (its digest),
 * or its epoch is beyond setup.epochs: the trainer is as it was, err says what is wrong (MB_EXIT_SYSTEM), and a
 * caller may go on from the start. */
int mb_trainer_resume(struct mb_trainer *trainer, const char *path, struct mb_err *err);

/* A model out of its checkpoint, ready for mb_evaluate. */
struct mb_model_file {
	struct mb_mlp *net;
	json_t *head;  /* the text: "dataset", "data_seed", "validation_split", "epoch", "about", … */
	uint64_t digest;
};

/* Errors: no such file, damaged, not a checkpoint, made by another number format (MB_EXIT_SYSTEM, with the path). */
int mb_model_file_read(struct mb_model_file *model, const char *path, struct mb_err *err);
void mb_model_file_release(struct mb_model_file *model);

/* The split named "train", "validate" or "test" of a model's data: what is not `test` is by the model's own
 * data_seed and validation_split. -1: no such split, data of another size or number of classes than the network's, or a table
 * that was changed since (MB_EXIT_USAGE). */
int mb_model_file_evaluate(const struct mb_model_file *model, const struct mb_dataset *set, const char *split,
			   struct mb_evaluation *to, struct mb_err *err);

#endif
