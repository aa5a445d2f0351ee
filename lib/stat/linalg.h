/* SPDX-License-Identifier: MIT
 *
 * Dense symmetric linear algebra in double, for covariance matrices: Cholesky's factor, growing it by a row, solving with
 * it, the inverse. All matrices are row-major with a stride of `ld` elements from row to row; a factor L is lower
 * triangular, what stands above its diagonal is neither read nor written.
 *
 *     if (mb_cholesky(a, n, ld) < 0) …                  // A = L L', in place
 *     mb_solve_lower(a, n, ld, b);                      // b = L^-1 b
 *     mb_solve_upper(a, n, ld, b);                      // b = L'^-1 b: together A^-1 b
 *
 * Golub and Van Loan, Matrix Computations (4th ed. 2013), sections 3.1 and 4.2. Nothing is loaded and no thread started:
 * a process that factors 100 rows once is done before a library is loaded.
 */
#ifndef MB_STAT_LINALG_H
#define MB_STAT_LINALG_H

#include <stddef.h>

double mb_dot(const double *a, const double *b, size_t n);

/* A = L L', in place in the lower triangle. -1 when A is not positive definite (to rounding). */
int mb_cholesky(double *a, size_t n, size_t ld);

/* The same for A grown by one row: row n of the factor holds a_n0 … a_nn and becomes that of L. O(n^2); to the bit what
 * mb_cholesky of all n + 1 rows gives. */
int mb_cholesky_append(double *l, size_t n, size_t ld);

/* b = L^-1 b and b = L'^-1 b, for one right-hand side. */
void mb_solve_lower(const double *l, size_t n, size_t ld, double *b);
void mb_solve_upper(const double *l, size_t n, size_t ld, double *b);

/* B = L^-1 B for m right-hand sides, B: n × m with stride ldb. */
void mb_solve_lower_many(const double *l, size_t n, size_t ld, double *b, size_t m, size_t ldb);

/* inverse = (L L')^-1, its lower triangle (n × n, stride n); scratch: n × n. */
void mb_cholesky_inverse(const double *l, size_t n, size_t ld, double *inverse, double *scratch);

#endif
