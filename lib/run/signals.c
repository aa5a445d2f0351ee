/* SPDX-License-Identifier: MIT */
#include "run/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static const int stop_signals[] = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGHUP};

static int ends[2] = {-1, -1}; /* the pipe that the handler writes to */
static volatile sig_atomic_t stopped, interrupts;

static void note(int signal)
{
	int saved = errno;
	unsigned char byte = (unsigned char)signal;

	if (signal != SIGCHLD && !stopped)
		stopped = signal;
	if (signal == SIGINT && ++interrupts == 2)
		alarm(1);
	if (write(ends[1], &byte, 1) < 0)
		errno = saved; /* a full pipe: thousands wait already */
	errno = saved;
}

static void catch(int signal)
{
	struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};

	sigemptyset(&action.sa_mask);
	sigaction(signal, &action, NULL);
}

static int is_ignored(int signal)
{
	struct sigaction action;

	return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int mb_signals_open(int children, struct mb_err *err)
{
	if (ends[0] >= 0) {
		close(ends[0]);
		close(ends[1]);
	}
	stopped = interrupts = 0;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return mb_err_errno(err, NULL, "pipe");
	for (size_t i = 0; i < MB_COUNT(stop_signals); i++)
		if (stop_signals[i] != SIGHUP || !is_ignored(SIGHUP))
			catch(stop_signals[i]);
	if (children)
		catch(SIGCHLD);
	return ends[0];
}

int mb_signals_fd(void)
{
	return ends[0];
}

int mb_signals_take(void)
{
	unsigned char byte;

	return read(ends[0], &byte, 1) == 1 ? byte : 0;
}

int mb_signals_stopped(void)
{
	return stopped;
}

static void mask(int how)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < MB_COUNT(stop_signals); i++)
		sigaddset(&set, stop_signals[i]);
	sigaddset(&set, SIGCHLD);
	sigprocmask(how, &set, NULL);
}

void mb_signals_hold(void)
{
	mask(SIG_BLOCK);
}

void mb_signals_let(void)
{
	mask(SIG_UNBLOCK);
}

void mb_signals_default(void)
{
	for (size_t i = 0; i < MB_COUNT(stop_signals); i++)
		if (!is_ignored(stop_signals[i]) || stop_signals[i] != SIGHUP)
			signal(stop_signals[i], SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	mb_signals_let();
}
