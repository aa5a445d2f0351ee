/* SPDX-License-Identifier: MIT
 *
 * Matrix products, by OpenBLAS (or any BLAS with the C interface), loaded when first needed: so a program that trains
 * nothing starts without it and runs where it is not installed.
 *
 * OpenBLAS reads OPENBLAS_NUM_THREADS when it is loaded: a program sets it to 1 before (mb-train does, first thing in
 * main). Here the count is set to 1 once more, which does not undo the threads' start.
 *
 *     if (mb_blas_load(&err) < 0) …                     // exit 4, names the package
 *     mb_gemm(0, 0, rows, out, in, x, ldx, w, ldw, 0, y, ldy);
 */
#ifndef MB_NN_BLAS_H
#define MB_NN_BLAS_H

#include <stddef.h>

#include "base/base.h"
#include "nn/real.h"

/* Loads the library once; 0, or -1 with MB_EXIT_SYSTEM and what to install. */
int mb_blas_load(struct mb_err *err);

/* "OpenBLAS 0.3.21 …", or the library's file name; loads it, and says "none" where there is none. For --version. */
const char *mb_blas_name(void);

/* C (m×n) = op(A) (m×k) · op(B) (k×n) + beta · C, all row-major; ta, tb: 1 to transpose; ld*: elements from row to
 * row. After mb_blas_load only. */
void mb_gemm(int ta, int tb, size_t m, size_t n, size_t k, const mb_real *a, size_t lda, const mb_real *b, size_t ldb,
	     mb_real beta, mb_real *c, size_t ldc);

#endif
