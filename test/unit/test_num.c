/* SPDX-License-Identifier: MIT
 *
 * Numbers as text: what is read, what is refused, and that printing is shortest and loses nothing.
 */
#include "check.h"

#include <float.h>
#include <stdlib.h>

#include "base/base.h"

TEST(integers)
{
	static const struct {
		const char *text;
		int64_t value;
	} good[] = {
		{"0", 0}, {"7", 7}, {"-7", -7}, {"+7", 7}, {"-0", 0}, {"10", 10},
		{"1234567890123", 1234567890123},
		{"9223372036854775807", INT64_MAX}, {"-9223372036854775808", INT64_MIN},
		{"9007199254740993", MB_NUM_EXACT + 1},
	};
	static const char *const bad[] = {
		"", " ", "+", "-", "--1", "+-1", "1 ", " 1", "1\n", "01", "-01", "00", "1.0", "1.", "1e3", "0x10",
		"1_000", "1,000", "9223372036854775808", "-9223372036854775809", "99999999999999999999", "nan", "inf",
		"one",
		"1a", "\xC2\xA0""1", "\xD9\xA1",
	};

	for (size_t i = 0; i < MB_COUNT(good); i++) {
		int64_t value = -1;

		if (mb_num_int(good[i].text, &value) < 0 || value != good[i].value)
			FAIL("%s: %lld", good[i].text, (long long)value);
	}
	for (size_t i = 0; i < MB_COUNT(bad); i++) {
		int64_t value = 42;

		if (mb_num_int(bad[i], &value) == 0)
			FAIL("\"%s\" was taken as %lld", bad[i], (long long)value);
		CHECK_INT(value, 42); /* left alone on error */
	}
}

TEST(reals)
{
	static const struct {
		const char *text;
		double value;
	} good[] = {
		{"0", 0}, {"-0", -0.0}, {"1", 1}, {"+1.5", 1.5}, {"-1.5", -1.5}, {".5", 0.5}, {"-.5", -0.5},
		{"5.", 5}, {"0.1", 0.1}, {"1e3", 1000}, {"1E3", 1000}, {"1e+3", 1000}, {"1e-3", 0.001},
		{"1e03", 1000},
		{".5e1", 5}, {"5.e1", 50}, {"1e308", 1e308}, {"1.7976931348623157e308", DBL_MAX}, {"1e-400", 0},
		{"4.9406564584124654e-324", 0x1p-1074}, {"2.2250738585072014e-308", DBL_MIN},
		{"2.2250738585072011e-308", 0x0.fffffffffffffp-1022}, {"9007199254740993", 9007199254740992},
		{"0.1000000000000000055511151231257827021181583404541015625", 0.1},
		{"123456789012345678901234567890", 123456789012345678901234567890.0},
	};
	static const char *const bad[] = {
		"", ".", "-", "+", "-.", "e1", ".e1", "1e", "1e+", "1e1.5", "1.2.3", "--1", "01", "00", "-01.5",
		"00.5", "1 ", " 1", "1,5", "1f", "0x1p3", "0x10", "nan", "NaN", "inf", "Infinity", "-inf", "1e309",
		"-1e309",
		"1e999999999999", "1_0", "\t1", "1\n",
	};

	for (size_t i = 0; i < MB_COUNT(good); i++) {
		double value = 42;

		if (mb_num_double(good[i].text, &value) < 0 || value != good[i].value)
			FAIL("%s: %.17g", good[i].text, value);
		CHECK_INT(signbit(value), signbit(good[i].value));
	}
	for (size_t i = 0; i < MB_COUNT(bad); i++) {
		double value = 42;

		if (mb_num_double(bad[i], &value) == 0)
			FAIL("\"%s\" was taken as %.17g", bad[i], value);
		CHECK_NEAR(value, 42, 0);
	}
}

TEST(prints_the_shortest_text)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{0, "0.0"}, {-0.0, "-0.0"}, {1, "1.0"}, {-3, "-3.0"}, {0.1, "0.1"},
		{0.30000000000000004, "0.30000000000000004"},
		{1.0 / 3, "0.3333333333333333"}, {2.0 / 3, "0.6666666666666666"}, {1e-3, "0.001"}, {1e-5, "1e-5"},
		{1.5e-7, "1.5e-7"}, {1e22, "1e22"}, {1e23, "1e23"}, {1e100, "1e100"}, {1e-100, "1e-100"},
		{123456, "123456.0"},
		{9007199254740992, "9007199254740992.0"}, {1e14, "100000000000000.0"}, {100, "100.0"},
		{1.1e10, "11000000000.0"},
		{DBL_MAX, "1.7976931348623157e308"}, {-DBL_MAX, "-1.7976931348623157e308"},
		{DBL_MIN, "2.2250738585072014e-308"}, {DBL_EPSILON, "2.220446049250313e-16"},
		/* below the smallest normal number few digits are enough */
		{0x1p-1074, "5e-324"}, {-0x1p-1074, "-5e-324"}, {0x1p-1073, "1e-323"}, {0x1p-1060, "8.095e-320"},
		/* at powers of two the nearest 16 digits may not read back while others do */
		{0x1p-44, "5.684341886080802e-14"}, {0x1p-24, "5.960464477539063e-8"},
		{0x1p89, "6.189700196426902e26"},
		/* decimal halfway cases */
		{9007199254740993e3, "9.007199254740993e18"}, {5e-324 * 3, "1.5e-323"}, {8.41e21, "8.41e21"},
		{2.0e-3, "0.002"},
	};
	char text[MB_NUM_TEXT];

	for (size_t i = 0; i < MB_COUNT(cases); i++)
		CHECK_TEXT(mb_num_print(cases[i].value, text), cases[i].text);
}

/* The significant digits of a printed number, without leading and trailing zeros. */
static int significant(const char *text)
{
	int first = -1, last = -1, at = 0;

	for (; *text && *text != 'e'; text++)
		if (*text >= '0' && *text <= '9') {
			if (*text != '0') {
				first = first < 0 ? at : first;
				last = at;
			}
			at++;
		}
	return first < 0 ? 0 : last - first + 1;
}

/* 1 when some decimal of so many digits reads back to value: the nearest, or its neighbours. */
static int can_be_written(double value, int digits)
{
	char text[64], *e;
	long long mantissa = 0;
	int exponent;

	snprintf(text, sizeof text, "%.*e", digits - 1, fabs(value));
	e = strchr(text, 'e');
	exponent = atoi(e + 1) - (digits - 1);
	for (char *at = text; at < e; at++)
		if (*at != '.')
			mantissa = 10 * mantissa + (*at - '0');
	for (long long near = mantissa - 1; near <= mantissa + 1; near++) {
		snprintf(text, sizeof text, "%llde%d", near, exponent);
		if (strtod(text, NULL) == fabs(value))
			return 1;
	}
	return 0;
}

static void check_print(double value)
{
	char text[MB_NUM_TEXT];
	double back;
	int digits;

	mb_num_print(value, text);
	if (strlen(text) >= MB_NUM_TEXT || mb_num_double(text, &back) < 0 || memcmp(&back, &value, sizeof back))
		FAIL("%.17g is printed as %s", value, text);
	digits = significant(text);
	if (digits > 1 && can_be_written(value, digits - 1))
		FAIL("%.17g is printed as %s, which is not the shortest", value, text);
	if (!strpbrk(text, ".e"))
		FAIL("%s looks like an integer", text);
}

TEST(random_numbers_survive_and_are_shortest)
{
	enum { SEED = 31, COUNT = 100000 };
	struct mb_rng rng;

	printf("# seed %d\n", SEED);
	mb_rng_init(&rng, SEED, 0, MB_RNG_SUGGEST);
	for (int i = 0; i < COUNT; i++) {
		uint64_t bits = mb_rng_u64(&rng);
		double value;

		memcpy(&value, &bits, sizeof value); /* all exponents alike */
		if (isfinite(value))
			check_print(value);
		check_print(mb_rng_unit(&rng));
		check_print((double)(int64_t)mb_rng_below(&rng, 1000000) / 1000);
	}
	for (int e = -1074; e < 1024; e++) {
		check_print(ldexp(1, e));
		check_print(nextafter(ldexp(1, e), 0) > 0 ? nextafter(ldexp(1, e), 0) : 1);
		check_print(nextafter(ldexp(1, e), INFINITY));
	}
}

TEST(integers_of_all_lengths_survive)
{
	enum { SEED = 32 };
	struct mb_rng rng;

	printf("# seed %d\n", SEED);
	mb_rng_init(&rng, SEED, 0, MB_RNG_SUGGEST);
	for (int i = 0; i < 100000; i++) {
		int64_t value = (int64_t)(mb_rng_u64(&rng) >> mb_rng_below(&rng, 64)), back;
		char text[32];

		value = i & 1 ? value : -1 - value;
		snprintf(text, sizeof text, "%lld", (long long)value);
		CHECK(mb_num_int(text, &back) == 0 && back == value);
	}
}

TEST_MAIN
