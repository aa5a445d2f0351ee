/* SPDX-License-Identifier: MIT
 *
 * What Slurm's queue holds of this user's searches. Clusters ask their users not to call squeue from loops, and some limit
 * the calls, so the answer is kept in a file under the user's state: whoever looks within 30 s reads that. An answer that
 * did not come is kept as well.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "slurm.h"

enum { FRESH_S = 30, ANSWER_S = 4, FIELDS = 5 };

void queue_release(struct queue *queue)
{
	for (size_t i = 0; i < queue->n; i++) {
		free(queue->tasks[i].name);
		free(queue->tasks[i].job);
		free(queue->tasks[i].state);
		free(queue->tasks[i].reason);
	}
	free(queue->tasks);
	free(queue->down);
	*queue = (struct queue){0};
}

/* name|array's id|index|state|reason */
static void take_task(struct queue *queue, const char *line, size_t n)
{
	char *fields[FIELDS] = {NULL};
	const char *end = line + n, *bar;
	struct task task = {0};

	for (int i = 0; i < FIELDS; i++) {
		bar = i < FIELDS - 1 ? memchr(line, '|', (size_t)(end - line)) : end;
		if (!bar)
			bar = end;
		fields[i] = mb_textf("%.*s", (int)(bar - line), line);
		line = bar < end ? bar + 1 : end;
	}
	if (mb_num_int(fields[2], &task.number) < 0)
		task.number = 0;
	free(fields[2]);
	task.name = fields[0];
	task.job = fields[1];
	task.state = fields[3];
	task.reason = fields[4];
	MB_PUSH(queue->tasks, queue->n, queue->cap, task);
}

/* The file: "ok" or why not, then a line a task. */
static void take(struct queue *queue, const struct mb_str *text)
{
	const char *at = text->at, *newline;
	int first = 1;

	for (; at && (newline = strchr(at, '\n')); at = newline + 1, first = 0) {
		size_t n = (size_t)(newline - at);

		if (!first)
			take_task(queue, at, n);
		else if (n != 2 || memcmp(at, "ok", 2))
			queue->down = mb_textf("%.*s", (int)n, at);
	}
}

/* Seconds since the file was written, by this machine's clock; -1 when there is none. A file of the future is no better than
 * an old one: a clock was set. */
static double age_of(const char *path, struct queue *queue)
{
	const double now = mb_clock_now_s();
	struct stat file;

	if (stat(path, &file) < 0)
		return -1;
	queue->at_s = (double)file.st_mtim.tv_sec + (double)file.st_mtim.tv_nsec / 1e9;
	return fabs(now - queue->at_s);
}

static int read_kept(struct queue *queue, const char *path)
{
	struct mb_str text = {0};
	struct mb_err err;
	double age = age_of(path, queue);
	int ok = age >= 0 && age < FRESH_S && mb_file_read(path, 0, &text, &err) == 0;

	if (ok)
		take(queue, &text);
	mb_str_release(&text);
	return ok;
}

static void ask(struct mb_str *text)
{
	char *const argv[] = {"squeue", "--noheader", "--me", "--array", "--format=%j|%F|%K|%T|%r", NULL};
	struct said said;
	struct mb_err err;
	char why[256];

	if (slurm_run(&said, argv, ANSWER_S, -1, &err) == 0) {
		mb_str_adds(text, "ok\n");
		for (char *at = said.out.at, *newline; (newline = strchr(at, '\n')); at = newline + 1)
			if (!strncmp(at, "mb-", 3))
				mb_str_add(text, at, (size_t)(newline + 1 - at));
	} else {
		if (said.late || strstr(said.err.at, "ontact"))
			slurm_ping(&err);
		mb_str_addf(text, "%s\n", mb_err_text(&err, why, sizeof why));
	}
	said_release(&said);
}

void queue_read(struct queue *queue, int fresh)
{
	struct mb_err err;
	char *state = folder_state(&err), *path = state ? mb_path_join(state, ".squeue") : NULL;
	struct mb_lock lock = {.fd = -1};
	struct mb_str text = {0};
	int locked = 0;

	*queue = (struct queue){0};
	if (path && !fresh && read_kept(queue, path))
		goto out;
	/* Of several who find it old one asks, the others wait for the answer. */
	locked = path && mb_lock_open(&lock, path, getenv("MB_LOCK"), &err) == 0 && mb_lock_take(&lock, &err) == 0;
	if (locked && !fresh && read_kept(queue, path))
		goto out;
	queue->at_s = mb_clock_now_s();
	ask(&text);
	take(queue, &text);
	if (path)
		mb_file_replace(path, text.at, text.n, 0, &err);
out:
	if (locked)
		mb_lock_drop(&lock);
	mb_lock_close(&lock);
	mb_str_release(&text);
	free(path);
	free(state);
}

int task_is_pending(const struct task *task)
{
	return !strcmp(task->state, "PENDING") || !strncmp(task->state, "REQUEUE", 7) ||
	       !strcmp(task->state, "SPECIAL_EXIT");
}

int task_is_ending(const struct task *task)
{
	return !strcmp(task->state, "COMPLETING");
}

int task_is_on(const struct task *task)
{
	static const char *const states[] = {"RUNNING",  "COMPLETING", "CONFIGURING", "SUSPENDED",
					     "STOPPED",  "SIGNALING",  "STAGE_OUT",   "RESIZING"};

	for (size_t i = 0; i < MB_COUNT(states); i++)
		if (!strcmp(task->state, states[i]))
			return 1;
	return 0;
}
