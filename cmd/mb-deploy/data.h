/* SPDX-License-Identifier: MIT
 *
 * data_options: where the data lie, on this machine or as user@host:path on another, from which rsync over ssh brings
 * them into the folder once (data.c); and, with copy_data, onto the node's own disk, once a node (data_copy.c).
 *
 *     if (data_check(experiment, &errs) < 0) …                  before anything is made
 *     if (data_fetch(deployment, experiment, &err) < 0) …       start and continue, under the verb's lock, journal open
 *     if (data_enter(deployment, experiment, &use, &err) == 0) … the worker, before its stages
 *         … mb-train -d use.dataset …
 *     data_leave(&use);
 */
#ifndef MB_DEPLOY_DATA_H
#define MB_DEPLOY_DATA_H

#include "deploy.h"

/* What a worker uses. Zero-initialise. */
struct data_use {
	char *dataset; /* absolute; NULL: the experiment names none */
	char *copy;    /* the node's copy that is held, with all that belongs to it; NULL: none */
	char *lock_path;
	int lock;      /* shared while it is used: whoever leaves last removes it. It is inherited by who reads them */
};

/* How dataset_path is written; complaints go into errs. */
int data_check(const struct mb_experiment *experiment, struct mb_errs *errs);

/* 1 for user@host:path, which is what scp takes for one. */
int data_is_remote(const char *path);

/* Whether the data can be read here; fetches them when they are another host's and not yet here. */
int data_fetch(struct deployment *deployment, const struct mb_experiment *experiment, struct mb_err *err);

/* Where they are, copied to the node when the experiment says so. */
int data_enter(const struct deployment *deployment, const struct mb_experiment *experiment, struct data_use *use,
	       struct mb_err *err);
void data_leave(struct data_use *use);

/* ---- data_copy.c ---- */

/* Takes part in the copy of `path` below `node`, made if need be: use->dataset and the lock. */
int data_copy(const char *path, const char *node, struct data_use *use, struct mb_err *err);

#endif
