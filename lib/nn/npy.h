/* SPDX-License-Identifier: MIT
 *
 * Arrays of NumPy: .npy files of one or two dimensions, of integers (signed or not, 1 to 8 bytes), floats (4 or 8 bytes)
 * or bools, little-endian, in C or Fortran order, format versions 1 to 3. The file is mapped, and numbers are read from it
 * where they lie.
 *
 *     if (mb_npy_open(&npy, path, &err) == 0)
 *         … mb_npy_get(&npy, row, column) …
 *     mb_npy_close(&npy);
 */
#ifndef MB_NN_NPY_H
#define MB_NN_NPY_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

struct mb_npy {
	size_t rows, cols;       /* cols 1 where there is one dimension */
	size_t row_step, col_step; /* in items */
	char kind;               /* f, i, u, b */
	size_t item;             /* bytes */
	const uint8_t *data;
	void *block;             /* mapped */
	size_t bytes;
};

/* -1: no such file; no .npy file; of another type or more dimensions; empty; not as long as its head says
 * (MB_EXIT_SYSTEM, with the path). */
int mb_npy_open(struct mb_npy *npy, const char *path, struct mb_err *err);
void mb_npy_close(struct mb_npy *npy); /* also after an error */

double mb_npy_get(const struct mb_npy *npy, size_t row, size_t col);

#endif
