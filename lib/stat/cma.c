/* SPDX-License-Identifier: MIT */
#include "stat/cma.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "stat/linalg.h"

#define FLAT 1e-12      /* of the spread of the first generation: no more to be gained, … */
#define MOST_FLAT 1e-11 /* … and what the tutorial's users take in any unit */
#define WIDEST (1.0 / 3)  /* deviation in the unit cube: beyond it all is uniform, and no step is learnt from */
#define MOST_STRETCH 1.0 /* of log sigma in one generation: injected steps are long */

size_t mb_cma_lambda(size_t dims)
{
	return 4 + (size_t)floor(3 * log((double)dims));
}

/* ---- constants ---- */

/* Eqs. 49 to 53. */
static void set_weights(struct mb_cma *cma)
{
	size_t lambda = cma->lambda, mu = lambda / 2;
	double n = (double)cma->dims, sum[2] = {0}, squares[2] = {0}, least, eff;

	for (size_t i = 0; i < lambda; i++) {
		double weight = log(((double)lambda + 1) / 2) - log((double)i + 1);

		cma->weight[i] = weight;
		sum[i >= mu] += fabs(weight);
		squares[i >= mu] += weight * weight;
	}
	cma->mu = mu;
	cma->mu_eff = sum[0] * sum[0] / squares[0];
	eff = squares[1] > 0 ? sum[1] * sum[1] / squares[1] : 0;

	cma->c_1 = 2 / ((n + 1.3) * (n + 1.3) + cma->mu_eff);
	cma->c_mu = 2 * (0.25 + cma->mu_eff + 1 / cma->mu_eff - 2) / ((n + 2) * (n + 2) + cma->mu_eff);
	cma->c_mu = fmin(1 - cma->c_1, cma->c_mu);

	least = 1 + cma->c_1 / cma->c_mu;
	least = fmin(least, 1 + 2 * eff / (cma->mu_eff + 2));
	least = fmin(least, (1 - cma->c_1 - cma->c_mu) / (n * cma->c_mu));
	for (size_t i = 0; i < lambda; i++)
		cma->weight[i] *= i < mu ? 1 / sum[0] : sum[1] > 0 ? least / sum[1] : 0;
}

/* Eqs. 55 and 56; table 1. */
static void set_rates(struct mb_cma *cma)
{
	double n = (double)cma->dims, eff = cma->mu_eff, over = sqrt((eff - 1) / (n + 1)) - 1;

	cma->c_sigma = (eff + 2) / (n + eff + 5);
	cma->d_sigma = 1 + 2 * (over > 0 ? over : 0) + cma->c_sigma;
	cma->c_c = (4 + eff / n) / (n + 4 + 2 * eff / n);
	cma->chi = sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n));
}

/* ---- the state ---- */

static void factor(struct mb_cma *cma)
{
	size_t n = cma->dims;

	memcpy(cma->factor, cma->cov, n * n * sizeof *cma->factor);
	if (mb_cholesky(cma->factor, n, n) == 0)
		return;
	/* The weights keep C definite but for rounding. The axes stay, so that what follows is sound. */
	cma->broken = 1;
	for (size_t i = 0; i < n; i++) {
		double variance = cma->cov[i * n + i];

		memset(&cma->cov[i * n], 0, n * sizeof *cma->cov);
		cma->cov[i * n + i] = variance > 0 ? variance : 1;
	}
	memcpy(cma->factor, cma->cov, n * n * sizeof *cma->factor);
	mb_cholesky(cma->factor, n, n);
}

void mb_cma_init(struct mb_cma *cma, size_t dims, size_t lambda, const double *mean, double sigma, const double *cov)
{
	size_t square = dims * dims;

	*cma = (struct mb_cma){.dims = dims, .lambda = lambda, .sigma = sigma, .first_sigma = sigma};
	cma->block = mb_alloc((2 * square + 6 * dims + lambda) * sizeof *cma->block);
	cma->cov = cma->block;
	cma->factor = cma->cov + square;
	cma->mean = cma->factor + square;
	cma->path_c = cma->mean + dims;
	cma->path_s = cma->path_c + dims;
	cma->scale = cma->path_s + dims;
	cma->shift = cma->scale + dims;
	cma->solved = cma->shift + dims;
	cma->weight = cma->solved + dims;
	set_weights(cma);
	set_rates(cma);
	for (size_t i = 0; i < dims; i++) {
		cma->mean[i] = mean[i];
		cma->scale[i] = 1;
		cma->cov[i * dims + i] = 1;
	}
	if (cov)
		memcpy(cma->cov, cov, square * sizeof *cov);
	factor(cma);
}

void mb_cma_release(struct mb_cma *cma)
{
	free(cma->block);
	free(cma->best);
	free(cma->middle);
	*cma = (struct mb_cma){0};
}

void mb_cma_place(const struct mb_cma *cma, const double *z, double *x)
{
	for (size_t i = 0; i < cma->dims; i++) {
		const double *row = &cma->factor[i * cma->dims];
		double step = 0;

		for (size_t k = 0; k <= i; k++)
			step += row[k] * z[k];
		x[i] = cma->mean[i] + cma->sigma * cma->scale[i] * step;
	}
}

void mb_cma_step(const struct mb_cma *cma, const double *x, double *y)
{
	for (size_t i = 0; i < cma->dims; i++)
		y[i] = (x[i] - cma->mean[i]) / (cma->sigma * cma->scale[i]);
}

/* ||L^-1 y||^2 */
static double length2(struct mb_cma *cma, const double *y)
{
	double sum = 0;

	memcpy(cma->solved, y, cma->dims * sizeof *y);
	mb_solve_lower(cma->factor, cma->dims, cma->dims, cma->solved);
	for (size_t i = 0; i < cma->dims; i++)
		sum += cma->solved[i] * cma->solved[i];
	return sum;
}

void mb_cma_clip(struct mb_cma *cma, double *y)
{
	double n = (double)cma->dims, most = sqrt(n) + 2 * n / (n + 2), length = sqrt(length2(cma, y));

	if (length <= most)
		return;
	for (size_t i = 0; i < cma->dims; i++)
		y[i] *= most / length;
}

/* ---- one generation ---- */

/* The weighted mean of the better half, in `shift`. */
static void set_shift(struct mb_cma *cma, double *const *y, const double *value)
{
	memset(cma->shift, 0, cma->dims * sizeof *cma->shift);
	for (size_t k = 0; k < cma->mu; k++)
		for (size_t i = 0; i < cma->dims && isfinite(value[k]); i++)
			cma->shift[i] += cma->weight[k] * y[k][i];
}

/* C = C + by y y' */
static void add_outer(double *cov, size_t n, double by, const double *y)
{
	for (size_t i = 0; i < n; i++) {
		double *row = &cov[i * n], yi = by * y[i];

		for (size_t k = 0; k <= i; k++)
			row[k] += yi * y[k];
	}
}

/* Eqs. 44 and 45. Returns h_sigma. */
static int set_paths(struct mb_cma *cma)
{
	double keep = 1 - cma->c_sigma, gain = sqrt(cma->c_sigma * (2 - cma->c_sigma) * cma->mu_eff), norm = 0, still;
	size_t n = cma->dims;
	int moving;

	length2(cma, cma->shift);
	for (size_t i = 0; i < n; i++) {
		cma->path_s[i] = keep * cma->path_s[i] + gain * cma->solved[i];
		norm += cma->path_s[i] * cma->path_s[i];
	}
	norm = sqrt(norm);
	still = sqrt(1 - pow(keep, 2 * ((double)cma->generation + 1)));
	moving = norm / still < (1.4 + 2 / ((double)n + 1)) * cma->chi;
	gain = moving ? sqrt(cma->c_c * (2 - cma->c_c) * cma->mu_eff) : 0;
	for (size_t i = 0; i < n; i++)
		cma->path_c[i] = (1 - cma->c_c) * cma->path_c[i] + gain * cma->shift[i];
	cma->sigma *= exp(fmin(MOST_STRETCH, cma->c_sigma / cma->d_sigma * (norm / cma->chi - 1)));
	return moving;
}

/* Eq. 47, with eq. 46 for the negative weights. */
static void set_cov(struct mb_cma *cma, double *const *y, const double *value, int moving)
{
	size_t n = cma->dims, lambda = cma->lambda;
	double keep = 1 - cma->c_1 + (moving ? 0 : cma->c_1 * cma->c_c * (2 - cma->c_c)), *by = mb_alloc(lambda * sizeof *by);

	for (size_t k = 0; k < lambda; k++) {
		double length = k < cma->mu ? 1 : length2(cma, y[k]);

		keep -= cma->c_mu * cma->weight[k];
		by[k] = cma->c_mu * cma->weight[k];
		if (k < cma->mu)
			by[k] *= isfinite(value[k]);
		else
			by[k] *= length > 0 ? (double)n / length : 0;
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k <= i; k++)
			cma->cov[i * n + k] *= keep;
	add_outer(cma->cov, n, cma->c_1, cma->path_c);
	for (size_t k = 0; k < lambda; k++)
		if (by[k] != 0)
			add_outer(cma->cov, n, by[k], y[k]);
	free(by);
}

static void remember(struct mb_cma *cma, const double *value)
{
	size_t n = cma->generation, ends = cma->lambda;

	while (ends > 1 && !isfinite(value[ends - 1]))
		ends--;
	if (!n)
		cma->spread = value[ends - 1] - value[0];
	cma->best = mb_grow(cma->best, &cma->cap_best, n + 1, sizeof *cma->best);
	cma->middle = mb_grow(cma->middle, &cma->cap_middle, n + 1, sizeof *cma->middle);
	cma->best[n] = value[0];
	cma->middle[n] = value[ends / 2];
	/* A plateau: longer steps may lead off it. */
	if (value[0] == value[(size_t)ceil(0.7 * (double)cma->lambda) - 1])
		cma->sigma *= exp(0.2 + cma->c_sigma / cma->d_sigma);
}

void mb_cma_update(struct mb_cma *cma, double *const *y, const double *value)
{
	int moving;

	set_shift(cma, y, value);
	for (size_t i = 0; i < cma->dims; i++)
		cma->mean[i] += cma->sigma * cma->scale[i] * cma->shift[i];
	moving = set_paths(cma);
	set_cov(cma, y, value, moving);
	remember(cma, value);
	factor(cma);
	cma->generation++;
}

/* ---- bounds and cells ---- */

/* C, L and both paths are those of the mirrored coordinate: L = S L S keeps the diagonal positive. */
static void mirror(struct mb_cma *cma, size_t dim)
{
	size_t n = cma->dims;

	for (size_t k = 0; k < dim; k++) {
		cma->cov[dim * n + k] = -cma->cov[dim * n + k];
		cma->factor[dim * n + k] = -cma->factor[dim * n + k];
	}
	for (size_t k = dim + 1; k < n; k++) {
		cma->cov[k * n + dim] = -cma->cov[k * n + dim];
		cma->factor[k * n + dim] = -cma->factor[k * n + dim];
	}
	cma->path_c[dim] = -cma->path_c[dim];
	cma->path_s[dim] = -cma->path_s[dim];
}

/* The same distribution with coordinate `dim` drawn in: D C D and D L. */
static void narrow(struct mb_cma *cma, size_t dim, double by)
{
	size_t n = cma->dims;

	for (size_t k = 0; k <= dim; k++) {
		cma->cov[dim * n + k] *= by;
		cma->factor[dim * n + k] *= by;
	}
	for (size_t k = dim; k < n; k++)
		cma->cov[k * n + dim] *= by;
	cma->path_c[dim] *= by;
}

void mb_cma_fold(struct mb_cma *cma)
{
	for (size_t i = 0; i < cma->dims; i++) {
		double deviation = cma->sigma * cma->scale[i] * sqrt(cma->cov[i * cma->dims + i]);

		if (deviation > WIDEST)
			narrow(cma, i, WIDEST / deviation);
	}
	for (size_t i = 0; i < cma->dims; i++) {
		double place = fmod(fabs(cma->mean[i]), 2);
		int turned = (cma->mean[i] < 0) != (place > 1);

		cma->mean[i] = place > 1 ? 2 - place : place;
		if (turned)
			mirror(cma, i);
	}
}

void mb_cma_margin(struct mb_cma *cma, size_t dim, double low, double high, double alpha)
{
	double deviation = cma->sigma * cma->scale[dim] * sqrt(cma->cov[dim * cma->dims + dim]);
	double below = mb_normal_cdf((low - cma->mean[dim]) / deviation);
	double above = mb_normal_cdf((cma->mean[dim] - high) / deviation), inside = 1 - below - above, rest, more;
	double z_below, z_above, wanted;

	if (below >= alpha / 2 && above >= alpha / 2)
		return;
	below = fmax(below, alpha / 2);
	above = fmax(above, alpha / 2);
	rest = 1 - below - above - inside;
	more = rest / (below + above + inside - 3 * alpha / 2);
	below += more * (below - alpha / 2);
	above += more * (above - alpha / 2);
	z_below = -mb_normal_quantile(below);
	z_above = -mb_normal_quantile(above);
	cma->mean[dim] = (low * z_above + high * z_below) / (z_below + z_above);
	wanted = (high - low) / (z_below + z_above);
	cma->scale[dim] *= wanted / deviation;
}

/* ---- the end ---- */

static int by_value(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

static double median(const double *at, size_t n)
{
	double *sorted = mb_alloc(n * sizeof *sorted), middle;

	memcpy(sorted, at, n * sizeof *at);
	qsort(sorted, n, sizeof *sorted, by_value);
	middle = sorted[n / 2];
	free(sorted);
	return middle;
}

/* Neither the best nor the middle values of the newest 30 % are better than those of the oldest. */
static int stagnates(const struct mb_cma *cma)
{
	size_t wait = 120 + 30 * cma->dims / cma->lambda, n = cma->generation < 20000 ? cma->generation : 20000, part;
	const double *best = cma->best + cma->generation - n, *middle = cma->middle + cma->generation - n;

	if (cma->generation < wait || cma->generation % 16)
		return 0;
	part = n * 3 / 10;
	return median(best + n - part, part) >= median(best, part) && median(middle + n - part, part) >= median(middle, part);
}

static double range(const double *at, size_t n)
{
	double low = at[0], high = at[0];

	for (size_t i = 1; i < n; i++) {
		low = fmin(low, at[i]);
		high = fmax(high, at[i]);
	}
	return high - low;
}

const char *mb_cma_stopped(const struct mb_cma *cma)
{
	size_t n = cma->dims, window = 10 + 30 * n / cma->lambda;
	double least = INFINITY, most = 0, widest = 0;

	if (cma->broken)
		return "conditioncov";
	for (size_t i = 0; i < n; i++) {
		double axis = cma->factor[i * n + i], deviation = cma->sigma * cma->scale[i] * sqrt(cma->cov[i * n + i]);

		least = fmin(least, axis);
		most = fmax(most, axis);
		widest = fmax(widest, fmax(deviation, cma->sigma * fabs(cma->path_c[i])));
	}
	if (most > 1e7 * least)
		return "conditioncov";
	if (widest < 1e-12 * cma->first_sigma)
		return "tolx";
	if (widest > 1e4 * cma->first_sigma)
		return "tolxup";
	if (cma->generation >= window &&
	    !(range(cma->best + cma->generation - window, window) > fmin(FLAT * cma->spread, MOST_FLAT)))
		return "tolfun";
	return stagnates(cma) ? "stagnation" : NULL;
}
