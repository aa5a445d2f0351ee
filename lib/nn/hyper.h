/* SPDX-License-Identifier: MIT
 *
 * The hyperparameters of the built-in network, read from a record's `assignments`. One table holds their names,
 * kinds, ranges and defaults: it drives the reading, the messages and what mb-train prints about them.
 *
 *     struct mb_hyper hyper;
 *     if (mb_hyper_parse(json_object_get(record.json, "assignments"), "stdin:17", &hyper, &err) < 0) …
 *     // stdin:17: assignments.learning_rate: 0 is not in (0, 10]
 */
#ifndef MB_NN_HYPER_H
#define MB_NN_HYPER_H

#include <stdint.h>

#include "data/data.h"
#include "nn/activation.h"
#include "nn/init.h"
#include "nn/optimizer.h"
#include "nn/schedule.h"

#define MB_HIDDEN_MAX 64        /* hidden layers */
#define MB_HIDDEN_WIDTH 65536   /* units of one */
#define MB_EPOCHS_MAX 1000000

enum mb_input_scaling { MB_INPUT_UNIT, MB_INPUT_STANDARD };

struct mb_hyper {
	double learning_rate, weight_decay;
	int64_t hidden[MB_HIDDEN_MAX], n_hidden; /* widths; none: a linear model */
	int64_t batch_size;
	const struct mb_optimizer *optimizer;
	double momentum, beta2;                  /* the optimiser's own default where not assigned */
	double beta1;
	enum mb_momentum_schedule momentum_schedule;
	double gradient_clip, max_norm;          /* 0: none */
	double ema_decay;                        /* 0: none */
	const struct mb_activation *activation;
	double dropout, input_dropout, label_smoothing;
	int64_t augment_shift;                   /* pixels */
	enum mb_input_scaling input_scaling;
	enum mb_schedule schedule;
	double warmup_epochs;
	enum mb_init init;
	int batch_norm, layer_norm;              /* one of them at most */
	int64_t epochs;                          /* 0: not assigned, the task's count */
};

enum mb_hyper_kind { MB_HYPER_NUMBER, MB_HYPER_INTEGER, MB_HYPER_WORD, MB_HYPER_FLAG, MB_HYPER_LAYERS };

struct mb_hyper_entry {
	const char *name;
	enum mb_hyper_kind kind;
	double min, max;          /* of numbers */
	int open_min, open_max;   /* 1: the bound itself is not allowed */
	const char *const *words; /* of words */
	const char *fallback;     /* the default, for people */
	const char *about;        /* one line */
};

extern const struct mb_hyper_entry mb_hyper_table[]; /* ends with a NULL name */

/* "(0, 10]", "one of constant, cosine, …": what an entry allows; appended to text. */
void mb_hyper_allowed(const struct mb_hyper_entry *entry, struct mb_str *text);

void mb_hyper_default(struct mb_hyper *hyper);

/* Whether two networks can be shown the very same batches, so that they can be trained side by side. */
int mb_hyper_alike(const struct mb_hyper *a, const struct mb_hyper *b);

/* Defaults, then every member of the object (NULL: none). A name that is not in the table, a value of the wrong kind
 * or out of range is an error (MB_EXIT_RECORD) at `where`. Whole numbers may be written 64.0; text is no number. */
int mb_hyper_parse(const json_t *assignments, const char *where, struct mb_hyper *hyper, struct mb_err *err);

#endif
