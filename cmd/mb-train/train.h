/* SPDX-License-Identifier: MIT
 *
 * What the files of mb-train share: the options as given, and the kinds of job behind one small table.
 */
#ifndef MB_TRAIN_TRAIN_H
#define MB_TRAIN_TRAIN_H

#include "run/run.h"
#include "tool.h"

struct train {
	struct mb_tool tool;
	struct mb_experiment *experiment;
	char *log_path;         /* NULL: none (-l -) */
	char *log_folder;
	const struct job *job;
	void *job_state;        /* the job's own */

	/* Options. */
	int64_t jobs;           /* trials at once; 0: the job's default */
	const char *data, *models, *gpu, *precision;
	int curve;
};

typedef void job_ended(void *context, json_t *record);

/* A kind of job. All but `run` are called in mb-train itself, `run` in a worker forked after `open`. */
struct job {
	int keeps;              /* see struct mb_pool */
	size_t (*workers)(const struct train *train);

	/* At the start of the program: what of the experiment file or the options this job cannot do. NULL: nothing. */
	int (*start)(struct train *train, struct mb_errs *errs);

	/* 0, or what is wrong with a suggestion's assignments. NULL: anything goes. */
	int (*check)(struct train *train, const json_t *record, const char *where, struct mb_err *err);

	/* Before the first trial: data, folders. -1: no trial can be run. 1: a signal or the reader's end came before it was
	 * done, which the loop has yet to see. What it took is a span of the first trial. */
	const char *open_phase; /* NULL: not worth a span */
	int (*open)(struct train *train, struct mb_err *err);

	/* Turns a suggestion into its result. -1: this job cannot be run at all, which is no result. */
	int (*run)(struct train *train, struct mb_link *link, json_t *record, struct mb_err *err);

	/* Of a job whose workers can take several suggestions at once; else NULL. `most`: how many in all may be in
	 * training. `alike`: whether these two may go together. `run_all` calls `ended` with each as it becomes a result,
	 * the records stay the caller's; -1: those that did not end are as open as before. */
	size_t (*most)(const struct train *train);
	int (*alike)(const struct train *train, const json_t *one, const json_t *other);
	int (*run_all)(struct train *train, json_t *const *records, size_t n, job_ended *ended, void *context,
		       struct mb_err *err);
	void (*close)(struct train *train);
};

extern const struct job job_builtin, job_command, job_python;

/* ---- dispatch.c ---- */

/* Trains until the input has ended or a stop is asked for; returns the exit code. */
int dispatch(struct train *train);

/* ---- answer.c ---- */

/* The work of a worker, see mb_pool_work; context: struct train. A line is a suggestion or an array of them. The answer is
 * "R" and the result, for an array "R" and each as a part and "D" in the end; or "E" and why the job cannot be run at all,
 * which answer_error reads. */
int answer(void *context, struct mb_link *link, const char *line, size_t n, struct mb_str *text);
void answer_error(const json_t *json, struct mb_err *err);

/* ---- input.c ---- */

/* A suggestion that waits or is being trained. */
struct suggestion {
	json_t *json;
	int64_t trial, rung, attempt;
	int alone; /* it was in a group whose worker died */
};

struct input {
	struct mb_lines lines;
	struct mb_holder holder;
	int holds;               /* the run file was made, or tried to be */
	struct suggestion **queue; /* head … n-1 wait */
	size_t head, n, cap;
	size_t bad;              /* records that could not be used */
	int foreign;             /* one of them is of another experiment */
};

void input_open(struct input *input);

/* Handles every line that has come: suggestions are claimed and queued, finished records passed on. -1: stdout
 * failed. */
int input_take(struct train *train, struct input *input);

/* Writes whole lines to stdout as mb_tool_write does; while a reader takes its time, the run file shows that this process
 * lives. */
int input_pass_on(struct train *train, struct input *input, const char *text, size_t n);

/* The next suggestion, the caller's from now on; NULL when none waits. input_give_back puts it in front again. */
struct suggestion *input_next(struct input *input);
size_t input_waiting(const struct input *input);

/* The first that waits and may go together with `first`; NULL when there is none. */
struct suggestion *input_next_like(struct train *train, struct input *input, const struct suggestion *first);
void input_give_back(struct input *input, struct suggestion *suggestion);
void suggestion_free(struct suggestion *suggestion);
void input_close(struct input *input);

/* ---- result.c ---- */

/* Sets status, error (when failed), host, pid. `error` may be any bytes: it becomes one printable line. */
void result_set(json_t *record, enum mb_status status, pid_t pid, const char *error);

/* "memory limit of 1 GB exceeded (1.2 GB)" */
void memory_error(int64_t bytes, int64_t limit, char *error, size_t size);

/* Where the folder lies as seen from the log's: below it, or absolute. The caller frees. */
char *seen_from(const char *log_folder, const char *folder);

/* Reads the result of a user's job from the last line of its output that is not empty, and merges it into the record.
 * -1: there is none; why: what was found instead, record unchanged. */
int result_merge(json_t *record, const struct mb_experiment *experiment, const struct mb_str *output, char why[512]);

#endif
