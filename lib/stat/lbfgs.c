/* SPDX-License-Identifier: MIT */
#include "stat/lbfgs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "stat/linalg.h"

enum { MEMORY = 8, MOST_CUTS = 12 };

#define ARMIJO 1e-4
#define SMALL_GRADIENT 1e-5
#define SMALL_GAIN 1e-9 /* of |f| + 1 */

struct state {
	size_t n, pairs; /* pairs: how many updates were kept so far; the last MEMORY count */
	double *step, *change; /* MEMORY × n: of x, of the gradient */
	double curvature[MEMORY]; /* step · change */
	double *x, *gradient, *direction, *next, *next_gradient;
	unsigned char *free;
	double *block;
};

static void state_init(struct state *state, size_t n)
{
	double *at = state->block = mb_alloc((2 * MEMORY + 5) * n * sizeof *at);

	state->n = n;
	state->pairs = 0;
	state->step = at;
	state->change = at + MEMORY * n;
	at += 2 * MEMORY * n;
	state->x = at;
	state->gradient = at + n;
	state->direction = at + 2 * n;
	state->next = at + 3 * n;
	state->next_gradient = at + 4 * n;
	state->free = mb_alloc(n);
}

/* Free is what the gradient does not push against a wall; the largest of its components there. */
static double find_free(struct state *state, const double *low, const double *high)
{
	double most = 0;

	for (size_t i = 0; i < state->n; i++) {
		double g = state->gradient[i];

		state->free[i] = !((state->x[i] <= low[i] && g > 0) || (state->x[i] >= high[i] && g < 0));
		if (state->free[i] && fabs(g) > most)
			most = fabs(g);
	}
	return most;
}

/* direction = -H gradient over the free variables. */
static void find_direction(struct state *state)
{
	size_t n = state->n, kept = state->pairs < MEMORY ? state->pairs : MEMORY;
	double *d = state->direction, weight[MEMORY], scale = 1;

	for (size_t i = 0; i < n; i++)
		d[i] = state->free[i] ? -state->gradient[i] : 0;
	for (size_t age = 1; age <= kept; age++) {
		size_t at = (state->pairs - age) % MEMORY;

		weight[at] = mb_dot(state->step + at * n, d, n) / state->curvature[at];
		for (size_t i = 0; i < n; i++)
			d[i] -= weight[at] * state->change[at * n + i];
	}
	if (kept) {
		size_t last = (state->pairs - 1) % MEMORY;

		scale = state->curvature[last] / mb_dot(state->change + last * n, state->change + last * n, n);
	}
	for (size_t i = 0; i < n; i++)
		d[i] *= scale;
	for (size_t age = kept; age > 0; age--) {
		size_t at = (state->pairs - age) % MEMORY;
		double back = mb_dot(state->change + at * n, d, n) / state->curvature[at];

		for (size_t i = 0; i < n; i++)
			d[i] += (weight[at] - back) * state->step[at * n + i];
	}
	for (size_t i = 0; i < n; i++)
		if (!state->free[i])
			d[i] = 0;
}

/* Downhill, or along the gradient when what was remembered misleads; the first step is at most 1 long. */
static void steer(struct state *state)
{
	double length;

	find_direction(state);
	if (!(mb_dot(state->direction, state->gradient, state->n) < 0)) {
		state->pairs = 0;
		find_direction(state);
	}
	if (state->pairs)
		return;
	length = sqrt(mb_dot(state->direction, state->direction, state->n));
	for (size_t i = 0; length > 1 && i < state->n; i++)
		state->direction[i] /= length;
}

static void keep_pair(struct state *state)
{
	size_t n = state->n, at = state->pairs % MEMORY;
	double *s = state->step + at * n, *y = state->change + at * n;

	for (size_t i = 0; i < n; i++) {
		s[i] = state->next[i] - state->x[i];
		y[i] = state->next_gradient[i] - state->gradient[i];
	}
	state->curvature[at] = mb_dot(s, y, n);
	if (state->curvature[at] > 1e-12 * mb_dot(y, y, n))
		state->pairs++;
}

/* A step along the direction that gains enough; 0 when there is none. */
static int search(struct state *state, mb_objective *objective, void *context, const double *low, const double *high,
		  double *value)
{
	double length = 1;

	for (int cut = 0; cut < MOST_CUTS; cut++, length *= cut < 3 ? 0.5 : 0.2) {
		double slope = 0, next;

		for (size_t i = 0; i < state->n; i++) {
			double to = state->x[i] + length * state->direction[i];

			state->next[i] = to < low[i] ? low[i] : to > high[i] ? high[i] : to;
			slope += state->gradient[i] * (state->next[i] - state->x[i]);
		}
		if (!(slope < 0))
			return 0;
		next = objective(context, state->next, state->next_gradient);
		if (isfinite(next) && next <= *value + ARMIJO * slope) {
			*value = next;
			return 1;
		}
	}
	return 0;
}

double mb_lbfgs(mb_objective *objective, void *context, double *x, const double *low, const double *high, size_t n,
		int iterations)
{
	struct state state;
	double value;

	state_init(&state, n);
	memcpy(state.x, x, n * sizeof *x);
	value = objective(context, state.x, state.gradient);
	for (int i = 0; i < iterations && isfinite(value); i++) {
		double before = value;

		if (find_free(&state, low, high) < SMALL_GRADIENT)
			break;
		steer(&state);
		if (!search(&state, objective, context, low, high, &value)) {
			if (!state.pairs)
				break;
			state.pairs = 0; /* once more along the gradient */
			continue;
		}
		keep_pair(&state);
		memcpy(state.x, state.next, n * sizeof *x);
		memcpy(state.gradient, state.next_gradient, n * sizeof *x);
		if (before - value < SMALL_GAIN * (fabs(value) + 1))
			break;
	}
	memcpy(x, state.x, n * sizeof *x);
	free(state.block);
	free(state.free);
	return isfinite(value) ? value : INFINITY;
}
