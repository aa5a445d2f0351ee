/* SPDX-License-Identifier: MIT
 *
 * The room `nn`: the built-in job, a multilayer perceptron on images. Stands on base, data and stat.
 *
 *     set = mb_dataset_open(&query, &note, &err);            // once a process: images, shared by the cache file
 *     split = mb_split_new(set, task->validation_split, task->data_seed, &err);
 *     mb_hyper_parse(assignments, "stdin:17", &hyper, &err); // a bad record
 *     trainer = mb_trainer_new(&setup, &err);                // a trial
 *     mb_trainer_run(trainer, stop, context);
 */
#ifndef MB_NN_NN_H
#define MB_NN_NN_H

#include "nn/blas.h"
#include "nn/checkpoint.h"
#include "nn/dataset.h"
#include "nn/evaluate.h"
#include "nn/hyper.h"
#include "nn/kernel.h"
#include "nn/mlp.h"
#include "nn/split.h"
#include "nn/trainer.h"

#endif
