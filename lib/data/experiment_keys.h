/* SPDX-License-Identifier: MIT
 *
 * How the experiment file is read: one table of keys per section drives parsing, type checks and the hints for
 * unknown keys. Inside the room. Complaints are collected and handed over in the order of the file's lines.
 *
 *     static const struct mb_key keys[] = {
 *         {"epochs", MB_KEY_INT, .offset = offsetof(struct mb_task, epochs), .min = 1, .max = 1000000},
 *         {0}};
 *     mb_read_section(reader, node, keys, &experiment->task);
 */
#ifndef MB_DATA_EXPERIMENT_KEYS_H
#define MB_DATA_EXPERIMENT_KEYS_H

#include "data/experiment.h"
#include "data/yaml.h"

struct mb_complaint {
	int line;
	size_t sequence;
	struct mb_err err;
};

struct mb_reader {
	const char *path;
	struct mb_experiment *experiment;
	struct mb_complaint *at;
	size_t n, cap;
};

enum mb_key_type {
	MB_KEY_OWN = 1, /* by the key's `read` */
	MB_KEY_TEXT,    /* char *; any scalar, as written */
	MB_KEY_NAME,    /* char *; as TEXT, 1 to 100 characters, none of control */
	MB_KEY_INT,     /* int64_t or uint64_t, min to max */
	MB_KEY_SECONDS, /* double > 0 */
	MB_KEY_SHARE,   /* double in (0, 1) */
	MB_KEY_BOOL,    /* int */
	MB_KEY_NODE     /* const struct mb_yaml *, for its section to look at */
};

enum {
	MB_KEY_REQUIRED = 1,
	MB_KEY_NULL = 2,      /* may be empty, or None, which is as if it were not there */
	MB_KEY_CHECK = 4      /* checked, not stored */
};

struct mb_key {
	const char *name; /* NULL ends a table */
	enum mb_key_type type;
	unsigned flags;
	size_t offset; /* into the section's struct */
	size_t line;   /* the same, of an int that gets the value's line; 0: nobody asks */
	int64_t min, max;
	void (*read)(struct mb_reader *reader, const struct mb_yaml *node, void *section);
	const char *hint; /* when it is missing */
};

/* Reads the keys in the order of the table, whatever their order in the file. -1 when the node is not a mapping. */
int mb_read_section(struct mb_reader *reader, const struct mb_yaml *node, const struct mb_key *keys, void *section);

/* The same, but keys that are not in the table are another program's: left alone. */
int mb_read_open_section(struct mb_reader *reader, const struct mb_yaml *node, const struct mb_key *keys,
			 void *section);

/* Complaints return -1. `hint` may be NULL.
 * "path: VALUE is not EXPECTED", or "path: empty, expected EXPECTED". */
int mb_reader_wrong(struct mb_reader *reader, const struct mb_yaml *node, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* "path: …" */
int mb_reader_complain(struct mb_reader *reader, const struct mb_yaml *node, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* "path.key: missing" */
int mb_reader_missing(struct mb_reader *reader, const struct mb_yaml *node, const char *key, const char *hint);
/* "path: VALUE is given twice" */
int mb_reader_twice(struct mb_reader *reader, const struct mb_yaml *node);
/* "path: VALUE is not a, b or c", and the nearest of these words as a hint. */
int mb_reader_not_one_of(struct mb_reader *reader, const struct mb_yaml *node, const char *const *words);

/* 0, or -1 and a complaint; the node's text, or NULL and a complaint. */
int mb_reader_is_list(struct mb_reader *reader, const struct mb_yaml *node, const char *of);
const char *mb_reader_text(struct mb_reader *reader, const struct mb_yaml *node);

/* The sections. */
void mb_read_conditionals(struct mb_reader *reader, const struct mb_yaml *node, void *experiment);
void mb_read_parameters(struct mb_reader *reader, const struct mb_yaml *node, void *experiment);
void mb_read_constraints(struct mb_reader *reader, const struct mb_yaml *node, void *experiment); /* after parameters */
void mb_read_experiment(struct mb_reader *reader, const struct mb_yaml *node, void *experiment);
void mb_read_metrics(struct mb_reader *reader, const struct mb_yaml *node, void *experiment);
void mb_read_task(struct mb_reader *reader, const struct mb_yaml *node, void *experiment);
void mb_read_model(struct mb_reader *reader, const struct mb_yaml *node, void *experiment);

/* A parameter's prior; its type, domain and transformation are known. */
void mb_read_prior(struct mb_reader *reader, const struct mb_yaml *node, struct mb_param *param);

void mb_read_fidelity(struct mb_reader *reader, const struct mb_yaml *node, void *experiment);
void mb_read_tasks(struct mb_reader *reader, const struct mb_yaml *node, void *experiment); /* after fidelity */

/* multimetric_experiment against the metrics, when both are read. */
void mb_check_metrics(struct mb_reader *reader, const struct mb_yaml *root);

/* Sections of mb-deploy and SigOpt: types only. */
void mb_read_modules(struct mb_reader *reader, const struct mb_yaml *node, void *experiment);
void mb_read_sbatch(struct mb_reader *reader, const struct mb_yaml *node, void *experiment);
void mb_read_git(struct mb_reader *reader, const struct mb_yaml *node, void *experiment);
void mb_read_data(struct mb_reader *reader, const struct mb_yaml *node, void *experiment);
void mb_read_sigopt(struct mb_reader *reader, const struct mb_yaml *node, void *experiment);

/* What these sections hold. */
void mb_experiment_free_cluster(struct mb_experiment *experiment);
void mb_experiment_free_fidelity(struct mb_experiment *experiment);

/* 0, or -1 and a complaint: what anything, and what an experiment may be called. */
int mb_check_name(struct mb_reader *reader, const struct mb_yaml *node, const char *text);
int mb_check_experiment_name(struct mb_reader *reader, const struct mb_yaml *node);

#endif
