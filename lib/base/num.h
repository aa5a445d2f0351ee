/* SPDX-License-Identifier: MIT
 *
 * Numbers as text: strict reading, shortest printing that reads back to the same double.
 */
#ifndef MB_BASE_NUM_H
#define MB_BASE_NUM_H

#include <stddef.h>
#include <stdint.h>

#define MB_NUM_TEXT 32                     /* room for any number printed here */
#define MB_NUM_EXACT ((int64_t)1 << 53)    /* integers up to here are exact in a double */

/* Decimal integer, whole text, optional sign, no leading zeros, no blanks; 0, or -1 when it is anything else. */
int mb_num_int(const char *text, int64_t *value);

/* Decimal number, finite: [+-] digits [. digits] [e [+-] digits], ".5" and "5." too; 0 or -1. */
int mb_num_double(const char *text, double *value);

/* Shortest decimal that reads back to the same double. A whole number keeps a mark that it is real ("3.0", "1e22").
 * `value` is finite; returns text. */
char *mb_num_print(double value, char text[MB_NUM_TEXT]);

#endif
