/* SPDX-License-Identifier: MIT
 *
 * What is particular about a cluster, as data: share/clusters/NAME.yaml, or the user's own under
 * $XDG_CONFIG_HOME/mb/clusters/NAME.yaml (else ~/.config), which comes first. Names match without regard to case.
 *
 *     struct profile *profile = profile_read(experiment->cluster, &errs);     // "generic" when there is none of that name
 *     const struct partition *partition = profile_partition(profile, "dev_gpu_4");
 */
#ifndef MB_DEPLOY_PROFILE_H
#define MB_DEPLOY_PROFILE_H

#include "data/data.h"

struct partition {
	char *name;
	int64_t limit_s;      /* longest job; 0: not known */
	int64_t most_nodes;   /* a job; 0: not known */
	int64_t gpus_a_node;  /* 0: none, or not known */
};

struct profile {
	char *name, *about, *path; /* path: the file it was read from */
	struct partition *partitions;
	size_t n_partitions;
	char *default_partition;   /* NULL: the cluster's own */
	char *gres;                /* how a GPU is asked for: "gpu:%d"; NULL: not known */
	char *account;             /* NULL: none */
	int account_required;
	char *module_init;         /* file to source where `module` is not known; NULL: the usual places */
	char *conda_init;          /* conda.sh or a folder with bin/conda; NULL: the usual places */
	char *workspace_command;   /* prefix of ws_allocate and the others, "ws_"; NULL: the cluster has no workspaces */
	int64_t workspace_days;    /* asked for */
	char *workspace_filesystem; /* -F; NULL: the default one */
	char *lock;                /* "ofd" or "link"; NULL: whatever works */
	int64_t signal_lead_s;     /* of --signal: how long before the limit; default 120 */
	int64_t most_jobs;         /* array tasks at once; 0: not known */
};

/* NULL after complaints; profile_free takes NULL. `name` NULL: generic. */
struct profile *profile_read(const char *name, struct mb_errs *errs);
void profile_free(struct profile *profile);

const struct partition *profile_partition(const struct profile *profile, const char *name); /* or NULL */

#endif
