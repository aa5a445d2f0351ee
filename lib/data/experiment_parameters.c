/* SPDX-License-Identifier: MIT
 *
 * The sections parameters and conditionals: the search space.
 */
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "data/experiment_keys.h"
#include "data/param.h"
#include "data/value.h"

/* Counting and numbering the points walks through all combinations of the conditionals' values. */
#define MOST_COMBINATIONS 10000

/* A parameter as it stands in the file. */
struct written {
	char *name;
	const struct mb_yaml *type, *bounds, *grid, *values, *transformation, *prior, *default_value, *fallback, *conditions;
};

#define AT(field) .offset = offsetof(struct written, field)

static const struct mb_key parameter_keys[] = {
	{"name", MB_KEY_NAME, .flags = MB_KEY_REQUIRED, AT(name), .hint = "name: learning_rate"},
	{"type", MB_KEY_NODE, .flags = MB_KEY_REQUIRED, AT(type), .hint = "type: double, int or categorical"},
	{"bounds", MB_KEY_NODE, .flags = MB_KEY_NULL, AT(bounds)},
	{"grid", MB_KEY_NODE, .flags = MB_KEY_NULL, AT(grid)},
	{"categorical_values", MB_KEY_NODE, .flags = MB_KEY_NULL, AT(values)},
	{"transformation", MB_KEY_NODE, .flags = MB_KEY_NULL, AT(transformation)},
	{"default_value", MB_KEY_NODE, .flags = MB_KEY_NULL, AT(default_value)},
	{"default", MB_KEY_NODE, .flags = MB_KEY_NULL, AT(fallback)},
	{"conditions", MB_KEY_NODE, .flags = MB_KEY_NULL, AT(conditions)},
	{"prior", MB_KEY_NODE, .flags = MB_KEY_NULL, AT(prior)},
	{0},
};

static const struct mb_key bounds_keys[] = {
	{"min", MB_KEY_NODE, .flags = MB_KEY_REQUIRED, .offset = 0, .hint = "bounds: {min: 0, max: 1}"},
	{"max", MB_KEY_NODE, .flags = MB_KEY_REQUIRED, .offset = sizeof(struct mb_yaml *),
	 .hint = "bounds: {min: 0, max: 1}"},
	{0},
};

/* A name may be used once among parameters and conditionals, which share the assignments. */
static void check_unique(struct mb_reader *reader, const struct mb_yaml *node, const char *name)
{
	const struct mb_space *space = &reader->experiment->space;

	for (size_t i = 0; i < space->n_conditionals; i++)
		if (!strcmp(space->conditionals[i].name, name))
			mb_reader_complain(reader, node, NULL, "the name %s is already a conditional's", name);
	for (size_t i = 0; i < space->n_params; i++)
		if (!strcmp(space->params[i].name, name))
			mb_reader_complain(reader, node, NULL, "the name %s is already the parameter's in line %d",
					   name, space->params[i].line);
}

/* A number for a parameter of this type; 0, or -1 and a complaint. */
static int read_number(struct mb_reader *reader, const struct mb_yaml *node, const struct mb_param *param,
		       double *value)
{
	int is_int = param->type == MB_PARAM_INT;
	int64_t integer = 0;

	if (node->bad)
		return -1;
	if (mb_yaml_number(node, value) < 0 || (is_int && *value != floor(*value)))
		return mb_reader_wrong(reader, node, NULL, is_int ? "an integer" : "a number");
	if (is_int && mb_yaml_int(node, &integer) < 0)
		integer = fabs(*value) > (double)MB_NUM_EXACT ? INT64_MAX : (int64_t)*value; /* 1e3 */
	if (is_int && (integer > MB_NUM_EXACT || integer < -MB_NUM_EXACT))
		return mb_reader_wrong(reader, node, NULL, "an integer within ±2^53");
	if (param->log && *value <= 0)
		return mb_reader_wrong(reader, node, NULL, "> 0 (transformation: log)");
	return 0;
}

static int read_bounds(struct mb_reader *reader, const struct mb_yaml *node, struct mb_param *param)
{
	const struct mb_yaml *ends[2] = {NULL, NULL};
	int bad;

	if (node->kind != MB_YAML_MAP)
		return mb_reader_wrong(reader, node, NULL, "a mapping {min: …, max: …}");
	mb_read_section(reader, node, bounds_keys, ends);
	if (!ends[0] || !ends[1])
		return -1;
	bad = read_number(reader, ends[0], param, &param->min);
	bad |= read_number(reader, ends[1], param, &param->max);
	if (bad)
		return -1;
	if (!(param->min < param->max))
		return mb_reader_wrong(reader, ends[1], NULL, "> min (%s)", ends[0]->text);
	return 0;
}

/* SigOpt's {name: a} stands for a. */
static const struct mb_yaml *unwrap(const struct mb_yaml *node)
{
	const struct mb_yaml *name = node->kind == MB_YAML_MAP ? mb_yaml_get(node, "name") : NULL;

	return name && node->n == 1 ? name : node;
}

static int has_bad(const struct mb_yaml *node)
{
	for (const struct mb_yaml *item = node->first; item; item = item->next)
		if (has_bad(item))
			return 1;
	return node->bad;
}

/* One value of a categorical or conditional; a new reference, or NULL and a complaint. */
static json_t *read_any(struct mb_reader *reader, const struct mb_yaml *node)
{
	json_t *value = mb_yaml_json(node);

	if (value || has_bad(node))
		return value;
	if (mb_yaml_is_odd_number(node))
		mb_reader_wrong(reader, node, "write it in decimal, or quote it to make it a text", "a value");
	else
		mb_reader_wrong(reader, node,
				node->kind == MB_YAML_MAP ? "{name: a} alone stands for a" :
				mb_yaml_is_null(node)     ? "quote it to make it a text" : NULL,
				"a number, a text, true, false or a list of these");
	return NULL;
}

static json_t *read_grid_value(struct mb_reader *reader, const struct mb_yaml *node, struct mb_param *param)
{
	double value;

	if (read_number(reader, node, param, &value) < 0)
		return NULL;
	if (!json_array_size(param->values) || value < param->min)
		param->min = value;
	if (!json_array_size(param->values) || value > param->max)
		param->max = value;
	return param->type == MB_PARAM_INT ? json_integer((json_int_t)value) : json_real(value);
}

/* A list of values without repetition: `param` NULL or categorical takes any, else a grid of numbers. NULL when one
 * of them is wrong. */
static json_t *read_values(struct mb_reader *reader, const struct mb_yaml *node, struct mb_param *param)
{
	json_t *values = json_array();
	struct mb_hashset seen = {0};
	size_t good = 0;

	if (param)
		param->values = values;
	if (mb_reader_is_list(reader, node, "values") == 0 && !node->n)
		mb_reader_complain(reader, node, NULL, "empty, expected one value at least");
	for (const struct mb_yaml *item = node->kind == MB_YAML_LIST ? node->first : NULL; item; item = item->next) {
		int is_any = !param || param->type == MB_PARAM_CATEGORICAL;
		json_t *value = is_any ? read_any(reader, unwrap(item)) : read_grid_value(reader, item, param);

		if (value && !mb_hashset_add(&seen, mb_value_hash(value, 0)) && mb_value_index(values, value) >= 0)
			mb_reader_twice(reader, item);
		else
			good += value != NULL;
		json_array_append_new(values, value ? value : json_null());
	}
	mb_hashset_release(&seen);
	if (param)
		param->n_values = json_array_size(values);
	if (good && good == node->n)
		return values;
	if (!param)
		json_decref(values);
	return NULL;
}

static int read_type(struct mb_reader *reader, const struct mb_yaml *node, enum mb_param_type *type)
{
	static const char *const words[] = {"double", "int", "categorical", NULL};
	static const char *const elsewhere[][2] = {{"float", "write double"},
						   {"real", "write double"},
						   {"integer", "write int"},
						   {"choice", "write categorical"}};

	if (!node)
		return -1;
	for (size_t i = 0; node->kind == MB_YAML_SCALAR && i < MB_COUNT(elsewhere); i++)
		if (!strcmp(node->text, elsewhere[i][0]))
			return mb_reader_wrong(reader, node, elsewhere[i][1], "double, int or categorical");
	for (int i = 0; node->kind == MB_YAML_SCALAR && words[i]; i++)
		if (!strcmp(node->text, words[i])) {
			*type = (enum mb_param_type)i;
			return 0;
		}
	return mb_reader_not_one_of(reader, node, words);
}

static void read_transformation(struct mb_reader *reader, const struct mb_yaml *node, struct mb_param *param)
{
	static const char *const words[] = {"log", "none", NULL};

	if (!node || (node->kind == MB_YAML_SCALAR && !strcmp(node->text, "none")))
		return;
	if (node->kind != MB_YAML_SCALAR || strcmp(node->text, "log"))
		mb_reader_not_one_of(reader, node, words);
	else if (param->type == MB_PARAM_CATEGORICAL)
		mb_reader_complain(reader, node, "remove it", "log is for double and int");
	else
		param->log = 1;
}

static int unfit(struct mb_reader *reader, const struct mb_yaml *node, const char *what)
{
	return node ? mb_reader_complain(reader, node, "remove it", "%s", what) : 0;
}

/* Bounds, grid or categorical values, whichever the type takes; -1 when no default can be checked against it. */
static int read_domain(struct mb_reader *reader, const struct mb_yaml *node, const struct written *written,
		       struct mb_param *param)
{
	if (param->type == MB_PARAM_CATEGORICAL) {
		unfit(reader, written->bounds, "for double and int; a categorical has categorical_values");
		unfit(reader, written->grid, "for double and int; a categorical has categorical_values");
		if (!written->values)
			return mb_reader_missing(reader, node, "categorical_values", "categorical_values: [a, b]");
		return read_values(reader, written->values, param) ? 0 : -1;
	}
	unfit(reader, written->values, "for type categorical; double and int have bounds or grid");
	if (written->grid) {
		unfit(reader, written->bounds, "given beside grid");
		return read_values(reader, written->grid, param) ? 0 : -1;
	}
	if (!written->bounds)
		return mb_reader_missing(reader, node, "bounds", "bounds: {min: 0, max: 1}, or grid: [1, 2, 4]");
	return read_bounds(reader, written->bounds, param);
}

static void read_default(struct mb_reader *reader, const struct written *written, struct mb_param *param)
{
	const struct mb_yaml *node = written->default_value ? written->default_value : written->fallback;
	struct mb_str expected = {0};
	json_t *value;

	if (written->default_value && written->fallback)
		mb_reader_complain(reader, written->fallback, "keep one of the two", "the same as default_value");
	if (!node || has_bad(node))
		return;
	value = mb_yaml_json(unwrap(node));
	if (value && mb_param_has(param, value)) {
		param->fallback = mb_param_own(param, value);
	} else {
		mb_param_expect(param, value, &expected);
		mb_reader_wrong(reader, node, NULL, "%s", expected.at);
		mb_str_release(&expected);
	}
	json_decref(value);
}

static const struct mb_conditional *find_conditional(const struct mb_space *space, const char *name)
{
	for (size_t i = 0; i < space->n_conditionals; i++)
		if (!strcmp(space->conditionals[i].name, name))
			return &space->conditionals[i];
	return NULL;
}

static void allow(struct mb_reader *reader, const struct mb_yaml *node, const struct mb_conditional *conditional,
		  struct mb_condition *condition)
{
	json_t *value = conditional->n_values ? read_any(reader, node) : NULL;
	long index = value ? mb_value_index(conditional->values, value) : -1;
	struct mb_str expected = {0};

	if (index >= 0) {
		condition->allowed[index] = 1;
	} else if (value) {
		mb_value_list(conditional->values, &expected);
		mb_reader_wrong(reader, node, NULL, "one of %s", expected.at);
		mb_str_release(&expected);
	}
	json_decref(value);
}

static int unknown_conditional(struct mb_reader *reader, const struct mb_yaml *node)
{
	const struct mb_space *space = &reader->experiment->space;
	const char **names = mb_alloc((space->n_conditionals + 1) * sizeof *names), *nearest;
	struct mb_str hint = {0};

	for (size_t i = 0; i < space->n_conditionals; i++)
		names[i] = space->conditionals[i].name;
	nearest = mb_nearest(node->key, names);
	if (nearest) {
		mb_str_addf(&hint, "did you mean %s?", nearest);
	} else {
		mb_str_adds(&hint, "conditionals: [{name: ");
		mb_str_add_clean(&hint, node->key, 60);
		mb_str_adds(&hint, ", values: [a, b]}]");
	}
	mb_reader_complain(reader, node, hint.at, "no conditional of that name");
	mb_str_release(&hint);
	free(names);
	return -1;
}

static void read_condition(struct mb_reader *reader, const struct mb_yaml *node, struct mb_param *param)
{
	const struct mb_space *space = &reader->experiment->space;
	const struct mb_conditional *conditional = find_conditional(space, node->key);
	struct mb_condition *condition;

	if (!conditional) {
		unknown_conditional(reader, node);
		return;
	}
	condition = &param->conditions[param->n_conditions++];
	condition->conditional = (size_t)(conditional - space->conditionals);
	condition->allowed = mb_alloc(conditional->n_values);
	if (node->kind == MB_YAML_LIST && !node->n)
		mb_reader_complain(reader, node, NULL, "empty, expected one value at least");
	if (node->kind != MB_YAML_LIST)
		allow(reader, node, conditional, condition);
	else
		for (const struct mb_yaml *item = node->first; item; item = item->next)
			allow(reader, item, conditional, condition);
}

static void read_conditions(struct mb_reader *reader, const struct mb_yaml *node, struct mb_param *param)
{
	if (!node)
		return;
	if (node->kind != MB_YAML_MAP) {
		mb_reader_wrong(reader, node, "conditions: {model: [svm]}", "a mapping of conditionals to values");
		return;
	}
	param->conditions = mb_alloc(node->n * sizeof *param->conditions);
	for (const struct mb_yaml *item = node->first; item; item = item->next)
		if (!item->bad)
			read_condition(reader, item, param);
}

static void read_parameter(struct mb_reader *reader, const struct mb_yaml *node)
{
	struct mb_space *space = &reader->experiment->space;
	struct mb_param *param = &space->params[space->n_params];
	struct written written = {0};

	if (mb_read_section(reader, node, parameter_keys, &written) < 0)
		return;
	if (written.name)
		check_unique(reader, mb_yaml_get(node, "name"), written.name);
	param->name = written.name ? written.name : mb_strdup("");
	param->line = node->line;
	space->n_params++;
	if (read_type(reader, written.type, &param->type) == 0) {
		read_transformation(reader, written.transformation, param);
		if (read_domain(reader, node, &written, param) == 0) {
			read_default(reader, &written, param);
			if (written.prior)
				mb_read_prior(reader, written.prior, param);
		}
	}
	read_conditions(reader, written.conditions, param);
}

void mb_read_parameters(struct mb_reader *reader, const struct mb_yaml *node, void *experiment)
{
	struct mb_space *space = &((struct mb_experiment *)experiment)->space;

	if (mb_reader_is_list(reader, node, "parameters") < 0)
		return;
	if (!node->n)
		mb_reader_complain(reader, node, "[{name: x, type: double, bounds: {min: 0, max: 1}}]",
				   "empty, expected one parameter at least");
	space->params = mb_alloc(node->n * sizeof *space->params);
	for (const struct mb_yaml *item = node->first; item; item = item->next)
		if (!item->bad)
			read_parameter(reader, item);
}

struct written_conditional {
	char *name;
	const struct mb_yaml *values;
};

static const struct mb_key conditional_keys[] = {
	{"name", MB_KEY_NAME, .flags = MB_KEY_REQUIRED, .offset = offsetof(struct written_conditional, name),
	 .hint = "{name: model, values: [svm, tree]}"},
	{"values", MB_KEY_NODE, .flags = MB_KEY_REQUIRED, .offset = offsetof(struct written_conditional, values),
	 .hint = "{name: model, values: [svm, tree]}"},
	{0},
};

static void read_conditional(struct mb_reader *reader, const struct mb_yaml *node)
{
	struct mb_space *space = &reader->experiment->space;
	struct mb_conditional *conditional = &space->conditionals[space->n_conditionals];
	struct written_conditional written = {0};

	if (mb_read_section(reader, node, conditional_keys, &written) < 0)
		return;
	if (written.name)
		check_unique(reader, mb_yaml_get(node, "name"), written.name);
	conditional->values = written.values ? read_values(reader, written.values, NULL) : NULL;
	conditional->n_values = json_array_size(conditional->values);
	conditional->name = written.name ? written.name : mb_strdup("");
	space->n_conditionals++;
}

void mb_read_conditionals(struct mb_reader *reader, const struct mb_yaml *node, void *experiment)
{
	struct mb_space *space = &((struct mb_experiment *)experiment)->space;
	double combinations = 1;
	char number[MB_NUM_TEXT];

	if (mb_reader_is_list(reader, node, "conditionals") < 0)
		return;
	space->conditionals = mb_alloc(node->n * sizeof *space->conditionals);
	for (const struct mb_yaml *item = node->first; item; item = item->next)
		if (!item->bad)
			read_conditional(reader, item);
	for (size_t i = 0; i < space->n_conditionals; i++)
		combinations *= (double)space->conditionals[i].n_values;
	if (combinations > MOST_COMBINATIONS)
		mb_reader_complain(reader, node, "make parameters of some",
				   "%s combinations of values, more than %d",
				   mb_value_number(combinations, number), MOST_COMBINATIONS);
}
