/* SPDX-License-Identifier: MIT
 *
 * Waits before a request is sent again, and which addresses a secret may go to: what needs no network.
 */
#include "check.h"

#include <limits.h>

#include "net/net.h"

enum { SEED = 4711, DRAWS = 4000 };

static const double first_s = 0.25, most_s = 30;

static struct mb_rng stream(uint64_t root)
{
	struct mb_rng rng;

	mb_rng_init(&rng, root, 0, MB_RNG_BACKOFF);
	return rng;
}

/* Uniform on [0, bound): the mean within five standard errors, bound / sqrt(12 n), of its half; of 4000 draws the largest
 * is below 0.99 bound with a chance of 3e-18, and the least above 0.01 bound with the same. */
TEST(waits_are_uniform_below_a_bound_that_doubles_up_to_the_most)
{
	static const double bounds_s[] = {0.25, 0.5, 1, 2, 4, 8, 16, 30, 30, 30};
	struct mb_rng rng = stream(SEED);

	for (unsigned failures = 1; failures <= MB_COUNT(bounds_s); failures++) {
		double bound_s = bounds_s[failures - 1], sum_s = 0, largest_s = 0, least_s = bound_s;

		for (int i = 0; i < DRAWS; i++) {
			double wait_s = mb_backoff_s(&rng, failures, first_s, most_s);

			sum_s += wait_s;
			largest_s = fmax(largest_s, wait_s);
			least_s = fmin(least_s, wait_s);
		}
		printf("# seed %d, %u failures: %.4f to %.4f s\n", SEED, failures, least_s, largest_s);
		CHECK(least_s >= 0 && least_s < 0.01 * bound_s);
		CHECK(largest_s > 0.99 * bound_s && largest_s < bound_s);
		CHECK_NEAR(sum_s / DRAWS, bound_s / 2, 5 * bound_s / sqrt(12.0 * DRAWS));
	}
}

TEST(after_any_number_of_failures_the_bound_is_the_most)
{
	static const unsigned failures[] = {100, 1000, 1001, 1100, INT_MAX, UINT_MAX};
	struct mb_rng rng = stream(SEED);

	for (size_t i = 0; i < MB_COUNT(failures); i++) {
		double sum_s = 0;

		for (int j = 0; j < DRAWS; j++) {
			double wait_s = mb_backoff_s(&rng, failures[i], first_s, most_s);

			CHECK(wait_s >= 0 && wait_s < most_s);
			sum_s += wait_s;
		}
		CHECK_NEAR(sum_s / DRAWS, most_s / 2, 5 * most_s / sqrt(12.0 * DRAWS));
	}
}

TEST(the_jitter_is_the_streams)
{
	struct mb_rng one = stream(SEED), same = stream(SEED), other = stream(SEED + 1);
	int differ = 0;

	for (unsigned failures = 1; failures <= 20; failures++) {
		double wait_s = mb_backoff_s(&one, failures, first_s, most_s);

		CHECK(wait_s == mb_backoff_s(&same, failures, first_s, most_s));
		differ += wait_s != mb_backoff_s(&other, failures, first_s, most_s);
	}
	CHECK_INT(differ, 20);
}

TEST(a_secret_goes_over_https_or_to_this_machine)
{
	static const struct {
		const char *url;
		int want;
	} known[] = {
		{"https://api.sigopt.com", 1},
		{"https://example.org:8443/base", 1},
		{"http://localhost:80", 1},
		{"http://127.0.0.1:8080/v1", 1},
		{"http://[::1]:8080", 1},
		{"http://example.org", 0},
		{"http://localhost.example.org", 0},
		{"http://127.0.0.10", 0},
		{"http://[::1", 0},
		{"http://[::2]", 0},
		{"https://", -1},
		{"ftp://localhost", -1},
		{"https:/one", -1},
		{"https://user@host", -1},
		{"https://host/?query", -1},
		{"https://host/#fragment", -1},
		{"https://ho st", -1},
		{"https://host\\evil", -1},
		{"", -1},
	};

	for (size_t i = 0; i < MB_COUNT(known); i++)
		if (mb_http_is_private(known[i].url) != known[i].want)
			FAIL("%s: %d", known[i].url, mb_http_is_private(known[i].url));
}

TEST_MAIN
