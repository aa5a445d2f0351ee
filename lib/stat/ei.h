/* SPDX-License-Identifier: MIT
 *
 * Expected improvement and the probability of a bound, as logarithms that stay exact where the quantities themselves are
 * far below the smallest double: a search that climbs them never stands on a plateau of zeros.
 *
 * Less is better: of f ~ N(mean, sd^2), the improvement on `target` is max(target - f, 0), and with z = (target - mean) / sd
 *
 *     EI = sd h(z),    h(z) = phi(z) + z Phi(z).
 *
 * J. Mockus (1975); the logarithm after S. Ament and others, "Unexpected improvements to expected improvement for Bayesian
 * optimization", NeurIPS 2023, eq. 9. For z << 0 the two terms of h cancel; Mills' ratio as a continued fraction (Abramowitz
 * and Stegun 1964, 26.2.14), Phi(-t) = phi(t) / (t + c(t)), leaves h(-t) = phi(t) c / (t + c), which does not.
 */
#ifndef MB_STAT_EI_H
#define MB_STAT_EI_H

double mb_log_h(double z);          /* log h(z) */
double mb_log_normal_cdf(double z); /* log Phi(z) */

double mb_log_ei(double mean, double sd, double target); /* sd > 0 */

/* The same, with its derivatives by mean and sd. */
double mb_log_ei_gradient(double mean, double sd, double target, double *by_mean, double *by_sd);

/* d log Phi / dz */
double mb_log_normal_cdf_gradient(double z);

#endif
