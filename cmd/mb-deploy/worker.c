/* SPDX-License-Identifier: MIT
 *
 * A worker: the pipe mb-suggest | mb-train | mb-collect on the deployment's log, watched to its end. It runs in the
 * foreground; whoever launches it (a driver, a batch system, a person) sees to the rest.
 */
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
#include "data.h"
#include "setup.h"

enum { SUGGEST, TRAIN, COLLECT, STAGES };

static const char *const stage_names[STAGES] = {"mb-suggest", "mb-train", "mb-collect"};

struct worker {
	struct deployment *deployment;
	int64_t number, launch; /* launch 0: by hand */
	pid_t self;
	pid_t stages[STAGES]; /* 0: ended, or never started */
	int statuses[STAGES]; /* of waitpid */
	int set_up; /* 0, or the exit code of what the stages lack */
	struct data_use data;
	int stopping;
	double deadline_s; /* Unix seconds: when to stop by oneself; 0: never */
	double ending_s; /* Unix seconds: when the first stage ended or a signal came */
	char *log;       /* touched to show life to other machines */
};

/* ---- beginning ---- */

/* "number:launch", from whoever launched it. */
static int read_which(struct worker *worker)
{
	const char *which = getenv("MB_DEPLOY_WORKER"), *colon = which ? strchr(which, ':') : NULL;
	char *number = colon ? mb_textf("%.*s", (int)(colon - which), which) : NULL;
	int ok = number && mb_num_int(number, &worker->number) == 0 && mb_num_int(colon + 1, &worker->launch) == 0;

	free(number);
	unsetenv("MB_DEPLOY_WORKER");
	return ok ? 0 : -1;
}

/* By hand: a launch of its own, under the number after the last. */
static int launch_oneself(struct worker *worker, struct mb_err *err)
{
	struct journal *journal = &worker->deployment->journal;
	json_t *line;

	worker->number = 1;
	for (size_t i = 0; i < journal->n_slots; i++)
		if (journal->slots[i].number >= worker->number)
			worker->number = journal->slots[i].number + 1;
	line = journal_worker("launch", worker->number);
	mb_json_set(line, "of", json_integer(0));
	worker->launch = journal_append(journal, line, err);
	return worker->launch < 0 ? -1 : 0;
}

/* The span `deploy` of the latest start goes from its intent to the first worker that begins. */
static int add_deploy_span(struct journal *journal, const struct slot *slot, struct mb_err *err)
{
	json_t *span;

	if (!slot->of || journal->spanned >= slot->of)
		return 0;
	span = journal_span("deploy", journal->intent_s, slot->begun_s - journal->intent_s);
	mb_json_set(span, "of", json_integer(slot->of));
	return journal_append(journal, span, err) < 0 ? -1 : 0;
}

/* Started by a batch system or by hand: 0 with a launch, 1 when this worker is wanted no more, -1 with err. */
static int get_launch(struct worker *worker, struct mb_err *err)
{
	struct deployment *deployment = worker->deployment;
	int arrived = deployment->driver->arrive
			      ? deployment->driver->arrive(deployment, &worker->number, &worker->launch, err)
			      : 1;

	if (arrived == 1)
		return deployment->journal.delete_open ? 1 : launch_oneself(worker, err);
	return arrived == 2 ? 1 : arrived;
}

/* Under the journal's lock: 1 when this worker is wanted no more, -1 with err. */
static int begin(struct worker *worker, struct mb_err *err)
{
	struct journal *journal = &worker->deployment->journal;
	struct mb_ident self;
	struct slot *slot;
	json_t *line;
	int bad = worker->launch ? 0 : get_launch(worker, err);

	if (bad)
		return bad;
	slot = journal_slot(journal, worker->number);
	if (!slot || slot->launch != worker->launch || journal->delete_open || slot->words)
		return 1;
	if (journal->kill > worker->launch) {
		line = journal_worker("ended", worker->number);
		mb_json_set(line, "launch", json_integer(worker->launch));
		mb_json_set(line, "words", json_string("killed before it began"));
		return journal_append(journal, line, err) < 0 ? -1 : 1;
	}
	if (mb_ident_self(&self, err) < 0)
		return -1;
	line = journal_worker("working", worker->number);
	mb_json_set(line, "launch", json_integer(worker->launch));
	mb_json_set(line, "process", mb_ident_to_json(&self));
	if (journal_append(journal, line, err) < 0)
		return -1;
	return add_deploy_span(journal, journal_slot(journal, worker->number), err);
}

/* ---- the pipe ---- */

/* Dies with this process: gently, so that what is in training is kept, but for mb-collect, which has to bring it in.
 */
static void be_stage(const struct worker *worker, int stage, int in, int out)
{
	struct deployment *deployment = worker->deployment;
	char *keep = mb_textf("%lld", (long long)deployment->keep), *program = driver_program(stage_names[stage]);
	char *experiment = folder_file(deployment, "experiment.yaml"),
	     *log = folder_file(deployment, "trials.ndjson");
	char *const suggest[] = {program, "-e", experiment, "-l", log, "-k", keep, NULL};
	char *const train[] = {program, "-e", experiment, "-l", log, "-j", keep, worker->data.dataset ? "-d" : NULL,
			       worker->data.dataset, NULL};
	char *const collect[] = {program, "-e", experiment, "-l", log, NULL};
	char *const *const argv[STAGES] = {suggest, train, collect};
	int error;

	mb_signals_default();
	if (stage == TRAIN && worker->data.lock >= 0) /* it reads the copy also when this process is gone */
		fcntl(worker->data.lock, F_SETFD, 0);
	if (stage != COLLECT)
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != worker->self)
		_exit(MB_EXIT_SYSTEM);
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		_exit(MB_EXIT_SYSTEM);
	setenv("MB_DEPLOY", deployment->uuid, 1);
	unsetenv("MB_EXPERIMENT");
	unsetenv("MB_LOG");
	execvp(program, argv[stage]);
	error = errno;
	mb_tool_warn(deployment->tool, "%s: %s", program, strerror(error));
	_exit(error == ENOENT ? 127 : 126);
}

static int start_pipe(struct worker *worker, struct mb_err *err)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), pipes[2][2] = {{-1, -1}, {-1, -1}}, bad = -1;

	if (null < 0 || pipe2(pipes[0], O_CLOEXEC) < 0 || pipe2(pipes[1], O_CLOEXEC) < 0) {
		mb_err_errno(err, NULL, "pipe");
		goto out;
	}
	fflush(NULL);
	mb_signals_hold();
	bad = 0;
	for (int stage = 0; stage < STAGES && !bad; stage++) {
		pid_t pid = fork();

		if (pid == 0)
			be_stage(worker, stage, stage == SUGGEST ? null : pipes[stage - 1][0],
				 stage == COLLECT ? null : pipes[stage][1]);
		if (pid < 0)
			bad = mb_err_errno(err, NULL, "fork"); /* those before end, as their pipes close */
		else
			worker->stages[stage] = pid;
	}
	mb_signals_let();
out:
	for (int i = 0; i < 4; i++)
		if (pipes[i / 2][i % 2] >= 0)
			close(pipes[i / 2][i % 2]);
	if (null >= 0)
		close(null);
	return bad;
}

static void reap(struct worker *worker)
{
	for (int stage = 0; stage < STAGES; stage++) {
		if (!worker->stages[stage] || waitpid(worker->stages[stage], &worker->statuses[stage], WNOHANG) <= 0)
			continue;
		worker->stages[stage] = 0;
		if (worker->ending_s == 0)
			worker->ending_s = mb_clock_now_s();
	}
}

/* mb-train makes checkpoints and ends, mb-suggest stops suggesting; mb-collect takes in what they bring. */
static void pass_on(struct worker *worker, int number)
{
	struct journal *journal = &worker->deployment->journal;
	struct mb_err err;
	json_t *line;

	for (int stage = SUGGEST; stage <= TRAIN; stage++)
		if (worker->stages[stage])
			kill(worker->stages[stage], number);
	if (worker->ending_s == 0)
		worker->ending_s = mb_clock_now_s();
	if (worker->stopping)
		return;
	worker->stopping = number;
	mb_tool_say(worker->deployment->tool, "worker %lld: %s: stopping", (long long)worker->number,
		    strsignal(number));
	line = journal_worker("stopping", worker->number);
	mb_json_set(line, "launch", json_integer(worker->launch));
	mb_json_set(line, "signal", json_integer(number));
	if (journal_add(journal, line, &err) < 0)
		mb_tool_fail(worker->deployment->tool, &err);
}

static void go_on(struct worker *worker, enum moment moment)
{
	const struct mb_driver *driver = worker->deployment->driver;

	if (driver->go_on)
		driver->go_on(worker->deployment, worker->number, moment);
}

/* Every now and then: shows life, hears of a kill that reached no process, and stops ahead of a limit of time. */
static void look_around(struct worker *worker)
{
	struct journal *journal = &worker->deployment->journal;
	struct mb_err err;

	utimensat(AT_FDCWD, worker->log, NULL, 0);
	if (worker->stopping)
		return;
	if (journal_update(journal, &err) == 0 && journal->kill > worker->launch)
		pass_on(worker, SIGTERM);
	else if (worker->deadline_s > 0 && mb_clock_now_s() >= worker->deadline_s)
		pass_on(worker, SIGUSR2);
	else
		go_on(worker, MOMENT_MEANWHILE);
}

static int nap_ms(const struct worker *worker)
{
	const double left_s = worker->deadline_s - mb_clock_now_s();

	return worker->deadline_s > 0 && !worker->stopping && left_s < MB_HOLDER_TOUCH_S
		       ? (left_s > 0 ? (int)(left_s * 1000) + 1 : 0)
		       : MB_HOLDER_TOUCH_S * 1000;
}

static void attend(struct worker *worker)
{
	struct pollfd on = {.fd = mb_signals_fd(), .events = POLLIN};
	int number;

	for (;;) {
		reap(worker);
		if (!worker->stages[SUGGEST] && !worker->stages[TRAIN] && !worker->stages[COLLECT])
			return;
		if (poll(&on, 1, nap_ms(worker)) == 0)
			look_around(worker);
		while ((number = mb_signals_take()))
			if (number != SIGCHLD)
				pass_on(worker, number);
	}
}

/* ---- the end ---- */

/* The first bad status of a stage says how the worker ended; those downstream suffer from it. */
static int sum_up(const struct worker *worker, struct mb_str *words)
{
	int exit = worker->set_up;

	if (exit)
		mb_str_addf(words, "setup ended with %d", exit);
	for (int stage = 0; stage < STAGES; stage++) {
		int status = worker->statuses[stage], code = WIFEXITED(status) ? WEXITSTATUS(status) : MB_EXIT_CHILD;

		if (!exit || (code && exit == MB_EXIT_NO))
			exit = code;
		if (WIFSIGNALED(status))
			mb_str_addf(words, "%s%s killed by signal %d", words->n ? ", " : "", stage_names[stage],
				    WTERMSIG(status));
		else if (code)
			mb_str_addf(words, "%s%s ended with %d", words->n ? ", " : "", stage_names[stage], code);
	}
	if (!words->n)
		mb_str_adds(words, worker->stopping ? "stopped" : "done");
	return exit;
}

static int end(struct worker *worker, struct mb_err *err)
{
	struct journal *journal = &worker->deployment->journal;
	const double now = mb_clock_now_s();
	json_t *line = journal_worker("ended", worker->number);
	struct mb_str words = {0};
	int exit = sum_up(worker, &words), bad;

	mb_tool_say(worker->deployment->tool, "worker %lld: %s", (long long)worker->number, words.at);
	mb_json_set(line, "launch", json_integer(worker->launch));
	mb_json_set(line, "exit", json_integer(exit));
	mb_json_set(line, "words", json_string(words.at));
	mb_str_release(&words);
	if (journal_lock(journal, err) < 0) {
		json_decref(line);
		return mb_tool_fail(worker->deployment->tool, err);
	}
	bad = journal_append(journal, journal_span("undeploy", worker->ending_s, now - worker->ending_s), err) < 0;
	if (bad)
		json_decref(line);
	else
		bad = journal_append(journal, line, err) < 0;
	journal_unlock(journal);
	return bad ? mb_tool_fail(worker->deployment->tool, err) : exit;
}

/* 0 or the exit code. */
static int enter_data(struct worker *worker)
{
	struct deployment *deployment = worker->deployment;
	char *copy = folder_file(deployment, "experiment.yaml");
	struct mb_errs errs = {0};
	struct mb_experiment *experiment = mb_experiment_read(copy, &errs);
	const double began_s = mb_clock_now_s();
	struct mb_err err;
	json_t *span;
	int bad;

	if (experiment)
		bad = data_enter(deployment, experiment, &worker->data, &err);
	else
		bad = -1, err = errs.at[0];
	if (!bad && worker->data.copy) {
		span = journal_span("setup", began_s, mb_clock_now_s() - began_s);
		mb_json_set(span, "component", json_string("data"));
		bad = journal_add(&deployment->journal, span, &err) < 0;
	}
	mb_experiment_free(experiment);
	mb_errs_release(&errs);
	free(copy);
	return bad ? mb_tool_fail(deployment->tool, &err) : 0;
}

/* Links of a chain that come when all is done should be gone at once, and leave no trace. */
static int is_idle(const struct worker *worker)
{
	struct standing standing;
	struct mb_err err;
	int idle = !worker->launch && worker->deployment->driver->arrive && getenv("MB_DEPLOY_LINK") &&
		   standing_read(&standing, worker->deployment, &err) == 0;

	if (idle) {
		idle = standing_is_over(&standing);
		standing_release(&standing);
	}
	return idle;
}

static int work(struct worker *worker)
{
	struct deployment *deployment = worker->deployment;
	struct mb_err err;
	int bad;

	if (is_idle(worker)) {
		mb_tool_say(deployment->tool, "nothing is left to do: the observations are in");
		return MB_EXIT_OK;
	}
	if (journal_open(&deployment->journal, deployment->folder, 1, &err) < 0 || mb_signals_open(1, &err) < 0 ||
	    journal_lock(&deployment->journal, &err) < 0)
		return mb_tool_fail(deployment->tool, &err);
	bad = begin(worker, &err);
	journal_unlock(&deployment->journal);
	if (bad == 1) {
		mb_tool_say(deployment->tool,
			    "worker %lld: nothing to do, it was killed before it began or another took its place",
			    (long long)worker->number);
		return MB_EXIT_OK;
	}
	if (bad < 0)
		return mb_tool_fail(deployment->tool, &err);
	worker->log = folder_log_of(deployment, worker->number);
	mb_tool_say(deployment->tool, "worker %lld: begins, %lld at once", (long long)worker->number,
		    (long long)deployment->keep);
	if (deployment->driver->deadline)
		worker->deadline_s = deployment->driver->deadline(deployment);
	go_on(worker, MOMENT_BEGIN);
	workspace_watch(deployment, 0);
	worker->set_up = setup_enter(deployment);
	if (!worker->set_up)
		worker->set_up = enter_data(worker);
	if (worker->set_up)
		worker->ending_s = mb_clock_now_s();
	if (!worker->set_up && start_pipe(worker, &err) < 0) {
		mb_tool_fail(deployment->tool, &err);
		worker->statuses[SUGGEST] = MB_EXIT_SYSTEM << 8;
	}
	attend(worker);
	data_leave(&worker->data);
	free(worker->log);
	bad = end(worker, &err);
	go_on(worker, MOMENT_END);
	return bad;
}

int verb_worker(struct mb_tool *tool, const struct deploy_options *options)
{
	struct deployment deployment;
	struct worker worker = {.deployment = &deployment, .self = getpid(), .data.lock = -1};
	struct mb_err err;
	int status;

	if (read_which(&worker) < 0)
		worker.number = worker.launch = 0;
	if (folder_find(&deployment, tool, options->name, options->on, &err) < 0)
		return mb_tool_fail(tool, &err);
	status = work(&worker);
	folder_release(&deployment);
	return status;
}
