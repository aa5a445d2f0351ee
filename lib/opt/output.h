/* SPDX-License-Identifier: MIT
 *
 * Within the room: a Gaussian process of one of several numbers that a trial gives, from its values to predictions
 * in their own units. Objectives and constraints are one of these each.
 *
 *     mb_output_init(&output, &rows, history, list, n, values, noise, start, &rng);
 *     mb_output_predict(&output, row, m, mean, sd);
 *     mb_json_set(surrogate, name, mb_output_write(&output));
 *     mb_output_release(&output);
 */
#ifndef MB_OPT_OUTPUT_H
#define MB_OPT_OUTPUT_H

#include "opt/rows.h"
#include "stat/stat.h"

struct mb_output {
	struct mb_gp gp;
	double *theta;
	double mean, deviation; /* of the values: the process knows them standardised */
};

/* Fits to n values at the observations `list`; what is pending in the history is believed. noise: n standard
 * deviations, NULL: not known. start: what mb_output_write gave for an earlier suggestion, or NULL. 0, or -1 when it
 * cannot be conditioned; to be released in any case. */
int mb_output_init(struct mb_output *output, const struct mb_rows *rows, const struct mb_history *history,
		   const size_t *list, size_t n, const double *values, const double *noise, const json_t *start,
		   struct mb_rng *rng);
void mb_output_release(struct mb_output *output);

/* The fitted hyperparameters: length, amplitude, noise. */
json_t *mb_output_write(const struct mb_output *output);

/* At m rows. */
void mb_output_predict(const struct mb_output *output, const double *rows, size_t m, double *mean, double *sd);

/* At one row, with the derivatives by its coordinates. */
void mb_output_gradient(const struct mb_output *output, const double *row, double *mean, double *sd, double *by_mean,
			double *by_sd);

/* theta: the hyperparameters that an earlier suggestion was made with, from its record: {"length": [dims], "amplitude",
 * "noise"}. -1 when it is not one of so many dimensions. */
int mb_surrogate_read(const json_t *surrogate, size_t dims, double *theta);

#endif
