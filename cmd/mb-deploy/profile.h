/* SPDX-License-Identifier: MIT
 *
 * What is particular about a cluster, as data: the user's own $XDG_CONFIG_HOME/mb/clusters/NAME.yaml (else
 * ~/.config), which comes first, or share/clusters/NAME.yaml of the source tree, installed as
 * PREFIX/share/mb/clusters. Names match without regard to case. mb-cluster(5) tells of the keys; a mistake in the
 * file is reported as in an experiment file.
 *
 *     struct profile *profile = profile_of(tool, experiment);                 // printed what was wrong when NULL
 *     const struct partition *partition = profile_partition(profile, "dev_gpu_4");
 */
#ifndef MB_DEPLOY_PROFILE_H
#define MB_DEPLOY_PROFILE_H

#include "tool.h"

struct partition {
	char *name;
	int64_t limit_s;      /* longest job; 0: not known */
	int64_t most_nodes;   /* a job; 0: not known */
	int64_t gpus_a_node;  /* 0: none, or not known */
};

struct profile {
	char *name, *about; /* name: the file's, without .yaml */
	char *path;         /* the file it was read from; NULL: there is none, all is as if nothing were known */
	int is_fallback;    /* "generic", as no profile has the name that was asked for */
	struct partition *partitions;
	size_t n_partitions;
	char *default_partition;   /* NULL: the cluster's own */
	char *gres;                /* how a GPU is asked for: one %d, "gpu:%d"; NULL: not known. See profile_gres */
	char *account;             /* NULL: none */
	int account_required;
	char *module_init;         /* file to source where `module` is not known; NULL: the usual places */
	char *conda_init;          /* conda.sh or a folder with bin/conda; NULL: the usual places */
	char *workspace_command;   /* prefix of ws_allocate and the others, "ws_", or a path that ends so */
	int64_t workspace_days;    /* asked for; 30 unless the profile says */
	char *workspace_filesystem; /* -F; NULL: the default one */
	char *node_folder;         /* the node's own disk, for copies of data; NULL: $TMPDIR, else /tmp */
	char *lock;                /* "ofd" or "link"; NULL: whatever works */
	int64_t signal_lead_s;     /* of --signal: how long before the limit; 120 unless the profile says */
	int64_t most_jobs;         /* array tasks at once; 0: not known */
};

/* NULL after complaints (MB_EXIT_USAGE); profile_free takes NULL. `name` NULL: generic. */
struct profile *profile_read(const char *name, struct mb_errs *errs);
void profile_free(struct profile *profile);

/* That of the experiment's cluster; complaints are printed, and so is, with -v or `says`, that generic serves for
 * it. */
struct profile *profile_of(struct mb_tool *tool, const struct mb_experiment *experiment, int says);

const struct partition *profile_partition(const struct profile *profile, const char *name); /* or NULL */

/* How that many GPUs a node are asked for ("gpu:2"); NULL when the profile does not know. The caller frees. */
char *profile_gres(const struct profile *profile, int64_t gpus);

/* Locks of logs and journals made from now on by this process and its children are of the profile's kind, unless
 * $MB_LOCK says otherwise. */
void profile_set_lock(const struct profile *profile);

/* A duration as Slurm writes it: minutes, MINUTES:SECONDS, H:M:S, D-H, D-H:M, D-H:M:S. 0 or -1. */
int slurm_seconds(const char *text, int64_t *seconds);

#endif
