/* SPDX-License-Identifier: MIT
 *
 * Who holds a trial: the run files in `<log>.run/`. A running mb-suggest loop and mb-train keep one each: its identity,
 * a line `trial rung attempt` for each suggestion read, `done trial rung attempt` for each result written, `ended` last.
 * See mb-trial(5).
 *
 *     mb_holder_open(&holder, log_path, &err);
 *     mb_holder_claim(&holder, trial, rung, attempt);
 *     mb_holder_done(&holder, trial, rung, attempt);
 *     mb_holder_close(&holder);
 *
 * The other side, who reads these files, is in data/holders.h.
 */
#ifndef MB_DATA_HOLDER_H
#define MB_DATA_HOLDER_H

#include <stdint.h>

#include "data/json.h"

#define MB_HOLDER_TOUCH_S 15 /* a living holder touches its file this often */
#define MB_HOLDER_GONE_S 90  /* from elsewhere, one untouched for this long is gone */

struct mb_holder {
	char *path; /* NULL: no file could be made, all calls do nothing */
	int fd;
	int64_t undone;   /* claimed, not done */
	double touched_s; /* monotonic */
};

/* -1 when the file cannot be made (err says why); the holder is then usable and does nothing. */
int mb_holder_open(struct mb_holder *holder, const char *log_path, struct mb_err *err);
void mb_holder_claim(struct mb_holder *holder, int64_t trial, int64_t rung, int64_t attempt);
void mb_holder_done(struct mb_holder *holder, int64_t trial, int64_t rung, int64_t attempt);
void mb_holder_touch(struct mb_holder *holder); /* call often; touches the file every MB_HOLDER_TOUCH_S */

/* Removes the file when nothing is undone, else writes `ended`. */
void mb_holder_close(struct mb_holder *holder);

/* Where the process `ident` keeps its file; the caller frees. */
char *mb_holder_path(const char *log_path, const struct mb_ident *ident);

/* The identity as the `owner` member of a record, and back (0 or -1). */
json_t *mb_ident_to_json(const struct mb_ident *ident);
int mb_ident_from_json(const json_t *json, struct mb_ident *ident);

#endif
