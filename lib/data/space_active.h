/* SPDX-License-Identifier: MIT
 *
 * Which parameters are active. Inside the room. A choice is one index per conditional into its values.
 */
#ifndef MB_DATA_SPACE_ACTIVE_H
#define MB_DATA_SPACE_ACTIVE_H

#include "data/space.h"

/* The choice that the assignments make, MB_NO_CHOICE where a conditional is missing or has a value that it does not
 * know. The caller frees. */
#define MB_NO_CHOICE ((size_t)-1)
size_t *mb_space_choice(const struct mb_space *space, const json_t *assignments);

/* 1 when all conditions of the parameter hold. */
int mb_param_active(const struct mb_param *param, const size_t *choice);

#endif
