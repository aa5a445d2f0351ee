/* SPDX-License-Identifier: MIT */
#include "stat/pareto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

int mb_dominates(const double *a, const double *b, size_t m)
{
	int less = 0;

	for (size_t i = 0; i < m; i++) {
		if (a[i] > b[i])
			return 0;
		less |= a[i] < b[i];
	}
	return less;
}

struct row {
	const double *at;
	size_t index, m;
};

/* By the first objective, ties by the next: nothing later dominates anything earlier. */
static int by_objectives(const void *a, const void *b)
{
	const struct row *left = a, *right = b;

	for (size_t i = 0; i < left->m; i++)
		if (left->at[i] != right->at[i])
			return left->at[i] < right->at[i] ? -1 : 1;
	return left->index < right->index ? -1 : left->index > right->index;
}

static struct row *sorted(const double *points, size_t n, size_t m)
{
	struct row *rows = mb_alloc((n + 1) * sizeof *rows);

	for (size_t i = 0; i < n; i++)
		rows[i] = (struct row){points + i * m, i, m};
	qsort(rows, n, sizeof *rows, by_objectives);
	return rows;
}

/* Fronts while they are found: each is a list of rows, the latest first. */
struct fronts {
	const struct row *rows;
	size_t *last;   /* of each front, its latest row, plus 1 */
	size_t *before; /* of each row, the one before it in its front, plus 1 */
	size_t n, m;
};

static int is_dominated(const struct fronts *fronts, size_t front, size_t row)
{
	for (size_t at = fronts->last[front]; at; at = fronts->before[at - 1])
		if (mb_dominates(fronts->rows[at - 1].at, fronts->rows[row].at, fronts->m))
			return 1;
	return 0;
}

/* The first front that does not dominate the row; all those before it do. */
static size_t front_of(const struct fronts *fronts, size_t row)
{
	size_t low = 0, high = fronts->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (is_dominated(fronts, middle, row))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t mb_pareto_ranks(const double *points, size_t n, size_t m, size_t *rank)
{
	struct row *rows = sorted(points, n, m);
	struct fronts fronts = {rows, mb_alloc((n + 1) * sizeof(size_t)), mb_alloc((n + 1) * sizeof(size_t)), 0, m};

	for (size_t i = 0; i < n; i++) {
		size_t front = front_of(&fronts, i);

		fronts.n += front == fronts.n;
		fronts.before[i] = fronts.last[front];
		fronts.last[front] = i + 1;
		rank[rows[i].index] = front;
	}
	free(fronts.before);
	free(fronts.last);
	free(rows);
	return fronts.n;
}

struct place {
	double value;
	size_t index;
};

static int by_value(const void *a, const void *b)
{
	const struct place *left = a, *right = b;

	if (left->value != right->value)
		return left->value < right->value ? -1 : 1;
	return left->index < right->index ? -1 : left->index > right->index;
}

void mb_pareto_crowding(const double *points, size_t n, size_t m, double *distance)
{
	struct place *places = mb_alloc((n + 1) * sizeof *places);

	memset(distance, 0, n * sizeof *distance);
	for (size_t k = 0; n && k < m; k++) {
		double range;

		for (size_t i = 0; i < n; i++)
			places[i] = (struct place){points[i * m + k], i};
		qsort(places, n, sizeof *places, by_value);
		range = places[n - 1].value - places[0].value;
		distance[places[0].index] = distance[places[n - 1].index] = INFINITY;
		for (size_t i = 1; i + 1 < n && range > 0; i++)
			distance[places[i].index] += (places[i + 1].value - places[i - 1].value) / range;
	}
	free(places);
}

/* ---- hypervolume ---- */

/* Moves the front of the n points to the beginning; of equal points one stays. Returns how many. */
static size_t keep_front(double *points, size_t n, size_t m)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		const double *point = points + i * m;
		int out = 0;

		for (size_t j = 0; j < kept && !out; j++)
			out = mb_dominates(points + j * m, point, m) ||
			      !memcmp(points + j * m, point, m * sizeof *point);
		for (size_t j = i + 1; j < n && !out; j++)
			out = mb_dominates(points + j * m, point, m);
		if (!out)
			memmove(points + kept++ * m, point, m * sizeof *point);
	}
	return kept;
}

static double flat(const struct row *rows, size_t n, const double *reference)
{
	double area = 0, low = reference[1];

	for (size_t i = 0; i < n; i++)
		if (rows[i].at[1] < low) {
			area += (reference[0] - rows[i].at[0]) * (low - rows[i].at[1]);
			low = rows[i].at[1];
		}
	return area;
}

static int by_last_falling(const void *a, const void *b)
{
	const struct row *left = a, *right = b;
	double x = left->at[left->m - 1], y = right->at[right->m - 1];

	if (x != y)
		return x > y ? -1 : 1;
	return left->index < right->index ? -1 : left->index > right->index;
}

static double volume(const double *points, size_t n, size_t m, const double *reference);

/* What rows[i] dominates and no later row does, the last objective left out: later rows are no greater in it. */
static double exclusive(const struct row *rows, size_t i, size_t n, size_t m, const double *reference, double *limited)
{
	double all = 1;
	size_t count = 0;

	for (size_t k = 0; k + 1 < m; k++)
		all *= reference[k] - rows[i].at[k];
	for (size_t j = i + 1; j < n; j++, count++)
		for (size_t k = 0; k + 1 < m; k++)
			limited[count * (m - 1) + k] = fmax(rows[i].at[k], rows[j].at[k]);
	count = keep_front(limited, count, m - 1);
	return all - volume(limited, count, m - 1, reference);
}

/* Of points all below the reference. */
static double volume(const double *points, size_t n, size_t m, const double *reference)
{
	struct row *rows = sorted(points, n, m);
	double sum = 0, *limited;

	if (m == 1) {
		sum = n ? reference[0] - rows[0].at[0] : 0;
	} else if (m == 2) {
		sum = flat(rows, n, reference);
	} else {
		limited = mb_alloc((n + 1) * (m - 1) * sizeof *limited);
		qsort(rows, n, sizeof *rows, by_last_falling);
		for (size_t i = 0; i < n; i++)
			sum += (reference[m - 1] - rows[i].at[m - 1]) * exclusive(rows, i, n, m, reference, limited);
		free(limited);
	}
	free(rows);
	return sum;
}

double mb_hypervolume(const double *points, size_t n, size_t m, const double *reference)
{
	double *below = mb_alloc((n + 1) * m * sizeof *below), sum;
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		int is_below = 1;

		for (size_t k = 0; k < m; k++)
			is_below &= points[i * m + k] < reference[k];
		if (is_below)
			memcpy(below + count++ * m, points + i * m, m * sizeof *below);
	}
	count = keep_front(below, count, m);
	sum = volume(below, count, m, reference);
	free(below);
	return sum;
}

/* Least and greatest of objective k among the points whose rank is at most `most`. */
static double extent(const double *points, size_t n, size_t m, size_t k, const size_t *rank, size_t most, double *worst)
{
	double least = INFINITY;

	*worst = -INFINITY;
	for (size_t i = 0; i < n; i++)
		if (rank[i] <= most) {
			least = fmin(least, points[i * m + k]);
			*worst = fmax(*worst, points[i * m + k]);
		}
	return *worst - least;
}

void mb_pareto_reference(const double *points, size_t n, size_t m, const double *given, double *reference)
{
	size_t *rank = mb_alloc(n * sizeof *rank);

	mb_pareto_ranks(points, n, m, rank);
	for (size_t k = 0; k < m; k++) {
		double worst, most, unused, range = extent(points, n, m, k, rank, 0, &worst);

		if (!(range > 0))
			range = extent(points, n, m, k, rank, n, &unused);
		extent(points, n, m, k, rank, n, &most);
		reference[k] = fmax(worst + 0.1 * (range > 0 ? range : 1), most);
		if (!isnan(given[k]))
			reference[k] = given[k];
	}
	free(rank);
}
