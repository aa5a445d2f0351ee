/* SPDX-License-Identifier: MIT
 *
 * From lines to keys: the part of the log that knows what events mean. For log.c alone.
 */
#ifndef MB_DATA_LOG_REPLAY_H
#define MB_DATA_LOG_REPLAY_H

#include "data/log.h"

/* Applies whole lines (n bytes, the last one a newline). A line that cannot be read is added to log->bad and skipped; one of
 * another experiment is an error. */
int mb_log_replay_lines(struct mb_log *log, const char *text, size_t n, struct mb_err *err);

/* The same for a record that was checked already, which makes a line of its own; the log keeps a reference to it. */
int mb_log_replay_record(struct mb_log *log, const struct mb_record *record, struct mb_err *err);

void mb_log_replay_release(struct mb_log *log);

#endif
