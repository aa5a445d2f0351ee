/* SPDX-License-Identifier: MIT
 *
 * A network applied to images or rows: plain cross-entropy and the confusion matrix, or the squared error. The same code validates in training
 * and scores in mb-eval, in batches of the same size, so both give the same bits.
 */
#ifndef MB_NN_EVALUATE_H
#define MB_NN_EVALUATE_H

#include "nn/dataset.h"
#include "nn/mlp.h"

enum { MB_EVALUATE_ROWS = 512 }; /* the network's max_rows is at least this */

struct mb_evaluation {
	double loss; /* mean cross-entropy, nats; in regression the mean squared error in the label's own unit, squared; not
			finite when the network diverged */
	double r2;   /* in regression: 1 - squared errors / squared distances of the labels from their mean here; 0 where
			that is 0 */
	size_t n;
	size_t classes;
	uint64_t *confusion; /* NULL in regression; classes × classes; row: the label, column: the largest logit */
};

void mb_evaluation_release(struct mb_evaluation *evaluation); /* it may be used again */

/* Asked before each batch; 1: stop. */
typedef int mb_stop_fn(void *context);

/* index: which n of the set's training rows or, with `test`, of those for testing; NULL: the first n. The set has the
 * network's inputs and classes. *to is zero or of an earlier call, whose memory is used again. Returns 0, or 1 when `stop`
 * (may be NULL) said so. */
int mb_evaluate(struct mb_mlp *net, const struct mb_dataset *set, int test, const uint32_t *index, size_t n,
		mb_stop_fn *stop, void *context, struct mb_evaluation *to);

/* net->x: the rows index[…] of a part of a set, as the network wants them; index NULL: those from `first` on. */
void mb_gather_part(struct mb_mlp *net, const struct mb_dataset *set, int test, const uint32_t *index, size_t first,
		    size_t rows);

/* net->x: rows × inputs = scale · images[index[…]] + offset, as the network wants them; index NULL: the first rows. */
void mb_gather(struct mb_mlp *net, const uint8_t *images, const uint32_t *index, size_t rows);

/* The same of images moved by shift[2 i] pixels down and shift[2 i + 1] to the right, black where nothing comes in;
 * cols: pixels of a line. */
void mb_gather_shifted(struct mb_mlp *net, const uint8_t *images, const uint32_t *index, size_t rows, size_t cols,
		       const int8_t *shifts);

#endif
