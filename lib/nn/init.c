/* SPDX-License-Identifier: MIT */
#include "nn/init.h"

#include <math.h>

#include "base/base.h"
#include "nn/mlp.h"

const char *const mb_init_names[] = {"pytorch", "he_normal", "he_uniform", "glorot_normal", "glorot_uniform", "he",
				     "glorot", NULL};

/* The bound of the uniform, or the deviation of the normal distribution (*normal). */
static double spread(enum mb_init init, double in, double out, int *normal)
{
	*normal = 0;
	switch (init) {
	case MB_INIT_HE:
	case MB_INIT_HE_NORMAL:
		*normal = 1;
		return sqrt(2 / in);
	case MB_INIT_HE_UNIFORM:
		return sqrt(6 / in);
	case MB_INIT_GLOROT_NORMAL:
		*normal = 1;
		return sqrt(2 / (in + out));
	case MB_INIT_GLOROT:
	case MB_INIT_GLOROT_UNIFORM:
		return sqrt(6 / (in + out));
	case MB_INIT_PYTORCH:
		break;
	}
	return 1 / sqrt(in);
}

static void init_layer(struct mb_mlp *net, const struct mb_layer *layer, enum mb_init init, struct mb_rng *rng)
{
	int normal;
	double width = spread(init, (double)layer->in, (double)layer->out, &normal);

	for (size_t j = 0; j < layer->out; j++)
		for (size_t i = 0; i < layer->in; i++)
			net->param[layer->w + i * layer->ld + j] =
				(mb_real)(width * (normal ? mb_rng_normal(rng) : 2 * mb_rng_unit(rng) - 1));
	for (size_t j = 0; j < layer->out; j++) {
		net->param[layer->b + j] =
			init == MB_INIT_PYTORCH ? (mb_real)(width * (2 * mb_rng_unit(rng) - 1)) : 0;
		if (!layer->gamma)
			continue;
		net->param[layer->gamma + j] = 1;
		if (net->shape.batch_norm)
			net->stats[layer->var + j] = 1;
	}
}

void mb_init_mlp(struct mb_mlp *net, enum mb_init init, uint64_t seed)
{
	for (size_t l = 0; l < net->n_layers; l++) {
		struct mb_rng rng;

		mb_rng_init(&rng, seed, l, MB_RNG_INIT);
		init_layer(net, &net->layers[l], init, &rng);
	}
}
