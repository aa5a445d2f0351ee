/* SPDX-License-Identifier: MIT
 *
 * Sources: momentum and Nesterov as in Sutskever et al. (ICML 2013) in PyTorch's form (the learning rate outside
 * the buffer); RMSprop of Tieleman and Hinton (2012), alpha 0.99; Adam of Kingma and Ba (ICLR 2015, algorithm 1);
 * AdamW of Loshchilov and Hutter (ICLR 2019, algorithm 2); Lion of Chen et al. (NeurIPS 2023, algorithm 2). eps is 1e-8
 * throughout.
 */
#include "nn/optimizer.h"

#include <math.h>

#define EPSILON ((mb_real)1e-8)

MB_CLONES
static void sgd(const struct mb_optimizer_step *at, mb_real *restrict param, mb_real *restrict grad,
		mb_real *restrict state, size_t n)
{
	const mb_real rate = (mb_real)at->learning_rate, decay = (mb_real)at->weight_decay;

	(void)state;
	for (size_t i = 0; i < n; i++)
		param[i] -= rate * (grad[i] + decay * param[i]);
}

MB_CLONES
static void momentum(const struct mb_optimizer_step *at, mb_real *restrict param, mb_real *restrict grad,
		     mb_real *restrict velocity, size_t n)
{
	const mb_real rate = (mb_real)at->learning_rate, decay = (mb_real)at->weight_decay;
	const mb_real mu = (mb_real)at->momentum;

	for (size_t i = 0; i < n; i++) {
		velocity[i] = mu * velocity[i] + (grad[i] + decay * param[i]);
		param[i] -= rate * velocity[i];
	}
}

MB_CLONES
static void nesterov(const struct mb_optimizer_step *at, mb_real *restrict param, mb_real *restrict grad,
		     mb_real *restrict velocity, size_t n)
{
	const mb_real rate = (mb_real)at->learning_rate, decay = (mb_real)at->weight_decay;
	const mb_real mu = (mb_real)at->momentum;

	for (size_t i = 0; i < n; i++) {
		mb_real g = grad[i] + decay * param[i];

		velocity[i] = mu * velocity[i] + g;
		param[i] -= rate * (g + mu * velocity[i]);
	}
}

MB_CLONES
static void rmsprop(const struct mb_optimizer_step *at, mb_real *restrict param, mb_real *restrict grad,
		    mb_real *restrict state, size_t n)
{
	const mb_real rate = (mb_real)at->learning_rate, decay = (mb_real)at->weight_decay;
	const mb_real mu = (mb_real)at->momentum;
	const mb_real alpha = (mb_real)0.99, rest = (mb_real)(1 - 0.99);
	mb_real *restrict square = state, *restrict velocity = state + n;

	for (size_t i = 0; i < n; i++) {
		mb_real g = grad[i] + decay * param[i];

		square[i] = alpha * square[i] + rest * g * g;
		velocity[i] = mu * velocity[i] + g / (MB_REAL(sqrt)(square[i]) + EPSILON);
		param[i] -= rate * velocity[i];
	}
}

/* Adam's update once the gradient holds what it should; `keep` scales the parameter first (AdamW's decay; 1 else). */
static inline __attribute__((always_inline)) void
adam_update(const struct mb_optimizer_step *at, double l2, double keep, mb_real *restrict param,
	    mb_real *restrict grad, mb_real *restrict state, size_t n)
{
	const double t = (double)at->step;
	const mb_real decay = (mb_real)l2, kept = (mb_real)keep;
	const mb_real beta2 = (mb_real)at->beta2, rest1 = (mb_real)(1 - at->beta1), rest2 = (mb_real)(1 - at->beta2);
	const mb_real rate = (mb_real)(at->learning_rate / (1 - pow(at->beta1, t)));
	const mb_real root = (mb_real)(1 / sqrt(1 - pow(at->beta2, t)));
	mb_real *restrict mean = state, *restrict square = state + n;

	for (size_t i = 0; i < n; i++) {
		mb_real p = param[i] * kept, g = grad[i] + decay * p;

		mean[i] += rest1 * (g - mean[i]);
		square[i] = beta2 * square[i] + rest2 * g * g;
		param[i] = p - rate * mean[i] / (MB_REAL(sqrt)(square[i]) * root + EPSILON);
	}
}

MB_CLONES
static void adam(const struct mb_optimizer_step *at, mb_real *restrict param, mb_real *restrict grad,
		 mb_real *restrict state, size_t n)
{
	adam_update(at, at->weight_decay, 1, param, grad, state, n);
}

MB_CLONES
static void adamw(const struct mb_optimizer_step *at, mb_real *restrict param, mb_real *restrict grad,
		  mb_real *restrict state, size_t n)
{
	adam_update(at, 0, 1 - at->learning_rate * at->weight_decay, param, grad, state, n);
}

MB_CLONES
static void lion(const struct mb_optimizer_step *at, mb_real *restrict param, mb_real *restrict grad,
		 mb_real *restrict mean, size_t n)
{
	const mb_real rate = (mb_real)at->learning_rate, keep = (mb_real)(1 - at->learning_rate * at->weight_decay);
	const mb_real rest1 = (mb_real)(1 - at->beta1), rest2 = (mb_real)(1 - at->beta2);

	for (size_t i = 0; i < n; i++) {
		mb_real way = mean[i] + rest1 * (grad[i] - mean[i]);

		param[i] = param[i] * keep - rate * (mb_real)((way > 0) - (way < 0));
		mean[i] += rest2 * (grad[i] - mean[i]);
	}
}

const struct mb_optimizer mb_optimizers[] = {
	{"sgd", 0, 0, 0.999, sgd},
	{"momentum", 1, 0.9, 0.999, momentum},
	{"nesterov", 1, 0.9, 0.999, nesterov},
	{"rmsprop", 2, 0, 0.999, rmsprop},
	{"adam", 2, 0, 0.999, adam},
	{"adamw", 2, 0, 0.999, adamw},
	{"lion", 1, 0, 0.99, lion},
	{NULL, 0, 0, 0, NULL},
};

const char *const mb_optimizer_names[] = {"sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "lion", NULL};
