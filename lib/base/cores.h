/* SPDX-License-Identifier: MIT
 *
 * How many cores this process may use: what its affinity mask (taskset, Slurm, a cpuset) leaves of the machine.
 */
#ifndef MB_BASE_CORES_H
#define MB_BASE_CORES_H

int mb_cores(void); /* at least 1 */

#endif
