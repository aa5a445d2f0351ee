/* SPDX-License-Identifier: MIT
 *
 * What the user believes of a range, as a map of coordinates: a uniform u becomes a place on the range, its lower end 0
 * and its upper end 1, with the distribution of the prior. Inside the room.
 */
#ifndef MB_DATA_PRIOR_H
#define MB_DATA_PRIOR_H

#include "data/space.h"

/* Both are monotone, from [0, 1] to [0, 1], and inverse to each other but for rounding; without a prior they return
 * what they are given. */
double mb_prior_place(const struct mb_param *param, double u);
double mb_prior_share(const struct mb_param *param, double place);

/* The ends of the range in the space of the transformation: log10 with log, half a step further out for an int. */
void mb_prior_ends(const struct mb_param *param, double *low, double *high);

#endif
