/* SPDX-License-Identifier: MIT */
#include "nn/evaluate.h"

#include <string.h>

#include "nn/loss.h"

enum { AHEAD = 6, LINE = 64 }; /* rows come from all over memory: ask for them early */

MB_CLONES
void mb_gather(const uint8_t *images, const uint32_t *index, size_t rows, size_t pixels, mb_real *x)
{
	const mb_real scale = (mb_real)(1.0 / 255);

	for (size_t i = 0; i < rows; i++) {
		const uint8_t *restrict from = images + (index ? index[i] : i) * pixels;
		mb_real *restrict to = x + i * pixels;

		if (index && i + AHEAD < rows)
			for (size_t j = 0; j < pixels; j += LINE)
				__builtin_prefetch(images + index[i + AHEAD] * pixels + j);
		for (size_t j = 0; j < pixels; j++)
			to[j] = (mb_real)from[j] * scale;
	}
}

static size_t largest(const mb_real *logits, size_t classes)
{
	size_t best = 0;

	for (size_t c = 1; c < classes; c++)
		if (logits[c] > logits[best])
			best = c;
	return best;
}

int mb_evaluate(struct mb_mlp *net, const uint8_t *images, const uint8_t *labels, const uint32_t *index, size_t n,
		mb_stop_fn *stop, void *context, struct mb_evaluation *to)
{
	const size_t classes = net->shape.classes, ld = net->layers[net->n_layers - 1].ld;
	uint8_t batch_labels[MB_EVALUATE_ROWS];
	double sum = 0;

	memset(to, 0, sizeof *to);
	for (size_t at = 0, rows; at < n; at += rows) {
		if (stop && stop(context))
			return 1;
		rows = n - at < MB_EVALUATE_ROWS ? n - at : MB_EVALUATE_ROWS;
		for (size_t i = 0; i < rows; i++)
			batch_labels[i] = labels[index ? index[at + i] : at + i];
		mb_gather(index ? images : images + at * net->shape.inputs, index ? index + at : NULL, rows,
			  net->shape.inputs, net->x);
		mb_mlp_forward(net, rows, NULL);
		sum += mb_loss(net->logits, ld, rows, classes, batch_labels, 0, 0, NULL);
		for (size_t i = 0; i < rows; i++)
			to->confusion[batch_labels[i] * classes + largest(net->logits + i * ld, classes)]++;
	}
	to->n = n;
	to->loss = n ? sum / (double)n : 0;
	return 0;
}
