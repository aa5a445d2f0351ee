/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"

static const char letters[] = "kmgt";
static const char *const decimal[] = {"bytes", "kB", "MB", "GB", "TB"};
static const char *const binary[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};

/* What one of the unit is in bytes, 0 when it is none. */
static double unit_of(const char *unit)
{
	const char *letter = *unit ? strchr(letters, *unit | 0x20) : NULL;
	double power = letter ? (double)(letter - letters + 1) : 0;

	if (!*unit || !strcasecmp(unit, "b") || !strcasecmp(unit, "byte") || !strcasecmp(unit, "bytes"))
		return 1;
	if (!letter)
		return 0;
	if (!strcasecmp(unit + 1, "b"))
		return pow(1000, power);
	return !unit[1] || !strcasecmp(unit + 1, "ib") ? pow(1024, power) : 0;
}

int mb_bytes_parse(const char *text, int64_t *bytes)
{
	size_t n = strspn(text, "0123456789."), blanks = strspn(text + n, " ");
	char digits[64];
	double number, unit = unit_of(text + n + blanks);

	if (!n || n >= sizeof digits || !unit || (blanks && !text[n + blanks]))
		return -1;
	memcpy(digits, text, n);
	digits[n] = '\0';
	if (mb_num_double(digits, &number) < 0)
		return -1;
	number = rint(number * unit);
	if (!(number >= 1 && number <= 0x1p62))
		return -1;
	*bytes = (int64_t)number;
	return 0;
}

static void show(int64_t bytes, double base, const char *const *units, int digits, char text[MB_BYTES_TEXT])
{
	double value = (double)bytes;
	int power = 0;

	while (power < 4 && value >= base) {
		value /= base;
		power++;
	}
	snprintf(text, MB_BYTES_TEXT, "%.*f", power ? digits : 0, value);
	if (strchr(text, '.')) {
		size_t n = strlen(text);

		while (text[n - 1] == '0')
			text[--n] = '\0';
		if (text[n - 1] == '.')
			text[--n] = '\0';
	}
	snprintf(text + strlen(text), MB_BYTES_TEXT - strlen(text), " %s", units[power]);
}

/* 1 when the amount is rounder in powers of 1024. */
static int is_binary(int64_t bytes)
{
	char by_1000[MB_BYTES_TEXT], by_1024[MB_BYTES_TEXT];

	show(bytes, 1000, decimal, 3, by_1000);
	show(bytes, 1024, binary, 3, by_1024);
	return strcspn(by_1024, " ") < strcspn(by_1000, " ");
}

char *mb_bytes_print(int64_t bytes, char text[MB_BYTES_TEXT])
{
	int by_1024 = is_binary(bytes);

	show(bytes, by_1024 ? 1024 : 1000, by_1024 ? binary : decimal, 3, text);
	return text;
}

char *mb_bytes_round(int64_t bytes, int64_t like, char text[MB_BYTES_TEXT])
{
	int by_1024 = is_binary(like);

	show(bytes, by_1024 ? 1024 : 1000, by_1024 ? binary : decimal, 1, text);
	return text;
}
