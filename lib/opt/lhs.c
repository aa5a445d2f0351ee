/* SPDX-License-Identifier: MIT
 *
 * Latin hypercubes of observation_budget points (McKay, Beckman and Conover, Technometrics 21, 1979): in each dimension
 * every n-th of the range holds one point. Trial t is known without the others, so nothing is kept between calls.
 */
#include "opt/algorithm.h"

/* A permutation of 0 … n-1 by its key: four rounds of a Feistel network on the next even number of bits, again as long as
 * that leads out of the range (Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002). */
static uint64_t permuted(uint64_t index, uint64_t n, uint64_t key)
{
	unsigned half = 1;

	while (half < 31 && ((uint64_t)1 << 2 * half) < n)
		half++;
	do {
		uint64_t mask = ((uint64_t)1 << half) - 1, left = index >> half, right = index & mask;

		for (uint64_t round = 0; round < 4; round++) {
			uint64_t next = left ^ (mb_hash_mix(key + (round << 40) + right) & mask);

			left = right;
			right = next;
		}
		index = left << half | right;
	} while (index >= n);
	return index;
}

/* When a point was seen, attempt k is the same trial's in a hypercube that no trial starts with. */
static void draw(const struct mb_history *history, struct mb_rng *rng, uint32_t attempt, double *u)
{
	size_t dims = mb_space_dims(&history->experiment->space);
	uint64_t n = (uint64_t)history->experiment->observation_budget, index = (uint64_t)(history->trial - 1);
	uint64_t cube = mb_hash_mix(mb_hash_mix(history->seed) + index / n + ((uint64_t)attempt << 40));

	for (size_t i = 0; i < dims; i++)
		u[i] = ((double)permuted(index % n, n, mb_hash_mix(cube + i)) + mb_rng_unit(rng)) / (double)n;
}

static int ask(const struct mb_history *history, struct mb_suggestion *suggestion, struct mb_err *err)
{
	return mb_ask_unseen(history, draw, mb_algorithm_lhs.name, suggestion, err);
}

const struct mb_algorithm mb_algorithm_lhs = {
	.name = "lhs",
	.about = "a Latin hypercube of observation_budget points, even in each parameter",
	.ask = ask,
};
