/* SPDX-License-Identifier: MIT */
#include "nn/evaluate.h"

#include <stdlib.h>
#include <string.h>

#include "nn/loss.h"

enum { AHEAD = 6, LINE = 64 }; /* rows come from all over memory: ask for them early */

MB_CLONES
static void convert(const uint8_t *restrict from, size_t n, mb_real scale, mb_real offset, mb_real *restrict to)
{
	for (size_t j = 0; j < n; j++)
		to[j] = (mb_real)from[j] * scale + offset;
}

void mb_gather(struct mb_mlp *net, const uint8_t *images, const uint32_t *index, size_t rows)
{
	const size_t pixels = net->shape.inputs;

	for (size_t i = 0; i < rows; i++) {
		if (index && i + AHEAD < rows)
			for (size_t j = 0; j < pixels; j += LINE)
				__builtin_prefetch(images + index[i + AHEAD] * pixels + j);
		convert(images + (index ? index[i] : i) * pixels, pixels, net->input_scale, net->input_offset,
			net->x + i * pixels);
	}
}

/* One image: line by line, what stays inside. */
static void shift(const uint8_t *from, size_t lines, size_t cols, int down, int right, uint8_t *to)
{
	const size_t kept = cols - (size_t)abs(right);

	memset(to, 0, lines * cols);
	for (size_t line = 0; line < lines; line++) {
		const long source = (long)line - down;

		if (source < 0 || source >= (long)lines)
			continue;
		memcpy(to + line * cols + (right > 0 ? right : 0),
		       from + (size_t)source * cols + (right < 0 ? -right : 0), kept);
	}
}

void mb_gather_shifted(struct mb_mlp *net, const uint8_t *images, const uint32_t *index, size_t rows, size_t cols,
		       const int8_t *shifts)
{
	const size_t pixels = net->shape.inputs;
	uint8_t *image = mb_alloc(pixels);

	for (size_t i = 0; i < rows; i++) {
		shift(images + index[i] * pixels, pixels / cols, cols, shifts[2 * i], shifts[2 * i + 1], image);
		convert(image, pixels, net->input_scale, net->input_offset, net->x + i * pixels);
	}
	free(image);
}

static size_t largest(const mb_real *logits, size_t classes)
{
	size_t best = 0;

	for (size_t c = 1; c < classes; c++)
		if (logits[c] > logits[best])
			best = c;
	return best;
}

void mb_evaluation_release(struct mb_evaluation *evaluation)
{
	free(evaluation->confusion);
	*evaluation = (struct mb_evaluation){0};
}

static void prepare(struct mb_evaluation *to, size_t classes)
{
	if (to->classes != classes) {
		mb_evaluation_release(to);
		to->classes = classes;
		to->confusion = mb_alloc(classes * classes * sizeof *to->confusion);
	}
	memset(to->confusion, 0, classes * classes * sizeof *to->confusion);
	to->loss = 0;
	to->n = 0;
}

int mb_evaluate(struct mb_mlp *net, const uint8_t *images, const uint16_t *labels, const uint32_t *index, size_t n,
		mb_stop_fn *stop, void *context, struct mb_evaluation *to)
{
	const size_t classes = net->shape.classes, ld = net->layers[net->n_layers - 1].ld;
	uint16_t batch_labels[MB_EVALUATE_ROWS];
	double sum = 0;

	prepare(to, classes);
	for (size_t at = 0, rows; at < n; at += rows) {
		if (stop && stop(context))
			return 1;
		rows = n - at < MB_EVALUATE_ROWS ? n - at : MB_EVALUATE_ROWS;
		for (size_t i = 0; i < rows; i++)
			batch_labels[i] = labels[index ? index[at + i] : at + i];
		mb_gather(net, index ? images : images + at * net->shape.inputs, index ? index + at : NULL, rows);
		mb_mlp_forward(net, rows, NULL);
		sum += mb_loss(net->logits, ld, rows, classes, batch_labels, 0, 0, NULL);
		for (size_t i = 0; i < rows; i++)
			to->confusion[batch_labels[i] * classes + largest(net->logits + i * ld, classes)]++;
	}
	to->n = n;
	to->loss = n ? sum / (double)n : 0;
	return 0;
}
