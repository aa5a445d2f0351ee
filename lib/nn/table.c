/* SPDX-License-Identifier: MIT
 *
 * Text is gone through twice: to find which columns hold words, and which; then for the cells.
 */
#include "nn/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "nn/csv.h"
#include "nn/dataset.h"
#include "nn/npy.h"

enum { MOST_COLUMNS = 65536 };

static int ends_in(const char *path, const char *end)
{
	const size_t n = strlen(path), tail = strlen(end);

	return n > tail && !strcasecmp(path + n - tail, end);
}

static int is_pair(const char *folder)
{
	char *x = mb_path_join(folder, "x.npy"), *y = mb_path_join(folder, "y.npy");
	struct stat stat_;
	const int both = stat(x, &stat_) == 0 && stat(y, &stat_) == 0;

	free(x);
	free(y);
	return both;
}

int mb_table_is(const char *path)
{
	return ends_in(path, ".csv") || ends_in(path, ".npy") || is_pair(path);
}

char *mb_table_where(const struct mb_table *table, size_t row, size_t column)
{
	return mb_textf("%s:%zu:%zu", table->files[row >= table->n_train], table->lines[row], column + 1);
}

static void columns_new(struct mb_table *table, size_t n)
{
	table->n_columns = n;
	table->columns = mb_alloc(n * sizeof *table->columns);
}

static int cells_new(struct mb_table *table, struct mb_err *err)
{
	table->cells = calloc(table->n_rows, table->n_columns * sizeof *table->cells);
	table->lines = calloc(table->n_rows, sizeof *table->lines);
	if (table->cells && table->lines)
		return 0;
	return mb_err_set(err, MB_EXIT_SYSTEM, table->files[0], "no memory for %zu rows of %zu columns", table->n_rows,
			  table->n_columns);
}

/* By name, else the last. */
static int find_label(struct mb_table *table, const char *label, struct mb_err *err)
{
	const char **names, *near;

	table->label = table->n_columns - 1;
	if (!label)
		return 0;
	for (size_t i = 0; i < table->n_columns; i++)
		if (!strcmp(table->columns[i].name, label)) {
			table->label = i;
			return 0;
		}
	names = mb_alloc((table->n_columns + 1) * sizeof *names);
	for (size_t i = 0; i < table->n_columns; i++)
		names[i] = table->columns[i].name;
	near = mb_nearest(label, names);
	mb_err_set(err, MB_EXIT_USAGE, table->files[0], "task.label: %.100s is none of its %zu columns", label,
		   table->n_columns);
	if (near)
		mb_err_hint(err, "did you mean %.100s?", near);
	else
		mb_err_hint(err, "the first is %.100s, the last %.100s", names[0], names[table->n_columns - 1]);
	free(names);
	return -1;
}

static int check_width(const struct mb_table *table, struct mb_err *err)
{
	if (table->n_columns < 2)
		return mb_err_set(err, MB_EXIT_SYSTEM, table->files[0],
				  "one column alone: a label and at least one column to tell it from are needed, %s",
				  "with commas between them");
	if (table->n_columns > MOST_COLUMNS)
		return mb_err_set(err, MB_EXIT_SYSTEM, table->files[0], "%zu columns, at most %d are possible",
				  table->n_columns, MOST_COLUMNS);
	return 0;
}

/* ---- text ---- */

static int is_missing(const char *cell)
{
	static const char *const marks[] = {"", "?", "NA", "N/A", "NaN", "null"};

	for (size_t i = 0; i < MB_COUNT(marks); i++)
		if (!strcasecmp(cell, marks[i]))
			return 1;
	return 0;
}

/* The place of a word, or where it belongs. */
static size_t place_of(const struct mb_column *column, const char *word, int *found)
{
	size_t low = 0, high = column->n_words;

	*found = 0;
	while (low < high) {
		const size_t mid = (low + high) / 2;
		const int order = strcmp(column->words[mid], word);

		if (!order) {
			*found = 1;
			return mid;
		}
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* A place for one more word than is allowed stays: too many are noticed by it where they stand. */
static void learn(struct mb_column *column, const char *word, size_t most)
{
	size_t at;
	int found;

	if (column->n_words > most)
		return;
	at = place_of(column, word, &found);
	if (found)
		return;
	column->words = mb_realloc(column->words, (column->n_words + 1) * sizeof *column->words);
	memmove(column->words + at + 1, column->words + at, (column->n_words - at) * sizeof *column->words);
	column->words[at] = mb_strdup(word);
	column->n_words++;
}

static size_t most_words(const struct mb_table *table, size_t i)
{
	return i == table->label ? MB_CLASSES_MAX : MB_WORDS_MAX;
}

static int too_many_words(const struct mb_table *table, const struct mb_csv *csv, size_t i, struct mb_err *err)
{
	const struct mb_column *column = &table->columns[i];
	char where[512];

	snprintf(where, sizeof where, "%s:%zu:%zu", csv->path, csv->line, i + 1);
	mb_err_set(err, MB_EXIT_SYSTEM, where, "column %.100s: more than %zu different texts", column->name,
		   most_words(table, i));
	return mb_err_hint(err, "\"%.60s\" in line %zu is the first of its cells that is not a number", column->odd,
			   column->odd_line);
}

/* Words of numbers are kept too, in case the column turns out to hold text; the count tells only then. */
static int look_at_row(struct mb_table *table, const struct mb_csv *csv, struct mb_err *err)
{
	char where[512];

	if (csv->n != table->n_columns) {
		snprintf(where, sizeof where, "%s:%zu", csv->path, csv->line);
		return mb_err_set(err, MB_EXIT_SYSTEM, where, "%zu field%s, but the first line of %s has %zu", csv->n,
				  csv->n == 1 ? "" : "s", table->files[0], table->n_columns);
	}
	for (size_t i = 0; i < csv->n; i++) {
		struct mb_column *column = &table->columns[i];
		const char *cell = mb_csv_field(csv, i);
		double value;

		if (is_missing(cell))
			continue;
		if (!column->text && mb_num_double(cell, &value) < 0) {
			column->text = 1;
			column->odd = mb_strdup(cell);
			column->odd_line = csv->line;
		}
		learn(column, cell, most_words(table, i));
		if (column->text && column->n_words > most_words(table, i))
			return too_many_words(table, csv, i, err);
	}
	return 0;
}

/* Whether the first row is one of names: none of it is a number. */
static int has_names(const struct mb_csv *csv)
{
	double value;

	for (size_t i = 0; i < csv->n; i++)
		if (mb_num_double(mb_csv_field(csv, i), &value) == 0)
			return 0;
	return 1;
}

static int check_names(const struct mb_table *table, const struct mb_csv *csv, struct mb_err *err)
{
	char where[512];

	for (size_t i = 0; i < csv->n && i < table->n_columns; i++)
		if (strcmp(mb_csv_field(csv, i), table->columns[i].name)) {
			snprintf(where, sizeof where, "%s:%zu:%zu", csv->path, csv->line, i + 1);
			return mb_err_set(err, MB_EXIT_SYSTEM, where, "column %.100s is %.100s in %s", mb_csv_field(csv, i),
					  table->columns[i].name, table->files[0]);
		}
	return 0;
}

/* The first time over a file: *names tells whether its first row is one of names. */
static int look_at_file(struct mb_table *table, struct mb_csv *csv, const char *label, int *names, struct mb_err *err)
{
	int more = mb_csv_row(csv, err);

	if (more <= 0)
		return more < 0 ? -1 : mb_err_set(err, MB_EXIT_SYSTEM, csv->path, "nothing in it");
	*names = has_names(csv);
	if (!table->columns) {
		columns_new(table, csv->n);
		for (size_t i = 0; i < csv->n; i++)
			table->columns[i].name = *names ? mb_strdup(mb_csv_field(csv, i)) : mb_textf("%zu", i + 1);
		if (check_width(table, err) < 0 || find_label(table, label, err) < 0)
			return -1;
	} else if (*names && check_names(table, csv, err) < 0) {
		return -1;
	}
	for (more = *names ? mb_csv_row(csv, err) : 1; more > 0; more = mb_csv_row(csv, err)) {
		if (look_at_row(table, csv, err) < 0)
			return -1;
		table->n_rows++;
	}
	return more;
}

static double cell_of(const struct mb_column *column, const char *cell)
{
	double value = NAN;
	int found;

	if (is_missing(cell))
		return NAN;
	if (column->text)
		return (double)place_of(column, cell, &found);
	mb_num_double(cell, &value);
	return value;
}

static int take_file(struct mb_table *table, struct mb_csv *csv, int names, size_t *row, struct mb_err *err)
{
	int more;

	mb_csv_rewind(csv);
	if (names)
		mb_csv_row(csv, err);
	while ((more = mb_csv_row(csv, err)) > 0) {
		table->lines[*row] = csv->line;
		for (size_t i = 0; i < table->n_columns; i++)
			table->cells[*row * table->n_columns + i] = cell_of(&table->columns[i], mb_csv_field(csv, i));
		++*row;
	}
	return more;
}

static int read_texts(struct mb_table *table, const char *label, struct mb_err *err)
{
	struct mb_csv csv[2] = {{0}, {0}};
	int names[2] = {0}, bad = 0;
	size_t row = 0;

	for (int i = 0; i < 2 && table->files[i] && !bad; i++) {
		bad = mb_csv_open(&csv[i], table->files[i], err) < 0 ||
		      look_at_file(table, &csv[i], label, &names[i], err) < 0;
		if (!i)
			table->n_train = table->n_rows;
	}
	if (!bad)
		bad = cells_new(table, err);
	for (int i = 0; i < 2 && table->files[i] && !bad; i++)
		bad = take_file(table, &csv[i], names[i], &row, err);
	mb_csv_close(&csv[0]);
	mb_csv_close(&csv[1]);
	return bad ? -1 : 0;
}

/* ---- arrays ---- */

/* A file's array, or the two of a pair side by side. */
struct arrays {
	struct mb_npy x, y;
	size_t columns;
};

static int open_arrays(struct arrays *arrays, const char *path, struct mb_err *err)
{
	char *folder = strcmp(mb_path_name(path), "x.npy") ? mb_strdup(path) : mb_path_dir(path);
	char *x = mb_path_join(folder, "x.npy"), *y = mb_path_join(folder, "y.npy");
	const int pair = is_pair(folder);
	int bad = mb_npy_open(&arrays->x, pair ? x : path, err);

	if (!bad && pair)
		bad = mb_npy_open(&arrays->y, y, err);
	arrays->columns = arrays->x.cols + (pair != 0);
	if (!bad && pair && arrays->y.cols > 1)
		bad = mb_err_set(err, MB_EXIT_SYSTEM, y, "%zu columns of labels, one is expected", arrays->y.cols);
	if (!bad && pair && arrays->x.rows != arrays->y.rows)
		bad = mb_err_set(err, MB_EXIT_SYSTEM, y, "%zu labels, but %zu rows in %s", arrays->y.rows, arrays->x.rows,
				 x);
	free(folder), free(x), free(y);
	return bad;
}

static void take_arrays(struct mb_table *table, const struct arrays *arrays, size_t first)
{
	for (size_t i = 0; i < arrays->x.rows; i++) {
		double *to = table->cells + (first + i) * table->n_columns;

		table->lines[first + i] = i + 1;
		for (size_t j = 0; j < arrays->x.cols; j++)
			to[j] = mb_npy_get(&arrays->x, i, j);
		if (arrays->y.data)
			to[arrays->x.cols] = mb_npy_get(&arrays->y, i, 0);
	}
}

static int read_arrays(struct mb_table *table, const char *label, struct mb_err *err)
{
	struct arrays arrays[2] = {{{0}, {0}, 0}, {{0}, {0}, 0}};
	int bad = 0;

	for (int i = 0; i < 2 && table->files[i] && !bad; i++) {
		bad = open_arrays(&arrays[i], table->files[i], err);
		table->n_rows += arrays[i].x.rows;
	}
	if (!bad && table->files[1] && arrays[0].columns != arrays[1].columns)
		bad = mb_err_set(err, MB_EXIT_SYSTEM, table->files[1], "%zu columns, but %zu in %s", arrays[1].columns,
				 arrays[0].columns, table->files[0]);
	if (!bad) {
		table->n_train = arrays[0].x.rows;
		columns_new(table, arrays[0].columns);
		for (size_t i = 0; i < table->n_columns; i++)
			table->columns[i].name = mb_textf("%zu", i + 1);
		bad = check_width(table, err) < 0 || find_label(table, label, err) < 0 || cells_new(table, err) < 0;
	}
	for (int i = 0; i < 2 && table->files[i] && !bad; i++)
		take_arrays(table, &arrays[i], i ? table->n_train : 0);
	for (int i = 0; i < 2; i++) {
		mb_npy_close(&arrays[i].x);
		mb_npy_close(&arrays[i].y);
	}
	return bad ? -1 : 0;
}

int mb_table_read(struct mb_table *table, const char *path, const char *test, const char *label, struct mb_err *err)
{
	const int text = ends_in(path, ".csv");
	int bad;

	*table = (struct mb_table){.files = {mb_strdup(path), test ? mb_strdup(test) : NULL}};
	if (test && (!mb_table_is(test) || ends_in(test, ".csv") != text))
		return mb_err_set(err, MB_EXIT_USAGE, NULL, "task.test: %.300s is no file of the kind of %.300s", test, path);
	bad = text ? read_texts(table, label, err) : read_arrays(table, label, err);
	for (size_t row = 0; row < table->n_rows && !bad; row++)
		if (!isfinite(table->cells[row * table->n_columns + table->label])) {
			char *where = mb_table_where(table, row, table->label);

			bad = mb_err_set(err, MB_EXIT_SYSTEM, where, "column %.100s: the label is missing",
					 table->columns[table->label].name);
			free(where);
		}
	return bad;
}

void mb_table_release(struct mb_table *table)
{
	for (size_t i = 0; i < table->n_columns; i++) {
		for (size_t j = 0; j < table->columns[i].n_words; j++)
			free(table->columns[i].words[j]);
		free(table->columns[i].words);
		free(table->columns[i].name);
		free(table->columns[i].odd);
	}
	free(table->columns);
	free(table->cells);
	free(table->lines);
	free(table->files[0]);
	free(table->files[1]);
	*table = (struct mb_table){0};
}
