/* SPDX-License-Identifier: MIT
 *
 * YAML as an experiment file needs it: a tree of texts, lists and mappings that know their lines. No aliases, tags,
 * merge keys or several documents: they hide values from the reader, and a short file can blow up to gigabytes.
 *
 *     struct mb_yaml *root = mb_yaml_parse(text, n, "experiment.yaml", &errs);
 *     for (const struct mb_yaml *node = root->first; node; node = node->next)
 *         … node->key, node->kind, mb_yaml_number(node, &value) …
 *     mb_yaml_free(root);
 *
 * Plain scalars are read strictly: 1e-4 is a number, 010, 0x10, 1_000, .inf and .nan are neither number nor text but
 * mistakes; yes, no, on and off are booleans only where a boolean is asked for. A quoted scalar is text.
 */
#ifndef MB_DATA_YAML_H
#define MB_DATA_YAML_H

#include <stddef.h>
#include <stdint.h>

#include "data/json.h"

#define MB_YAML_BYTES ((size_t)1 << 20)
#define MB_YAML_DEPTH 64
#define MB_YAML_NODES 10000

enum mb_yaml_kind { MB_YAML_SCALAR, MB_YAML_LIST, MB_YAML_MAP };

struct mb_yaml {
	enum mb_yaml_kind kind;
	int line, column;       /* from 1 */
	char *key;              /* in a mapping, else NULL */
	int key_line;
	char *text;             /* of a scalar */
	int quoted;             /* text by its quotes or block style, whatever it looks like */
	int bad;                /* already reported (an alias, a tag): not to be complained about again */
	size_t index, n;        /* place in the parent; number of children */
	struct mb_yaml *parent, *first, *last, *next;
};

/* The tree, or NULL when there is none (errs says why). Some mistakes (duplicate keys, aliases, tags) leave a tree,
 * so that the rest can be checked: look at errs->n. `path` is for messages. Code: MB_EXIT_USAGE.
 * text[n] is NUL. */
struct mb_yaml *mb_yaml_parse(const char *text, size_t n, const char *path, struct mb_errs *errs);
void mb_yaml_free(struct mb_yaml *root); /* takes NULL */

const struct mb_yaml *mb_yaml_get(const struct mb_yaml *map, const char *key); /* or NULL */

/* Appends where the node is in the file: "parameters[3].bounds.min"; nothing for the root. */
void mb_yaml_path(const struct mb_yaml *node, struct mb_str *text);

/* Appends the value as written, on one line and cut at about 60 bytes. */
void mb_yaml_show(const struct mb_yaml *node, struct mb_str *text);

/* Empty, ~ or null, not quoted. */
int mb_yaml_is_null(const struct mb_yaml *node);

/* 0, or -1 when the node is not a plain scalar of that type. */
int mb_yaml_int(const struct mb_yaml *node, int64_t *value);
int mb_yaml_number(const struct mb_yaml *node, double *value);
int mb_yaml_bool(const struct mb_yaml *node, int *value); /* true, false, yes, no, on, off in any case */

/* A plain scalar that other readers of YAML take for a number and this one does not: 010, 0x1F, 0o7, 1_000, .inf, or
 * a number too large for a double or an int64. */
int mb_yaml_is_odd_number(const struct mb_yaml *node);

/* The value as JSON: integer, real, true, false (not yes, no, on, off), text, array of these. NULL for a mapping,
 * null, odd number or bad node anywhere inside. The caller decrefs. */
json_t *mb_yaml_json(const struct mb_yaml *node);

/* Sets "path:line" as an error's place; a path too long loses its head, not the line. */
void mb_yaml_where(struct mb_err *err, const char *path, int line);

#endif
