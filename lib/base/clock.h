/* SPDX-License-Identifier: MIT
 *
 * Time. Durations come from the monotonic clock, points in time from one real-time anchor read at the process's start:
 * so spans of one process never overlap or run backwards when the wall clock is set.
 */
#ifndef MB_BASE_CLOCK_H
#define MB_BASE_CLOCK_H

double mb_clock_monotonic_s(void); /* for durations and deadlines */
double mb_clock_now_s(void);       /* Unix time: the anchor plus monotonic seconds since */
double mb_clock_cpu_s(void);       /* CPU seconds of this process */

#endif
