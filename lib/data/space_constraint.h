/* SPDX-License-Identifier: MIT
 *
 * One linear constraint alone. Inside the room; others ask the space.
 */
#ifndef MB_DATA_SPACE_CONSTRAINT_H
#define MB_DATA_SPACE_CONSTRAINT_H

#include "data/space.h"

/* 1 when it holds; *total: the left side. */
int mb_constraint_holds(const struct mb_space *space, const struct mb_constraint *constraint,
			const json_t *assignments, double *total);

#endif
