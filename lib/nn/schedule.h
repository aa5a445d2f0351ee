/* SPDX-License-Identifier: MIT
 *
 * Learning-rate schedules: the rate at each step, as a share of the hyperparameter learning_rate.
 *
 * The first `warmup` steps rise linearly, (s + 1) / warmup; the schedule spans the others, T of them, t = 0 … T-1:
 *
 *     constant   1
 *     cosine     (1 + cos(π t / T)) / 2                          (Loshchilov and Hutter, ICLR 2017, equation 5)
 *     one_cycle  from 1/25 up to 1 over the first 30 %, then down to 1/25e4, both by half a cosine
 *                (Smith and Topin, 2018; PyTorch's OneCycleLR with its defaults)
 *     step       1, after each third of the steps a tenth of it
 */
#ifndef MB_NN_SCHEDULE_H
#define MB_NN_SCHEDULE_H

#include <stdint.h>

enum mb_schedule { MB_SCHEDULE_CONSTANT, MB_SCHEDULE_COSINE, MB_SCHEDULE_ONE_CYCLE, MB_SCHEDULE_STEP };

extern const char *const mb_schedule_names[]; /* in the enum's order, NULL-terminated */

/* Momentum at a step, of the optimisers that have one, or beta1 of the others: `constant`, or with `cycle` from its value
 * down by 0.1 (not below 0) while one_cycle's rate rises, and back up while that falls, by the same half cosines (Smith 2018;
 * with 0.95 that is PyTorch's OneCycleLR). The warm-up has the value itself. */
enum mb_momentum_schedule { MB_MOMENTUM_CONSTANT, MB_MOMENTUM_CYCLE };

extern const char *const mb_momentum_schedule_names[];

double mb_schedule_momentum(enum mb_momentum_schedule schedule, double value, uint64_t step, uint64_t warmup,
			    uint64_t total);

/* step: 0 … total-1, warm-up included; beyond it the last value stays. */
double mb_schedule_factor(enum mb_schedule schedule, uint64_t step, uint64_t warmup, uint64_t total);

#endif
