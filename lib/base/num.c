/* SPDX-License-Identifier: MIT */
#include "base/num.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *skip_digits(const char *at)
{
	while (*at >= '0' && *at <= '9')
		at++;
	return at;
}

int mb_num_int(const char *text, int64_t *value)
{
	const char *digits = text + (*text == '-' || *text == '+');
	const char *end = skip_digits(digits);
	long long number;

	if (end == digits || *end || (*digits == '0' && end - digits > 1))
		return -1;
	errno = 0;
	number = strtoll(text, NULL, 10);
	if (errno)
		return -1;
	*value = number;
	return 0;
}

int mb_num_double(const char *text, double *value)
{
	const char *whole = text + (*text == '-' || *text == '+');
	const char *at = skip_digits(whole);
	ptrdiff_t digits = at - whole;
	double number;

	if (digits > 1 && *whole == '0')
		return -1;
	if (*at == '.') {
		const char *fraction = at + 1;

		at = skip_digits(fraction);
		digits += at - fraction;
	}
	if (!digits)
		return -1;
	if (*at == 'e' || *at == 'E') {
		const char *exponent = at + 1 + (at[1] == '-' || at[1] == '+');

		at = skip_digits(exponent);
		if (at == exponent)
			return -1;
	}
	if (*at)
		return -1;
	number = strtod(text, NULL);
	if (!isfinite(number))
		return -1;
	*value = number;
	return 0;
}

/* "1e-05" → "1e-5", "1e+22" → "1e22": as short as it reads back. */
static void shorten_exponent(char *text)
{
	char *e = strchr(text, 'e'), *to, *from;

	if (!e)
		return;
	to = from = e + 1;
	if (*from == '-')
		to++, from++;
	else if (*from == '+')
		from++;
	while (*from == '0' && from[1])
		from++;
	memmove(to, from, strlen(from) + 1);
}

char *mb_num_print(double value, char text[MB_NUM_TEXT])
{
	/* A decimal of at most 15 digits survives the way through a double, so %.15g is shortest whenever it reads back. */
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, MB_NUM_TEXT, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	shorten_exponent(text);
	if (!strpbrk(text, ".e"))
		memcpy(text + strlen(text), ".0", 3);
	return text;
}
