/* SPDX-License-Identifier: MIT
 *
 * IDX files, the format of MNIST: two zero bytes, the type (8: unsigned byte, 9: signed byte, 11: 16 bits, 12: 32 bits,
 * both signed), the number of dimensions, each dimension as a big-endian 32-bit number, then the numbers, big-endian.
 * Plain or compressed by gzip.
 */
#ifndef MB_NN_IDX_H
#define MB_NN_IDX_H

#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "base/base.h"

struct mb_idx {
	gzFile file;
	const char *path; /* the caller's */
	uint32_t dims[3];
	size_t item;      /* bytes of one number: 1, 2 or 4 */
	size_t bytes;     /* product of the dimensions, and of item */
};

/* Opens the file and checks its head: n_dims dimensions (1 to 3), none of them zero, no more data than the file can
 * hold; with one dimension numbers of any type above, else unsigned bytes. Errors: MB_EXIT_SYSTEM with the path. */
int mb_idx_open(struct mb_idx *idx, const char *path, int n_dims, struct mb_err *err);

/* Reads all idx->bytes bytes, and checks that the file ends there. */
int mb_idx_read(struct mb_idx *idx, uint8_t *to, struct mb_err *err);
/* The same of one dimension: dims[0] labels, each in 0 … most. */
int mb_idx_read_labels(struct mb_idx *idx, uint16_t *to, uint16_t most, struct mb_err *err);
void mb_idx_close(struct mb_idx *idx);

#endif
