/* SPDX-License-Identifier: MIT
 *
 * Where data sets are looked for, and how the four files become one block of memory.
 */
#include "nn/dataset.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "nn/idx.h"
#include "nn/images.h"

enum { TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS, N_FILES };

static const char *const stems[N_FILES] = {"train-images", "train-labels", "t10k-images", "t10k-labels"};

/* Data sets that have a name; `proper` is how torchvision calls their folder. */
static const struct known {
	const char *name, *proper, *remedy;
} known[] = {
	{"fashion-mnist", "FashionMNIST", "apt-get install dataset-fashion-mnist"},
	{"mnist", "MNIST",
	 "put the four files of https://ossci-datasets.s3.amazonaws.com/mnist/ into one folder, and name it with -d, "
	 "or as "
	 "task.dataset"},
	{NULL, NULL, NULL},
};

static const char *const usual[] = {"/usr/share/datasets", "/usr/local/share/datasets", "/usr/share/dataset", "/data",
				    "/srv/datasets", NULL};

static const char mnist_files[] =
	"train-images-idx3-ubyte.gz (sha256 440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609), "
	"train-labels-idx1-ubyte.gz (3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c), "
	"t10k-images-idx3-ubyte.gz (8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6), "
	"t10k-labels-idx1-ubyte.gz (f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6)";

/* The four files of a folder. */
struct files {
	char *path[N_FILES];
	size_t found;
};

static void files_release(struct files *files)
{
	for (int i = 0; i < N_FILES; i++)
		free(files->path[i]);
	*files = (struct files){0};
}

/* train-images-idx3-ubyte, also with a dot before idx3 as some unpackers leave it, each plain or .gz; labels may be of 16
 * or 32 bits, and are then called train-labels-idx1-short or -int. */
static void look_in(const char *folder, struct files *files)
{
	static const char *const types[] = {"ubyte", "short", "int"};
	struct stat stat_;

	*files = (struct files){0};
	for (int i = 0; i < N_FILES; i++)
		for (int form = 0; form < (i % 2 ? 12 : 4) && !files->path[i]; form++) {
			char *path = mb_textf("%s/%s%cidx%d-%s%s", folder, stems[i], form % 2 ? '.' : '-',
					      i % 2 ? 1 : 3, types[form / 4], form / 2 % 2 ? ".gz" : "");

			if (stat(path, &stat_) == 0) {
				files->path[i] = path;
				files->found++;
			} else {
				free(path);
			}
		}
}

/* Folders looked in, and what was found in the best of them. */
struct search {
	struct mb_str looked; /* "a, b, c" */
	char *folder;
	struct files files;
};

/* 1 when the folder has all four; takes the text. */
static int try_folder(struct search *search, char *folder)
{
	struct files files;

	if (search->files.found == N_FILES) {
		free(folder);
		return 1;
	}
	mb_str_addf(&search->looked, "%s%s", search->looked.n ? ", " : "", folder);
	look_in(folder, &files);
	if (files.found <= search->files.found) {
		files_release(&files);
		free(folder);
		return 0;
	}
	files_release(&search->files);
	free(search->folder);
	search->files = files;
	search->folder = folder;
	return files.found == N_FILES;
}

/* The places that a collection of data sets may keep this one in. */
static int try_root(struct search *search, const char *root, const char *name, const char *proper)
{
	struct stat stat_;

	if (try_folder(search, mb_path_join(root, name)))
		return 1;
	if (proper) {
		char *folder = mb_textf("%s/%s/raw", root, proper);

		if (stat(folder, &stat_) == 0)
			return try_folder(search, folder);
		free(folder);
	}
	return 0;
}

static void look_everywhere(struct search *search, const struct mb_dataset_query *query, const struct known *set)
{
	const char *here = query->experiment_folder ? query->experiment_folder : ".";

	if (query->data) {
		if (!try_folder(search, mb_strdup(query->data)))
			try_root(search, query->data, query->name, set ? set->proper : NULL);
		return;
	}
	if (!set) {
		try_folder(search, mb_path_join(here, query->name));
		return;
	}
	if (try_root(search, here, set->name, set->proper))
		return;
	for (size_t i = 0; query->places && query->places[i]; i++)
		if (try_root(search, query->places[i], set->name, set->proper))
			return;
	for (size_t i = 0; usual[i]; i++)
		if (try_root(search, usual[i], set->name, set->proper))
			return;
}

static int not_found(const struct search *search, const struct mb_dataset_query *query, const struct known *set,
		     struct mb_err *err)
{
	static const char *const names[] = {"fashion-mnist", "mnist", "digits", NULL};
	const char *near = mb_nearest(query->name, names);

	for (int i = 0; search->files.found && i < N_FILES; i++)
		if (!search->files.path[i])
			return mb_err_set(err, MB_EXIT_SYSTEM, search->folder, "%s-idx%d-ubyte (or .gz) is missing",
					  stems[i], i % 2 ? 1 : 3);
	if (set && !strcmp(set->name, "mnist"))
		mb_err_set(err, MB_EXIT_SYSTEM, NULL, "data set mnist is not here: looked in %.420s; it is %s",
			   search->looked.at, mnist_files);
	else
		mb_err_set(err, MB_EXIT_SYSTEM, NULL, "data set %.200s is not here: looked in %.600s for %s",
			   query->name, search->looked.at,
			   "train-images-idx3-ubyte[.gz] and the other three IDX files");
	if (set)
		return mb_err_hint(err, "%s", set->remedy);
	if (near)
		return mb_err_hint(err, "did you mean %s?", near);
	return mb_err_hint(err, "task.dataset: fashion-mnist, mnist, digits or a folder with the four files");
}

static int check_counts(const struct files *files, const struct mb_idx idx[N_FILES], struct mb_err *err)
{
	for (int i = 0; i < N_FILES; i += 2)
		if (idx[i].dims[0] != idx[i + 1].dims[0])
			return mb_err_set(err, MB_EXIT_SYSTEM, files->path[i], "%u images, but %u labels in %s",
					  idx[i].dims[0], idx[i + 1].dims[0], mb_path_name(files->path[i + 1]));
	if (idx[TRAIN_IMAGES].dims[1] != idx[TEST_IMAGES].dims[1] ||
	    idx[TRAIN_IMAGES].dims[2] != idx[TEST_IMAGES].dims[2])
		return mb_err_set(err, MB_EXIT_SYSTEM, files->path[TEST_IMAGES],
				  "images of %u×%u, but those for training are %u×%u", idx[TEST_IMAGES].dims[1],
				  idx[TEST_IMAGES].dims[2], idx[TRAIN_IMAGES].dims[1], idx[TRAIN_IMAGES].dims[2]);
	if ((uint64_t)idx[TRAIN_IMAGES].dims[1] * idx[TRAIN_IMAGES].dims[2] > MB_PIXELS_MAX)
		return mb_err_set(err, MB_EXIT_SYSTEM, files->path[TRAIN_IMAGES],
				  "images of %u×%u: more than %d pixels", idx[TRAIN_IMAGES].dims[1],
				  idx[TRAIN_IMAGES].dims[2], MB_PIXELS_MAX);
	return 0;
}

static int read_parts(struct mb_dataset *set, const struct files *files, struct mb_idx idx[N_FILES],
		      struct mb_err *err)
{
	struct mb_images to;

	set->rows = idx[TRAIN_IMAGES].dims[1];
	set->cols = idx[TRAIN_IMAGES].dims[2];
	set->n_train = idx[TRAIN_IMAGES].dims[0];
	set->n_test = idx[TEST_IMAGES].dims[0];
	if (mb_images_new(set, &to, err) < 0)
		return -1;
	if (mb_idx_read(&idx[TRAIN_IMAGES], to.train_x, err) < 0 ||
	    mb_idx_read_labels(&idx[TRAIN_LABELS], to.train_y, MB_CLASSES_MAX - 1, err) < 0 ||
	    mb_idx_read(&idx[TEST_IMAGES], to.test_x, err) < 0 ||
	    mb_idx_read_labels(&idx[TEST_LABELS], to.test_y, MB_CLASSES_MAX - 1, err) < 0)
		return -1;
	mb_images_seal(set);
	if (set->classes < 2)
		return mb_err_set(err, MB_EXIT_SYSTEM, files->path[TRAIN_LABELS],
				  "all labels are 0: there is nothing to tell apart");
	return 0;
}

static int read_files(struct mb_dataset *set, const struct files *files, struct mb_err *err)
{
	struct mb_idx idx[N_FILES] = {0};
	int bad = 0;

	for (int i = 0; i < N_FILES && !bad; i++)
		bad = mb_idx_open(&idx[i], files->path[i], i % 2 ? 1 : 3, err);
	if (!bad)
		bad = check_counts(files, idx, err);
	if (!bad)
		bad = read_parts(set, files, idx, err);
	for (int i = 0; i < N_FILES; i++)
		mb_idx_close(&idx[i]);
	return bad;
}

/* "path size mtime" a line: what a cache file was made from. */
static void describe(const struct files *files, struct mb_str *text)
{
	struct stat at = {0};

	for (int i = 0; i < N_FILES; i++) {
		char *whole = realpath(files->path[i], NULL);

		if (stat(files->path[i], &at) < 0)
			at = (struct stat){0};
		mb_str_addf(text, "%s %lld %lld.%09ld\n", whole ? whole : files->path[i], (long long)at.st_size,
			    (long long)at.st_mtim.tv_sec, at.st_mtim.tv_nsec);
		free(whole);
	}
}

/* The cache file's name: the folder's last part, and a hash of all of its path, so that two folders do not fight. */
static char *cache_path(const char *cache, const struct search *search, const char *name)
{
	char *whole = realpath(search->folder, NULL), *path;
	const char *folder = whole ? whole : search->folder;

	path = mb_textf("%s/%s-%016llx.images", cache, mb_path_name(name),
			(unsigned long long)mb_hash_bytes(folder, strlen(folder), 0));
	free(whole);
	return path;
}

static int load(struct mb_dataset *set, const struct mb_dataset_query *query, const struct search *search,
		struct mb_str *note, struct mb_err *err)
{
	struct mb_str about = {0};
	struct mb_err trouble;
	char *path, text[512];
	uint64_t key;
	int bad = 0;

	if (!query->cache)
		return read_files(set, &search->files, err);
	describe(&search->files, &about);
	key = mb_hash_bytes(about.at, about.n, 0);
	path = cache_path(query->cache, search, query->name);
	if (mb_cache_load(set, path, key) < 0) {
		bad = read_files(set, &search->files, err);
		if (!bad && (mb_mkdirs(query->cache, &trouble) < 0 ||
			     mb_cache_store(set, path, key, about.at, &trouble) < 0))
			mb_str_addf(note, "no cache, the data are unpacked each time: %s",
				    mb_err_text(&trouble, text, sizeof text));
	}
	free(path);
	mb_str_release(&about);
	return bad;
}

static int not_a_table(const struct mb_dataset_query *query, struct mb_err *err)
{
	mb_err_set(err, MB_EXIT_USAGE, NULL, "task.%s: is for tables, and %.200s is none",
		   query->label ? "label" : query->test ? "test" : "kind", query->name);
	return mb_err_hint(err, "tables are files that end in .csv or .npy, or a folder with x.npy and y.npy");
}

struct mb_dataset *mb_dataset_open(const struct mb_dataset_query *query, struct mb_str *note, struct mb_err *err)
{
	struct mb_dataset *set = mb_alloc(sizeof *set);
	const struct known *named = known;
	struct search search = {0};
	int bad;

	set->name = mb_strdup(query->name);
	bad = mb_tabular_open(set, query, err);
	if (bad > 0 && (query->label || query->test || query->kind)) {
		bad = not_a_table(query, err);
	} else if (bad > 0 && !strcmp(query->name, "digits")) {
		set->source = mb_strdup("built in");
		bad = mb_digits_draw(set, err);
	} else if (bad > 0) {
		while (named->name && strcmp(named->name, query->name))
			named++;
		named = named->name ? named : NULL;
		look_everywhere(&search, query, named);
		if (search.files.found == N_FILES)
			bad = load(set, query, &search, note, err);
		else
			bad = not_found(&search, query, named, err);
		set->source = search.folder;
		search.folder = NULL;
	}
	files_release(&search.files);
	mb_str_release(&search.looked);
	if (!bad)
		return set;
	mb_dataset_close(set);
	return NULL;
}

void mb_dataset_close(struct mb_dataset *set)
{
	if (!set)
		return;
	if (set->block)
		munmap(set->block, set->bytes);
	free(set->name);
	free(set->source);
	free(set->label);
	free(set->test);
	for (size_t c = 0; set->class_names && c < set->classes; c++)
		free(set->class_names[c]);
	free(set->class_names);
	free(set);
}
