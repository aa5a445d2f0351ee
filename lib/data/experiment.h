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
	int line;
};

/* The built-in job's task. */
struct mb_task {
	char *dataset;           /* "fashion-mnist", "mnist", "digits", or a folder, relative to the experiment's */
	double validation_split; /* share of the training images, in (0, 1) */
	uint64_t data_seed;
	int64_t epochs;
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
	char *name;
	int64_t observation_budget;
	int64_t parallel_bandwidth; /* default: usable cores */
	uint64_t seed;              /* default 0 */
	char *algorithm;            /* default "auto" */
	char *cluster;              /* where mb-deploy is to run it; NULL: not given */
	int algorithm_line;         /* 0: not in the file */
	double trial_timeout_s;     /* 0: none */
	int64_t memory_limit;       /* bytes of one trial; 0: none */
	double lease_s, grace_s;    /* 3600, 10 */
	struct mb_space space;
	struct mb_metric *metrics;
	size_t n_metrics;
	struct mb_task task;
	struct mb_model model;
	char *dataset_path;         /* data_options', as written; NULL: not given */
};

/* The whole file, or NULL with at least one error in errs. What the file asks for that this version cannot do is an
 * error too ("not built in"). mb_experiment_free takes NULL. */
struct mb_experiment *mb_experiment_read(const char *path, struct mb_errs *errs);
void mb_experiment_free(struct mb_experiment *experiment);

/* The metric that the search optimises (strategy optimize); never NULL for a checked experiment. */
const struct mb_metric *mb_experiment_objective(const struct mb_experiment *experiment);

#endif
