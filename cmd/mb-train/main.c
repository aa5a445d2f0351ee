/* SPDX-License-Identifier: MIT
 *
 * mb-train: reads suggestions, trains each, writes each result as it ends.
 */
#include <stdlib.h>
#include <string.h>

#include "nn/nn.h"
#include "train.h"

static int check_options(struct train *train)
{
	struct mb_err err;

	if (train->gpu) {
		mb_err_set(&err, MB_EXIT_SYSTEM, "--gpu", "the CUDA plug-in is not built in");
		mb_err_hint(&err, "without --gpu the trials are trained on the CPU");
		return mb_tool_fail(&train->tool, &err);
	}
	if (strcmp(train->precision, "float32")) {
		mb_err_set(&err, MB_EXIT_USAGE, "--precision", "%s is not built in", train->precision);
		mb_err_hint(&err, "float32 is");
		return mb_tool_fail(&train->tool, &err);
	}
	return 0;
}

static int find_log(struct train *train)
{
	char *path = mb_tool_log_path(&train->tool, train->experiment);

	if (!strcmp(path, "-")) {
		free(path);
		train->log_folder = mb_strdup(train->experiment->folder);
		return 0;
	}
	train->log_path = path;
	train->log_folder = mb_path_dir(path);
	return 0;
}

static int train_all(struct train *train)
{
	struct mb_errs errs = {0};
	int status = check_options(train);

	if (status)
		return status;
	train->experiment = mb_tool_experiment(&train->tool);
	if (!train->experiment)
		return MB_EXIT_USAGE;
	find_log(train);
	train->job = train->experiment->model.entry_point ? &job_python
		     : train->experiment->model.given ? &job_command : &job_builtin;
	if (!train->job->start || train->job->start(train, &errs) == 0)
		return dispatch(train);
	for (size_t i = 0; i < errs.n; i++)
		status = mb_tool_fail(&train->tool, &errs.at[i]);
	mb_errs_release(&errs);
	return status;
}

int main(int argc, char **argv)
{
	static const char *const precisions[] = {"float32", "bf16", NULL};
	struct train train = {
		.tool = {.name = "mb-train",
			 .synopsis = "[-j JOBS] [-d DATA] [-m MODELS] [--curve] < suggestions > results",
			 .about = "Trains each suggestion read and writes its result.",
			 .blas = mb_blas_name},
		.precision = "float32",
	};
	const struct mb_opt table[] = {
		{'j', "jobs", MB_OPT_INT, &train.jobs, "JOBS", "trials in training at once; 0: as many as fit",
		 .min = 0, .max = 4096},
		{0, "gpu", MB_OPT_MAYBE, &train.gpu, "LIST", "train on these GPUs"},
		{'d', "data", MB_OPT_TEXT, &train.data, "DATA", "folder of the data set"},
		{'m', "models", MB_OPT_TEXT, &train.models, "MODELS",
		 "folder of the trained models; default: models/ beside the log"},
		{0, "curve", MB_OPT_FLAG, &train.curve, NULL, "add each epoch's metrics to the results"},
		{0, "precision", MB_OPT_TEXT, &train.precision, "NAME", "float32 or bf16", .words = precisions},
		{0},
	};
	int rest, status = mb_tool_start(&train.tool, table, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest < argc) {
		mb_tool_warn(&train.tool, "%s: an operand is not expected (suggestions come from stdin)", argv[rest]);
		return MB_EXIT_USAGE;
	}
	status = train_all(&train);
	mb_experiment_free(train.experiment);
	free(train.log_path);
	free(train.log_folder);
	return mb_tool_end(&train.tool, status);
}
