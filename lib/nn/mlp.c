/* SPDX-License-Identifier: MIT */
#include "nn/mlp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "nn/dropout.h"
#include "nn/loss.h"
#include "nn/norm.h"

enum {
	ALIGNED = MB_ALIGN / sizeof(mb_real),
	TILE = 120 /* rows, a multiple of the kernels' blocks: 380 kB of 784 numbers stay in the second cache */
};

void mb_mlp_shape_of(const struct mb_hyper *hyper, size_t inputs, size_t classes, struct mb_mlp_shape *shape)
{
	*shape = (struct mb_mlp_shape){.inputs = inputs, .classes = classes, .n_hidden = (size_t)hyper->n_hidden,
				       .activation = hyper->activation, .batch_norm = hyper->batch_norm,
				       .layer_norm = hyper->layer_norm};
	for (size_t i = 0; i < shape->n_hidden; i++)
		shape->hidden[i] = (size_t)hyper->hidden[i];
}

/* Widths and offsets of all layers, by the layout in the header. */
static void lay_out(struct mb_mlp *net)
{
	const struct mb_mlp_shape *shape = &net->shape;
	size_t in = shape->inputs, in_ld = shape->inputs;

	net->n_layers = shape->n_hidden + 1;
	for (size_t l = 0; l < net->n_layers; l++) {
		struct mb_layer *layer = &net->layers[l];
		int hidden = l < shape->n_hidden;

		layer->in = in;
		layer->in_ld = in_ld;
		layer->out = hidden ? shape->hidden[l] : shape->classes;
		layer->ld = (layer->out + MB_PAD - 1) / MB_PAD * MB_PAD;
		layer->w = net->n_params;
		layer->b = layer->w + layer->in_ld * layer->ld;
		net->n_params = layer->b + layer->ld;
		if (hidden && (shape->batch_norm || shape->layer_norm)) {
			layer->gamma = net->n_params;
			layer->beta = layer->gamma + layer->ld;
			net->n_params = layer->beta + layer->ld;
		}
		if (hidden && shape->batch_norm) {
			layer->mean = net->n_stats;
			layer->var = layer->mean + layer->ld;
			net->n_stats = layer->var + layer->ld;
		}
		in = layer->out;
		in_ld = layer->ld;
	}
}

size_t mb_mlp_count(const struct mb_mlp_shape *shape)
{
	const int norm = shape->batch_norm || shape->layer_norm;
	size_t in = shape->inputs, n = 0;

	for (size_t l = 0; l <= shape->n_hidden; l++) {
		size_t out = l < shape->n_hidden ? shape->hidden[l] : shape->classes;

		n += in * out + out + (l < shape->n_hidden && norm ? 2 * out : 0);
		in = out;
	}
	return n;
}

/* Hands out part of the block; with no block yet it only counts. */
static mb_real *carve(struct mb_mlp *net, size_t *at, size_t n)
{
	mb_real *part = net->block ? (mb_real *)net->block + *at : NULL;

	*at += (n + ALIGNED - 1) / ALIGNED * ALIGNED;
	return part;
}

static size_t carve_all(struct mb_mlp *net, int training)
{
	size_t at = 0, widest = 0, largest = 0;

	net->param = carve(net, &at, net->n_params);
	net->grad = training ? carve(net, &at, net->n_params) : NULL;
	net->stats = carve(net, &at, net->n_stats);
	net->x = carve(net, &at, net->max_rows * net->shape.inputs);
	for (size_t l = 0; l < net->n_layers; l++) {
		struct mb_layer *layer = &net->layers[l];
		int hidden = l + 1 < net->n_layers;

		layer->a = carve(net, &at, net->max_rows * layer->ld);
		if (hidden && training)
			layer->slope = carve(net, &at, net->max_rows * layer->ld);
		if (hidden && layer->gamma)
			layer->deviation = carve(net, &at, net->shape.batch_norm ? layer->ld : net->max_rows);
		if (hidden && layer->gamma && training)
			layer->normal = carve(net, &at, net->max_rows * layer->ld);
		widest = layer->ld > widest ? layer->ld : widest;
		if (l && layer->in_ld * layer->ld > largest)
			largest = layer->in_ld * layer->ld;
	}
	net->logits = net->layers[net->n_layers - 1].a;
	net->turned = training ? carve(net, &at, largest) : NULL;
	for (int i = 0; i < 2 && training; i++)
		net->delta[i] = carve(net, &at, net->max_rows * widest);
	return at;
}

struct mb_mlp *mb_mlp_new(const struct mb_mlp_shape *shape, size_t max_rows, int training, struct mb_err *err)
{
	struct mb_mlp *net = mb_alloc(sizeof *net);
	const size_t installed = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
	size_t bytes;

	net->shape = *shape;
	net->kernel = mb_kernel_best();
	net->input_scale = (mb_real)(1.0 / 255);
	net->max_rows = max_rows;
	lay_out(net);
	bytes = carve_all(net, training) * sizeof(mb_real);
	/* the kernel would promise more than there is, and kill the process later */
	if (bytes < installed && posix_memalign(&net->block, MB_ALIGN, bytes) == 0) {
		memset(net->block, 0, bytes);
		carve_all(net, training);
		return net;
	}
	mb_err_set(err, MB_EXIT_SYSTEM, NULL,
		   "a network of %zu parameters needs %.1f GB of memory, there are %.1f GB", mb_mlp_count(shape),
		   (double)bytes / 1e9, (double)installed / 1e9);
	free(net);
	return NULL;
}

void mb_mlp_free(struct mb_mlp *net)
{
	if (net)
		free(net->block);
	free(net);
}

MB_CLONES
static void add_bias(mb_real *restrict a, const mb_real *restrict bias, size_t rows, size_t ld)
{
	for (size_t i = 0; i < rows; i++, a += ld)
		for (size_t j = 0; j < ld; j++)
			a[j] += bias[j];
}

MB_CLONES
static void add_columns(const mb_real *restrict a, size_t rows, size_t ld, mb_real *restrict sum)
{
	for (size_t i = 0; i < rows; i++, a += ld)
		for (size_t j = 0; j < ld; j++)
			sum[j] += a[j];
}

MB_CLONES
static void multiply(mb_real *restrict a, const mb_real *restrict by, size_t n)
{
	for (size_t i = 0; i < n; i++)
		a[i] *= by[i];
}

/* ---- the first layers of several networks, on the same rows ---- */

/* Strips of many matrices, multiplied when there is a bunch of them. */
struct bunch {
	const struct mb_kernel *kernel;
	size_t m, k, row, column;
	const mb_real *a;
	int add;
	struct mb_strip strips[64];
	size_t n;
};

static void multiply_bunch(struct bunch *bunch)
{
	if (bunch->n)
		bunch->kernel->product(bunch->m, bunch->k, bunch->a, bunch->row, bunch->column, bunch->strips, bunch->n,
				       bunch->add);
	bunch->n = 0;
}

static void add_matrix(struct bunch *bunch, const mb_real *b, mb_real *c, size_t ld)
{
	for (size_t j = 0; j < ld; j += MB_PAD) {
		if (bunch->n == MB_COUNT(bunch->strips))
			multiply_bunch(bunch);
		bunch->strips[bunch->n++] = (struct mb_strip){b + j, c + j, ld, ld};
	}
}

/* ---- forward ---- */

/* What a layer does after its product. */
static void finish_layer(struct mb_mlp *net, size_t l, size_t rows, const struct mb_dropout *dropout)
{
	const struct mb_layer *layer = &net->layers[l];

	add_bias(layer->a, net->param + layer->b, rows, layer->ld);
	if (l + 1 == net->n_layers)
		return;
	if (net->shape.batch_norm && dropout)
		mb_norm_train(net, layer, rows);
	else if (net->shape.batch_norm)
		mb_norm_apply(net, layer, rows);
	else if (net->shape.layer_norm)
		mb_layer_norm(net, layer, rows);
	net->shape.activation->apply(layer->a, dropout ? layer->slope : NULL, rows * layer->ld);
	if (dropout && dropout->share > 0)
		mb_dropout_apply(dropout, l, layer->a, layer->slope, rows, layer->ld);
}

void mb_mlp_forward_all(struct mb_mlp *const *nets, size_t n, const mb_real *x, size_t rows,
			const struct mb_dropout *dropouts)
{
	const size_t inputs = nets[0]->shape.inputs;
	struct bunch bunch = {.kernel = nets[0]->kernel, .m = rows, .k = inputs, .a = x, .row = inputs, .column = 1};

	for (size_t i = 0; i < n; i++)
		add_matrix(&bunch, nets[i]->param + nets[i]->layers[0].w, nets[i]->layers[0].a, nets[i]->layers[0].ld);
	multiply_bunch(&bunch);
	for (size_t i = 0; i < n; i++) {
		struct mb_mlp *net = nets[i];
		const struct mb_dropout *dropout = dropouts ? &dropouts[i] : NULL;

		finish_layer(net, 0, rows, dropout);
		for (size_t l = 1; l < net->n_layers; l++) {
			const struct mb_layer *layer = &net->layers[l];

			mb_product(net->kernel, rows, layer->ld, layer->in_ld, net->layers[l - 1].a, layer->in_ld, 1,
				   net->param + layer->w, layer->ld, layer->a, layer->ld, 0);
			finish_layer(net, l, rows, dropout);
		}
	}
}

void mb_mlp_forward(struct mb_mlp *net, size_t rows, const struct mb_dropout *dropout)
{
	mb_mlp_forward_all(&net, 1, net->x, rows, dropout);
}

/* ---- backward ---- */

/* to (n × m) = from (m × n) transposed, in squares that stay in the first cache. */
static void transpose(const mb_real *restrict from, size_t m, size_t n, mb_real *restrict to)
{
	for (size_t i0 = 0; i0 < m; i0 += MB_PAD)
		for (size_t j0 = 0; j0 < n; j0 += MB_PAD)
			for (size_t j = j0; j < j0 + MB_PAD; j++)
				for (size_t i = i0; i < i0 + MB_PAD; i++)
					to[j * m + i] = from[i * n + j];
}

size_t mb_mlp_tile(const struct mb_mlp_shape *shape, size_t batch)
{
	return shape->batch_norm || batch < TILE ? batch : TILE;
}

static void bias_gradient(struct mb_mlp *net, const struct mb_layer *layer, const mb_real *delta, size_t rows, int add)
{
	if (!add)
		memset(net->grad + layer->b, 0, layer->ld * sizeof *net->grad);
	if (!layer->gamma || net->shape.layer_norm) /* before a batch norm the bias has no effect, and its gradient is zero but for rounding */
		add_columns(delta, rows, layer->ld, net->grad + layer->b);
}

/* All but the gradient of the first layer's W, for which it returns the delta. */
static const mb_real *go_back(struct mb_mlp *net, size_t rows, struct mb_targets targets, double smoothing,
			      size_t batch, int add, double *loss)
{
	mb_real *delta = net->delta[0], *next = net->delta[1], *held;
	const size_t last_ld = net->layers[net->n_layers - 1].ld;

	*loss += net->shape.classes == 1
			 ? mb_square_loss(net->logits, last_ld, rows, targets.numbers, 1 / (mb_real)batch, delta)
			 : mb_loss(net->logits, last_ld, rows, net->shape.classes, targets.labels, smoothing,
				   1 / (mb_real)batch, delta);
	for (size_t l = net->n_layers - 1; l > 0; l--) {
		const struct mb_layer *layer = &net->layers[l], *below = layer - 1;

		bias_gradient(net, layer, delta, rows, add);
		mb_product(net->kernel, layer->in_ld, layer->ld, rows, below->a, 1, layer->in_ld, delta, layer->ld,
			   net->grad + layer->w, layer->ld, add);
		transpose(net->param + layer->w, layer->in_ld, layer->ld, net->turned);
		mb_product(net->kernel, rows, layer->in_ld, layer->ld, delta, layer->ld, 1, net->turned, layer->in_ld,
			   next, layer->in_ld, 0);
		multiply(next, below->slope, rows * below->ld);
		if (net->shape.batch_norm)
			mb_norm_back(net, below, rows, next);
		else if (net->shape.layer_norm)
			mb_layer_norm_back(net, below, rows, next, add);
		held = delta, delta = next, next = held;
	}
	bias_gradient(net, &net->layers[0], delta, rows, add);
	return delta;
}

void mb_mlp_backward_all(struct mb_mlp *const *nets, size_t n, const mb_real *x, size_t rows,
			 struct mb_targets targets, const double *smoothings, size_t batch, int add, double *losses)
{
	const size_t inputs = nets[0]->shape.inputs;
	struct bunch bunch = {.kernel = nets[0]->kernel, .m = inputs, .k = rows, .a = x, .row = 1, .column = inputs,
			      .add = add};

	for (size_t i = 0; i < n; i++) {
		const mb_real *delta = go_back(nets[i], rows, targets, smoothings[i], batch, add, &losses[i]);

		add_matrix(&bunch, delta, nets[i]->grad + nets[i]->layers[0].w, nets[i]->layers[0].ld);
	}
	multiply_bunch(&bunch);
}

double mb_mlp_backward(struct mb_mlp *net, size_t rows, struct mb_targets targets, double smoothing, size_t batch,
		       int add)
{
	double loss = 0;

	mb_mlp_backward_all(&net, 1, net->x, rows, targets, &smoothing, batch, add, &loss);
	return loss;
}

/* Copies the tensors of one layer; `pack`: from padded to packed, else back. Returns how many numbers. */
static size_t copy_layer(const struct mb_layer *layer, int norm, mb_real *padded, mb_real *packed, int pack)
{
	const size_t vectors[] = {layer->b, layer->gamma, layer->beta};
	size_t n = 0;

	for (size_t j = 0; j < layer->out; j++)
		for (size_t i = 0; i < layer->in; i++, n++) {
			mb_real *at = padded + layer->w + i * layer->ld + j;

			if (pack)
				packed[n] = *at;
			else
				*at = packed[n];
		}
	for (int v = 0; v < (norm ? 3 : 1); v++, n += layer->out) {
		mb_real *at = padded + vectors[v];

		memcpy(pack ? packed + n : at, pack ? at : packed + n, layer->out * sizeof *at);
	}
	return n;
}

void mb_mlp_pack(const struct mb_mlp *net, const mb_real *padded, mb_real *packed)
{
	for (size_t l = 0; l < net->n_layers; l++)
		packed += copy_layer(&net->layers[l], net->layers[l].gamma != 0, (mb_real *)padded, packed, 1);
}

void mb_mlp_unpack(const struct mb_mlp *net, const mb_real *packed, mb_real *padded)
{
	memset(padded, 0, net->n_params * sizeof *padded);
	for (size_t l = 0; l < net->n_layers; l++)
		packed += copy_layer(&net->layers[l], net->layers[l].gamma != 0, padded, (mb_real *)packed, 0);
}

/* x - x is 0 for finite x and NaN for all else: the sum tells, and the loop needs no branch. */
MB_CLONES
static int all_finite(const mb_real *restrict at, size_t n)
{
	int bad = 0;

	for (size_t i = 0; i < n; i++)
		bad |= !(at[i] - at[i] == 0);
	return !bad;
}

int mb_mlp_finite(const struct mb_mlp *net)
{
	return all_finite(net->param, net->n_params) && all_finite(net->stats, net->n_stats);
}
