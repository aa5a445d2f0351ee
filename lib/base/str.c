/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

void mb_str_add(struct mb_str *str, const void *bytes, size_t n)
{
	str->at = mb_grow(str->at, &str->cap, str->n + n + 1, 1);
	if (n)
		memcpy(str->at + str->n, bytes, n);
	str->n += n;
	str->at[str->n] = '\0';
}

void mb_str_adds(struct mb_str *str, const char *text)
{
	mb_str_add(str, text, strlen(text));
}

static void add_formatted(struct mb_str *str, const char *fmt, va_list args)
{
	va_list again;
	int n;

	va_copy(again, args);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		return;
	str->at = mb_grow(str->at, &str->cap, str->n + (size_t)n + 1, 1);
	vsnprintf(str->at + str->n, (size_t)n + 1, fmt, args);
	str->n += (size_t)n;
}

void mb_str_addf(struct mb_str *str, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_formatted(str, fmt, args);
	va_end(args);
}

/* A control character, ASCII or U+0080 to U+009F, may drive the reader's terminal; its length, else 0. */
static size_t control(const char *at)
{
	const unsigned char *byte = (const unsigned char *)at;

	if (*byte == 0xC2 && byte[1] >= 0x80 && byte[1] < 0xA0)
		return 2;
	return *byte < 0x20 || *byte == 0x7F;
}

void mb_str_add_clean(struct mb_str *str, const char *from, size_t most)
{
	const char *start = from;

	while (*from) {
		size_t escaped = control(from);

		if ((size_t)(from - start) >= most && ((unsigned char)*from & 0xC0) != 0x80) {
			mb_str_adds(str, "…");
			return;
		}
		if (*from == '\n')
			mb_str_adds(str, "\\n");
		else if (escaped)
			mb_str_addf(str, "\\x%02x", (unsigned char)from[escaped - 1]);
		else
			mb_str_add(str, from, 1);
		from += escaped ? escaped : 1;
	}
}

void mb_str_clear(struct mb_str *str)
{
	str->n = 0;
	if (str->at)
		str->at[0] = '\0';
}

void mb_str_release(struct mb_str *str)
{
	free(str->at);
	*str = (struct mb_str){0};
}

char *mb_str_take(struct mb_str *str)
{
	char *text;

	mb_str_add(str, "", 0);
	text = str->at;
	*str = (struct mb_str){0};
	return text;
}

char *mb_textf(const char *fmt, ...)
{
	struct mb_str str = {0};
	va_list args;

	va_start(args, fmt);
	add_formatted(&str, fmt, args);
	va_end(args);
	return mb_str_take(&str);
}

/* Levenshtein distance, one row at a time; texts beyond 63 characters are too far anyway. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[64], na = strlen(a), nb = strlen(b), i, j;

	if (na > 63 || nb > 63)
		return 64;
	for (j = 0; j <= nb; j++)
		row[j] = j;
	for (i = 1; i <= na; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (j = 1; j <= nb; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[nb];
}

const char *mb_nearest(const char *text, const char *const *words)
{
	size_t best = strlen(text) / 3 + 2;
	const char *nearest = NULL;

	for (; *words; words++) {
		size_t distance = edit_distance(text, *words);

		if (distance < best && distance < strlen(*words)) {
			best = distance;
			nearest = *words;
		}
	}
	return nearest;
}
