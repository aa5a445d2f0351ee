/* SPDX-License-Identifier: MIT
 *
 * How much memory processes have, from /proc. Resident pages are cheap to count; where they are beyond `enough`,
 * pages shared with others (a forked interpreter's modules, mapped data) are counted by their share, which is dear.
 */
#ifndef MB_RUN_MEMORY_H
#define MB_RUN_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

int64_t mb_memory_of(pid_t pid, int64_t enough);         /* bytes; 0: no such process */
int64_t mb_memory_of_group(pid_t group, int64_t enough); /* bytes of all processes of that group */

#endif
