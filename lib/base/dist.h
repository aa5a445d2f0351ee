/* SPDX-License-Identifier: MIT
 *
 * Distributions: the normal and the beta, as cumulative function and quantile. Both quantiles are the inverse of the
 * function beside them to about 1e-14.
 *
 *     x = mean + scale * mb_normal_quantile(u);
 */
#ifndef MB_BASE_DIST_H
#define MB_BASE_DIST_H

/* P(Z <= z) of the standard normal; accurate in the lower tail, so take mb_normal_cdf(-z) for the upper one. */
double mb_normal_cdf(double z);

/* The z with mb_normal_cdf(z) = p; -INFINITY at 0, INFINITY at 1. */
double mb_normal_quantile(double p);

/* The part of a standard normal between low and high, low <= high. */
double mb_normal_between(double low, double high);

/* Where a standard normal truncated to [low, high] has its share u, 0 <= u <= 1; and the share below z. */
double mb_truncated_quantile(double low, double high, double u);
double mb_truncated_cdf(double low, double high, double z);

/* The regularised incomplete beta function I_x(a, b), a, b > 0, and its inverse in x. */
double mb_beta_cdf(double a, double b, double x);
double mb_beta_quantile(double a, double b, double p);

#endif
