/* SPDX-License-Identifier: MIT
 *
 * Where the chain of feasible.c starts: projections onto one constraint after the other, ints and grids as if they
 * were continuous; then these are rounded, and walked towards feasibility by single steps and by pairs of them.
 */
#include <math.h>
#include <string.h>

#include "data/feasible.h"
#include "data/param.h"

enum { SWEEPS = 2000, CLIMBS = 200 };

/* As a share of a constraint's spread, how far inside it the start is tried first: a chain leaves a corner slowly. */
static const double margins[] = {0.1, 0.02, 1e-3, 1e-5, 1e-8, 0};

static int is_discrete(const struct mb_param *param)
{
	return param->values || param->type == MB_PARAM_INT;
}

static double ends(const struct mb_param *param, double *low)
{
	*low = param->values ? param->min : mb_param_real(param, 0);
	return param->values ? param->max : mb_param_real(param, 1);
}

/* Onto the half-space, shortest in units of the ranges; 1 when the point was outside. */
static int project_one(const struct mb_feasible *feasible, size_t k, double margin, int discrete_too, double *x)
{
	const struct mb_constraint *constraint = &feasible->space->constraints[k];
	const double *weight = feasible->weights + k * feasible->n_bound;
	double total = 0, square = 0, size = fabs(constraint->threshold), over;

	for (size_t j = 0; j < feasible->n_bound; j++) {
		const struct mb_param *param = mb_feasible_param(feasible, j);
		double low, width = weight[j] * (ends(param, &low) - low);

		total += weight[j] * x[j];
		size += fabs(weight[j] * x[j]);
		square += discrete_too || !is_discrete(param) ? width * width : 0;
	}
	over = constraint->at_least ? total - constraint->threshold : constraint->threshold - total;
	over -= margin * feasible->spread[k];
	if (over >= -1e-15 * size)
		return 0;
	for (size_t j = 0; j < feasible->n_bound && square > 0; j++) {
		const struct mb_param *param = mb_feasible_param(feasible, j);
		double low, high = ends(param, &low), width = high - low;

		if (discrete_too || !is_discrete(param))
			x[j] -= (constraint->at_least ? over : -over) * weight[j] * width * width / square;
		x[j] = fmin(fmax(x[j], low), high);
	}
	return 1;
}

static void project_all(const struct mb_feasible *feasible, double margin, int discrete_too, int sweeps, double *x)
{
	for (int sweep = 0, moved = 1; sweep < sweeps && moved; sweep++) {
		moved = 0;
		for (size_t k = 0; k < feasible->space->n_constraints; k++)
			moved |= project_one(feasible, k, margin, discrete_too, x);
	}
}

/* The coordinate of the value nearest to x. */
static double nearest(const struct mb_param *param, double x)
{
	double best = INFINITY, u = 0;

	if (!param->values)
		return mb_param_real_share(param, param->type == MB_PARAM_INT ? floor(x + 0.5) : x);
	for (size_t i = 0; i < param->n_values; i++) {
		double middle = mb_cell_middle(i, param->n_values), away = fabs(mb_param_number(param, middle) - x);

		if (away < best) {
			best = away;
			u = middle;
		}
	}
	return u;
}

/* u from x, and x as rounded. */
static double settle(const struct mb_feasible *feasible, double *x, double *u)
{
	for (size_t j = 0; j < feasible->n_bound; j++) {
		const struct mb_param *param = mb_feasible_param(feasible, j);

		u[j] = nearest(param, x[j]);
		if (is_discrete(param))
			x[j] = mb_param_number(param, u[j]);
	}
	return mb_feasible_broken(feasible, u);
}

/* The value `by` steps on; itself at the end of the range. */
static double neighbour(const struct mb_param *param, double u, int by)
{
	double at;

	if (!param->values)
		return fmin(fmax(mb_param_number(param, u) + by, param->min), param->max);
	at = (double)mb_cell(u, param->n_values) + by;
	at = fmin(fmax(at, 0), (double)param->n_values - 1);
	return mb_param_number(param, mb_cell_middle((uint64_t)at, param->n_values));
}

/* How broken it is with discrete i and j a step on and the continuous projected anew; x and u become that when it is
 * better. */
static int try_step(const struct mb_feasible *feasible, size_t i, int by_i, size_t j, int by_j, double *broken, double *x,
		    double *u)
{
	size_t n = feasible->n_bound;
	double *to = feasible->scratch + 2 * n, *to_u = feasible->scratch + 3 * n, now;

	memcpy(to, x, n * sizeof *x);
	to[i] = neighbour(mb_feasible_param(feasible, i), u[i], by_i);
	if (j != i)
		to[j] = neighbour(mb_feasible_param(feasible, j), u[j], by_j);
	project_all(feasible, 0, 0, 20, to);
	now = settle(feasible, to, to_u);
	if (!(now < *broken))
		return 0;
	*broken = now;
	memcpy(x, to, n * sizeof *x);
	memcpy(u, to_u, n * sizeof *u);
	return 1;
}

/* One better step, single ones first. */
static int climb(const struct mb_feasible *feasible, double *broken, double *x, double *u)
{
	size_t n = feasible->n_bound;

	for (int pairs = 0; pairs < 2; pairs++)
		for (size_t i = 0; i < n; i++)
			for (size_t j = pairs ? i + 1 : i; j < (pairs ? n : i + 1); j++) {
				if (!is_discrete(mb_feasible_param(feasible, i)) ||
				    !is_discrete(mb_feasible_param(feasible, j)))
					continue;
				for (int sign = 0; sign < 4; sign++)
					if (try_step(feasible, i, sign & 1 ? 1 : -1, j, sign & 2 ? 1 : -1, broken, x, u))
						return 1;
			}
	return 0;
}

int mb_feasible_project(struct mb_feasible *feasible, struct mb_rng *rng, double *u)
{
	size_t n = feasible->n_bound;
	double *x = feasible->scratch + n, broken;

	for (size_t margin = 0; margin < MB_COUNT(margins); margin++) {
		for (size_t j = 0; j < n; j++)
			x[j] = mb_param_number(mb_feasible_param(feasible, j), mb_rng_unit(rng));
		project_all(feasible, margins[margin], 1, SWEEPS, x);
		broken = settle(feasible, x, u);
		if (broken > 0) {
			project_all(feasible, margins[margin], 0, SWEEPS, x);
			broken = settle(feasible, x, u);
		}
		for (int i = 0; i < CLIMBS && broken > 0 && climb(feasible, &broken, x, u); i++)
			continue;
		if (broken == 0)
			return 0;
	}
	return -1;
}
