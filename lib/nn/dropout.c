/* SPDX-License-Identifier: MIT */
#include "nn/dropout.h"

#include <math.h>

#include "base/base.h"

enum { BLOCK = 8 }; /* elements from one block of Philox: four words, two halves each */

void mb_dropout_apply(const struct mb_dropout *dropout, size_t layer, mb_real *a, mb_real *slope, size_t n)
{
	const uint32_t threshold = (uint32_t)lround(dropout->share * 65536);
	const mb_real scale = (mb_real)(1 / (1 - dropout->share));
	struct mb_rng rng;

	mb_rng_init(&rng, dropout->seed, dropout->step * (MB_HIDDEN_MAX + 1) + layer, MB_RNG_DROPOUT);
	for (size_t i = 0; i < n; i += BLOCK) {
		uint32_t counter[4] = {(uint32_t)(i / BLOCK), 0, rng.counter[2], rng.counter[3]}, out[4];

		mb_rng_philox(rng.key, counter, out);
		for (size_t j = 0; j < BLOCK; j++) {
			mb_real keep = (out[j / 2] >> 16 * (j % 2) & 0xffff) < threshold ? 0 : scale;

			a[i + j] *= keep;
			slope[i + j] *= keep;
		}
	}
}
