/* SPDX-License-Identifier: MIT
 *
 * A multilayer perceptron: linear layers with an optional batch norm and an activation between them, softmax and
 * cross-entropy at the end; with one output alone the squared error. Knows nothing of data sets, epochs or optimisers.
 *
 *     struct mb_mlp *net = mb_mlp_new(&shape, 512, 1, &err);
 *     mb_init_mlp(net, MB_INIT_PYTORCH, seed);
 *     … fill net->x with `rows` rows …
 *     mb_mlp_forward(net, rows, &dropout);                           // net->logits
 *     loss = mb_mlp_backward(net, rows, targets, smoothing, rows, 0); // net->grad
 *     optimizer->step(&at, net->param, net->grad, state, net->n_params);
 *
 * Shapes. Layer l maps in to out; in memory the columns are padded to `ld`, a multiple of MB_PAD, as the kernels want. Padding is zero in parameters, gradients and activations and stays so.
 *
 *     param, grad: for each layer W (in_ld × ld, row-major), b (ld), with a norm also gamma (ld), beta (ld)
 *     stats:       with batch norm, for each hidden layer the running mean (ld) and variance (ld)
 */
#ifndef MB_NN_MLP_H
#define MB_NN_MLP_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "nn/activation.h"
#include "nn/hyper.h"
#include "nn/kernel.h"
#include "nn/loss.h"

enum { MB_TILE = 8 };

struct mb_mlp_shape {
	size_t inputs, classes;  /* classes 1: one output, a number (regression) */
	size_t hidden[MB_HIDDEN_MAX], n_hidden;
	const struct mb_activation *activation;
	int batch_norm, layer_norm; /* one of them at most */
};

struct mb_layer {
	size_t in, out;            /* true widths */
	size_t in_ld, ld;          /* padded ones */
	size_t w, b, gamma, beta;  /* offsets into param and grad; the last two 0 without a norm */
	size_t mean, var;          /* offsets into stats */
	mb_real *a;                /* max_rows × ld: output of the layer, after activation and dropout */
	mb_real *slope;            /* max_rows × ld: d a / d (activation's input); training only */
	mb_real *normal;           /* max_rows × ld: normalised, before gamma and beta; with a norm, in training only */
	mb_real *deviation;        /* 1/√(variance + eps); ld with batch norm, max_rows with layer norm */
};

struct mb_mlp {
	struct mb_mlp_shape shape;
	struct mb_layer layers[MB_HIDDEN_MAX + 1];
	size_t n_layers;           /* n_hidden + 1 */
	size_t n_params, n_stats;  /* with padding */
	const struct mb_kernel *kernel; /* that does the products; the best one unless the caller sets another */
	size_t max_rows;
	mb_real *param, *grad;     /* grad: training only */
	mb_real *stats;
	mb_real input_scale, input_offset; /* of what fills x from bytes: scale · byte + offset; at first 1/255 and 0 */
	mb_real *x;                /* max_rows × inputs: the caller fills it */
	mb_real *turned;           /* a layer's W, transposed; training only */
	mb_real *logits;           /* max_rows × ld of the last layer; classes of them count */
	mb_real *delta[2];         /* max_rows × widest ld: gradients on their way back */
	void *block;               /* all of the above */
};

/* Which hidden outputs to drop at this step: a pure function of (seed, step, layer, row of the batch, column). */
struct mb_dropout {
	double share; /* 0: none */
	uint64_t seed, step;
	size_t first; /* row of the batch that is the first in net->x, a multiple of MB_TILE */
};

/* The shape that hyperparameters ask for. */
void mb_mlp_shape_of(const struct mb_hyper *hyper, size_t inputs, size_t classes, struct mb_mlp_shape *shape);

/* All zero, of one block of memory; `training` adds what the way back needs. NULL (MB_EXIT_SYSTEM) when there is not
 * that much memory. mb_mlp_free takes NULL. */
struct mb_mlp *mb_mlp_new(const struct mb_mlp_shape *shape, size_t max_rows, int training, struct mb_err *err);
void mb_mlp_free(struct mb_mlp *net);

/* Numbers without padding, and bytes of memory for one network in training with `slots` optimiser states. */
size_t mb_mlp_count(const struct mb_mlp_shape *shape);

/* Logits of the first `rows` rows of net->x. In training (dropout not NULL) batch norm uses the batch's own
 * statistics and moves the running ones; else it uses the running ones. */
void mb_mlp_forward(struct mb_mlp *net, size_t rows, const struct mb_dropout *dropout);

/* After a forward pass in training: the loss summed over the rows; net->grad is, or with `add` grows by, their part of
 * the gradient of the mean over the `batch` rows that these are part of. */
double mb_mlp_backward(struct mb_mlp *net, size_t rows, struct mb_targets targets, double smoothing, size_t batch,
		       int add);

/* The same for n networks that look at the same rows x (rows × inputs; their own x is not used), the products of all
 * first layers done together. Each gets what it would get alone, to the bit; all have the same kernel. dropouts NULL: not
 * in training. losses: n, the losses are added to. */
void mb_mlp_forward_all(struct mb_mlp *const *nets, size_t n, const mb_real *x, size_t rows,
			const struct mb_dropout *dropouts);
void mb_mlp_backward_all(struct mb_mlp *const *nets, size_t n, const mb_real *x, size_t rows,
			 struct mb_targets targets, const double *smoothings, size_t batch, int add, double *losses);

/* How many rows to take at once through a network in training: what stays in the caches, a multiple of MB_TILE; with
 * batch norm, which looks at all rows, the whole batch. */
size_t mb_mlp_tile(const struct mb_mlp_shape *shape, size_t batch);

/* The tensors without padding, as PyTorch keeps them: for each layer W (out × in), b, gamma, beta: mb_mlp_count
 * numbers. `padded` is param, grad or an optimiser state. */
void mb_mlp_pack(const struct mb_mlp *net, const mb_real *padded, mb_real *packed);
void mb_mlp_unpack(const struct mb_mlp *net, const mb_real *packed, mb_real *padded);

/* 1 when every parameter and statistic is a finite number. */
int mb_mlp_finite(const struct mb_mlp *net);

#endif
