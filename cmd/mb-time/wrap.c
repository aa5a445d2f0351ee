/* SPDX-License-Identifier: MIT
 *
 * Runs a command as if it had been run without mb-time: same descriptors, signals and end. Costs two appended lines and a
 * process start, most of a millisecond.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "span.h"

static const int forwarded[] = {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM};

/* The child, which borrows the parent's memory until it runs the command: so it says why it cannot through *failed. With
 * execvp as the shell has it: a script without "#!" is one of /bin/sh. */
static pid_t start(char **argv, const sigset_t *mask, void (*sigpipe)(int), volatile int *failed)
{
	pid_t parent = getpid(), child = vfork();

	if (child != 0)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* only kill -9 ends mb-time before its command */
	if (getppid() != parent)
		_exit(MB_EXIT_CHILD);
	signal(SIGPIPE, sigpipe);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	*failed = errno;
	_exit(126);
}

/* Waits for the end, forwarding signals. Those of the terminal reach the command by themselves, and a second SIGINT would be
 * taken for impatience. */
static int wait_for(pid_t child, const sigset_t *watched, struct rusage *used)
{
	int status;
	siginfo_t info;

	for (;;) {
		pid_t ended = wait4(child, &status, WNOHANG, used);

		if (ended == child)
			return status;
		if (ended < 0 && errno != EINTR)
			return W_EXITCODE(MB_EXIT_SYSTEM, 0);
		if (sigwaitinfo(watched, &info) > 0 && info.si_signo != SIGCHLD && info.si_code != SI_KERNEL)
			kill(child, info.si_signo);
	}
}

/* Ends as the command did. A core dump would be a second one of the same end. */
static void end_by(int signal_number)
{
	sigset_t one;

	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	signal(signal_number, SIG_DFL);
	sigemptyset(&one);
	sigaddset(&one, signal_number);
	raise(signal_number);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
}

static void append(struct mb_tool *tool, const struct span *span, const char *event, const char *path, int *failed)
{
	struct mb_err err;

	if (span_append(span, event, path, &err) < 0 && !*failed) {
		*failed = 1;
		mb_tool_fail(tool, &err);
	}
}

int wrap(struct mb_tool *tool, const char *phase, const char *path, char **argv, void (*sigpipe)(int))
{
	struct span span = {.phase = phase, .argv = argv};
	volatile int no_exec = 0;
	int append_failed = 0, status;
	sigset_t watched, before;
	double started;
	pid_t child;

	sigemptyset(&watched);
	for (size_t i = 0; i < MB_COUNT(forwarded); i++)
		sigaddset(&watched, forwarded[i]);
	sigaddset(&watched, SIGCHLD);
	signal(SIGCHLD, SIG_DFL); /* ignored, it would leave no status to wait for */
	sigprocmask(SIG_BLOCK, &watched, &before);

	span_name(&span);
	span.start_s = mb_clock_now_s();
	append(tool, &span, "begin", path, &append_failed);
	started = mb_clock_monotonic_s();
	child = start(argv, &before, sigpipe, &no_exec);
	if (child < 0) {
		no_exec = errno;
		status = W_EXITCODE(126, 0);
	} else {
		/* The command's ends of its pipes are its own: a writer or reader at the other end is not to wait for mb-time. */
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		status = wait_for(child, &watched, &span.used);
	}
	span.seconds = mb_clock_monotonic_s() - started;
	if (no_exec) {
		mb_tool_warn(tool, "%s: %s", argv[0], strerror(no_exec));
		status = W_EXITCODE(no_exec == ENOENT ? 127 : 126, 0);
	}
	span.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	span.exit = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	append(tool, &span, "span", path, &append_failed);
	if (span.signal) {
		end_by(span.signal);
		return 128 + span.signal;
	}
	return span.exit;
}
