/* SPDX-License-Identifier: MIT
 *
 * The random streams: Philox's known answers, and that what is made of its words has the distribution it should.
 * Bounds are quantiles at 1e-4 or five standard errors; seeds are printed.
 */
#include "check.h"

#include <stdlib.h>

#include "base/base.h"

enum { SEED = 4711, DRAWS = 200000 };

static struct mb_rng stream(uint64_t root, uint64_t index)
{
	struct mb_rng rng;

	mb_rng_init(&rng, root, index, MB_RNG_SUGGEST);
	return rng;
}

/* The 1 - 1e-4 quantile of chi-square, Wilson and Hilferty (1931). */
static void check_chi_square(const char *what, const unsigned *count, const double *share, size_t cells, double total)
{
	double chi = 0, f = (double)cells - 1, bound = f * pow(1 - 2 / (9 * f) + 3.719 * sqrt(2 / (9 * f)), 3);

	for (size_t i = 0; i < cells; i++) {
		double expected = total * (share ? share[i] : 1 / (double)cells);

		chi += pow(count[i] - expected, 2) / expected;
	}
	printf("# seed %d, %s: chi-square %.1f, bound %.1f\n", SEED, what, chi, bound);
	CHECK(chi < bound);
}

/* philox4x32-10 of kat_vectors in the Random123 distribution (Salmon, Moraes, Dror, Shaw 2011). */
TEST(philox_gives_the_known_answers)
{
	static const struct {
		uint32_t counter[4], key[2], out[4];
	} known[] = {
		{{0, 0, 0, 0}, {0, 0}, {0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8}},
		{{0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF},
		 {0xFFFFFFFF, 0xFFFFFFFF},
		 {0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD}},
		{{0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344}, /* digits of pi */
		 {0xA4093822, 0x299F31D0},
		 {0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1}},
	};

	for (size_t i = 0; i < MB_COUNT(known); i++) {
		uint32_t out[4];

		mb_rng_philox(known[i].key, known[i].counter, out);
		CHECK(!memcmp(out, known[i].out, sizeof out));
	}
}

TEST(a_stream_is_its_blocks_in_order)
{
	struct mb_rng rng = stream(1, 2), start = rng;

	CHECK_INT(start.counter[2], 2);
	for (uint32_t block = 0; block < 3; block++) {
		uint32_t counter[4] = {block, 0, 2, 0}, out[4];

		mb_rng_philox(start.key, counter, out);
		for (int i = 0; i < 4; i++)
			CHECK_INT(mb_rng_u32(&rng), out[i]);
	}
	rng = start;
	rng.counter[0] = UINT32_MAX; /* the carry after 2^34 words */
	for (int i = 0; i < 5; i++)
		mb_rng_u32(&rng);
	CHECK_INT(rng.counter[0], 1);
	CHECK_INT(rng.counter[1], 1);
	CHECK_INT(rng.counter[2], 2);
}

TEST(streams_differ_by_root_index_and_purpose)
{
	struct mb_hashset seen = {0};
	int count = 0;

	for (uint64_t root = 0; root < 20; root++)
		for (uint64_t index = 0; index < 20; index++)
			for (int purpose = MB_RNG_SUGGEST; purpose <= MB_RNG_DIGITS; purpose++) {
				struct mb_rng rng;

				mb_rng_init(&rng, root << (root & 1 ? 40 : 0), index << (index & 1 ? 33 : 0),
					    (enum mb_rng_purpose)purpose);
				for (int i = 0; i < 4; i++)
					count += mb_hashset_add(&seen, mb_rng_u64(&rng));
			}
	CHECK_INT(count, 20 * 20 * MB_RNG_DIGITS * 4);
	mb_hashset_release(&seen);
}

/* Computed independently. A change here changes all suggestions for a given seed. */
TEST(the_first_numbers_of_a_stream_stay)
{
	struct mb_rng rng = stream(42, 7), same = stream(42, 7);
	uint64_t first = mb_rng_u64(&rng);

	CHECK(first == mb_rng_u64(&same));
	CHECK(first == 0x506F1AF84C8214DEu);
	CHECK(mb_rng_u64(&rng) == 0xF89479CEE218AE2Cu);
}

TEST(units_are_uniform_in_0_1)
{
	struct mb_rng rng = stream(SEED, 0);
	unsigned count[100] = {0}, low[64] = {0}, pairs[100] = {0};
	double before = 0.5;

	for (int i = 0; i < DRAWS; i++) {
		double u = mb_rng_unit(&rng);

		if (!(u >= 0 && u < 1))
			FAIL("%.17g is not in [0, 1)", u);
		count[(int)(100 * u)]++;
		low[(uint64_t)(u * 0x1p53) & 63]++; /* the lowest of the 53 bits */
		pairs[10 * (int)(10 * before) + (int)(10 * u)]++;
		before = u;
	}
	check_chi_square("units", count, NULL, 100, DRAWS);
	check_chi_square("their last six bits", low, NULL, 64, DRAWS);
	check_chi_square("successive pairs", pairs, NULL, 100, DRAWS);
}

TEST(below_is_uniform)
{
	static const uint64_t sizes[] = {2, 3, 7, 10, 64, 100};

	for (size_t k = 0; k < MB_COUNT(sizes); k++) {
		struct mb_rng rng = stream(SEED, sizes[k]);
		unsigned count[100] = {0};

		for (int i = 0; i < DRAWS; i++) {
			uint64_t draw = mb_rng_below(&rng, sizes[k]);

			if (draw >= sizes[k])
				FAIL("%d is not below %d", (int)draw, (int)sizes[k]);
			else
				count[draw]++;
		}
		check_chi_square("below", count, NULL, sizes[k], DRAWS);
	}
}

/* 3 · 2^62 does not divide 2^64: a mere remainder would give the first third twice as often. */
TEST(below_has_no_bias_for_large_ranges)
{
	struct mb_rng rng = stream(SEED, 1);
	unsigned count[3] = {0};

	for (int i = 0; i < DRAWS; i++)
		count[mb_rng_below(&rng, (uint64_t)3 << 62) >> 62]++;
	check_chi_square("below 3 * 2^62", count, NULL, 3, DRAWS);
	for (int i = 0; i < 100; i++) {
		CHECK_INT(mb_rng_below(&rng, 1), 0);
		CHECK(mb_rng_below(&rng, UINT64_MAX) < UINT64_MAX);
	}
}

TEST(normals_are_normal)
{
	struct mb_rng rng = stream(SEED, 2);
	enum { CELLS = 40 };
	unsigned count[CELLS] = {0};
	double share[CELLS], m1 = 0, m2 = 0, m3 = 0, m4 = 0, product = 0, before = 0;

	for (int i = 0; i < DRAWS; i++) {
		double z = mb_rng_normal(&rng);
		int cell = (int)floor((z + 4) * CELLS / 8);

		count[cell < 0 ? 0 : cell >= CELLS ? CELLS - 1 : cell]++;
		m1 += z / DRAWS;
		m2 += z * z / DRAWS;
		m3 += z * z * z / DRAWS;
		m4 += z * z * z * z / DRAWS;
		product += z * before / DRAWS;
		before = z;
	}
	for (int i = 0; i < CELLS; i++) {
		double low = i ? -4 + 8.0 * i / CELLS : -INFINITY;
		double high = i < CELLS - 1 ? -4 + 8.0 * (i + 1) / CELLS : INFINITY;

		share[i] = 0.5 * (erfc(-high / sqrt(2)) - erfc(-low / sqrt(2)));
	}
	check_chi_square("normals", count, share, CELLS, DRAWS);
	CHECK_NEAR(m1, 0, 5 * sqrt(1.0 / DRAWS));
	CHECK_NEAR(m2, 1, 5 * sqrt(2.0 / DRAWS));
	CHECK_NEAR(m3, 0, 5 * sqrt(15.0 / DRAWS));
	CHECK_NEAR(m4, 3, 5 * sqrt(96.0 / DRAWS));
	CHECK_NEAR(product, 0, 5 * sqrt(1.0 / DRAWS));
}

TEST(every_permutation_is_as_likely)
{
	struct mb_rng rng = stream(SEED, 3);
	unsigned count[24] = {0};

	for (int i = 0; i < DRAWS; i++) {
		uint32_t at[4] = {0, 1, 2, 3};
		unsigned rank = 0;

		mb_rng_shuffle(&rng, at, 4);
		for (unsigned a = 0; a < 3; a++) {
			unsigned smaller = 0;

			for (unsigned b = a + 1; b < 4; b++)
				smaller += at[b] < at[a];
			rank = rank * (4 - a) + smaller;
		}
		count[rank]++;
	}
	check_chi_square("permutations of four", count, NULL, 24, DRAWS);
}

TEST(a_shuffle_keeps_what_it_shuffles)
{
	enum { N = 60000 };
	struct mb_rng rng = stream(SEED, 4), same = rng;
	uint32_t *at = mb_alloc(N * sizeof *at), *again = mb_alloc(N * sizeof *at);
	unsigned char *seen = mb_alloc(N);
	unsigned fixed = 0;

	for (uint32_t i = 0; i < N; i++)
		at[i] = again[i] = i;
	mb_rng_shuffle(&rng, at, N);
	mb_rng_shuffle(&same, again, N);
	CHECK(!memcmp(at, again, N * sizeof *at));
	for (uint32_t i = 0; i < N; i++) {
		CHECK(at[i] < N && !seen[at[i]]);
		seen[at[i]] = 1;
		fixed += at[i] == i;
	}
	CHECK(fixed < 10); /* Poisson with mean 1: P(10 or more) is 1e-7 */
	mb_rng_shuffle(&rng, at, 1);
	mb_rng_shuffle(&rng, at, 0);
	free(at);
	free(again);
	free(seen);
}

TEST_MAIN
