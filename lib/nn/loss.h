/* SPDX-License-Identifier: MIT
 *
 * Softmax and cross-entropy over rows of logits.
 */
#ifndef MB_NN_LOSS_H
#define MB_NN_LOSS_H

#include <stddef.h>
#include <stdint.h>

#include "nn/real.h"

/* Sum over the rows of the cross-entropy against the label, with the target's `smoothing` share spread evenly over
 * all classes (Szegedy et al., CVPR 2016, section 7). logits: rows × ld. When grad is not NULL (rows × ld, may not
 * be logits) it becomes scale · (softmax - target), zero in the padding. */
double mb_loss(const mb_real *logits, size_t ld, size_t rows, size_t classes, const uint16_t *labels, double smoothing,
	       mb_real scale, mb_real *grad);

#endif
