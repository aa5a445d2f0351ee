/* SPDX-License-Identifier: MIT
 *
 * NSGA-II (K. Deb, A. Pratap, S. Agarwal and T. Meyarivan, "A fast and elitist multiobjective genetic algorithm:
 * NSGA-II", IEEE Trans. Evol. Comput. 6 (2002)) over the log: the population is the best of all that is finished, by
 * constraint- domination, front and crowding distance, and every suggestion is one child of it, so that no trial
 * waits for a generation (steady state: J. J. Durillo, A. J. Nebro, F. Luna and E. Alba, "On the effect of the
 * steady-state selection scheme in multi-objective genetic algorithms", EMO 2009). Numbers are crossed by simulated
 * binary crossover (K. Deb and R. B. Agrawal, Complex Systems 9 (1995)) and mutated by polynomials (Deb and Goyal
 * 1996), within their bounds; categories are taken from either parent and redrawn. An ask costs one sort, however
 * long the log is.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "opt/algorithm.h"
#include "opt/merit.h"

enum {
	LEAST_POPULATION = 20,
	MOST_POPULATION = 100,
	SHARE = 10, /* the population is so much of the budget: short searches need many generations of few */
	NEAR = 32   /* tries along the linear constraints, where children break them */
};

#define CROSSED 0.9       /* of the children */
#define CROSSOVER_INDEX 15
#define MUTATION_INDEX 20

static size_t population_of(const struct mb_experiment *experiment)
{
	int64_t share = experiment->observation_budget / SHARE;

	return share < LEAST_POPULATION ? LEAST_POPULATION : share > MOST_POPULATION ? MOST_POPULATION : (size_t)share;
}

/* Of Deb's two children within [0, 1] one, by chance. */
static double cross_numbers(struct mb_rng *rng, double a, double b)
{
	double low = fmin(a, b), high = fmax(a, b), gap = high - low, q = mb_rng_unit(rng);
	int lower = (int)mb_rng_below(rng, 2);
	double room = lower ? low : 1 - high, alpha, spread;

	if (gap < 1e-14)
		return a;
	alpha = 2 - pow(1 + 2 * room / gap, -(CROSSOVER_INDEX + 1.0));
	spread = q <= 1 / alpha ? pow(q * alpha, 1 / (CROSSOVER_INDEX + 1.0))
				: pow(1 / (2 - q * alpha), 1 / (CROSSOVER_INDEX + 1.0));
	return 0.5 * (lower ? low + high - spread * gap : low + high + spread * gap);
}

static double mutate_number(struct mb_rng *rng, double u)
{
	double q = mb_rng_unit(rng), power = MUTATION_INDEX + 1.0;

	if (q < 0.5)
		return u + pow(2 * q + (1 - 2 * q) * pow(1 - u, power), 1 / power) - 1;
	return u + 1 - pow(2 * (1 - q) + (2 * q - 1) * pow(u, power), 1 / power);
}

static int is_category(const struct mb_space *space, size_t dim)
{
	return dim < space->n_conditionals || space->params[dim - space->n_conditionals].type == MB_PARAM_CATEGORICAL;
}

/* What neither parent has (NaN, inactive) is drawn, in case the child has it. */
static void breed(const struct mb_space *space, struct mb_rng *rng, const double *a, const double *b, double *child)
{
	size_t dims = mb_space_dims(space);
	int crossed = mb_rng_unit(rng) < CROSSED;

	for (size_t i = 0; i < dims; i++) {
		const double *one = mb_rng_below(rng, 2) ? a : b, *other = one == a ? b : a;
		int mutated = mb_rng_unit(rng) * (double)dims < 1;

		if (!crossed)
			one = a, other = a;
		child[i] = isnan(one[i]) ? other[i] : one[i];
		if (isnan(child[i]) || (mutated && is_category(space, i))) {
			child[i] = mb_rng_unit(rng);
			continue;
		}
		if (is_category(space, i))
			continue;
		if (crossed && !isnan(a[i]) && !isnan(b[i]) && mb_rng_below(rng, 2))
			child[i] = cross_numbers(rng, a[i], b[i]);
		if (mutated)
			child[i] = mutate_number(rng, child[i]);
		child[i] = fmin(fmax(child[i], 0), 1);
	}
}

/* The better of two drawn: they stand in order. */
static size_t tournament(struct mb_rng *rng, size_t n)
{
	size_t a = mb_rng_below(rng, n), b = mb_rng_below(rng, n);

	return a < b ? a : b;
}

static json_t *take(const struct mb_history *history, const double *u)
{
	json_t *point = mb_space_point(&history->experiment->space, u);

	if (mb_ask_takes(history, point))
		return point;
	json_decref(point);
	return NULL;
}

/* Variants of parents along the linear constraints, where these leave so little that children miss it. */
static json_t *walk(const struct mb_history *history, struct mb_rng *rng, const size_t *order, size_t n, double *u)
{
	const struct mb_space *space = &history->experiment->space;
	size_t dims = mb_space_dims(space);
	struct mb_feasible feasible;
	json_t *point = NULL;

	if (mb_feasible_init(&feasible, space, rng) == 0)
		for (int i = 0; i < NEAR && !point; i++) {
			const double *parent = history->u + order[tournament(rng, n)] * dims;

			breed(space, rng, parent, parent, u);
			for (size_t k = 0; k < feasible.n_bound; k++)
				u[space->n_conditionals + feasible.bound[k]] = parent[space->n_conditionals + feasible.bound[k]];
			mb_feasible_near(&feasible, rng, 0.1, u);
			point = take(history, u);
		}
	mb_feasible_release(&feasible);
	return point;
}

static json_t *child_of(const struct mb_history *history, const size_t *order, size_t n)
{
	const struct mb_space *space = &history->experiment->space;
	size_t dims = mb_space_dims(space);
	double *u = mb_alloc(dims * sizeof *u);
	struct mb_rng rng;
	json_t *point = NULL;

	mb_rng_init(&rng, history->seed, (uint64_t)history->trial, MB_RNG_SUGGEST);
	for (int attempt = 0; attempt < MB_ASK_ATTEMPTS && !point; attempt++) {
		const double *a = history->u + order[tournament(&rng, n)] * dims;
		const double *b = history->u + order[tournament(&rng, n)] * dims;

		breed(space, &rng, a, b, u);
		point = take(history, u);
	}
	if (!point && space->n_constraints)
		point = walk(history, &rng, order, n, u);
	free(u);
	return point;
}

static int ask(const struct mb_history *history, struct mb_suggestion *suggestion, struct mb_err *err)
{
	size_t *order = mb_alloc((history->n + 1) * sizeof *order);
	size_t population = population_of(history->experiment), n = mb_merit(history, order, NULL);

	*suggestion = (struct mb_suggestion){.algorithm = mb_algorithm_nsga2.name};
	if (n >= population / 2 && history->n >= population)
		suggestion->assignments = child_of(history, order, n < population ? n : population);
	free(order);
	if (suggestion->assignments)
		return 0;
	if (history->n < population)
		return mb_algorithm_sobol.ask(history, suggestion, err);
	return mb_ask_unseen(history, mb_draw_random, mb_algorithm_random.name, suggestion, err);
}

const struct mb_algorithm mb_algorithm_nsga2 = {
	.name = "nsga2",
	.about = "a genetic algorithm for several objectives and constraints, for long searches",
	.ask = ask,
};
