/* SPDX-License-Identifier: MIT
 *
 * What the two kinds of job of one's own share: a command (job_command.c) and a Python function (job_python.c).
 */
#ifndef MB_TRAIN_CUSTOM_H
#define MB_TRAIN_CUSTOM_H

#include "model.h"
#include "train.h"

size_t custom_workers(const struct train *train);

/* The folder above those of the trials: absolute, as the job runs in another folder. NULL: an error. The caller
 * frees. */
char *custom_folder(const struct train *train, struct mb_err *err);

/* Makes the trial's own folder in it; NULL: an error. The caller frees. */
char *custom_output(const char *folder, const json_t *record, struct mb_err *err);

/* The limits that the experiment sets a job. */
void custom_limits(const struct train *train, struct mb_child *child);

/* The result of a job that ran: into its record. */
void custom_conclude(struct train *train, struct mb_child *child, json_t *record);

#endif
