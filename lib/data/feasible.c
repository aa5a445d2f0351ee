/* SPDX-License-Identifier: MIT
 *
 * The chain. Where it starts is feasible_start.c's.
 */
#include "data/feasible.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/param.h"

enum { TRIES = 200, FAIR = 20, MOST_TRIES = 10000, STARTS = 20, SHRINKS = 200, NEAR_STEPS = 8 };

/* ---- what is bound ---- */

static void find_bound(struct mb_feasible *feasible)
{
	const struct mb_space *space = feasible->space;
	unsigned char *is_bound = mb_alloc(space->n_params + 1);

	for (size_t k = 0; k < space->n_constraints; k++)
		for (size_t i = 0; i < space->constraints[k].n_terms; i++)
			is_bound[space->constraints[k].terms[i].param] = 1;
	feasible->bound = mb_alloc((space->n_params + 1) * sizeof *feasible->bound);
	for (size_t i = 0; i < space->n_params; i++)
		if (is_bound[i])
			feasible->bound[feasible->n_bound++] = i;
	free(is_bound);
}

static void carve(struct mb_feasible *feasible)
{
	size_t n = feasible->n_bound, k = feasible->space->n_constraints;
	double *at = feasible->block = mb_alloc((8 * n + 2 * k * n + k + 1) * sizeof *at);

	feasible->u = at;
	feasible->width = at += n;
	feasible->weights = at += n;
	feasible->spread = at += k * n;
	feasible->basis = at += k;
	feasible->scratch = at + k * n;
}

static void weigh(struct mb_feasible *feasible)
{
	const struct mb_space *space = feasible->space;
	size_t n = feasible->n_bound;

	for (size_t j = 0; j < n; j++) {
		const struct mb_param *param = mb_feasible_param(feasible, j);

		feasible->width[j] = param->values ? 0 : mb_param_real(param, 1) - mb_param_real(param, 0);
		for (size_t k = 0; k < space->n_constraints; k++)
			for (size_t i = 0; i < space->constraints[k].n_terms; i++)
				if (space->constraints[k].terms[i].param == feasible->bound[j]) {
					feasible->weights[k * n + j] = space->constraints[k].terms[i].weight;
					feasible->spread[k] += fabs(space->constraints[k].terms[i].weight) *
							       (param->max - param->min);
				}
	}
}

double mb_feasible_broken(const struct mb_feasible *feasible, const double *u)
{
	const struct mb_space *space = feasible->space;
	size_t n = feasible->n_bound;
	double broken = 0, *value = feasible->scratch;

	for (size_t j = 0; j < n; j++)
		value[j] = mb_param_number(mb_feasible_param(feasible, j), u[j]);
	for (size_t k = 0; k < space->n_constraints; k++) {
		const struct mb_constraint *constraint = &space->constraints[k];
		double total = 0, size = fabs(constraint->threshold), over;

		for (size_t j = 0; j < n; j++) {
			double part = feasible->weights[k * n + j] * value[j];

			total += part;
			size += fabs(part);
		}
		over = constraint->at_least ? constraint->threshold - total : total - constraint->threshold;
		if (!(over <= 0.5e-12 * size)) /* half of what space.c forgives: it adds up in another order */
			broken += over / (feasible->spread[k] > 0 ? feasible->spread[k] : 1);
	}
	return broken;
}

static int holds(const struct mb_feasible *feasible, const double *u)
{
	for (size_t j = 0; j < feasible->n_bound; j++)
		if (!(u[j] >= 0 && u[j] <= 1))
			return 0;
	return mb_feasible_broken(feasible, u) == 0;
}

/* ---- lines ---- */

struct line {
	int in_values;           /* else in coordinates */
	const double *direction; /* n_bound; 0: that one stays */
};

static void place(const struct mb_feasible *feasible, const struct line *line, const double *from, double t, double *u)
{
	for (size_t j = 0; j < feasible->n_bound; j++) {
		const struct mb_param *param = mb_feasible_param(feasible, j);

		u[j] = from[j];
		if (line->direction[j] != 0 && line->in_values)
			u[j] = mb_param_real_share(param, mb_param_real(param, from[j]) + t * line->direction[j]);
		else if (line->direction[j] != 0)
			u[j] += t * line->direction[j];
	}
}

/* Log of how many coordinates there are to a step of the line: uniform is meant in coordinates. */
static double density(const struct mb_feasible *feasible, const struct line *line, const double *u)
{
	enum { FACTOR = 1000000 };
	double sum = 0;

	for (size_t j = 0; line->in_values && j < feasible->n_bound; j++) {
		const struct mb_param *param = mb_feasible_param(feasible, j);
		double at, step, low;

		if (line->direction[j] == 0 || (!param->log && param->prior.kind == MB_PRIOR_NONE))
			continue;
		at = mb_param_real(param, u[j]);
		if (param->prior.kind == MB_PRIOR_NONE) {
			sum -= log(at);
			continue;
		}
		step = fmax(feasible->width[j], fabs(at)) / FACTOR;
		low = param->log ? fmax(at - step, at / 2) : at - step;
		sum += log(fmax(mb_param_real_share(param, at + step) - mb_param_real_share(param, low), 1e-300));
		sum -= log(at + step - low);
	}
	return sum;
}

/* The part of the line within the cube, t from *low to *high about 0, and no farther than reach. */
static void chord(const struct mb_feasible *feasible, const struct line *line, const double *u, double reach, double *low,
		  double *high)
{
	*low = -INFINITY;
	*high = INFINITY;
	for (size_t j = 0; j < feasible->n_bound; j++) {
		const struct mb_param *param = mb_feasible_param(feasible, j);
		double step = line->direction[j], at = u[j], from = 0, to = 1, most;

		if (step == 0)
			continue;
		if (line->in_values) {
			at = mb_param_real(param, u[j]);
			from = mb_param_real(param, 0);
			to = mb_param_real(param, 1);
		}
		most = reach * (to - from) / fabs(step);
		*high = fmin(*high, fmin(most, (step > 0 ? to - at : from - at) / step));
		*low = fmax(*low, fmax(-most, (step > 0 ? from - at : to - at) / step));
	}
}

/* A step of slice sampling along the line: what is refused shrinks it about where we are. */
static void slide(struct mb_feasible *feasible, struct mb_rng *rng, const struct line *line, double reach, double *u)
{
	double low, high, *to = feasible->scratch + 3 * feasible->n_bound;
	double level = density(feasible, line, u) + log(1 - mb_rng_unit(rng));

	chord(feasible, line, u, reach, &low, &high);
	for (int shrink = 0; shrink < SHRINKS && high > low; shrink++) {
		double t = low + mb_rng_unit(rng) * (high - low);

		place(feasible, line, u, t, to);
		if (holds(feasible, to) && density(feasible, line, to) >= level) {
			memcpy(u, to, feasible->n_bound * sizeof *u);
			return;
		}
		if (t < 0)
			low = t;
		else
			high = t;
	}
}

/* ---- directions, drawn without a look at where we are ---- */

/* The ranges that move: all, or two, which is what ints in an equation can do. */
static void choose(const struct mb_feasible *feasible, struct mb_rng *rng, double *direction)
{
	size_t n = feasible->n_bound;
	int two = mb_rng_below(rng, 2);

	for (size_t j = 0; j < n; j++)
		direction[j] = feasible->width[j] > 0 && !two ? mb_rng_normal(rng) : 0;
	for (int i = 0; i < 2 && two; i++) {
		size_t j = mb_rng_below(rng, n);

		direction[j] = feasible->width[j] > 0 ? mb_rng_normal(rng) : 0;
	}
}

/* Takes from the direction, in units of the widths, what some of the constraints would notice: Gram and Schmidt. */
static void flatten(struct mb_feasible *feasible, struct mb_rng *rng, double *direction)
{
	size_t n = feasible->n_bound, kept = 0;

	for (size_t k = 0; k < feasible->space->n_constraints; k++) {
		double *row = feasible->basis + kept * n, length = 0, whole = 0;

		if (mb_rng_below(rng, 2))
			continue;
		for (size_t j = 0; j < n; j++) {
			row[j] = direction[j] != 0 ? feasible->weights[k * n + j] * feasible->width[j] : 0;
			whole += row[j] * row[j];
		}
		for (size_t i = 0; i < kept; i++) {
			const double *other = feasible->basis + i * n;
			double share = 0;

			for (size_t j = 0; j < n; j++)
				share += row[j] * other[j];
			for (size_t j = 0; j < n; j++)
				row[j] -= share * other[j];
		}
		for (size_t j = 0; j < n; j++)
			length += row[j] * row[j];
		if (!(length > 1e-18 * whole))
			continue;
		for (size_t j = 0; j < n; j++)
			row[j] /= sqrt(length);
		kept++;
	}
	for (size_t i = 0; i < kept; i++) {
		const double *row = feasible->basis + i * n;
		double share = 0;

		for (size_t j = 0; j < n; j++)
			share += direction[j] * row[j];
		for (size_t j = 0; j < n; j++)
			direction[j] -= share * row[j];
	}
	for (size_t j = 0; j < n; j++)
		direction[j] = fabs(direction[j]) > 1e-9 ? direction[j] * feasible->width[j] : 0;
}

/* One or two of the bound anew: what a grid can do. */
static void redraw(struct mb_feasible *feasible, struct mb_rng *rng, double *u)
{
	double *to = feasible->scratch + 3 * feasible->n_bound;
	int count = 1 + (int)mb_rng_below(rng, 2);

	memcpy(to, u, feasible->n_bound * sizeof *u);
	for (int i = 0; i < count; i++)
		to[mb_rng_below(rng, feasible->n_bound)] = mb_rng_unit(rng);
	if (holds(feasible, to))
		memcpy(u, to, feasible->n_bound * sizeof *u);
}

static void step(struct mb_feasible *feasible, struct mb_rng *rng, double reach, double *u)
{
	double *direction = feasible->scratch + 4 * feasible->n_bound;
	struct line line = {.direction = direction};
	uint64_t kind = mb_rng_below(rng, 8);

	if (kind == 0 && reach >= 1) {
		redraw(feasible, rng, u);
		return;
	}
	choose(feasible, rng, direction);
	line.in_values = kind >= 4;
	if (line.in_values)
		flatten(feasible, rng, direction);
	slide(feasible, rng, &line, reach, u);
}

/* ---- the face ---- */

static void draw_uniform(const struct mb_feasible *feasible, struct mb_rng *rng, double *u)
{
	for (size_t j = 0; j < feasible->n_bound; j++)
		u[j] = mb_rng_unit(rng);
}

int mb_feasible_init(struct mb_feasible *feasible, const struct mb_space *space, struct mb_rng *rng)
{
	double *trial;
	int found = 0;

	*feasible = (struct mb_feasible){.space = space};
	find_bound(feasible);
	carve(feasible);
	weigh(feasible);
	trial = feasible->scratch + 5 * feasible->n_bound;
	for (int i = 0; i < TRIES; i++) {
		draw_uniform(feasible, rng, trial);
		if (holds(feasible, trial) && !found++)
			memcpy(feasible->u, trial, feasible->n_bound * sizeof *trial);
	}
	feasible->rejects = found >= FAIR;
	for (int start = 0; start < STARTS && !found; start++)
		found = mb_feasible_project(feasible, rng, feasible->u) == 0;
	for (size_t i = 0; found && !feasible->rejects && i < 100 + 10 * feasible->n_bound; i++)
		step(feasible, rng, 1, feasible->u);
	return found ? 0 : -1;
}

void mb_feasible_draw(struct mb_feasible *feasible, struct mb_rng *rng, double *u)
{
	size_t dims = mb_space_dims(feasible->space), first = feasible->space->n_conditionals;

	for (size_t i = 0; i < dims; i++)
		u[i] = mb_rng_unit(rng);
	if (feasible->rejects)
		for (int i = 0; i < MOST_TRIES; i++) {
			draw_uniform(feasible, rng, feasible->u);
			if (holds(feasible, feasible->u))
				break;
		}
	else
		for (size_t i = 0; i < 5 + 2 * feasible->n_bound; i++)
			step(feasible, rng, 1, feasible->u);
	for (size_t j = 0; j < feasible->n_bound; j++)
		u[first + feasible->bound[j]] = feasible->u[j];
}

void mb_feasible_near(struct mb_feasible *feasible, struct mb_rng *rng, double reach, double *u)
{
	double *at = feasible->scratch + 5 * feasible->n_bound;
	size_t first = feasible->space->n_conditionals;

	for (size_t j = 0; j < feasible->n_bound; j++)
		at[j] = u[first + feasible->bound[j]];
	if (!feasible->n_bound || !holds(feasible, at))
		return;
	for (int i = 0; i < NEAR_STEPS; i++)
		step(feasible, rng, reach, at);
	for (size_t j = 0; j < feasible->n_bound; j++)
		u[first + feasible->bound[j]] = at[j];
}

void mb_feasible_release(struct mb_feasible *feasible)
{
	free(feasible->bound);
	free(feasible->block);
	*feasible = (struct mb_feasible){0};
}
