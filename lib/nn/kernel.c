/* SPDX-License-Identifier: MIT
 *
 * One kernel: compiled by the Makefile with MB_KERNEL, the name of an instruction set, and the compiler's flags for it.
 * Blocks of C are kept in registers while a row of B is multiplied with one number of A after the other; the compiler
 * turns the vectors of this file into the set's own. AVX-512 reaches 270 GFLOP/s of one 4.2 GHz Zen 5 core on blocks of
 * 12 × 32, 200 on 24 × 16.
 */
#include "nn/kernel.h"

#define GLUE(a, b) a##b
#define NAME(set)  GLUE(mb_kernel_, set)
#define TEXT_(set) #set
#define TEXT(set)  TEXT_(set)

#if defined(__AVX512F__)
enum { BYTES = 64, TALL = 24, WIDE = 12 }; /* 32 registers: 24 sums, 2 of B */
#elif defined(__AVX2__)
enum { BYTES = 32, TALL = 12, WIDE = 6 };  /* 16 registers: 12 sums, 2 of B, 1 of A */
#else
enum { BYTES = 16, TALL = 12, WIDE = 6 };
#endif

typedef mb_real vector __attribute__((vector_size(BYTES), aligned(sizeof(mb_real)), may_alias));

enum { LANES = BYTES / sizeof(mb_real), A_STRIP = MB_PAD / LANES };

/* One vector's worth of columns. Two that are taken together have the same ldb. */
struct column {
	const mb_real *b;
	mb_real *c;
	size_t ldb, ldc;
};

/* `rows` and `n` (columns of vectors) are constants at each call, so that `sum` lives in registers. */
static inline __attribute__((always_inline)) void block(const size_t rows, const size_t n, size_t k,
							const mb_real *restrict a, size_t row, size_t step,
							const struct column *columns, size_t first, int add)
{
	const mb_real *restrict b = columns[0].b;
	const size_t ldb = columns[0].ldb;
	const ptrdiff_t second = columns[n - 1].b - b; /* one pointer serves both */
	vector sum[TALL][2];

#pragma GCC unroll 24
	for (size_t i = 0; i < rows; i++)
#pragma GCC unroll 2
		for (size_t v = 0; v < n; v++)
			sum[i][v] = add ? *(const vector *)(columns[v].c + (first + i) * columns[v].ldc) : (vector){0};
	for (size_t p = 0; p < k; p++, a += step, b += ldb) {
		vector of_b[2];

#pragma GCC unroll 2
		for (size_t v = 0; v < n; v++)
			of_b[v] = *(const vector *)(v ? b + second : b);
#pragma GCC unroll 24
		for (size_t i = 0; i < rows; i++) {
			const mb_real of_a = a[i * row];

#pragma GCC unroll 2
			for (size_t v = 0; v < n; v++)
				sum[i][v] += of_a * of_b[v];
		}
	}
#pragma GCC unroll 24
	for (size_t i = 0; i < rows; i++)
#pragma GCC unroll 2
		for (size_t v = 0; v < n; v++)
			*(vector *)(columns[v].c + (first + i) * columns[v].ldc) = sum[i][v];
}

typedef void block_fn(size_t k, const mb_real *restrict a, size_t row, size_t step, const struct column *columns,
		      size_t first, int add);

#define BLOCK(function, rows, n)                                                                                      \
	static void function(size_t k, const mb_real *restrict a, size_t row, size_t step,                            \
			     const struct column *columns, size_t first, int add)                                     \
	{                                                                                                             \
		block(rows, n, k, a, row, step, columns, first, add);                                                 \
	}

BLOCK(tall, TALL, 1)
BLOCK(tall_4, 4, 1)
BLOCK(tall_1, 1, 1)
BLOCK(wide, WIDE, 2)
BLOCK(wide_4, 4, 2)
BLOCK(wide_1, 1, 2)

/* One or two columns from top to bottom. */
static void down(block_fn *const blocks[3], size_t most, size_t m, size_t k, const mb_real *a, size_t row, size_t step,
		 const struct column *columns, int add)
{
	size_t i = 0;

	for (; i + most <= m; i += most)
		blocks[0](k, a + i * row, row, step, columns, i, add);
	for (; i + 4 <= m; i += 4)
		blocks[1](k, a + i * row, row, step, columns, i, add);
	for (; i < m; i++)
		blocks[2](k, a + i * row, row, step, columns, i, add);
}

static struct column column_of(const struct mb_strip *strips, size_t at)
{
	const struct mb_strip *strip = &strips[at / A_STRIP];
	const size_t skip = at % A_STRIP * LANES;

	return (struct column){strip->b + skip, strip->c + skip, strip->ldb, strip->ldc};
}

static void product(size_t m, size_t k, const mb_real *a, size_t row, size_t step, const struct mb_strip *strips,
		    size_t n, int add)
{
	static block_fn *const one[] = {tall, tall_4, tall_1}, *const two[] = {wide, wide_4, wide_1};
	struct column columns[2];

	for (size_t at = 0, some; at < n * A_STRIP; at += some) {
		columns[0] = column_of(strips, at);
		some = 1;
		if (at + 1 < n * A_STRIP) {
			columns[1] = column_of(strips, at + 1);
			some += columns[1].ldb == columns[0].ldb;
		}
		down(some == 2 ? two : one, some == 2 ? WIDE : TALL, m, k, a, row, step, columns, add);
	}
}

extern const struct mb_kernel NAME(MB_KERNEL);
const struct mb_kernel NAME(MB_KERNEL) = {TEXT(MB_KERNEL), product};
