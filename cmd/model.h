/* SPDX-License-Identifier: MIT
 *
 * What mb-train and mb-eval share of a Python model (`model.entry_point`): how it is loaded, and what its functions
 * are called with.
 *
 *     if (model_open(&python, experiment, experiment->model.function_name, STDOUT_FILENO, &err) == 0) {
 *         struct model_call call = {.metric = "loss", .dataset = dataset, .output = folder};
 *         model_request(&call, record, &input);          // the input of a struct mb_child
 */
#ifndef MB_CMD_MODEL_H
#define MB_CMD_MODEL_H

#include "data/data.h"
#include "run/run.h"

struct model_call {
	const char *metric;  /* what a bare number is */
	const char *dataset; /* or NULL */
	const char *output;  /* folder of the trial's own */
	const char *split;   /* of mb-eval, or NULL */
};

/* As mb_python_open; the error says where the experiment file asks for it. */
int model_open(struct mb_python *python, const struct mb_experiment *experiment, const char *function, int output,
	       struct mb_err *err);

/* The data that a job of one's own works on: `option` (-d) as seen from here, else data_options.dataset_path as
 * seen from the experiment's folder; absolute where it exists here. NULL: none. The caller frees. */
char *model_dataset(const struct mb_experiment *experiment, const char *option);

/* "MB_TRIAL=1", "MB_SEED=7", "MB_OUTPUT_PATH=…", with a fidelity "MB_RUNG=1", "MB_FIDELITY=9" (or the task's name):
 * zero-initialise; NULL-terminated. */
struct model_variables {
	char *at[8];
	size_t n;
};

void model_variables(const json_t *record, const char *output, struct model_variables *variables);
void model_variables_release(struct model_variables *variables);

/* Appends the request that lib/run/python.h speaks of. */
void model_request(const struct model_call *call, const json_t *record, struct mb_str *input);

#endif
