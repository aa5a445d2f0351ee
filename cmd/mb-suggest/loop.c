/* SPDX-License-Identifier: MIT
 *
 * The loop: follows the log and keeps the pipe filled; and the same for a number of suggestions at once (-n).
 */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "run/run.h"
#include "sigopt.h"

enum { STRIKES = 3 }; /* trials that come back unbegun in a row */

struct loop {
	const struct run_options *options;
	struct mb_holder *holder; /* NULL: -n has none */
	struct mb_holders holders;
	double scanned_s;       /* monotonic, of the last look at the run files */
	size_t lines_at_start;  /* of the log: --reissue gives out what stood there, not what comes later */
	int watch;              /* inotify on the log, -1: polling alone */
	size_t results;         /* of the log, at the last turn */
	int strikes;
	size_t strike_results;  /* of the log, at the last strike */
	int64_t strike_trial;
	double idle_since_s;    /* monotonic; 0: the last look gave work */
	size_t told;            /* keys below were told of by tell_waiting */
};

/* ---- who holds what ---- */

/* Looking into the run files costs a few system calls a file: not more often than needed to notice a death in time. */
static int look(struct suggester *suggester, double every_s, struct mb_err *err)
{
	struct loop *loop = suggester->mode;
	double now = mb_clock_monotonic_s();

	if (loop->scanned_s && now - loop->scanned_s < every_s)
		return 0;
	if (mb_holders_scan(&loop->holders, suggester->log.path, err) < 0)
		return -1;
	loop->scanned_s = mb_clock_monotonic_s();
	return 0;
}

static double age_s(const struct mb_key *key)
{
	double start_s = 0;

	mb_record_last_span(key->issue, "suggest", &start_s);
	return mb_clock_now_s() - start_s;
}

static enum fate fate_in_log(struct suggester *suggester, size_t index)
{
	struct loop *loop = suggester->mode;
	const struct mb_key *key = &suggester->log.keys[index];

	if (key->status == MB_STATUS_INTERRUPTED)
		return FATE_FREE;
	switch (mb_holders_ask(&loop->holders, &suggester->log, index)) {
	case MB_HOLD_GONE:
	case MB_HOLD_UNBEGUN:
		return FATE_FREE;
	case MB_HOLD_NOBODY:
		if (loop->options->reissue && key->line <= loop->lines_at_start)
			return FATE_FREE;
		return age_s(key) >= suggester->experiment->lease_s ? FATE_LATE : FATE_HELD;
	case MB_HOLD_HELD:
		break;
	}
	return FATE_HELD;
}

static int is_mine(const struct suggester *suggester, const struct mb_key *key)
{
	return suggester->owner && key->status == MB_STATUS_OPEN &&
	       json_equal(json_object_get(key->issue, "owner"), suggester->owner);
}

/* A trial of this loop whose trainer ended in order without a result counts against the loop: a trainer that cannot run
 * would be fed for ever. */
static void count_strike(struct suggester *suggester, size_t index)
{
	struct loop *loop = suggester->mode;
	const struct mb_key *key = &suggester->log.keys[index];

	if (loop->strike_results != suggester->log.results)
		loop->strikes = 0;
	loop->strike_results = suggester->log.results;
	if (is_mine(suggester, key) && mb_holders_ask(&loop->holders, &suggester->log, index) == MB_HOLD_UNBEGUN) {
		loop->strikes++;
		loop->strike_trial = key->trial;
	}
}

/* ---- one look under the lock ---- */

/* How many more suggestions this process may have open now. */
static size_t room(struct suggester *suggester)
{
	struct loop *loop = suggester->mode;
	size_t bandwidth = (size_t)suggester->experiment->parallel_bandwidth;
	size_t keep = loop->options->keep ? (size_t)loop->options->keep : bandwidth;
	size_t held = 0, mine = 0;

	for (size_t i = 0; i < suggester->n_open; i++) {
		size_t index = suggester->open[i];

		if (fate_in_log(suggester, index) == FATE_FREE)
			continue;
		held++;
		mine += (size_t)is_mine(suggester, &suggester->log.keys[index]);
	}
	if (held >= bandwidth || mine >= keep)
		return 0;
	return keep - mine < bandwidth - held ? keep - mine : bandwidth - held;
}

static int any(struct suggester *suggester, enum fate fate)
{
	for (size_t i = 0; i < suggester->n_open; i++)
		if (fate_in_log(suggester, suggester->open[i]) == fate)
			return 1;
	return 0;
}

/* How many suggestions to issue now; looks without the lock first, so that a waiting loop leaves the lock alone. */
static size_t wanted(struct suggester *suggester)
{
	struct loop *loop = suggester->mode;
	size_t count;

	if (loop->options->count)
		return (size_t)loop->options->count;
	count = room(suggester);
	if (count && (suggester_has_more(suggester) || any(suggester, FATE_FREE)))
		return count;
	return 0;
}

static int issue(struct suggester *suggester, struct mb_err *err)
{
	struct loop *loop = suggester->mode;
	size_t count = wanted(suggester);

	if (suggester_issue(suggester, count, err) < 0)
		return -1;
	if (!suggester->n_issued && !loop->options->count)
		return suggester_issue_late(suggester, err);
	return 0;
}

static int turn(struct suggester *suggester, struct mb_err *err)
{
	struct loop *loop = suggester->mode;
	int bad;

	if (mb_log_update(&suggester->log, err) < 0 || look(suggester, 0.2, err) < 0)
		return -1;
	suggester_update(suggester);
	if (suggester_prepare(suggester, wanted(suggester), err) < 0)
		return -1;
	if (!wanted(suggester) && !any(suggester, FATE_LATE) && !suggester_done(suggester))
		return suggester_settle(suggester, err);
	if (mb_log_lock(&suggester->log, err) < 0)
		return -1;
	suggester_update(suggester);
	/* What looks free is looked at again: a trainer may have read it since. */
	bad = look(suggester, any(suggester, FATE_FREE) ? 0 : 0.2, err) < 0 || issue(suggester, err) < 0;
	if (!bad)
		mb_holders_sweep(&loop->holders, &suggester->log);
	if (mb_log_unlock(&suggester->log, bad ? &(struct mb_err){0} : err) < 0)
		bad = 1;
	if (suggester_settle(suggester, bad ? &(struct mb_err){0} : err) < 0)
		bad = 1;
	return bad ? -1 : 0;
}

/* Prints what was issued, each record when the pipe has room for it: a reader that takes its time must not keep this
 * process from hearing signals and from showing that it lives. */
static int print_patiently(struct suggester *suggester, struct mb_holder *holder)
{
	struct pollfd on[] = {{.fd = STDOUT_FILENO, .events = POLLOUT}, {.fd = mb_signals_fd(), .events = POLLIN}};

	while (suggester->n_issued) {
		int ready = poll(on, MB_COUNT(on), 1000);

		mb_holder_touch(holder);
		if (mb_signals_stopped())
			return 0;
		if (ready > 0 && on[0].revents && suggester_print_one(suggester) < 0)
			return -1;
	}
	return 0;
}

/* ---- waiting ---- */

static void tell_unclaimed(const struct suggester *suggester, const struct mb_key *key)
{
	double age = age_s(key);

	mb_tool_say(suggester->tool,
		    "waiting for trial %lld, printed by -n %.0f %s ago, no trainer has it; mb-suggest --reissue gives it out now",
		    (long long)key->trial, age < 120 ? age : age < 7200 ? age / 60 : age / 3600,
		    age < 120 ? "s" : age < 7200 ? "min" : "h");
}

/* A loop that waits without being seen to work says for what, once for each trial. */
static void tell_waiting(struct suggester *suggester)
{
	struct loop *loop = suggester->mode;
	double idle_s = loop->idle_since_s ? mb_clock_monotonic_s() - loop->idle_since_s : 0;

	if (idle_s < 2)
		return;
	for (size_t i = 0; i < suggester->n_open; i++) {
		size_t index = suggester->open[i];
		const struct mb_key *key = &suggester->log.keys[index];
		enum mb_hold hold;

		if (index < loop->told || key->status != MB_STATUS_OPEN)
			continue;
		hold = mb_holders_ask(&loop->holders, &suggester->log, index);
		if (hold == MB_HOLD_NOBODY)
			tell_unclaimed(suggester, key);
		else if (hold == MB_HOLD_HELD && loop->holders.watched[index].lost_since_s > 0)
			mb_tool_say(suggester->tool,
				    "waiting for trial %lld: its trainer is done, but the result is not in the log; it goes out "
				    "again %d s after that",
				    (long long)key->trial, MB_HOLDER_GONE_S);
		else
			continue;
		loop->told = index + 1;
	}
}

/* Sleeps until the log changes, the reader goes away, a signal comes, or it is time to look again. */
static void wait_for_news(struct suggester *suggester)
{
	struct loop *loop = suggester->mode;
	struct pollfd on[] = {{.fd = STDOUT_FILENO},
			      {.fd = mb_signals_fd(), .events = POLLIN},
			      {.fd = loop->watch, .events = POLLIN}};
	double idle_s = loop->idle_since_s ? mb_clock_monotonic_s() - loop->idle_since_s : 0;
	char events[4096];

	if (poll(on, MB_COUNT(on), idle_s < 5 ? 200 : 900) <= 0)
		return;
	if (on[0].revents & (POLLERR | POLLNVAL))
		suggester->tool->stdout_gone = 1;
	if (on[2].revents && read(loop->watch, events, sizeof events) < 0 && errno != EAGAIN)
		loop->watch = -1; /* polling alone will do */
}

static int finish(struct suggester *suggester)
{
	const struct mb_spending *spending = &suggester->spending;
	struct mb_str left = {0};

	if (suggester->exhausted && !suggester->n_open) {
		mb_tool_say(suggester->tool, "the space is exhausted: all %zu points are tried", suggester->points.n);
	} else if (spending->finished < spending->budget) {
		mb_ladder_text(&suggester->ladder, spending->budget - spending->finished, &left);
		mb_tool_say(suggester->tool, "the end: no training costs as little as the %s of the budget that are left",
			    left.at);
		mb_str_release(&left);
	}
	return MB_EXIT_OK;
}

/* Until the end: the exit code, or -1 with err. */
static int run(struct suggester *suggester, struct mb_holder *holder, struct mb_err *err)
{
	struct loop *loop = suggester->mode;

	for (;;) {
		size_t issued;

		if (turn(suggester, err) < 0)
			return err->code == MB_EXIT_OK ? MB_EXIT_OK : -1;
		suggester_complain(suggester);
		if (loop->strikes >= STRIKES) {
			mb_err_set(err, MB_EXIT_CHILD, NULL,
				   "trial %lld came back unbegun, the %drd in a row: the trainer ends before it begins, "
				   "see what it said",
				   (long long)loop->strike_trial, STRIKES);
			return -1;
		}
		issued = suggester->n_issued;
		if (print_patiently(suggester, holder) < 0)
			return suggester->tool->stdout_gone ? MB_EXIT_OK : MB_EXIT_SYSTEM;
		if (mb_log_sync(&suggester->log, 0, err) < 0)
			return -1;
		if (suggester_done(suggester))
			return finish(suggester);
		if (issued || loop->results != suggester->log.results)
			loop->idle_since_s = 0;
		else if (!loop->idle_since_s)
			loop->idle_since_s = mb_clock_monotonic_s();
		loop->results = suggester->log.results;
		tell_waiting(suggester);
		wait_for_news(suggester);
		mb_holder_touch(holder);
		if (mb_signals_stopped() || suggester->tool->stdout_gone)
			return MB_EXIT_OK;
	}
}

static int64_t count_mine(const struct suggester *suggester)
{
	int64_t mine = 0;

	for (size_t i = 0; i < suggester->n_open; i++)
		mine += is_mine(suggester, &suggester->log.keys[suggester->open[i]]);
	return mine;
}

/* While the service takes its time: hears signals, sees the reader go, and shows that this process lives. */
static int stop_waiting(void *arg)
{
	struct suggester *suggester = arg;
	struct loop *loop = suggester->mode;
	struct pollfd out = {.fd = STDOUT_FILENO};

	if (loop->holder)
		mb_holder_touch(loop->holder);
	if (poll(&out, 1, 0) > 0 && out.revents & (POLLERR | POLLNVAL))
		suggester->tool->stdout_gone = 1;
	return mb_signals_stopped() || suggester->tool->stdout_gone;
}

int suggest_loop(struct suggester *suggester, const struct run_options *options)
{
	struct loop loop = {.options = options, .lines_at_start = suggester->log.lines};
	struct mb_holder holder;
	struct mb_ident self;
	struct mb_err err;
	int status = -1;

	suggester->mode = &loop;
	suggester->fate = fate_in_log;
	suggester->reissued = count_strike;
	if (mb_signals_open(0, &err) < 0 || mb_ident_self(&self, &err) < 0 ||
	    mb_holder_open(&holder, suggester->log.path, &err) < 0)
		return mb_tool_fail(suggester->tool, &err);
	suggester->owner = mb_ident_to_json(&self);
	loop.holder = &holder;
	if (suggester->sigopt)
		sigopt_on_wait(suggester->sigopt, stop_waiting, suggester);
	loop.watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (loop.watch >= 0)
		inotify_add_watch(loop.watch, suggester->log.path, IN_MODIFY);
	status = run(suggester, &holder, &err);
	if (status < 0)
		status = mb_tool_fail(suggester->tool, &err);
	if (mb_log_sync(&suggester->log, 1, &err) < 0)
		status = mb_tool_fail(suggester->tool, &err);
	holder.undone = count_mine(suggester);
	mb_holder_close(&holder);
	if (loop.watch >= 0)
		close(loop.watch);
	mb_holders_release(&loop.holders);
	return status;
}

/* ---- -n ---- */

int suggest_count(struct suggester *suggester, const struct run_options *options)
{
	struct loop loop = {.options = options, .lines_at_start = suggester->log.lines, .watch = -1, .holders.once = 1};
	struct mb_err err;
	int status = MB_EXIT_OK;

	suggester->mode = &loop;
	suggester->fate = fate_in_log;
	if (suggester->sigopt)
		sigopt_on_wait(suggester->sigopt, stop_waiting, suggester);
	if (turn(suggester, &err) < 0 || mb_log_sync(&suggester->log, 1, &err) < 0) {
		status = mb_tool_fail(suggester->tool, &err);
		goto out;
	}
	suggester_complain(suggester);
	if (!suggester->n_issued) {
		suggester_nothing(suggester, &err);
		status = mb_tool_fail(suggester->tool, &err);
	} else if (suggester->n_issued < (size_t)options->count) {
		mb_tool_say(suggester->tool, "%zu of %lld suggestions: the %s", suggester->n_issued,
			    (long long)options->count, suggester->exhausted ? "space is exhausted" : "budget ends here");
	}
	while (suggester->n_issued && suggester_print_one(suggester) == 0)
		continue;
	if (suggester->n_issued && !suggester->tool->stdout_gone)
		status = MB_EXIT_SYSTEM;
out:
	mb_holders_release(&loop.holders);
	return status;
}
