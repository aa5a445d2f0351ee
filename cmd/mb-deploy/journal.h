/* SPDX-License-Identifier: MIT
 *
 * The journal, deploy.ndjson: what was meant to be done and what came of it, one line each, appended under a lock and
 * synced before the deed. Its replay is all that the verbs know.
 *
 *     {"n":1,"at":…,"event":"made","uuid":"…"}
 *     {"n":2,"at":…,"event":"intent","verb":"start"}
 *     {"n":3,"at":…,"event":"launch","worker":1,"of":2}              before the process is made
 *     {"n":4,"at":…,"event":"launched","worker":1,"launch":3,"process":{…}}
 *     {"n":5,"at":…,"event":"result","verb":"start","of":2}
 *     {"n":6,"at":…,"event":"working","worker":1,"launch":3,"process":{…}}       by the worker
 *     {"n":7,"at":…,"event":"span","id":"…","phase":"deploy","start":…,"seconds":…}
 *     {"n":8,"at":…,"event":"stopping","worker":1,"launch":3,"signal":15}
 *     {"n":9,"at":…,"event":"ended","worker":1,"launch":3,"exit":0,"words":"done"}
 *     {"n":10,"at":…,"event":"workspace","workspace":"NAME","until":…,"extensions":3}
 *     {"n":11,"at":…,"event":"extend","workspace":"NAME","until":…}              before; after it "workspace" again
 *
 * A worker works only if its launch is the latest of its number and no kill was meant since: it looks while it holds
 * the lock. So a worker that comes late, of a start that crashed or was killed, does nothing.
 *
 * Where a batch system starts the workers, a link of the chain of jobs is claimed, submitted and noted:
 *
 *     {"n":3,"at":…,"event":"link","link":1,"of":2,"workers":4,"done":0}         before the submission
 *     {"n":4,"at":…,"event":"linked","claim":3,"job":"231"}                      or "refused", with words
 *     {"n":5,"at":…,"event":"launch","worker":1,"of":2,"link":1,"job":"231"}     by the worker
 *     {"n":6,"at":…,"event":"over","claim":3}                                    what waits is cancelled
 */
#ifndef MB_DEPLOY_JOURNAL_H
#define MB_DEPLOY_JOURNAL_H

#include "data/data.h"
#include "workspace.h"

/* The latest launch of a worker. */
struct slot {
	int64_t number;
	int64_t link;                      /* of the chain; 0: of none */
	int64_t launch, of;                /* n of its launch, and of the verb's intent */
	double launch_s, begun_s, ended_s; /* Unix seconds; 0: not yet */
	int known;                         /* `process` is */
	struct mb_ident process;
	int stopping; /* the signal it heard */
	int64_t exit;
	char *words; /* how its stages ended, for people; NULL: not ended */
};

/* A link of the chain, by its latest claim. */
struct link {
	int64_t number, claim; /* claim: n of its line */
	int64_t of, workers;
	int64_t done;          /* observations that were in when it was claimed */
	int64_t claims;        /* how often it was claimed */
	double at_s, linked_s, begun_s, ended_s; /* Unix seconds; 0: not yet. Ended: its latest worker that has */
	char *job;             /* NULL: not known */
	char *refused;         /* what was said to that; NULL: it was not refused */
	int over;              /* a worker of it found the budget reached, and cancelled what waits */
};

struct journal {
	char *path;
	struct mb_lock lock;
	int fd;       /* -1: read only */
	int64_t size; /* bytes replayed */
	int64_t n;    /* number of the last line */
	char *uuid;
	struct slot *slots;
	size_t n_slots, cap_slots;
	struct link *links; /* by their numbers, from 1 */
	size_t n_links, cap_links;
	int64_t kill;  /* n of the latest intent to kill */
	int kill_open; /* without a result */
	int delete_open;
	double intent_s; /* time of the latest intent to start or continue */
	struct workspace_term term; /* of the folder's workspace, as it was last told */
	double extend_s; /* its end when it was meant to be extended, of an intent without a result; 0: none */
	int64_t spanned; /* the intent whose `deploy` span is written */
	size_t bad;      /* lines that could not be read */
};

/* A journal that is not there is an empty one. */
int journal_open(struct journal *journal, const char *folder, int writes, struct mb_err *err);
int journal_update(struct journal *journal, struct mb_err *err);

/* Under the lock what was appended since is replayed. */
int journal_lock(struct journal *journal, struct mb_err *err);
void journal_unlock(struct journal *journal);

/* Adds n and at, appends, syncs, replays; takes the reference. Under the lock; returns the line's number, or -1. */
int64_t journal_append(struct journal *journal, json_t *line, struct mb_err *err);

/* The same with the lock taken around it. */
int64_t journal_add(struct journal *journal, json_t *line, struct mb_err *err);

/* {"event": event, "verb": verb}; {"event": event, "worker": number}. */
json_t *journal_verb(const char *event, const char *verb);
json_t *journal_worker(const char *event, int64_t number);
json_t *journal_span(const char *phase, double start_s, double seconds);

struct slot *journal_slot(struct journal *journal, int64_t number); /* or NULL */
struct link *journal_link(struct journal *journal, int64_t number); /* or NULL */
struct link *journal_claim(struct journal *journal, int64_t claim); /* the link that has that claim, or NULL */
void journal_close(struct journal *journal);

#endif
