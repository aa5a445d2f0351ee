/* SPDX-License-Identifier: MIT */
#include "stat/parzen.h"

#include <math.h>
#include <stdlib.h>

enum { FULL = 25 };                /* newest points that count fully */
#define WIDEST 0.2                 /* bandwidth at n = 1 */
#define LOG_SQRT_2PI 0.91893853320467274178
#define PRIOR_WEIGHT 1.0
#define NOTHING 45 /* exp(-45) is lost beside 1, even a thousand times */

static void set_weights(struct mb_parzen *parzen)
{
	size_t old = parzen->n > FULL ? parzen->n - FULL : 0;
	double total = PRIOR_WEIGHT;

	for (size_t k = 0; k < parzen->n; k++) {
		/* from 1 / n to 1, evenly */
		double share = k < old ? (old > 1 ? (double)k / (double)(old - 1) : 0) : 1;

		parzen->weight[k] = share + (1 - share) / (double)parzen->n;
		total += parzen->weight[k];
	}
	parzen->weight[parzen->n] = PRIOR_WEIGHT;
	for (size_t k = 0; k <= parzen->n; k++) {
		parzen->weight[k] /= total;
		parzen->log_weight[k] = log(parzen->weight[k]);
	}
}

static void set_number(struct mb_parzen *parzen, size_t dim, size_t have)
{
	double *middle = &parzen->middle[dim * parzen->n], *precision = &parzen->precision[dim * parzen->n];
	double *offset = &parzen->offset[dim * parzen->n];
	double width = WIDEST * pow((double)(have ? have : 1), -1.0 / (double)(parzen->dims + 4));
	double least = 1 / (have + 2 < 100 ? (double)have + 2 : 100);

	width = width > least ? width : least;
	parzen->width[dim] = width;
	for (size_t k = 0; k < parzen->n; k++) {
		if (isnan(middle[k]))
			continue;
		precision[k] = 1 / width;
		offset[k] = -LOG_SQRT_2PI - log(width * mb_normal_between(-middle[k] / width, (1 - middle[k]) / width));
	}
}

/* One count for the point's own category and one shared by all. */
static void set_category(struct mb_parzen *parzen, size_t dim, size_t have)
{
	double *middle = &parzen->middle[dim * parzen->n], *offset = &parzen->offset[dim * parzen->n];
	double categories = (double)parzen->categories[dim], counts = (double)have + 1;

	parzen->width[dim] = log(1 + counts);
	for (size_t k = 0; k < parzen->n; k++) {
		if (isnan(middle[k]))
			offset[k] = -log(categories);
		else
			offset[k] = log(1 / counts / (1 + categories / counts));
	}
}

void mb_parzen_init(struct mb_parzen *parzen, size_t dims, const size_t *categories, const double *const *rows,
		    size_t n)
{
	size_t cells = dims * n;

	*parzen = (struct mb_parzen){.n = n, .dims = dims, .categories = categories};
	parzen->block = mb_alloc((3 * cells + 3 * n + 2 + dims) * sizeof *parzen->block);
	parzen->middle = parzen->block;
	parzen->precision = parzen->middle + cells;
	parzen->offset = parzen->precision + cells;
	parzen->weight = parzen->offset + cells;
	parzen->log_weight = parzen->weight + n + 1;
	parzen->sum = parzen->log_weight + n + 1;
	parzen->width = parzen->sum + n;
	set_weights(parzen);
	for (size_t dim = 0; dim < dims; dim++) {
		size_t have = 0;

		for (size_t k = 0; k < n; k++) {
			parzen->middle[dim * n + k] = rows[k][dim];
			have += !isnan(rows[k][dim]);
		}
		if (categories[dim])
			set_category(parzen, dim, have);
		else
			set_number(parzen, dim, have);
	}
}

static double below_one(double u)
{
	return u < 1 ? u : 1 - 0x1p-53;
}

static double draw_category(const struct mb_parzen *parzen, size_t dim, double middle, struct mb_rng *rng)
{
	double categories = (double)parzen->categories[dim], u = mb_rng_unit(rng), hit = exp(parzen->width[dim]) - 1;

	/* hit + categories shares in all, those beyond the first `hit` one a category */
	if (isnan(middle))
		return u;
	u *= hit + categories;
	return u < hit ? middle : below_one((u - hit) / categories);
}

void mb_parzen_draw(const struct mb_parzen *parzen, struct mb_rng *rng, double *u)
{
	double pick = mb_rng_unit(rng);
	size_t kernel = 0;

	while (kernel < parzen->n && pick >= parzen->weight[kernel])
		pick -= parzen->weight[kernel++];
	for (size_t dim = 0; dim < parzen->dims; dim++) {
		double middle = kernel < parzen->n ? parzen->middle[dim * parzen->n + kernel] : NAN;
		double width = parzen->width[dim];

		if (parzen->categories[dim])
			u[dim] = draw_category(parzen, dim, middle, rng);
		else if (isnan(middle))
			u[dim] = mb_rng_unit(rng);
		else
			u[dim] = below_one(middle + width * mb_truncated_quantile(-middle / width, (1 - middle) / width,
										  mb_rng_unit(rng)));
		u[dim] = u[dim] > 0 ? u[dim] : 0;
	}
}

static int same_category(const struct mb_parzen *parzen, size_t dim, double a, double b)
{
	double categories = (double)parzen->categories[dim];

	return floor(a * categories) == floor(b * categories); /* NaN: never */
}

double mb_parzen_log(const struct mb_parzen *parzen, const double *u)
{
	double prior = parzen->log_weight[parzen->n], most, total;
	size_t n = parzen->n;

	for (size_t k = 0; k < n; k++)
		parzen->sum[k] = parzen->log_weight[k];
	for (size_t dim = 0; dim < parzen->dims; dim++) {
		const double *middle = &parzen->middle[dim * n], *precision = &parzen->precision[dim * n];
		const double *offset = &parzen->offset[dim * n];

		if (isnan(u[dim]))
			continue;
		if (parzen->categories[dim]) {
			prior -= log((double)parzen->categories[dim]);
			for (size_t k = 0; k < n; k++)
				parzen->sum[k] += offset[k] + (same_category(parzen, dim, u[dim], middle[k])
								       ? parzen->width[dim] : 0);
			continue;
		}
		for (size_t k = 0; k < n; k++) {
			double z = precision[k] > 0 ? (u[dim] - middle[k]) * precision[k] : 0;

			parzen->sum[k] += offset[k] - z * z / 2;
		}
	}
	most = prior;
	for (size_t k = 0; k < n; k++)
		most = parzen->sum[k] > most ? parzen->sum[k] : most;
	total = exp(prior - most);
	for (size_t k = 0; k < n; k++)
		if (parzen->sum[k] > most - NOTHING)
			total += exp(parzen->sum[k] - most);
	return most + log(total);
}

void mb_parzen_release(struct mb_parzen *parzen)
{
	free(parzen->block);
	*parzen = (struct mb_parzen){0};
}
