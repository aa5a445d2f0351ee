/* SPDX-License-Identifier: MIT
 *
 * Gaussian process regression: constant mean, Matérn-5/2 covariance with a length scale a dimension (stat/matern.h), a
 * fitted noise and one of its own for each value. For up to some thousand rows; fit the hyperparameters on some hundred.
 *
 *     mb_gp_init(&gp, dims, category, n + pending);
 *     for (…) mb_gp_add(&gp, row, y, noise);                 // y standardised, noise its variance in the same units
 *     mb_gp_start(dims, theta);                              // or what an earlier fit found
 *     mb_gp_fit(&gp, &mb_gp_low_noise, theta, 30);           // theta becomes the most probable
 *     if (mb_gp_condition(&gp, theta) < 0) …
 *     mb_gp_believe(&gp, row);                               // where a trial runs: no more uncertainty there
 *     mb_gp_predict(&gp, rows, m, mean, variance);
 *     mb_gp_release(&gp);
 *
 * Several outputs of the same points (objectives, constraints) are several of these. A fidelity is one more number in
 * the row. A row is dims coordinates: numbers, of whatever range the prior of the length scales suits ([0, 1]), and
 * categories, which only equal or differ.
 *
 * Rasmussen and Williams, Gaussian Processes for Machine Learning (2006): alg. 2.1 (posterior, likelihood), eq. 5.9 (its
 * gradient); the mean is the generalised least-squares one, 1'K^-1 y / 1'K^-1 1, as in Jones, Schonlau and Welch,
 * "Efficient global optimization" (1998), eq. 5. Nothing here is random, and adding rows one by one gives the same bits
 * as conditioning on all at once.
 */
#ifndef MB_STAT_GP_H
#define MB_STAT_GP_H

#include <stddef.h>

/* The hyperparameters are a vector theta of dims + 2: log l_1 … log l_dims, then these two. */
#define MB_GP_AMPLITUDE(dims) (dims)  /* log of the variance of the process */
#define MB_GP_NOISE(dims) ((dims) + 1) /* log of the variance of a value about it; MB_GP_JITTER is added */
#define MB_GP_JITTER 1e-6

/* What is thought of theta before any data; minus its log, up to a constant, is
 * length sum_j (l_j^2 + l_j^-2) + (log amplitude - amplitude_mean)^2 / (2 amplitude_sd^2) + the same of the noise. */
struct mb_gp_prior {
	double length;
	double amplitude_mean, amplitude_sd;
	double noise_mean, noise_sd;
};

extern const struct mb_gp_prior mb_gp_low_noise; /* y is nearly exact: e^-8 of its variance */

struct mb_gp {
	size_t dims, n, cap;           /* n: rows so far */
	const unsigned char *category; /* dims flags; borrowed */
	double *x;                     /* coordinate j of row i at x[j * cap + i] */
	double *y, *noise;             /* n: values, and variances of their own */
	size_t factored;               /* rows in what follows; 0 before mb_gp_condition */
	double *theta, *weight;        /* dims + 2; dims: l^-2 */
	double *factor;                /* L of K = L L', stride cap */
	double *white, *ones;          /* n: L^-1 y and L^-1 1 */
	double *alpha;                 /* n: K^-1 (y - mean) */
	double mean;
	double *block;
};

/* Room for `cap` rows in all. category must outlive it. */
void mb_gp_init(struct mb_gp *gp, size_t dims, const unsigned char *category, size_t cap);
void mb_gp_release(struct mb_gp *gp);

/* One row more, not yet in the factor; noise: the variance of this value, 0 when only the fitted one counts. */
void mb_gp_add(struct mb_gp *gp, const double *row, double y, double noise);

/* A start for theta: l = 1 (of [0, 1]), amplitude 1, noise e^-8. */
void mb_gp_start(size_t dims, double *theta);

/* Log marginal likelihood of all rows, without the prior; gradient (dims + 2) may be NULL. -INFINITY when the covariance is
 * not positive definite. */
double mb_gp_likelihood(const struct mb_gp *gp, const double *theta, double *gradient);

/* Moves theta to a local maximum of the posterior by L-BFGS, within l in [.02, 100], log amplitude in [-6, 4], log noise in
 * [-13.8, 1]. Returns minus the log posterior there, less is better, INFINITY when theta was no start. Needs some rows, and
 * of the factor nothing. */
double mb_gp_fit(const struct mb_gp *gp, const struct mb_gp_prior *prior, double *theta, int iterations);

/* Factors all rows under theta; -1 when that is not positive definite. */
int mb_gp_condition(struct mb_gp *gp, const double *theta);

/* A row more to what is conditioned, in O(n^2). -1, and as before, when it makes the covariance singular. */
int mb_gp_append(struct mb_gp *gp, const double *row, double y, double noise);

/* The same with the posterior mean as the value (the kriging believer of Ginsbourger, Le Riche and Carraro, 2010): means
 * everywhere stay, variances shrink about it. */
int mb_gp_believe(struct mb_gp *gp, const double *row);

/* Posterior mean and variance of the process (without noise) at m rows (m × dims, row-major). variance may be NULL, which is
 * O(n) a row instead of O(n^2). */
void mb_gp_predict(const struct mb_gp *gp, const double *rows, size_t m, double *mean, double *variance);

/* At one row, with the derivatives by its coordinates (dims; 0 for categories). */
void mb_gp_predict_gradient(const struct mb_gp *gp, const double *row, double *mean, double *variance, double *by_mean,
			    double *by_variance);

#endif
