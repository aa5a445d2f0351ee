/* SPDX-License-Identifier: MIT
 *
 * Milliseconds of CPU that one epoch of the trainer costs, best of 5, beside naive.c: the default job on
 * Fashion-MNIST.
 *
 *     epoch [[Nx]HIDDEN_LAYER_CONFIG]...       epoch 15 128 512,512 8x15: N side by side, the time of each
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/nn.h"

static struct mb_trainer *start(const struct mb_split *split, const char *layers, uint64_t seed)
{
	struct mb_trainer_setup setup = {.split = split, .seed = seed, .epochs = 6, .max_epochs = 6};
	json_t *assignments = json_pack("{s:s}", "hidden_layer_config", layers);
	struct mb_trainer *trainer = NULL;
	struct mb_err err;
	char text[1024];

	if (mb_hyper_parse(assignments, layers, &setup.hyper, &err) == 0)
		trainer = mb_trainer_new(&setup, &err);
	json_decref(assignments);
	if (!trainer) {
		fprintf(stderr, "epoch: %s\n", mb_err_text(&err, text, sizeof text));
		exit(4);
	}
	return trainer;
}

static void time_them(const struct mb_split *split, size_t n, const char *layers)
{
	struct mb_trainer *trainers[MB_TRAINERS_MOST];
	enum mb_train_end ends[MB_TRAINERS_MOST];
	double best = 1e30, began, took;

	for (size_t i = 0; i < n; i++)
		trainers[i] = start(split, layers, i);
	for (int e = 0; e < 5; e++) {
		began = mb_clock_cpu_s();
		mb_trainers_run(trainers, n, NULL, NULL, ends);
		took = (mb_clock_cpu_s() - began) / (double)n;
		best = took < best ? took : best;
	}
	mb_trainers_run(trainers, n, NULL, NULL, ends);
	printf("%s %.1f (validation %.1f)\n", layers, best * 1e3, trainers[0]->validate_s * 1e3);
	for (size_t i = 0; i < n; i++)
		mb_trainer_free(trainers[i]);
}

int main(int argc, char **argv)
{
	struct mb_dataset_query query = {.name = "fashion-mnist"};
	struct mb_str note = {0};
	struct mb_dataset *set;
	struct mb_split *split;
	struct mb_err err;
	char text[1024];

	setenv("OPENBLAS_NUM_THREADS", "1", 1);
	set = mb_dataset_open(&query, &note, &err);
	split = set ? mb_split_new(set, 0.2, 1337, &err) : NULL;
	if (!split) {
		fprintf(stderr, "epoch: %s\n", mb_err_text(&err, text, sizeof text));
		return 4;
	}
	for (int i = 1; i < argc; i++) {
		char *times = strchr(argv[i], 'x');

		time_them(split, times ? (size_t)atoi(argv[i]) : 1, times ? times + 1 : argv[i]);
	}
	if (argc < 2)
		time_them(split, 1, "15");
	mb_split_free(split);
	mb_dataset_close(set);
	mb_str_release(&note);
	return 0;
}
