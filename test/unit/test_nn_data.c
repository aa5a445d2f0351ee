/* SPDX-License-Identifier: MIT
 *
 * Data sets: reading, caching, damage, where they are looked for; the built-in one; the split.
 */
#include "nn/dataset.h"

#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "nn/split.h"
#include "unit/check.h"

/* Of the images and labels as first drawn: a change of the generator changes results, and is news. */
#define DIGITS_DIGEST 0x1baba2029fa5d191u

static char folder[64];
static const char *const names[4] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
				     "t10k-labels-idx1-ubyte"};

static void put(const char *name, const void *bytes, size_t n)
{
	char *path = mb_path_join(folder, name);
	struct mb_err err;

	CHECK_INT(mb_file_replace(path, bytes, n, 0, &err), 0);
	free(path);
}

static void drop(const char *name)
{
	char *path = mb_path_join(folder, name);

	unlink(path);
	free(path);
}

/* An IDX file of `n` items, each of side × side bytes (labels when side is 0), filled with i % 10. */
static void put_idx(const char *name, unsigned n, unsigned side)
{
	uint8_t bytes[4096] = {0, 0, 8, side ? 3 : 1, 0, 0, (uint8_t)(n >> 8), (uint8_t)n};
	size_t at = 8;

	if (side) {
		bytes[11] = bytes[15] = (uint8_t)side;
		at = 16;
	}
	for (unsigned i = 0; i < n * (side ? side * side : 1); i++)
		bytes[at++] = (uint8_t)(i % 10);
	put(name, bytes, at);
}

static void fresh_folder(void)
{
	if (!folder[0]) {
		snprintf(folder, sizeof folder, "/tmp/mb-test-XXXXXX");
		CHECK(mkdtemp(folder) != NULL);
	}
	put_idx(names[0], 20, 3);
	put_idx(names[1], 20, 0);
	put_idx(names[2], 10, 3);
	put_idx(names[3], 10, 0);
}

static struct mb_dataset *open_folder(const char *cache, struct mb_str *note, struct mb_err *err)
{
	struct mb_dataset_query query = {.name = folder, .cache = cache};

	memset(err, 0, sizeof *err);
	return mb_dataset_open(&query, note, err);
}

static void refuses(const char *file, const char *what)
{
	struct mb_str note = {0};
	struct mb_err err;
	struct mb_dataset *set = open_folder(NULL, &note, &err);

	CHECK(set == NULL);
	CHECK_INT(err.code, MB_EXIT_SYSTEM);
	CHECK_TEXT(mb_path_name(err.where), file);
	if (!strstr(err.what, what))
		FAIL("\"%s\" is not in \"%s\"", what, err.what);
	mb_dataset_close(set);
	mb_str_release(&note);
	fresh_folder();
}

TEST(reads_idx_files)
{
	struct mb_str note = {0};
	struct mb_err err;
	struct mb_dataset *set;

	fresh_folder();
	set = open_folder(NULL, &note, &err);
	CHECK_TEXT(err.what, "");
	CHECK_INT(set->n_train, 20);
	CHECK_INT(set->n_test, 10);
	CHECK_INT(set->pixels, 9);
	CHECK_INT(set->train_x[13], 3);
	CHECK_INT(set->train_y[19], 9);
	CHECK_INT(set->test_y[3], 3);
	CHECK_INT(note.n, 0);
	mb_dataset_close(set);
}

TEST(reads_gz_as_plain)
{
	struct mb_str note = {0}, plain = {0};
	struct mb_err err;
	struct mb_dataset *set, *gz;
	char *from, *to;
	struct stat at;
	gzFile file;

	fresh_folder();
	set = open_folder(NULL, &note, &err);
	from = mb_path_join(folder, names[0]);
	to = mb_textf("%s.gz", from);
	mb_file_read(from, 0, &plain, &err);
	file = gzopen(to, "wb");
	gzwrite(file, plain.at, (unsigned)plain.n);
	gzclose(file);
	unlink(from);
	gz = open_folder(NULL, &note, &err);
	CHECK(gz && set && gz->digest == set->digest);
	mb_dataset_close(gz);
	CHECK_INT(stat(to, &at), 0);
	for (long cut = 1; cut < at.st_size; cut++) { /* a download that broke off, anywhere */
		CHECK_INT(truncate(to, at.st_size - cut), 0);
		gz = open_folder(NULL, &note, &err);
		CHECK(!gz);
		CHECK(strstr(err.what, "damaged") || strstr(err.what, "starts with") ||
		      strstr(err.what, "more than"));
		mb_dataset_close(gz);
	}
	unlink(to);
	free(from), free(to);
	mb_str_release(&plain);
	mb_dataset_close(set);
}

TEST(names_what_is_wrong_with_a_file)
{
	uint8_t huge[16] = {0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
	uint8_t zero[16] = {0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 3};
	uint8_t label[28] = {0, 0, 11, 1, 0, 0, 0, 10, 0, 1, 0, 2, 0, 3, 3, 232};
	uint8_t below[48] = {0, 0, 12, 1, 0, 0, 0, 10, 0, 0, 0, 1, 255, 255, 255, 255};
	uint8_t none[28] = {0, 0, 8, 1, 0, 0, 0, 20};

	fresh_folder();
	put(names[0], "PNG!xxxxxxxxxxxx", 16);
	refuses(names[0], "starts with 504e4721, not 00000803");
	put(names[0], huge, sizeof huge);
	refuses(names[0], "more than the file can hold");
	put(names[0], zero, sizeof zero);
	refuses(names[0], "dimension 1 is 0");
	put(names[0], "", 0);
	refuses(names[0], "ends too early");
	put_idx(names[1], 19, 0);
	refuses(names[0], "20 images, but 19 labels");
	put(names[3], label, sizeof label);
	refuses(names[3], "label 1000 at 3 is not in 0 … 999");
	put(names[3], below, sizeof below);
	refuses(names[3], "label 4294967295 at 1 is not in 0");
	put(names[1], none, sizeof none);
	put(names[3], "\0\0\10\1\0\0\0\12\0\0\0\0\0\0\0\0\0\0", 18);
	refuses(names[1], "all labels are 0");
	put_idx(names[2], 10, 4);
	refuses(names[2], "images of 4×4, but those for training are 3×3");
	put(names[3], "\0\0\10\1\0\0\0\12aaaaaaaaaabbbb", 22);
	refuses(names[3], "more bytes than its head says");
	drop(names[2]);
	refuses(mb_path_name(folder), "t10k-images-idx3-ubyte (or .gz) is missing");
}

TEST(cache_is_made_once_and_mended)
{
	char *cache = mb_textf("%s/cache/mb", folder), *pattern, *path, *image;
	struct mb_str note = {0};
	struct mb_err err;
	struct mb_dataset *set;
	uint64_t digest, changed;
	struct stat made, again;
	glob_t list;
	int fd;

	fresh_folder();
	set = open_folder(cache, &note, &err);
	CHECK(set != NULL);
	digest = set->digest;
	mb_dataset_close(set);
	pattern = mb_textf("%s/*.images", cache);
	CHECK_INT(glob(pattern, 0, NULL, &list), 0);
	CHECK_INT(list.gl_pathc, 1);
	path = list.gl_pathv[0];
	CHECK_INT(stat(path, &made), 0);

	set = open_folder(cache, &note, &err); /* used as it is */
	CHECK_INT(stat(path, &again), 0);
	CHECK_INT(again.st_ino, made.st_ino);
	CHECK(set->digest == digest);
	mb_dataset_close(set);

	CHECK_INT(truncate(path, made.st_size - 8), 0); /* cut short */
	set = open_folder(cache, &note, &err);
	CHECK(set && set->digest == digest);
	mb_dataset_close(set);

	fd = open(path, O_RDWR); /* one bit of an image */
	CHECK_INT(pwrite(fd, "\377", 1, 4096 + 5), 1);
	close(fd);
	set = open_folder(cache, &note, &err);
	CHECK(set && set->digest == digest && set->train_x[5] == 5);
	mb_dataset_close(set);

	put_idx(names[0], 20, 3); /* a new source: other time, other content */
	image = mb_path_join(folder, names[0]);
	fd = open(image, O_RDWR);
	CHECK_INT(pwrite(fd, "\311", 1, 16), 1);
	close(fd);
	set = open_folder(cache, &note, &err);
	changed = set ? set->digest : digest;
	CHECK(changed != digest);
	mb_dataset_close(set);
	CHECK_INT(note.n, 0);
	globfree(&list);
	free(image), free(pattern), free(cache);
}

TEST(works_without_a_writable_cache)
{
	struct mb_str note = {0};
	struct mb_err err;
	struct mb_dataset *set;

	fresh_folder();
	set = open_folder("/proc/mb-cache", &note, &err);
	CHECK(set != NULL);
	CHECK(note.n && strstr(note.at, "no cache") && strstr(note.at, "/proc/mb-cache"));
	mb_dataset_close(set);
	mb_str_release(&note);
}

TEST(says_where_it_looked)
{
	const char *const places[] = {"/nowhere/data", NULL};
	struct mb_dataset_query query = {.name = "mnist", .experiment_folder = "/nowhere/exp", .places = places};
	struct mb_str note = {0};
	struct mb_err err;
	struct mb_dataset *set = mb_dataset_open(&query, &note, &err);

	if (!set) {
		CHECK_INT(err.code, MB_EXIT_SYSTEM);
		CHECK(strstr(err.what, "/nowhere/exp/mnist, /nowhere/data/mnist, /usr/share/datasets/mnist") != NULL);
		CHECK(strstr(err.what, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609") != NULL);
		CHECK(strstr(err.what, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6") != NULL);
		CHECK(strstr(err.hint, "https://") != NULL);
	}
	mb_dataset_close(set);
	query = (struct mb_dataset_query){.name = "fashion-mnist", .data = "/nowhere"};
	set = mb_dataset_open(&query, &note, &err);
	CHECK(!set);
	CHECK(strstr(err.what, "looked in /nowhere, /nowhere/fashion-mnist") != NULL);
	CHECK_TEXT(err.hint, "apt-get install dataset-fashion-mnist");
	query = (struct mb_dataset_query){.name = "fashon-mnist", .experiment_folder = "/nowhere"};
	set = mb_dataset_open(&query, &note, &err);
	CHECK(!set);
	CHECK_TEXT(err.hint, "did you mean fashion-mnist?");
}

TEST(digits_are_always_the_same)
{
	struct mb_dataset_query query = {.name = "digits"};
	struct mb_str note = {0};
	struct mb_err err;
	struct mb_dataset *set = mb_dataset_open(&query, &note, &err);
	size_t count[10] = {0};

	CHECK_INT(set->n_train, 2000);
	CHECK_INT(set->n_test, 500);
	CHECK_INT(set->pixels, 784);
	for (size_t i = 0; i < set->n_train; i++)
		count[set->train_y[i]]++;
	for (int c = 0; c < 10; c++)
		CHECK_INT(count[c], 200);
	if (set->digest != DIGITS_DIGEST)
		FAIL("digest 0x%016llx", (unsigned long long)set->digest);
	mb_dataset_close(set);
}

TEST(split_is_stratified_and_whole)
{
	static uint16_t labels[1003];
	struct mb_dataset set = {.classes = 10, .n_train = MB_COUNT(labels), .train_y = labels};
	size_t of[10] = {0}, all[10] = {0};
	unsigned char seen[MB_COUNT(labels)] = {0};
	struct mb_split *split, *other;
	struct mb_err err;

	for (size_t i = 0; i < MB_COUNT(labels); i++)
		labels[i] = (uint16_t)(i % 7 % 3 + (i % 11 == 0 ? 5 : 0));
	split = mb_split_new(&set, 0.2, 1337, &err);
	CHECK_INT(split->n_val, 201); /* round(200.6) */
	CHECK_INT(split->n_train, 802);
	for (size_t i = 0; i < split->n_val; i++)
		of[labels[split->val[i]]]++, seen[split->val[i]]++;
	for (size_t i = 0; i < split->n_train; i++)
		seen[split->train[i]]++;
	for (size_t i = 0; i < MB_COUNT(labels); i++) {
		all[labels[i]]++;
		CHECK_INT(seen[i], 1);
	}
	for (int c = 0; c < 10; c++)
		CHECK(fabs((double)of[c] - (double)all[c] * 201 / 1003) < 1);
	other = mb_split_new(&set, 0.2, 1337, &err);
	CHECK(!memcmp(split->val, other->val, split->n_val * sizeof *split->val));
	mb_split_free(other);
	other = mb_split_new(&set, 0.2, 1338, &err);
	CHECK(memcmp(split->val, other->val, split->n_val * sizeof *split->val) != 0);
	mb_split_free(other);
	mb_split_free(split);
	CHECK(!mb_split_new(&set, 0.0001, 1, &err));
	CHECK_INT(err.code, MB_EXIT_USAGE);
	CHECK(!mb_split_new(&set, 0.9999, 1, &err));
}

/* Classes of 5, 3 and 2 images; a fifth of them is exactly 1, 0.6 and 0.4: the second place goes to the class of 3. */
TEST(left_over_places_go_to_the_largest_remainders)
{
	static const uint16_t labels[] = {0, 0, 0, 0, 0, 1, 1, 1, 2, 2};
	struct mb_dataset set = {.classes = 10, .n_train = MB_COUNT(labels), .train_y = labels};
	struct mb_err err;

	for (uint64_t seed = 0; seed < 20; seed++) {
		struct mb_split *split = mb_split_new(&set, 0.2, seed, &err);

		CHECK_INT(split->n_val, 2);
		CHECK_INT(labels[split->val[0]], 0);
		CHECK_INT(labels[split->val[1]], 1);
		mb_split_free(split);
	}
}

TEST(orders_are_permutations_by_epoch)
{
	static uint16_t labels[500];
	struct mb_dataset set = {.classes = 10, .n_train = MB_COUNT(labels), .train_y = labels};
	uint32_t first[400], again[400], second[400];
	unsigned char seen[500] = {0};
	struct mb_split *split;
	struct mb_err err;

	for (size_t i = 0; i < MB_COUNT(labels); i++)
		labels[i] = (uint16_t)(i % 10);
	split = mb_split_new(&set, 0.2, 1, &err);
	mb_split_order(split, 0, first);
	mb_split_order(split, 1, second);
	mb_split_order(split, 0, again);
	CHECK(!memcmp(first, again, sizeof first));
	CHECK(memcmp(first, second, sizeof first) != 0);
	for (size_t i = 0; i < 400; i++)
		seen[second[i]]++;
	for (size_t i = 0; i < 400; i++)
		CHECK_INT(seen[split->train[i]], 1);
	mb_split_free(split);
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
	(void)stat, (void)kind, (void)at;
	return remove(path);
}

TEST(cleans_up)
{
	CHECK_INT(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

TEST_MAIN
