/* SPDX-License-Identifier: MIT
 *
 * Images that are not square, and few or many classes: from IDX files through training to a scored model file.
 */
#include "nn/nn.h"

#include <stdlib.h>
#include <unistd.h>

#include "stat/stat.h"
#include "unit/check.h"

enum { ROWS = 8, COLS = 12 };

static char folder[64];

static void put(const char *name, const uint8_t *bytes, size_t n)
{
	char *path = mb_path_join(folder, name);
	struct mb_err err;

	CHECK_INT(mb_file_replace(path, bytes, n, 0, &err), 0);
	free(path);
}

/* `n` images, the class of each its place modulo the classes: a random pattern of the class, some of it flipped. */
static void put_part(const char *stem, size_t n, size_t classes, uint64_t seed)
{
	uint8_t *images = mb_alloc(16 + n * ROWS * COLS), *labels = mb_alloc(8 + 2 * n);
	const int wide = classes > 256;
	char name[64];

	memcpy(images, (uint8_t[]){0, 0, 8, 3, 0, 0, (uint8_t)(n >> 8), (uint8_t)n, 0, 0, 0, ROWS, 0, 0, 0, COLS}, 16);
	memcpy(labels, (uint8_t[]){0, 0, wide ? 11 : 8, 1, 0, 0, (uint8_t)(n >> 8), (uint8_t)n}, 8);
	for (size_t i = 0; i < n; i++) {
		struct mb_rng pattern, noise;

		mb_rng_init(&pattern, 1, i % classes, MB_RNG_DIGITS);
		mb_rng_init(&noise, seed, i, MB_RNG_DIGITS);
		for (size_t j = 0; j < ROWS * COLS; j++)
			images[16 + i * ROWS * COLS + j] =
				(uint8_t)(255 * (mb_rng_below(&pattern, 2) ^ (mb_rng_below(&noise, 10) == 0)));
		if (wide)
			labels[8 + 2 * i] = (uint8_t)(i % classes >> 8);
		labels[8 + (wide ? 2 * i + 1 : i)] = (uint8_t)(i % classes);
	}
	snprintf(name, sizeof name, "%s-images-idx3-ubyte", stem);
	put(name, images, 16 + n * ROWS * COLS);
	snprintf(name, sizeof name, "%s-labels-idx1-%s", stem, wide ? "short" : "ubyte");
	put(name, labels, 8 + (wide ? 2 * n : n));
	free(images);
	free(labels);
}

static struct mb_dataset *make(size_t classes, size_t n_train, size_t n_test)
{
	struct mb_dataset_query query = {.name = folder};
	struct mb_dataset *set;
	struct mb_str note = {0};
	struct mb_err err = {0};

	snprintf(folder, sizeof folder, "/tmp/mb-test-XXXXXX");
	CHECK(mkdtemp(folder) != NULL);
	put_part("train", n_train, classes, 2);
	put_part("t10k", n_test, classes, 3);
	set = mb_dataset_open(&query, &note, &err);
	CHECK_TEXT(err.what, "");
	return set;
}

static void clean(struct mb_dataset *set)
{
	static const char *const names[] = {"train-images-idx3-ubyte", "t10k-images-idx3-ubyte", "train-labels-idx1-ubyte",
					    "t10k-labels-idx1-ubyte", "train-labels-idx1-short", "t10k-labels-idx1-short",
					    "model"};

	for (size_t i = 0; i < MB_COUNT(names); i++) {
		char *path = mb_path_join(folder, names[i]);

		unlink(path);
		free(path);
	}
	CHECK_INT(rmdir(folder), 0);
	mb_dataset_close(set);
}

/* Trains and saves; the accuracy on the test part, of the file. */
static double accuracy(const struct mb_dataset *set, const char *assignments, int64_t epochs)
{
	struct mb_trainer_setup setup = {.seed = 1, .epochs = epochs, .max_epochs = epochs};
	json_t *json = json_loads(assignments, 0, NULL);
	struct mb_classification scores = {0};
	struct mb_evaluation evaluation = {0};
	struct mb_model_file model;
	struct mb_trainer *trainer;
	struct mb_split *split;
	struct mb_err err = {0};
	char *path = mb_path_join(folder, "model");

	CHECK_INT(mb_hyper_parse(json, "test", &setup.hyper, &err), 0);
	setup.split = split = mb_split_new(set, 0.2, 1, &err);
	trainer = mb_trainer_new(&setup, &err);
	while (mb_trainer_run(trainer, NULL, NULL) == MB_TRAIN_EPOCH)
		;
	CHECK_TEXT(trainer->error, "");
	CHECK_INT(mb_trainer_save(trainer, path, &err), 0);
	CHECK_INT(mb_model_file_read(&model, path, &err), 0);
	CHECK_TEXT(err.what, "");
	CHECK_INT(mb_model_file_evaluate(&model, set, "validate", &evaluation, &err), 0);
	CHECK_NEAR(evaluation.loss, trainer->validation.loss, 0);
	CHECK_INT(evaluation.classes, set->classes);
	CHECK_INT(mb_model_file_evaluate(&model, set, "test", &evaluation, &err), 0);
	mb_classify(evaluation.confusion, evaluation.classes, NULL, &scores);
	CHECK_INT(scores.n, set->n_test);
	mb_evaluation_release(&evaluation);
	mb_model_file_release(&model);
	mb_trainer_free(trainer);
	mb_split_free(split);
	json_decref(json);
	free(path);
	return scores.accuracy;
}

TEST(three_classes_of_images_that_are_not_square)
{
	struct mb_dataset *set = make(3, 300, 60);
	double share;

	CHECK_INT(set->rows, ROWS);
	CHECK_INT(set->cols, COLS);
	CHECK_INT(set->classes, 3);
	CHECK_INT(set->train_y[299], 2);
	share = accuracy(set, "{\"batch_size\": 8, \"learning_rate\": 0.01, \"augment_shift\": 1}", 8);
	if (share < 0.9)
		FAIL("accuracy %g", share);
	clean(set);
}

TEST(three_hundred_classes)
{
	struct mb_dataset *set = make(300, 6000, 600);
	double share;

	CHECK_INT(set->classes, 300);
	CHECK_INT(set->train_y[299], 299);
	CHECK_INT(set->test_y[299], 299);
	share = accuracy(set, "{\"hidden_layer_config\": [64], \"batch_size\": 16, \"learning_rate\": 0.005}", 12);
	if (share < 0.9)
		FAIL("accuracy %g", share);
	clean(set);
}

TEST(a_model_is_not_applied_to_data_of_other_classes)
{
	struct mb_dataset *set = make(3, 300, 60), other;
	struct mb_evaluation evaluation = {0};
	struct mb_model_file model;
	struct mb_err err = {0};
	char *path = mb_path_join(folder, "model");

	accuracy(set, "{\"batch_size\": 16}", 1);
	CHECK_INT(mb_model_file_read(&model, path, &err), 0);
	other = *set;
	other.classes = 4;
	CHECK_INT(mb_model_file_evaluate(&model, &other, "test", &evaluation, &err), -1);
	CHECK_TEXT(err.what, "4 classes, but the network tells 3 apart");
	mb_model_file_release(&model);
	free(path);
	clean(set);
}

TEST_MAIN
