/* SPDX-License-Identifier: MIT
 *
 * The experiment file, checked whole: every mistake is reported with file, line, key path, value and what was expected.
 *
 *     struct mb_errs errs = {0};
 *     struct mb_experiment *experiment = mb_experiment_read("experiment.yaml", &errs);
 *     if (!experiment) … each of errs …
 */
#ifndef MB_DATA_EXPERIMENT_H
#define MB_DATA_EXPERIMENT_H

#include <stdint.h>

#include "data/space.h"

enum mb_strategy { MB_STRATEGY_OPTIMIZE, MB_STRATEGY_STORE, MB_STRATEGY_CONSTRAINT };

struct mb_metric {
	char *name;
	int maximize; /* the default, as in SigOpt */
	enum mb_strategy strategy;
	int has_threshold;
	double threshold; /* of a constraint: at least this when maximised, at most when minimised; of one of several
	                     objectives: what is no better than this is of no interest */
	double noise;     /* standard deviation of a value, 0: not declared */
	int line;
};

enum { MB_MOST_OBJECTIVES = 4, /* optimised metrics */
       MB_MOST_RUNGS = 32 };   /* of fidelity; tasks */

enum mb_task_kind { MB_TASK_BY_DATA, MB_TASK_CLASSIFICATION, MB_TASK_REGRESSION };

/* The built-in job's task. */
struct mb_task {
	char *dataset;           /* "fashion-mnist", "mnist", "digits", or a folder or table, relative to the experiment's */
	char *label;             /* of a table: the column to tell; NULL: the last */
	char *test;              /* of a table: another one, for the test part; NULL: a share of it is held back */
	enum mb_task_kind kind;
	double validation_split; /* share of the training images, in (0, 1) */
	uint64_t data_seed;
	int64_t epochs;
};

/* Multi-fidelity search: trainings of min, min × eta, … up to max units of `name` (epochs of the built-in job). */
struct mb_fidelity {
	char *name; /* NULL: every training is a full one */
	int64_t min, max, eta;
	int line;
};

/* SigOpt's tasks, which are fidelities by name: what one training costs, as a share of the full one's. */
struct mb_cost_task {
	char *name;
	double cost; /* in (0, 1]; one is 1 */
	int line;
};

/* Where mb-deploy takes the user's model from. */
struct mb_git {
	char *uri; /* NULL: nowhere */
	char *branch, *version; /* one at most; version: a tag or commit */
	int line, uri_line, branch_line, version_line;
};

struct mb_sbatch_option {
	char *key, *value;
	int line;
};

struct mb_sigopt {
	int given, dev_run;
	char *project, *experiment_name, *client_id, *api_url; /* NULL: not given */
	int line;
};

/* The user's own job; all NULL for the built-in one. */
struct mb_model {
	int given;      /* there is a `model:` section */
	int line;
	char **command; /* argv, NULL-terminated */
	char *shell;    /* or a text for /bin/sh -c */
	char *entry_point, *function_name, *test_function_name;
};

struct mb_experiment {
	char *path, *folder; /* of the file; folder is "." at least */
	char *code;          /* where the model's files are and its commands run: the same, unless mb-deploy says else */
	char *commit;        /* of `code`; NULL: not known */
	char *environment;   /* folder of the virtual or conda environment that mb-deploy made; NULL: none */
	char *name;
	int64_t observation_budget;
	int64_t parallel_bandwidth; /* default: usable cores */
	uint64_t seed;              /* default 0 */
	char *algorithm;            /* default "auto" */
	int algorithm_line;         /* 0: not in the file */
	double trial_timeout_s;     /* 0: none */
	int64_t memory_limit;       /* bytes of one trial; 0: none */
	double lease_s, grace_s;    /* 3600, 10 */
	struct mb_space space;
	struct mb_metric *metrics;
	size_t n_metrics;
	struct mb_fidelity fidelity;
	struct mb_cost_task *tasks; /* cheapest first */
	size_t n_tasks;
	struct mb_task task;
	struct mb_model model;

	/* mb-deploy's, as written: checked for type alone. */
	char *cluster;              /* where it is to run; NULL: not given */
	int cluster_line;
	int64_t number_chain_jobs;  /* 0: as many as needed */
	int use_local_workspace;    /* default 1; 0: a workspace of the cluster's tools */
	char *conda_env;            /* NULL: not given */
	int conda_env_line;
	char *dataset_path;         /* data_options'; NULL: not given */
	int dataset_line;
	int copy_data;              /* to the node's own disk first */
	struct mb_git git;
	char **modules;             /* cluster_modules, NULL-terminated; NULL: none */
	int *module_lines;          /* of each */
	struct mb_sbatch_option *sbatch;
	size_t n_sbatch;
	struct mb_sigopt sigopt;
};

/* The whole file, or NULL with at least one error in errs. What the file asks for that this version cannot do is an
 * error too ("not built in"). mb_experiment_free takes NULL. */
struct mb_experiment *mb_experiment_read(const char *path, struct mb_errs *errs);
void mb_experiment_free(struct mb_experiment *experiment);

/* The metric that the search optimises (strategy optimize), of several the first; never NULL for a checked experiment. */
const struct mb_metric *mb_experiment_objective(const struct mb_experiment *experiment);

/* How many metrics have that strategy. */
size_t mb_experiment_count(const struct mb_experiment *experiment, enum mb_strategy strategy);

#endif
