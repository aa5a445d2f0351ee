/* SPDX-License-Identifier: MIT
 *
 * The head is the text of a Python dict, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", after "\x93NUMPY",
 * two bytes of version and its length in two bytes (version 1) or four: NumPy's documentation, numpy.lib.format.
 */
#include "nn/npy.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAGIC = 6, MOST_HEAD = 65536 };

static int wrong(const char *path, const char *what, const char *text, struct mb_err *err)
{
	return mb_err_set(err, MB_EXIT_SYSTEM, path, "%s%.80s", what, text);
}

/* What follows 'KEY': in the head, NULL: nothing. */
static const char *value_of(const char *head, const char *key)
{
	const char *at = strstr(head, key);

	if (!at)
		return NULL;
	at += strlen(key);
	at += strspn(at, " ");
	if (*at != ':')
		return NULL;
	at++;
	return at + strspn(at, " ");
}

static int read_type(struct mb_npy *npy, const char *head, const char *path, struct mb_err *err)
{
	static const char *const taken[] = {"<f4", "<f8", "|b1", "|u1", "<u2", "<u4", "<u8", "|i1", "<i2", "<i4", "<i8"};
	const char *at = value_of(head, "'descr'");

	for (size_t i = 0; at && i < MB_COUNT(taken); i++)
		if (at[0] == '\'' && !strncmp(at + 1, taken[i], 3) && at[4] == '\'') {
			npy->kind = taken[i][1];
			npy->item = (size_t)(taken[i][2] - '0');
			return 0;
		}
	wrong(path, "its numbers are not of a type that is taken: descr is ", at ? at : "missing", err);
	return mb_err_hint(err, "in Python: numpy.save(path, array.astype(\"<f4\"))");
}

/* (rows,) or (rows, cols) */
static int read_shape(struct mb_npy *npy, const char *head, const char *path, struct mb_err *err)
{
	const char *at = value_of(head, "'shape'"), *digits;
	unsigned long long dims[2] = {0, 1};
	size_t n = 0;

	if (!at || *at != '(')
		return wrong(path, "damaged: its head has no shape", "", err);
	for (digits = at + 1; digits[strspn(digits, " ,")] != ')'; n++) {
		char *end;

		digits += strspn(digits, " ,");
		if (*digits < '0' || *digits > '9')
			return wrong(path, "damaged: its shape is ", at, err);
		if (n == 2)
			return wrong(path, "more than two dimensions: its shape is ", at, err);
		dims[n] = strtoull(digits, &end, 10);
		digits = end;
	}
	if (!n || !dims[0] || !dims[1])
		return wrong(path, "nothing in it: its shape is ", at, err);
	if (dims[0] > SIZE_MAX / npy->item / dims[1])
		return wrong(path, "damaged: more than a file can hold: its shape is ", at, err);
	npy->rows = (size_t)dims[0];
	npy->cols = (size_t)dims[1];
	return 0;
}

static int read_order(struct mb_npy *npy, const char *head, const char *path, struct mb_err *err)
{
	const char *at = value_of(head, "'fortran_order'");
	const int fortran = at && !strncmp(at, "True", 4);

	if (!fortran && !(at && !strncmp(at, "False", 5)))
		return wrong(path, "damaged: its head has no fortran_order", "", err);
	npy->row_step = fortran ? 1 : npy->cols;
	npy->col_step = fortran ? npy->rows : 1;
	return 0;
}

static int read_head(struct mb_npy *npy, const char *path, struct mb_err *err)
{
	const uint8_t *bytes = npy->block;
	size_t start = 10, length;
	char *head;
	int bad;

	if (npy->bytes < 12 || memcmp(bytes, "\x93NUMPY", MAGIC) || bytes[6] < 1 || bytes[6] > 3)
		return wrong(path, "no .npy file of version 1 to 3", "", err);
	length = bytes[8] | (size_t)bytes[9] << 8;
	if (bytes[6] > 1) {
		start = 12;
		length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
	}
	if (length > MOST_HEAD || length > npy->bytes - start)
		return wrong(path, "damaged: its head is longer than the file", "", err);
	head = mb_alloc(length + 1);
	memcpy(head, bytes + start, length);
	bad = read_type(npy, head, path, err) < 0 || read_shape(npy, head, path, err) < 0 ||
	      read_order(npy, head, path, err) < 0;
	free(head);
	if (bad)
		return -1;
	npy->data = bytes + start + length;
	if (npy->rows * npy->cols * npy->item != npy->bytes - start - length)
		return mb_err_set(err, MB_EXIT_SYSTEM, path, "damaged: %zu bytes of numbers, its head says %zu x %zu of %zu",
				  npy->bytes - start - length, npy->rows, npy->cols, npy->item);
	return 0;
}

int mb_npy_open(struct mb_npy *npy, const char *path, struct mb_err *err)
{
	struct stat stat;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*npy = (struct mb_npy){0};
	if (fd < 0)
		return mb_err_errno(err, path, NULL);
	if (fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode) || !stat.st_size) {
		close(fd);
		return wrong(path, "not a regular file with something in it", "", err);
	}
	npy->bytes = (size_t)stat.st_size;
	npy->block = mmap(NULL, npy->bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (npy->block == MAP_FAILED) {
		npy->block = NULL;
		return mb_err_errno(err, path, "mmap");
	}
	return read_head(npy, path, err);
}

void mb_npy_close(struct mb_npy *npy)
{
	if (npy->block)
		munmap(npy->block, npy->bytes);
	*npy = (struct mb_npy){0};
}

double mb_npy_get(const struct mb_npy *npy, size_t row, size_t col)
{
	const uint8_t *at = npy->data + (row * npy->row_step + col * npy->col_step) * npy->item;
	uint64_t bits = 0;
	double value;
	float narrow;

	memcpy(&bits, at, npy->item); /* both little-endian */
	if (npy->kind == 'f' && npy->item == 4) {
		memcpy(&narrow, at, sizeof narrow);
		return (double)narrow;
	}
	if (npy->kind == 'f') {
		memcpy(&value, at, sizeof value);
		return value;
	}
	if (npy->kind == 'i' && npy->item < 8 && bits >> (8 * npy->item - 1))
		return (double)bits - (double)((uint64_t)1 << 8 * npy->item);
	return npy->kind == 'i' ? (double)(int64_t)bits : (double)bits;
}
