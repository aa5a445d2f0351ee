/* SPDX-License-Identifier: MIT
 *
 * Amounts of memory: what the units mean, and what is refused.
 */
#include "base/base.h"
#include "check.h"

static long long parsed(const char *text)
{
	int64_t bytes = -1;

	return mb_bytes_parse(text, &bytes) < 0 ? -1 : bytes;
}

TEST(units_are_powers_of_1000_and_1024)
{
	CHECK_INT(parsed("1"), 1);
	CHECK_INT(parsed("1000000000"), 1000000000);
	CHECK_INT(parsed("12 bytes"), 12);
	CHECK_INT(parsed("1 GB"), 1000000000);
	CHECK_INT(parsed("1gb"), 1000000000);
	CHECK_INT(parsed("512M"), 536870912);
	CHECK_INT(parsed("2GiB"), 2147483648);
	CHECK_INT(parsed("1.5 kB"), 1500);
	CHECK_INT(parsed("0.5K"), 512);
	CHECK_INT(parsed("2 TB"), 2000000000000);
	CHECK_INT(parsed("1TiB"), 1099511627776);
}

TEST(what_is_no_amount_is_refused)
{
	static const char *const wrong[] = {"", "0", "-1", "GB", "1 ", "1 XB", "1 GG", "1GBs", "1..5 GB", "1 G B", "0x10",
					    "1e3", "nan", "inf", "0.1", "9999999999 TB", " 1 GB"};

	for (size_t i = 0; i < MB_COUNT(wrong); i++)
		if (parsed(wrong[i]) != -1)
			FAIL("\"%s\" is taken for %lld", wrong[i], parsed(wrong[i]));
}

TEST(amounts_print_in_the_rounder_units)
{
	char text[MB_BYTES_TEXT];

	CHECK_TEXT(mb_bytes_print(1000000000, text), "1 GB");
	CHECK_TEXT(mb_bytes_print(536870912, text), "512 MiB");
	CHECK_TEXT(mb_bytes_print(1500000000, text), "1.5 GB");
	CHECK_TEXT(mb_bytes_print(2147483648, text), "2 GiB");
	CHECK_TEXT(mb_bytes_print(999, text), "999 bytes");
	CHECK_TEXT(mb_bytes_round(1234567890, 1000000000, text), "1.2 GB");
	CHECK_TEXT(mb_bytes_round(1234567890, 1073741824, text), "1.1 GiB");
}

TEST_MAIN
