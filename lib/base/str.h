/* SPDX-License-Identifier: MIT
 *
 * Growable text. Always NUL-terminated once something was added; may hold NUL bytes inside, so mind `n`.
 *
 *     struct mb_str line = {0};
 *     mb_str_addf(&line, "%d of %d", done, budget);
 *     mb_str_release(&line);
 */
#ifndef MB_BASE_STR_H
#define MB_BASE_STR_H

#include <stddef.h>

struct mb_str {
	char *at; /* NULL while empty and never used */
	size_t n, cap;
};

void mb_str_add(struct mb_str *str, const void *bytes, size_t n);
void mb_str_adds(struct mb_str *str, const char *text);
void mb_str_addf(struct mb_str *str, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Appends text of unknown origin, fit for a terminal: control characters as escapes, cut between characters after about
 * `most` bytes. */
void mb_str_add_clean(struct mb_str *str, const char *text, size_t most);
void mb_str_clear(struct mb_str *str);       /* keeps the memory */
void mb_str_release(struct mb_str *str);
char *mb_str_take(struct mb_str *str);       /* the text, never NULL; the caller frees; str is empty again */

/* A text made by printf; the caller frees. */
char *mb_textf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The word among `words` (NULL-terminated) nearest to `text` by edit distance, NULL if none is near enough to mean it. */
const char *mb_nearest(const char *text, const char *const *words);

#endif
