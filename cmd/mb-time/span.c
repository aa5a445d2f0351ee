/* SPDX-License-Identifier: MIT
 *
 * The lines of the span file. Each is appended whole, by one write(2) under a lock, so that any number of mb-time on any
 * number of hosts share one file; nothing is synced, as that would cost more than what is measured.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "span.h"

enum { ARGV_BYTES = 2048 }; /* of the arguments that a line keeps */

static void random_hex(char *text, size_t digits)
{
	unsigned char bytes[16] = {0};

	if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) {
		uint64_t fallback = mb_hash_mix((uint64_t)(mb_clock_now_s() * 1e9) ^ (uint64_t)getpid() << 40);

		memcpy(bytes, &fallback, sizeof fallback);
	}
	bytes[0] |= 1; /* all zeros means none */
	for (size_t i = 0; i < digits; i++)
		text[i] = "0123456789abcdef"[(bytes[i / 2] >> (i % 2 ? 0 : 4)) & 15];
	text[digits] = '\0';
}

static int is_hex(const char *text, size_t n)
{
	return strspn(text, "0123456789abcdef") >= n && strspn(text, "0") < n;
}

/* TRACEPARENT, as in the W3C recommendation Trace Context: "00-<trace>-<parent>-<flags>". */
void span_name(struct span *span)
{
	const char *above = getenv("TRACEPARENT");
	char below[64];

	random_hex(span->id, 16);
	if (above && strlen(above) == 55 && !strncmp(above, "00-", 3) && is_hex(above + 3, 32) && above[35] == '-' &&
	    is_hex(above + 36, 16) && above[52] == '-') {
		memcpy(span->trace, above + 3, 32);
		memcpy(span->parent, above + 36, 16);
	} else {
		random_hex(span->trace, 32);
	}
	snprintf(below, sizeof below, "00-%s-%s-01", span->trace, span->id);
	setenv("TRACEPARENT", below, 1);
}

/* Any bytes as a JSON text: what is not UTF-8 shows as U+FFFD. */
static json_t *text_of(const char *bytes, size_t n)
{
	json_t *text = json_stringn(bytes, n);
	struct mb_str plain = {0};

	if (text)
		return text;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)bytes[i] < 0x80)
			mb_str_add(&plain, bytes + i, 1);
		else
			mb_str_adds(&plain, "\xEF\xBF\xBD");
	text = json_stringn(plain.at, plain.n);
	mb_str_release(&plain);
	return text;
}

static json_t *list_argv(char *const *argv, int *cut)
{
	json_t *list = json_array();
	size_t room = ARGV_BYTES;

	for (; *argv && room; argv++) {
		size_t n = strlen(*argv);

		if (n > room) {
			*cut = 1;
			n = room;
		}
		json_array_append_new(list, text_of(*argv, n));
		room -= n;
	}
	*cut |= *argv != NULL;
	return list;
}

static json_t *micros(double seconds)
{
	return json_real(round(seconds * 1e6) / 1e6);
}

static double seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

static void add_measures(const struct span *span, json_t *line)
{
	const struct rusage *used = &span->used;

	mb_json_set(line, "seconds", micros(span->seconds));
	mb_json_set(line, "user_seconds", micros(seconds_of(used->ru_utime)));
	mb_json_set(line, "system_seconds", micros(seconds_of(used->ru_stime)));
	mb_json_set(line, "max_rss_bytes", json_integer((json_int_t)used->ru_maxrss * 1024));
	mb_json_set(line, "block_read_bytes", json_integer((json_int_t)used->ru_inblock * 512));
	mb_json_set(line, "block_write_bytes", json_integer((json_int_t)used->ru_oublock * 512));
	mb_json_set(line, "minor_faults", json_integer(used->ru_minflt));
	mb_json_set(line, "major_faults", json_integer(used->ru_majflt));
	mb_json_set(line, "voluntary_switches", json_integer(used->ru_nvcsw));
	mb_json_set(line, "involuntary_switches", json_integer(used->ru_nivcsw));
	if (span->signal)
		mb_json_set(line, "signal", json_integer(span->signal));
	else
		mb_json_set(line, "exit", json_integer(span->exit));
}

static void print_line(const struct span *span, const char *event, struct mb_str *text)
{
	json_t *line = json_object();
	char host[256] = "";
	int cut = 0;

	gethostname(host, sizeof host - 1);
	mb_json_set(line, "event", json_string(event));
	mb_json_set(line, "id", json_string(span->id));
	mb_json_set(line, "trace", json_string(span->trace));
	if (*span->parent)
		mb_json_set(line, "parent", json_string(span->parent));
	mb_json_set(line, "phase", text_of(span->phase, strlen(span->phase)));
	mb_json_set(line, "argv", list_argv(span->argv, &cut));
	if (cut)
		mb_json_set(line, "argv_cut", json_true());
	mb_json_set(line, "start", micros(span->start_s));
	if (!strcmp(event, "span"))
		add_measures(span, line);
	mb_json_set(line, "host", text_of(host, strlen(host)));
	mb_json_set(line, "pid", json_integer(getpid()));
	mb_json_print(line, text);
	mb_str_adds(text, "\n");
	json_decref(line);
}

/* Waits up to a second: a line without the lock is better than none, and on a local file system O_APPEND is enough. */
static void lock_file(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	for (int i = 0; i < 2000; i++) {
		if (fcntl(fd, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES))
			return;
		nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
	}
}

static int write_line(int fd, struct mb_str *line)
{
	struct stat file;
	off_t size = fstat(fd, &file) == 0 && S_ISREG(file.st_mode) ? file.st_size : 0;
	char last = '\n';
	ssize_t n;

	if (size && pread(fd, &last, 1, size - 1) == 1 && last != '\n') { /* of a writer that was killed, or a full disk */
		mb_str_adds(line, "\n");
		memmove(line->at + 1, line->at, line->n - 1);
		line->at[0] = '\n';
	}
	n = write(fd, line->at, line->n);
	if (n == (ssize_t)line->n)
		return 0;
	if (n >= 0) {
		if (S_ISREG(file.st_mode) && ftruncate(fd, size) < 0)
			return -1;
		errno = ENOSPC;
	}
	return -1;
}

int span_append(const struct span *span, const char *event, const char *path, struct mb_err *err)
{
	struct mb_str line = {0};
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666), status = 0;

	if (fd < 0)
		return mb_err_errno(err, path, "cannot write the span");
	print_line(span, event, &line);
	lock_file(fd);
	if (write_line(fd, &line) < 0)
		status = mb_err_errno(err, path, "cannot write the span");
	if (close(fd) < 0 && status == 0)
		status = mb_err_errno(err, path, "cannot write the span");
	mb_str_release(&line);
	return status;
}
