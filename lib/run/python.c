/* SPDX-License-Identifier: MIT */
#include "run/python.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/signals.h"

static const unsigned char program[] = {
#include "python_server.h"
};

/* The program as a file that has no name. */
static int open_program(struct mb_err *err)
{
	int fd = memfd_create("python_server.py", MFD_CLOEXEC);

	if (fd < 0 || mb_write_all(fd, program, sizeof program) < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		mb_err_errno(err, NULL, "memfd_create");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

/* In a process group of its own: Ctrl-C on the terminal is for mb, which passes on what concerns the trials. */
static _Noreturn void become(const char *entry, const char *function, const char *folder, int code, int fd,
			    pid_t parent)
{
	char number[16], why[128];
	int n;
	char *const argv[] = {"python3", "-", number, (char *)entry, (char *)function, NULL};

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(MB_EXIT_SYSTEM);
	mb_signals_default();
	setenv("PYTHONUNBUFFERED", "1", 1);
	dup2(code, STDIN_FILENO);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	fcntl(fd, F_SETFD, 0);
	snprintf(number, sizeof number, "%d", fd);
	if (chdir(folder) == 0)
		execvp(argv[0], argv);
	n = snprintf(why, sizeof why, "Epython3: %s", strerror(errno));
	if (write(fd, why, (size_t)n) < 0)
		_exit(MB_EXIT_SYSTEM);
	_exit(127);
}

static int start(struct mb_python *python, const char *entry, const char *function, const char *folder,
		 struct mb_err *err)
{
	int fds[2], code = open_program(err);
	pid_t parent = getpid();

	if (code < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
		close(code);
		return mb_err_errno(err, NULL, "socketpair");
	}
	mb_signals_hold();
	python->pid = fork();
	if (python->pid == 0)
		become(entry, function, folder, code, fds[1], parent);
	mb_signals_let();
	close(code);
	close(fds[1]);
	python->fd = fds[0];
	if (python->pid > 0)
		return 0;
	python->pid = 0;
	mb_err_errno(err, NULL, "fork");
	mb_python_close(python);
	return -1;
}

/* Once it has ended by itself before it was ready. */
static int ended_early(struct mb_python *python, struct mb_err *err)
{
	int status = 0;

	while (waitpid(python->pid, &status, 0) < 0 && errno == EINTR)
		;
	python->pid = 0;
	if (WIFSIGNALED(status))
		return mb_err_set(err, MB_EXIT_CHILD, NULL, "python3 was killed by signal %d (%s)", WTERMSIG(status),
				  strsignal(WTERMSIG(status)));
	return mb_err_set(err, MB_EXIT_CHILD, NULL, "python3 ended with status %d", WEXITSTATUS(status));
}

/* 0: ready. */
static int await(struct mb_python *python, int output, struct mb_err *err)
{
	char answer[1000];
	ssize_t n;

	for (;;) {
		struct pollfd fds[] = {
			{.fd = python->fd, .events = POLLIN}, {.fd = mb_signals_fd(), .events = POLLIN}, {.fd = output},
		};

		if (poll(fds, MB_COUNT(fds), -1) < 0)
			continue;
		if (fds[0].revents)
			break;
		if (fds[1].revents || (fds[2].revents & (POLLERR | POLLHUP)))
			return 1;
	}
	n = recv(python->fd, answer, sizeof answer - 1, 0);
	if (n <= 0)
		return ended_early(python, err);
	answer[n] = '\0';
	return answer[0] == 'R' ? 0 : mb_err_set(err, MB_EXIT_CHILD, NULL, "%s", answer + 1);
}

int mb_python_open(struct mb_python *python, const char *entry, const char *function, const char *folder, int output,
		   struct mb_err *err)
{
	int result;

	*python = (struct mb_python){.fd = -1};
	if (start(python, entry, function, folder, err) < 0)
		return -1;
	result = await(python, output, err);
	if (result)
		mb_python_close(python);
	return result;
}

int mb_python_fork(const struct mb_python *python, char *const *variables, const int fds[5])
{
	struct mb_str text = {0};
	struct iovec bytes;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(5 * sizeof(int))];
	} control = {0};
	struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control.room,
				 .msg_controllen = sizeof control.room};
	ssize_t sent;

	mb_str_adds(&text, "T");
	for (; variables && *variables; variables++)
		mb_str_add(&text, *variables, strlen(*variables) + 1);
	bytes = (struct iovec){.iov_base = text.at, .iov_len = text.n};
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(5 * sizeof(int));
	memcpy(CMSG_DATA(&control.head), fds, 5 * sizeof(int));
	do
		sent = sendmsg(python->fd, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	mb_str_release(&text);
	return sent < 0 ? -1 : 0;
}

void mb_python_close(struct mb_python *python)
{
	if (python->fd >= 0)
		close(python->fd);
	python->fd = -1;
	if (python->pid <= 0)
		return;
	kill(-python->pid, SIGKILL);
	kill(python->pid, SIGKILL); /* where it did not come to have a group yet */
	while (waitpid(python->pid, NULL, 0) < 0 && errno == EINTR)
		;
	python->pid = 0;
}
