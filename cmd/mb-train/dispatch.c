/* SPDX-License-Identifier: MIT
 *
 * The loop of mb-train: one poll over stdin, the workers, signals and the reader of stdout. A trial goes to a worker
 * as one line and comes back as one, which is written at once.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "train.h"

struct dispatch {
	struct train *train;
	struct input input;
	struct mb_pool pool;
	struct pollfd *fds;
	int signals;
	int opened;            /* the job is */
	double open_s, open_for_s; /* when that began and how long it took */
	int stopping, interrupts;
	int stdout_failed;     /* nothing more is written */
	double kill_at;        /* monotonic, once stopping */
	int status;
};

/* Workers told to stop have the grace that the experiment gives them, and what they need to say so. */
static const double last_words_s = 2;

static void stop(struct dispatch *d, int signal, int status)
{
	if (status && !d->status)
		d->status = status;
	if (d->stopping)
		return;
	d->stopping = 1;
	d->kill_at = mb_clock_monotonic_s() + d->train->experiment->grace_s + last_words_s;
	mb_pool_signal(&d->pool, signal);
}

static void stop_for_stdout(struct dispatch *d)
{
	d->stdout_failed = 1;
	stop(d, SIGTERM, d->train->tool.stdout_gone ? MB_EXIT_OK : MB_EXIT_SYSTEM);
}

/* ---- results ---- */

static int write_result(struct dispatch *d, const json_t *result)
{
	struct mb_str line = {0};
	int bad;

	mb_json_print(result, &line);
	mb_str_adds(&line, "\n");
	bad = input_pass_on(d->train, &d->input, line.at, line.n);
	mb_str_release(&line);
	return bad;
}

static void put(struct dispatch *d, struct suggestion *suggestion, const json_t *result)
{
	struct train *train = d->train;
	const char *status = json_string_value(json_object_get(result, "status"));
	const char *error = json_string_value(json_object_get(result, "error"));
	const struct mb_metric *objective = mb_experiment_objective(train->experiment);

	if (error)
		mb_tool_say(&train->tool, "trial %lld %s: %s", (long long)suggestion->trial, status, error);
	else if (!strcmp(status, "completed"))
		mb_tool_detail(&train->tool, "trial %lld: %s %.6g", (long long)suggestion->trial, objective->name,
			       mb_record_metric(result, objective->name));
	else
		mb_tool_detail(&train->tool, "trial %lld %s", (long long)suggestion->trial, status);
	/* Where the job cannot be run, what it interrupted is as open as what was never begun. */
	if (d->stdout_failed || (d->status == MB_EXIT_CHILD && !strcmp(status, "interrupted")))
		return;
	if (write_result(d, result) < 0)
		stop_for_stdout(d);
	else if (strcmp(status, "interrupted")) /* that one is not done, whether or not its line reaches the log */
		mb_holder_done(&d->input.holder, suggestion->trial, suggestion->rung, suggestion->attempt);
}

static void take_error(struct dispatch *d, const json_t *json)
{
	struct mb_err err;

	answer_error(json, &err);
	if (!d->status)
		mb_tool_fail(&d->train->tool, &err);
	stop(d, SIGTERM, err.code);
}

static void take_answer(struct dispatch *d, struct mb_worker *worker, const struct mb_str *text)
{
	struct suggestion *suggestion = worker->task;
	struct mb_err err;
	json_t *json = mb_json_parse(text->at + 1, text->n - 1, "worker", &err);

	worker->task = NULL;
	if (!json)
		stop(d, SIGTERM, mb_tool_fail(&d->train->tool, &err));
	else if (text->at[0] == 'E')
		take_error(d, json);
	else
		put(d, suggestion, json);
	json_decref(json);
	suggestion_free(suggestion);
}

/* A worker that ended by itself took its trial with it; the next one gets a new worker. */
static void take_death(struct dispatch *d, struct mb_worker *worker, pid_t pid)
{
	struct suggestion *suggestion = worker->task;
	int status = worker->status;
	char error[128];

	worker->busy = 0;
	worker->task = NULL;
	if (!suggestion)
		return;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && !d->stopping) {
		input_give_back(&d->input, suggestion); /* it was leaving when the trial was sent */
		return;
	}
	if (WIFSIGNALED(status))
		snprintf(error, sizeof error, "trainer process killed by signal %d%s", WTERMSIG(status),
			 WTERMSIG(status) == SIGKILL ? " (out of memory?)" : "");
	else
		snprintf(error, sizeof error, "trainer process ended with status %d", WEXITSTATUS(status));
	result_set(suggestion->json, d->stopping ? MB_STATUS_INTERRUPTED : MB_STATUS_FAILED, pid, error);
	put(d, suggestion, suggestion->json);
	suggestion_free(suggestion);
}

static void take_results(struct dispatch *d, struct mb_worker *worker)
{
	struct mb_str text = {0};
	pid_t pid = worker->pid;

	for (;;) {
		enum mb_pool_event event = mb_pool_receive(worker, &text);

		if (event == MB_POOL_ANSWER && worker->task)
			take_answer(d, worker, &text);
		if (event == MB_POOL_DEAD)
			take_death(d, worker, pid);
		if (event != MB_POOL_ANSWER)
			break;
	}
	mb_str_release(&text);
}

/* ---- giving out work ---- */

static int open_job(struct dispatch *d)
{
	double began = mb_clock_monotonic_s();
	struct mb_err err = {0};
	int result;

	d->open_s = mb_clock_now_s();
	result = d->train->job->open(d->train, &err);
	d->opened = result <= 0;
	if (result > 0)
		return -1;
	if (result < 0) {
		stop(d, SIGTERM, mb_tool_fail(&d->train->tool, &err));
		return -1;
	}
	d->open_for_s = mb_clock_monotonic_s() - began;
	return 0;
}

/* 1 when a suggestion went to a worker. */
static int give_out(struct dispatch *d)
{
	struct mb_err err = {0};
	struct mb_worker *worker;
	struct mb_str line = {0};
	struct suggestion *suggestion;

	if (d->stopping || d->input.head == d->input.n || (!d->opened && open_job(d) < 0))
		return 0;
	worker = mb_pool_idle(&d->pool, &err);
	if (!worker) {
		if (err.what[0])
			stop(d, SIGTERM, mb_tool_fail(&d->train->tool, &err));
		return 0;
	}
	suggestion = input_next(&d->input);
	if (d->open_for_s > 0 && d->train->job->open_phase)
		mb_record_add_span(suggestion->json, d->train->job->open_phase, d->open_s, d->open_for_s);
	d->open_for_s = 0;
	mb_json_print(suggestion->json, &line);
	worker->task = suggestion;
	mb_pool_send(worker, line.at, line.n); /* a dead one is noticed by its socket */
	mb_str_release(&line);
	return 1;
}

static size_t count_busy(const struct dispatch *d)
{
	size_t busy = 0;

	for (size_t i = 0; i < d->pool.n; i++)
		busy += d->pool.workers[i].busy != 0;
	return busy;
}

/* ---- the loop ---- */

/* Ends at once: nothing is written any more, and what ran is gone with its process groups. */
static void end_now(struct dispatch *d, int number)
{
	for (size_t i = 0; i < d->pool.n; i++)
		mb_worker_kill(&d->pool.workers[i]);
	mb_holder_close(&d->input.holder);
	signal(number, SIG_DFL);
	raise(number);
}

static void hear(struct dispatch *d)
{
	int number;

	while ((number = mb_signals_take())) {
		if (number == SIGINT && ++d->interrupts == 2)
			end_now(d, number);
		if (!d->stopping)
			mb_tool_say(&d->train->tool, "%s: stopping, %zu trials in training", strsignal(number),
				    count_busy(d));
		stop(d, number, MB_EXIT_OK);
	}
}

static int wait_ms(struct dispatch *d)
{
	double left;

	mb_holder_touch(&d->input.holder);
	if (!d->stopping)
		return d->input.holder.path ? MB_HOLDER_TOUCH_S * 1000 / 3 : -1;
	left = d->kill_at - mb_clock_monotonic_s();
	if (left > 0)
		return (int)(left < 5 ? left * 1000 : 5000) + 1;
	for (size_t i = 0; i < d->pool.n; i++)
		if (d->pool.workers[i].busy)
			mb_worker_kill(&d->pool.workers[i]);
	return 1000;
}

enum { SIGNALS, OUTPUT, INPUT, WORKERS };

static void turn(struct dispatch *d)
{
	struct pollfd *fds = d->fds;
	int reads = !d->stopping && !d->input.lines.end && !d->input.lines.error;

	fds[SIGNALS] = (struct pollfd){.fd = d->signals, .events = POLLIN};
	fds[OUTPUT] = (struct pollfd){.fd = d->train->tool.stdout_gone ? -1 : STDOUT_FILENO};
	fds[INPUT] = (struct pollfd){.fd = reads ? STDIN_FILENO : -1, .events = POLLIN};
	for (size_t i = 0; i < d->pool.n; i++)
		fds[WORKERS + i] = (struct pollfd){.fd = d->pool.workers[i].fd, .events = POLLIN};
	if (poll(fds, WORKERS + d->pool.n, wait_ms(d)) < 0)
		return;
	if (fds[SIGNALS].revents)
		hear(d);
	if (fds[OUTPUT].revents & (POLLERR | POLLHUP)) {
		d->train->tool.stdout_gone = 1;
		stop_for_stdout(d);
	}
	for (size_t i = 0; i < d->pool.n; i++)
		if (fds[WORKERS + i].revents)
			take_results(d, &d->pool.workers[i]);
	if (fds[INPUT].revents && !d->stopping && input_take(d->train, &d->input) < 0)
		stop_for_stdout(d);
	if (d->input.lines.error && !d->stopping) {
		mb_tool_warn(&d->train->tool, "stdin: %s", strerror(d->input.lines.error));
		stop(d, SIGTERM, MB_EXIT_SYSTEM);
	}
}

static int is_over(const struct dispatch *d)
{
	if (count_busy(d))
		return 0;
	return d->stopping || (d->input.lines.end && d->input.head == d->input.n);
}

int dispatch(struct train *train)
{
	struct dispatch d = {.train = train};
	struct mb_err err;

	d.signals = mb_signals_open(0, &err);
	if (d.signals < 0 ||
	    mb_pool_init(&d.pool, train->job->workers(train), train->job->keeps, answer, train, &err) < 0)
		return mb_tool_fail(&train->tool, &err);
	d.fds = mb_alloc((WORKERS + d.pool.n) * sizeof *d.fds);
	input_open(&d.input);
	for (;;) {
		while (give_out(&d))
			;
		if (is_over(&d))
			break;
		turn(&d);
	}
	if (!d.status && !train->tool.stdout_gone)
		d.status = d.input.foreign ? MB_EXIT_USAGE : d.input.bad ? MB_EXIT_RECORD : MB_EXIT_OK;
	mb_pool_close(&d.pool);
	if (d.opened && train->job->close)
		train->job->close(train);
	input_close(&d.input);
	free(d.fds);
	return d.status;
}
