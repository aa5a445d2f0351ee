/* SPDX-License-Identifier: MIT
 *
 * A unit test is a program: functions marked TEST, each a point of TAP; a failed CHECK says where and goes on.
 *
 *     TEST(prints_the_shortest_number) { CHECK_TEXT(mb_num_print(0.1, text), "0.1"); }
 *     TEST_MAIN
 */
#ifndef MB_TEST_CHECK_H
#define MB_TEST_CHECK_H

#include <math.h>
#include <stdio.h>
#include <string.h>

struct test_case {
	const char *name;
	void (*run)(void);
};

static struct test_case test_cases[256];
static int test_count, test_failures;
static const char *test_skipped;

#define TEST(name)                                                                                                     \
	static void test_##name(void);                                                                                 \
	__attribute__((constructor)) static void add_##name(void)                                                      \
	{                                                                                                              \
		test_cases[test_count++] = (struct test_case){#name, test_##name};                                     \
	}                                                                                                              \
	static void test_##name(void)

#define FAIL(...)                                                                                                      \
	do {                                                                                                           \
		test_failures++;                                                                                       \
		printf("# %s:%d: ", __FILE__, __LINE__);                                                               \
		printf(__VA_ARGS__);                                                                                   \
		putchar('\n');                                                                                         \
	} while (0)

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			FAIL("%s", #condition);                                                                        \
	} while (0)

#define CHECK_INT(got, want)                                                                                           \
	do {                                                                                                           \
		long long got_ = (long long)(got), want_ = (long long)(want);                                          \
		if (got_ != want_)                                                                                     \
			FAIL("%s: %lld, not %lld", #got, got_, want_);                                                 \
	} while (0)

#define CHECK_NEAR(got, want, tolerance)                                                                               \
	do {                                                                                                           \
		double got_ = (got), want_ = (want);                                                                   \
		if (!(fabs(got_ - want_) <= (tolerance)))                                                              \
			FAIL("%s: %.17g, not %.17g within %g", #got, got_, want_, (double)(tolerance));                \
	} while (0)

#define CHECK_TEXT(got, want)                                                                                          \
	do {                                                                                                           \
		const char *got_ = (got), *want_ = (want);                                                             \
		if (strcmp(got_, want_))                                                                               \
			FAIL("%s: \"%s\", not \"%s\"", #got, got_, want_);                                             \
	} while (0)

/* The rest of this test cannot run here: say why and return. */
#define SKIP(why)                                                                                                      \
	do {                                                                                                           \
		test_skipped = (why);                                                                                  \
		return;                                                                                                \
	} while (0)

#define TEST_MAIN                                                                                                      \
	int main(void)                                                                                                 \
	{                                                                                                              \
		int bad = 0;                                                                                           \
		setvbuf(stdout, NULL, _IOLBF, 0);                                                                      \
		printf("1..%d\n", test_count);                                                                         \
		for (int i = 0; i < test_count; i++) {                                                                 \
			test_failures = 0;                                                                             \
			test_skipped = NULL;                                                                           \
			test_cases[i].run();                                                                           \
			printf("%sok %d %s%s%s\n", test_failures ? "not " : "", i + 1, test_cases[i].name,             \
			       test_skipped ? " # skip " : "", test_skipped ? test_skipped : "");                      \
			bad += test_failures != 0;                                                                     \
		}                                                                                                      \
		return bad != 0;                                                                                       \
	}

#endif
