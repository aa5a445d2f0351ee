/* SPDX-License-Identifier: MIT
 *
 * Memory and growable arrays.
 *
 * mb_alloc and friends are for what is small: when they fail the process aborts, as there is nothing sensible left to
 * do. What may be large (data sets, networks) is allocated with calloc and checked, so that a trial can fail alone.
 *
 *     struct { double *at; size_t n, cap; } list = {0};
 *     MB_PUSH(list.at, list.n, list.cap, 3.5);
 */
#ifndef MB_BASE_ARRAY_H
#define MB_BASE_ARRAY_H

#include <stddef.h>

void *mb_alloc(size_t bytes);              /* zeroed; the caller frees */
void *mb_realloc(void *old, size_t bytes); /* never NULL */
char *mb_strdup(const char *text);         /* the caller frees */

/* Room for `need` items of `size` bytes: returns the block, perhaps moved, and raises *cap. */
void *mb_grow(void *at, size_t *cap, size_t need, size_t size);

#define MB_PUSH(at, n, cap, item)                                                                                      \
	do {                                                                                                           \
		(at) = mb_grow((at), &(cap), (n) + 1, sizeof *(at));                                                   \
		(at)[(n)++] = (item);                                                                                  \
	} while (0)

#define MB_COUNT(array) (sizeof(array) / sizeof *(array))

#endif
