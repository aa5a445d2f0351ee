/* SPDX-License-Identifier: MIT
 *
 * Slurm, as driver_slurm.c sees it: its commands (slurm_command.c), the queue (slurm_queue.c), the experiment's
 * sbatch_options (slurm_options.c) and the chain of jobs (slurm_chain.c).
 *
 * A search is a chain of links. Each link is one job array of as many tasks as there are workers; task N is worker N.
 * Whoever of a link begins first queues the next one, to start when this one has ended. All links have one job name, which
 * nothing else has: by it jobs are found, also when nobody wrote down their ids.
 */
#ifndef MB_DEPLOY_SLURM_H
#define MB_DEPLOY_SLURM_H

#include "deploy.h"
#include "profile.h"

/* ---- slurm_command.c ---- */

/* What a command of Slurm said. */
struct said {
	int status;             /* of waitpid; a program that is not there ends with 127 */
	int late;               /* it was killed, as it took longer than it may */
	struct mb_str out, err; /* NUL-terminated */
};

/* Runs a command with an environment in which nothing is left of a job that this process may be in. `holds`: a
 * descriptor that the command keeps open to its end, -1 for none: a lock of the open file description so outlives a
 * caller who is killed. 0 when it ended with 0; else -1, with err. said_release in any case. */
int slurm_run(struct said *said, char *const argv[], double most_s, int holds, struct mb_err *err);
int said_itself(const struct said *said); /* the program was run, and ended in its own time */
void said_release(struct said *said);

/* Asks whether the controller answers, which takes a moment where the other commands take seconds. 0, or -1 with err. */
int slurm_ping(struct mb_err *err);

/* ---- slurm_queue.c ---- */

/* One task of a job array. */
struct task {
	char *name, *job; /* of the array: job name, id */
	int64_t number;   /* index in the array, 0: none */
	char *state, *reason;
};

struct queue {
	struct task *tasks;
	size_t n, cap;
	double at_s; /* Unix seconds when Slurm was asked; 0: never */
	char *down;  /* why Slurm gave no answer, NULL: it gave one */
};

/* This user's jobs of mb-deploy. `fresh` 0: as of at most 30 s ago, from a file that all callers share, so that Slurm is
 * asked at most once in that time. Never fails: where there is no answer, `down` says why. */
void queue_read(struct queue *queue, int fresh);
void queue_release(struct queue *queue);

int task_is_pending(const struct task *task);
int task_is_on(const struct task *task); /* on a node, starting and ending included */
int task_is_ending(const struct task *task); /* a worker that has not begun in it never will */

/* ---- slurm_options.c ---- */

/* Complaints about sbatch_options: unknown keys, keys that mb-deploy sets by itself, values that are no single word. */
int sbatch_check(const struct mb_experiment *experiment, const struct profile *profile, struct mb_errs *errs);

/* The value of a key, NULL when it is not given. */
const char *sbatch_value(const struct mb_experiment *experiment, const char *key);

/* Adds "--key=value" of all, those of the profile included; the caller frees. */
struct words {
	char **at;
	size_t n, cap;
};
void sbatch_add(const struct mb_experiment *experiment, const struct profile *profile, struct words *words);

int sbatch_wants_gpu(const struct mb_experiment *experiment);

/* The longest that a job may take, 0 when it is not known. */
int64_t sbatch_limit_s(const struct mb_experiment *experiment, const struct profile *profile);

/* Turns what sbatch said into an error that names the key to change, where that can be told, and its line in `file`, the
 * one that the user edits. Returns -1. */
int sbatch_explain(const struct mb_experiment *experiment, const char *file, const char *words, struct mb_err *err);

/* ---- slurm_chain.c ---- */

char *chain_name(const struct deployment *deployment); /* the job name; the caller frees */

/* The command that submits a link, and the batch script it runs. `after`: the job it follows, or NULL. */
void chain_command(const struct deployment *deployment, const struct mb_experiment *experiment,
		   const struct profile *profile, int64_t link, int64_t claim, const char *after, struct words *words);
/* How long before its end a job is told. */
int64_t chain_lead_s(const struct mb_experiment *experiment, const struct profile *profile);

extern const char chain_script[];
void words_release(struct words *words);

/* Queues a link that follows none; *made: its workers. 0, or -1 with err. Under the verb's lock. */
int chain_begin(struct deployment *deployment, int64_t of, int64_t *made, struct mb_err *err);

/* Waits until no submission is under way. */
void chain_settle(struct deployment *deployment);

/* In a worker of link `number`: sees that the next one is queued, if there is to be one, or that none waits once the budget
 * is reached. What goes wrong is said and tried again by whoever calls next. */
void chain_go_on(struct deployment *deployment, int64_t number, enum moment moment);

#endif
