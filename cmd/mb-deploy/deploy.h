/* SPDX-License-Identifier: MIT
 *
 * mb-deploy's parts. A deployment is a folder: the experiment file's copy, the log, the models, the workers' output,
 * a marker (deploy.json) and a journal (deploy.ndjson). Nothing is kept anywhere else, but for a link to the folder
 * under the user's state, by which the verbs find it (folder.c). Each verb is a file; where workers run is a driver's
 * business.
 */
#ifndef MB_DEPLOY_DEPLOY_H
#define MB_DEPLOY_DEPLOY_H

#include "journal.h"
#include "tool.h"
#include "workspace.h"

struct deployment {
	struct mb_tool *tool;
	char *folder; /* absolute */
	char *name;   /* the folder's own name, a slug of the experiment's */

	/* The marker. */
	char *experiment; /* the experiment's name */
	char *source;     /* the file it was started from, absolute */
	char *uuid, *digest;
	int64_t workers, keep;
	const struct mb_driver *driver;
	char *commit, *code, *environment; /* of setup.h; code is relative to the folder; NULL: none */
	char *commit_of;                   /* digest of the git_options that the commit was found by */
	int is_set_up;                     /* all of that was made */
	struct workspace workspace; /* that the folder lies in */

	struct queue *queue; /* what the batch system said (slurm.h), NULL: it was not asked */
	struct mb_lock lock; /* of those who change something: one verb at a time */
	int locked;
	struct journal journal;
};

/* What the command line says. */
struct deploy_options {
	const char *on;   /* NULL: what the experiment file says */
	const char *target; /* of render; NULL: not given */
	const char *name; /* the operand: a FILE, a NAME, a folder; NULL: none */
	int64_t workers;  /* 0: as the driver likes */
	int64_t lines;    /* of logs; 0: not given */
	int update, follow, json, extend, nodes;
};

struct deploy_verb {
	const char *name, *old_name; /* old_name: what cluster-hyperopt called it, or NULL */
	int (*run)(struct mb_tool *tool, const struct deploy_options *options);
};

/* start.c, worker.c …: one verb each; the exit code. */
int verb_start(struct mb_tool *tool, const struct deploy_options *options);
int verb_continue(struct mb_tool *tool, const struct deploy_options *options);
int verb_status(struct mb_tool *tool, const struct deploy_options *options);
int verb_list(struct mb_tool *tool, const struct deploy_options *options);
int verb_logs(struct mb_tool *tool, const struct deploy_options *options);
int verb_kill(struct mb_tool *tool, const struct deploy_options *options);
int verb_delete(struct mb_tool *tool, const struct deploy_options *options);
int verb_doctor(struct mb_tool *tool, const struct deploy_options *options);
int verb_plan(struct mb_tool *tool, const struct deploy_options *options);
int verb_render(struct mb_tool *tool, const struct deploy_options *options);
int verb_worker(struct mb_tool *tool, const struct deploy_options *options);

/* What became of a worker. */
enum life {
	LIFE_NONE,     /* to be launched, but nothing came of it */
	LIFE_WAITING,  /* for the batch system to start it again */
	LIFE_STARTING, /* launched, has not begun yet */
	LIFE_RUNNING,
	LIFE_STOPPING, /* heard a signal */
	LIFE_ENDED,
	LIFE_LOST /* killed, or its machine went down */
};

enum moment { MOMENT_BEGIN, MOMENT_MEANWHILE, MOMENT_END }; /* of a worker's life */

const char *life_name(enum life life);
int life_is_on(enum life life); /* there is a process */

/* Where workers run. One a file; a new one adds itself to `drivers` (driver.c). */
struct mb_driver {
	const char *name, *about;

	/* How many workers; `wanted` 0: as many as suit. 0 with err when it cannot be that many. */
	int64_t (*workers)(const struct mb_experiment *experiment, int64_t wanted, struct mb_err *err);

	/* Complaints about what the file asks of this place: 0, or -1 with at least one, or when it was printed. NULL:
	 * there are none. */
	int (*check)(struct mb_tool *tool, const struct mb_experiment *experiment, struct mb_errs *errs);

	/* Adds what would be submitted for that many workers. NULL: their pipes are started. */
	void (*plan)(struct mb_tool *tool, const struct mb_experiment *experiment, int64_t workers, struct mb_str *out);

	/* Starts workers that are not on; they run `mb-deploy worker FOLDER`, detached. `of`: the intent. *made: how
	 * many. Under the verb's lock. */
	int (*launch)(struct deployment *deployment, int64_t of, int64_t *made, struct mb_err *err);
	int together; /* workers are launched together: none is missing while any is on */

	/* Asks the batch system what `look` wants to know; `fresh`: now, else what it said lately serves. NULL: there is
	 * none. */
	void (*learn)(struct deployment *deployment, int fresh);

	void (*forget)(struct deployment *deployment); /* releases that */

	/* What became of a worker, from files, the process table and what was learnt. */
	enum life (*look)(const struct deployment *deployment, const struct slot *slot);

	/* How many workers wait for their turn; NULL: none ever does. */
	size_t (*waiting)(const struct deployment *deployment);

	/* For status: lines for people into `words`, or members of `object`. NULL: there is nothing to tell. */
	void (*tell)(const struct deployment *deployment, struct mb_str *words, json_t *object);

	/* Ends all workers and whatever they started: asks first, and kills what is left `grace_s` later. 0 when
	 * nothing is left; *killed: how many had to be killed. */
	int (*stop)(struct deployment *deployment, double grace_s, int *killed, struct mb_err *err);

	/* In a worker that the batch system started (NULL: there is none), under the journal's lock: makes its launch.
	 * 1: it was started by hand; 2: it is wanted no more; -1 with err. */
	int (*arrive)(struct deployment *deployment, int64_t *number, int64_t *launch, struct mb_err *err);

	/* In such a worker: sees to the workers that come after it. */
	void (*go_on)(struct deployment *deployment, int64_t number, enum moment moment);

	/* When it will be ended, in Unix seconds less what it takes to stop in time; 0: never. */
	double (*deadline)(const struct deployment *deployment);
};

extern const struct mb_driver driver_local, driver_slurm;
extern const struct mb_driver *const mb_drivers[];

/* The driver by its name, NULL when there is none of that name. */
const struct mb_driver *driver_find(const char *name);

/* By --on, else by the experiment's `cluster`. */
const struct mb_driver *driver_choose(const struct mb_experiment *experiment, const char *on);

/* Prints what the driver finds wrong with the file; -1 when there was anything. */
int driver_check(struct mb_tool *tool, const struct mb_driver *driver, const struct mb_experiment *experiment);

/* The program of that name beside this one, else the bare name, for PATH. The caller frees. */
char *driver_program(const char *name);

/* ---- folder.c ---- */

char *folder_slug(const char *experiment_name); /* the caller frees */
char *folder_state_path(void);                  /* $XDG_STATE_HOME/mb; NULL: nowhere; the caller frees */
char *folder_state(struct mb_err *err);         /* the same, made if need be */

/* Finds the deployment that `name` means: a link under the state, else a path. MB_EXIT_NO when there is none, MB_EXIT_USAGE
 * when it runs elsewhere than `on` (NULL: anywhere). */
int folder_find(struct deployment *deployment, struct mb_tool *tool, const char *name, const char *on,
		struct mb_err *err);

/* Reads the marker of deployment->folder: 1 when there is none (not a deployment), -1 with err. */
int folder_read_marker(struct deployment *deployment, struct mb_err *err);

/* Makes the folder, the marker and the copy where they are missing; each step can be repeated. `text`: the file's. */
int folder_make(struct deployment *deployment, const struct mb_str *text, struct mb_err *err);
int folder_write_copy(struct deployment *deployment, const struct mb_str *text, struct mb_err *err);
int folder_write_marker(struct deployment *deployment, struct mb_err *err); /* replaces it */

/* Points the state's link to the folder, or only looks whether it could (`make` 0). MB_EXIT_USAGE when another
 * experiment has that name. */
int folder_link(struct deployment *deployment, int make, struct mb_err *err);

/* Removes all that is in the folder, marker last, the folder and the link; follows no symbolic link. */
int folder_remove(struct deployment *deployment, struct mb_err *err);
int folder_unlink(const char *name, struct mb_err *err); /* the link alone */
int folder_remove_tree(const char *path, struct mb_err *err); /* a folder and all in it, likewise */

/* One verb at a time on this folder; the marker is read again. It waits, minutes where the other makes an environment, and
 * says so; all (NULL: none): the lock of all, which is given back, for others are not to wait for that. */
int folder_lock(struct deployment *deployment, struct mb_lock *all, struct mb_err *err);
int folder_lock_now(struct deployment *deployment, struct mb_err *err); /* does not wait: MB_EXIT_NO */

/* Takes a lock; says once, after a second, that `what` is waited for. A signal (mb_signals_open) ends it. */
int folder_wait(const struct deployment *deployment, struct mb_lock *lock, const char *what, struct mb_err *err);

/* All that make or remove a folder hold this one of the user's as well. */
int folder_lock_all(struct mb_lock *lock, struct mb_err *err);

/* A path as JSON can hold it: where it is not UTF-8, each byte as the character of that number. The caller frees. */
char *folder_text(const char *bytes);
char *folder_file(const struct deployment *deployment, const char *name); /* the caller frees */
char *folder_base(const struct deployment *deployment); /* where the file's relative paths begin; the caller frees */
char *folder_log_of(const struct deployment *deployment, int64_t worker); /* logs/worker-N.log */
char *folder_digest(const struct mb_str *text);
void folder_release(struct deployment *deployment);

/* Names of the links under the state, sorted. */
struct names {
	char **at;
	size_t n, cap;
};
int folder_names(struct names *names, struct mb_err *err);
void folder_names_release(struct names *names);

/* ---- standing.c: where the search stands ---- */

struct standing {
	struct mb_experiment *experiment; /* of the copy; NULL when it cannot be read */
	int64_t budget;
	struct mb_ladder ladder;
	struct mb_spending spending; /* of the budget */
	int64_t completed, failed, open, interrupted;
	const char *metric;
	double best;
	int64_t best_trial; /* 0: none, or several objectives */
	size_t ranked, feasible, front; /* completed trials with values; those that keep the constraints; of several
					   objectives those that no other dominates, else 0 */
	double hypervolume;
};

/* -1 with err when the copy or the log cannot be read. */
int standing_read(struct standing *standing, const struct deployment *deployment, struct mb_err *err);
int standing_is_over(const struct standing *standing); /* the budget is reached */
void standing_text(const struct standing *standing, struct mb_str *text); /* "5 of 24 observations" */
void standing_release(struct standing *standing);

/* ---- kill.c ---- */

/* Under the verb's lock, journal open: ends everything and journals it. 0 or the exit code. */
int kill_all(struct deployment *deployment, int *killed);

/* How many workers are on, or wait to be, by what was learnt. */
size_t count_on(const struct deployment *deployment);
void learn(struct deployment *deployment, int fresh); /* see struct mb_driver */

/* plan.c: adds a word of the shell, as it is or in single quotes. */
void plan_add_word(struct mb_str *text, const char *word);

/* For tests of crashes: the process kills itself at the N-th call when MB_DEPLOY_DIE_AT is N. */
void deploy_step(void);

#endif
