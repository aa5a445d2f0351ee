/* SPDX-License-Identifier: MIT
 *
 * A data set of grey images with labels 0, 1, …, from the four IDX files of MNIST's format (plain or .gz), or
 * drawn by the built-in generator ("digits"). Read once, kept uncompressed in a cache file that all processes map
 * read-only and so share; where no cache can be written the images lie in this process's memory.
 *
 *     struct mb_dataset_query query = {task->dataset, experiment->folder, .cache = cache};
 *     struct mb_str note = {0};
 *     struct mb_dataset *set = mb_dataset_open(&query, &note, &err);
 */
#ifndef MB_NN_DATASET_H
#define MB_NN_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

enum { MB_CLASSES_MAX = 1000, MB_PIXELS_MAX = 65536 };

struct mb_dataset {
	char *name;                     /* as asked for */
	char *source;                   /* the folder, or "built in" */
	size_t rows, cols, pixels;      /* of an image; pixels = rows · cols */
	size_t classes;                 /* the largest label of both parts, and one; 2 to MB_CLASSES_MAX */
	size_t n_train, n_test;
	const uint8_t *train_x, *test_x; /* n × pixels, row-major, 0 … 255 */
	const uint16_t *train_y, *test_y; /* n, each below classes */
	uint64_t digest;                /* of counts, images and labels */
	void *block;                    /* all of it, mapped */
	size_t bytes;
};

struct mb_dataset_query {
	const char *name;              /* "fashion-mnist", "mnist", "digits", or a folder */
	const char *experiment_folder; /* what a relative folder is relative to; NULL: the current one */
	const char *data;              /* -d DATA: the only place to look in; NULL: the usual ones */
	const char *cache;             /* folder for cache files, made when missing; NULL: none */
	const char *const *places;     /* further places, NULL-terminated ("/home/me/data"); may be NULL */
};

/* NULL with MB_EXIT_SYSTEM: not found (where it was looked for and what to install or fetch), or a file that is
 * damaged (which, and how). `note` gets a line for the user where something went less well (no cache); else it stays
 * empty. */
struct mb_dataset *mb_dataset_open(const struct mb_dataset_query *query, struct mb_str *note, struct mb_err *err);
void mb_dataset_close(struct mb_dataset *set); /* takes NULL */

#endif
