/* SPDX-License-Identifier: MIT
 *
 * The built-in job: the multilayer perceptron of the room nn, one trial a worker at a time. The data and the split
 * are opened once, before the workers are forked, which share them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builtin.h"

static const double save_every_s = 10;

static size_t workers(const struct train *train)
{
	int64_t cores = mb_cores(), jobs = train->jobs ? train->jobs : train->experiment->parallel_bandwidth;

	return (size_t)(jobs < cores ? jobs : cores);
}

/* fidelity.epochs of a suggestion; 0: none. */
static int64_t fidelity_of(const json_t *record)
{
	return json_integer_value(json_object_get(json_object_get(record, "fidelity"), "epochs"));
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

struct builtin {
	const struct mb_kernel *kernel;
	struct mb_dataset *set;
	struct mb_split *split;
	char *models;  /* folder */
	char *shown;   /* the same as it stands in records: relative to the log's folder where it lies below it */
};

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
					 .data = train->data, .cache = cache};
	struct mb_str note = {0};

	train->job_state = builtin;
	setenv("OPENBLAS_NUM_THREADS", "1", 1); /* a trial is one thread, whatever the library would like */
	setenv("OMP_NUM_THREADS", "1", 1);
	if (open_models(train, builtin, err) == 0 && choose_kernel(train, builtin, err) == 0)
		builtin->set = mb_dataset_open(&query, &note, err);
	if (note.n)
		mb_tool_say(&train->tool, "%s", note.at);
	if (builtin->set)
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

/* ---- a trial, in a worker ---- */

struct trial {
	json_t *about;   /* what a checkpoint says of it */
	char *path, *shown;
	double saved_s;  /* monotonic */
	int64_t memory_limit, memory; /* of the worker; memory: what was too much, 0: it was not */
	double look_at;  /* monotonic */
};

static const double look_every_s = 0.1;

static int should_stop(void *context)
{
	struct trial *trial = context;
	double now = trial->memory_limit ? mb_clock_monotonic_s() : 0;

	if (trial->memory_limit && now >= trial->look_at) {
		int64_t bytes = mb_memory_of(getpid(), trial->memory_limit);

		trial->look_at = now + look_every_s;
		if (bytes > trial->memory_limit)
			trial->memory = bytes;
	}
	return trial->memory || mb_signals_stopped();
}

static void describe(const json_t *record, struct trial *trial)
{
	static const char *const members[] = {"experiment", "trial", "rung", "fidelity", "assignments", "seed"};

	trial->about = json_object();
	for (size_t i = 0; i < MB_COUNT(members); i++)
		if (json_object_get(record, members[i]))
			mb_json_set(trial->about, members[i], json_incref(json_object_get(record, members[i])));
}

static void set_up(struct train *train, const json_t *record, const struct trial *trial,
		   struct mb_trainer_setup *setup)
{
	const struct builtin *builtin = train->job_state;
	const int64_t fidelity = fidelity_of(record), max = train->experiment->fidelity.max;

	setup->split = builtin->split;
	setup->kernel = builtin->kernel;
	setup->seed = (uint64_t)json_integer_value(json_object_get(record, "seed"));
	setup->epochs = fidelity ? fidelity : setup->hyper.epochs ? setup->hyper.epochs : train->experiment->task.epochs;
	setup->max_epochs = fidelity && max > fidelity ? max : setup->epochs;
	setup->curve = train->curve;
	setup->time_limit_s = train->experiment->trial_timeout_s;
	setup->about = trial->about;
	setup->digest = mb_trainer_digest(setup);
}

/* FOLDER/<trial>.ckpt, with fidelity <trial>-<rung>.ckpt; the caller frees. */
static char *checkpoint_path(const char *folder, const json_t *record, int64_t rung)
{
	const long long trial = (long long)json_integer_value(json_object_get(record, "trial"));

	return fidelity_of(record) ? mb_textf("%s/%lld-%lld.ckpt", folder, trial, (long long)rung)
				   : mb_textf("%s/%lld.ckpt", folder, trial);
}

static int save(struct mb_trainer *trainer, struct trial *trial, struct mb_err *err)
{
	trial->saved_s = mb_clock_monotonic_s();
	return mb_trainer_save(trainer, trial->path, err);
}

/* 1 when it goes on from that checkpoint. One that does not fit is no reason to fail: it is of another experiment's trial,
 * or damaged. */
static int resume_from(struct train *train, struct mb_trainer *trainer, const char *path)
{
	struct mb_err err;
	char text[2200];
	int began = mb_trainer_resume(trainer, path, &err);

	if (began == 0)
		mb_tool_detail(&train->tool, "%s: goes on after epoch %lld", path, (long long)trainer->epoch);
	else if (began < 0)
		mb_tool_say(&train->tool, "%s; the trial starts anew", mb_err_text(&err, text, sizeof text));
	return began == 0;
}

/* From the trial's own checkpoint, else from that of the highest lower rung, which stays as it is. Where there is none (it
 * lies on another machine), all epochs are trained, with the same result. */
static void resume(struct train *train, struct mb_trainer *trainer, const json_t *record, const struct trial *trial)
{
	const struct builtin *builtin = train->job_state;
	int64_t rung = json_integer_value(json_object_get(record, "rung"));
	int began = resume_from(train, trainer, trial->path);

	rung = rung < MB_MOST_RUNGS ? rung : MB_MOST_RUNGS;
	while (!began && fidelity_of(record) && rung-- > 0) {
		char *lower = checkpoint_path(builtin->models, record, rung);

		began = resume_from(train, trainer, lower);
		free(lower);
	}
}

static void put_result(struct train *train, struct mb_trainer *trainer, enum mb_train_end end, json_t *record,
		       const struct trial *trial)
{
	json_t *metrics = json_object();
	char error[160];

	if (end == MB_TRAIN_STOPPED && trial->memory) {
		memory_error(trial->memory, trial->memory_limit, error, sizeof error);
		result_set(record, MB_STATUS_FAILED, getpid(), error);
	} else if (end == MB_TRAIN_DONE) {
		mb_trainer_metrics(trainer, metrics);
		mb_json_set(record, "metrics", json_incref(metrics));
		mb_json_set(record, "model", json_string(trial->shown));
		result_set(record, MB_STATUS_COMPLETED, getpid(), NULL);
	} else if (end == MB_TRAIN_STOPPED) {
		result_set(record, MB_STATUS_INTERRUPTED, getpid(), NULL);
	} else {
		result_set(record, MB_STATUS_FAILED, getpid(), trainer->error);
	}
	json_decref(metrics);
	if (train->curve && json_array_size(trainer->curve))
		mb_json_set(record, "epoch_metrics", json_incref(trainer->curve));
	mb_json_set(record, "device", json_string("cpu"));
}

/* Trains to the end, with a checkpoint now and then, and at the end or the interruption. */
static int train_trial(struct train *train, struct mb_trainer *trainer, struct trial *trial, json_t *record,
		       struct mb_err *err)
{
	double start = mb_clock_now_s(), saving;
	enum mb_train_end end;

	trial->saved_s = mb_clock_monotonic_s();
	while ((end = mb_trainer_run(trainer, should_stop, trial)) == MB_TRAIN_EPOCH)
		if (mb_clock_monotonic_s() - trial->saved_s >= save_every_s && save(trainer, trial, err) < 0)
			return -1;
	saving = mb_clock_now_s();
	if (end != MB_TRAIN_FAILED && !trial->memory && save(trainer, trial, err) < 0)
		return -1;
	mb_record_add_span(record, "train", start, trainer->train_now_s);
	if (trainer->validate_now_s > 0)
		mb_record_add_span(record, "validate", saving - trainer->validate_now_s, trainer->validate_now_s);
	mb_record_add_span(record, "checkpoint", saving, mb_clock_now_s() - saving);
	put_result(train, trainer, end, record, trial);
	return 0;
}

static int run(struct train *train, struct mb_link *link, json_t *record, struct mb_err *err)
{
	const struct builtin *builtin = train->job_state;
	const int64_t rung = json_integer_value(json_object_get(record, "rung"));
	struct trial trial = {.path = checkpoint_path(builtin->models, record, rung),
			      .shown = checkpoint_path(builtin->shown, record, rung),
			      .memory_limit = train->experiment->memory_limit};
	struct mb_trainer_setup setup = {0};
	struct mb_trainer *trainer = NULL;
	double start = mb_clock_now_s();
	int bad;

	(void)link;
	describe(record, &trial);
	bad = mb_hyper_parse(json_object_get(record, "assignments"), NULL, &setup.hyper, err);
	if (!bad) {
		set_up(train, record, &trial, &setup);
		trainer = mb_trainer_new(&setup, err);
	}
	if (trainer) {
		resume(train, trainer, record, &trial);
		mb_record_add_span(record, "load", start, mb_clock_now_s() - start);
		bad = train_trial(train, trainer, &trial, record, err);
	} else if (!bad) { /* a network that memory does not hold fails alone */
		result_set(record, MB_STATUS_FAILED, getpid(), err->what);
	}
	mb_trainer_free(trainer);
	json_decref(trial.about);
	free(trial.path);
	free(trial.shown);
	return bad;
}

const struct job job_builtin = {
	.workers = workers,
	.start = builtin_check,
	.check = check,
	.open = open_job,
	.open_phase = "load",
	.run = run,
	.close = close_job,
};
