/* SPDX-License-Identifier: MIT */
#include "gnuplot.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONGEST = 90, NOT_THERE = 127 };

static void quote(const char *text, int is_format, struct mb_str *script)
{
	struct mb_str clean = {0};

	mb_str_add_clean(&clean, text, LONGEST);
	mb_str_adds(script, "'");
	for (const char *at = clean.at; at && *at; at++) {
		if (*at == '\'' || (is_format && *at == '%'))
			mb_str_add(script, at, 1);
		mb_str_add(script, at, 1);
	}
	mb_str_adds(script, "'");
	mb_str_release(&clean);
}

void gnuplot_quote(const char *text, struct mb_str *script)
{
	quote(text, 0, script);
}

void gnuplot_quote_tic(const char *text, struct mb_str *script)
{
	quote(text, 1, script);
}

void gnuplot_number(double value, struct mb_str *script)
{
	char text[MB_NUM_TEXT];

	mb_str_adds(script, isfinite(value) ? mb_num_print(value, text) : "NaN");
}

/* Files in memory: the child may read and write them in any order, and nobody waits on a full pipe. */
struct streams {
	int in, out, words;
};

static void run_child(const struct streams *streams, pid_t parent)
{
	static char *const argv[] = {"gnuplot", "--default-settings", NULL};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(MB_EXIT_CHILD);
	if (dup2(streams->in, 0) < 0 || dup2(streams->out, 1) < 0 || dup2(streams->words, 2) < 0)
		_exit(MB_EXIT_CHILD);
	signal(SIGPIPE, SIG_DFL);
	execvp(argv[0], argv);
	_exit(errno == ENOENT ? NOT_THERE : 126);
}

static int read_all(int fd, struct mb_str *text)
{
	char block[1 << 14];
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	while ((n = read(fd, block, sizeof block)) > 0)
		mb_str_add(text, block, (size_t)n);
	return n < 0 ? -1 : 0;
}

static int judge(int status, const struct mb_str *words, struct mb_err *err)
{
	struct mb_str clean = {0};

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_THERE) {
		mb_err_set(err, MB_EXIT_SYSTEM, NULL, "gnuplot: there is no such program, and it draws the plots");
		return mb_err_hint(err, "sudo apt-get install gnuplot-nox; mb-collect --html needs none");
	}
	if (words->n)
		mb_str_add_clean(&clean, words->at, 400);
	mb_err_set(err, MB_EXIT_SYSTEM, NULL, "gnuplot failed (%s %d): %s",
		   WIFSIGNALED(status) ? "signal" : "exit status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		   clean.at ? clean.at : "it says nothing");
	mb_str_release(&clean);
	return -1;
}

int gnuplot_run(const char *first, const struct mb_str *script, struct mb_str *picture, struct mb_str *words,
		struct mb_err *err)
{
	struct streams streams = {memfd_create("script", MFD_CLOEXEC), memfd_create("picture", MFD_CLOEXEC),
				  memfd_create("words", MFD_CLOEXEC)};
	pid_t child, parent = getpid();
	int status = 0, bad = -1;

	if (streams.in < 0 || streams.out < 0 || streams.words < 0 ||
	    mb_write_all(streams.in, first, strlen(first)) < 0 || mb_write_all(streams.in, "\n", 1) < 0 ||
	    mb_write_all(streams.in, script->at, script->n) < 0 || lseek(streams.in, 0, SEEK_SET) < 0) {
		mb_err_errno(err, "gnuplot", "its script");
		goto out;
	}
	child = fork();
	if (child == 0)
		run_child(&streams, parent);
	if (child < 0) {
		mb_err_errno(err, "gnuplot", "fork");
		goto out;
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (read_all(streams.out, picture) < 0 || read_all(streams.words, words) < 0) {
		mb_err_errno(err, "gnuplot", "its output");
		goto out;
	}
	bad = judge(status, words, err);
out:
	if (streams.in >= 0)
		close(streams.in);
	if (streams.out >= 0)
		close(streams.out);
	if (streams.words >= 0)
		close(streams.words);
	return bad;
}
