/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/run.h"

enum { WORDS_LINES = 3, LINE_BYTES = 240, POLL_MS = 50 };

const char *command_variable(char *const *environment, const char *name)
{
	const size_t n = strlen(name);

	for (; environment && *environment; environment++)
		if (!strncmp(*environment, name, n) && (*environment)[n] == '=')
			return *environment + n + 1;
	return environment ? NULL : getenv(name);
}

char *command_find(const char *program)
{
	return command_find_in(NULL, program);
}

char *command_find_in(char *const *environment, const char *program)
{
	const char *path = command_variable(environment, "PATH"), *end;
	struct stat file;

	if (strchr(program, '/'))
		return access(program, X_OK) == 0 ? mb_strdup(program) : NULL;
	for (; path && *path; path = *end ? end + 1 : end) {
		char *folder, *whole;

		end = strchrnul(path, ':');
		folder = mb_textf("%.*s", (int)(end - path), path);
		whole = mb_path_join(*folder ? folder : ".", program);
		free(folder);
		if (stat(whole, &file) == 0 && S_ISREG(file.st_mode) && access(whole, X_OK) == 0)
			return whole;
		free(whole);
	}
	return NULL;
}

/* A session of its own: what it starts can be ended with it, and who asks for a password on the terminal finds
 * none instead of waiting for ever. It dies with this process. */
static void be_command(const struct command *command, pid_t parent, int in, int out, int err)
{
	mb_signals_default();
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent || (command->folder && chdir(command->folder) < 0) || dup2(in, 0) < 0 ||
	    dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(126);
	if (command->environment)
		environ = (char **)command->environment;
	for (char *const *variable = command->variables; variable && *variable; variable++)
		if (strchr(*variable, '='))
			putenv(*variable);
		else
			unsetenv(*variable);
	execvp(command->argv[0], command->argv);
	_exit(errno == ENOENT ? 127 : 126);
}

/* Takes what waits; 0 at the stream's end. Of much, the end is kept. */
static int take(int fd, int log, struct mb_str *text)
{
	char chunk[65536];
	ssize_t got = read(fd, chunk, sizeof chunk);

	if (got <= 0)
		return got < 0 && (errno == EAGAIN || errno == EINTR);
	mb_str_add(text, chunk, (size_t)got);
	if (log >= 0)
		(void)!write(log, chunk, (size_t)got);
	if (text->n > 2 * (size_t)COMMAND_KEEPS) {
		memmove(text->at, text->at + text->n - COMMAND_KEEPS, COMMAND_KEEPS + 1);
		text->n = COMMAND_KEEPS;
	}
	return 1;
}

/* To the end of the process, not of the streams: a master of ssh, left in the background, keeps them open. */
static int attend(struct command *command, pid_t pid, int out, int err, int log)
{
	const double until = mb_clock_monotonic_s() + command->limit_s;
	struct pollfd on[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
	struct mb_str *const texts[2] = {&command->out, &command->err};
	int status, ended = 0;

	for (;;) {
		int more = poll(on, 2, ended ? 0 : POLL_MS) > 0;

		for (int i = 0; i < 2 && more; i++)
			if (on[i].revents && !take(on[i].fd, i || !command->out_is_private ? log : -1, texts[i]))
				on[i].fd = -1;
		if (ended && !more)
			return status;
		if (!ended)
			ended = waitpid(pid, &status, WNOHANG) == pid;
		if (ended || (!mb_signals_stopped() && !(command->limit_s > 0 && mb_clock_monotonic_s() > until)))
			continue;
		command->stopped = mb_signals_stopped() != 0;
		command->timed_out = !command->stopped;
		kill(-pid, SIGTERM);
		for (int i = 0; i < 40 && !ended; i++) { /* rsync keeps what it has when it is asked */
			poll(NULL, 0, POLL_MS);
			ended = waitpid(pid, &status, WNOHANG) == pid;
		}
		kill(-pid, SIGKILL);
		if (!ended)
			ended = waitpid(pid, &status, 0) == pid;
	}
}

char *command_words(const struct command *command, size_t most)
{
	const struct mb_str *said = command->err.n && strspn(command->err.at, " \t\r\n") < command->err.n
					    ? &command->err
					    : &command->out;
	const char *begin[16], *end = said->n ? said->at + said->n : NULL;
	struct mb_str words = {0};
	size_t n = 0;

	while (end && n < most && n < MB_COUNT(begin)) {
		const char *at;

		while (end > said->at && strchr(" \t\r\n", end[-1]))
			end--;
		if (end == said->at)
			break;
		for (at = end; at > said->at && at[-1] != '\n';)
			at--;
		begin[n++] = at;
		end = at;
	}
	while (n--) {
		char *line = mb_textf("%.*s", (int)strcspn(begin[n], "\r\n"), begin[n]);

		if (words.n)
			mb_str_adds(&words, " / ");
		mb_str_add_clean(&words, line + strspn(line, " \t"), LINE_BYTES);
		free(line);
	}
	return mb_str_take(&words);
}

/* How it ended, for people. */
static int judge(struct command *command, struct mb_err *err)
{
	const char *name = command->argv[0];
	char *words;

	if (!command->status && !command->timed_out && !command->stopped)
		return 0;
	if (command->status == 127 && !command->out.n && !command->err.n)
		return mb_err_set(err, MB_EXIT_SYSTEM, name, "not found in PATH");
	words = command_words(command, WORDS_LINES);
	if (command->stopped)
		mb_err_set(err, MB_EXIT_SYSTEM, name, "stopped by a signal");
	else if (command->timed_out)
		mb_err_set(err, MB_EXIT_SYSTEM, name, "no end after %.0f s%s%s", command->limit_s,
			   *words ? ": " : "", words);
	else if (command->status > 128)
		mb_err_set(err, MB_EXIT_SYSTEM, name, "killed by signal %d%s%s", command->status - 128,
			   *words ? ": " : "", words);
	else
		mb_err_set(err, MB_EXIT_SYSTEM, name, "ended with %d%s%s", command->status, *words ? ": " : "",
			   words);
	free(words);
	return -1;
}

/* With the words of the command, of a script its first line. */
static int open_log(const struct command *command)
{
	int fd = command->log ? open(command->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
	struct mb_str line = {0};
	char *first;

	if (fd < 0)
		return -1;
	mb_str_adds(&line, "$");
	for (char *const *word = command->argv; *word; word++) {
		mb_str_adds(&line, " ");
		mb_str_add_clean(&line, first = mb_textf("%.*s", (int)strcspn(*word, "\n"), *word), LINE_BYTES);
		mb_str_adds(&line, strchr(*word, '\n') ? "…" : "");
		free(first);
	}
	mb_str_adds(&line, "\n");
	(void)!write(fd, line.at, line.n);
	mb_str_release(&line);
	return fd;
}

int command_run(struct command *command, struct mb_err *err)
{
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC), log = open_log(command);
	int out[2] = {-1, -1}, errs[2] = {-1, -1};
	int bad = -1, status;
	const pid_t self = getpid();
	pid_t pid;

	command->status = command->timed_out = command->stopped = 0;
	mb_str_add(&command->out, "", 0);
	mb_str_add(&command->err, "", 0);
	if (in < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(errs, O_CLOEXEC) < 0) {
		mb_err_errno(err, command->argv[0], "pipe");
		goto close;
	}
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(errs[0], F_SETFL, O_NONBLOCK);
	fflush(NULL);
	mb_signals_hold();
	pid = fork();
	if (pid == 0)
		be_command(command, self, in, out[1], errs[1]);
	mb_signals_let();
	if (pid < 0) {
		mb_err_errno(err, command->argv[0], "fork");
		goto close;
	}
	close(out[1]);
	close(errs[1]);
	out[1] = errs[1] = -1;
	status = attend(command, pid, out[0], errs[0], log);
	command->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	bad = judge(command, err);
close:
	for (int i = 0; i < 2; i++) {
		if (out[i] >= 0)
			close(out[i]);
		if (errs[i] >= 0)
			close(errs[i]);
	}
	if (in >= 0)
		close(in);
	if (log >= 0)
		close(log);
	return bad;
}

void command_release(struct command *command)
{
	mb_str_release(&command->out);
	mb_str_release(&command->err);
}
