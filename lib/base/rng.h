/* SPDX-License-Identifier: MIT
 *
 * Counter-based random numbers: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2,
 * 3", SC 2011). A stream is named by (root seed, index, purpose), so the order of execution changes no result.
 *
 *     struct mb_rng rng;
 *     mb_rng_init(&rng, experiment->seed, trial, MB_RNG_SUGGEST);
 *     double u = mb_rng_unit(&rng);
 */
#ifndef MB_BASE_RNG_H
#define MB_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* What a stream is for: streams of unlike purpose never overlap. Numbers are part of the results: only append. */
enum mb_rng_purpose {
	MB_RNG_SUGGEST = 1, /* root: experiment seed, index: trial */
	MB_RNG_SOBOL = 2,   /* root: experiment seed, index: dimension */
	MB_RNG_TRIAL = 3,   /* root: experiment seed, index: trial; gives the trial's own seed */
	MB_RNG_SPLIT = 4,   /* root: task.data_seed */
	MB_RNG_ORDER = 5,   /* root: task.data_seed, index: epoch */
	MB_RNG_INIT = 6,    /* root: trial seed, index: layer */
	MB_RNG_DROPOUT = 7, /* root: trial seed, index: step and layer */
	MB_RNG_DIGITS = 8,  /* the built-in data set */
	MB_RNG_BACKOFF = 9, /* root: of the process; waits before requests are sent again */
	MB_RNG_RESTART = 10, /* root: experiment seed, index: restart of an algorithm */
	MB_RNG_SHIFT = 11,  /* root: trial seed, index: step */
	MB_RNG_IMPORTANCE = 12, /* root: 0 */
	MB_RNG_TEST = 13    /* root: task.data_seed; the test part of a table */
};

struct mb_rng {
	uint32_t key[2], counter[4], out[4];
	unsigned used; /* of out */
};

void mb_rng_init(struct mb_rng *rng, uint64_t root, uint64_t index, enum mb_rng_purpose purpose);
uint32_t mb_rng_u32(struct mb_rng *rng);
uint64_t mb_rng_u64(struct mb_rng *rng);
double mb_rng_unit(struct mb_rng *rng);                    /* in [0, 1), 53 bits */
uint64_t mb_rng_below(struct mb_rng *rng, uint64_t n);     /* in 0 … n-1 without bias; n > 0 */
double mb_rng_normal(struct mb_rng *rng);                  /* standard normal, Box and Muller (1958) */
void mb_rng_shuffle(struct mb_rng *rng, uint32_t *at, size_t n); /* Fisher and Yates */

/* One block of Philox 4x32-10, for those who index the counter themselves and for the known-answer test. */
void mb_rng_philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]);

#endif
