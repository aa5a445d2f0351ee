/* SPDX-License-Identifier: MIT
 *
 * A local minimum of a smooth function within a box: limited-memory BFGS on the variables that are free, steps projected
 * into the box. For tens of variables and tens of evaluations.
 *
 *     double f = mb_lbfgs(objective, &context, x, low, high, n, 30);
 *
 * The two-loop recursion is J. Nocedal's, "Updating quasi-Newton matrices with limited storage" (1980), alg. 7.4 of
 * Nocedal and Wright, Numerical Optimization (2nd ed. 2006); the projection is D. P. Bertsekas', "Projected Newton methods
 * for optimization problems with simple constraints" (1982), with Armijo's condition along the projected path.
 */
#ifndef MB_STAT_LBFGS_H
#define MB_STAT_LBFGS_H

#include <stddef.h>

/* The value at x, and its gradient (n). INFINITY or NaN where there is none: the step is then cut. */
typedef double mb_objective(void *context, const double *x, double *gradient);

/* Moves x (n, started within the box) downhill for at most `iterations` steps; the value reached, INFINITY when x itself
 * has none. */
double mb_lbfgs(mb_objective *objective, void *context, double *x, const double *low, const double *high, size_t n,
		int iterations);

#endif
