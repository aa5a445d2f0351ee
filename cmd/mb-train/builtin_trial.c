/* SPDX-License-Identifier: MIT
 *
 * Trials of the built-in job in a worker: one, or several side by side, each with its checkpoints and its result.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builtin.h"

static const double save_every_s = 10, look_every_s = 0.1;

int64_t builtin_fidelity(const json_t *record)
{
	return json_integer_value(json_object_get(json_object_get(record, "fidelity"), "epochs"));
}

struct trial {
	json_t *record;  /* the suggestion, and its result in the end; the caller's */
	json_t *about;   /* what a checkpoint says of it */
	char *path, *shown; /* of the checkpoint */
	struct mb_trainer *trainer; /* NULL: could not be made; ended */
	double begun_s;  /* Unix seconds: when training began */
	double saved_s;  /* monotonic */
};

/* Of a worker that trains one trial alone. */
struct memory {
	int64_t limit, found; /* limit 0: none; found: what was too much, 0: it was not */
	double look_at;       /* monotonic */
};

static int should_stop(void *context)
{
	struct memory *memory = context;
	double now = memory->limit ? mb_clock_monotonic_s() : 0;

	if (memory->limit && now >= memory->look_at) {
		int64_t bytes = mb_memory_of(getpid(), memory->limit);

		memory->look_at = now + look_every_s;
		if (bytes > memory->limit)
			memory->found = bytes;
	}
	return memory->found || mb_signals_stopped();
}

static void describe(struct trial *trial)
{
	static const char *const members[] = {"experiment", "trial", "rung", "fidelity", "assignments", "seed"};

	trial->about = json_object();
	for (size_t i = 0; i < MB_COUNT(members); i++)
		if (json_object_get(trial->record, members[i]))
			mb_json_set(trial->about, members[i],
				    json_incref(json_object_get(trial->record, members[i])));
}

static void set_up(struct train *train, const struct trial *trial, struct mb_trainer_setup *setup)
{
	const struct builtin *builtin = train->job_state;
	const json_t *record = trial->record;
	const int64_t fidelity = builtin_fidelity(record), max = train->experiment->fidelity.max;

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

	return builtin_fidelity(record) ? mb_textf("%s/%lld-%lld.ckpt", folder, trial, (long long)rung)
				   : mb_textf("%s/%lld.ckpt", folder, trial);
}

/* 1 when it goes on from that checkpoint. One that does not fit is no reason to fail: it is of another experiment's trial,
 * or damaged. */
static int resume_from(struct train *train, struct trial *trial, const char *path)
{
	struct mb_err err;
	char text[2200];
	int began = mb_trainer_resume(trial->trainer, path, &err);

	if (began == 0)
		mb_tool_detail(&train->tool, "%s: goes on after epoch %lld", path, (long long)trial->trainer->epoch);
	else if (began < 0)
		mb_tool_say(&train->tool, "%s; the trial starts anew", mb_err_text(&err, text, sizeof text));
	return began == 0;
}

/* From the trial's own checkpoint, else from that of the highest lower rung, which stays as it is. Where there is none (it
 * lies on another machine), all epochs are trained, with the same result. */
static void resume(struct train *train, struct trial *trial)
{
	const struct builtin *builtin = train->job_state;
	int64_t rung = json_integer_value(json_object_get(trial->record, "rung"));
	int began = resume_from(train, trial, trial->path);

	rung = rung < MB_MOST_RUNGS ? rung : MB_MOST_RUNGS;
	while (!began && builtin_fidelity(trial->record) && rung-- > 0) {
		char *lower = checkpoint_path(builtin->models, trial->record, rung);

		began = resume_from(train, trial, lower);
		free(lower);
	}
}

static int save(struct trial *trial, struct mb_err *err)
{
	trial->saved_s = mb_clock_monotonic_s();
	return mb_trainer_save(trial->trainer, trial->path, err);
}

/* The experiment's own parameters were checked as the data were opened: this is for records made by other hands. */
static int check_fit(const struct builtin *builtin, const json_t *record, struct mb_err *err)
{
	const char *name;
	json_t *value;

	json_object_foreach(json_object_get(record, "assignments"), name, value)
		if (builtin_unfit(builtin, name))
			return mb_err_set(err, MB_EXIT_RECORD, NULL, "assignments.%s: %s", name,
					  builtin_unfit(builtin, name));
	return 0;
}

/* -1: no trial can be run. A network that memory does not hold fails alone: its result is set, it has no trainer. */
static int begin(struct train *train, struct trial *trial, json_t *record, struct mb_err *err)
{
	const struct builtin *builtin = train->job_state;
	const int64_t rung = json_integer_value(json_object_get(record, "rung"));
	const double start_s = mb_clock_now_s();
	struct mb_trainer_setup setup = {0};

	*trial = (struct trial){.record = record,
				.path = checkpoint_path(builtin->models, record, rung),
				.shown = checkpoint_path(builtin->shown, record, rung)};
	describe(trial);
	if (mb_hyper_parse(json_object_get(record, "assignments"), NULL, &setup.hyper, err) < 0)
		return -1;
	set_up(train, trial, &setup);
	if (check_fit(builtin, record, err) == 0)
		trial->trainer = mb_trainer_new(&setup, err);
	if (!trial->trainer) {
		result_set(record, MB_STATUS_FAILED, getpid(), err->what);
		return 0;
	}
	resume(train, trial);
	trial->begun_s = mb_clock_now_s();
	trial->saved_s = mb_clock_monotonic_s();
	mb_record_add_span(record, "load", start_s, trial->begun_s - start_s);
	return 0;
}

static void release(struct trial *trial)
{
	mb_trainer_free(trial->trainer);
	json_decref(trial->about);
	free(trial->path);
	free(trial->shown);
}

static void set_result(struct train *train, struct trial *trial, enum mb_train_end end, const struct memory *memory)
{
	struct mb_trainer *trainer = trial->trainer;
	json_t *record = trial->record, *metrics = json_object();
	char error[160];

	if (end == MB_TRAIN_STOPPED && memory->found) {
		memory_error(memory->found, memory->limit, error, sizeof error);
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

/* The last checkpoint and the result. */
static int finish(struct train *train, struct trial *trial, enum mb_train_end end, const struct memory *memory,
		  struct mb_err *err)
{
	const struct mb_trainer *trainer = trial->trainer;
	const double saving_s = mb_clock_now_s();

	if (end != MB_TRAIN_FAILED && !memory->found && save(trial, err) < 0)
		return -1;
	mb_record_add_span(trial->record, "train", trial->begun_s, trainer->train_now_s);
	if (trainer->validate_now_s > 0)
		mb_record_add_span(trial->record, "validate", saving_s - trainer->validate_now_s,
				   trainer->validate_now_s);
	mb_record_add_span(trial->record, "checkpoint", saving_s, mb_clock_now_s() - saving_s);
	set_result(train, trial, end, memory);
	return 0;
}

/* ---- several side by side ---- */

/* Those in training that are fewest epochs on, as far as they can go together; at: their places. */
static size_t choose(const struct trial *trials, size_t n, size_t *at)
{
	const struct mb_trainer *first = NULL;
	size_t some = 0;

	for (size_t i = 0; i < n; i++)
		if (trials[i].trainer && (!first || trials[i].trainer->epoch < first->epoch))
			first = trials[i].trainer;
	for (size_t i = 0; i < n && some < MB_TRAINERS_MOST; i++)
		if (trials[i].trainer && mb_trainers_alike(first, trials[i].trainer))
			at[some++] = i;
	return some;
}

/* One that has ended leaves; of one that goes on a checkpoint is kept now and then. */
static int after_epoch(struct train *train, struct trial *trial, enum mb_train_end end, const struct memory *memory,
		       job_ended *ended, void *context, struct mb_err *err)
{
	if (end == MB_TRAIN_EPOCH && !mb_signals_stopped())
		return mb_clock_monotonic_s() - trial->saved_s >= save_every_s ? save(trial, err) : 0;
	if (finish(train, trial, end == MB_TRAIN_EPOCH ? MB_TRAIN_STOPPED : end, memory, err) < 0)
		return -1;
	mb_trainer_free(trial->trainer);
	trial->trainer = NULL;
	ended(context, trial->record);
	return 0;
}

static int train_all(struct train *train, struct trial *trials, size_t n, struct memory *memory, job_ended *ended,
		     void *context, struct mb_err *err)
{
	struct mb_trainer *trainers[MB_TRAINERS_MOST];
	enum mb_train_end ends[MB_TRAINERS_MOST];
	size_t at[MB_TRAINERS_MOST], some;

	while ((some = choose(trials, n, at))) {
		for (size_t i = 0; i < some; i++)
			trainers[i] = trials[at[i]].trainer;
		mb_trainers_run(trainers, some, should_stop, memory, ends);
		for (size_t i = 0; i < some; i++)
			if (after_epoch(train, &trials[at[i]], ends[i], memory, ended, context, err) < 0)
				return -1;
	}
	return 0;
}

int builtin_run_all(struct train *train, json_t *const *records, size_t n, job_ended *ended, void *context,
		    struct mb_err *err)
{
	struct trial *trials = mb_alloc(n * sizeof *trials);
	struct memory memory = {.limit = n == 1 ? train->experiment->memory_limit : 0};
	size_t begun = 0;
	int bad = 0;

	while (begun < n && !bad) {
		bad = begin(train, &trials[begun], records[begun], err);
		if (!bad && !trials[begun].trainer)
			ended(context, records[begun]);
		begun++;
	}
	if (!bad)
		bad = train_all(train, trials, n, &memory, ended, context, err);
	for (size_t i = 0; i < begun; i++)
		release(&trials[i]);
	free(trials);
	return bad;
}

static void nothing(void *context, json_t *record)
{
	(void)context;
	(void)record;
}

int builtin_run(struct train *train, struct mb_link *link, json_t *record, struct mb_err *err)
{
	(void)link;
	return builtin_run_all(train, &record, 1, nothing, NULL, err);
}
