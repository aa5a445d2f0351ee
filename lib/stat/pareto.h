/* SPDX-License-Identifier: MIT
 *
 * Several objectives, each the less the better: which points are dominated, how far apart the others lie, and how
 * much of the space of objectives they dominate.
 *
 *     size_t *rank = mb_alloc(n * sizeof *rank);
 *     mb_pareto_ranks(points, n, 2, rank);                     // rank 0: the front
 *     volume = mb_hypervolume(points, n, 2, reference);
 *
 * points: n × m, row-major, finite. A point dominates another when it is nowhere greater and somewhere less; equal
 * points do not dominate each other. m is 1 to MB_PARETO_MOST.
 */
#ifndef MB_STAT_PARETO_H
#define MB_STAT_PARETO_H

#include <stddef.h>

enum { MB_PARETO_MOST = 4 };

int mb_dominates(const double *a, const double *b, size_t m);

/* rank (n): of the front that each point is in: 0 where nothing dominates it, 1 where only those of front 0 do, and
 * so on. Returns the number of fronts. Efficient sorting with binary search: X. Zhang, Y. Tian, R. Cheng and Y. Jin,
 * "An efficient approach to nondominated sorting for evolutionary multiobjective optimization", IEEE Trans. Evol.
 * Comput. 19 (2015). */
size_t mb_pareto_ranks(const double *points, size_t n, size_t m, size_t *rank);

/* The crowding distance of each of the n points of one front (K. Deb, A. Pratap, S. Agarwal and T. Meyarivan, "A
 * fast and elitist multiobjective genetic algorithm: NSGA-II", IEEE Trans. Evol. Comput. 6 (2002), section III-B):
 * the more, the lonelier; infinite at the ends of an objective. */
void mb_pareto_crowding(const double *points, size_t n, size_t m, double *distance);

/* The volume of what the points dominate below the reference; a point that is not below it in every objective adds
 * nothing. Exact: recursion over exclusive volumes, L. While, L. Bradstreet and L. Barone, "A fast way of
 * calculating exact hypervolumes", IEEE Trans. Evol. Comput. 16 (2012). */
double mb_hypervolume(const double *points, size_t n, size_t m, const double *reference);

/* Where to measure from when the user does not say: the worst of the front in each objective, and a tenth of the
 * front's extent beyond it; where the front has none, of the extent of all points, and where those have none, a
 * tenth; but no nearer than the worst of all points: from a front's own end, a search that has found one end of it
 * would never look for the other (ZDT1, 100 evaluations in 10 dimensions: hypervolume to (1.1, 1.1) .85, and .43
 * without). What is not NaN in `given` (m) is taken instead. n >= 1. */
void mb_pareto_reference(const double *points, size_t n, size_t m, const double *given, double *reference);

#endif
