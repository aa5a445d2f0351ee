/* SPDX-License-Identifier: MIT
 *
 * Inverted dropout (Srivastava et al., JMLR 2014): what is kept is scaled by 1/(1 - share), so nothing changes when
 * the network is applied.
 */
#ifndef MB_NN_DROPOUT_H
#define MB_NN_DROPOUT_H

#include "nn/mlp.h"

/* Multiplies a and, unless NULL, slope (rows × ld) by 0 or 1/(1 - share).  The pattern comes from the stream (seed,
 * step and layer, MB_RNG_DROPOUT): 16 bits an element, so the share is exact to 1/65536. */
void mb_dropout_apply(const struct mb_dropout *dropout, size_t layer, mb_real *a, mb_real *slope, size_t rows,
		      size_t ld);

#endif
