/* SPDX-License-Identifier: MIT
 *
 * What the network's outputs lose against what they should be: softmax and cross-entropy over rows of logits; the squared
 * error of one number a row.
 */
#ifndef MB_NN_LOSS_H
#define MB_NN_LOSS_H

#include <stddef.h>
#include <stdint.h>

#include "nn/real.h"

/* What the rows are, or should give. */
struct mb_targets {
	const uint16_t *labels; /* of a network of two and more outputs */
	const float *numbers;   /* of one with one output */
};

/* Sum over the rows of the cross-entropy against the label, with the target's `smoothing` share spread evenly over
 * all classes (Szegedy et al., CVPR 2016, section 7). logits: rows × ld. When grad is not NULL (rows × ld, may not
 * be logits) it becomes scale · (softmax - target), zero in the padding. */
double mb_loss(const mb_real *logits, size_t ld, size_t rows, size_t classes, const uint16_t *labels, double smoothing,
	       mb_real scale, mb_real *grad);

/* The same of the first output alone: sum over the rows of (output - number)², its gradient times scale. */
double mb_square_loss(const mb_real *outputs, size_t ld, size_t rows, const float *numbers, mb_real scale, mb_real *grad);

#endif
