/* SPDX-License-Identifier: MIT
 *
 * Between the files of the built-in job.
 */
#ifndef MB_TRAIN_BUILTIN_H
#define MB_TRAIN_BUILTIN_H

#include "nn/nn.h"
#include "train.h"

/* What all trials share. */
struct builtin {
	const struct mb_kernel *kernel;
	struct mb_dataset *set;
	struct mb_split *split;
	char *models;  /* folder */
	char *shown;   /* the same as it stands in records: relative to the log's folder where it lies below it */
};

/* What of the experiment file the built-in job cannot do: parameters that it does not have or whose values it does
 * not take, metrics that it does not produce. -1: errs says which. */
int builtin_check(struct train *train, struct mb_errs *errs);

/* The same once the data are open: metrics and parameters that are not for data of this kind (MB_EXIT_USAGE). */
int builtin_check_data(const struct train *train, const struct builtin *builtin, struct mb_err *err);

/* A hyperparameter of this name has no meaning with these data: why, else NULL. */
const char *builtin_unfit(const struct builtin *builtin, const char *name);

/* fidelity.epochs of a suggestion; 0: none. */
int64_t builtin_fidelity(const json_t *record);

/* In a worker; see struct job. */
int builtin_run(struct train *train, struct mb_link *link, json_t *record, struct mb_err *err);
int builtin_run_all(struct train *train, json_t *const *records, size_t n, job_ended *ended, void *context,
		    struct mb_err *err);

#endif
