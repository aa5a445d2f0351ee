/* SPDX-License-Identifier: MIT */
#include "nn/hyper.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const input_scaling_names[] = {"unit", "standard", NULL};

const struct mb_hyper_entry mb_hyper_table[] = {
	{"learning_rate", MB_HYPER_NUMBER, 0, 10, 1, 0, NULL, "0.001", "step size"},
	{"weight_decay", MB_HYPER_NUMBER, 0, 10, 0, 0, NULL, "1e-6", "L2 on every parameter; decoupled for adamw"},
	{"hidden_layer_config", MB_HYPER_LAYERS, 1, MB_HIDDEN_WIDTH, 0, 0, NULL, "[15]",
	 "units of each hidden layer: an array, or text \"64,32\"; [] is a linear model"},
	{"batch_size", MB_HYPER_INTEGER, 1, 65536, 0, 0, NULL, "512", "images a step"},
	{"optimizer", MB_HYPER_WORD, 0, 0, 0, 0, mb_optimizer_names, "adam", "update rule"},
	{"momentum", MB_HYPER_NUMBER, 0, 1, 0, 1, NULL, "0.9 (rmsprop: 0)", "of momentum, nesterov and rmsprop"},
	{"beta1", MB_HYPER_NUMBER, 0, 1, 0, 1, NULL, "0.9", "of adam, adamw and lion: decay of the gradient's mean"},
	{"beta2", MB_HYPER_NUMBER, 0, 1, 0, 1, NULL, "0.999 (lion: 0.99)",
	 "of adam and adamw: decay of its mean square; of lion: of its mean"},
	{"momentum_schedule", MB_HYPER_WORD, 0, 0, 0, 0, mb_momentum_schedule_names, "constant",
	 "of momentum or beta1, over all epochs"},
	{"gradient_clip", MB_HYPER_NUMBER, 0, 1e6, 0, 0, NULL, "0 (none)", "largest norm of the whole gradient"},
	{"max_norm", MB_HYPER_NUMBER, 0, 1e6, 0, 0, NULL, "0 (none)", "largest norm of the weights into a hidden unit"},
	{"ema_decay", MB_HYPER_NUMBER, 0, 1, 0, 1, NULL, "0 (none)",
	 "of the moving average of the weights that is validated and kept"},
	{"activation", MB_HYPER_WORD, 0, 0, 0, 0, mb_activation_names, "relu", "after each hidden layer"},
	{"dropout", MB_HYPER_NUMBER, 0, 1, 0, 1, NULL, "0", "share of each hidden layer's outputs set to zero"},
	{"input_dropout", MB_HYPER_NUMBER, 0, 1, 0, 1, NULL, "0", "share of the pixels set to zero"},
	{"augment_shift", MB_HYPER_INTEGER, 0, 8, 0, 0, NULL, "0", "pixels that training images are moved at most"},
	{"input_scaling", MB_HYPER_WORD, 0, 0, 0, 0, input_scaling_names, "unit", "of the pixels"},
	{"label_smoothing", MB_HYPER_NUMBER, 0, 1, 0, 1, NULL, "0", "share of the target spread over all classes"},
	{"schedule", MB_HYPER_WORD, 0, 0, 0, 0, mb_schedule_names, "constant",
	 "of the learning rate, over all epochs"},
	{"warmup_epochs", MB_HYPER_NUMBER, 0, MB_EPOCHS_MAX, 0, 0, NULL, "0", "linear rise before the schedule"},
	{"init", MB_HYPER_WORD, 0, 0, 0, 0, mb_init_names, "pytorch", "initial weights"},
	{"batch_norm", MB_HYPER_FLAG, 0, 0, 0, 0, NULL, "false", "normalise before each activation"},
	{"layer_norm", MB_HYPER_FLAG, 0, 0, 0, 0, NULL, "false", "normalise each image before each activation"},
	{"epochs", MB_HYPER_INTEGER, 1, MB_EPOCHS_MAX, 0, 0, NULL, "the task's", "passes over the training images"},
	{0},
};

void mb_hyper_allowed(const struct mb_hyper_entry *entry, struct mb_str *text)
{
	char min[MB_NUM_TEXT], max[MB_NUM_TEXT];

	switch (entry->kind) {
	case MB_HYPER_WORD:
		mb_str_adds(text, "one of ");
		for (size_t i = 0; entry->words[i]; i++)
			mb_str_addf(text, "%s%s", i ? ", " : "", entry->words[i]);
		break;
	case MB_HYPER_FLAG:
		mb_str_adds(text, "true or false");
		break;
	case MB_HYPER_INTEGER:
	case MB_HYPER_LAYERS:
		mb_str_addf(text, "[%.0f, %.0f]", entry->min, entry->max);
		break;
	case MB_HYPER_NUMBER:
		snprintf(min, sizeof min, "%.15g", entry->min);
		snprintf(max, sizeof max, "%.15g", entry->max);
		mb_str_addf(text, "%c%s, %s%c", entry->open_min ? '(' : '[', min, max, entry->open_max ? ')' : ']');
	}
}

void mb_hyper_default(struct mb_hyper *hyper)
{
	*hyper = (struct mb_hyper){.learning_rate = 1e-3, .weight_decay = 1e-6, .hidden = {15}, .n_hidden = 1,
				   .batch_size = 512, .optimizer = &mb_optimizers[0], .momentum = NAN, .beta1 = 0.9,
				   .beta2 = 0.999, .activation = &mb_activations[0]};
	while (strcmp(hyper->optimizer->name, "adam"))
		hyper->optimizer++;
	hyper->momentum = hyper->optimizer->default_momentum;
}

int mb_hyper_alike(const struct mb_hyper *a, const struct mb_hyper *b)
{
	const struct mb_hyper *const both[] = {a, b};

	/* With a batch norm all rows of a batch go through at once: the caches hold one such network, not several. */
	for (int i = 0; i < 2; i++)
		if (both[i]->batch_norm || both[i]->input_dropout > 0 || both[i]->augment_shift)
			return 0;
	return a->batch_size == b->batch_size && a->input_scaling == b->input_scaling;
}

static const struct mb_hyper_entry *find(const char *name)
{
	const struct mb_hyper_entry *entry = mb_hyper_table;

	while (entry->name && strcmp(entry->name, name))
		entry++;
	return entry->name ? entry : NULL;
}

/* "assignments.NAME: VALUE is not WHAT [allowed]". */
static int refuse(const struct mb_hyper_entry *entry, const json_t *value, const char *where, const char *what,
		  struct mb_err *err)
{
	struct mb_str allowed = {0};
	char shown[64];

	mb_hyper_allowed(entry, &allowed);
	mb_err_set(err, MB_EXIT_RECORD, where, "assignments.%s: %s is not %s%s", entry->name,
		   mb_json_show(value, shown), what, allowed.at);
	mb_str_release(&allowed);
	return -1;
}

static int get_number(const struct mb_hyper_entry *entry, const json_t *value, const char *where, double *to,
		      struct mb_err *err)
{
	double x;

	if (!json_is_number(value))
		return refuse(entry, value, where, "a number in ", err);
	x = json_number_value(value);
	if (!(x >= entry->min && x <= entry->max) || (entry->open_min && x == entry->min) ||
	    (entry->open_max && x == entry->max))
		return refuse(entry, value, where, "in ", err);
	if (entry->kind != MB_HYPER_NUMBER && x != floor(x))
		return refuse(entry, value, where, "a whole number in ", err);
	*to = x;
	return 0;
}

static int get_integer(const struct mb_hyper_entry *entry, const json_t *value, const char *where, int64_t *to,
		       struct mb_err *err)
{
	double x;

	if (get_number(entry, value, where, &x, err) < 0)
		return -1;
	*to = (int64_t)x;
	return 0;
}

/* The index of the word, or -1. */
static int get_word(const struct mb_hyper_entry *entry, const json_t *value, const char *where, struct mb_err *err)
{
	const char *text = json_string_value(value), *near;

	for (int i = 0; text && entry->words[i]; i++)
		if (!strcmp(entry->words[i], text))
			return i;
	refuse(entry, value, where, "", err);
	near = text ? mb_nearest(text, entry->words) : NULL;
	if (near)
		mb_err_hint(err, "did you mean %s?", near);
	return -1;
}

/* Booleans also as 0 and 1 and as the words that categorical parameters use for want of booleans. */
static int get_flag(const struct mb_hyper_entry *entry, const json_t *value, const char *where, int *to,
		    struct mb_err *err)
{
	static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
	const char *text = json_string_value(value);

	if (json_is_boolean(value)) {
		*to = json_is_true(value);
		return 0;
	}
	if (json_is_number(value) && (json_number_value(value) == 0 || json_number_value(value) == 1)) {
		*to = json_number_value(value) == 1;
		return 0;
	}
	for (size_t i = 0; text && i < MB_COUNT(words); i++)
		if (!strcasecmp(text, words[i])) {
			*to = i % 2;
			return 0;
		}
	return refuse(entry, value, where, "", err);
}

static int add_layer(const json_t *all, double width, const char *where, struct mb_hyper *hyper, struct mb_err *err)
{
	char shown[64];

	if (hyper->n_hidden == MB_HIDDEN_MAX)
		return mb_err_set(err, MB_EXIT_RECORD, where,
				  "assignments.hidden_layer_config: %s has more than %d layers",
				  mb_json_show(all, shown), MB_HIDDEN_MAX);
	hyper->hidden[hyper->n_hidden++] = (int64_t)width;
	return 0;
}

/* "64,32", "[64, 32]", "64 32"; nothing at all is a linear model. */
static int layers_from_text(const struct mb_hyper_entry *entry, const json_t *value, const char *where,
			    struct mb_hyper *hyper, struct mb_err *err)
{
	char *copy = mb_strdup(json_string_value(value)), *text = copy, *rest, *word;
	size_t n = strlen(text), words = 0, commas = 0;
	int64_t width;
	int bad = 0;

	for (const char *at = text; *at; at++)
		commas += *at == ',';
	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text[n - 1] = '\0';
		text++;
	}
	for (word = strtok_r(text, ", ", &rest); word && !bad; word = strtok_r(NULL, ", ", &rest), words++)
		if (mb_num_int(word, &width) < 0 || width < 1 || width > MB_HIDDEN_WIDTH)
			bad = refuse(entry, value, where, "widths like \"64,32\", each in ", err);
		else
			bad = add_layer(value, (double)width, where, hyper, err);
	if (!bad && commas && commas + 1 != words)
		bad = refuse(entry, value, where, "widths like \"64,32\", each in ", err);
	free(copy);
	return bad;
}

static int get_layers(const struct mb_hyper_entry *entry, const json_t *value, const char *where,
		      struct mb_hyper *hyper, struct mb_err *err)
{
	size_t i;
	json_t *item;

	hyper->n_hidden = 0;
	if (json_is_string(value))
		return layers_from_text(entry, value, where, hyper, err);
	if (!json_is_array(value))
		return refuse(entry, value, where, "an array of widths, each in ", err);
	json_array_foreach(value, i, item) {
		char shown[64];
		double width = json_number_value(item);

		if (!json_is_number(item) || width != floor(width) || !(width >= 1 && width <= MB_HIDDEN_WIDTH))
			return mb_err_set(err, MB_EXIT_RECORD, where,
					  "assignments.hidden_layer_config[%zu]: %s is not a whole number in [1, %d]",
					  i, mb_json_show(item, shown), MB_HIDDEN_WIDTH);
		if (add_layer(value, width, where, hyper, err) < 0)
			return -1;
	}
	return 0;
}

static int get_words(const struct mb_hyper_entry *entry, const json_t *value, const char *where,
		     struct mb_hyper *hyper, struct mb_err *err)
{
	int word = get_word(entry, value, where, err);

	if (word < 0)
		return -1;
	if (entry->words == mb_optimizer_names)
		hyper->optimizer = &mb_optimizers[word];
	else if (entry->words == mb_activation_names)
		hyper->activation = &mb_activations[word];
	else if (entry->words == mb_schedule_names)
		hyper->schedule = (enum mb_schedule)word;
	else if (entry->words == mb_momentum_schedule_names)
		hyper->momentum_schedule = (enum mb_momentum_schedule)word;
	else if (entry->words == input_scaling_names)
		hyper->input_scaling = (enum mb_input_scaling)word;
	else
		hyper->init = (enum mb_init)word;
	return 0;
}

/* Where the numbers of the table go. */
static double *number_of(struct mb_hyper *hyper, const char *name)
{
	const struct {
		const char *name;
		double *at;
	} numbers[] = {{"learning_rate", &hyper->learning_rate}, {"weight_decay", &hyper->weight_decay},
		       {"momentum", &hyper->momentum},           {"beta1", &hyper->beta1},
		       {"beta2", &hyper->beta2},                 {"dropout", &hyper->dropout},
		       {"label_smoothing", &hyper->label_smoothing}, {"warmup_epochs", &hyper->warmup_epochs},
		       {"gradient_clip", &hyper->gradient_clip}, {"max_norm", &hyper->max_norm},
		       {"ema_decay", &hyper->ema_decay},         {"input_dropout", &hyper->input_dropout}};

	for (size_t i = 0; i < MB_COUNT(numbers); i++)
		if (!strcmp(numbers[i].name, name))
			return numbers[i].at;
	return NULL;
}

static int64_t *integer_of(struct mb_hyper *hyper, const char *name)
{
	return !strcmp(name, "batch_size") ? &hyper->batch_size
	       : !strcmp(name, "epochs")   ? &hyper->epochs
					   : &hyper->augment_shift;
}

static int set(const struct mb_hyper_entry *entry, const json_t *value, const char *where, struct mb_hyper *hyper,
	       struct mb_err *err)
{
	switch (entry->kind) {
	case MB_HYPER_NUMBER:
		return get_number(entry, value, where, number_of(hyper, entry->name), err);
	case MB_HYPER_INTEGER:
		return get_integer(entry, value, where, integer_of(hyper, entry->name), err);
	case MB_HYPER_WORD:
		return get_words(entry, value, where, hyper, err);
	case MB_HYPER_FLAG:
		return get_flag(entry, value, where,
				*entry->name == 'b' ? &hyper->batch_norm : &hyper->layer_norm, err);
	case MB_HYPER_LAYERS:
		break;
	}
	return get_layers(entry, value, where, hyper, err);
}

static int unknown(const char *name, const char *where, struct mb_err *err)
{
	const char *names[MB_COUNT(mb_hyper_table)], *near;

	for (size_t i = 0; i < MB_COUNT(mb_hyper_table); i++)
		names[i] = mb_hyper_table[i].name;
	mb_err_set(err, MB_EXIT_RECORD, where, "assignments.%.100s: the built-in network has no such hyperparameter",
		   name);
	near = mb_nearest(name, names);
	if (near)
		mb_err_hint(err, "did you mean %s?", near);
	else
		mb_err_hint(err, "mb-train(1) lists them; a job of your own goes under model:");
	return -1;
}

int mb_hyper_parse(const json_t *assignments, const char *where, struct mb_hyper *hyper, struct mb_err *err)
{
	const char *name;
	json_t *value;
	char shown[64];

	mb_hyper_default(hyper);
	hyper->momentum = hyper->beta2 = NAN;
	if (assignments && !json_is_object(assignments))
		return mb_err_set(err, MB_EXIT_RECORD, where, "assignments: %s is not an object",
				  mb_json_show(assignments, shown));
	json_object_foreach((json_t *)assignments, name, value) {
		const struct mb_hyper_entry *entry = find(name);

		if (!entry)
			return unknown(name, where, err);
		if (set(entry, value, where, hyper, err) < 0)
			return -1;
	}
	if (isnan(hyper->momentum))
		hyper->momentum = hyper->optimizer->default_momentum;
	if (isnan(hyper->beta2))
		hyper->beta2 = hyper->optimizer->default_beta2;
	if (hyper->batch_norm && hyper->layer_norm)
		return mb_err_set(err, MB_EXIT_RECORD, where, "assignments.layer_norm: true beside batch_norm, which is too");
	return 0;
}
