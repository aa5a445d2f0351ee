/* SPDX-License-Identifier: MIT
 *
 * Activation functions, one table. All map 0 to 0, so that padding columns stay zero through a network.
 */
#ifndef MB_NN_ACTIVATION_H
#define MB_NN_ACTIVATION_H

#include <stddef.h>

#include "nn/real.h"

struct mb_activation {
	const char *name;
	/* In place: a[i] = f(a[i]), and slope[i] = f'(a[i] before) unless slope is NULL. */
	void (*apply)(mb_real *restrict a, mb_real *restrict slope, size_t n);
};

extern const struct mb_activation mb_activations[]; /* ends with a NULL name; the first is the default */
extern const char *const mb_activation_names[];     /* the same names, NULL-terminated, same order */

#endif
