/* SPDX-License-Identifier: MIT
 *
 * Values made fit for a model that takes them to be normal: mean 0, deviation 1, and no outlier so far away that all others
 * look the same beside it.
 *
 *     unit = mb_standardise(y, n);                 // a standard deviation of y's noise is now sd / unit
 *
 * Beyond MB_FAR interquartile ranges from the median, t ranges away, t becomes MB_FAR + log(1 + t - MB_FAR): the order stays,
 * and so does the value's slope where that begins. A loss of 1e30, from a training that diverged, is then at 10 + 69 ranges.
 * Tukey, Exploratory Data Analysis (1977), calls what lies beyond 3 far out; ordinary searches have long tails to there.
 */
#ifndef MB_STAT_STANDARD_H
#define MB_STAT_STANDARD_H

#include <stddef.h>

#define MB_FAR 10

/* In place, for n finite values; returns how much of the original is 1 now, where it was not drawn in. Equal values all
 * become 0. */
double mb_standardise(double *y, size_t n);

#endif
