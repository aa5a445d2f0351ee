/* SPDX-License-Identifier: MIT */
#include "nn/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* In regression all are alike. */
static size_t class_of(const struct mb_dataset *set, size_t i)
{
	return set->train_y ? set->train_y[i] : 0;
}

/* How many of each class to hold back: floor of the exact share, then one more for the largest remainders. */
static void quotas(const size_t *count, size_t classes, size_t n, size_t n_val, size_t *quota)
{
	double *rest = mb_alloc(classes * sizeof *rest);
	size_t given = 0;

	for (size_t c = 0; c < classes; c++) {
		double exact = (double)n_val * (double)count[c] / (double)n;

		quota[c] = (size_t)floor(exact);
		rest[c] = exact - floor(exact);
		given += quota[c];
	}
	for (; given < n_val; given++) {
		size_t most = classes;

		for (size_t c = 0; c < classes; c++)
			if (quota[c] < count[c] && (most == classes || rest[c] > rest[most]))
				most = c;
		quota[most]++;
		rest[most] -= 1;
	}
	free(rest);
}

/* Marks the images to hold back: in a random order of all, the first of each class, as many as its quota. */
static void hold_back(const struct mb_dataset *set, size_t *quota, uint64_t data_seed, unsigned char *held)
{
	uint32_t *mixed = mb_alloc(set->n_train * sizeof *mixed);
	struct mb_rng rng;

	for (size_t i = 0; i < set->n_train; i++)
		mixed[i] = (uint32_t)i;
	mb_rng_init(&rng, data_seed, 0, MB_RNG_SPLIT);
	mb_rng_shuffle(&rng, mixed, set->n_train);
	for (size_t i = 0; i < set->n_train; i++) {
		size_t *left = &quota[class_of(set, mixed[i])];

		if (*left) {
			held[mixed[i]] = 1;
			--*left;
		}
	}
	free(mixed);
}

struct mb_split *mb_split_new(const struct mb_dataset *set, double share, uint64_t data_seed, struct mb_err *err)
{
	const size_t n = set->n_train, n_val = (size_t)llround((double)n * share);
	size_t *count, *quota;
	struct mb_split *split;
	unsigned char *held;

	if (!(share > 0 && share < 1) || !n_val || n_val >= n) {
		mb_err_set(err, MB_EXIT_USAGE, NULL, "task.validation_split: %g of %zu images leaves a part empty",
			   share, n);
		return NULL;
	}
	count = mb_alloc(set->classes * sizeof *count);
	quota = mb_alloc(set->classes * sizeof *quota);
	for (size_t i = 0; i < n; i++)
		count[class_of(set, i)]++;
	quotas(count, set->classes, n, n_val, quota);
	held = mb_alloc(n);
	hold_back(set, quota, data_seed, held);
	free(count);
	free(quota);
	split = mb_alloc(sizeof *split);
	*split = (struct mb_split){.set = set, .share = share, .data_seed = data_seed};
	split->train = mb_alloc((n - n_val) * sizeof *split->train);
	split->val = mb_alloc(n_val * sizeof *split->val);
	for (size_t i = 0; i < n; i++)
		if (held[i])
			split->val[split->n_val++] = (uint32_t)i;
		else
			split->train[split->n_train++] = (uint32_t)i;
	free(held);
	return split;
}

void mb_split_free(struct mb_split *split)
{
	if (!split)
		return;
	free(split->train);
	free(split->val);
	free(split);
}

void mb_split_order(const struct mb_split *split, uint64_t epoch, uint32_t *order)
{
	struct mb_rng rng;

	memcpy(order, split->train, split->n_train * sizeof *order);
	mb_rng_init(&rng, split->data_seed, epoch, MB_RNG_ORDER);
	mb_rng_shuffle(&rng, order, split->n_train);
}
