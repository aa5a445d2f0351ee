/* SPDX-License-Identifier: MIT
 *
 * The loop of mb-train: one poll over stdin, the workers, signals and the reader of stdout. A trial, or several that go
 * together, go to a worker as one line; each comes back as a line, which is written at once.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "train.h"

enum { GROUP = 16 }; /* twice as many bring 5 % more, and all wait for the last */

/* What a worker is busy with. */
struct batch {
	struct suggestion *at[GROUP]; /* NULL: ended */
	size_t n;
};

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

static void batch_free(struct batch *batch)
{
	for (size_t i = 0; batch && i < batch->n; i++)
		if (batch->at[i])
			suggestion_free(batch->at[i]);
	free(batch);
}

static int64_t member(const json_t *json, const char *name)
{
	return json_integer_value(json_object_get(json, name));
}

/* Whose result it is, the caller's from now on. */
static struct suggestion *batch_take(struct batch *batch, const json_t *result)
{
	for (size_t i = 0; i < batch->n; i++) {
		struct suggestion *found = batch->at[i];

		if (!found || (batch->n > 1 && (found->trial != member(result, "trial") ||
						found->rung != member(result, "rung"))))
			continue;
		batch->at[i] = NULL;
		return found;
	}
	return NULL;
}

static void take_result(struct dispatch *d, struct batch *batch, const json_t *result)
{
	struct suggestion *suggestion = batch_take(batch, result);

	if (suggestion) {
		put(d, suggestion, result);
		suggestion_free(suggestion);
	}
}

/* One result, or why there can be none; `over`: nothing more comes. */
static void take_answer(struct dispatch *d, struct mb_worker *worker, const struct mb_str *text, int over)
{
	struct mb_err err;
	json_t *json = text->at[0] == 'D' ? NULL : mb_json_parse(text->at + 1, text->n - 1, "worker", &err);

	if (json && text->at[0] == 'E')
		take_error(d, json);
	else if (json)
		take_result(d, worker->task, json);
	else if (text->at[0] != 'D')
		stop(d, SIGTERM, mb_tool_fail(&d->train->tool, &err));
	json_decref(json);
	if (over) {
		batch_free(worker->task);
		worker->task = NULL;
	}
}

/* A trial that ended with its worker: interrupted or failed. */
static void put_death(struct dispatch *d, struct suggestion *suggestion, int status, pid_t pid)
{
	char error[128];

	if (WIFSIGNALED(status))
		snprintf(error, sizeof error, "trainer process killed by signal %d%s", WTERMSIG(status),
			 WTERMSIG(status) == SIGKILL ? " (out of memory?)" : "");
	else
		snprintf(error, sizeof error, "trainer process ended with status %d", WEXITSTATUS(status));
	result_set(suggestion->json, d->stopping ? MB_STATUS_INTERRUPTED : MB_STATUS_FAILED, pid, error);
	put(d, suggestion, suggestion->json);
	suggestion_free(suggestion);
}

/* A worker that ended by itself took its trials with it. Of several one is to blame: each gets a worker for itself. */
static void take_death(struct dispatch *d, struct mb_worker *worker, pid_t pid)
{
	struct batch *batch = worker->task;
	int leaving = WIFEXITED(worker->status) && WEXITSTATUS(worker->status) == 0; /* when they were sent */

	worker->busy = 0;
	worker->task = NULL;
	for (size_t i = batch ? batch->n : 0; i-- > 0;) {
		struct suggestion *suggestion = batch->at[i];

		batch->at[i] = NULL;
		if (!suggestion)
			continue;
		if (d->stopping || (batch->n == 1 && !leaving)) {
			put_death(d, suggestion, worker->status, pid);
			continue;
		}
		suggestion->alone = !leaving;
		input_give_back(&d->input, suggestion);
	}
	batch_free(batch);
}

static void take_results(struct dispatch *d, struct mb_worker *worker)
{
	struct mb_str text = {0};
	pid_t pid = worker->pid;

	for (;;) {
		enum mb_pool_event event = mb_pool_receive(worker, &text);

		if ((event == MB_POOL_ANSWER || event == MB_POOL_PART) && worker->task)
			take_answer(d, worker, &text, event == MB_POOL_ANSWER);
		if (event == MB_POOL_DEAD)
			take_death(d, worker, pid);
		if (event == MB_POOL_DEAD || event == MB_POOL_NOTHING)
			break;
	}
	mb_str_release(&text);
}

/* ---- giving out work ---- */

static void take_what_came(struct dispatch *d)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};

	if (!d->input.lines.end && !d->input.lines.error && poll(&in, 1, 0) > 0 && input_take(d->train, &d->input) < 0)
		stop_for_stdout(d);
}

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
	take_what_came(d); /* meanwhile: it may go together with the first */
	return 0;
}

static size_t count_training(const struct dispatch *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->pool.n; i++) {
		const struct batch *batch = d->pool.workers[i].task;

		for (size_t j = 0; batch && d->pool.workers[i].busy && j < batch->n; j++)
			n += batch->at[j] != NULL;
	}
	return n;
}

/* The next suggestion, and with it what of those that wait may go together: this worker's share of them. */
static struct batch *next_batch(struct dispatch *d)
{
	const struct job *job = d->train->job;
	const size_t training = count_training(d), most = job->most ? job->most(d->train) : training + 1;
	const size_t share = (input_waiting(&d->input) + d->pool.n - 1) / d->pool.n;
	struct batch *batch = mb_alloc(sizeof *batch);

	batch->at[batch->n++] = input_next(&d->input);
	while (job->alike && !batch->at[0]->alone && batch->n < share && batch->n < GROUP && training + batch->n < most) {
		struct suggestion *other = input_next_like(d->train, &d->input, batch->at[0]);

		if (!other)
			break;
		batch->at[batch->n++] = other;
	}
	return batch;
}

static void send_batch(struct dispatch *d, struct mb_worker *worker, struct batch *batch)
{
	json_t *first = batch->at[0]->json, *array = json_array();
	struct mb_str line = {0};

	if (d->open_for_s > 0 && d->train->job->open_phase)
		mb_record_add_span(first, d->train->job->open_phase, d->open_s, d->open_for_s);
	d->open_for_s = 0;
	for (size_t i = 0; i < batch->n; i++)
		json_array_append(array, batch->at[i]->json);
	if (batch->n > 1)
		mb_tool_detail(&d->train->tool, "trial %lld and %zu others go side by side",
			       (long long)batch->at[0]->trial, batch->n - 1);
	mb_json_print(batch->n == 1 ? first : array, &line);
	worker->task = batch;
	mb_pool_send(worker, line.at, line.n); /* a dead one is noticed by its socket */
	mb_str_release(&line);
	json_decref(array);
}

/* 1 when a suggestion went to a worker. */
static int give_out(struct dispatch *d)
{
	const struct job *job = d->train->job;
	struct mb_err err = {0};
	struct mb_worker *worker;

	if (d->stopping || !input_waiting(&d->input) || (!d->opened && open_job(d) < 0))
		return 0;
	if (job->most && count_training(d) >= job->most(d->train))
		return 0;
	worker = mb_pool_idle(&d->pool, &err);
	if (!worker) {
		if (err.what[0])
			stop(d, SIGTERM, mb_tool_fail(&d->train->tool, &err));
		return 0;
	}
	send_batch(d, worker, next_batch(d));
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
				    count_training(d));
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
	return d->stopping || (d->input.lines.end && !input_waiting(&d->input));
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
