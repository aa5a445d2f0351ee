/* SPDX-License-Identifier: MIT
 *
 * The inner loops of matrix products, one implementation an instruction set, chosen when the program runs. kernel.c is
 * compiled once for each set; the plain one, for any machine, is the truth that tests hold the others to.
 *
 *     const struct mb_kernel *kernel = mb_kernel_find("avx2");         // NULL: not known, or not this processor's
 *     mb_product(kernel, rows, out, in, x, ldx, 1, w, ldw, y, ldy, 0); // y = x · w
 */
#ifndef MB_NN_KERNEL_H
#define MB_NN_KERNEL_H

#include <stddef.h>

#include "nn/real.h"

enum { MB_PAD = 16 }; /* columns of all matrices: a multiple of it, so that no kernel has to look at a rest */

/* MB_PAD columns of B, and those of C that they become: row-major, ldb and ldc numbers from row to row. */
struct mb_strip {
	const mb_real *b;
	mb_real *c;
	size_t ldb, ldc;
};

struct mb_kernel {
	const char *name; /* "avx512", "avx2", "plain", "blas" */

	/* Each strip's C (m×MB_PAD) = A (m×k) · its B (k×MB_PAD), or += when `add`. A's element (i, p) is
	 * a[i·row + p·column], so a transposed matrix is one with the steps exchanged. The strips may be of one matrix or
	 * of many. But for blas, each element is summed over p in order: what it is depends on its row of A and column of
	 * B alone, not on what is done beside it. */
	void (*product)(size_t m, size_t k, const mb_real *a, size_t row, size_t column, const struct mb_strip *strips,
			size_t n, int add);
};

/* The same for whole matrices: C (m×n), B (k×n), n a multiple of MB_PAD. */
void mb_product(const struct mb_kernel *kernel, size_t m, size_t n, size_t k, const mb_real *a, size_t row,
		size_t column, const mb_real *b, size_t ldb, mb_real *c, size_t ldc, int add);

/* Those that this processor can run, the fastest first; NULL-terminated. */
const struct mb_kernel *const *mb_kernels(void);

/* By its name; "blas" is OpenBLAS behind the same face, where it can be loaded. NULL: not known, or not to be had. */
const struct mb_kernel *mb_kernel_find(const char *name);

/* The first of mb_kernels; where that is the plain one and there is a BLAS, that. */
const struct mb_kernel *mb_kernel_best(void);

#endif
