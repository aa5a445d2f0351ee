/* SPDX-License-Identifier: MIT
 *
 * Sobol' sequences: points that fill the unit cube more evenly than random ones. Any point is had directly by its
 * index, so that nothing has to be kept between calls.
 *
 *     for (size_t i = 0; i < dims; i++)
 *         u[i] = mb_sobol_unit(seed, i, trial - 1);
 *
 * The sequence is that of I. M. Sobol' (1967) in the Gray-code order of Antonov and Saleev (1979), with the
 * direction numbers of Joe and Kuo (2008): every 2^k points from a multiple of 2^k on are a (t, k, s)-net. The
 * scrambling is the nested uniform one of A. B. Owen, "Randomly permuted (t,m,s)-nets and (t,s)-sequences" (1995),
 * each permutation drawn by a hash of the digits before it, after B. Burley, "Practical hash-based Owen
 * scrambling", JCGT 9 (2020).
 */
#ifndef MB_STAT_SOBOL_H
#define MB_STAT_SOBOL_H

#include <stddef.h>
#include <stdint.h>

#define MB_SOBOL_DIMS 128

/* Point `index` of dimension `dim` (0 … MB_SOBOL_DIMS - 1), unscrambled, as a fraction of 2^32. The index counts
 * modulo 2^32. */
uint32_t mb_sobol_bits(size_t dim, uint64_t index);

/* The same scrambled with the experiment's seed, in [0, 1) with 53 bits: the first 32 nested, the rest random. */
double mb_sobol_unit(uint64_t seed, size_t dim, uint64_t index);

#endif
