/* SPDX-License-Identifier: MIT
 *
 * Which training images (or rows of a table) are held back for validation, and in which order an epoch shows the others. Both come from
 * the task's data_seed alone: all trials of an experiment see the same.
 */
#ifndef MB_NN_SPLIT_H
#define MB_NN_SPLIT_H

#include "nn/dataset.h"

struct mb_split {
	const struct mb_dataset *set; /* the caller's, must outlive the split */
	double share;                 /* of validation */
	uint64_t data_seed;
	uint32_t *train, *val;        /* indices into the set's training part, ascending */
	size_t n_train, n_val;
};

/* Stratified, but in regression: round(n · share) images for validation, each class by its share of all, left-over places to the largest
 * remainders (the first of equals). NULL: one of the parts would be empty (MB_EXIT_USAGE). */
struct mb_split *mb_split_new(const struct mb_dataset *set, double share, uint64_t data_seed, struct mb_err *err);
void mb_split_free(struct mb_split *split); /* takes NULL */

/* order: n_train numbers, the training indices as epoch `epoch` (0, 1, …) shows them. */
void mb_split_order(const struct mb_split *split, uint64_t epoch, uint32_t *order);

#endif
