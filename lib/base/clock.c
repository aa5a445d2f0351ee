/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <time.h>

static double read_clock(clockid_t clock)
{
	struct timespec at;

	clock_gettime(clock, &at);
	return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

double mb_clock_monotonic_s(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

double mb_clock_cpu_s(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

double mb_clock_now_s(void)
{
	static double anchor; /* real time minus monotonic time; a race would only store the same value twice */

	if (anchor == 0)
		anchor = read_clock(CLOCK_REALTIME) - mb_clock_monotonic_s();
	return anchor + mb_clock_monotonic_s();
}
