/* SPDX-License-Identifier: MIT */
#include "base/num.h"

#include <errno.h>
#include <float.h>
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

/* The doubles below a power of two lie twice as dense as those above: there the nearest decimal of 16 digits may be
 * too low to read back where the next one further from zero does (2^-44). Makes that one; 1 when it reads back. */
static int step_from_zero(double value, char text[MB_NUM_TEXT])
{
	int exponent;
	char *at;

	if (fabs(frexp(value, &exponent)) != 0.5)
		return 0;
	snprintf(text, MB_NUM_TEXT, "%#.16g", value);
	for (at = text + strcspn(text, "e") - 1; at >= text && (*at == '9' || *at == '.'); at--)
		*at = *at == '9' ? '0' : '.';
	if (at < text || *at == '-')
		return 0;
	++*at;
	return strtod(text, NULL) == value;
}

char *mb_num_print(double value, char text[MB_NUM_TEXT])
{
	/* A decimal of at most 15 digits survives the way through a normal double, so %.15g is shortest whenever it
	 * reads back; a subnormal one may have fewer digits than that. */
	for (int digits = fabs(value) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
		snprintf(text, MB_NUM_TEXT, "%.*g", digits, value);
		if (strtod(text, NULL) == value || (digits == 16 && step_from_zero(value, text)))
			break;
	}
	shorten_exponent(text);
	if (!strpbrk(text, ".e"))
		memcpy(text + strlen(text), ".0", 3);
	return text;
}
