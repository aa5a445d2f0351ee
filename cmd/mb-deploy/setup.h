/* SPDX-License-Identifier: MIT
 *
 * What must be there before a worker can work: the model's code at one commit (git.c), the environment that it runs in
 * (environment.c), and the cluster's modules (modules.c). start and continue make what is missing, under the verb's lock;
 * a worker only enters. What is made is made beside its place and becomes valid by a rename, so that a crash leaves nothing
 * that is half there. The marker keeps the commit and the paths, the journal the spans.
 *
 *     if (setup_check(tool, experiment)) …                            before anything is made
 *     if (setup_prepare(deployment, experiment, options->update)) …   in start
 *     if (setup_enter(deployment)) …                                  in the worker
 */
#ifndef MB_DEPLOY_SETUP_H
#define MB_DEPLOY_SETUP_H

#include "command.h"
#include "deploy.h"
#include "profile.h"

struct setup {
	struct deployment *deployment;
	const struct mb_experiment *experiment;
	struct profile *profile; /* of the cluster */
	char *base;       /* folder where relative paths of the experiment file begin, absolute */
	char *code;       /* the model's files, absolute */
	char *log;        /* what the tools say */
	char **environment; /* with the modules in it, for the tools; NULL: this process's */
};

/* All that can be wrong in the file's sections of mb-deploy, each with its line; 0 or the exit code. Runs no program but
 * git check-ref-format. */
int setup_check(struct mb_tool *tool, const struct mb_experiment *experiment);

/* Makes what is missing; `newest` 1 looks for the branch's newest commit and the file's present environment. Under the
 * verb's lock, with the journal open. 0, or the exit code after what went wrong was printed. */
int setup_prepare(struct deployment *deployment, const struct mb_experiment *experiment, int newest);

/* In the worker, before its stages start: what they inherit. 0 or the exit code. */
int setup_enter(struct deployment *deployment);

/* "FILE:LINE" of the experiment file, into text; returns text. */
const char *setup_where(const struct mb_experiment *experiment, int line, char text[512]);

/* ---- git.c ---- */

void git_check(const struct mb_experiment *experiment, struct mb_errs *errs);

/* Pins the commit when none is pinned yet or `newest` is asked for, and sees that it is checked out: sets the deployment's
 * commit and code. */
int git_prepare(struct setup *setup, int newest, struct mb_err *err);

/* ---- environment.c ---- */

void environment_check(const struct mb_experiment *experiment, struct mb_errs *errs);

/* Finds or makes the environment: sets the deployment's, NULL when the model asks for none. */
int environment_prepare(struct setup *setup, struct mb_err *err);

/* ---- modules.c ---- */

void modules_check(const struct mb_experiment *experiment, struct mb_errs *errs);

/* Loads cluster_modules in a shell and takes over the environment that they leave: *loaded, NULL-terminated, freed by
 * modules_release; NULL when there is nothing to load. 1: this machine has no `module` command. `conda`: a conda
 * environment whose activation scripts are run as well, or NULL. */
int modules_load(const struct setup *setup, const char *conda, char ***loaded, struct mb_err *err);
void modules_enter(char *const *loaded); /* makes it this process's */
void modules_release(char **loaded);

#endif
