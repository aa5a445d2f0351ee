/* SPDX-License-Identifier: MIT
 *
 * The network equals PyTorch: loss, every gradient and every parameter after each of five steps, and the logits in
 * evaluation, for 18 networks (test/data/steps.json), and 9 more (steps-more.json). Built twice: in double held to 1e-9, in float to 1e-4 relative.
 */
#include <stdlib.h>

#include "data/json.h"
#include "nn/mlp.h"
#include "nn/regularize.h"
#include "unit/check.h"

#ifdef MB_DOUBLE
static const double absolute = 1e-9, relative = 0;
#else
static const double absolute = 1e-6, relative = 1e-4;
#endif

static int near(double got, double want)
{
	return fabs(got - want) <= absolute + relative * fabs(want);
}

/* Marks the biases before a batch norm (packed order). Their true gradient is zero; PyTorch's is rounding noise of
 * 1e-15, which Adam divides by sqrt(v) + 1e-8 and so makes steps of 1e-9 of. Here it is exactly zero. */
static void mark_idle(const struct mb_mlp *net, mb_real *marked)
{
	mb_real *padded = calloc(net->n_params, sizeof *padded);

	for (size_t l = 0; l < net->n_layers; l++)
		for (size_t j = 0; net->shape.batch_norm && net->layers[l].gamma && j < net->layers[l].out; j++)
			padded[net->layers[l].b + j] = 1;
	mb_mlp_pack(net, padded, marked);
	free(padded);
}

/* All numbers of nested arrays, in order. */
static size_t flatten(const json_t *value, mb_real *to)
{
	size_t n = 0, i;
	json_t *item;

	if (!json_is_array(value)) {
		*to = (mb_real)json_number_value(value);
		return 1;
	}
	json_array_foreach(value, i, item)
		n += flatten(item, to + n);
	return n;
}

static size_t tensors(const json_t *names, const json_t *values, mb_real *to)
{
	size_t n = 0, i;
	json_t *name;

	json_array_foreach(names, i, name)
		n += flatten(json_object_get(values, json_string_value(name)), to + n);
	return n;
}

static void compare(size_t number, size_t step, const char *what, const struct mb_mlp *net, const mb_real *padded,
		    const json_t *names, const json_t *values)
{
	size_t count = mb_mlp_count(&net->shape), bad = 0;
	mb_real *got = calloc(count, sizeof *got), *want = calloc(count, sizeof *want);
	mb_real *idle = calloc(count, sizeof *idle);

	CHECK_INT(tensors(names, values, want), count);
	mb_mlp_pack(net, padded, got);
	mark_idle(net, idle);
	for (size_t i = 0; i < count; i++)
		if (!near(got[i], want[i]) && !(idle[i] != 0 && fabs((double)(got[i] - want[i])) <= 1e-8) && !bad++)
			FAIL("case %zu, step %zu: %s[%zu] is %.12g, not %.12g", number, step, what, i, (double)got[i],
			     (double)want[i]);
	free(got);
	free(want);
	free(idle);
}

static void set_labels(const json_t *values, uint16_t *labels)
{
	size_t i;
	json_t *item;

	json_array_foreach(values, i, item)
		labels[i] = (uint16_t)json_integer_value(item);
}

static void run_steps(size_t number, const json_t *item, struct mb_mlp *net, const struct mb_hyper *hyper)
{
	const json_t *names = json_object_get(item, "parameters"), *step;
	mb_real *state = calloc((size_t)hyper->optimizer->slots * net->n_params + 1, sizeof *state);
	mb_real *average = malloc(net->n_params * sizeof *average);
	struct mb_dropout none = {0};
	uint16_t labels[16];
	size_t i;

	memcpy(average, net->param, net->n_params * sizeof *average);
	json_array_foreach(json_object_get(item, "steps"), i, step) {
		struct mb_optimizer_step at = {hyper->learning_rate, hyper->weight_decay, hyper->momentum,
					       hyper->beta1,	     hyper->beta2,	  i + 1};
		size_t rows = json_array_size(json_object_get(step, "y"));
		double loss;

		flatten(json_object_get(step, "x"), net->x);
		set_labels(json_object_get(step, "y"), labels);
		mb_mlp_forward(net, rows, &none);
		loss = mb_mlp_backward(net, rows, (struct mb_targets){.labels = labels}, hyper->label_smoothing, rows, 0) / (double)rows;
		if (!near(loss, json_number_value(json_object_get(step, "loss"))))
			FAIL("case %zu, step %zu: loss is %.12g", number, i, loss);
		compare(number, i, "gradient", net, net->grad, names, json_object_get(step, "gradient"));
		if (hyper->gradient_clip > 0)
			mb_clip_gradient(net, hyper->gradient_clip);
		hyper->optimizer->step(&at, net->param, net->grad, state, net->n_params);
		if (hyper->max_norm > 0)
			mb_hold_norms(net, hyper->max_norm);
		compare(number, i, "parameter", net, net->param, names, json_object_get(step, "after"));
		if (hyper->ema_decay > 0) {
			mb_average_weights(net, hyper->ema_decay, i + 1, average);
			compare(number, i, "average", net, average, names, json_object_get(step, "average"));
		}
	}
	free(average);
	free(state);
}

static void run_case(size_t number, const json_t *item, const struct mb_kernel *kernel)
{
	size_t inputs = (size_t)json_integer_value(json_object_get(item, "inputs"));
	size_t classes = (size_t)json_integer_value(json_object_get(item, "classes"));
	const json_t *predict = json_object_get(item, "predict");
	struct mb_hyper hyper;
	struct mb_mlp_shape shape;
	struct mb_mlp *net;
	struct mb_err err;
	mb_real start[512], logits[64];
	size_t rows;

	if (mb_hyper_parse(json_object_get(item, "case"), "steps.json", &hyper, &err) < 0) {
		FAIL("case %zu: %s", number, err.what);
		return;
	}
	mb_mlp_shape_of(&hyper, inputs, classes, &shape);
	net = mb_mlp_new(&shape, 16, 1, &err);
	CHECK(net != NULL);
	net->kernel = kernel;
	mb_init_mlp(net, MB_INIT_PYTORCH, 1);
	tensors(json_object_get(item, "parameters"), json_object_get(item, "start"), start);
	mb_mlp_unpack(net, start, net->param);
	run_steps(number, item, net, &hyper);
	rows = flatten(json_object_get(predict, "x"), net->x) / inputs;
	flatten(json_object_get(predict, "logits"), logits);
	mb_mlp_forward(net, rows, NULL);
	for (size_t i = 0; i < rows * classes; i++) {
		double got = (double)net->logits[i / classes * net->layers[net->n_layers - 1].ld + i % classes];

		if (!near(got, logits[i]))
			FAIL("case %zu: logit %zu is %.12g, not %.12g", number, i, got, (double)logits[i]);
	}
	mb_mlp_free(net);
}

static json_t *read_file(const char *path)
{
	struct mb_str text = {0};
	struct mb_err err;
	json_t *file = NULL;

	if (mb_file_read(path, 0, &text, &err) == 0)
		file = mb_json_parse(text.at, text.n, path, &err);
	mb_str_release(&text);
	return file;
}

static void run_file(const char *path, size_t cases)
{
	json_t *file = read_file(path), *item;
	size_t i;

	CHECK_INT(json_array_size(json_object_get(file, "cases")), cases);
	json_array_foreach(json_object_get(file, "cases"), i, item)
		for (const struct mb_kernel *const *kernel = mb_kernels(); *kernel; kernel++)
			run_case(i, item, *kernel);
	json_decref(file);
}

TEST(equals_pytorch)
{
	run_file("test/data/steps.json", 18);
}

TEST(equals_pytorch_with_all_else)
{
	run_file("test/data/steps-more.json", 9);
}

TEST(momentum_follows_one_cycle)
{
	json_t *file = read_file("test/data/steps-more.json"), *values = json_object_get(file, "momentum"), *value;
	size_t i;

	CHECK_INT(json_array_size(values), 20);
	json_array_foreach(values, i, value) {
		CHECK_NEAR(mb_schedule_momentum(MB_MOMENTUM_CYCLE, 0.95, i, 0, 20), json_number_value(value), 1e-12);
		CHECK_NEAR(mb_schedule_momentum(MB_MOMENTUM_CYCLE, 0.95, i + 7, 7, 27), json_number_value(value), 1e-12);
	}
	CHECK_NEAR(mb_schedule_momentum(MB_MOMENTUM_CYCLE, 0.95, 3, 7, 27), 0.95, 0);
	CHECK_NEAR(mb_schedule_momentum(MB_MOMENTUM_CONSTANT, 0.9, 5, 0, 20), 0.9, 0);
	CHECK(mb_schedule_momentum(MB_MOMENTUM_CYCLE, 0.05, 5, 0, 20) >= 0);
	json_decref(file);
}

TEST_MAIN
