/* SPDX-License-Identifier: MIT */
#include "nn/blas.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"

/* The C interface's enumerations (BLAS Technical Forum, 2001). */
enum { ROW_MAJOR = 101, NO_TRANS = 111, TRANS = 112 };

typedef void gemm_fn(int order, int ta, int tb, int m, int n, int k, mb_real alpha, const mb_real *a, int lda,
		     const mb_real *b, int ldb, mb_real beta, mb_real *c, int ldc);

static const char *const libraries[] = {"libopenblas.so.0", "libblas.so.3", "libopenblas.so"};

/* What is loaded stays so for the life of the process. */
static gemm_fn *gemm;
static char name[160];

#ifdef MB_DOUBLE
static const char gemm_name[] = "cblas_dgemm";
#else
static const char gemm_name[] = "cblas_sgemm";
#endif

/* ISO C has no cast from an object pointer to a function pointer; POSIX promises that the bits are good. */
static void find(void *library, const char *symbol, void *function)
{
	void *found = dlsym(library, symbol);

	memcpy(function, &found, sizeof found);
}

static void describe(void *library, const char *file)
{
	char *(*config)(void), *text = NULL;

	find(library, "openblas_get_config", &config);
	if (config)
		text = config();
	snprintf(name, sizeof name, "%s", text ? text : file);
	for (size_t n = strlen(name); n && name[n - 1] == ' '; n--)
		name[n - 1] = '\0';
}

int mb_blas_load(struct mb_err *err)
{
	void (*set_threads)(int);

	for (size_t i = 0; !gemm && i < MB_COUNT(libraries); i++) {
		void *library = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);

		if (!library)
			continue;
		find(library, gemm_name, &gemm);
		if (!gemm) {
			dlclose(library);
			continue;
		}
		find(library, "openblas_set_num_threads", &set_threads);
		if (set_threads)
			set_threads(1);
		describe(library, libraries[i]);
	}
	if (gemm)
		return 0;
	mb_err_set(err, MB_EXIT_SYSTEM, NULL, "no BLAS: %s, %s, %s cannot be loaded", libraries[0], libraries[1],
		   libraries[2]);
	return mb_err_hint(err, "apt-get install libopenblas0");
}

const char *mb_blas_name(void)
{
	struct mb_err err;

	return mb_blas_load(&err) < 0 ? "none" : name;
}

/* Strips that lie side by side are one matrix. */
static void product(size_t m, size_t k, const mb_real *a, size_t row, size_t column, const struct mb_strip *strips,
		    size_t n, int add)
{
	const size_t lda = column > 1 ? column : m > 1 ? row : k; /* with one row, its step may be any number */

	for (size_t i = 0, some; i < n; i += some) {
		const struct mb_strip *first = &strips[i];

		for (some = 1; i + some < n && first[some].b == first->b + some * MB_PAD &&
			       first[some].c == first->c + some * MB_PAD && first[some].ldc == first->ldc;)
			some++;
		gemm(ROW_MAJOR, column > 1 ? TRANS : NO_TRANS, NO_TRANS, (int)m, (int)(some * MB_PAD), (int)k, 1, a,
		     (int)lda, first->b, (int)first->ldb, (mb_real)add, first->c, (int)first->ldc);
	}
}

const struct mb_kernel *mb_blas_kernel(struct mb_err *err)
{
	static const struct mb_kernel kernel = {"blas", product};

	return mb_blas_load(err) < 0 ? NULL : &kernel;
}
