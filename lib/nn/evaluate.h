/* SPDX-License-Identifier: MIT
 *
 * A network applied to images: plain cross-entropy and the confusion matrix. The same code validates in training
 * and scores in mb-eval, in batches of the same size, so both give the same bits.
 */
#ifndef MB_NN_EVALUATE_H
#define MB_NN_EVALUATE_H

#include "nn/dataset.h"
#include "nn/mlp.h"

enum { MB_EVALUATE_ROWS = 512 }; /* the network's max_rows is at least this */

struct mb_evaluation {
	double loss; /* mean cross-entropy, nats; not finite when the network diverged */
	size_t n;
	size_t classes;
	uint64_t *confusion; /* classes × classes; row: the label, column: the largest logit */
};

void mb_evaluation_release(struct mb_evaluation *evaluation); /* it may be used again */

/* Asked before each batch; 1: stop. */
typedef int mb_stop_fn(void *context);

/* images: n_all × inputs; index: which n of them, NULL: the first n; labels: below the network's classes. *to is zero or
 * of an earlier call, whose memory is used again. Returns 0, or 1 when `stop` (may be NULL) said so. */
int mb_evaluate(struct mb_mlp *net, const uint8_t *images, const uint16_t *labels, const uint32_t *index, size_t n,
		mb_stop_fn *stop, void *context, struct mb_evaluation *to);

/* net->x: rows × inputs = scale · images[index[…]] + offset, as the network wants them; index NULL: the first rows. */
void mb_gather(struct mb_mlp *net, const uint8_t *images, const uint32_t *index, size_t rows);

/* The same of images moved by shift[2 i] pixels down and shift[2 i + 1] to the right, black where nothing comes in;
 * cols: pixels of a line. */
void mb_gather_shifted(struct mb_mlp *net, const uint8_t *images, const uint32_t *index, size_t rows, size_t cols,
		       const int8_t *shifts);

#endif
