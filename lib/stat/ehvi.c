/* SPDX-License-Identifier: MIT */
#include "stat/ehvi.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "stat/ei.h"
#include "stat/pareto.h"

/* A local upper bound: what is below it is undominated, and no greater bound is so. Point k of `from` touches it in
 * objective k. */
struct bound {
	double at[MB_PARETO_MOST];
	double from[MB_PARETO_MOST][MB_PARETO_MOST];
};

struct bounds {
	struct bound *at;
	size_t n, cap, m;
};

static int is_below(const double *point, const double *bound, size_t m)
{
	for (size_t k = 0; k < m; k++)
		if (!(point[k] < bound[k]))
			return 0;
	return 1;
}

/* The greatest of objective j among the points that touch the bound in the others. */
static double greatest(const struct bound *bound, size_t j, size_t m)
{
	double most = -INFINITY;

	for (size_t k = 0; k < m; k++)
		if (k != j)
			most = fmax(most, bound->from[k][j]);
	return most;
}

/* Cuts away what the point dominates. */
static void add_point(struct bounds *bounds, const double *point)
{
	size_t m = bounds->m, n = bounds->n, kept = 0;
	struct bound *cut = mb_alloc((n + 1) * sizeof *cut);
	size_t n_cut = 0;

	for (size_t i = 0; i < n; i++)
		if (is_below(point, bounds->at[i].at, m))
			cut[n_cut++] = bounds->at[i];
		else
			bounds->at[kept++] = bounds->at[i];
	bounds->n = kept;
	for (size_t i = 0; i < n_cut; i++)
		for (size_t j = 0; j < m; j++) {
			struct bound next = cut[i];

			if (!(point[j] >= greatest(&cut[i], j, m)))
				continue;
			next.at[j] = point[j];
			memcpy(next.from[j], point, m * sizeof *point);
			MB_PUSH(bounds->at, bounds->n, bounds->cap, next);
		}
	free(cut);
}

/* The bound's own part: in objective j above what touches it in those before. */
static void add_box(struct mb_boxes *boxes, const struct bound *bound)
{
	size_t m = boxes->m;
	double *low = boxes->low + boxes->n * m, *high = boxes->high + boxes->n * m;

	for (size_t j = 0; j < m; j++) {
		low[j] = -INFINITY;
		high[j] = bound->at[j];
		for (size_t k = 0; k < j; k++)
			low[j] = fmax(low[j], bound->from[k][j]);
		if (!(low[j] < high[j]))
			return;
	}
	boxes->n++;
}

void mb_boxes_init(struct mb_boxes *boxes, const double *points, size_t n, size_t m, const double *reference)
{
	struct bounds bounds = {.m = m};
	size_t *rank = mb_alloc((n + 1) * sizeof *rank);
	struct bound all;

	for (size_t k = 0; k < m; k++)
		for (size_t j = 0; j < m; j++)
			all.from[k][j] = j == k ? reference[k] : -INFINITY;
	memcpy(all.at, reference, m * sizeof *reference);
	MB_PUSH(bounds.at, bounds.n, bounds.cap, all);
	mb_pareto_ranks(points, n, m, rank);
	for (size_t i = 0; i < n; i++)
		if (rank[i] == 0)
			add_point(&bounds, points + i * m);
	*boxes = (struct mb_boxes){.m = m,
				   .low = mb_alloc(bounds.n * m * sizeof(double)),
				   .high = mb_alloc(bounds.n * m * sizeof(double))};
	for (size_t i = 0; i < bounds.n; i++)
		add_box(boxes, &bounds.at[i]);
	free(bounds.at);
	free(rank);
}

void mb_boxes_release(struct mb_boxes *boxes)
{
	free(boxes->low);
	free(boxes->high);
	*boxes = (struct mb_boxes){0};
}

/* log E[(high - max(y, low))+] = log(EI(high) - EI(low)) */
static double log_side(double mean, double sd, double low, double high)
{
	double upper = mb_log_ei(mean, sd, high), lower;

	if (isinf(low))
		return upper;
	lower = mb_log_ei(mean, sd, low);
	return lower < upper ? upper + log(-expm1(lower - upper)) : -INFINITY;
}

double mb_log_ehvi(const struct mb_boxes *boxes, const double *mean, const double *sd)
{
	double most = -INFINITY, sum = 0;

	for (size_t i = 0; i < boxes->n; i++) {
		double part = 0;

		for (size_t k = 0; k < boxes->m; k++)
			part += log_side(mean[k], sd[k], boxes->low[i * boxes->m + k], boxes->high[i * boxes->m + k]);
		if (isinf(part) || isnan(part))
			continue;
		if (part > most) {
			sum = sum * exp(most - part) + 1;
			most = part;
		} else {
			sum += exp(part - most);
		}
	}
	return sum > 0 ? most + log(sum) : -INFINITY;
}
