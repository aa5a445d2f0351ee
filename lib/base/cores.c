/* SPDX-License-Identifier: MIT */
#include "base/cores.h"

#include <sched.h>
#include <unistd.h>

int mb_cores(void)
{
	cpu_set_t set;
	long cores;

	if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
		return CPU_COUNT(&set);
	cores = sysconf(_SC_NPROCESSORS_ONLN); /* beyond 1,024 CPUs: the set is too small */
	return cores > 0 ? (int)cores : 1;
}
