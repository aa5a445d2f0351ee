/* SPDX-License-Identifier: MIT */
#include "base/array.h"

#include <stdlib.h>
#include <string.h>

void *mb_alloc(size_t bytes)
{
	void *at = calloc(1, bytes ? bytes : 1);

	if (!at)
		abort();
	return at;
}

void *mb_realloc(void *old, size_t bytes)
{
	void *at = realloc(old, bytes ? bytes : 1);

	if (!at)
		abort();
	return at;
}

char *mb_strdup(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(mb_alloc(size), text, size);
}

void *mb_grow(void *at, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return at;
	*cap = need > 2 * *cap ? need + 8 : 2 * *cap;
	if (*cap > (size_t)-1 / size)
		abort();
	return mb_realloc(at, *cap * size);
}
