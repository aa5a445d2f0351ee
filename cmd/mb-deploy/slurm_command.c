/* SPDX-License-Identifier: MIT
 *
 * Runs commands of Slurm. Each gets an environment of its own: what Slurm set for the job that this process may be in, and
 * what would change a command's meaning or output, is taken out.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/run.h"
#include "slurm.h"

extern char **environ;

static int begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* Variables of a job would be taken for options of the next one: a child of array task 7 sees itself as task 7. */
static int is_leaked(const char *variable)
{
	static const char *const kept[] = {"SLURM_CONF=", "SLURM_CLUSTERS="};
	static const char *const prefixes[] = {"SLURM", "SQUEUE_", "SCANCEL_", "SCONTROL_", "MB_DEPLOY", "MB_EXPERIMENT=",
					       "MB_LOG="};
	static const char *const set_here[] = {"ARRAY_INX=", "DEPENDENCY=", "EXPORT", "GET_USER_ENV", "HOLD=", "INPUT=",
					       "OUTPUT=", "ERROR=", "JOB_NAME=", "NO_REQUEUE=", "REQUEUE=", "OPEN_MODE=",
					       "SIGNAL=", "TEST_ONLY", "WAIT"};

	for (size_t i = 0; i < MB_COUNT(kept); i++)
		if (begins(variable, kept[i]))
			return 0;
	for (size_t i = 0; i < MB_COUNT(prefixes); i++)
		if (begins(variable, prefixes[i]))
			return 1;
	for (size_t i = 0; begins(variable, "SBATCH_") && i < MB_COUNT(set_here); i++)
		if (begins(variable + strlen("SBATCH_"), set_here[i]))
			return 1;
	return 0;
}

/* Of the first call: a worker changes its own later on, for the job's sake. */
static char **clean_environment(void)
{
	static char **clean;
	size_t n = 0, kept = 0;

	if (clean)
		return clean;
	while (environ[n])
		n++;
	clean = mb_alloc((n + 2) * sizeof *clean);
	for (size_t i = 0; i < n; i++)
		if (!is_leaked(environ[i]))
			clean[kept++] = mb_strdup(environ[i]);
	clean[kept++] = mb_strdup("SLURM_TIME_FORMAT=standard");
	clean[kept] = NULL;
	return clean;
}

static void be_command(char *const argv[], char **environment, int out, int err, int holds)
{
	int null = open("/dev/null", O_RDONLY);

	mb_signals_default();
	setsid(); /* a Ctrl-C at the terminal must not tear a submission in two */
	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(126);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	if (holds >= 0)
		fcntl(holds, F_SETFD, 0);
	execvpe(argv[0], argv, environment);
	_exit(errno == ENOENT ? 127 : 126);
}

/* Reads both to their ends, or until the time is up. */
static void hear(struct said *said, int out, int err, double until)
{
	struct pollfd on[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
	struct mb_str *const to[2] = {&said->out, &said->err};
	char chunk[65536];

	while (on[0].fd >= 0 || on[1].fd >= 0) {
		double left = until - mb_clock_monotonic_s();

		if (left <= 0) {
			said->late = 1;
			return;
		}
		if (poll(on, 2, (int)(left * 1000) + 1) < 0 && errno != EINTR)
			return;
		for (int i = 0; i < 2; i++) {
			ssize_t got;

			if (on[i].fd < 0 || !on[i].revents)
				continue;
			got = read(on[i].fd, chunk, sizeof chunk);
			if (got > 0)
				mb_str_add(to[i], chunk, (size_t)got);
			else if (got == 0 || errno != EINTR)
				on[i].fd = -1;
		}
	}
}

/* 126 and 127 are be_command's own; Slurm's commands end with 255 and other large numbers too. */
int said_itself(const struct said *said)
{
	return !said->late && WIFEXITED(said->status) && WEXITSTATUS(said->status) != 126 &&
	       WEXITSTATUS(said->status) != 127;
}

/* The first line that says something: sbatch begins each with its name. */
static int complain(const struct said *said, char *const argv[], struct mb_err *err)
{
	const char *words = said->err.at ? said->err.at : "";
	int n;

	if (said->late)
		mb_err_set(err, MB_EXIT_SYSTEM, argv[0], "does not answer");
	else if (!said_itself(said) && WIFEXITED(said->status))
		mb_err_set(err, MB_EXIT_SYSTEM, argv[0], "cannot be run: is this a machine of the cluster?");
	else {
		words += strspn(words, "\n ");
		n = (int)strcspn(words, "\n");
		mb_err_set(err, MB_EXIT_SYSTEM, n ? NULL : argv[0], "%.*s", n ? n : 100, n ? words : "failed");
	}
	return -1;
}

int slurm_run(struct said *said, char *const argv[], double most_s, int holds, struct mb_err *err)
{
	int out[2] = {-1, -1}, errs[2] = {-1, -1};
	char **environment = clean_environment();
	pid_t pid = -1;

	*said = (struct said){.status = -1};
	mb_str_adds(&said->out, "");
	mb_str_adds(&said->err, "");
	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(errs, O_CLOEXEC) < 0)
		return mb_err_errno(err, NULL, "pipe");
	pid = fork();
	if (pid == 0)
		be_command(argv, environment, out[1], errs[1], holds);
	close(out[1]);
	close(errs[1]);
	if (pid > 0)
		hear(said, out[0], errs[0], mb_clock_monotonic_s() + most_s);
	else
		mb_err_errno(err, NULL, "fork");
	close(out[0]);
	close(errs[0]);
	if (pid < 0)
		return -1;
	if (said->late)
		kill(pid, SIGKILL);
	while (waitpid(pid, &said->status, 0) < 0 && errno == EINTR)
		;
	return said->status ? complain(said, argv, err) : 0;
}

void said_release(struct said *said)
{
	mb_str_release(&said->out);
	mb_str_release(&said->err);
}

int slurm_ping(struct mb_err *err)
{
	char *const argv[] = {"scontrol", "ping", NULL};
	struct said said;
	int bad = slurm_run(&said, argv, 10, -1, err);

	if (bad && said_itself(&said)) {
		mb_err_set(err, MB_EXIT_SYSTEM, NULL, "Slurm's controller does not answer");
		mb_err_hint(err, "jobs that run go on; scontrol ping tells when it is back");
	}
	said_release(&said);
	return bad;
}
