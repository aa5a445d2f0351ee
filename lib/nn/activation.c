/* SPDX-License-Identifier: MIT
 *
 * gelu is Hendrycks and Gimpel's (2016) exact form x·Φ(x), as PyTorch's default; silu is x·sigmoid(x); leaky_relu
 * has the slope 0.01 below zero.
 */
#include "nn/activation.h"

#include <math.h>

#define LEAK ((mb_real)0.01)

MB_CLONES
static void relu_slope(mb_real *restrict a, mb_real *restrict slope, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		mb_real x = a[i];

		slope[i] = x > 0 ? 1 : 0;
		a[i] = x < 0 ? 0 : x; /* this way round a NaN stays one and is found */
	}
}

MB_CLONES
static void relu_only(mb_real *a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		a[i] = a[i] < 0 ? 0 : a[i];
}

static void relu(mb_real *restrict a, mb_real *restrict slope, size_t n)
{
	if (slope)
		relu_slope(a, slope, n);
	else
		relu_only(a, n);
}

MB_CLONES
static void leaky_relu(mb_real *restrict a, mb_real *restrict slope, size_t n)
{
	if (slope)
		for (size_t i = 0; i < n; i++)
			slope[i] = a[i] > 0 ? 1 : LEAK;
	for (size_t i = 0; i < n; i++)
		a[i] = a[i] > 0 ? a[i] : LEAK * a[i];
}

static void tanh_(mb_real *restrict a, mb_real *restrict slope, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		a[i] = MB_REAL(tanh)(a[i]);
		if (slope)
			slope[i] = 1 - a[i] * a[i];
	}
}

static void gelu(mb_real *restrict a, mb_real *restrict slope, size_t n)
{
	const mb_real root_half = (mb_real)0.70710678118654752440, density0 = (mb_real)0.39894228040143267794;

	for (size_t i = 0; i < n; i++) {
		mb_real x = a[i], below = (1 + MB_REAL(erf)(x * root_half)) / 2;

		if (slope)
			slope[i] = below + x * density0 * MB_REAL(exp)(-x * x / 2);
		a[i] = x * below;
	}
}

static void silu(mb_real *restrict a, mb_real *restrict slope, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		mb_real x = a[i], gate = 1 / (1 + MB_REAL(exp)(-x));

		if (slope)
			slope[i] = gate * (1 + x * (1 - gate));
		a[i] = x * gate;
	}
}

const struct mb_activation mb_activations[] = {
	{"relu", relu}, {"leaky_relu", leaky_relu}, {"tanh", tanh_}, {"gelu", gelu}, {"silu", silu}, {NULL, NULL},
};

const char *const mb_activation_names[] = {"relu", "leaky_relu", "tanh", "gelu", "silu", NULL};
