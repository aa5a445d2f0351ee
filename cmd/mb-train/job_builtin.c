/* SPDX-License-Identifier: MIT
 *
 * The built-in job: the multilayer perceptron of the room nn. The data and the split are opened once, before the workers
 * are forked, which share them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builtin.h"

enum { TRIALS_A_CORE = 8 };

static size_t most(const struct train *train)
{
	const int64_t bandwidth = train->experiment->parallel_bandwidth, room = TRIALS_A_CORE * (int64_t)mb_cores();

	return (size_t)(train->jobs ? train->jobs : bandwidth < room ? bandwidth : room);
}

static size_t workers(const struct train *train)
{
	const size_t jobs = most(train), cores = (size_t)mb_cores();

	return jobs < cores ? jobs : cores;
}

/* Where memory is limited each trial has a process of its own to be measured. */
static int alike(const struct train *train, const json_t *one, const json_t *other)
{
	struct mb_hyper a, b;
	struct mb_err err;

	return !train->experiment->memory_limit &&
	       mb_hyper_parse(json_object_get(one, "assignments"), NULL, &a, &err) == 0 &&
	       mb_hyper_parse(json_object_get(other, "assignments"), NULL, &b, &err) == 0 && mb_hyper_alike(&a, &b);
}

static int check_fidelity(const struct train *train, const json_t *record, const char *where, struct mb_err *err)
{
	const json_t *fidelity = json_object_get(record, "fidelity"), *epochs = json_object_get(fidelity, "epochs");
	const int64_t max = train->experiment->fidelity.name ? train->experiment->fidelity.max : MB_EPOCHS_MAX;
	char shown[64];

	if (!fidelity || (json_object_size(fidelity) == 1 && json_is_integer(epochs) && json_integer_value(epochs) >= 1 &&
			  json_integer_value(epochs) <= max))
		return 0;
	mb_err_set(err, MB_EXIT_RECORD, where, "fidelity: %s is not {\"epochs\": an integer in [1, %lld]}",
		   mb_json_show(fidelity, shown), (long long)max);
	return mb_err_hint(err, "the built-in job knows no other fidelity than epochs");
}

static int check(struct train *train, const json_t *record, const char *where, struct mb_err *err)
{
	struct mb_hyper hyper;

	if (check_fidelity(train, record, where, err) < 0)
		return -1;
	return mb_hyper_parse(json_object_get(record, "assignments"), where, &hyper, err);
}

/* ---- what all trials share ---- */

static int open_models(struct train *train, struct builtin *builtin, struct mb_err *err)
{
	builtin->models = train->models ? mb_strdup(train->models) : mb_path_join(train->log_folder, "models");
	if (mb_mkdirs(builtin->models, err) < 0)
		return -1;
	if (access(builtin->models, W_OK | X_OK) < 0)
		return mb_err_errno(err, builtin->models, "models");
	builtin->shown = seen_from(train->log_folder, builtin->models);
	return 0;
}

/* $MB_KERNEL: for measurements and tests. */
static int choose_kernel(struct train *train, struct builtin *builtin, struct mb_err *err)
{
	const char *name = getenv("MB_KERNEL");

	builtin->kernel = name && *name ? mb_kernel_find(name) : mb_kernel_best();
	if (builtin->kernel) {
		mb_tool_detail(&train->tool, "kernel %s", builtin->kernel->name);
		return 0;
	}
	mb_err_set(err, MB_EXIT_USAGE, NULL, "MB_KERNEL: no kernel \"%.100s\" on this machine", name);
	return mb_err_hint(err, "avx512, avx2, plain and blas are known; unset, the fastest is taken");
}

static int open_job(struct train *train, struct mb_err *err)
{
	const struct mb_experiment *experiment = train->experiment;
	struct builtin *builtin = mb_alloc(sizeof *builtin);
	char *cache = mb_tool_cache();
	struct mb_dataset_query query = {.name = experiment->task.dataset, .experiment_folder = experiment->folder,
					 .data = train->data, .cache = cache, .label = experiment->task.label,
					 .test = experiment->task.test, .kind = experiment->task.kind,
					 .data_seed = experiment->task.data_seed};
	struct mb_str note = {0};

	train->job_state = builtin;
	setenv("OPENBLAS_NUM_THREADS", "1", 1); /* a trial is one thread, whatever the library would like */
	setenv("OMP_NUM_THREADS", "1", 1);
	if (open_models(train, builtin, err) == 0 && choose_kernel(train, builtin, err) == 0)
		builtin->set = mb_dataset_open(&query, &note, err);
	if (note.n)
		mb_tool_say(&train->tool, "%s", note.at);
	if (builtin->set && builtin_check_data(train, builtin, err) == 0)
		builtin->split = mb_split_new(builtin->set, experiment->task.validation_split,
					      experiment->task.data_seed, err);
	mb_str_release(&note);
	free(cache);
	return builtin->split ? 0 : -1;
}

static void close_job(struct train *train)
{
	struct builtin *builtin = train->job_state;

	mb_split_free(builtin->split);
	mb_dataset_close(builtin->set);
	free(builtin->models);
	free(builtin->shown);
	free(builtin);
}

const struct job job_builtin = {
	.workers = workers,
	.start = builtin_check,
	.check = check,
	.open = open_job,
	.open_phase = "load",
	.run = builtin_run,
	.most = most,
	.alike = alike,
	.run_all = builtin_run_all,
	.close = close_job,
};
