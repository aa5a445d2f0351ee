/* SPDX-License-Identifier: MIT
 *
 * From the cells of a table to a data set: inputs, labels, and the two parts.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "nn/images.h"
#include "nn/table.h"

enum { MOST_VALUES = 100, /* of a label of whole numbers: beyond, they are amounts rather than names */
       TEST_SHARE = 5 };  /* one of so many rows */

/* An input: a column of numbers, or a word of one of text. */
struct input {
	size_t column;
	long word; /* -1: of numbers */
	double mean, scale;
};

struct work {
	struct mb_table table;
	struct input *inputs;
	size_t n_inputs;
	uint32_t *order; /* the table's rows: those of the training part, then those of the test part */
	double *values;  /* the label's different numbers, sorted */
	size_t n_values;
	int regression;
};

static double cell(const struct work *work, size_t row, size_t column)
{
	return work->table.cells[row * work->table.n_columns + column];
}

static double label_of(const struct work *work, size_t row)
{
	return cell(work, row, work->table.label);
}

/* ---- labels ---- */

static int by_value(const void *a, const void *b)
{
	const double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

static void find_values(struct work *work)
{
	const size_t n = work->table.n_rows;

	work->values = mb_alloc(n * sizeof *work->values);
	for (size_t row = 0; row < n; row++)
		work->values[row] = label_of(work, row);
	qsort(work->values, n, sizeof *work->values, by_value);
	for (size_t i = 0; i < n; i++)
		if (!i || work->values[i] != work->values[work->n_values - 1])
			work->values[work->n_values++] = work->values[i];
}

static int all_whole(const struct work *work)
{
	for (size_t i = 0; i < work->n_values; i++)
		if (work->values[i] != floor(work->values[i]))
			return 0;
	return 1;
}

static int check_label(struct work *work, enum mb_task_kind kind, struct mb_err *err)
{
	const struct mb_column *column = &work->table.columns[work->table.label];
	const char *file = work->table.files[0];

	work->regression = kind == MB_TASK_REGRESSION;
	if (work->regression && column->text)
		return mb_err_set(err, MB_EXIT_SYSTEM, file, "column %.100s: \"%.60s\" in line %zu is no number to learn",
				  column->name, column->odd, column->odd_line);
	if (kind == MB_TASK_BY_DATA)
		work->regression = !column->text && (!all_whole(work) || work->n_values > MOST_VALUES);
	if (work->n_values < 2)
		return mb_err_set(err, MB_EXIT_SYSTEM, file, "column %.100s: all labels are the same", column->name);
	if (work->regression || work->n_values <= MB_CLASSES_MAX)
		return 0;
	mb_err_set(err, MB_EXIT_SYSTEM, file, "column %.100s: %zu different labels, more than %d classes", column->name,
		   work->n_values, MB_CLASSES_MAX);
	return mb_err_hint(err, "a number rather than a class is learnt with task.kind: regression");
}

static void name_classes(struct mb_dataset *set, const struct work *work)
{
	const struct mb_column *column = &work->table.columns[work->table.label];

	set->classes = work->n_values;
	set->class_names = mb_alloc(set->classes * sizeof *set->class_names);
	for (size_t c = 0; c < set->classes; c++)
		set->class_names[c] = column->text ? mb_strdup(column->words[(size_t)work->values[c]])
						   : mb_textf("%.15g", work->values[c]);
}

/* ---- the parts ---- */

static int divide(struct mb_dataset *set, struct work *work, uint64_t data_seed, struct mb_err *err)
{
	const size_t n = work->table.n_rows;
	unsigned char *held;
	struct mb_rng rng;
	size_t at = 0;

	work->order = mb_alloc(n * sizeof *work->order);
	for (size_t i = 0; i < n; i++)
		work->order[i] = (uint32_t)i;
	set->n_train = work->table.n_train;
	set->n_test = n - set->n_train;
	if (work->table.files[1])
		return 0;
	set->n_test = (n + TEST_SHARE / 2) / TEST_SHARE;
	set->n_train = n - set->n_test;
	if (!set->n_test)
		return mb_err_set(err, MB_EXIT_SYSTEM, work->table.files[0], "%zu rows are too few for a test part", n);
	set->data_seed = data_seed;
	mb_rng_init(&rng, data_seed, 0, MB_RNG_TEST);
	mb_rng_shuffle(&rng, work->order, n);
	held = mb_alloc(n);
	for (size_t i = set->n_train; i < n; i++)
		held[work->order[i]] = 1;
	for (int part = 0; part < 2; part++)
		for (size_t i = 0; i < n; i++)
			if (held[i] == part)
				work->order[at++] = (uint32_t)i;
	free(held);
	return 0;
}

/* ---- inputs ---- */

static int list_inputs(struct work *work, struct mb_err *err)
{
	const struct mb_table *table = &work->table;
	size_t cap = 0;

	for (size_t i = 0; i < table->n_columns; i++) {
		const size_t words = table->columns[i].text ? table->columns[i].n_words : 0;

		if (i == table->label)
			continue;
		for (size_t w = 0; w < (words ? words : 1); w++) {
			struct input input = {.column = i, .word = words ? (long)w : -1};

			MB_PUSH(work->inputs, work->n_inputs, cap, input);
		}
	}
	if (work->n_inputs <= MB_PIXELS_MAX)
		return 0;
	return mb_err_set(err, MB_EXIT_SYSTEM, table->files[0], "%zu inputs, a word of a text column each: at most %d", work->n_inputs,
			  MB_PIXELS_MAX);
}

/* NaN where it is missing. */
static double raw(const struct work *work, size_t row, const struct input *input)
{
	const double value = cell(work, row, input->column);

	if (!isfinite(value))
		return NAN;
	return input->word < 0 ? value : value == (double)input->word;
}

/* Over the training part; scale 0: all are the same there. */
static void find_scale(const struct work *work, size_t n_train, struct input *input)
{
	double sum = 0, squares = 0, value;
	size_t n = 0;

	for (size_t i = 0; i < n_train; i++)
		if (!isnan(value = raw(work, work->order[i], input))) {
			sum += value;
			n++;
		}
	input->mean = n ? sum / (double)n : 0;
	for (size_t i = 0; i < n_train; i++)
		if (!isnan(value = raw(work, work->order[i], input)))
			squares += (value - input->mean) * (value - input->mean);
	input->scale = squares > 0 && isfinite(squares) ? 1 / sqrt(squares / (double)n) : 0;
}

static void fill_rows(const struct mb_dataset *set, const struct work *work, float *to)
{
	for (size_t j = 0; j < work->n_inputs; j++)
		find_scale(work, set->n_train, &work->inputs[j]);
	for (size_t i = 0; i < work->table.n_rows; i++)
		for (size_t j = 0; j < work->n_inputs; j++, to++) {
			const struct input *input = &work->inputs[j];
			const double value = raw(work, work->order[i], input);

			*to = isnan(value) || !(input->scale > 0) ? 0 : (float)((value - input->mean) * input->scale);
		}
}

static void fill_classes(const struct work *work, uint16_t *to)
{
	for (size_t i = 0; i < work->table.n_rows; i++) {
		const double value = label_of(work, work->order[i]);
		const double *at = bsearch(&value, work->values, work->n_values, sizeof value, by_value);

		to[i] = (uint16_t)(at - work->values);
	}
}

static int fill_numbers(struct mb_dataset *set, const struct work *work, float *to, struct mb_err *err)
{
	struct input label = {.column = work->table.label, .word = -1};

	find_scale(work, set->n_train, &label);
	if (!(label.scale > 0))
		return mb_err_set(err, MB_EXIT_SYSTEM, work->table.files[0], "column %.100s: all labels are the same",
				  work->table.columns[label.column].name);
	set->label_mean = label.mean;
	set->label_deviation = 1 / label.scale;
	for (size_t i = 0; i < work->table.n_rows; i++)
		to[i] = (float)((label_of(work, work->order[i]) - label.mean) * label.scale);
	return 0;
}

static void seal(struct mb_dataset *set)
{
	const uint64_t counts[] = {set->pixels, set->classes, set->n_train, set->n_test};
	const double labels[] = {set->label_mean, set->label_deviation};

	set->digest = mb_hash_bytes(set->block, set->bytes,
				    mb_hash_bytes(labels, sizeof labels, mb_hash_bytes(counts, sizeof counts, 0)));
}

static int fill(struct mb_dataset *set, const struct work *work, struct mb_err *err)
{
	const size_t n = work->table.n_rows, inputs = work->n_inputs;
	float *rows, *numbers;
	uint16_t *classes;

	set->rows = 1;
	set->cols = set->pixels = inputs;
	set->bytes = n * (inputs + 1) * sizeof *rows;
	set->block = mmap(NULL, set->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (set->block == MAP_FAILED) {
		set->block = NULL;
		return mb_err_errno(err, set->name, "memory for the rows");
	}
	rows = set->block;
	numbers = rows + n * inputs;
	classes = (uint16_t *)(void *)numbers;
	fill_rows(set, work, rows);
	set->train_rows = rows;
	set->test_rows = rows + set->n_train * inputs;
	if (work->regression) {
		set->classes = 1;
		set->train_t = numbers;
		set->test_t = numbers + set->n_train;
		if (fill_numbers(set, work, numbers, err) < 0)
			return -1;
	} else {
		name_classes(set, work);
		set->train_y = classes;
		set->test_y = classes + set->n_train;
		fill_classes(work, classes);
	}
	seal(set);
	return 0;
}

/* Where the table is, NULL: the query names none. The caller frees. */
static char *find_table(const struct mb_dataset_query *query, const char *name)
{
	char *path = mb_path_join(query->data               ? query->data
				  : query->experiment_folder ? query->experiment_folder
							     : ".",
				  name);
	struct stat stat_;

	if (query->data && stat(path, &stat_) < 0 && name == query->name && mb_table_is(query->data)) {
		free(path);
		return mb_strdup(query->data); /* DATA is the table itself */
	}
	if (mb_table_is(path))
		return path;
	free(path);
	return NULL;
}

int mb_tabular_open(struct mb_dataset *set, const struct mb_dataset_query *query, struct mb_err *err)
{
	struct work work = {.inputs = NULL};
	char *path = find_table(query, query->name), *test = NULL;
	int bad = 0;

	if (!path)
		return 1;
	if (query->test && !(test = find_table(query, query->test)))
		bad = mb_err_set(err, MB_EXIT_USAGE, NULL, "task.test: %.300s is no table", query->test);
	set->source = mb_strdup(path);
	set->label = query->label ? mb_strdup(query->label) : NULL;
	set->test = query->test ? mb_strdup(query->test) : NULL;
	set->kind = query->kind;
	if (!bad)
		bad = mb_table_read(&work.table, path, test, query->label, err);
	if (!bad) {
		find_values(&work);
		bad = check_label(&work, query->kind, err) < 0 || divide(set, &work, query->data_seed, err) < 0 ||
		      list_inputs(&work, err) < 0 || fill(set, &work, err) < 0;
	}
	mb_table_release(&work.table);
	free(work.inputs);
	free(work.order);
	free(work.values);
	free(path);
	free(test);
	return bad ? -1 : 0;
}
