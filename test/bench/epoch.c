/* SPDX-License-Identifier: MIT
 *
 * Milliseconds of CPU that one epoch of the trainer costs, best of 5, beside naive.c: the default job on
 * Fashion-MNIST.
 *
 *     epoch [HIDDEN_LAYER_CONFIG]...       epoch 15 128 512,512
 */
#include <stdio.h>
#include <stdlib.h>

#include "nn/nn.h"

static void time_one(const struct mb_split *split, const char *layers)
{
	struct mb_trainer_setup setup = {.split = split, .seed = 1, .epochs = 6, .max_epochs = 6};
	json_t *assignments = json_pack("{s:s}", "hidden_layer_config", layers);
	double best = 1e30, start, took, validate_s;
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
	for (int e = 0; e < 5; e++) {
		start = mb_clock_cpu_s();
		mb_trainer_run(trainer, NULL, NULL);
		took = mb_clock_cpu_s() - start;
		best = took < best ? took : best;
	}
	mb_trainer_run(trainer, NULL, NULL);
	validate_s = trainer->validate_s;
	printf("%s %.1f (validation %.1f)\n", layers, best * 1e3, validate_s * 1e3);
	mb_trainer_free(trainer);
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
	for (int i = 1; i < argc; i++)
		time_one(split, argv[i]);
	if (argc < 2)
		time_one(split, "15");
	mb_split_free(split);
	mb_dataset_close(set);
	mb_str_release(&note);
	return 0;
}
