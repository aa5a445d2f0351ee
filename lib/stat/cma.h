/* SPDX-License-Identifier: MIT
 *
 * CMA-ES, the evolution strategy that learns a covariance matrix: minimises by samples of a normal distribution, from
 * their ranks alone. For some to a hundred numbers and some hundred evaluations on.
 *
 *     mb_cma_init(&cma, dims, mb_cma_lambda(dims), mean, 0.3, NULL);
 *     while (!mb_cma_stopped(&cma)) {
 *         for (…) mb_cma_place(&cma, z, x);           // z: standard normal; evaluate x
 *         for (…) mb_cma_step(&cma, x, y);            // lambda times, the best first
 *         mb_cma_update(&cma, y, value);
 *     }
 *     mb_cma_release(&cma);
 *
 * N. Hansen, "The CMA evolution strategy: a tutorial", arXiv:1604.00772 (2016), with negative weights; equation numbers
 * below are its. The matrix is factored as C = L L' by Cholesky, and L^-1 stands where the tutorial has C^-1/2, which
 * needs no eigenvectors and changes little (Krause, Arbonès and Igel, "CMA-ES with optimal covariance update and storage
 * complexity", NIPS 2016). x = mean + sigma A L z, where the diagonal A is 1 but for coordinates with a margin.
 *
 * Bounds: the function may be taken as mirrored at 0 and at 1 without end; mb_cma_fold keeps the mean in the unit cube.
 */
#ifndef MB_STAT_CMA_H
#define MB_STAT_CMA_H

#include <stddef.h>

struct mb_cma {
	size_t dims, lambda, mu; /* mu: those of positive weight */
	double *weight;          /* lambda: sums to 1 over the first mu, then negative (eq. 53) */
	double mu_eff, c_sigma, d_sigma, c_c, c_1, c_mu; /* table 1 */
	double chi;              /* E ||N(0, I)|| */
	double sigma, first_sigma;
	double *mean;            /* dims */
	double *cov, *factor;    /* dims × dims, lower triangles: C and L */
	double *path_c, *path_s; /* dims: p_c; p_sigma */
	double *scale;           /* dims: the diagonal of A */
	size_t generation;       /* updates so far */
	double *best, *middle;   /* generation: the best value of each, the median */
	size_t cap_best, cap_middle;
	double spread;           /* between the values of the first generation */
	int broken;              /* C is no longer positive definite */
	double *shift, *solved;  /* scratch: dims */
	double *block;
};

/* 4 + floor(3 ln dims), eq. 48. */
size_t mb_cma_lambda(size_t dims);

/* cov: dims × dims, the lower triangle read; NULL: the identity. lambda >= 4. */
void mb_cma_init(struct mb_cma *cma, size_t dims, size_t lambda, const double *mean, double sigma, const double *cov);
void mb_cma_release(struct mb_cma *cma);

/* x = mean + sigma A L z */
void mb_cma_place(const struct mb_cma *cma, const double *z, double *x);

/* y = A^-1 (x - mean) / sigma */
void mb_cma_step(const struct mb_cma *cma, const double *x, double *y);

/* Shortens a y that was not sampled here, to a Mahalanobis length of sqrt(dims) + 2 dims / (dims + 2) at most: N. Hansen,
 * "Injecting external solutions into CMA-ES", arXiv:1110.4181 (2011), eq. 3. */
void mb_cma_clip(struct mb_cma *cma, double *y);

/* One generation. y: lambda steps, the best first; value: theirs, ascending, INFINITY for what failed. A failed one of
 * positive weight counts as one at the mean. */
void mb_cma_update(struct mb_cma *cma, double *const *y, const double *value);

/* Mirrors the distribution where the mean has left [0, 1], and keeps its deviation in each coordinate to a third. */
void mb_cma_fold(struct mb_cma *cma);

/* Coordinate `dim` counts only by the cell [low, high] that it is in: of all samples at least alpha / 2 lie below it and as
 * many above. Hamano, Saito, Nomura and Shirakawa, "CMA-ES with margin", GECCO 2022, eqs. 13 to 17. */
void mb_cma_margin(struct mb_cma *cma, size_t dim, double low, double high, double alpha);

/* Why to start anew, as a word, or NULL: the tutorial's appendix B.3. */
const char *mb_cma_stopped(const struct mb_cma *cma);

#endif
