/* SPDX-License-Identifier: MIT
 *
 * Workers on this machine: each a session of its own, detached from whoever started it, its words in a file. Who
 * belongs to the experiment is known by its processes' environment, MB_DEPLOY=<uuid>, which everything that a worker
 * starts inherits, and by the identities in the journal.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "deploy.h"
#include "run/run.h"

/* One trainer uses all cores by itself, and reads the data once. */
static int64_t local_workers(const struct mb_experiment *experiment, int64_t wanted, struct mb_err *err)
{
	int cores = mb_cores();

	if (!wanted)
		return 1;
	if (wanted > cores) {
		mb_err_set(err, MB_EXIT_USAGE, NULL, "--workers: %lld are more than the %d core%s of this machine",
			   (long long)wanted, cores, cores == 1 ? "" : "s");
		mb_err_hint(err, "one worker uses all cores");
		return 0;
	}
	if (wanted > experiment->parallel_bandwidth) {
		mb_err_set(err, MB_EXIT_USAGE, NULL,
			   "--workers: %lld are more than experiment.parallel_bandwidth, %lld", (long long)wanted,
			   (long long)experiment->parallel_bandwidth);
		return 0;
	}
	return wanted;
}

/* ---- launching ---- */

/* What the process that becomes the worker tells its maker. */
struct birth {
	struct mb_ident process;
	int error; /* errno of what failed, 0 while nothing did */
};

static int redirect(const char *log)
{
	int in = open("/dev/null", O_RDONLY), out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);

	if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		return -1;
	return close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
}

static void be_worker(struct deployment *deployment, const char *log, const char *which, int tell)
{
	char *argv[] = {"mb-deploy", "worker", deployment->folder, "--on", "local", NULL}, *program;
	struct birth birth = {0};
	struct mb_err err;

	setenv("MB_DEPLOY", deployment->uuid, 1);
	setenv("MB_DEPLOY_WORKER", which, 1);
	unsetenv("MB_DEPLOY_DIE_AT");
	mb_signals_default();
	signal(SIGHUP, SIG_IGN);
	program = driver_program("mb-deploy");
	if (mb_ident_self(&birth.process, &err) < 0)
		birth.error = EIO;
	else if (chdir(deployment->folder) < 0 || redirect(log) < 0)
		birth.error = errno;
	(void)!write(tell, &birth, sizeof birth);
	if (birth.error)
		_exit(MB_EXIT_SYSTEM);
	execvp(program, argv);
	birth.error = errno;
	(void)!write(tell, &birth, sizeof birth);
	_exit(MB_EXIT_CHILD);
}

/* The first birth says who, a second one that the exec failed. */
static int hear_birth(int fd, struct mb_ident *process, struct mb_err *err)
{
	struct birth birth = {.error = ECHILD};
	ssize_t got;
	int heard = 0;

	while ((got = read(fd, &birth, sizeof birth)) != 0)
		if (got == sizeof birth)
			heard = 1;
		else if (got > 0 || errno != EINTR)
			break;
	if (heard && !birth.error) {
		*process = birth.process;
		return 0;
	}
	errno = birth.error;
	mb_err_errno(err, NULL, "the worker cannot be started");
	err->code = MB_EXIT_CHILD;
	return -1;
}

/* Worker `number`, detached: it runs `mb-deploy worker FOLDER` with MB_DEPLOY_WORKER=number:launch. *process is who it
 * became. */
static int make_worker(struct deployment *deployment, int64_t number, int64_t launch, struct mb_ident *process,
		       struct mb_err *err)
{
	char *log = folder_log_of(deployment, number),
	     *which = mb_textf("%lld:%lld", (long long)number, (long long)launch);
	int ends[2], status = -1;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		mb_err_errno(err, NULL, "pipe");
		goto out;
	}
	pid = fork();
	if (pid == 0) { /* a child of init in the end, leader of a session without a terminal */
		if (fork() != 0)
			_exit(0);
		setsid();
		close(ends[0]);
		be_worker(deployment, log, which, ends[1]);
	}
	close(ends[1]);
	if (pid < 0) {
		mb_err_errno(err, NULL, "fork");
	} else {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		status = hear_birth(ends[0], process, err);
	}
	close(ends[0]);
out:
	free(log);
	free(which);
	return status;
}

/* ---- looking ---- */

/* Of another machine only its file tells: the worker touches it. */
static int seems_alive(const struct deployment *deployment, const struct slot *slot)
{
	char *log = folder_log_of(deployment, slot->number);
	double untouched_s = mb_file_untouched_s(log);

	free(log);
	return untouched_s >= 0 && untouched_s < MB_HOLDER_GONE_S;
}

static enum life local_look(const struct deployment *deployment, const struct slot *slot)
{
	struct mb_ident self;
	struct mb_err err;
	int alive;

	if (slot->words)
		return LIFE_ENDED;
	if (!slot->known)
		return LIFE_NONE;
	if (mb_ident_self(&self, &err) == 0 && mb_ident_visible(&self, &slot->process))
		alive = mb_ident_alive(&slot->process);
	else
		alive = seems_alive(deployment, slot);
	if (!alive)
		return LIFE_LOST;
	return slot->stopping ? LIFE_STOPPING : slot->begun_s > 0 ? LIFE_RUNNING : LIFE_STARTING;
}

static int launch_one(struct deployment *deployment, int64_t number, int64_t of, struct mb_err *err)
{
	json_t *line = journal_worker("launch", number);
	struct mb_ident process;
	int64_t launch;

	mb_json_set(line, "of", json_integer(of));
	launch = journal_add(&deployment->journal, line, err);
	if (launch < 0 || make_worker(deployment, number, launch, &process, err) < 0)
		return -1;
	deploy_step();
	line = journal_worker("launched", number);
	mb_json_set(line, "launch", json_integer(launch));
	mb_json_set(line, "process", mb_ident_to_json(&process));
	return journal_add(&deployment->journal, line, err) < 0 ? -1 : 0;
}

static int local_launch(struct deployment *deployment, int64_t of, int64_t *made, struct mb_err *err)
{
	*made = 0;
	for (int64_t number = 1; number <= deployment->workers; number++) {
		const struct slot *slot = journal_slot(&deployment->journal, number);

		if (slot && life_is_on(local_look(deployment, slot)))
			continue;
		if (launch_one(deployment, number, of, err) < 0)
			return -1;
		++*made;
	}
	return 0;
}

/* ---- stopping ---- */

struct pids {
	pid_t *at;
	size_t n, cap;
};

/* Whether the process was started with MB_DEPLOY=uuid, and is no zombie (whose environment is empty). */
static int carries(const char *pid, const char *mark)
{
	char *path = mb_textf("/proc/%s/environ", pid);
	struct mb_str text = {0};
	const size_t n = strlen(mark) + 1;
	struct mb_err err;
	int yes = 0;

	if (mb_file_read(path, 0, &text, &err) == 0)
		for (size_t at = 0; !yes && at < text.n; at += strlen(text.at + at) + 1)
			yes = text.n - at >= n - 1 && !memcmp(text.at + at, mark, n);
	mb_str_release(&text);
	free(path);
	return yes;
}

/* Workers that live, by their identity, and all processes that carry the mark. */
static void find_all(const struct deployment *deployment, struct pids *pids)
{
	char *mark = mb_textf("MB_DEPLOY=%s", deployment->uuid);
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int64_t pid;

	pids->n = 0;
	while (proc && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]) && mb_num_int(entry->d_name, &pid) == 0 &&
		    pid != getpid() && carries(entry->d_name, mark))
			MB_PUSH(pids->at, pids->n, pids->cap, (pid_t)pid);
	if (proc)
		closedir(proc);
	for (size_t i = 0; i < deployment->journal.n_slots; i++) {
		const struct slot *slot = &deployment->journal.slots[i];
		struct mb_ident self;
		int had = 0;

		if (!slot->known || slot->words || mb_ident_self(&self, &(struct mb_err){0}) < 0 ||
		    !mb_ident_visible(&self, &slot->process) || !mb_ident_alive(&slot->process))
			continue;
		for (size_t j = 0; j < pids->n; j++)
			had |= pids->at[j] == (pid_t)slot->process.pid;
		if (!had)
			MB_PUSH(pids->at, pids->n, pids->cap, (pid_t)slot->process.pid);
	}
	free(mark);
}

static int is_worker(const struct deployment *deployment, pid_t pid)
{
	for (size_t i = 0; i < deployment->journal.n_slots; i++)
		if (deployment->journal.slots[i].known && deployment->journal.slots[i].process.pid == pid)
			return 1;
	return getsid(pid) == pid;
}

/* A worker passes the signal on by itself; where there is none, all that is left hears it. */
static void ask(const struct deployment *deployment, const struct pids *pids)
{
	int workers = 0;

	for (size_t i = 0; i < pids->n; i++)
		workers += is_worker(deployment, pids->at[i]);
	for (size_t i = 0; i < pids->n; i++)
		if (!workers || is_worker(deployment, pids->at[i])) {
			kill(pids->at[i], SIGTERM);
			kill(pids->at[i], SIGCONT); /* a stopped one would not hear it */
		}
}

/* Those on other machines cannot be reached from here. */
static int check_reach(const struct deployment *deployment, struct mb_err *err)
{
	struct mb_ident self;

	if (mb_ident_self(&self, err) < 0)
		return -1;
	for (size_t i = 0; i < deployment->journal.n_slots; i++) {
		const struct slot *slot = &deployment->journal.slots[i];

		if (slot->known && !slot->words && !mb_ident_visible(&self, &slot->process) &&
		    strcmp(self.host, slot->process.host) && seems_alive(deployment, slot)) {
			mb_err_set(err, MB_EXIT_SYSTEM, NULL, "worker %lld runs on %s", (long long)slot->number,
				   slot->process.host);
			return mb_err_hint(err, "type mb-deploy kill there");
		}
	}
	return 0;
}

static void nap(double seconds)
{
	nanosleep(&(struct timespec){.tv_nsec = (long)(seconds * 1e9)}, NULL);
}

static int local_stop(struct deployment *deployment, double grace_s, int *killed, struct mb_err *err)
{
	const double began = mb_clock_monotonic_s(), force_at = began + grace_s + 4, give_up_at = force_at + 5;
	struct pids pids = {0};
	double wait = 0.005;
	int bad = check_reach(deployment, err), forced = 0;

	*killed = 0;
	if (!bad) {
		find_all(deployment, &pids);
		ask(deployment, &pids);
	}
	while (!bad && pids.n) {
		const double now = mb_clock_monotonic_s();

		if (now > give_up_at) {
			bad = mb_err_set(err, MB_EXIT_SYSTEM, NULL, "process %d does not end, not even by SIGKILL",
					 (int)pids.at[0]);
			break;
		}
		if (now > force_at) {
			for (size_t i = 0; i < pids.n; i++)
				kill(pids.at[i], SIGKILL);
			if (!forced)
				*killed = (int)pids.n;
			forced = 1;
		}
		nap(wait);
		wait = wait < 0.1 ? wait * 1.5 : wait;
		find_all(deployment, &pids);
	}
	free(pids.at);
	return bad;
}

const struct mb_driver driver_local = {
	.name = "local",
	.about = "processes on this machine, detached from the terminal",
	.workers = local_workers,
	.launch = local_launch,
	.look = local_look,
	.stop = local_stop,
};
