/* SPDX-License-Identifier: MIT
 *
 * The lock of a log, both kinds: among many processes, when its holder is killed, and when it is only stopped.
 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"

static const char *const kinds[] = {"ofd", "link"};

static char dir[64], log_path[80], lock_path[96], held_path[96], count_path[96], inside_path[96];

static void setup(void)
{
	snprintf(dir, sizeof dir, "/tmp/mb-lock-XXXXXX");
	if (!mkdtemp(dir))
		abort();
	snprintf(log_path, sizeof log_path, "%s/log", dir);
	snprintf(lock_path, sizeof lock_path, "%s.lock", log_path);
	snprintf(held_path, sizeof held_path, "%s.lock.held", log_path);
	snprintf(count_path, sizeof count_path, "%s/count", dir);
	snprintf(inside_path, sizeof inside_path, "%s/inside", dir);
	fflush(stdout); /* children must not print it again */
}

/* Nothing but the files named may be left in the folder, unless processes were killed at any moment. */
static void teardown(int killed)
{
	unlink(lock_path);
	unlink(held_path);
	unlink(count_path);
	unlink(inside_path);
	if (killed) {
		char *argv[] = {"rm", "-rf", dir, NULL};
		int child = fork();

		if (!child)
			_exit(execvp(argv[0], argv));
		waitpid(child, NULL, 0);
		return;
	}
	CHECK_INT(rmdir(dir), 0);
}

static void write_file(const char *path, const char *text)
{
	struct mb_err err;

	CHECK_INT(mb_file_replace(path, text, strlen(text), 0, &err), 0);
}

static long read_count(void)
{
	struct mb_str text = {0};
	struct mb_err err;
	long count = mb_file_read(count_path, 0, &text, &err) < 0 ? 0 : strtol(text.at, NULL, 10);

	mb_str_release(&text);
	return count;
}

/* Takes the lock and tells by a byte on the pipe; holds it until killed, or `hold_s` long. Returns the child's pid.
 * */
static int holder(const char *kind, double hold_s, int *told)
{
	int ends[2], child;

	if (pipe(ends) < 0)
		abort();
	child = fork();
	if (!child) {
		struct mb_lock lock;
		struct mb_err err;

		if (mb_lock_open(&lock, log_path, kind, &err) < 0 || mb_lock_take(&lock, &err) < 0)
			_exit(1);
		if (write(ends[1], "x", 1) != 1)
			_exit(1);
		usleep((useconds_t)(hold_s * 1e6));
		mb_lock_drop(&lock);
		mb_lock_close(&lock);
		_exit(0);
	}
	close(ends[1]);
	*told = ends[0];
	return child;
}

static int wait_told(int told)
{
	char byte;
	int got = read(told, &byte, 1) == 1;

	close(told);
	return got;
}

TEST(the_kind_is_chosen_once)
{
	struct mb_lock first, second;
	struct mb_str text = {0};
	struct mb_err err;

	setup();
	CHECK_INT(mb_lock_open(&first, log_path, "link", &err), 0);
	CHECK_INT(mb_lock_open(&second, log_path, "ofd", &err), 0); /* too late */
	CHECK(first.kind == MB_LOCK_LINK && second.kind == MB_LOCK_LINK);
	mb_lock_close(&first);
	mb_lock_close(&second);
	CHECK_INT(mb_file_read(lock_path, 0, &text, &err), 0);
	CHECK_TEXT(text.at, "link\n");
	unlink(lock_path);
	CHECK_INT(mb_lock_open(&first, log_path, NULL, &err), 0);
	CHECK_INT(first.kind, MB_LOCK_OFD);
	mb_lock_close(&first);
	mb_str_clear(&text);
	CHECK_INT(mb_file_read(lock_path, 0, &text, &err), 0);
	CHECK_TEXT(text.at, "ofd\n");
	mb_str_release(&text);
	teardown(0);
}

TEST(a_lock_that_cannot_be)
{
	struct mb_lock lock;
	struct mb_err err;

	setup();
	write_file(lock_path, "flock\n");
	CHECK_INT(mb_lock_open(&lock, log_path, NULL, &err), -1);
	CHECK_INT(err.code, MB_EXIT_SYSTEM);
	CHECK_TEXT(err.where, lock_path);
	CHECK_TEXT(err.what, "\"flock\" is no kind of lock: \"ofd\" or \"link\"");
	write_file(lock_path, "");
	CHECK_INT(mb_lock_open(&lock, log_path, NULL, &err), -1);
	CHECK_INT(mb_lock_open(&lock, "/proc/nonexistent/log", NULL, &err), -1);
	CHECK_INT(err.code, MB_EXIT_SYSTEM);
	CHECK(strstr(err.where, "/proc/nonexistent/log.lock"));
	teardown(0);
}

/* Ten processes start at once on a log that has no lock file yet: all agree on one kind. */
TEST(creators_agree)
{
	for (int round = 0; round < 10; round++) {
		int gate[2], status, links = 0;

		setup();
		CHECK_INT(pipe(gate), 0);
		for (int i = 0; i < 10; i++)
			if (fork() == 0) {
				struct mb_lock lock;
				struct mb_err err;
				char byte;

				close(gate[1]);
				if (read(gate[0], &byte, 1) != 0 ||
				    mb_lock_open(&lock, log_path, kinds[i & 1], &err) < 0)
					_exit(2);
				_exit(lock.kind == MB_LOCK_LINK);
			}
		close(gate[0]);
		close(gate[1]);
		for (int i = 0; i < 10; i++) {
			CHECK(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) < 2);
			links += WEXITSTATUS(status);
		}
		CHECK(links == 0 || links == 10);
		teardown(0);
	}
}

TEST(ten_processes_count_together)
{
	enum { PROCESSES = 10, EACH = 50 };

	for (size_t kind = 0; kind < MB_COUNT(kinds); kind++) {
		double start = mb_clock_monotonic_s();
		int status;

		setup();
		for (int i = 0; i < PROCESSES; i++)
			if (fork() == 0) {
				struct mb_lock lock;
				struct mb_err err;

				if (mb_lock_open(&lock, log_path, kinds[kind], &err) < 0)
					_exit(1);
				for (int k = 0; k < EACH; k++) {
					char text[32];

					if (mb_lock_take(&lock, &err) < 0 || !mb_lock_still_ours(&lock))
						_exit(2);
					snprintf(text, sizeof text, "%ld", read_count() + 1);
					if (mb_file_replace(count_path, text, strlen(text), 0, &err) < 0)
						_exit(3);
					mb_lock_drop(&lock);
					if (lock.kind == MB_LOCK_LINK && mb_lock_still_ours(&lock))
						_exit(4);
				}
				mb_lock_close(&lock);
				_exit(0);
			}
		for (int i = 0; i < PROCESSES; i++) {
			CHECK(wait(&status) > 0);
			CHECK_INT(status, 0);
		}
		CHECK_INT(read_count(), PROCESSES * EACH);
		printf("# %s: %d turns in %.2f s\n", kinds[kind], PROCESSES * EACH, mb_clock_monotonic_s() - start);
		teardown(0);
	}
}

TEST(a_killed_holders_lock_is_free_at_once)
{
	for (size_t kind = 0; kind < MB_COUNT(kinds); kind++) {
		struct mb_lock lock;
		struct mb_err err;
		int told, child;
		double start;

		setup();
		child = holder(kinds[kind], 60, &told);
		CHECK(wait_told(told));
		kill(child, SIGKILL);
		if (kind)
			usleep(10000); /* not yet waited for: a zombie is gone too */
		CHECK_INT(mb_lock_open(&lock, log_path, NULL, &err), 0);
		start = mb_clock_monotonic_s();
		CHECK_INT(mb_lock_take(&lock, &err), 0);
		CHECK(mb_clock_monotonic_s() - start < 1);
		CHECK(mb_lock_still_ours(&lock));
		mb_lock_drop(&lock);
		mb_lock_close(&lock);
		waitpid(child, NULL, 0);
		teardown(0);
	}
}

TEST(a_stopped_holder_keeps_its_lock)
{
	for (size_t kind = 0; kind < MB_COUNT(kinds); kind++) {
		int first, second, first_told, second_told, status, flags;
		char byte;

		setup();
		first = holder(kinds[kind], 0.05, &first_told);
		CHECK(wait_told(first_told));
		kill(first, SIGSTOP);
		second = holder(kinds[kind], 0, &second_told);
		flags = fcntl(second_told, F_GETFL);
		fcntl(second_told, F_SETFL, flags | O_NONBLOCK);
		usleep(400000);
		CHECK(read(second_told, &byte, 1) < 0 && errno == EAGAIN); /* it still waits */
		fcntl(second_told, F_SETFL, flags);
		kill(first, SIGCONT);
		CHECK(wait_told(second_told));
		waitpid(first, &status, 0);
		CHECK_INT(status, 0);
		waitpid(second, &status, 0);
		CHECK_INT(status, 0);
		teardown(0);
	}
}

/* A holder on another machine cannot be asked: its lock is taken when it was left alone for the patience, not
 * before. */
TEST(a_foreign_holder_gets_patience)
{
	struct mb_lock lock;
	struct mb_err err;
	double start;

	setup();
	CHECK_INT(mb_lock_open(&lock, log_path, "link", &err), 0);
	CHECK_NEAR(lock.patience_s, 90, 0);
	lock.patience_s = 0.5;
	write_file(held_path, "elsewhere 01234567-89ab-cdef-0123-456789abcdef 4026531836 1 100 1\n");
	start = mb_clock_monotonic_s();
	CHECK_INT(mb_lock_take(&lock, &err), 0);
	CHECK(mb_clock_monotonic_s() - start > 0.4);
	CHECK(mb_clock_monotonic_s() - start < 2);
	CHECK(mb_lock_still_ours(&lock));
	write_file(held_path, "elsewhere 01234567-89ab-cdef-0123-456789abcdef 4026531836 1 100 2\n");
	CHECK(!mb_lock_still_ours(&lock)); /* it slept too long itself */
	mb_lock_drop(&lock);
	CHECK_INT(access(held_path, F_OK), 0); /* and must not free what is another's */
	mb_lock_close(&lock);
	teardown(0);
}

/* A lock of this very pid from before: another start time, so it is not ours and its holder is gone. */
TEST(a_pid_given_out_again)
{
	struct mb_lock lock;
	struct mb_err err;
	char text[256];

	setup();
	CHECK_INT(mb_lock_open(&lock, log_path, "link", &err), 0);
	snprintf(text, sizeof text, "%s %s %llu %lld %lld 1\n", lock.self.host, lock.self.boot_id,
		 (unsigned long long)lock.self.pid_ns, (long long)lock.self.pid, (long long)lock.self.start_ticks - 1);
	write_file(held_path, text);
	CHECK_INT(mb_lock_take(&lock, &err), 0);
	CHECK(mb_lock_still_ours(&lock));
	mb_lock_drop(&lock);
	mb_lock_close(&lock);
	teardown(0);
}

/* 1 when the process can still do something: it is no zombie and not on its way out (PF_EXITING; by then its files
 * are being closed and its lock may be free). */
static int is_running(int pid)
{
	char *path = mb_textf("/proc/%d/stat", pid), *state, letter;
	struct mb_str stat = {0};
	struct mb_err err;
	unsigned flags;
	int running = 0;

	if (mb_file_read(path, 0, &stat, &err) == 0 && (state = strrchr(stat.at, ')')) &&
	    sscanf(state, ") %c %*d %*d %*d %*d %*d %u", &letter, &flags) == 2)
		running = letter != 'Z' && letter != 'X' && !(flags & 4);
	free(path);
	mb_str_release(&stat);
	return running;
}

/* One turn in the critical section: never two at a time, and a dead one's mark is cleared by the next. */
static void turn(struct mb_lock *lock, int report)
{
	struct mb_str mark = {0};
	struct mb_err err;
	char text[32];

	if (mb_lock_take(lock, &err) < 0)
		_exit(1);
	if (!mb_lock_still_ours(lock))
		return;
	if (mb_file_read(inside_path, 0, &mark, &err) == 0) {
		int other = (int)strtol(mark.at, NULL, 10);

		if (other != getpid() && is_running(other) && write(report, "!", 1) != 1)
			_exit(1);
	}
	mb_str_release(&mark);
	snprintf(text, sizeof text, "%d", (int)getpid());
	if (mb_file_replace(inside_path, text, strlen(text), 0, &err) < 0)
		_exit(1);
	usleep(200);
	unlink(inside_path);
	if (write(report, ".", 1) != 1)
		_exit(1);
	mb_lock_drop(lock);
}

static int worker(const char *kind, const int report[2])
{
	int child = fork();

	if (!child) {
		struct mb_lock lock;
		struct mb_err err;

		close(report[0]);
		if (mb_lock_open(&lock, log_path, kind, &err) < 0)
			_exit(1);
		for (;;)
			turn(&lock, report[1]);
	}
	return child;
}

TEST(killed_at_any_moment_two_never_hold)
{
	enum { WORKERS = 6, KILLS = 60, SEED = 17 };
	struct mb_rng rng;

	printf("# seed %d\n", SEED);
	mb_rng_init(&rng, SEED, 0, MB_RNG_SUGGEST);
	for (size_t kind = 0; kind < MB_COUNT(kinds); kind++) {
		int report[2], child[WORKERS], turns = 0, doubles = 0, after = 0;
		char bytes[4096];
		ssize_t got;

		setup();
		CHECK_INT(pipe(report), 0);
		for (int i = 0; i < WORKERS; i++)
			child[i] = worker(kinds[kind], report);
		for (int k = 0; k < KILLS; k++) {
			int i = (int)mb_rng_below(&rng, WORKERS);

			usleep((useconds_t)mb_rng_below(&rng, 20000));
			kill(child[i], SIGKILL);
			waitpid(child[i], NULL, 0);
			child[i] = worker(kinds[kind], report);
		}
		fcntl(report[0], F_SETFL, O_NONBLOCK);
		for (int phase = 0; phase < 2; phase++) { /* what came so far; then: does it still go on? */
			while ((got = read(report[0], bytes, sizeof bytes)) > 0)
				for (ssize_t i = 0; i < got; i++) {
					turns += bytes[i] == '.';
					doubles += bytes[i] == '!';
					after += phase;
				}
			if (!phase)
				usleep(300000);
		}
		for (int i = 0; i < WORKERS; i++) {
			kill(child[i], SIGKILL);
			waitpid(child[i], NULL, 0);
		}
		close(report[0]);
		close(report[1]);
		printf("# %s: %d turns, %d killed, two inside %d times\n", kinds[kind], turns, KILLS, doubles);
		CHECK_INT(doubles, 0);
		CHECK(turns > KILLS && after > 10);
		teardown(1);
	}
}

TEST_MAIN
