/* SPDX-License-Identifier: MIT
 *
 * Sobol' sequences, held against SciPy 1.17's (which has the same Joe-Kuo numbers) and against the properties that
 * make them worth having.
 */
#include "check.h"

#include <stdlib.h>

#include "base/base.h"
#include "stat/stat.h"

enum { N = 1024 };

TEST(first_points_are_the_published_ones)
{
	/* scipy.stats.qmc.Sobol(8, scramble=False).random(8), in eighths */
	static const int eighths[8][8] = {
		{0, 0, 0, 0, 0, 0, 0, 0}, {4, 4, 4, 4, 4, 4, 4, 4}, {6, 2, 2, 2, 6, 6, 2, 6},
		{2, 6, 6, 6, 2, 2, 6, 2}, {3, 3, 5, 7, 3, 1, 3, 7}, {7, 7, 1, 3, 7, 5, 7, 3},
		{5, 1, 7, 5, 5, 7, 1, 1}, {1, 5, 3, 1, 1, 3, 5, 5},
	};

	for (size_t i = 0; i < 8; i++)
		for (size_t dim = 0; dim < 8; dim++)
			CHECK_INT(mb_sobol_bits(dim, i), (int64_t)eighths[i][dim] << 29);
}

TEST(points_far_out_are_the_published_ones)
{
	/* round(2^32 x) of qmc.Sobol(128, scramble=False, bits=32) */
	static const size_t dims[] = {0, 1, 2, 5, 9, 30, 64, 127};
	static const struct {
		uint64_t index;
		uint32_t x[8];
	} rows[] = {
		{100,
		 {1778384896, 1107296256, 3321888768, 3187671040, 2986344448, 3053453312, 838860800, 1979711488}},
		{1000, {943718400, 415236096, 2227175424, 3896508416, 297795584, 633339904, 557842432, 2336227328}},
		{4095, {1048576, 4042260480, 1435500544, 338690048, 1058013184, 1552941056, 558891008, 1123024896}},
	};

	for (size_t i = 0; i < MB_COUNT(rows); i++)
		for (size_t k = 0; k < MB_COUNT(dims); k++)
			CHECK_INT(mb_sobol_bits(dims[k], rows[i].index), rows[i].x[k]);
}

TEST(all_dimensions_agree_with_scipy)
{
	uint64_t digest = 0;

	/* The same digest of SciPy's 4096 points in 128 dimensions. */
	for (uint64_t i = 0; i < 4096; i++)
		for (size_t dim = 0; dim < MB_SOBOL_DIMS; dim++) {
			digest = (digest ^ mb_sobol_bits(dim, i)) * 0x9E3779B97F4A7C15u;
			digest ^= digest >> 32;
		}
	CHECK(digest == 0xE73D08A62068489Fu);
}

/* The highest `digits` binary digits of a scrambled coordinate. */
static unsigned cell(uint64_t seed, size_t dim, uint64_t index, unsigned digits)
{
	return (unsigned)(mb_sobol_unit(seed, dim, index) * (double)(1u << digits));
}

TEST(every_block_has_one_point_in_each_cell_of_each_dimension)
{
	for (unsigned digits = 0; digits <= 10; digits++) {
		uint64_t size = (uint64_t)1 << digits;

		for (uint64_t first = 0; first < N; first += size)
			for (size_t dim = 0; dim < MB_SOBOL_DIMS; dim++) {
				unsigned char hit[N] = {0};
				unsigned hits = 0;

				for (uint64_t i = first; i < first + size; i++) {
					unsigned at = cell(77, dim, i, digits);

					hits += !hit[at];
					hit[at] = 1;
				}
				if (hits != size)
					FAIL("dimension %zu, block of %d from %d: %u cells hit", dim, (int)size,
					     (int)first, hits);
			}
	}
}

/* 1 when each block of 2^m points puts 2^t into every box of 2^-a × 2^-b, a + b = m - t: a (t, m, 2)-net. */
static int is_net(uint64_t seed, size_t p, size_t q, unsigned m, unsigned t)
{
	for (uint64_t first = 0; first < 4u << m; first += (uint64_t)1 << m)
		for (unsigned a = 0; a <= m - t; a++) {
			unsigned b = m - t - a, count[1 << 10] = {0};

			for (uint64_t i = first; i < first + ((uint64_t)1 << m); i++)
				count[cell(seed, p, i, a) << b | cell(seed, q, i, b)]++;
			for (unsigned box = 0; box < 1u << (m - t); box++)
				if (count[box] != 1u << t)
					return 0;
		}
	return 1;
}

/* The quality t of a projection is at most the sum of (degree - 1) over its dimensions (Sobol' 1967, Niederreiter
 * 1992). */
TEST(scrambled_projections_are_nets)
{
	static const unsigned degree[] = {1, 1, 2, 3, 3, 4, 4, 5};
	static const uint64_t seeds[] = {0, 1, 20250101};

	for (size_t s = 0; s < MB_COUNT(seeds); s++)
		for (size_t p = 0; p < MB_COUNT(degree); p++)
			for (size_t q = 0; q < p; q++) {
				unsigned t = degree[p] - 1 + degree[q] - 1;

				if (!is_net(seeds[s], p, q, 10, t))
					FAIL("seed %d, dims %zu, %zu: no (%u,10,2)-net", (int)seeds[s], q, p, t);
			}
	CHECK(!is_net(0, 1, 7, 10, 0)); /* so the check can fail */
}

TEST(scrambling_depends_on_seed_and_dimension_alone)
{
	size_t same_seed = 0, same_dim = 0;

	for (uint64_t i = 0; i < 256; i++) {
		double u = mb_sobol_unit(5, 3, i);

		CHECK(u >= 0 && u < 1);
		CHECK(mb_sobol_unit(5, 3, i) == u);
		same_seed += mb_sobol_unit(6, 3, i) == u;
		same_dim += mb_sobol_unit(5, 4, i) == u;
	}
	CHECK_INT(same_seed, 0);
	CHECK_INT(same_dim, 0);
}

TEST(first_point_is_uniform_over_seeds)
{
	enum { SEEDS = 20000, CELLS = 50 };
	unsigned count[CELLS] = {0};
	double chi = 0, both = 0;

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		double u = mb_sobol_unit(seed, 2, 0);

		count[(unsigned)(u * CELLS)]++;
		both += (u - 0.5) * (mb_sobol_unit(seed, 3, 0) - 0.5) * 12 / SEEDS;
	}
	for (int i = 0; i < CELLS; i++)
		chi += pow(count[i] - (double)SEEDS / CELLS, 2) / ((double)SEEDS / CELLS);
	CHECK(chi < 85.4);                      /* 0.999 quantile at 49 degrees of freedom */
	CHECK_NEAR(both, 0, 4 / sqrt(SEEDS)); /* dimensions are scrambled independently */
}

/* Two points that share their first k digits keep sharing them, and the next digit differs: nested, not more. */
TEST(scrambling_is_nested)
{
	for (uint64_t i = 1; i < 512; i++) {
		uint32_t plain = mb_sobol_bits(6, i) ^ mb_sobol_bits(6, 0);
		uint32_t scrambled = (uint32_t)(mb_sobol_unit(9, 6, i) * 0x1p32);

		scrambled ^= (uint32_t)(mb_sobol_unit(9, 6, 0) * 0x1p32);
		CHECK_INT(__builtin_clz(scrambled), __builtin_clz(plain));
	}
}

/* Each node of the tree has a coin of its own: a mere digital shift would flip a digit of all points alike. At
 * digit k (from 0 on) 512 points pass 2^k nodes, at most 512. */
TEST(scrambling_is_more_than_a_shift)
{
	for (unsigned k = 3; k < 32; k++) {
		double nodes = k < 9 ? 1 << k : 512, flips = 0;

		for (uint64_t seed = 0; seed < 100; seed++) {
			double share = 0;

			for (uint64_t i = 0; i < 512; i++) {
				uint32_t x = (uint32_t)(mb_sobol_unit(seed, 6, i) * 0x1p32) ^ mb_sobol_bits(6, i);

				share += (x >> (31 - k) & 1) / 512.0;
			}
			flips += pow(share - 0.5, 2) * 4 * nodes / 100; /* mean 1 for fair, independent coins */
		}
		CHECK_NEAR(flips, 1, 5 * sqrt(2 / 100.0));
	}
}

/* Squared centred L2 discrepancy, F. J. Hickernell, Math. Comp. 67 (1998), equation 5.1c. */
static double discrepancy(size_t n, size_t dims, double (*x)[8])
{
	double one = 0, two = 0;

	for (size_t i = 0; i < n; i++) {
		double term = 1;

		for (size_t d = 0; d < dims; d++)
			term *= 1 + 0.5 * fabs(x[i][d] - 0.5) - 0.5 * pow(x[i][d] - 0.5, 2);
		one += term;
		for (size_t j = 0; j < n; j++) {
			double pair = 1;

			for (size_t d = 0; d < dims; d++)
				pair *= 1 + 0.5 * fabs(x[i][d] - 0.5) + 0.5 * fabs(x[j][d] - 0.5) -
					0.5 * fabs(x[i][d] - x[j][d]);
			two += pair;
		}
	}
	return pow(13.0 / 12, (double)dims) - 2 * one / (double)n + two / (double)(n * n);
}

TEST(discrepancy_is_far_below_that_of_random_points)
{
	static double x[256][8];
	double sobol = 0, random = 0;

	for (uint64_t seed = 0; seed < 5; seed++) {
		struct mb_rng rng;

		mb_rng_init(&rng, seed, 0, MB_RNG_SUGGEST);
		for (size_t i = 0; i < 256; i++)
			for (size_t d = 0; d < 8; d++)
				x[i][d] = mb_sobol_unit(seed, d, i);
		sobol += discrepancy(256, 8, x) / 5;
		for (size_t i = 0; i < 256; i++)
			for (size_t d = 0; d < 8; d++)
				x[i][d] = mb_rng_unit(&rng);
		random += discrepancy(256, 8, x) / 5;
	}
	printf("# squared centred L2 discrepancy of 256 points in 8 dimensions: %.4g, random %.4g\n", sobol, random);
	CHECK(sobol < random / 3);
}

/* Owen (1997): the error of the mean of a smooth function falls like n^-1.5, against n^-0.5 of random points. */
TEST(means_of_smooth_functions_converge_fast)
{
	double error[2] = {0};

	for (uint64_t seed = 0; seed < 50; seed++)
		for (int large = 0; large < 2; large++) {
			size_t n = large ? 1024 : 64;
			double mean = 0;

			for (size_t i = 0; i < n; i++)
				mean += exp(mb_sobol_unit(seed, 0, i) + mb_sobol_unit(seed, 1, i)) / (double)n;
			error[large] += pow(mean - pow(exp(1) - 1, 2), 2) / 50;
		}
	printf("# root mean square error at 64 points %.3g, at 1024 %.3g\n", sqrt(error[0]), sqrt(error[1]));
	CHECK(sqrt(error[1] / error[0]) < 1 / 32.0); /* 16^-1.25 */
}

TEST_MAIN
