/* SPDX-License-Identifier: MIT
 *
 * Matrix products by OpenBLAS (or any BLAS with the C interface), loaded when first needed: where there are kernels for
 * the processor (kernel.h) it never is.
 *
 * OpenBLAS reads OPENBLAS_NUM_THREADS when it is loaded: a program sets it to 1 before (mb-train does, first thing in
 * main). Here the count is set to 1 once more, which does not undo the threads' start.
 *
 *     const struct mb_kernel *kernel = mb_blas_kernel(&err);    // NULL: exit 4, names the package
 */
#ifndef MB_NN_BLAS_H
#define MB_NN_BLAS_H

#include <stddef.h>

#include "base/base.h"
#include "nn/kernel.h"

/* Loads the library once; 0, or -1 with MB_EXIT_SYSTEM and what to install. */
int mb_blas_load(struct mb_err *err);

/* "OpenBLAS 0.3.21 …", or the library's file name; loads it, and says "none" where there is none. For --version. */
const char *mb_blas_name(void);

/* OpenBLAS as a kernel (kernel.h), for processors that have none of their own here; NULL with err as mb_blas_load. */
const struct mb_kernel *mb_blas_kernel(struct mb_err *err);

#endif
