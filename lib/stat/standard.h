/* SPDX-License-Identifier: MIT
 *
 * Values made fit for a model that takes them to be normal: mean 0, deviation 1, and no bad outlier so far away that all
 * others look the same beside it.
 *
 *     unit = mb_standardise(y, n);                 // a standard deviation of y's noise is now sd / unit
 *
 * What lies t > MB_FAR interquartile ranges above the median comes to MB_FAR (2 - MB_FAR / t) of them: the order stays, and
 * the slope where that begins, and a loss of 1e30, of a training that diverged, is no further away than 2 MB_FAR. Tukey,
 * Exploratory Data Analysis (1977), calls far out what lies beyond 3; ordinary searches have long tails to there. Less is
 * better, so nothing is done about what lies far below: it is what is sought.
 */
#ifndef MB_STAT_STANDARD_H
#define MB_STAT_STANDARD_H

#include <stddef.h>

#define MB_FAR 3

/* In place, for n finite values; returns how much of the original is 1 now, where it was not drawn in. Equal values all
 * become 0. */
double mb_standardise(double *y, size_t n);

#endif
