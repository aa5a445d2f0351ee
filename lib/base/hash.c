/* SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

uint64_t mb_hash_mix(uint64_t x)
{
	x += 0x9E3779B97F4A7C15u;
	x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
	x = (x ^ x >> 27) * 0x94D049BB133111EBu;
	return x ^ x >> 31;
}

enum { LANES = 8, BLOCK = LANES * sizeof(uint64_t) };

uint64_t mb_hash_bytes(const void *bytes, size_t n, uint64_t seed)
{
	const unsigned char *at = bytes;
	uint64_t lane[LANES], word[LANES], digest = mb_hash_mix(seed ^ n);
	size_t left = n;

	for (int i = 0; i < LANES; i++)
		lane[i] = mb_hash_mix(seed + (uint64_t)i);
	while (left) {
		size_t take = left < BLOCK ? left : BLOCK;

		if (take < BLOCK)
			memset(word, 0, sizeof word);
		memcpy(word, at, take);
		for (int i = 0; i < LANES; i++) {
			lane[i] = (lane[i] ^ word[i]) * 0x9E3779B97F4A7C15u;
			lane[i] ^= lane[i] >> 29;
		}
		at += take;
		left -= take;
	}
	for (int i = 0; i < LANES; i++)
		digest = mb_hash_mix(digest ^ lane[i]);
	return digest;
}

static int insert(struct mb_hashset *set, uint64_t key)
{
	size_t i = mb_hash_mix(key) & (set->cap - 1);

	while (set->at[i] && set->at[i] != key)
		i = (i + 1) & (set->cap - 1);
	if (set->at[i])
		return 0;
	set->at[i] = key;
	set->n++;
	return 1;
}

int mb_hashset_add(struct mb_hashset *set, uint64_t key)
{
	if (!key) {
		int is_new = !set->has_zero;

		set->has_zero = 1;
		return is_new;
	}
	if (2 * set->n >= set->cap) {
		struct mb_hashset grown = {.cap = set->cap ? 2 * set->cap : 64, .has_zero = set->has_zero};

		grown.at = mb_alloc(grown.cap * sizeof *grown.at);
		for (size_t i = 0; i < set->cap; i++)
			if (set->at[i])
				insert(&grown, set->at[i]);
		free(set->at);
		*set = grown;
	}
	return insert(set, key);
}

int mb_hashset_has(const struct mb_hashset *set, uint64_t key)
{
	if (!key)
		return set->has_zero;
	if (!set->cap)
		return 0;
	for (size_t i = mb_hash_mix(key) & (set->cap - 1); set->at[i]; i = (i + 1) & (set->cap - 1))
		if (set->at[i] == key)
			return 1;
	return 0;
}

void mb_hashset_release(struct mb_hashset *set)
{
	free(set->at);
	*set = (struct mb_hashset){0};
}
