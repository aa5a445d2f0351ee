/* SPDX-License-Identifier: MIT
 *
 * Inside of the room: the block of memory that holds a data set, as it also stands in a cache file. One page of
 * head, then training images, test images, training labels, test labels.
 */
#ifndef MB_NN_IMAGES_H
#define MB_NN_IMAGES_H

#include "nn/dataset.h"

/* Fresh zeroed memory for set->rows … n_test, and the parts' places; writable through the returned pointers. */
struct mb_images {
	uint8_t *train_x, *test_x;
	uint16_t *train_y, *test_y;
};

int mb_images_new(struct mb_dataset *set, struct mb_images *to, struct mb_err *err);
void mb_images_seal(struct mb_dataset *set); /* all is filled in: sets the number of classes and the digest */

/* The file names the set's source; `key` is a hash of the source's paths, sizes and times. 0: set is mapped from the
 * file; -1: there is no such file, or it does not fit: make it anew. */
int mb_cache_load(struct mb_dataset *set, const char *path, uint64_t key);

/* Writes the sealed set and maps the file in place of the memory. -1: could not be written, the set is as it was.
 * `about` is for people who look into the file. */
int mb_cache_store(struct mb_dataset *set, const char *path, uint64_t key, const char *about, struct mb_err *err);

/* 0: the query names a table, which now is the set; 1: it does not; -1. */
int mb_tabular_open(struct mb_dataset *set, const struct mb_dataset_query *query, struct mb_err *err);

/* The built-in data set. */
int mb_digits_draw(struct mb_dataset *set, struct mb_err *err);

#endif
