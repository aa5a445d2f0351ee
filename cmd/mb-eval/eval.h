/* SPDX-License-Identifier: MIT
 *
 * What the files of mb-eval share.
 */
#ifndef MB_EVAL_EVAL_H
#define MB_EVAL_EVAL_H

#include "nn/nn.h"
#include "stat/stat.h"
#include "tool.h"

struct eval {
	struct mb_tool tool;
	struct mb_experiment *experiment;
	char *log_folder;             /* models are named relative to it */
	char *cache;
	struct mb_dataset *set;       /* of the latest model; NULL: none yet */
	struct custom *custom;        /* of custom.c; NULL: not needed yet */
	const char *split, *format, *data; /* options */
};

/* What one model scored on the split. */
struct scores {
	struct mb_evaluation raw;
	struct mb_classification all;   /* this and classes: zero in regression, where raw.classes is 0 */
	struct mb_class_score *classes;
	double start_s, seconds;      /* Unix seconds; loading not counted */
};

/* ---- score.c ---- */

/* Finds the record's model, opens the data that it was trained on, and applies it. -1: MB_EXIT_RECORD, this record
 * cannot be scored; anything else, none can (no data, no BLAS). *scores is zero before, and the caller's to release in
 * either case. */
void scores_release(struct scores *scores);
int score(struct eval *eval, const json_t *record, const char *where, struct scores *scores, struct mb_err *err);

/* ---- custom.c: models of one's own ---- */

/* 0, or what the experiment file lacks for them. */
int custom_check(const struct eval *eval, struct mb_err *err);

/* Adds metrics, `report` and a span to the record. -1: MB_EXIT_RECORD, this record cannot be scored; anything else,
 * none can. 1: the reader of stdout went away (tool.stdout_gone is set). */
int custom_score(struct eval *eval, json_t *record, const char *where, struct mb_err *err);

/* Appends the metrics of the split for people. */
void custom_text(const struct eval *eval, const json_t *record, struct mb_str *text);
void custom_close(struct eval *eval);

/* ---- report.c ---- */

/* Adds metrics, `report` and a span to the record. */
void report_json(const struct eval *eval, json_t *record, const struct scores *scores);

/* Appends the report for people. */
void report_text(const struct eval *eval, const json_t *record, const struct scores *scores, struct mb_str *text);

#endif
