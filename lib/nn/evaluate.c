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

MB_CLONES
static void widen(const float *restrict from, size_t n, mb_real *restrict to)
{
	for (size_t j = 0; j < n; j++)
		to[j] = (mb_real)from[j];
}

void mb_gather_part(struct mb_mlp *net, const struct mb_dataset *set, int test, const uint32_t *index, size_t first,
		    size_t rows)
{
	const uint8_t *images = test ? set->test_x : set->train_x;
	const float *from = test ? set->test_rows : set->train_rows;
	const size_t inputs = net->shape.inputs;

	if (images) {
		mb_gather(net, index ? images : images + first * inputs, index, rows);
		return;
	}
	for (size_t i = 0; i < rows; i++)
		widen(from + (index ? index[i] : first + i) * inputs, inputs, net->x + i * inputs);
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
	if (classes)
		memset(to->confusion, 0, classes * classes * sizeof *to->confusion);
	to->loss = to->r2 = 0;
	to->n = 0;
}

/* The rows from `at` on: their labels, and what the network makes of them. Returns the loss over them. */
static double score_classes(const struct mb_mlp *net, const uint16_t *labels, const uint32_t *index, size_t at,
			    size_t rows, struct mb_evaluation *to)
{
	const size_t classes = net->shape.classes, ld = net->layers[net->n_layers - 1].ld;
	uint16_t batch[MB_EVALUATE_ROWS];

	for (size_t i = 0; i < rows; i++)
		batch[i] = labels[index ? index[at + i] : at + i];
	for (size_t i = 0; i < rows; i++)
		to->confusion[batch[i] * classes + largest(net->logits + i * ld, classes)]++;
	return mb_loss(net->logits, ld, rows, classes, batch, 0, 0, NULL);
}

static double score_numbers(const struct mb_mlp *net, const float *numbers, const uint32_t *index, size_t at, size_t rows)
{
	float batch[MB_EVALUATE_ROWS];

	for (size_t i = 0; i < rows; i++)
		batch[i] = numbers[index ? index[at + i] : at + i];
	return mb_square_loss(net->logits, net->layers[net->n_layers - 1].ld, rows, batch, 0, NULL);
}

/* Squared distances from their mean. */
static double spread(const float *numbers, const uint32_t *index, size_t n)
{
	double mean = 0, sum = 0;

	for (size_t i = 0; i < n; i++)
		mean += (double)numbers[index ? index[i] : i] / (double)n;
	for (size_t i = 0; i < n; i++) {
		const double off = (double)numbers[index ? index[i] : i] - mean;

		sum += off * off;
	}
	return sum;
}

int mb_evaluate(struct mb_mlp *net, const struct mb_dataset *set, int test, const uint32_t *index, size_t n,
		mb_stop_fn *stop, void *context, struct mb_evaluation *to)
{
	const float *numbers = test ? set->test_t : set->train_t;
	double sum = 0, most;

	prepare(to, numbers ? 0 : net->shape.classes);
	for (size_t at = 0, rows; at < n; at += rows) {
		if (stop && stop(context))
			return 1;
		rows = n - at < MB_EVALUATE_ROWS ? n - at : MB_EVALUATE_ROWS;
		mb_gather_part(net, set, test, index ? index + at : NULL, at, rows);
		mb_mlp_forward(net, rows, NULL);
		sum += numbers ? score_numbers(net, numbers, index, at, rows)
			       : score_classes(net, test ? set->test_y : set->train_y, index, at, rows, to);
	}
	to->n = n;
	to->loss = n ? sum / (double)n : 0;
	if (numbers) {
		most = spread(numbers, index, n);
		to->r2 = most > 0 ? 1 - sum / most : 0;
		to->loss *= set->label_deviation * set->label_deviation;
	}
	return 0;
}
