/* SPDX-License-Identifier: MIT
 *
 * A pool of forked worker processes, each at the other end of a socket: one line goes in, one line comes back.
 * Workers are forked when there is work for them and none is idle, inherit what the parent has opened by then, and
 * end when the parent closes their socket or is gone.
 *
 *     mb_pool_init(&pool, 2, 0, work, &job, &err);
 *     struct mb_worker *worker = mb_pool_idle(&pool, &err);      // NULL: all are busy
 *     mb_pool_send(worker, line, n);
 *     … poll(worker->fd) …
 *     if (mb_pool_receive(worker, &answer) == MB_POOL_ANSWER) …
 *     mb_pool_close(&pool);
 */
#ifndef MB_RUN_POOL_H
#define MB_RUN_POOL_H

#include <sys/types.h>

#include "base/base.h"

struct mb_worker {
	pid_t pid;             /* 0: not running */
	int fd;                /* the parent's end; -1: not running */
	int busy;              /* a line was sent, no answer has come */
	int status;            /* of waitpid, once dead */
	void *task;            /* the caller's, for what it is busy with */
	volatile pid_t *group; /* shared with the worker: the process group that it keeps for a job, 0 for none */
	struct mb_lines answers;
};

/* What a worker has of its parent. */
struct mb_link {
	int fd;                /* hangs up when the parent is gone */
	volatile pid_t *group; /* set while a job's process group lives: the parent kills it should the worker die */
};

/* Runs in the worker: one line in, one answer out (without newline). Non-zero ends the worker after its answer. */
typedef int (*mb_pool_work)(void *context, struct mb_link *link, const char *line, size_t n, struct mb_str *answer);

struct mb_pool {
	struct mb_worker *workers;
	size_t n; /* how many there may be */
	mb_pool_work work;
	void *context;
	pid_t *groups; /* n shared words */
	int keeps;     /* workers look after jobs: they watch link->fd, and are not killed with the parent */
};

/* In the worker: a part of the answer (without newline), sent at once. What cannot be sent is noticed at the answer. */
void mb_link_part(struct mb_link *link, const struct mb_str *text);

enum mb_pool_event { MB_POOL_NOTHING, MB_POOL_PART, MB_POOL_ANSWER, MB_POOL_DEAD };

int mb_pool_init(struct mb_pool *pool, size_t n, int keeps, mb_pool_work work, void *context, struct mb_err *err);

/* A worker without work, forked if need be; NULL with err->what empty when all are busy, else with the error. */
struct mb_worker *mb_pool_idle(struct mb_pool *pool, struct mb_err *err);

/* 0, or -1: the worker is gone (mb_pool_receive will say MB_POOL_DEAD). */
int mb_pool_send(struct mb_worker *worker, const char *line, size_t n);

/* To be called when worker->fd is readable, until MB_POOL_NOTHING. MB_POOL_PART: *answer holds a part, worker goes on.
 * MB_POOL_ANSWER: *answer holds it, worker is idle.
 * MB_POOL_DEAD: it ended, worker->status tells how; its job's process group was killed; `busy` and `task` are left to
 * the caller. */
enum mb_pool_event mb_pool_receive(struct mb_worker *worker, struct mb_str *answer);

void mb_pool_signal(struct mb_pool *pool, int signal);  /* to all that run */
void mb_worker_kill(struct mb_worker *worker);          /* SIGKILL to it and its job's group; no wait */
void mb_pool_close(struct mb_pool *pool);               /* closes the sockets, waits for the ends; releases */

#endif
