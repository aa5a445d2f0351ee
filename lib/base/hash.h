/* SPDX-License-Identifier: MIT
 *
 * Hashes and digests: not against an adversary, but against accidents (a torn file, another space).
 */
#ifndef MB_BASE_HASH_H
#define MB_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* A bijection of 64 bits that spreads every bit: the finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). */
uint64_t mb_hash_mix(uint64_t x);

/* Digest of n bytes, about memory speed: eight independent multiply lanes. `seed` chains several blocks. */
uint64_t mb_hash_bytes(const void *bytes, size_t n, uint64_t seed);

/* A set of 64-bit keys, open addressing; zero-initialise. */
struct mb_hashset {
	uint64_t *at;
	size_t n, cap;
	int has_zero;
};

int mb_hashset_add(struct mb_hashset *set, uint64_t key); /* 1 when it was new */
int mb_hashset_has(const struct mb_hashset *set, uint64_t key);
void mb_hashset_release(struct mb_hashset *set);

#endif
