/* SPDX-License-Identifier: MIT
 *
 * The number that networks are made of: float, or double in the build that is held to PyTorch's float64 numbers
 * (-DMB_DOUBLE). MB_CLONES marks elementwise loops that are compiled for AVX-512, AVX2 and the baseline and chosen
 * when the program starts. -std=c11 forbids contraction to fused multiply-add and the loops reorder no sum, so all
 * of them give the same bits.
 */
#ifndef MB_NN_REAL_H
#define MB_NN_REAL_H

#include <features.h>

#ifdef MB_DOUBLE
typedef double mb_real;
#define MB_REAL_NAME "float64"
#define MB_REAL(name) name
#else
typedef float mb_real;
#define MB_REAL_NAME "float32"
#define MB_REAL(name) name##f /* MB_REAL(exp)(x): expf or exp */
#endif

#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define MB_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define MB_CLONES
#endif

#define MB_ALIGN 64 /* bytes: a cache line, an AVX-512 register */

#endif
