/* SPDX-License-Identifier: MIT */
#include "stat/sobol.h"

#include "base/base.h"
#include "stat/sobol_table.h"

enum { BITS = 32 };

/* Direction numbers v_1 … v_32 of a dimension, Joe and Kuo (2008), equations 2 and 3. */
static void directions(size_t dim, uint32_t v[BITS])
{
	const struct mb_sobol_direction *row = dim ? mb_sobol_directions + (dim - 1) : NULL;
	unsigned s = row ? row->degree : BITS;

	for (unsigned k = 0; k < BITS; k++) {
		if (k < s) {
			v[k] = (row ? (uint32_t)row->m[k] : 1) << (BITS - 1 - k);
			continue;
		}
		v[k] = v[k - s] ^ v[k - s] >> s;
		for (unsigned i = 1; i < s; i++)
			if (row->a >> (s - 1 - i) & 1)
				v[k] ^= v[k - i];
	}
}

uint32_t mb_sobol_bits(size_t dim, uint64_t index)
{
	uint32_t gray = (uint32_t)(index ^ index >> 1), x = 0, v[BITS];

	directions(dim, v);
	for (unsigned k = 0; gray; k++, gray >>= 1)
		if (gray & 1)
			x ^= v[k];
	return x;
}

/* Whether digit k (0 is the highest) is flipped depends on the digits above it alone: Owen's tree of permutations
 * with the coin at each node drawn by hash. Those digits behind a leading 1 name the node. */
static uint32_t scramble(uint64_t key, uint32_t x)
{
	uint32_t flips = 0;

	for (unsigned k = 0; k < BITS; k++) {
		uint64_t node = (uint64_t)1 << k | (uint64_t)x >> (BITS - k);

		flips = flips << 1 | (uint32_t)(mb_hash_mix(key ^ node) >> 63);
	}
	return x ^ flips;
}

double mb_sobol_unit(uint64_t seed, size_t dim, uint64_t index)
{
	uint32_t x = mb_sobol_bits(dim, index);
	struct mb_rng rng;
	uint64_t key, below;

	mb_rng_init(&rng, seed, dim, MB_RNG_SOBOL);
	key = mb_rng_u64(&rng);
	below = mb_hash_mix(key ^ ((uint64_t)1 << BITS | x)) >> (64 - 21);
	return (double)((uint64_t)scramble(key, x) << 21 | below) * 0x1p-53;
}
