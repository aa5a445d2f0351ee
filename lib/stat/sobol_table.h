/* SPDX-License-Identifier: MIT
 *
 * The table behind stat/sobol.h; nobody else reads it.
 */
#ifndef MB_STAT_SOBOL_TABLE_H
#define MB_STAT_SOBOL_TABLE_H

#include <stdint.h>

#include "stat/sobol.h"

/* One dimension: a primitive polynomial x^s + a_1 x^(s-1) + … + a_(s-1) x + 1 and s odd numbers m_k < 2^k. */
struct mb_sobol_direction {
	uint16_t degree; /* s */
	uint16_t a;      /* a_1 … a_(s-1) as binary digits, a_1 the highest */
	uint16_t m[10];
};

extern const struct mb_sobol_direction mb_sobol_directions[MB_SOBOL_DIMS - 1];

#endif
