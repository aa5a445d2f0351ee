/* SPDX-License-Identifier: MIT */
#include "nn/idx.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	TYPE_BYTE = 8,
	TYPE_SIGNED = 9,
	TYPE_SHORT = 11,
	TYPE_INT = 12,
	INFLATE_MAX = 1032, /* deflate makes at most this much of a byte */
	MOST_BYTES = 1 << 30
};

static int gz_error(const struct mb_idx *idx, struct mb_err *err)
{
	int code;
	const char *text = gzerror(idx->file, &code);

	if (code == Z_ERRNO)
		return mb_err_errno(err, idx->path, "read");
	return mb_err_set(err, MB_EXIT_SYSTEM, idx->path, "damaged: %s",
			  code == Z_OK || code == Z_BUF_ERROR || !*text ? "it ends too early" : text);
}

/* Reads exactly n bytes. */
static int read_all(struct mb_idx *idx, void *to, size_t n, struct mb_err *err)
{
	uint8_t *at = to;

	while (n) {
		unsigned ask = n > 1 << 24 ? 1 << 24 : (unsigned)n;
		int got = gzread(idx->file, at, ask);

		if (got <= 0)
			return gz_error(idx, err);
		at += got;
		n -= (size_t)got;
	}
	return 0;
}

/* Bytes of a number, 0: not a type that is taken; images are of unsigned bytes. */
static size_t item_bytes(const uint8_t head[4])
{
	const int labels = head[3] == 1;

	if (head[0] || head[1])
		return 0;
	if (head[2] == TYPE_BYTE || (labels && head[2] == TYPE_SIGNED))
		return 1;
	return labels && head[2] == TYPE_SHORT ? 2 : labels && head[2] == TYPE_INT ? 4 : 0;
}

static int read_head(struct mb_idx *idx, int n_dims, uint64_t most, struct mb_err *err)
{
	uint8_t head[4], dim[4];

	if (read_all(idx, head, sizeof head, err) < 0)
		return -1;
	idx->item = item_bytes(head);
	if (!idx->item || head[3] != n_dims)
		return mb_err_set(
			err, MB_EXIT_SYSTEM, idx->path,
			"starts with %02x%02x%02x%02x, not 0000%02x%02x: no IDX file of bytes in %d dimension%s",
			head[0], head[1], head[2], head[3], TYPE_BYTE, n_dims, n_dims, n_dims > 1 ? "s" : "");
	idx->bytes = idx->item;
	for (int i = 0; i < n_dims; i++) {
		if (read_all(idx, dim, sizeof dim, err) < 0)
			return -1;
		idx->dims[i] = (uint32_t)dim[0] << 24 | (uint32_t)dim[1] << 16 | (uint32_t)dim[2] << 8 | dim[3];
		if (!idx->dims[i])
			return mb_err_set(err, MB_EXIT_SYSTEM, idx->path, "dimension %d is 0: it holds nothing",
					  i + 1);
		if (idx->dims[i] > most / idx->bytes)
			return mb_err_set(err, MB_EXIT_SYSTEM, idx->path,
					  "damaged: dimension %d is %u, more than the file can hold", i + 1,
					  idx->dims[i]);
		idx->bytes *= idx->dims[i];
	}
	return 0;
}

int mb_idx_open(struct mb_idx *idx, const char *path, int n_dims, struct mb_err *err)
{
	struct stat stat;
	uint64_t most;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*idx = (struct mb_idx){.path = path};
	if (fd < 0)
		return mb_err_errno(err, path, NULL);
	if (fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode)) {
		close(fd);
		return mb_err_set(err, MB_EXIT_SYSTEM, path, "not a regular file");
	}
	idx->file = gzdopen(fd, "rb");
	if (!idx->file) {
		close(fd);
		return mb_err_set(err, MB_EXIT_SYSTEM, path, "out of memory");
	}
	gzbuffer(idx->file, 1 << 17);
	most = (uint64_t)stat.st_size * (gzdirect(idx->file) ? 1 : INFLATE_MAX);
	if (read_head(idx, n_dims, most < MOST_BYTES ? most : MOST_BYTES, err) < 0) {
		mb_idx_close(idx);
		return -1;
	}
	return 0;
}

int mb_idx_read(struct mb_idx *idx, uint8_t *to, struct mb_err *err)
{
	uint8_t more;
	int got, code;

	if (read_all(idx, to, idx->bytes, err) < 0)
		return -1;
	got = gzread(idx->file, &more, 1); /* also makes zlib check the sum at the end */
	gzerror(idx->file, &code);
	if (got < 0 || code == Z_BUF_ERROR) /* the latter: cut off within the sum */
		return gz_error(idx, err);
	if (got > 0)
		return mb_err_set(err, MB_EXIT_SYSTEM, idx->path, "damaged: more bytes than its head says (%zu)",
				  idx->bytes);
	return 0;
}

int mb_idx_read_labels(struct mb_idx *idx, uint16_t *to, uint16_t most, struct mb_err *err)
{
	uint8_t *bytes = malloc(idx->bytes);
	int bad;

	if (!bytes)
		return mb_err_set(err, MB_EXIT_SYSTEM, idx->path, "no memory for %zu bytes of labels", idx->bytes);
	bad = mb_idx_read(idx, bytes, err);
	for (size_t i = 0; i < idx->dims[0] && !bad; i++) {
		uint32_t label = 0;

		for (size_t b = 0; b < idx->item; b++) /* one below zero is a large one here */
			label = label << 8 | bytes[i * idx->item + b];
		if (label > most)
			bad = mb_err_set(err, MB_EXIT_SYSTEM, idx->path, "label %u at %zu is not in 0 … %d", label, i,
					 most);
		to[i] = (uint16_t)label;
	}
	free(bytes);
	return bad;
}

void mb_idx_close(struct mb_idx *idx)
{
	if (idx->file)
		gzclose_r(idx->file);
	idx->file = NULL;
}
