/* SPDX-License-Identifier: MIT
 *
 * Optimisers, one table: one step over a whole block of parameters. All follow PyTorch's torch.optim to the order of
 * operations, and its weight decay acts on every parameter: added to the gradient (L2), or decoupled for adamw
 * and lion.
 */
#ifndef MB_NN_OPTIMIZER_H
#define MB_NN_OPTIMIZER_H

#include <stddef.h>
#include <stdint.h>

#include "nn/real.h"

struct mb_optimizer_step {
	double learning_rate; /* at this step, after the schedule */
	double weight_decay, momentum, beta1, beta2;
	uint64_t step;        /* 1 for the first */
};

struct mb_optimizer {
	const char *name;
	int slots;               /* state blocks, each as large as the parameters: 0, 1 or 2 */
	double default_momentum, default_beta2;
	/* param, grad: n; state: slots × n, zero before the first step. grad is left undefined. */
	void (*step)(const struct mb_optimizer_step *at, mb_real *restrict param, mb_real *restrict grad,
		     mb_real *restrict state, size_t n);
};

extern const struct mb_optimizer mb_optimizers[];   /* ends with a NULL name */
extern const char *const mb_optimizer_names[];      /* the same names, NULL-terminated, same order */

#endif
