/* SPDX-License-Identifier: MIT
 *
 * Every kernel (in float, and with MB_DOUBLE in double) against the sum as it is written, in double; and those with fused multiply-add against each other, to the
 * bit.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "nn/nn.h"

enum { MOST = 80, ROOM = MOST * MOST };

static mb_real a[ROOM], b[ROOM], c[ROOM];
static double sums[ROOM], sizes[ROOM];

static void fill(mb_real *to, uint64_t seed)
{
	struct mb_rng rng;

	mb_rng_init(&rng, seed, 0, MB_RNG_SUGGEST);
	for (int i = 0; i < ROOM; i++)
		to[i] = (mb_real)(2 * mb_rng_unit(&rng) - 1);
}

/* What c should become, and the sum of magnitudes that its rounding is measured by. */
static void multiply(size_t m, size_t n, size_t k, int turned, int add)
{
	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < n; j++) {
			double sum = add ? (double)c[i * n + j] : 0, size = fabs(sum);

			for (size_t p = 0; p < k; p++) {
				double term = (double)a[turned ? p * m + i : i * k + p] * (double)b[p * n + j];

				sum += term;
				size += fabs(term);
			}
			sums[i * n + j] = sum;
			sizes[i * n + j] = size;
		}
}

static void check(const struct mb_kernel *kernel, size_t m, size_t n, size_t k, int turned, int add)
{
	const double epsilon = sizeof(mb_real) == 4 ? 1.2e-7 : 2.3e-16;
	size_t bad = 0;

	fill(c, 3);
	multiply(m, n, k, turned, add);
	mb_product(kernel, m, n, k, a, turned ? 1 : k, turned ? m : 1, b, n, c, n, add);
	for (size_t i = 0; i < m * n; i++)
		bad += !(fabs((double)c[i] - sums[i]) <= epsilon * (double)(k + 1) * sizes[i]);
	for (size_t i = m * n; i < ROOM; i++)
		bad += c[i] == 0; /* nothing is written behind: the filling has no zero there */
	CHECK_INT(bad, 0);
	if (bad)
		printf("# %s: m %zu, n %zu, k %zu, %s, %s\n", kernel->name, m, n, k, turned ? "turned" : "plain",
		       add ? "added" : "set");
}

static void check_shapes(const struct mb_kernel *kernel)
{
	static const size_t sizes_m[] = {1, 3, 4, 7, 12, 23, 24, 25, 53, 80}, sizes_k[] = {1, 2, 17, 80};

	for (size_t x = 0; x < MB_COUNT(sizes_m) * MB_COUNT(sizes_k); x++)
		for (size_t n = MB_PAD; n <= 5 * MB_PAD; n += MB_PAD)
			for (int way = 0; way < 4; way++)
				check(kernel, sizes_m[x / MB_COUNT(sizes_k)], n, sizes_k[x % MB_COUNT(sizes_k)], way & 1,
				      way >> 1);
}

TEST(each_multiplies)
{
	const struct mb_kernel *blas = mb_kernel_find("blas");

	fill(a, 1);
	fill(b, 2);
	for (const struct mb_kernel *const *kernel = mb_kernels(); *kernel; kernel++)
		check_shapes(*kernel);
	if (blas)
		check_shapes(blas);
}

TEST(those_that_fuse_are_equal_to_the_bit)
{
	const struct mb_kernel *wide = mb_kernel_find("avx512"), *narrow = mb_kernel_find("avx2");
	static mb_real d[ROOM];

	if (!wide || !narrow)
		SKIP("no AVX-512 here");
	fill(a, 1);
	fill(b, 2);
	for (size_t m = 1; m <= MOST; m += 13)
		for (size_t n = MB_PAD; n <= 5 * MB_PAD; n += MB_PAD) {
			mb_product(wide, m, n, 77, a, 77, 1, b, n, c, n, 0);
			mb_product(narrow, m, n, 77, a, 77, 1, b, n, d, n, 0);
			CHECK(!memcmp(c, d, m * n * sizeof *c));
		}
}

/* What grouping rests on: a column comes out the same whatever stands beside it. */
TEST(a_column_does_not_know_its_neighbours)
{
	static mb_real alone[ROOM];

	fill(a, 1);
	fill(b, 2);
	for (const struct mb_kernel *const *kernel = mb_kernels(); *kernel; kernel++) {
		int bad = 0;

		mb_product(*kernel, 50, 5 * MB_PAD, 60, a, 60, 1, b, 5 * MB_PAD, c, 5 * MB_PAD, 0);
		mb_product(*kernel, 50, MB_PAD, 60, a, 60, 1, b + 4 * MB_PAD, 5 * MB_PAD, alone, MB_PAD, 0);
		for (size_t i = 0; i < 50; i++)
			bad |= memcmp(c + i * 5 * MB_PAD + 4 * MB_PAD, alone + i * MB_PAD, MB_PAD * sizeof *c);
		CHECK_INT(bad, 0);
	}
}

TEST(an_unknown_one_is_not_found)
{
	CHECK(mb_kernel_find("avx1024") == NULL);
	CHECK(mb_kernel_find("plain") != NULL);
	CHECK(mb_kernel_best() != NULL);
}

TEST_MAIN
