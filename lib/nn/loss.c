/* SPDX-License-Identifier: MIT */
#include "nn/loss.h"

#include <math.h>

/* The loss of one row; grad may be NULL. With target t_c = (1-s)·[c = label] + s/C:
 * loss = log Σ exp(z_c) - Σ t_c z_c, computed from z - max z. */
static double row_loss(const mb_real *z, size_t classes, size_t label, double smoothing, mb_real scale, mb_real *grad)
{
	const mb_real even = (mb_real)(smoothing / (double)classes);
	mb_real top = z[0], sum = 0, mean = 0;
	double loss;

	for (size_t c = 1; c < classes; c++)
		top = z[c] > top ? z[c] : top;
	for (size_t c = 0; c < classes; c++) {
		mb_real e = MB_REAL(exp)(z[c] - top);

		sum += e;
		if (grad)
			grad[c] = e;
	}
	loss = (double)MB_REAL(log)(sum) - (1 - smoothing) * (double)(z[label] - top);
	if (smoothing > 0) {
		for (size_t c = 0; c < classes; c++)
			mean += z[c] - top;
		loss -= (double)(even * mean);
	}
	if (grad) {
		for (size_t c = 0; c < classes; c++)
			grad[c] = scale * (grad[c] / sum - even);
		grad[label] -= scale * (mb_real)(1 - smoothing);
	}
	return loss;
}

double mb_loss(const mb_real *logits, size_t ld, size_t rows, size_t classes, const uint16_t *labels, double smoothing,
	       mb_real scale, mb_real *grad)
{
	double sum = 0;

	for (size_t i = 0; i < rows; i++) {
		mb_real *to = grad ? grad + i * ld : NULL;

		sum += row_loss(logits + i * ld, classes, labels[i], smoothing, scale, to);
		for (size_t c = classes; to && c < ld; c++)
			to[c] = 0;
	}
	return sum;
}

double mb_square_loss(const mb_real *outputs, size_t ld, size_t rows, const float *numbers, mb_real scale, mb_real *grad)
{
	double sum = 0;

	for (size_t i = 0; i < rows; i++) {
		const mb_real off = outputs[i * ld] - (mb_real)numbers[i];
		mb_real *to = grad ? grad + i * ld : NULL;

		sum += (double)off * (double)off;
		for (size_t c = 0; to && c < ld; c++)
			to[c] = c ? 0 : 2 * scale * off;
	}
	return sum;
}
