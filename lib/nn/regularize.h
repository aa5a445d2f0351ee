/* SPDX-License-Identifier: MIT
 *
 * What is done to a network around a step of its optimiser.
 */
#ifndef MB_NN_REGULARIZE_H
#define MB_NN_REGULARIZE_H

#include "nn/mlp.h"

/* Before the step: scales the gradient down to the norm `limit` when it is larger (Pascanu et al., ICML 2013; as PyTorch's
 * clip_grad_norm_, by limit / (norm + 1e-6)). */
void mb_clip_gradient(struct mb_mlp *net, double limit);

/* After it: scales the weights into each hidden unit down to the norm `limit` (Srivastava et al., JMLR 2014, section 5.1). */
void mb_hold_norms(struct mb_mlp *net, double limit);

/* average (n_params) = d · average + (1 - d) · param, where d is `decay`, in the first steps (1, 2, …) no more than
 * (1 + step) / (10 + step), so that the beginning is soon forgotten. Before the first step it is the initial weights. */
void mb_average_weights(const struct mb_mlp *net, double decay, uint64_t step, mb_real *average);

#endif
