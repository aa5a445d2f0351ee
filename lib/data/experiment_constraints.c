/* SPDX-License-Identifier: MIT
 *
 * The section linear_constraints, and whether the constraints leave anything of the space.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "data/experiment_keys.h"
#include "data/feasible.h"
#include "data/space_constraint.h"
#include "data/value.h"

enum { DRAWS = 1000, MOST_WALKED = 1 << 20 };

#define HINT "{type: less_than, threshold: 1, terms: [{name: x, weight: 1}, {name: y, weight: 2}]}"

struct written {
	const struct mb_yaml *type, *threshold, *terms;
};

#define AT(field) .offset = offsetof(struct written, field)

static const struct mb_key constraint_keys[] = {
	{"type", MB_KEY_NODE, .flags = MB_KEY_REQUIRED, AT(type), .hint = "type: less_than, or greater_than"},
	{"threshold", MB_KEY_NODE, .flags = MB_KEY_REQUIRED, AT(threshold), .hint = HINT},
	{"terms", MB_KEY_NODE, .flags = MB_KEY_REQUIRED, AT(terms), .hint = HINT},
	{"name", MB_KEY_TEXT, .flags = MB_KEY_NULL | MB_KEY_CHECK},
	{0},
};

static const struct mb_key term_keys[] = {
	{"name", MB_KEY_NODE, .flags = MB_KEY_REQUIRED, .offset = 0, .hint = "{name: x, weight: 1}"},
	{"weight", MB_KEY_NODE, .flags = MB_KEY_REQUIRED, .offset = sizeof(struct mb_yaml *), .hint = "{name: x, weight: 1}"},
	{0},
};

static int unknown(struct mb_reader *reader, const struct mb_yaml *node)
{
	const struct mb_space *space = &reader->experiment->space;
	const char **names = mb_alloc((space->n_params + 1) * sizeof *names), *nearest;
	char hint[120];

	for (size_t i = 0; i < space->n_params; i++)
		names[i] = space->params[i].name;
	nearest = mb_nearest(node->text, names);
	if (nearest)
		snprintf(hint, sizeof hint, "did you mean %.100s?", nearest);
	mb_reader_wrong(reader, node, nearest ? hint : NULL, "the name of a parameter");
	free(names);
	return -1;
}

/* The parameter of that name, if it has a number in every point. */
static int find(struct mb_reader *reader, const struct mb_yaml *node, size_t *index)
{
	const struct mb_space *space = &reader->experiment->space;
	const struct mb_param *param;

	if (!mb_reader_text(reader, node))
		return -1;
	for (*index = 0; *index < space->n_params; ++*index)
		if (!strcmp(space->params[*index].name, node->text))
			break;
	if (*index == space->n_params)
		return unknown(reader, node);
	param = &space->params[*index];
	if (param->type == MB_PARAM_CATEGORICAL)
		return mb_reader_complain(reader, node, NULL, "%.100s is categorical; a term needs a double or int",
					  node->text);
	if (param->n_conditions)
		return mb_reader_complain(reader, node, NULL, "%.100s has conditions; a term needs a parameter without",
					  node->text);
	return 0;
}

static void read_term(struct mb_reader *reader, const struct mb_yaml *node, struct mb_constraint *constraint)
{
	const struct mb_yaml *written[2] = {NULL, NULL};
	struct mb_term term;
	int bad;

	mb_read_section(reader, node, term_keys, written);
	if (!written[0] || !written[1])
		return;
	bad = find(reader, written[0], &term.param);
	if (mb_yaml_number(written[1], &term.weight) < 0 || term.weight == 0)
		bad = mb_reader_wrong(reader, written[1], NULL, "a number other than 0");
	for (size_t i = 0; i < constraint->n_terms && !bad; i++)
		if (constraint->terms[i].param == term.param)
			bad = mb_reader_twice(reader, written[0]);
	if (!bad)
		constraint->terms[constraint->n_terms++] = term;
}

static int read_type(struct mb_reader *reader, const struct mb_yaml *node, struct mb_constraint *constraint)
{
	static const char *const words[] = {"less_than", "greater_than", NULL};

	if (node->kind != MB_YAML_SCALAR || (strcmp(node->text, words[0]) && strcmp(node->text, words[1])))
		return mb_reader_not_one_of(reader, node, words);
	constraint->at_least = !strcmp(node->text, words[1]);
	return 0;
}

/* Interval arithmetic: the constraint alone must be possible. */
static void check_possible(struct mb_reader *reader, const struct mb_yaml *node, const struct mb_constraint *constraint)
{
	const struct mb_space *space = &reader->experiment->space;
	double least = 0, most = 0;
	char number[MB_NUM_TEXT];
	struct mb_str text = {0};

	for (size_t i = 0; i < constraint->n_terms; i++) {
		const struct mb_param *param = &space->params[constraint->terms[i].param];
		double weight = constraint->terms[i].weight;

		least += weight * (weight > 0 ? param->min : param->max);
		most += weight * (weight > 0 ? param->max : param->min);
	}
	mb_space_constraint_text(space, constraint, &text);
	if (constraint->at_least ? most < constraint->threshold : least > constraint->threshold)
		mb_reader_complain(reader, node, "change the threshold or the bounds",
				   "no point satisfies %.500s: the left side is %s at %s", text.at,
				   mb_value_number(constraint->at_least ? most : least, number),
				   constraint->at_least ? "most" : "least");
	mb_str_release(&text);
}

static void read_constraint(struct mb_reader *reader, const struct mb_yaml *node)
{
	struct mb_space *space = &reader->experiment->space;
	struct mb_constraint *constraint = &space->constraints[space->n_constraints];
	struct written written = {0};
	size_t before = reader->n;

	if (mb_read_section(reader, node, constraint_keys, &written) < 0)
		return;
	space->n_constraints++;
	constraint->line = node->line;
	if (written.type)
		read_type(reader, written.type, constraint);
	if (written.threshold && mb_yaml_number(written.threshold, &constraint->threshold) < 0)
		mb_reader_wrong(reader, written.threshold, NULL, "a number");
	if (!written.terms || mb_reader_is_list(reader, written.terms, "terms {name: …, weight: …}") < 0)
		return;
	if (!written.terms->n)
		mb_reader_complain(reader, written.terms, NULL, "empty, expected one term at least");
	constraint->terms = mb_alloc(written.terms->n * sizeof *constraint->terms);
	for (const struct mb_yaml *item = written.terms->first; item; item = item->next)
		if (!item->bad)
			read_term(reader, item, constraint);
	if (reader->n == before)
		check_possible(reader, node, constraint);
}

/* Counts whom the point offends; 1 when nobody. */
static int tally(const struct mb_space *space, json_t *point, size_t *broken)
{
	int good = 1;
	double total;

	for (size_t i = 0; i < space->n_constraints; i++)
		if (!mb_constraint_holds(space, &space->constraints[i], point, &total)) {
			broken[i]++;
			good = 0;
		}
	json_decref(point);
	return good;
}

/* As a search looks for one; it must find it again. */
static int is_found(const struct mb_space *space)
{
	struct mb_feasible feasible;
	struct mb_rng rng;
	int found;

	mb_rng_init(&rng, 0, 0, MB_RNG_SUGGEST);
	found = mb_feasible_init(&feasible, space, &rng) == 0;
	mb_feasible_release(&feasible);
	return found;
}

/* Looks for a point that keeps all constraints: all of a small space, else as a search does. The draws tell which is to
 * blame. */
static int is_possible(const struct mb_space *space, size_t *broken, int *all)
{
	uint64_t size = mb_space_size(space);
	size_t dims = mb_space_dims(space);
	double *u = mb_alloc(dims * sizeof *u);
	struct mb_rng rng;
	int good = 0;

	mb_rng_init(&rng, 0, 0, MB_RNG_SUGGEST);
	for (int draw = 0; draw < DRAWS && !good; draw++) {
		for (size_t i = 0; i < dims; i++)
			u[i] = mb_rng_unit(&rng);
		good = tally(space, mb_space_point(space, u), broken);
	}
	good = good || is_found(space);
	*all = size <= MOST_WALKED;
	for (uint64_t i = 0; *all && i < size && !good; i++)
		good = tally(space, mb_space_at(space, i), broken);
	free(u);
	return good;
}

/* Complains at the constraint that is broken most often. */
static void check_together(struct mb_reader *reader, const struct mb_yaml *node)
{
	const struct mb_space *space = &reader->experiment->space;
	size_t *broken = mb_alloc(space->n_constraints * sizeof *broken), worst = 0;
	const struct mb_yaml *item = node->first;
	int all;

	if (!is_possible(space, broken, &all)) {
		for (size_t i = 0; i < space->n_constraints; i++)
			if (broken[i] > broken[worst])
				worst = i;
		for (size_t i = 0; i < worst; i++)
			item = item->next;
		if (all)
			mb_reader_complain(reader, item, "change the thresholds or the bounds",
					   "no point satisfies all constraints");
		else
			mb_reader_complain(reader, item, "change the thresholds or the bounds",
					   "no point that satisfies all constraints was found, neither at random nor by "
					   "projection; this one is broken most often");
	}
	free(broken);
}

void mb_read_constraints(struct mb_reader *reader, const struct mb_yaml *node, void *experiment)
{
	struct mb_space *space = &((struct mb_experiment *)experiment)->space;

	if (mb_reader_is_list(reader, node, "constraints") < 0)
		return;
	space->constraints = mb_alloc(node->n * sizeof *space->constraints);
	for (const struct mb_yaml *item = node->first; item; item = item->next)
		if (!item->bad)
			read_constraint(reader, item);
	if (space->n_constraints && !reader->n) /* with mistakes elsewhere the space is not the one that is meant */
		check_together(reader, node);
}
