/* SPDX-License-Identifier: MIT */
#include "run/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/signals.h"

int mb_pool_init(struct mb_pool *pool, size_t n, int keeps, mb_pool_work work, void *context, struct mb_err *err)
{
	void *shared = mmap(NULL, n * sizeof(pid_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	*pool = (struct mb_pool){.n = n, .keeps = keeps, .work = work, .context = context};
	if (shared == MAP_FAILED)
		return mb_err_errno(err, NULL, "mmap");
	pool->groups = shared;
	pool->workers = mb_alloc(n * sizeof *pool->workers);
	for (size_t i = 0; i < n; i++) {
		pool->workers[i].fd = -1;
		pool->workers[i].group = &pool->groups[i];
	}
	return 0;
}

/* The program's pipes are its own: a worker that held their ends would keep the neighbours waiting after a crash. */
static void leave_the_pipes(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		_exit(MB_EXIT_SYSTEM);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (null > STDERR_FILENO)
		close(null);
}

/* Parts are told from answers by their first byte. */
void mb_link_part(struct mb_link *link, const struct mb_str *text)
{
	struct mb_str line = {0};

	mb_str_adds(&line, "+");
	mb_str_add(&line, text->at, text->n);
	mb_str_adds(&line, "\n");
	mb_write_all(link->fd, line.at, line.n);
	mb_str_release(&line);
}

static _Noreturn void serve(struct mb_pool *pool, struct mb_worker *worker, int fd)
{
	struct mb_link link = {.fd = fd, .group = worker->group};
	struct mb_lines lines;
	struct mb_line line;
	struct mb_str answer = {0};
	int over = 0;

	mb_lines_init(&lines, fd);
	while (!over) {
		enum mb_line_result result = mb_lines_next(&lines, &line);

		if (result == MB_LINE_NONE)
			continue; /* a signal; the parent says when it is over */
		if (result != MB_LINE || !line.whole)
			break;
		mb_str_clear(&answer);
		over = pool->work(pool->context, &link, line.text, line.n, &answer);
		mb_str_adds(&answer, "\n");
		if (mb_write_all(fd, answer.at, answer.n) < 0)
			break;
	}
	_exit(0);
}

static int start(struct mb_pool *pool, struct mb_worker *worker, struct mb_err *err)
{
	pid_t parent = getpid();
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return mb_err_errno(err, NULL, "socketpair");
	mb_signals_hold();
	pid = fork();
	if (pid < 0) {
		mb_signals_let();
		close(fds[0]);
		close(fds[1]);
		return mb_err_errno(err, NULL, "fork");
	}
	if (pid == 0) {
		/* The parent's ends of the others' sockets: held here, they would never hang up. */
		for (size_t i = 0; i < pool->n; i++)
			if (pool->workers[i].fd >= 0)
				close(pool->workers[i].fd);
		close(fds[0]);
		if (!pool->keeps)
			prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent || mb_signals_open(pool->keeps, err) < 0)
			_exit(MB_EXIT_SYSTEM);
		mb_signals_let();
		leave_the_pipes();
		serve(pool, worker, fds[1]);
	}
	mb_signals_let();
	close(fds[1]);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	*worker->group = 0;
	worker->pid = pid;
	worker->fd = fds[0];
	worker->busy = worker->status = 0;
	mb_lines_init(&worker->answers, fds[0]);
	return 0;
}

struct mb_worker *mb_pool_idle(struct mb_pool *pool, struct mb_err *err)
{
	struct mb_worker *unused = NULL;

	err->what[0] = '\0';
	for (size_t i = 0; i < pool->n; i++) {
		struct mb_worker *worker = &pool->workers[i];

		if (worker->fd >= 0 && !worker->busy)
			return worker;
		if (worker->fd < 0 && !worker->busy && !unused)
			unused = worker;
	}
	if (!unused || start(pool, unused, err) < 0)
		return NULL;
	return unused;
}

int mb_pool_send(struct mb_worker *worker, const char *line, size_t n)
{
	worker->busy = 1;
	return mb_write_all(worker->fd, line, n) < 0 || mb_write_all(worker->fd, "\n", 1) < 0 ? -1 : 0;
}

static void bury(struct mb_worker *worker)
{
	close(worker->fd);
	mb_lines_release(&worker->answers);
	if (*worker->group > 0)
		kill(-*worker->group, SIGKILL);
	while (waitpid(worker->pid, &worker->status, 0) < 0 && errno == EINTR)
		;
	worker->fd = -1;
	worker->pid = 0;
}

enum mb_pool_event mb_pool_receive(struct mb_worker *worker, struct mb_str *answer)
{
	struct mb_line line;
	enum mb_line_result result = mb_lines_buffered(&worker->answers, &line);

	if (result == MB_LINE_NONE) {
		result = mb_lines_fill(&worker->answers);
		if (result == MB_LINE)
			result = mb_lines_buffered(&worker->answers, &line);
		if (result == MB_LINE_NONE)
			return MB_POOL_NOTHING;
	}
	if (result == MB_LINE && line.whole && line.n && line.text[0] == '+') {
		mb_str_clear(answer);
		mb_str_add(answer, line.text + 1, line.n - 1);
		return MB_POOL_PART;
	}
	if (result == MB_LINE && line.whole) {
		mb_str_clear(answer);
		mb_str_add(answer, line.text, line.n);
		worker->busy = 0;
		return MB_POOL_ANSWER;
	}
	bury(worker);
	return MB_POOL_DEAD;
}

void mb_pool_signal(struct mb_pool *pool, int signal)
{
	for (size_t i = 0; i < pool->n; i++)
		if (pool->workers[i].pid > 0)
			kill(pool->workers[i].pid, signal);
}

void mb_worker_kill(struct mb_worker *worker)
{
	if (worker->pid <= 0)
		return;
	if (*worker->group > 0)
		kill(-*worker->group, SIGKILL);
	kill(worker->pid, SIGKILL);
}

void mb_pool_close(struct mb_pool *pool)
{
	if (!pool->workers)
		return;
	for (size_t i = 0; i < pool->n; i++) {
		if (pool->workers[i].busy)
			mb_worker_kill(&pool->workers[i]);
		if (pool->workers[i].fd >= 0)
			shutdown(pool->workers[i].fd, SHUT_RDWR);
	}
	for (size_t i = 0; i < pool->n; i++)
		if (pool->workers[i].fd >= 0)
			bury(&pool->workers[i]);
	free(pool->workers);
	munmap(pool->groups, pool->n * sizeof(pid_t));
	*pool = (struct mb_pool){0};
}
