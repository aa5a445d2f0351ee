/* SPDX-License-Identifier: MIT */
#include "nn/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>


static const char magic[8] = {'m', 'b', 'c', 'k', 'p', 't', '1', '\n'};

struct head {
	char magic[8];
	uint64_t digest, text_bytes, numbers, number_bytes;
};

enum { MOST_TEXT = 1 << 28 };

/* How many running statistics a network has without padding. */
static size_t count_stats(const struct mb_mlp_shape *shape)
{
	size_t n = 0;

	for (size_t l = 0; shape->batch_norm && l < shape->n_hidden; l++)
		n += 2 * shape->hidden[l];
	return n;
}

/* Between the network's padded statistics and the file's; `pack`: to the file. */
static void copy_stats(const struct mb_mlp *net, mb_real *packed, int pack)
{
	for (size_t l = 0; net->shape.batch_norm && l + 1 < net->n_layers; l++) {
		const struct mb_layer *layer = &net->layers[l];
		mb_real *parts[] = {net->stats + layer->mean, net->stats + layer->var};

		for (int i = 0; i < 2; i++, packed += layer->out)
			memcpy(pack ? packed : parts[i], pack ? parts[i] : packed, layer->out * sizeof *packed);
	}
}

static json_t *shape_to_json(const struct mb_mlp_shape *shape)
{
	json_t *to = json_object(), *hidden = json_array();

	mb_json_set(to, "inputs", json_integer((json_int_t)shape->inputs));
	mb_json_set(to, "classes", json_integer((json_int_t)shape->classes));
	for (size_t i = 0; i < shape->n_hidden; i++)
		json_array_append_new(hidden, json_integer((json_int_t)shape->hidden[i]));
	mb_json_set(to, "hidden", hidden);
	mb_json_set(to, "activation", json_string(shape->activation->name));
	mb_json_set(to, "batch_norm", json_boolean(shape->batch_norm));
	mb_json_set(to, "layer_norm", json_boolean(shape->layer_norm));
	return to;
}

static json_t *head_of(const struct mb_trainer *trainer)
{
	const struct mb_trainer_setup *setup = &trainer->setup;
	const struct mb_split *split = setup->split;
	json_t *to = json_object();

	mb_json_set(to, "network", shape_to_json(&trainer->net->shape));
	mb_json_set(to, "precision", json_string(MB_REAL_NAME));
	mb_json_set(to, "dataset", json_string(split->set->name));
	mb_json_set(to, "source", json_string(split->set->source));
	if (split->set->label)
		mb_json_set(to, "label", json_string(split->set->label));
	if (split->set->test)
		mb_json_set(to, "test", json_string(split->set->test));
	if (!split->set->train_x) {
		mb_json_set(to, "kind", json_string(split->set->train_t ? "regression" : "classification"));
		mb_json_set(to, "data", json_integer((json_int_t)(split->set->digest >> 1)));
	}
	mb_json_set(to, "data_seed", json_integer((json_int_t)split->data_seed));
	mb_json_set(to, "validation_split", json_real(split->share));
	mb_json_set(to, "seed", json_integer((json_int_t)setup->seed));
	mb_json_set(to, "optimizer", json_string(setup->hyper.optimizer->name));
	mb_json_set(to, "states", json_integer(trainer->slots));
	mb_json_set(to, "averaged", json_boolean(trainer->average != NULL));
	mb_json_set(to, "input_scale", json_real((double)trainer->net->input_scale));
	mb_json_set(to, "input_offset", json_real((double)trainer->net->input_offset));
	mb_json_set(to, "max_epochs", json_integer(setup->max_epochs));
	mb_json_set(to, "epoch", json_integer(trainer->epoch));
	mb_json_set(to, "step", json_integer((json_int_t)trainer->step));
	mb_json_set(to, "loss_sum", json_real(trainer->loss_sum));
	mb_json_set(to, "train_loss", json_real(trainer->train_loss));
	mb_json_set(to, "train_seconds", json_real(trainer->train_s));
	mb_json_set(to, "validate_seconds", json_real(trainer->validate_s));
	mb_json_set(to, "epoch_metrics", json_deep_copy(trainer->curve));
	if (setup->about)
		mb_json_set(to, "about", json_deep_copy(setup->about));
	return to;
}

/* The text, filled up with blanks so that the numbers after it are aligned when the file is mapped. */
static void print_head(const struct mb_trainer *trainer, struct mb_str *text)
{
	json_t *json = head_of(trainer);

	mb_json_print(json, text);
	while ((sizeof(struct head) + text->n + 1) % MB_ALIGN)
		mb_str_add(text, " ", 1);
	mb_str_add(text, "\n", 1);
	json_decref(json);
}

static void pack_numbers(const struct mb_trainer *trainer, mb_real *to)
{
	const struct mb_mlp *net = trainer->net;
	const size_t count = mb_mlp_count(&net->shape);

	mb_mlp_pack(net, net->param, to);
	for (int i = 0; i < trainer->slots; i++)
		mb_mlp_pack(net, trainer->state + (size_t)i * net->n_params, to += count);
	copy_stats(net, to + count, 1);
}

int mb_trainer_save(const struct mb_trainer *trainer, const char *path, struct mb_err *err)
{
	const struct mb_mlp_shape *shape = &trainer->net->shape;
	const size_t blocks = 1 + (size_t)trainer->slots;
	struct head head = {.digest = trainer->setup.digest,
			    .numbers = mb_mlp_count(shape) * blocks + count_stats(shape),
			    .number_bytes = sizeof(mb_real)};
	struct mb_str text = {0};
	char *file, *folder;
	uint64_t digest;
	size_t bytes;
	int bad;

	memcpy(head.magic, magic, sizeof magic);
	print_head(trainer, &text);
	head.text_bytes = text.n;
	bytes = sizeof head + text.n + head.numbers * sizeof(mb_real) + sizeof digest;
	file = malloc(bytes);
	if (!file) {
		mb_str_release(&text);
		return mb_err_set(err, MB_EXIT_SYSTEM, path, "no memory for a checkpoint of %zu bytes", bytes);
	}
	memcpy(file, &head, sizeof head);
	memcpy(file + sizeof head, text.at, text.n);
	pack_numbers(trainer, (mb_real *)(void *)(file + sizeof head + text.n));
	digest = mb_hash_bytes(file, bytes - sizeof digest, 0);
	memcpy(file + bytes - sizeof digest, &digest, sizeof digest);
	folder = mb_path_dir(path);
	bad = mb_mkdirs(folder, err) < 0 || mb_file_replace(path, file, bytes, 0, err) < 0;
	free(folder);
	free(file);
	mb_str_release(&text);
	return bad ? -1 : 0;
}

/* A checkpoint file mapped and found whole. */
struct mapped {
	const char *path;
	void *block;
	size_t bytes;
	struct head head;
	json_t *text;
	const mb_real *numbers;
};

static int damaged(const struct mapped *file, struct mb_err *err, const char *how)
{
	return mb_err_set(err, MB_EXIT_SYSTEM, file->path, "damaged or no checkpoint: %s", how);
}

/* The sizes in the head are checked against the file's own before anything is believed. */
static int check_file(struct mapped *file, struct mb_err *err)
{
	const char *bytes = file->block;
	uint64_t digest, room;

	memcpy(&file->head, bytes, sizeof file->head);
	if (memcmp(file->head.magic, magic, sizeof magic))
		return damaged(file, err, "it does not begin as one");
	if (file->head.number_bytes != sizeof(mb_real))
		return mb_err_set(err, MB_EXIT_SYSTEM, file->path,
				  "a checkpoint of %llu-byte numbers, this program's have %zu",
				  (unsigned long long)file->head.number_bytes, sizeof(mb_real));
	room = file->bytes - sizeof file->head - sizeof digest;
	if (file->head.text_bytes > room || file->head.text_bytes > MOST_TEXT ||
	    (room - file->head.text_bytes) % sizeof(mb_real) ||
	    file->head.numbers != (room - file->head.text_bytes) / sizeof(mb_real) ||
	    (sizeof file->head + file->head.text_bytes) % sizeof(mb_real))
		return damaged(file, err, "its size is not what it says");
	memcpy(&digest, bytes + file->bytes - sizeof digest, sizeof digest);
	if (mb_hash_bytes(bytes, file->bytes - sizeof digest, 0) != digest)
		return damaged(file, err, "its digest does not fit");
	file->numbers = (const mb_real *)(const void *)(bytes + sizeof file->head + file->head.text_bytes);
	file->text = mb_json_parse(bytes + sizeof file->head, file->head.text_bytes, file->path, err);
	if (!file->text)
		err->code = MB_EXIT_SYSTEM;
	return file->text ? 0 : -1;
}

static void unmap(struct mapped *file)
{
	json_decref(file->text);
	if (file->block)
		munmap(file->block, file->bytes);
}

/* 0, 1 when there is no such file, or -1. */
static int map(struct mapped *file, const char *path, struct mb_err *err)
{
	struct stat stat;
	int fd = open(path, O_RDONLY | O_CLOEXEC), bad;

	*file = (struct mapped){.path = path};
	if (fd < 0) {
		bad = errno == ENOENT;
		mb_err_errno(err, path, NULL);
		return bad ? 1 : -1;
	}
	if (fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode) || (size_t)stat.st_size < sizeof file->head + 8) {
		close(fd);
		return damaged(file, err, "it is too short");
	}
	file->bytes = (size_t)stat.st_size;
	file->block = mmap(NULL, file->bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (file->block == MAP_FAILED) {
		file->block = NULL;
		return mb_err_errno(err, path, "mmap");
	}
	bad = check_file(file, err);
	if (bad)
		unmap(file);
	return bad;
}

static size_t whole(const json_t *object, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(object, name));

	return value > 0 ? (size_t)value : 0;
}

static double number(const json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}

/* 0 when the text describes a network and the file holds that many numbers. */
static int shape_from_json(const struct mapped *file, struct mb_mlp_shape *shape, struct mb_err *err)
{
	const json_t *network = json_object_get(file->text, "network"), *hidden = json_object_get(network, "hidden");
	const char *activation = json_string_value(json_object_get(network, "activation"));
	size_t states = whole(file->text, "states"), i;
	json_t *item;

	*shape = (struct mb_mlp_shape){.inputs = whole(network, "inputs"), .classes = whole(network, "classes"),
				       .activation = mb_activations,
				       .batch_norm = json_is_true(json_object_get(network, "batch_norm")),
				       .layer_norm = json_is_true(json_object_get(network, "layer_norm"))};
	while (shape->activation->name && (!activation || strcmp(shape->activation->name, activation)))
		shape->activation++;
	if (!shape->inputs || shape->inputs > MB_PIXELS_MAX || !shape->classes ||
	    shape->classes > MB_CLASSES_MAX || !shape->activation->name ||
	    !json_is_array(hidden) || json_array_size(hidden) > MB_HIDDEN_MAX || states > 3 ||
	    (shape->batch_norm && shape->layer_norm))
		return damaged(file, err, "it describes no network");
	json_array_foreach(hidden, i, item) {
		json_int_t width = json_integer_value(item);

		if (width < 1 || width > MB_HIDDEN_WIDTH)
			return damaged(file, err, "it describes no network");
		shape->hidden[shape->n_hidden++] = (size_t)width;
	}
	if (file->head.numbers != mb_mlp_count(shape) * (1 + states) + count_stats(shape))
		return damaged(file, err, "its numbers are not those of its network");
	return 0;
}

/* What resume needs beyond the shape; -1 and err when the file is not this trial's. */
static int fits(const struct mb_trainer *trainer, const struct mapped *file, struct mb_err *err)
{
	const struct mb_mlp_shape *mine = &trainer->net->shape;
	struct mb_mlp_shape shape;

	if (shape_from_json(file, &shape, err) < 0)
		return -1;
	if (file->head.digest != trainer->setup.digest ||
	    whole(file->text, "states") != (size_t)trainer->slots ||
	    shape.inputs != mine->inputs || shape.classes != mine->classes || shape.batch_norm != mine->batch_norm || shape.layer_norm != mine->layer_norm ||
	    shape.n_hidden != mine->n_hidden || memcmp(shape.hidden, mine->hidden, sizeof shape.hidden))
		return mb_err_set(err, MB_EXIT_SYSTEM, file->path,
				  "a checkpoint of another trial: task, assignments, seed or precision differ");
	if (whole(file->text, "epoch") > (size_t)trainer->setup.epochs ||
	    (whole(file->text, "epoch") == (size_t)trainer->setup.epochs && whole(file->text, "step")))
		return mb_err_set(err, MB_EXIT_SYSTEM, file->path, "its epoch %zu is beyond this trial's %lld",
				  whole(file->text, "epoch"), (long long)trainer->setup.epochs);
	if (whole(file->text, "step") >= trainer->steps_an_epoch)
		return damaged(file, err, "its step is beyond the epoch");
	return 0;
}

/* The rows so far. That of the trial's last epoch is left out: it is validated again, for the scores themselves are
 * not in the file. */
static void take_curve(struct mb_trainer *trainer, const json_t *curve)
{
	json_t *row;
	size_t i;

	json_array_clear(trainer->curve);
	trainer->validated = 0;
	if (!trainer->setup.curve)
		return;
	json_array_foreach(curve, i, row) {
		int64_t epoch = (int64_t)whole(row, "epoch");

		if (epoch > trainer->validated && epoch < trainer->setup.epochs) {
			json_array_append(trainer->curve, row);
			trainer->validated = epoch;
		}
	}
}

int mb_trainer_resume(struct mb_trainer *trainer, const char *path, struct mb_err *err)
{
	struct mb_mlp *net = trainer->net;
	const size_t count = mb_mlp_count(&net->shape);
	const mb_real *at;
	struct mapped file;
	int bad = map(&file, path, err);

	if (bad)
		return bad;
	if (fits(trainer, &file, err) < 0) {
		unmap(&file);
		return -1;
	}
	at = file.numbers;
	mb_mlp_unpack(net, at, net->param);
	for (int i = 0; i < trainer->slots; i++)
		mb_mlp_unpack(net, at += count, trainer->state + (size_t)i * net->n_params);
	copy_stats(net, (mb_real *)(at + count), 0);
	trainer->epoch = (int64_t)whole(file.text, "epoch");
	trainer->step = whole(file.text, "step");
	trainer->loss_sum = number(file.text, "loss_sum");
	trainer->train_loss = number(file.text, "train_loss");
	trainer->train_s = number(file.text, "train_seconds");
	trainer->validate_s = number(file.text, "validate_seconds");
	trainer->order_is_for = 0;
	take_curve(trainer, json_object_get(file.text, "epoch_metrics"));
	unmap(&file);
	return 0;
}

int mb_model_file_read(struct mb_model_file *model, const char *path, struct mb_err *err)
{
	struct mb_mlp_shape shape;
	struct mapped file;

	*model = (struct mb_model_file){0};
	if (map(&file, path, err))
		return -1;
	if (shape_from_json(&file, &shape, err) == 0)
		model->net = mb_mlp_new(&shape, MB_EVALUATE_ROWS, 0, err);
	if (model->net) {
		/* of several blocks of numbers the average of the weights is the last */
		size_t block = json_is_true(json_object_get(file.text, "averaged")) ? whole(file.text, "states") : 0;

		mb_mlp_unpack(model->net, file.numbers + block * mb_mlp_count(&shape), model->net->param);
		if (json_object_get(file.text, "input_scale"))
			model->net->input_scale = (mb_real)number(file.text, "input_scale");
		model->net->input_offset = (mb_real)number(file.text, "input_offset");
		copy_stats(model->net, (mb_real *)(file.numbers + file.head.numbers - count_stats(&shape)), 0);
		model->head = json_incref(file.text);
		model->digest = file.head.digest;
	}
	unmap(&file);
	return model->net ? 0 : -1;
}

void mb_model_file_release(struct mb_model_file *model)
{
	mb_mlp_free(model->net);
	json_decref(model->head);
	*model = (struct mb_model_file){0};
}

int mb_model_file_evaluate(const struct mb_model_file *model, const struct mb_dataset *set, const char *split,
			   struct mb_evaluation *to, struct mb_err *err)
{
	struct mb_split *parts;
	int validate = !strcmp(split, "validate");

	if (set->pixels != model->net->shape.inputs)
		return mb_err_set(err, MB_EXIT_USAGE, set->name, "images of %zu pixels, but the network takes %zu",
				  set->pixels, model->net->shape.inputs);
	if (set->classes != model->net->shape.classes)
		return mb_err_set(err, MB_EXIT_USAGE, set->name, "%zu classes, but the network tells %zu apart",
				  set->classes, model->net->shape.classes);
	/* its inputs are scaled by what they are: of a table that was changed they would mean something else */
	if (!set->train_x && json_integer_value(json_object_get(model->head, "data")) != (json_int_t)(set->digest >> 1))
		return mb_err_set(err, MB_EXIT_USAGE, set->name, "the table has changed since the network was trained");
	if (!strcmp(split, "test")) {
		mb_evaluate(model->net, set, 1, NULL, set->n_test, NULL, NULL, to);
		return 0;
	}
	if (!validate && strcmp(split, "train"))
		return mb_err_set(err, MB_EXIT_USAGE, NULL, "split: %.50s is not train, validate or test", split);
	parts = mb_split_new(set, number(model->head, "validation_split"), whole(model->head, "data_seed"), err);
	if (!parts)
		return -1;
	mb_evaluate(model->net, set, 0, validate ? parts->val : parts->train,
		    validate ? parts->n_val : parts->n_train, NULL, NULL, to);
	mb_split_free(parts);
	return 0;
}
