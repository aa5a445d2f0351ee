/* SPDX-License-Identifier: MIT
 *
 * What suggests: the log's state on one side, an algorithm on the other. The three ways to run it (the loop that follows a
 * log, a number of suggestions at once, a coprocess without a log) differ only in who holds a trial and when they ask.
 */
#ifndef MB_SUGGEST_SUGGESTER_H
#define MB_SUGGEST_SUGGESTER_H

#include "opt/opt.h"
#include "tool.h"

/* May an open trial be issued (again)? */
enum fate {
	FATE_HELD, /* somebody works on it */
	FATE_FREE, /* now: interrupted, or its holder is gone */
	FATE_LATE  /* printed by -n long ago: when there is nothing else to do */
};

#define NOT_OBSERVED ((size_t)-1)

struct suggester {
	struct mb_tool *tool;
	const struct mb_experiment *experiment;
	const struct mb_algorithm *algorithm;
	struct sigopt *sigopt; /* the service that suggests instead; NULL: none */
	uint64_t seed;
	struct mb_ladder ladder;
	struct mb_log log;
	json_t *owner;  /* of what is issued; NULL: nobody (-n, coprocess) */

	enum fate (*fate)(struct suggester *, size_t key); /* of log.keys[key], open or interrupted */
	void (*reissued)(struct suggester *, size_t key);  /* told before a key is issued again; may be NULL */
	void *mode;     /* of the way it runs */

	size_t *open;   /* indices of keys that are neither completed nor failed, in order */
	size_t n_open, cap_open, keys_seen;
	struct mb_spending spending; /* of the keys seen */
	struct mb_hashset points; /* every point of the log */
	struct mb_observation *observations; /* those in the space, for the algorithm */
	double *u;      /* a row of mb_space_dims each */
	double *metrics, *metrics_stddev; /* a row of experiment->n_metrics each */
	size_t n_observations, cap_observations, cap_u, cap_metrics, cap_stddev;
	struct mb_cache *cache;
	const struct mb_transfer *transfer; /* of --prior-log; NULL: none */
	json_t *surrogate; /* of the latest issue that has one; NULL: none */
	double suggest_s;  /* total of the `suggest` spans of the issues */
	size_t n_suggest;
	size_t *observed; /* of each key, the index of its observation; NOT_OBSERVED: outside the space */
	size_t n_observed, cap_observed;
	size_t outside; /* points of the log outside the space */
	int exhausted;  /* every point was suggested */

	json_t **issued; /* by the last suggester_issue, to be printed; owned */
	size_t n_issued, cap_issued;
};

void suggester_init(struct suggester *suggester, struct mb_tool *tool, const struct mb_experiment *experiment,
		    const struct mb_algorithm *algorithm, uint64_t seed);
void suggester_release(struct suggester *suggester);

/* Takes in what the log learned: new points, trials that ended. */
void suggester_update(struct suggester *suggester);

/* What the algorithm may know, but for the number of the trial to come. Borrowed from the suggester. */
struct mb_history suggester_history(const struct suggester *suggester);

/* Is there something to suggest that was not suggested before (a new trial, a higher rung of one) and fits into what the
 * finished and the open leave of the budget? */
int suggester_has_more(const struct suggester *suggester);

/* Under the log's lock: issues at most `count` suggestions, free trials first, then what is new. They are appended to the log
 * and stand in `issued`. The other issues all that are late. */
int suggester_issue(struct suggester *suggester, size_t count, struct mb_err *err);
int suggester_issue_late(struct suggester *suggester, struct mb_err *err);

/* Before that and without the lock: what a service has to say, for up to `count` suggestions; it then waits for settle,
 * which comes after the lock was given up. Nothing to do where there is no service. */
int suggester_prepare(struct suggester *suggester, size_t count, struct mb_err *err);
int suggester_settle(struct suggester *suggester, struct mb_err *err);

/* How many new trials the budget has room for, where each is a full training. */
size_t suggester_budget_left(const struct suggester *suggester);

/* What an algorithm may know, but for the trial's number. */
struct mb_history suggester_history(const struct suggester *suggester);

/* Prints the first of `issued` and forgets it: 0, or -1 as mb_tool_put does. */
int suggester_print_one(struct suggester *suggester);

int suggester_done(const struct suggester *suggester); /* the budget is used up, or nothing is open and nothing left */

/* Why nothing was issued: -1 with MB_EXIT_NO. */
int suggester_nothing(const struct suggester *suggester, struct mb_err *err);

/* "5 of 24", of the budget. */
void suggester_budget_text(const struct suggester *suggester, struct mb_str *text);

/* Prints once how many observations lie outside the space, and what could not be read in the log. */
void suggester_complain(struct suggester *suggester);

/* The three ways; each returns the exit code. */
struct run_options {
	int64_t count;    /* -n; 0: loop */
	int64_t keep;     /* -k; 0: all of the bandwidth */
	int reissue;
	int sigopt_delete;
	struct mb_opt_texts history, prior_logs;
};

/* Reads the files of --prior-log and says how many of their results are of no use here. NULL: a line that is none of a log, or
 * an algorithm that does not learn from others; `status` is the exit code then. */
struct mb_transfer *read_prior_logs(struct mb_tool *tool, const struct mb_experiment *experiment,
				    const struct mb_algorithm *algorithm, const struct mb_opt_texts *paths, int *status);

int suggest_loop(struct suggester *suggester, const struct run_options *options);
int suggest_count(struct suggester *suggester, const struct run_options *options);
int suggest_coprocess(struct suggester *suggester, const struct run_options *options);

/* --should-stop, with `trial` --trial -: 0 stop, 1 go on, else an error. */
int suggest_should_stop(struct suggester *suggester, int trial);

/* What needs no log: a commented experiment file, which ends the program; and the experiment in words. */
int suggest_init(struct mb_tool *tool);
int suggest_predict(struct mb_tool *tool, const struct mb_experiment *experiment);
int suggest_check(struct mb_tool *tool, const struct mb_experiment *experiment, const struct mb_algorithm *algorithm,
		  uint64_t seed);

#endif
