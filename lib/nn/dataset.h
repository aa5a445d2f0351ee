/* SPDX-License-Identifier: MIT
 *
 * What the network learns from, in a training and a test part: images with classes, or the rows of a table with classes or
 * with a number to tell.
 *
 * A data set of grey images with labels 0, 1, …, from the four IDX files of MNIST's format (plain or .gz), or
 * drawn by the built-in generator ("digits"). Read once, kept uncompressed in a cache file that all processes map
 * read-only and so share; where no cache can be written the images lie in this process's memory.
 *
 * A table is floats, read anew each time: one input for a column of numbers, one for each word of a column of text (1 in
 * its rows, else 0). Each input is shifted and scaled to mean 0 and deviation 1 over the training part; a cell that is
 * missing is 0 then, the mean, and so is all of an input that is the same in all rows of the training part. In regression the
 * labels are shifted and scaled likewise. Without a file for it the test part is a fifth of the rows, round(n / 5), drawn by
 * data_seed.
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
#include "data/data.h"

enum { MB_CLASSES_MAX = 1000, MB_PIXELS_MAX = 65536 };

struct mb_dataset {
	char *name;                     /* as asked for */
	char *source;                   /* the folder or file, or "built in" */
	char *label, *test;             /* as asked for; NULL: not */
	enum mb_task_kind kind;         /* as asked for */
	uint64_t data_seed;             /* of a table whose test part was drawn; else 0 */
	size_t rows, cols, pixels;      /* of an image; pixels = rows · cols; of a table 1, inputs, inputs */
	size_t classes;                 /* the largest label of both parts, and one; 2 to MB_CLASSES_MAX; in regression 1 */
	char **class_names;             /* of a table: the labels, sorted; else NULL */
	size_t n_train, n_test;
	const uint8_t *train_x, *test_x; /* n × pixels, row-major, 0 … 255; of a table NULL, and instead: */
	const float *train_rows, *test_rows; /* n × pixels, row-major */
	const uint16_t *train_y, *test_y; /* n, each below classes; in regression NULL, and instead: */
	const float *train_t, *test_t;  /* n: (label - label_mean) / label_deviation */
	double label_mean, label_deviation;
	uint64_t digest;                /* of counts, images and labels */
	void *block;                    /* all of it, mapped */
	size_t bytes;
};

struct mb_dataset_query {
	const char *name;              /* "fashion-mnist", "mnist", "digits", a folder, or a table (nn/table.h) */
	const char *label, *test;      /* of a table: the column, NULL: the last; the file of the test part, or NULL */
	enum mb_task_kind kind;        /* of a table; by data: regression for labels of numbers, where one is not whole or
	                                  they are more than 100 different ones */
	uint64_t data_seed;
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
