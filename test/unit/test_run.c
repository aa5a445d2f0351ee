/* SPDX-License-Identifier: MIT
 *
 * The room `run`: workers answer and die as their face says, and of a job nothing is left.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "run/run.h"

static int work(void *context, struct mb_link *link, const char *line, size_t n, struct mb_str *answer)
{
	(void)context;
	(void)link;
	if (!strcmp(line, "die"))
		raise(SIGKILL);
	mb_str_addf(answer, "%d ", (int)getpid());
	mb_str_add(answer, line, n);
	return !strcmp(line, "last");
}

static enum mb_pool_event await(struct mb_worker *worker, struct mb_str *answer)
{
	enum mb_pool_event event = MB_POOL_NOTHING;

	for (int i = 0; i < 100 && event == MB_POOL_NOTHING; i++) {
		struct pollfd fd = {.fd = worker->fd, .events = POLLIN};

		poll(&fd, 1, 100);
		event = mb_pool_receive(worker, answer);
	}
	return event;
}

static void send(struct mb_worker *worker, const char *line)
{
	CHECK(mb_pool_send(worker, line, strlen(line)) == 0);
}

TEST(a_worker_answers_and_is_used_again)
{
	struct mb_pool pool;
	struct mb_err err;
	struct mb_str answer = {0};
	struct mb_worker *first, *second;
	char want[64];

	CHECK(mb_pool_init(&pool, 2, 0, work, NULL, &err) == 0);
	first = mb_pool_idle(&pool, &err);
	send(first, "one");
	second = mb_pool_idle(&pool, &err);
	CHECK(second && second != first);
	send(second, "two");
	CHECK(!mb_pool_idle(&pool, &err) && !err.what[0]);
	CHECK_INT(await(first, &answer), MB_POOL_ANSWER);
	snprintf(want, sizeof want, "%d one", (int)first->pid);
	CHECK_TEXT(answer.at, want);
	CHECK(mb_pool_idle(&pool, &err) == first);
	CHECK_INT(await(second, &answer), MB_POOL_ANSWER);
	mb_pool_close(&pool);
	CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
	mb_str_release(&answer);
}

TEST(a_worker_that_dies_is_replaced)
{
	struct mb_pool pool;
	struct mb_err err;
	struct mb_str answer = {0};
	struct mb_worker *worker;
	pid_t pid;

	CHECK(mb_pool_init(&pool, 1, 0, work, NULL, &err) == 0);
	worker = mb_pool_idle(&pool, &err);
	pid = worker->pid;
	send(worker, "die");
	CHECK_INT(await(worker, &answer), MB_POOL_DEAD);
	CHECK(WIFSIGNALED(worker->status) && WTERMSIG(worker->status) == SIGKILL);
	CHECK(worker->busy);
	worker->busy = 0;
	worker = mb_pool_idle(&pool, &err);
	CHECK(worker && worker->pid != pid);
	send(worker, "last");
	CHECK_INT(await(worker, &answer), MB_POOL_ANSWER);
	CHECK_INT(await(worker, &answer), MB_POOL_DEAD);
	CHECK(WIFEXITED(worker->status) && WEXITSTATUS(worker->status) == 0);
	mb_pool_close(&pool);
	mb_str_release(&answer);
}

TEST(a_long_line_goes_both_ways)
{
	enum { LONG = 3 << 20 };
	struct mb_pool pool;
	struct mb_err err;
	struct mb_str answer = {0};
	struct mb_worker *worker;
	char *line = malloc(LONG + 1);

	memset(line, 'x', LONG);
	line[LONG] = '\0';
	CHECK(mb_pool_init(&pool, 1, 0, work, NULL, &err) == 0);
	worker = mb_pool_idle(&pool, &err);
	send(worker, line);
	CHECK_INT(await(worker, &answer), MB_POOL_ANSWER);
	CHECK(answer.n > LONG && !strcmp(strchr(answer.at, ' ') + 1, line));
	mb_pool_close(&pool);
	mb_str_release(&answer);
	free(line);
}

/* ---- children: this process plays the worker, the other end of a pipe its parent ---- */

static struct mb_child run(struct mb_child child, int *bad, struct mb_err *err)
{
	static pid_t group;
	int fds[2];
	struct mb_link link = {.group = &group};

	CHECK(pipe(fds) == 0);
	link.fd = fds[0];
	CHECK(mb_signals_open(1, err) >= 0);
	child.folder = child.folder ? child.folder : "/";
	*bad = mb_child_run(&child, &link, err);
	CHECK_INT(group, 0);
	close(fds[0]);
	close(fds[1]);
	signal(SIGCHLD, SIG_DFL);
	return child;
}

TEST(a_child_reads_its_input_and_its_output_is_kept)
{
	struct mb_err err;
	int bad;
	char *variables[] = {"MB_TRIAL=7", NULL};
	struct mb_child child = run((struct mb_child){.shell = "cat; pwd; echo $MB_TRIAL", .variables = variables,
						      .input = "in\n", .n_input = 3}, &bad, &err);

	CHECK_INT(bad, 0);
	CHECK(WIFEXITED(child.status) && WEXITSTATUS(child.status) == 0);
	CHECK_TEXT(child.output.at, "in\n/\n7\n");
	CHECK(child.seconds > 0 && child.seconds < 10);
	mb_child_release(&child);
}

TEST(only_the_end_of_a_huge_output_is_kept)
{
	struct mb_err err;
	int bad;
	struct mb_child child = run((struct mb_child){.shell = "yes | head -c 20000000; echo; printf the_end"}, &bad,
				    &err);

	CHECK_INT(bad, 0);
	CHECK(child.output.n >= MB_CHILD_KEEPS && child.output.n <= 2 * MB_CHILD_KEEPS);
	CHECK_TEXT(child.output.at + child.output.n - 8, "\nthe_end");
	mb_child_release(&child);
}

TEST(a_program_that_is_not_there_is_an_error)
{
	struct mb_err err;
	int bad;
	char *argv[] = {"./no-such-program", NULL};
	struct mb_child child = run((struct mb_child){.argv = argv}, &bad, &err);

	CHECK_INT(bad, -1);
	CHECK_INT(err.code, MB_EXIT_CHILD);
	CHECK_TEXT(err.what, "./no-such-program: No such file or directory");
	mb_child_release(&child);
}

TEST(the_last_words_are_the_last_line_of_stderr)
{
	struct mb_err err;
	int bad, saved = dup(STDERR_FILENO);
	struct mb_child child;

	CHECK(freopen("/dev/null", "w", stderr) != NULL);
	child = run((struct mb_child){.shell = "echo first >&2; printf sec >&2; echo ond >&2; echo >&2; exit 3"},
		    &bad, &err);
	dup2(saved, STDERR_FILENO);
	CHECK_INT(bad, 0);
	CHECK_INT(WEXITSTATUS(child.status), 3);
	CHECK_TEXT(child.last_words, "second");
	mb_child_release(&child);
}

TEST(a_limit_ends_the_whole_group_even_one_that_ignores_it)
{
	struct mb_err err;
	int bad, fds[2];
	char byte;
	struct mb_child child;

	CHECK(pipe(fds) == 0); /* held open by the whole group, and by nobody once it is gone */
	child = run((struct mb_child){.shell = "trap '' TERM; sleep 60 & sleep 60", .timeout_s = 0.1, .grace_s = 0.2},
		    &bad, &err);
	CHECK_INT(bad, 0);
	CHECK(child.timed_out && !child.forwarded);
	CHECK(WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGKILL);
	CHECK(child.seconds > 0.29 && child.seconds < 5);
	close(fds[1]);
	CHECK(poll(&(struct pollfd){.fd = fds[0], .events = POLLIN}, 1, 5000) == 1 && read(fds[0], &byte, 1) == 0);
	close(fds[0]);
	mb_child_release(&child);
}

TEST(what_a_child_leaves_behind_is_killed)
{
	struct mb_err err;
	int bad, fds[2];
	char byte;
	struct mb_child child;

	CHECK(pipe(fds) == 0);
	child = run((struct mb_child){.shell = "sleep 60 & echo 1"}, &bad, &err);
	CHECK_INT(bad, 0);
	CHECK_TEXT(child.output.at, "1\n");
	CHECK(child.seconds < 5);
	close(fds[1]);
	CHECK(poll(&(struct pollfd){.fd = fds[0], .events = POLLIN}, 1, 5000) == 1 && read(fds[0], &byte, 1) == 0);
	close(fds[0]);
	mb_child_release(&child);
}

TEST(a_signal_is_forwarded_once)
{
	struct mb_err err;
	int bad;
	pid_t self = getpid(), killer = fork();
	struct mb_child child;

	if (killer == 0) {
		poll(NULL, 0, 300);
		kill(self, SIGUSR1);
		kill(self, SIGUSR1);
		_exit(0);
	}
	child = run((struct mb_child){.shell = "exec 2>/dev/null; n=0; trap 'n=$((n+1)); echo $n' USR1; "
					       "sleep 0.5; sleep 0.3; exit 85",
				      .grace_s = 10}, &bad, &err);
	CHECK_INT(bad, 0);
	CHECK_INT(child.forwarded, SIGUSR1);
	CHECK_INT(mb_signals_stopped(), SIGUSR1);
	CHECK_INT(WEXITSTATUS(child.status), 85);
	CHECK_TEXT(child.output.at, "1\n");
	waitpid(killer, NULL, 0);
	mb_child_release(&child);
}

TEST(a_child_that_a_signal_to_all_ended_first)
{
	struct mb_err err;
	int bad;
	pid_t self = getpid(), killer = fork();
	struct mb_child child;

	if (killer == 0) {
		poll(NULL, 0, 200);
		kill(self, SIGTERM);
		_exit(0);
	}
	child = run((struct mb_child){.shell = "sleep 0.1; kill -TERM $$", .grace_s = 10}, &bad, &err);
	CHECK_INT(bad, 0);
	CHECK_INT(child.forwarded, SIGTERM);
	waitpid(killer, NULL, 0);
	mb_child_release(&child);

	/* Nothing comes after: it is the child's own affair. */
	child = run((struct mb_child){.shell = "kill -TERM $$", .grace_s = 10}, &bad, &err);
	CHECK_INT(bad, 0);
	CHECK_INT(child.forwarded, 0);
	mb_child_release(&child);
}

TEST_MAIN
