/* SPDX-License-Identifier: MIT
 *
 * logs: what the workers said.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deploy.h"

enum { LINES = 40 };

/* One worker's file, printed up to `at`. */
struct words {
	int64_t worker;
	off_t at;
};

struct logs {
	struct deployment deployment;
	struct words *files;
	size_t n, cap;
	int64_t last_shown; /* whose words were printed last */
};

static int by_worker(const void *a, const void *b)
{
	const struct words *left = a, *right = b;

	return left->worker < right->worker ? -1 : left->worker > right->worker;
}

/* Where the last `lines` lines begin. */
static off_t tail_of(int fd, off_t size, int64_t lines)
{
	char chunk[65536];
	off_t at = size;

	while (at > 0) {
		size_t want = at < (off_t)sizeof chunk ? (size_t)at : sizeof chunk;
		ssize_t got = pread(fd, chunk, want, at - (off_t)want);

		if (got <= 0)
			return 0;
		for (ssize_t i = got; i-- > 0;)
			if (chunk[i] == '\n' && at - got + i + 1 < size && lines-- == 1)
				return at - got + i + 1;
		at -= got;
	}
	return 0;
}

/* Prints what is new in one file; -1 when stdout is gone or broken. */
static int print_new(struct logs *logs, struct words *words, int64_t lines)
{
	struct mb_tool *tool = logs->deployment.tool;
	char *path = folder_log_of(&logs->deployment, words->worker), chunk[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC), bad = 0;
	struct stat file;
	ssize_t got;

	free(path);
	if (fd < 0)
		return 0;
	if (fstat(fd, &file) == 0 && (lines > 0 || file.st_size < words->at)) /* cut, or another file by now */
		words->at = lines > 0 ? tail_of(fd, file.st_size, lines) : 0;
	while (!bad && (got = pread(fd, chunk, sizeof chunk, words->at)) > 0) {
		if (logs->n > 1 && logs->last_shown != words->worker) {
			char *head = mb_textf("==> worker %lld <==\n", (long long)words->worker);

			bad = mb_tool_write(tool, head, strlen(head));
			free(head);
		}
		logs->last_shown = words->worker;
		bad = bad || mb_tool_write(tool, chunk, (size_t)got) < 0;
		words->at += got;
	}
	close(fd);
	return bad ? -1 : 0;
}

static int has(const struct logs *logs, int64_t worker)
{
	for (size_t i = 0; i < logs->n; i++)
		if (logs->files[i].worker == worker)
			return 1;
	return 0;
}

static void find_files(struct logs *logs)
{
	const struct journal *journal = &logs->deployment.journal;

	for (size_t i = 0; i < journal->n_slots; i++)
		if (!has(logs, journal->slots[i].number))
			MB_PUSH(logs->files, logs->n, logs->cap, (struct words){.worker = journal->slots[i].number});
	if (logs->n)
		qsort(logs->files, logs->n, sizeof *logs->files, by_worker);
}

static int print_all(struct logs *logs, int64_t lines)
{
	int bad = 0;

	for (size_t i = 0; i < logs->n && !bad; i++)
		bad = print_new(logs, &logs->files[i], lines);
	return bad;
}

/* Until no worker is on, or nobody reads. */
static int follow(struct logs *logs, struct mb_err *err)
{
	struct pollfd out = {.fd = STDOUT_FILENO};
	size_t on;

	do {
		if (poll(&out, 1, 250) > 0 && out.revents & (POLLERR | POLLNVAL))
			return 0;
		if (journal_update(&logs->deployment.journal, err) < 0)
			return -1;
		learn(&logs->deployment, 0);
		on = count_on(&logs->deployment);
		find_files(logs);
		if (print_all(logs, 0) < 0)
			return 0;
	} while (on);
	return 0;
}

int verb_logs(struct mb_tool *tool, const struct deploy_options *options)
{
	struct logs logs = {0};
	struct mb_err err;
	int status = MB_EXIT_OK;

	if (folder_find(&logs.deployment, tool, options->name, options->on, &err) < 0)
		return mb_tool_fail(tool, &err);
	if (journal_open(&logs.deployment.journal, logs.deployment.folder, 0, &err) < 0) {
		status = mb_tool_fail(tool, &err);
	} else {
		find_files(&logs);
		if (!logs.n)
			mb_tool_say(tool, "%s: no worker has begun (mb-deploy status %s tells why)",
				    logs.deployment.name, logs.deployment.name);
		if (print_all(&logs, options->lines ? options->lines : LINES) < 0)
			status = tool->stdout_gone ? MB_EXIT_OK : MB_EXIT_SYSTEM;
		else if (options->follow && follow(&logs, &err) < 0)
			status = mb_tool_fail(tool, &err);
	}
	free(logs.files);
	folder_release(&logs.deployment);
	return status;
}
