/* SPDX-License-Identifier: MIT
 *
 * Within sigopt.c and sigopt_remote.c: what one process knows of the service.
 */
#ifndef MB_SUGGEST_SIGOPT_TURN_H
#define MB_SUGGEST_SIGOPT_TURN_H

#include "sigopt.h"

/* A suggestion that is open at the service and not in the log. */
struct spare {
	char *id;
	json_t *point;
	double seconds;     /* that it took to get */
	char algorithm[16]; /* for the record: sigopt, or default, random: chosen here, and told to the service */
};

struct sigopt {
	struct suggester *suggester;
	struct sigopt_link link;
	struct sigopt_state state;
	int (*stop)(void *);
	void *stop_arg;
	double touched_s;

	int checked;       /* the experiment is there, and as the file says */
	struct mb_hashset taken; /* suggestions in the log, hashes of their ids */
	size_t keys_seen;        /* of the log, by taken */
	struct mb_hashset reported; /* trials that the service has an observation of */
	char *newest;      /* id of the newest observation looked at */
	size_t settled;    /* log->finished when all were reported */
	struct spare *spare;
	size_t n_spare, cap_spare;
};

/* The member `sigopt` of a key's suggestion, NULL when it came from elsewhere. */
const json_t *sigopt_member(const struct mb_key *key);

/* "/v1/experiments/12" and what follows; the caller frees. */
char *sigopt_path(const struct sigopt *sigopt, const char *rest);

void sigopt_learn_experiment(struct sigopt *sigopt);                /* its id, from the log */
int sigopt_find(struct sigopt *sigopt, struct mb_err *err);         /* its id, by the key of this search; may find none */
int sigopt_ensure(struct sigopt *sigopt, struct mb_err *err);       /* it is there, and as the file says */

#endif
