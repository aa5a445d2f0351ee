/* SPDX-License-Identifier: MIT
 *
 * Data sets in memory and in the cache file. A cache file is only ever made whole and renamed into place; one that
 * was cut short, damaged, or made from other files is noticed by size, key and digest and made anew.
 */
#include "nn/images.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 4096, PART_ALIGN = 64 };

static const char magic[8] = {'m', 'b', 'd', 'a', 't', 'a', '2', '\n'};

struct head {
	char magic[8];
	uint64_t bytes, key, digest;
	uint64_t rows, cols, classes, n_train, n_test;
	char about[2048]; /* where it came from */
};

_Static_assert(sizeof(struct head) <= HEAD_BYTES, "the head fits into its page");

static size_t part(size_t *at, size_t n)
{
	size_t start = *at;

	*at += (n + PART_ALIGN - 1) / PART_ALIGN * PART_ALIGN;
	return start;
}

/* Sizes and places from the counts; to->… point into block unless it is NULL. Returns the bytes in all. */
static size_t lay_out(const struct mb_dataset *set, uint8_t *block, struct mb_images *to)
{
	size_t at = HEAD_BYTES, places[4];

	places[0] = part(&at, set->n_train * set->pixels);
	places[1] = part(&at, set->n_test * set->pixels);
	places[2] = part(&at, set->n_train * sizeof(uint16_t));
	places[3] = part(&at, set->n_test * sizeof(uint16_t));
	if (block)
		*to = (struct mb_images){block + places[0], block + places[1], (uint16_t *)(void *)(block + places[2]),
					 (uint16_t *)(void *)(block + places[3])};
	return at;
}

static void adopt(struct mb_dataset *set, const struct mb_images *images)
{
	set->train_x = images->train_x;
	set->test_x = images->test_x;
	set->train_y = images->train_y;
	set->test_y = images->test_y;
}

int mb_images_new(struct mb_dataset *set, struct mb_images *to, struct mb_err *err)
{
	set->pixels = set->rows * set->cols;
	set->bytes = lay_out(set, NULL, to);
	set->block = mmap(NULL, set->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (set->block == MAP_FAILED) {
		set->block = NULL;
		return mb_err_errno(err, set->name, "memory for the images");
	}
	madvise(set->block, set->bytes, MADV_HUGEPAGE); /* an offer; less time in page faults and look-ups */
	lay_out(set, set->block, to);
	adopt(set, to);
	return 0;
}

static uint64_t digest_of(const struct mb_dataset *set)
{
	const uint64_t counts[] = {set->rows, set->cols, set->classes, set->n_train, set->n_test};

	return mb_hash_bytes((const uint8_t *)set->block + HEAD_BYTES, set->bytes - HEAD_BYTES,
			     mb_hash_bytes(counts, sizeof counts, 0));
}

static size_t count_classes(const uint16_t *labels, size_t n, size_t least)
{
	for (size_t i = 0; i < n; i++)
		least = labels[i] >= least ? labels[i] + 1u : least;
	return least;
}

void mb_images_seal(struct mb_dataset *set)
{
	set->classes = count_classes(set->train_y, set->n_train, 0);
	set->classes = count_classes(set->test_y, set->n_test, set->classes);
	set->digest = digest_of(set);
}

/* The head's counts are trusted only as far as the file's size and digest bear them out. */
static int take_head(struct mb_dataset *set, const struct head *head, size_t bytes, uint64_t key)
{
	const uint64_t most = (uint64_t)1 << 31;

	if (memcmp(head->magic, magic, sizeof magic) || head->bytes != bytes || head->key != key)
		return -1;
	if (head->classes < 2 || head->classes > MB_CLASSES_MAX || !head->rows || !head->cols || head->rows > 65536 || head->cols > 65536 ||
	    !head->n_train || !head->n_test || head->n_train > most || head->n_test > most)
		return -1;
	set->rows = head->rows;
	set->cols = head->cols;
	set->pixels = head->rows * head->cols;
	set->classes = head->classes;
	set->n_train = head->n_train;
	set->n_test = head->n_test;
	set->digest = head->digest;
	return set->pixels <= bytes && head->n_train <= bytes && head->n_test <= bytes ? 0 : -1;
}

int mb_cache_load(struct mb_dataset *set, const char *path, uint64_t key)
{
	struct mb_dataset found = *set;
	struct mb_images parts = {0};
	struct stat stat;
	void *block = MAP_FAILED;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_size > HEAD_BYTES)
		block = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (block == MAP_FAILED)
		return -1;
	found.block = block;
	found.bytes = (size_t)stat.st_size;
	if (take_head(&found, block, found.bytes, key) < 0 || lay_out(&found, block, &parts) != found.bytes ||
	    digest_of(&found) != found.digest) {
		munmap(block, found.bytes);
		return -1;
	}
	adopt(&found, &parts);
	*set = found;
	return 0;
}

int mb_cache_store(struct mb_dataset *set, const char *path, uint64_t key, const char *about, struct mb_err *err)
{
	struct head *head = set->block;
	struct mb_dataset old = *set;

	*head = (struct head){.bytes = set->bytes, .key = key, .digest = set->digest, .rows = set->rows,
			      .cols = set->cols, .classes = set->classes, .n_train = set->n_train,
			      .n_test = set->n_test};
	memcpy(head->magic, magic, sizeof magic);
	snprintf(head->about, sizeof head->about, "%s", about);
	if (mb_file_replace(path, set->block, set->bytes, 0, err) < 0)
		return -1;
	if (mb_cache_load(set, path, key) == 0)
		munmap(old.block, old.bytes);
	return 0;
}
