/* SPDX-License-Identifier: MIT
 *
 * Files and paths. Whole files are read or replaced at once; a replaced file is never seen half written.
 */
#ifndef MB_BASE_FILE_H
#define MB_BASE_FILE_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

/* Appends the whole file to text. Refuses files above `limit` bytes (0: none). */
int mb_file_read(const char *path, size_t limit, struct mb_str *text, struct mb_err *err);

/* Writes a temporary file beside `path` (unique to the process), syncs it when `durable`, renames it over `path`. */
int mb_file_replace(const char *path, const void *bytes, size_t n, int durable, struct mb_err *err);

/* Writes all n bytes to fd, however often the kernel takes fewer; 0, or -1 with errno. Waits on a non-blocking fd. */
int mb_write_all(int fd, const void *bytes, size_t n);

/* Seconds since `path` was last touched, by the file system's own clock, that of a file made just now beside it: clocks of
 * hosts differ. -1 when there is no such file, 0 when the folder cannot be written. */
double mb_file_untouched_s(const char *path);

/* mkdir -p with mode 0777 & ~umask. */
int mb_mkdirs(const char *path, struct mb_err *err);

/* All callers free. "a/b.c" → "a" (or "."); "dir", "name" → "dir/name", `name` alone when it is absolute or dir is ".". */
char *mb_path_dir(const char *path);
char *mb_path_join(const char *dir, const char *name);
const char *mb_path_name(const char *path); /* the part after the last slash, inside path */

/* "path.PID-RANDOM.tmp": a name that no other process uses, on any host or in any container. The caller frees. */
char *mb_path_unique(const char *path);

#endif
