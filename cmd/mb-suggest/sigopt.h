/* SPDX-License-Identifier: MIT
 *
 * SigOpt's service (REST API v1) as the algorithm of a search. The log is the truth: the service is told of every result
 * in it once, by observations that carry the trial's number in their metadata, and asked for suggestions, whose numbers
 * stand in the log's `open` records. What the service knows is looked up before anything is sent again, so a crash at
 * any point neither loses nor doubles an observation, and a suggestion that never reached the log is used next.
 *
 * Many processes on one log take turns at the service, by a lock of their own (`<log>.sigopt.lock`); the log's lock is not
 * held while a request is under way, so trainers never wait for the service.
 *
 *     struct sigopt *sigopt = sigopt_open(&suggester, &account, &err);
 *     if (sigopt_begin(sigopt, count, &err) == 0) {      // reports what is new, fetches up to count suggestions
 *             … under the log's lock, while sigopt_ready(sigopt): sigopt_take(sigopt, &suggestion, &member) …
 *             sigopt_end(sigopt);
 *     }
 *     sigopt_close(sigopt);
 */
#ifndef MB_SUGGEST_SIGOPT_H
#define MB_SUGGEST_SIGOPT_H

#include "net/net.h"
#include "suggester.h"

/* For --list-algorithms, and the experiment's check: what SigOpt cannot express is a usage error. Its `ask` is not
 * called. */
extern const struct mb_algorithm algorithm_sigopt;

/* ---- sigopt_account.c: where the service is, and as whom ---- */

struct sigopt_account {
	char *url;    /* without a slash at the end */
	char *token;  /* secret: never printed, logged or passed on; NULL: none was given */
	int random;   /* a development run without a development token: random suggestions */
	int development; /* by the development token */
};

/* From sigopt_options and the environment ($SIGOPT_ENV_FILE, else $SIGOPT_TOKEN…). That no token is given is no error. */
int sigopt_account_read(struct sigopt_account *account, const struct mb_experiment *experiment, struct mb_err *err);
void sigopt_account_release(struct sigopt_account *account);

/* ---- sigopt_call.c: one request, repeated while the service is busy or gone ---- */

struct sigopt_link {
	const struct mb_tool *tool;
	const struct sigopt_account *account;
	struct mb_http *http; /* made at the first call */
	struct mb_rng rng;
	unsigned failures;    /* in a row */
	double failing_since_s, patience_s; /* monotonic; seconds until it gives up */
	int told;
	int (*stop)(void *);  /* 1: the program is to end */
	void *arg;
};

void sigopt_link_init(struct sigopt_link *link, const struct mb_tool *tool, const struct sigopt_account *account);
void sigopt_link_release(struct sigopt_link *link);

/* 0 and *answer (the caller decrefs), or -1: the service refused (its message), gave no answer for patience_s, or
 * MB_EXIT_OK: stopped. 1, of a POST alone: it may have been acted upon or not; look, and call again. body, answer:
 * may be NULL. path: "/v1/…". */
int sigopt_call(struct sigopt_link *link, const char *method, const char *path, const json_t *body, json_t **answer,
		struct mb_err *err);

/* Calls `take` for each item of a paginated list, newest first, until it returns 1. `query`: "state=open" or NULL. */
int sigopt_list(struct sigopt_link *link, const char *path, const char *query, int (*take)(void *, json_t *item),
		void *arg, struct mb_err *err);

/* 0 after that many seconds, -1 with MB_EXIT_OK when stopped. */
int sigopt_nap(struct sigopt_link *link, double seconds, struct mb_err *err);

/* Text of an id that the service or a record gives as text or integer, fit for a path; NULL when it is not. The caller
 * frees. */
char *sigopt_id(const json_t *id);

/* ---- sigopt_space.c: our words to theirs and back ---- */

/* 0, or -1 with MB_EXIT_USAGE: SigOpt cannot express the experiment. */
int sigopt_check(const struct mb_experiment *experiment, struct mb_err *err);

/* The body that creates the experiment, but for its metadata. A new reference. */
json_t *sigopt_experiment(const struct mb_experiment *experiment, int random);

/* A point of the space, and the other way; NULL with err when what the service sent is no point of it. New references. */
json_t *sigopt_assignments(const struct mb_experiment *experiment, const json_t *assignments);
json_t *sigopt_point(const struct mb_experiment *experiment, const json_t *assignments, struct mb_err *err);

/* ---- sigopt_state.c: whose turn it is ---- */

/* What the processes on one log leave each other, in `<log>.sigopt`. */
struct sigopt_state {
	char *path;          /* NULL: the log is in memory */
	struct mb_lock lock;
	char me[128];        /* this process */
	char key[40];        /* names the search at the service */
	char *experiment;    /* id at the service; NULL: not known */
	int held;
	int others;          /* somebody else was at it since */
	int crashed;         /* and did not end its turn */
};

int sigopt_state_open(struct sigopt_state *state, const struct mb_log *log, struct mb_err *err);
int sigopt_state_take(struct sigopt_state *state, struct sigopt_link *link, struct mb_err *err);
int sigopt_state_write(const struct sigopt_state *state, int busy, struct mb_err *err);
void sigopt_state_drop(struct sigopt_state *state); /* after a turn that went wrong, `busy` stays as it is */
void sigopt_state_close(struct sigopt_state *state);

/* ---- sigopt.c: a turn ---- */

struct sigopt *sigopt_open(struct suggester *suggester, const struct sigopt_account *account, struct mb_err *err);
void sigopt_close(struct sigopt *sigopt); /* NULL is fine */

/* Called while a turn takes long; 1 ends it (MB_EXIT_OK). */
void sigopt_on_wait(struct sigopt *sigopt, int (*stop)(void *), void *arg);

int sigopt_due(const struct sigopt *sigopt);   /* there are results that the service has not got */
int sigopt_begin(struct sigopt *sigopt, size_t count, struct mb_err *err);
int sigopt_ready(const struct sigopt *sigopt); /* a suggestion waits to be taken */
/* The next one: assignments and `member` are the caller's. Returns the seconds that it took to get. */
double sigopt_take(struct sigopt *sigopt, struct mb_suggestion *suggestion, json_t **member);

int sigopt_end(struct sigopt *sigopt, struct mb_err *err);

/* Deletes the experiment of this log at the service: 0, 1 when there is none, -1. */
int sigopt_delete(struct sigopt *sigopt, struct mb_err *err);

#endif
