/* SPDX-License-Identifier: MIT */
#include "run/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/memory.h"
#include "run/signals.h"

enum { CHUNK = 65536 };

/* The ends of the child's pipes that are this process's. */
struct ends {
	int in, out, error;
	int failed;  /* errno of an exec that did not work; closed by one that did. For an interpreter's child its leash */
	int control; /* of an interpreter's child */
};

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static _Noreturn void become(const struct mb_child *child, struct mb_link *link, pid_t parent, const int fds[4][2])
{
	char *const shell[] = {"/bin/sh", "-c", (char *)child->shell, NULL};
	char *const *argv = child->argv ? child->argv : shell;
	int error;

	setpgid(0, 0);
	*link->group = getpid(); /* before the job can do anything, even kill this worker */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(MB_EXIT_SYSTEM);
	mb_signals_default();
	dup2(fds[0][0], STDIN_FILENO);
	dup2(fds[1][1], STDOUT_FILENO);
	dup2(fds[2][1], STDERR_FILENO);
	for (char *const *variable = child->variables; variable && *variable; variable++)
		putenv(*variable);
	if (chdir(child->folder) == 0)
		execvp(argv[0], argv);
	error = errno;
	if (write(fds[3][1], &error, sizeof error) < 0)
		_exit(MB_EXIT_SYSTEM);
	_exit(127);
}

static void close_all(int fds[4][2])
{
	for (int i = 0; i < 4; i++) {
		shut(&fds[i][0]);
		shut(&fds[i][1]);
	}
}

static int start_own(struct mb_child *child, struct mb_link *link, int fds[4][2], struct mb_err *err)
{
	pid_t parent = getpid();

	mb_signals_hold();
	child->pid = fork();
	if (child->pid == 0)
		become(child, link, parent, (const int(*)[2])fds);
	mb_signals_let();
	if (child->pid < 0)
		return mb_err_errno(err, NULL, "fork");
	setpgid(child->pid, child->pid); /* here too: whoever comes first */
	return 0;
}

static int lost(struct mb_err *err)
{
	return mb_err_set(err, MB_EXIT_CHILD, NULL, "the Python interpreter has ended");
}

/* A number that the interpreter tells; -1: it is gone, 0: not yet. */
static int64_t hear_of(int control, int flags)
{
	char text[24];
	ssize_t n;
	int64_t value;

	do
		n = recv(control, text, sizeof text - 1, flags);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	text[n > 0 ? n : 0] = '\0';
	return mb_num_int(text, &value) < 0 ? -1 : value + 1;
}

/* The job does nothing before its request has come: by then its group is known. */
static int start_served(struct mb_child *child, int fds[4][2], int *control, struct mb_err *err)
{
	int pair[2];
	int64_t told = -1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return mb_err_errno(err, NULL, "socketpair");
	if (mb_python_fork(child->python, child->variables,
			   (int[]){fds[0][0], fds[1][1], fds[2][1], pair[1], fds[3][0]}) < 0)
		shut(&pair[0]);
	close(pair[1]);
	if (pair[0] >= 0)
		told = hear_of(pair[0], 0);
	child->pid = (pid_t)(told - 1);
	*control = pair[0];
	return told > 1 ? 0 : lost(err);
}

static int start(struct mb_child *child, struct mb_link *link, struct ends *ends, struct mb_err *err)
{
	int fds[4][2] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}}, control = -1, bad = 0;
	int kept = child->python ? 1 : 0;

	for (int i = 0; i < 4 && !bad; i++)
		if (pipe2(fds[i], O_CLOEXEC) < 0)
			bad = mb_err_errno(err, NULL, "pipe");
	child->start_s = mb_clock_now_s();
	if (!bad)
		bad = child->python ? start_served(child, fds, &control, err) : start_own(child, link, fds, err);
	if (bad) {
		close_all(fds);
		shut(&control);
		return -1;
	}
	*ends = (struct ends){.in = fds[0][1], .out = fds[1][0], .error = fds[2][0], .failed = fds[3][kept],
			      .control = control};
	close(fds[0][0]);
	close(fds[1][1]);
	close(fds[2][1]);
	close(fds[3][!kept]);
	fcntl(ends->in, F_SETFL, O_NONBLOCK);
	fcntl(ends->out, F_SETFL, O_NONBLOCK);
	fcntl(ends->error, F_SETFL, O_NONBLOCK);
	return 0;
}

/* Waits for the exec; 0 when it worked, else its errno. */
static int exec_error(struct ends *ends)
{
	int error = 0;
	ssize_t got;

	do
		got = read(ends->failed, &error, sizeof error);
	while (got < 0 && errno == EINTR);
	shut(&ends->failed);
	return got == sizeof error ? error : 0;
}

static void feed(struct mb_child *child, struct ends *ends, size_t *fed)
{
	ssize_t wrote = 0;

	if (*fed < child->n_input)
		wrote = write(ends->in, child->input + *fed, child->n_input - *fed);
	if (wrote > 0)
		*fed += (size_t)wrote;
	if (*fed == child->n_input || (wrote < 0 && errno != EAGAIN && errno != EINTR))
		shut(&ends->in); /* all is fed, or the job does not read */
}

/* One read; 1 when there may be more. */
static int drain(int *fd, char chunk[CHUNK], size_t *n)
{
	ssize_t got = read(*fd, chunk, CHUNK);

	*n = got > 0 ? (size_t)got : 0;
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
		shut(fd);
	return got > 0;
}

static int take_output(struct mb_child *child, struct ends *ends)
{
	char chunk[CHUNK];
	struct mb_str *output = &child->output;
	size_t n;
	int more = drain(&ends->out, chunk, &n);

	mb_str_add(output, chunk, n);
	if (output->n > 2 * MB_CHILD_KEEPS) {
		memmove(output->at, output->at + output->n - MB_CHILD_KEEPS, MB_CHILD_KEEPS + 1);
		output->n = MB_CHILD_KEEPS;
	}
	return more;
}

/* Passes stderr through and remembers its last line, which may come in pieces. */
static int take_words(struct mb_child *child, struct ends *ends, struct mb_str *line)
{
	char chunk[CHUNK];
	size_t n;
	int more = drain(&ends->error, chunk, &n);

	mb_write_all(STDERR_FILENO, chunk, n);
	for (size_t i = 0; i < n; i++) {
		if (chunk[i] == '\n' || chunk[i] == '\r') {
			mb_str_clear(line);
		} else if (line->n < sizeof child->last_words - 1) {
			mb_str_add(line, chunk + i, 1);
			memcpy(child->last_words, line->at, line->n + 1);
		}
	}
	return more;
}

/* 1 when the leader of the group has ended; its zombie stays, so that the group's number is not given anew. For an
 * interpreter's child the status is set then, -1: the interpreter is gone. */
static int has_ended(struct mb_child *child, const struct ends *ends)
{
	siginfo_t info = {0};

	if (child->python) {
		int64_t told = hear_of(ends->control, MSG_DONTWAIT);

		child->status = (int)(told > 0 ? told - 1 : told);
		return told != 0;
	}
	return waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child->pid;
}

/* What ends a child before its time. */
struct limits {
	double timeout_at, kill_at, look_at; /* monotonic; 0: none */
};

static const double look_every_s = 0.1;

static void forward(struct mb_child *child, struct limits *limits, int signal)
{
	kill(-child->pid, signal);
	kill(-child->pid, SIGCONT); /* a stopped group would not hear it */
	limits->kill_at = mb_clock_monotonic_s() + child->grace_s;
	limits->timeout_at = 0;
}

static void hear(struct mb_child *child, struct limits *limits)
{
	int signal;

	while ((signal = mb_signals_take()))
		if (signal != SIGCHLD && !child->forwarded) {
			child->forwarded = signal;
			forward(child, limits, signal);
		}
}

/* What needs too much memory gets no time to need more. */
static void look_at_memory(struct mb_child *child, struct limits *limits, double now)
{
	int64_t bytes = mb_memory_of_group(child->pid, child->memory_limit);

	limits->look_at = now + look_every_s;
	if (bytes > child->memory_limit) {
		child->memory = bytes;
		limits->look_at = limits->timeout_at = 0;
		limits->kill_at = now;
	}
}

static double earlier(double a, double b)
{
	return !a || (b && b < a) ? b : a;
}

static int wait_ms(struct mb_child *child, struct limits *limits)
{
	double now = mb_clock_monotonic_s(), at;

	if (limits->look_at && now >= limits->look_at)
		look_at_memory(child, limits, now);
	if (limits->timeout_at && now >= limits->timeout_at) {
		child->timed_out = 1;
		forward(child, limits, SIGTERM);
	}
	if (limits->kill_at && now >= limits->kill_at) {
		kill(-child->pid, SIGKILL);
		limits->kill_at = now + 1;
	}
	at = earlier(limits->look_at, limits->kill_at ? limits->kill_at : limits->timeout_at);
	if (!at)
		return -1;
	return at - now > 3600 ? 3600000 : (int)((at - now) * 1000) + 1;
}

static void attend(struct mb_child *child, struct ends *ends, struct mb_link *link, int signals)
{
	struct limits limits = {0};
	struct mb_str words = {0};
	size_t fed = 0;

	if (child->timeout_s > 0)
		limits.timeout_at = mb_clock_monotonic_s() + child->timeout_s;
	if (child->memory_limit)
		limits.look_at = mb_clock_monotonic_s() + look_every_s;
	hear(child, &limits); /* one that came before the start */
	while (!has_ended(child, ends)) {
		struct pollfd fds[] = {
			{.fd = signals, .events = POLLIN}, {.fd = link->fd, .events = POLLRDHUP},
			{.fd = ends->in, .events = POLLOUT}, {.fd = ends->out, .events = POLLIN},
			{.fd = ends->error, .events = POLLIN}, {.fd = child->python ? ends->control : -1, .events = POLLIN},
		};

		if (poll(fds, MB_COUNT(fds), wait_ms(child, &limits)) < 0)
			continue;
		if (fds[1].revents) { /* the parent is gone: nobody is left to answer to */
			kill(-child->pid, SIGKILL);
			_exit(MB_EXIT_SYSTEM);
		}
		if (fds[0].revents)
			hear(child, &limits);
		if (fds[2].revents)
			feed(child, ends, &fed);
		if (fds[3].revents)
			take_output(child, ends);
		if (fds[4].revents)
			take_words(child, ends, &words);
	}
	kill(-child->pid, SIGKILL); /* what it left behind */
	while (ends->out >= 0 && take_output(child, ends))
		;
	while (ends->error >= 0 && take_words(child, ends, &words))
		;
	mb_str_release(&words);
}

static int is_stop(int signal)
{
	return signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGUSR1 || signal == SIGUSR2;
}

/* A batch system signals all processes of a job, each by itself: a child that such a signal ended may be gone before this
 * process has heard of its own, which counts as forwarded. */
static void hear_late(struct mb_child *child, int signals)
{
	const double until = mb_clock_monotonic_s() + 0.3;
	const int status = child->status;
	struct pollfd on = {.fd = signals, .events = POLLIN};
	int signal;

	if (child->forwarded || child->timed_out || child->memory ||
	    !(WIFSIGNALED(status) ? is_stop(WTERMSIG(status)) : is_stop(WEXITSTATUS(status) - 128)))
		return;
	while (!child->forwarded && mb_clock_monotonic_s() < until) {
		poll(&on, 1, 20);
		while ((signal = mb_signals_take()))
			if (signal != SIGCHLD && !child->forwarded)
				child->forwarded = signal;
	}
}

int mb_child_run(struct mb_child *child, struct mb_link *link, struct mb_err *err)
{
	struct ends ends;
	int error = 0, signals = mb_signals_fd();
	double began = mb_clock_monotonic_s();

	if (start(child, link, &ends, err) < 0)
		return -1;
	*link->group = child->pid; /* where the link's memory is not shared with the child */
	if (!child->python)
		error = exec_error(&ends);
	if (!error)
		attend(child, &ends, link, signals);
	shut(&ends.in);
	shut(&ends.out);
	shut(&ends.error);
	*link->group = 0;
	child->seconds = mb_clock_monotonic_s() - began;
	if (child->python) {
		shut(&ends.failed);
		shut(&ends.control); /* now it is buried, and its number free */
		return child->status < 0 ? lost(err) : 0;
	}
	while (waitpid(child->pid, &child->status, 0) < 0 && errno == EINTR)
		;
	if (!error)
		hear_late(child, signals);
	if (error)
		return mb_err_set(err, MB_EXIT_CHILD, NULL, "%s: %s", child->argv ? child->argv[0] : "/bin/sh",
				  strerror(error));
	return 0;
}

void mb_child_release(struct mb_child *child)
{
	mb_str_release(&child->output);
}
