/* SPDX-License-Identifier: MIT
 *
 * The likelihood of a Gaussian process and its most probable hyperparameters.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "stat/gp.h"
#include "stat/lbfgs.h"
#include "stat/linalg.h"
#include "stat/matern.h"
#include "stat/wide.h"

#define LOG_2PI 1.83787706640934548356
#define SHORTEST 0.02
#define LONGEST 100

const struct mb_gp_prior mb_gp_low_noise = {
	.length = 0.1, .amplitude_mean = 0, .amplitude_sd = 1, .noise_mean = -8, .noise_sd = 1};

/* Scratch for one n, so that a fit allocates once. */
struct fit {
	const struct mb_gp *gp;
	const struct mb_gp_prior *prior;
	double *factor, *slope, *inverse, *scratch; /* n × n */
	double *alpha, *ones, *row, *weight;
	double *block;
};

static void fit_init(struct fit *fit, const struct mb_gp *gp, const struct mb_gp_prior *prior)
{
	size_t n = gp->n, dims = gp->dims;
	double *at = fit->block = mb_alloc((4 * n * n + 2 * n + 2 * dims) * sizeof *at);

	fit->gp = gp;
	fit->prior = prior;
	fit->factor = at;
	fit->slope = at + n * n;
	fit->inverse = at + 2 * n * n;
	fit->scratch = at + 3 * n * n;
	fit->alpha = at += 4 * n * n;
	fit->ones = at += n;
	fit->row = at += n;
	fit->weight = at + dims;
}

/* K and the slopes of its elements, lower triangles, strides n; then its factor. */
static int factor(struct fit *fit, const double *theta)
{
	const struct mb_gp *gp = fit->gp;
	size_t n = gp->n, dims = gp->dims;
	double amplitude = exp(theta[MB_GP_AMPLITUDE(dims)]), noise = exp(theta[MB_GP_NOISE(dims)]) + MB_GP_JITTER;

	for (size_t j = 0; j < dims; j++)
		fit->weight[j] = exp(-2 * theta[j]);
	for (size_t i = 0; i < n; i++) {
		double *k = fit->factor + i * n;

		for (size_t j = 0; j < dims; j++)
			fit->row[j] = gp->x[j * gp->cap + i];
		mb_matern_distance(gp->x, i, gp->cap, dims, gp->category, fit->weight, fit->row, k);
		mb_matern_values(k, fit->slope + i * n, i, amplitude);
		k[i] = amplitude + noise + gp->noise[i];
	}
	return mb_cholesky(fit->factor, n, n);
}

/* Leaves alpha = K^-1 (y - mean), and returns (y - mean)' alpha. */
static double find_alpha(struct fit *fit)
{
	size_t n = fit->gp->n;
	double mean, square;

	for (size_t i = 0; i < n; i++)
		fit->ones[i] = 1;
	memcpy(fit->alpha, fit->gp->y, n * sizeof *fit->alpha);
	mb_solve_lower(fit->factor, n, n, fit->ones);
	mb_solve_lower(fit->factor, n, n, fit->alpha);
	mean = mb_dot(fit->ones, fit->alpha, n) / mb_dot(fit->ones, fit->ones, n);
	for (size_t i = 0; i < n; i++)
		fit->alpha[i] -= mean * fit->ones[i];
	square = mb_dot(fit->alpha, fit->alpha, n);
	mb_solve_upper(fit->factor, n, n, fit->alpha);
	return square;
}

/* sum_i c_i d_i, d the square of the distance to `at` in one dimension, in a fixed order. */
MB_WIDE static double weighted_number(const double *restrict c, const double *restrict x, double at, size_t n)
{
	double part[8] = {0}, rest = 0;
	size_t i = 0;

	for (; i + 8 <= n; i += 8)
		for (size_t lane = 0; lane < 8; lane++)
			part[lane] += c[i + lane] * ((x[i + lane] - at) * (x[i + lane] - at));
	for (; i < n; i++)
		rest += c[i] * ((x[i] - at) * (x[i] - at));
	return ((part[0] + part[4]) + (part[1] + part[5])) + ((part[2] + part[6]) + (part[3] + part[7])) + rest;
}

static double weighted_category(const double *c, const double *x, double at, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += x[i] != at ? c[i] : 0;
	return sum;
}

/* d L / d theta = 1/2 tr((alpha alpha' - K^-1) dK / d theta), eq. 5.9. */
static void find_gradient(struct fit *fit, const double *theta, double square, double *gradient)
{
	const struct mb_gp *gp = fit->gp;
	size_t n = gp->n, dims = gp->dims;
	double noise = exp(theta[MB_GP_NOISE(dims)]), of_noise = 0, of_all_noise = 0;

	mb_cholesky_inverse(fit->factor, n, n, fit->inverse, fit->scratch);
	memset(gradient, 0, dims * sizeof *gradient);
	for (size_t i = 0; i < n; i++) {
		double *c = fit->scratch, surplus;

		for (size_t k = 0; k < i; k++)
			c[k] = (fit->alpha[i] * fit->alpha[k] - fit->inverse[i * n + k]) * fit->slope[i * n + k];
		for (size_t j = 0; j < dims; j++) {
			const double *x = gp->x + j * gp->cap;

			gradient[j] += gp->category[j] ? weighted_category(c, x, x[i], i)
						       : weighted_number(c, x, x[i], i);
		}
		surplus = fit->alpha[i] * fit->alpha[i] - fit->inverse[i * n + i];
		of_noise += surplus;
		of_all_noise += surplus * (noise + MB_GP_JITTER + gp->noise[i]);
	}
	for (size_t j = 0; j < dims; j++)
		gradient[j] *= -2 * fit->weight[j];
	/* dK / d log amplitude is K without the noise, and tr(alpha alpha' K) = square, tr(K^-1 K) = n. */
	gradient[MB_GP_AMPLITUDE(dims)] = 0.5 * (square - (double)n - of_all_noise);
	gradient[MB_GP_NOISE(dims)] = 0.5 * noise * of_noise;
}

static double likelihood(struct fit *fit, const double *theta, double *gradient)
{
	size_t n = fit->gp->n;
	double square, log_det = 0;

	if (factor(fit, theta) < 0)
		return -INFINITY;
	square = find_alpha(fit);
	for (size_t i = 0; i < n; i++)
		log_det += log(fit->factor[i * n + i]);
	if (gradient)
		find_gradient(fit, theta, square, gradient);
	return -0.5 * square - log_det - 0.5 * (double)n * LOG_2PI;
}

double mb_gp_likelihood(const struct mb_gp *gp, const double *theta, double *gradient)
{
	struct fit fit;
	double value;

	fit_init(&fit, gp, NULL);
	value = likelihood(&fit, theta, gradient);
	free(fit.block);
	return value;
}

/* Minus the log prior, added to value and gradient. */
static double add_prior(const struct mb_gp_prior *prior, size_t dims, const double *theta, double *gradient)
{
	double amplitude = (theta[MB_GP_AMPLITUDE(dims)] - prior->amplitude_mean) / prior->amplitude_sd;
	double noise = (theta[MB_GP_NOISE(dims)] - prior->noise_mean) / prior->noise_sd;
	double value = 0.5 * (amplitude * amplitude + noise * noise);

	gradient[MB_GP_AMPLITUDE(dims)] += amplitude / prior->amplitude_sd;
	gradient[MB_GP_NOISE(dims)] += noise / prior->noise_sd;
	for (size_t j = 0; j < dims; j++) {
		double square = exp(2 * theta[j]);

		value += prior->length * (square + 1 / square);
		gradient[j] += 2 * prior->length * (square - 1 / square);
	}
	return value;
}

static double objective(void *context, const double *theta, double *gradient)
{
	struct fit *fit = context;
	size_t dims = fit->gp->dims;
	double value = -likelihood(fit, theta, gradient);

	if (!isfinite(value))
		return INFINITY;
	for (size_t j = 0; j < dims + 2; j++)
		gradient[j] = -gradient[j];
	return value + add_prior(fit->prior, dims, theta, gradient);
}

double mb_gp_fit(const struct mb_gp *gp, const struct mb_gp_prior *prior, double *theta, int iterations)
{
	size_t dims = gp->dims;
	double *low = mb_alloc(2 * (dims + 2) * sizeof *low), *high = low + dims + 2, value;
	struct fit fit;

	for (size_t j = 0; j < dims; j++) {
		low[j] = log(SHORTEST);
		high[j] = log(LONGEST);
	}
	low[MB_GP_AMPLITUDE(dims)] = -6;
	high[MB_GP_AMPLITUDE(dims)] = 4;
	low[MB_GP_NOISE(dims)] = -13.8;
	high[MB_GP_NOISE(dims)] = 1;
	for (size_t j = 0; j < dims + 2; j++)
		theta[j] = theta[j] > low[j] ? theta[j] < high[j] ? theta[j] : high[j] : low[j];
	fit_init(&fit, gp, prior);
	value = mb_lbfgs(objective, &fit, theta, low, high, dims + 2, iterations);
	free(fit.block);
	free(low);
	return value;
}
