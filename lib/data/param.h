/* SPDX-License-Identifier: MIT
 *
 * One parameter alone: its values and its coordinate in [0, 1]. Inside the room; others ask the space.
 *
 * Encodings, each monotone in u, which the prior of a range maps first (data/prior.h):
 *   double range      min + u (max - min), or the same between logarithms
 *   int range         one cell of equal width per integer; log: the cell of k is [log(k - 1/2), log(k + 1/2)]
 *   grid, categorical one cell of equal width per value, in the order of the file
 */
#ifndef MB_DATA_PARAM_H
#define MB_DATA_PARAM_H

#include "data/space.h"

/* The value at coordinate u, what is outside [0, 1] taken as its end. A new reference. */
json_t *mb_param_decode(const struct mb_param *param, double u);

/* The same as a number, of a numeric parameter. */
double mb_param_number(const struct mb_param *param, double u);

/* The number of a range at u before an int is rounded, and its inverse; both monotone. */
double mb_param_real(const struct mb_param *param, double u);
double mb_param_real_share(const struct mb_param *param, double real);

/* A coordinate that decodes to `value`, the middle of its cell where there are cells; -1 when the value is not one of
 * the parameter's. A number of a double range that no coordinate hits exactly gets a nearest one. */
int mb_param_encode(const struct mb_param *param, const json_t *value, double *u);

/* Makes u the middle of its cell, where there are cells. */
void mb_param_settle(const struct mb_param *param, double *u);

/* Where there are cells, the ends of the one at u, and 1; else 0. */
int mb_param_cell(const struct mb_param *param, double u, double *low, double *high);

/* The number of values, UINT64_MAX for a double range; and value number `index` of them, a new reference. */
uint64_t mb_param_count(const struct mb_param *param);
json_t *mb_param_nth(const struct mb_param *param, uint64_t index);

int mb_param_has(const struct mb_param *param, const json_t *value);

/* A value that the parameter has as the parameter writes it: 3 as 3.0 for a double. A new reference. */
json_t *mb_param_own(const struct mb_param *param, const json_t *value);

/* Appends what a value must be: "in [0, 10]" after a value of the right kind, else "a number in [0, 10]". */
void mb_param_expect(const struct mb_param *param, const json_t *value, struct mb_str *text);

/* The cell of u among n of equal width, and its middle. */
uint64_t mb_cell(double u, uint64_t n);
double mb_cell_middle(uint64_t index, uint64_t n);

#endif
