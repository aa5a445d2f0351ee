/* SPDX-License-Identifier: MIT
 *
 * Which kernels this processor can run, and products of whole matrices.
 */
#include <string.h>

#include "nn/blas.h"
#include "nn/kernel.h"

extern const struct mb_kernel mb_kernel_plain;

#ifdef __x86_64__
extern const struct mb_kernel mb_kernel_avx512, mb_kernel_avx2;

static void list(const struct mb_kernel **to)
{
	if (__builtin_cpu_supports("avx512f"))
		*to++ = &mb_kernel_avx512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		*to++ = &mb_kernel_avx2;
	*to = &mb_kernel_plain;
}
#else
static void list(const struct mb_kernel **to)
{
	*to = &mb_kernel_plain;
}
#endif

const struct mb_kernel *const *mb_kernels(void)
{
	static const struct mb_kernel *usable[4];

	if (!usable[0])
		list(usable);
	return usable;
}

const struct mb_kernel *mb_kernel_find(const char *name)
{
	const struct mb_kernel *blas = strcmp(name, "blas") ? NULL : mb_blas_kernel(&(struct mb_err){0});

	for (const struct mb_kernel *const *kernel = mb_kernels(); !blas && *kernel; kernel++)
		if (!strcmp((*kernel)->name, name))
			return *kernel;
	return blas;
}

const struct mb_kernel *mb_kernel_best(void)
{
	const struct mb_kernel *first = mb_kernels()[0], *blas = NULL;

	if (first == &mb_kernel_plain)
		blas = mb_blas_kernel(&(struct mb_err){0});
	return blas ? blas : first;
}

void mb_product(const struct mb_kernel *kernel, size_t m, size_t n, size_t k, const mb_real *a, size_t row,
		size_t column, const mb_real *b, size_t ldb, mb_real *c, size_t ldc, int add)
{
	struct mb_strip strips[64];

	for (size_t j = 0; j < n;) {
		size_t some = 0;

		for (; j < n && some < MB_COUNT(strips); j += MB_PAD)
			strips[some++] = (struct mb_strip){b + j, c + j, ldb, ldc};
		kernel->product(m, k, a, row, column, strips, some, add);
	}
}
