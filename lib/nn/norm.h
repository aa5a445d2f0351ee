/* SPDX-License-Identifier: MIT
 *
 * Batch normalisation (Ioffe and Szegedy, ICML 2015, algorithms 1 and 2) of a layer's outputs, with PyTorch's
 * constants: eps 1e-5, running statistics moved by a tenth, the running variance unbiased.
 */
#ifndef MB_NN_NORM_H
#define MB_NN_NORM_H

#include "nn/mlp.h"

/* layer->a: in place; keeps layer->normal and layer->deviation for the way back. A batch of one row has no variance:
 * it leaves the running variance as it is. */
void mb_norm_train(struct mb_mlp *net, const struct mb_layer *layer, size_t rows);
void mb_norm_apply(struct mb_mlp *net, const struct mb_layer *layer, size_t rows); /* by the running statistics */

/* delta (rows × ld): from the gradient of the output to that of the input, in place; sets the gradients of gamma,
 * beta. */
void mb_norm_back(struct mb_mlp *net, const struct mb_layer *layer, size_t rows, mb_real *delta);

/* Layer normalisation (Ba, Kiros and Hinton, 2016) of each row's outputs, padding aside, eps 1e-5, in place: the same in
 * training and out of it. A network in training keeps what the way back needs. */
void mb_layer_norm(struct mb_mlp *net, const struct mb_layer *layer, size_t rows);

/* As mb_norm_back; the gradients of gamma and beta are set, or with `add` grow. */
void mb_layer_norm_back(struct mb_mlp *net, const struct mb_layer *layer, size_t rows, mb_real *delta, int add);

#endif
