/* SPDX-License-Identifier: MIT
 *
 * MB_WIDE before a function has the compiler make it also for wider vector units, picked when the program starts.
 * Products and sums are never fused (ISO C mode) and the order of every sum is written down, so all versions give the
 * same bits.
 */
#ifndef MB_STAT_WIDE_H
#define MB_STAT_WIDE_H

#if defined __x86_64__ && defined __gnu_linux__ && !defined __SANITIZE_ADDRESS__
#define MB_WIDE __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define MB_WIDE
#endif

#endif
