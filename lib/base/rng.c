/* SPDX-License-Identifier: MIT */
#include "base/rng.h"

#include <math.h>

#include "base/hash.h"

void mb_rng_philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4])
{
	uint32_t k0 = key[0], k1 = key[1];
	uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];

	for (int round = 0; round < 10; round++) {
		uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;

		c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
		c1 = (uint32_t)b;
		c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
		c3 = (uint32_t)a;
		k0 += 0x9E3779B9u;
		k1 += 0xBB67AE85u;
	}
	out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

void mb_rng_init(struct mb_rng *rng, uint64_t root, uint64_t index, enum mb_rng_purpose purpose)
{
	uint64_t key = mb_hash_mix(mb_hash_mix(root) + (uint64_t)purpose);

	*rng = (struct mb_rng){.key = {(uint32_t)key, (uint32_t)(key >> 32)},
			       .counter = {0, 0, (uint32_t)index, (uint32_t)(index >> 32)},
			       .used = 4};
}

uint32_t mb_rng_u32(struct mb_rng *rng)
{
	if (rng->used == 4) {
		mb_rng_philox(rng->key, rng->counter, rng->out);
		if (!++rng->counter[0])
			rng->counter[1]++;
		rng->used = 0;
	}
	return rng->out[rng->used++];
}

uint64_t mb_rng_u64(struct mb_rng *rng)
{
	uint64_t high = mb_rng_u32(rng);

	return high << 32 | mb_rng_u32(rng);
}

double mb_rng_unit(struct mb_rng *rng)
{
	return (double)(mb_rng_u64(rng) >> 11) * 0x1p-53;
}

uint64_t mb_rng_below(struct mb_rng *rng, uint64_t n)
{
	uint64_t tail = UINT64_MAX - UINT64_MAX % n, draw; /* draws from here on would favour small results */

	do
		draw = mb_rng_u64(rng);
	while (draw >= tail);
	return draw % n;
}

double mb_rng_normal(struct mb_rng *rng)
{
	double radius = sqrt(-2 * log(1 - mb_rng_unit(rng)));

	return radius * cos(2 * 3.14159265358979323846 * mb_rng_unit(rng));
}

void mb_rng_shuffle(struct mb_rng *rng, uint32_t *at, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = mb_rng_below(rng, i);
		uint32_t held = at[i - 1];

		at[i - 1] = at[j];
		at[j] = held;
	}
}
