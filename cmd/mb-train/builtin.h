/* SPDX-License-Identifier: MIT
 *
 * Between the two files of the built-in job.
 */
#ifndef MB_TRAIN_BUILTIN_H
#define MB_TRAIN_BUILTIN_H

#include "nn/nn.h"
#include "train.h"

/* What of the experiment file the built-in job cannot do: parameters that it does not have or whose values it does
 * not take, metrics that it does not produce. -1: errs says which. */
int builtin_check(struct train *train, struct mb_errs *errs);

#endif
