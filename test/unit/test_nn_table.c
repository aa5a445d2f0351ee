/* SPDX-License-Identifier: MIT
 *
 * Tables: comma-separated text, arrays of NumPy, and the data sets made of them.
 */
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "nn/csv.h"
#include "nn/nn.h"
#include "nn/npy.h"
#include "nn/table.h"
#include "unit/check.h"

static char folder[64];

static char *put(const char *name, const void *bytes, size_t n)
{
	struct mb_err err;
	char *path;

	if (!folder[0]) {
		snprintf(folder, sizeof folder, "/tmp/mb-test-XXXXXX");
		CHECK(mkdtemp(folder) != NULL);
	}
	path = mb_path_join(folder, name);
	CHECK_INT(mb_file_replace(path, bytes, n, 0, &err), 0);
	return path;
}

/* All rows as "a|b|c/d|e|f", and the lines they begin in; or the error. */
static void csv_is(const char *text, const char *want)
{
	char *path = put("t.csv", text, strlen(text));
	struct mb_csv csv;
	struct mb_str got = {0};
	struct mb_err err = {0};
	int more = mb_csv_open(&csv, path, &err);

	while (!more && (more = mb_csv_row(&csv, &err)) > 0) {
		mb_str_addf(&got, "%s%zu:", got.n ? "/" : "", csv.line);
		for (size_t i = 0; i < csv.n; i++)
			mb_str_addf(&got, "%s%s", i ? "|" : "", mb_csv_field(&csv, i));
		more = 0;
	}
	if (more < 0)
		mb_str_addf(&got, "!%s %s", mb_path_name(err.where), err.what);
	CHECK_TEXT(got.n ? got.at : "", want);
	mb_str_release(&got);
	mb_csv_close(&csv);
	unlink(path);
	free(path);
}

TEST(csv_fields)
{
	csv_is("a,b\n1,2\n", "1:a|b/2:1|2");
	csv_is("a,b\r\n1,2\r\n", "1:a|b/2:1|2");
	csv_is("a,b\r\n1,2", "1:a|b/2:1|2");
	csv_is("a,b\r\n1,2\r", "1:a|b/2:1|2");
	csv_is("a,b\n1,\"2\"\r", "1:a|b/2:1|2");
	csv_is("\xef\xbb\xbf"
	       "a,b\n",
	       "1:a|b");
	csv_is("a,,b,\n", "1:a||b|");
	csv_is("\n\r\na\n\n\nb\n", "3:a/6:b");
	csv_is(" a b ,\t c\n", "1:a b|c");
	csv_is("\"a,b\",\"c\"\"d\", \" e \" \n", "1:a,b|c\"d| e ");
	csv_is("\"a\nb\r\nc\",d\ne,f\n", "1:a\nb\r\nc|d/4:e|f");
	csv_is("a\"b,c\n", "1:a\"b|c");
	csv_is("\"\",x", "1:|x");
	csv_is("", "");
	csv_is("a,\"b\n\nc", "!t.csv:1:2 a quote begins here and does not end");
	csv_is("a\n\"b\" c,d\n", "1:a!t.csv:2:1 text after the closing quote");
	csv_is("a\n\"b\"\rc\n", "1:a!t.csv:2:1 text after the closing quote");
}

TEST(csv_is_text)
{
	char *path = put("t.csv", "a,b\n1,\0\n", 8);
	struct mb_csv csv;
	struct mb_err err;

	CHECK_INT(mb_csv_open(&csv, path, &err), -1);
	CHECK_TEXT(err.what, "a NUL byte at 6: no text");
	mb_csv_close(&csv);
	unlink(path);
	free(path);
}

/* ---- arrays ---- */

/* A file of a head, in NumPy's way of filling it up, and data. */
static char *put_npy(const char *name, int version, const char *head, const void *data, size_t n)
{
	struct mb_str file = {0};
	const size_t length = (strlen(head) + 64) / 64 * 64 + (version > 1 ? 52 : 54);
	const uint8_t start[12] = {0x93, 'N', 'U', 'M', 'P', 'Y', (uint8_t)version, 0, (uint8_t)length, (uint8_t)(length >> 8)};
	char *path;

	mb_str_add(&file, start, version > 1 ? 12 : 10);
	mb_str_addf(&file, "%-*s\n", (int)length - 1, head);
	mb_str_add(&file, data, n);
	path = put(name, file.at, file.n);
	mb_str_release(&file);
	return path;
}

static void npy_is(int version, const char *head, const void *data, size_t n, const char *want)
{
	char *path = put_npy("t.npy", version, head, data, n);
	struct mb_npy npy;
	struct mb_str got = {0};
	struct mb_err err = {0};

	if (mb_npy_open(&npy, path, &err) < 0)
		mb_str_addf(&got, "!%s", err.what);
	for (size_t i = 0; i < npy.rows && npy.data; i++)
		for (size_t j = 0; j < npy.cols && !err.what[0]; j++)
			mb_str_addf(&got, "%s%.17g", j ? " " : i ? "/" : "", mb_npy_get(&npy, i, j));
	if (strncmp(got.at, want, strlen(want)))
		FAIL("%s: \"%s\", not \"%s\"", head, got.at, want);
	mb_str_release(&got);
	mb_npy_close(&npy);
	unlink(path);
	free(path);
}

TEST(npy_types_and_orders)
{
	const float f4[] = {1, 2.5f, -3, 4, 5, 6};
	const double f8[] = {0.1, -1e300};
	const uint8_t bytes[] = {0, 200, 255};
	const int64_t i8[] = {-5, 9007199254740992};
	const int16_t i2[] = {-1, -32768, 32767};
	const uint32_t u4[] = {4294967295u};

	npy_is(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", f4, sizeof f4, "1 2.5/-3 4/5 6");
	npy_is(1, "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }", f4, sizeof f4, "1 4/2.5 5/-3 6");
	npy_is(2, "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", f8, sizeof f8,
	       "0.10000000000000001/-1.0000000000000001e+300");
	npy_is(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 3), }", bytes, sizeof bytes, "0 200 255");
	npy_is(1, "{'descr': '|i1', 'fortran_order': False, 'shape': (1, 3), }", bytes, sizeof bytes, "0 -56 -1");
	npy_is(3, "{'descr': '<i8', 'fortran_order': False, 'shape': (2, 1), }", i8, sizeof i8, "-5/9007199254740992");
	npy_is(1, "{'descr': '<i2', 'fortran_order': False, 'shape': (3,), }", i2, sizeof i2, "-1/-32768/32767");
	npy_is(1, "{'descr': '<u4', 'fortran_order': False, 'shape': (1,), }", u4, sizeof u4, "4294967295");
}

TEST(npy_files_that_are_none)
{
	const float f4[6] = {0};
	char *path;
	struct mb_npy npy;
	struct mb_err err;

	npy_is(1, "{'descr': '>f4', 'fortran_order': False, 'shape': (3, 2), }", f4, sizeof f4,
	       "!its numbers are not of a type that is taken: descr is '>f4'");
	npy_is(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }", f4, sizeof f4,
	       "!its numbers are not of a type that is taken");
	npy_is(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 1, 2), }", f4, sizeof f4,
	       "!more than two dimensions: its shape is (3, 1, 2)");
	npy_is(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (), }", f4, 4, "!nothing in it");
	npy_is(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 2), }", f4, 0, "!nothing in it");
	npy_is(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", f4, 20,
	       "!damaged: 20 bytes of numbers, its head says 3 x 2 of 4");
	npy_is(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387905, 1), }", f4, 4,
	       "!damaged: more than a file can hold");
	npy_is(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 2), }", f4, sizeof f4, "!damaged: its shape is");
	npy_is(1, "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (3, 2), }", f4, sizeof f4,
	       "!damaged: its head has no fortran_order");
	npy_is(4, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", f4, sizeof f4, "!no .npy file of version");
	path = put("t.npy", "\x93NUMPY\1\0\xff\xff{", 11);
	CHECK_INT(mb_npy_open(&npy, path, &err), -1);
	CHECK_TEXT(err.what, "no .npy file of version 1 to 3");
	mb_npy_close(&npy);
	free(put("t.npy", "\x93NUMPY\1\0\xff\xff{ ", 12));
	CHECK_INT(mb_npy_open(&npy, path, &err), -1);
	CHECK_TEXT(err.what, "damaged: its head is longer than the file");
	mb_npy_close(&npy);
	unlink(path);
	free(path);
}

/* A file with a hole: 5 GB of which little is on the disk. */
TEST(npy_of_more_than_four_gigabytes)
{
	const char *head = "{'descr': '|u1', 'fortran_order': False, 'shape': (5000000000, 1), }";
	char *path = put_npy("big.npy", 1, head, "", 0);
	struct mb_npy npy;
	struct mb_err err = {0};
	const off_t start = 10 + 128 + 54;
	int fd = open(path, O_RDWR);

	if (ftruncate(fd, start + 5000000000) == 0 && pwrite(fd, "\7", 1, start + 4999999999) == 1) {
		CHECK_INT(lseek(fd, 0, SEEK_END), start + 5000000000);
		CHECK_INT(mb_npy_open(&npy, path, &err), 0);
		CHECK_TEXT(err.what, "");
		CHECK_NEAR(mb_npy_get(&npy, 4999999999, 0), 7, 0);
		CHECK_NEAR(mb_npy_get(&npy, 4999999998, 0), 0, 0);
		mb_npy_close(&npy);
	}
	close(fd);
	unlink(path);
	free(path);
}

/* ---- data sets ---- */

static struct mb_dataset *table(const char *text, const char *test, struct mb_dataset_query query, struct mb_err *err)
{
	char *path = put("t.csv", text, strlen(text)), *other = test ? put("u.csv", test, strlen(test)) : NULL;
	struct mb_str note = {0};
	struct mb_dataset *set;

	memset(err, 0, sizeof *err);
	query.name = path;
	query.test = other;
	set = mb_dataset_open(&query, &note, err);
	unlink(path);
	if (other)
		unlink(other);
	free(path);
	free(other);
	return set;
}

static void refuses(const char *text, const char *test, struct mb_dataset_query query, const char *want)
{
	struct mb_err err;
	struct mb_dataset *set = table(text, test, query, &err);
	char *got = mb_textf("%s %s", mb_path_name(err.where), err.what);

	CHECK(!set);
	if (!strstr(got, want))
		FAIL("\"%s\" is not in \"%s\"", want, got);
	free(got);
	mb_dataset_close(set);
}

#define NONE ((struct mb_dataset_query){.name = NULL})

/* Numbers, a column of text, missing cells; the first five rows are for training. */
TEST(columns_become_inputs)
{
	struct mb_err err;
	struct mb_dataset *set = table("a,colour,same,label\n1,red,4,yes\n2,blue,4,no\n?,red,4,yes\n3,,4,no\n6,red,4,yes\n",
				       "a,colour,same,label\n3,green,5,no\nNA,blue,4,yes\n", NONE, &err);
	const double deviation = sqrt((4 + 1 + 0 + 9) / 4.0), red = sqrt(3 / 16.0);

	CHECK_TEXT(err.what, "");
	CHECK_INT(set->pixels, 5); /* a, blue, green, red, same */
	CHECK_INT(set->n_train, 5);
	CHECK_INT(set->n_test, 2);
	CHECK_INT(set->classes, 2);
	CHECK_TEXT(set->class_names[0], "no");
	CHECK_INT(set->train_y[0], 1);
	CHECK_INT(set->train_y[1], 0);
	CHECK_INT(set->test_y[1], 1);
	CHECK(!set->train_x && !set->train_t);
	CHECK_NEAR(set->train_rows[0], (1 - 3) / deviation, 1e-6);
	CHECK_NEAR(set->train_rows[10], 0, 0);                     /* missing: the mean */
	CHECK_NEAR(set->train_rows[3], (1 - 0.75) / red, 1e-6);    /* red: 1, 0, 1, missing, 1 */
	CHECK_NEAR(set->train_rows[5 + 3], (0 - 0.75) / red, 1e-6);
	CHECK_NEAR(set->train_rows[15 + 3], 0, 0);
	CHECK_NEAR(set->train_rows[4], 0, 0);                      /* a column that is the same everywhere */
	CHECK_NEAR(set->test_rows[0], 0, 0);
	CHECK_NEAR(set->test_rows[2], 0, 0);                       /* green is never seen in training */
	CHECK_NEAR(set->test_rows[4], 0, 0);
	mb_dataset_close(set);
}

TEST(the_label_tells_the_kind)
{
	struct mb_dataset_query query = {.kind = MB_TASK_REGRESSION};
	struct mb_str many = {0};
	struct mb_err err;
	struct mb_dataset *set = table("1,10,5\n2,-3,6\n3,10,7\n4,2,8\n5,2,9\n", NULL, (struct mb_dataset_query){.label = "2"}, &err);

	CHECK_TEXT(err.what, "");
	CHECK_INT(set->classes, 3);
	CHECK_TEXT(set->class_names[0], "-3");
	CHECK_TEXT(set->class_names[2], "10");
	CHECK_INT(set->n_test, 1);
	mb_dataset_close(set);
	set = table("x,y\n1,1\n2,2\n3,3\n4,4\n5,6\n", NULL, query, &err);
	CHECK_TEXT(err.what, "");
	CHECK(set && set->train_t && !set->train_y && set->classes == 1);
	mb_dataset_close(set);
	set = table("x,y\n1,1\n2,2\n", "x,y\n3,3\n", query, &err);
	CHECK_NEAR(set->label_mean, 1.5, 0);
	CHECK_NEAR(set->label_deviation, 0.5, 1e-15);
	CHECK_NEAR(set->train_t[0], -1, 1e-6);
	CHECK_NEAR(set->test_t[0], 3, 1e-6);
	mb_dataset_close(set);
	set = table("x,y\n1,1.5\n2,2\n3,3\n4,4\n5,6\n", NULL, NONE, &err);
	CHECK(set && set->train_t);
	mb_dataset_close(set);
	for (int most = 100; most <= 101; most++) {
		mb_str_clear(&many);
		for (int i = 0; i < 3 * most; i++)
			mb_str_addf(&many, "%d,%d\n", i, i % most);
		set = table(many.at, NULL, NONE, &err);
		CHECK(set && (set->train_t != NULL) == (most > 100));
		mb_dataset_close(set);
		set = table(many.at, NULL, (struct mb_dataset_query){.kind = MB_TASK_CLASSIFICATION}, &err);
		CHECK(set && set->classes == (size_t)most);
		mb_dataset_close(set);
	}
	mb_str_release(&many);
}

TEST(the_test_part_is_drawn_by_the_seed)
{
	struct mb_dataset *first, *again, *other;
	struct mb_str text = {0};
	struct mb_err err;

	for (int i = 0; i < 52; i++)
		mb_str_addf(&text, "%d,%d\n", i, i % 2);
	first = table(text.at, NULL, (struct mb_dataset_query){.data_seed = 1}, &err);
	again = table(text.at, NULL, (struct mb_dataset_query){.data_seed = 1}, &err);
	other = table(text.at, NULL, (struct mb_dataset_query){.data_seed = 2}, &err);
	CHECK_INT(first->n_test, 10);
	CHECK_INT(first->n_train, 42);
	CHECK(first->digest == again->digest && first->digest != other->digest);
	mb_dataset_close(first), mb_dataset_close(again), mb_dataset_close(other);
	mb_str_release(&text);
}

TEST(names_what_is_wrong_with_a_table)
{
	struct mb_str many = {0};

	refuses("a,b,c\n1,2,3\n1,2\n", NULL, NONE, "t.csv:3 2 fields, but the first line of");
	refuses("a,b\n1,2\n3,\n", NULL, NONE, "t.csv:3:2 column b: the label is missing");
	refuses("a\n1\n", NULL, NONE, "t.csv one column alone");
	refuses("", NULL, NONE, "t.csv nothing in it");
	refuses("price,rooms\n1,2\n", NULL, (struct mb_dataset_query){.label = "prize"}, "task.label: prize is none of its 2");
	refuses("a,b\n1,x\n2,x\n", NULL, NONE, "column b: all labels are the same");
	refuses("a,b\n1,x\n2,y\n", NULL, (struct mb_dataset_query){.kind = MB_TASK_REGRESSION},
		"column b: \"x\" in line 2 is no number to learn");
	refuses("a,b\n1,2\n", "a,c\n1,2\n", NONE, "u.csv:1:2 column c is b in");
	refuses("a,b\n1,2\n", "1,2,3\n", NONE, "u.csv:1 3 fields");
	mb_str_adds(&many, "a,b\n");
	for (int i = 0; i < 200; i++)
		mb_str_addf(&many, "%s%d,%d\n", i == 150 ? "x" : "", i, i % 2);
	refuses(many.at, NULL, NONE, "t.csv:152:1 column a: more than 100 different texts");
	mb_str_clear(&many);
	mb_str_adds(&many, "a,b\n");
	for (int i = 0; i < 200; i++)
		mb_str_addf(&many, "x%d,%d\n", i, i % 2);
	refuses(many.at, NULL, NONE, "t.csv:102:1 column a: more than 100 different texts");
	mb_str_clear(&many);
	for (int i = 0; i < 2002; i++)
		mb_str_addf(&many, "%d,%d\n", i, i / 2);
	refuses(many.at, NULL, (struct mb_dataset_query){.kind = MB_TASK_CLASSIFICATION},
		"column 2: 1001 different labels, more than 1000 classes");
	mb_str_release(&many);
}

/* y = 3 - 2 a + 50 b, learnt by a network without hidden layers. */
TEST(a_linear_answer_is_found)
{
	struct mb_trainer_setup setup = {.seed = 1, .epochs = 30, .max_epochs = 30};
	json_t *json = json_loads("{\"hidden_layer_config\": [], \"batch_size\": 16, \"learning_rate\": 0.02}", 0, NULL);
	struct mb_evaluation evaluation = {0};
	struct mb_str text = {0};
	struct mb_trainer *trainer;
	struct mb_dataset *set;
	struct mb_split *split;
	struct mb_model_file model;
	struct mb_rng rng;
	struct mb_err err;
	char *path;

	mb_rng_init(&rng, 1, 0, MB_RNG_DIGITS);
	for (int i = 0; i < 500; i++) {
		const double a = 1000 * mb_rng_unit(&rng), b = mb_rng_unit(&rng);

		mb_str_addf(&text, "%.9g,%.9g,%.9g\n", a, b, 3 - 2 * a + 50 * b);
	}
	set = table(text.at, NULL, NONE, &err);
	CHECK_INT(mb_hyper_parse(json, "test", &setup.hyper, &err), 0);
	setup.split = split = mb_split_new(set, 0.2, 1, &err);
	CHECK_INT(split->n_val, 80);
	trainer = mb_trainer_new(&setup, &err);
	while (mb_trainer_run(trainer, NULL, NULL) == MB_TRAIN_EPOCH)
		;
	CHECK_TEXT(trainer->error, "");
	if (!(trainer->validation.r2 > 0.999))
		FAIL("r2 %g", trainer->validation.r2);
	CHECK(trainer->validation.loss < 0.001 * 333333); /* of a variance of 4 · 1000²/12, in the label's own unit */
	CHECK(trainer->validation.loss > 1e-3 * trainer->train_loss);
	path = mb_path_join(folder, "model");
	CHECK_INT(mb_trainer_save(trainer, path, &err), 0);
	CHECK_INT(mb_model_file_read(&model, path, &err), 0);
	CHECK_INT(mb_model_file_evaluate(&model, set, "validate", &evaluation, &err), 0);
	CHECK_NEAR(evaluation.loss, trainer->validation.loss, 0);
	CHECK_NEAR(evaluation.r2, trainer->validation.r2, 0);
	CHECK_INT(mb_model_file_evaluate(&model, set, "test", &evaluation, &err), 0);
	CHECK(evaluation.r2 > 0.999 && evaluation.n == 100);
	set->digest ^= 2;
	CHECK_INT(mb_model_file_evaluate(&model, set, "test", &evaluation, &err), -1);
	CHECK_TEXT(err.what, "the table has changed since the network was trained");
	unlink(path);
	free(path);
	mb_evaluation_release(&evaluation);
	mb_model_file_release(&model);
	mb_trainer_free(trainer);
	mb_split_free(split);
	mb_dataset_close(set);
	mb_str_release(&text);
	json_decref(json);
}

/* The gradient of the squared error against differences of it. */
TEST(gradient_of_the_squared_error)
{
	const float numbers[2] = {0.5f, -2};
	mb_real outputs[2 * 16] = {[0] = 1.25f, [16] = 3}, grad[2 * 16];
	const double step = 1e-2;

	CHECK_NEAR(mb_square_loss(outputs, 16, 2, numbers, 0.25f, grad), 0.75 * 0.75 + 25, 1e-6);
	for (size_t i = 0; i < 2; i++) {
		double up, down;

		outputs[16 * i] += (mb_real)step;
		up = mb_square_loss(outputs, 16, 2, numbers, 0, NULL);
		outputs[16 * i] -= 2 * (mb_real)step;
		down = mb_square_loss(outputs, 16, 2, numbers, 0, NULL);
		outputs[16 * i] += (mb_real)step;
		CHECK_NEAR((double)grad[16 * i], 0.25 * (up - down) / (2 * step), 1e-3);
		for (size_t j = 1; j < 16; j++)
			CHECK_NEAR((double)grad[16 * i + j], 0, 0);
	}
}

TEST(arrays_become_tables)
{
	const float x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
	const int64_t y[] = {7, 9, 7, 9, 7, 9, 7, 9, 7, 9};
	char *paths[] = {put_npy("x.npy", 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (10, 2), }", x, sizeof x),
			 put_npy("y.npy", 1, "{'descr': '<i8', 'fortran_order': False, 'shape': (10,), }", y, sizeof y)};
	const char *names[] = {folder, paths[0]};
	struct mb_str note = {0};
	struct mb_dataset *set;
	struct mb_err err = {0};

	for (int i = 0; i < 2; i++) { /* by the folder, and by the file */
		struct mb_dataset_query query = {.name = names[i]};

		set = mb_dataset_open(&query, &note, &err);
		CHECK_TEXT(err.what, "");
		CHECK_INT(set->pixels, 2);
		CHECK_INT(set->classes, 2);
		CHECK_TEXT(set->class_names[1], "9");
		CHECK_INT(set->n_train + set->n_test, 10);
		for (size_t j = 1; j < set->n_train; j++)
			CHECK(set->train_rows[2 * j] > set->train_rows[2 * j - 2]);
		mb_dataset_close(set);
	}
	unlink(paths[1]); /* alone it has the label in one of its own columns */
	set = mb_dataset_open(&(struct mb_dataset_query){.name = paths[0], .label = "1", .kind = MB_TASK_REGRESSION}, &note,
			      &err);
	CHECK_TEXT(err.what, "");
	CHECK_INT(set->pixels, 1);
	CHECK(set->label_mean > 5 && set->label_mean < 15);
	mb_dataset_close(set);
	unlink(paths[0]);
	free(paths[0]), free(paths[1]);
	rmdir(folder);
}

TEST_MAIN
