/* SPDX-License-Identifier: MIT
 *
 * Draws from the part of a space that linear constraints leave, which may be so thin that no random point ever hits
 * it (x + y + z = 1). Uniform in the unit cube there, as a rejection of random points would be.
 *
 *     struct mb_feasible feasible;
 *     if (mb_feasible_init(&feasible, space, &rng) == 0)          // -1: no such point was found
 *             mb_feasible_draw(&feasible, &rng, u);               // u: mb_space_dims(space)
 *     mb_feasible_release(&feasible);
 *
 * Where a fair share of random points is feasible, they are what is drawn. Else a Markov chain: hit-and-run (R. L.
 * Smith, "Efficient Monte Carlo procedures for generating points uniformly distributed over bounded regions",
 * Operations Research 32 (1984)), the place on each line by slice sampling with shrinkage (R. M. Neal, "Slice
 * sampling", Annals of Statistics 31 (2003), fig. 5), which leaves the uniform distribution as it is and needs no
 * more than a yes or no of each point: so it holds for logarithms, priors, ints and grids. Half the lines are
 * straight in the values and parallel to some of the constraints: a slab, or an equation, is crossed lengthwise.
 */
#ifndef MB_DATA_FEASIBLE_H
#define MB_DATA_FEASIBLE_H

#include "base/base.h"
#include "data/space.h"

struct mb_feasible {
	const struct mb_space *space;
	size_t *bound;    /* indices of the parameters that stand in a constraint */
	size_t n_bound;
	int rejects;      /* a fair share of random points is feasible */
	double *u;        /* where the chain is: a coordinate for each of `bound` */
	double *width;    /* n_bound: of the range, before ints are rounded; 0: a grid, which lies on no line */
	double *weights;  /* n_constraints × n_bound */
	double *spread;   /* n_constraints: how much the left side can vary */
	double *basis;    /* n_constraints × n_bound, scratch */
	double *scratch;  /* 6 × n_bound */
	double *block;
};

/* Looks for a feasible point: random ones, then projections onto the constraints in turn (S. Agmon; T. Motzkin and
 * I. Schoenberg, "The relaxation method for linear inequalities", Canadian J. of Mathematics 6 (1954)), and steps of
 * the discrete. 0, or -1 when none was found, which for ints is no proof. */
int mb_feasible_init(struct mb_feasible *feasible, const struct mb_space *space, struct mb_rng *rng);
void mb_feasible_release(struct mb_feasible *feasible);

/* The next point; what is in no constraint is uniform and independent. */
void mb_feasible_draw(struct mb_feasible *feasible, struct mb_rng *rng, double *u);

/* Moves u, a feasible point, by some steps along lines cut to `reach` of the unit cube, in the coordinates that
 * stand in constraints; the others stay. Does nothing to a point that is not feasible. */
void mb_feasible_near(struct mb_feasible *feasible, struct mb_rng *rng, double reach, double *u);

/* ---- inside the room ---- */

/* How far the bound coordinates u (n_bound) break the constraints, each as a share of its spread; 0: they keep all.
 * */
double mb_feasible_broken(const struct mb_feasible *feasible, const double *u);

/* A feasible u by projections, from a random start; 0 or -1. */
int mb_feasible_project(struct mb_feasible *feasible, struct mb_rng *rng, double *u);

static inline const struct mb_param *mb_feasible_param(const struct mb_feasible *feasible, size_t j)
{
	return &feasible->space->params[feasible->bound[j]];
}

#endif
