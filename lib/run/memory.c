/* SPDX-License-Identifier: MIT */
#include "run/memory.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"

/* The start of /proc/PID/NAME in text; bytes, 0 when the process is gone or is not ours to look at. */
static size_t read_proc(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	FILE *file;
	size_t n;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	n = fread(text, 1, size - 1, file);
	text[n] = '\0';
	fclose(file);
	return n;
}

static int64_t resident(pid_t pid)
{
	char text[128];
	long long pages = 0;

	if (!read_proc(pid, "statm", text, sizeof text) || sscanf(text, "%*s %lld", &pages) != 1)
		return 0;
	return pages * sysconf(_SC_PAGESIZE);
}

/* Proportional: what is shared by n processes counts one n-th. */
static int64_t proportional(pid_t pid)
{
	char text[2048], *at;
	long long kilobytes;

	if (!read_proc(pid, "smaps_rollup", text, sizeof text))
		return resident(pid);
	at = strstr(text, "\nPss:");
	return at && sscanf(at + 5, "%lld", &kilobytes) == 1 ? kilobytes * 1024 : resident(pid);
}

int64_t mb_memory_of(pid_t pid, int64_t enough)
{
	int64_t bytes = resident(pid);

	return bytes > enough ? proportional(pid) : bytes;
}

static int64_t sum(pid_t group, int64_t (*of)(pid_t pid))
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;
	int64_t bytes = 0, pid;

	while (folder && (entry = readdir(folder)))
		if (mb_num_int(entry->d_name, &pid) == 0 && getpgid((pid_t)pid) == group)
			bytes += of((pid_t)pid);
	if (folder)
		closedir(folder);
	return bytes;
}

int64_t mb_memory_of_group(pid_t group, int64_t enough)
{
	int64_t bytes = sum(group, resident);

	return bytes > enough ? sum(group, proportional) : bytes;
}
