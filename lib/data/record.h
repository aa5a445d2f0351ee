/* SPDX-License-Identifier: MIT
 *
 * The record: one JSON object a line, enriched as it flows (see mb-trial(5)). Members that are not known here pass
 * through unchanged.
 *
 *     struct mb_record record;
 *     if (mb_record_parse(&record, line.text, line.n, "stdin:17", &err) == 0) {
 *         mb_record_add_span(record.json, "train", start, seconds);
 *         mb_json_print(record.json, &out);
 *         mb_record_release(&record);
 *     }
 */
#ifndef MB_DATA_RECORD_H
#define MB_DATA_RECORD_H

#include <stdint.h>

#include "data/json.h"

enum mb_status { MB_STATUS_OPEN, MB_STATUS_COMPLETED, MB_STATUS_FAILED, MB_STATUS_INTERRUPTED };

const char *mb_status_name(enum mb_status status);
int mb_status_from_name(const char *name, enum mb_status *status); /* 0 or -1 */

struct mb_record {
	json_t *json;      /* the whole object, owned */
	int64_t trial;     /* 0: none given */
	int64_t rung;      /* 0 where there is no fidelity */
	int64_t attempt;   /* 1 unless given */
	enum mb_status status; /* open unless given */
	int64_t line;          /* for the caller: where it stood in its input */
};

/* Parses and checks the members that the tools know: types, ranges, finite metrics. -1: MB_EXIT_RECORD, with the member's
 * path and value. Even then record->trial is set when it was readable (else 0). On success the caller releases. */
int mb_record_parse(struct mb_record *record, const char *text, size_t n, const char *where, struct mb_err *err);
void mb_record_release(struct mb_record *record);

/* The same checks on an object already parsed; takes no reference. */
int mb_record_check(struct mb_record *record, json_t *json, const char *where, struct mb_err *err);

void mb_record_set_status(json_t *json, enum mb_status status);

/* Appends {"phase", "start", "seconds"} to `spans`, rounded to microseconds. start: Unix seconds. */
void mb_record_add_span(json_t *json, const char *phase, double start_s, double seconds);

/* End of the latest span, Unix seconds; 0 when there is none. `phase` NULL: any. */
double mb_record_last_span(const json_t *json, const char *phase, double *start_s);

/* metrics[name] of a record, NaN when absent. */
double mb_record_metric(const json_t *json, const char *name);

#endif
