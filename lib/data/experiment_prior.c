/* SPDX-License-Identifier: MIT
 *
 * A parameter's prior, as it stands in the file.
 */
#include <math.h>
#include <string.h>

#include "data/experiment_keys.h"
#include "data/value.h"

/* Beyond, the continued fraction of the incomplete beta function takes long; sd 0.005 is narrow enough. */
#define MOST_SHAPE 10000

static const struct mb_key normal_keys[] = {
	{"name", MB_KEY_TEXT, .flags = MB_KEY_CHECK},
	{"mean", MB_KEY_NODE, .flags = MB_KEY_REQUIRED, .offset = 0, .hint = "prior: {name: normal, mean: 0.5, scale: 0.1}"},
	{"scale", MB_KEY_NODE, .flags = MB_KEY_REQUIRED, .offset = sizeof(struct mb_yaml *),
	 .hint = "prior: {name: normal, mean: 0.5, scale: 0.1}"},
	{0},
};

static const struct mb_key beta_keys[] = {
	{"name", MB_KEY_TEXT, .flags = MB_KEY_CHECK},
	{"shape_a", MB_KEY_NODE, .flags = MB_KEY_REQUIRED, .offset = 0, .hint = "prior: {name: beta, shape_a: 2, shape_b: 5}"},
	{"shape_b", MB_KEY_NODE, .flags = MB_KEY_REQUIRED, .offset = sizeof(struct mb_yaml *),
	 .hint = "prior: {name: beta, shape_a: 2, shape_b: 5}"},
	{0},
};

static int read_positive(struct mb_reader *reader, const struct mb_yaml *node, double most, double *value)
{
	if (mb_yaml_number(node, value) < 0 || !(*value > 0) || *value > most)
		return mb_reader_wrong(reader, node, NULL, most < INFINITY ? "a number > 0, at most %.0f" : "a number > 0",
				       most);
	return 0;
}

/* The mean lies in the bounds, so that the part of the distribution inside them is never nothing. */
static int read_mean(struct mb_reader *reader, const struct mb_yaml *node, const struct mb_param *param, double *mean)
{
	double low = param->log ? log10(param->min) : param->min, high = param->log ? log10(param->max) : param->max;
	char from[MB_NUM_TEXT], to[MB_NUM_TEXT];

	if (mb_yaml_number(node, mean) < 0)
		return mb_reader_wrong(reader, node, NULL, "a number");
	if (*mean >= low && *mean <= high)
		return 0;
	if (!param->log)
		return mb_reader_wrong(reader, node, NULL, "in the bounds [%s, %s]", mb_value_number(low, from),
				       mb_value_number(high, to));
	return mb_reader_wrong(reader, node,
			       *mean >= param->min && *mean <= param->max
				       ? "mean and scale are log10 of the parameter: write -3 for 0.001" : NULL,
			       "in log10 of the bounds [%.6g, %.6g] (transformation: log)", low, high);
}

void mb_read_prior(struct mb_reader *reader, const struct mb_yaml *node, struct mb_param *param)
{
	static const char *const words[] = {"normal", "beta", NULL};
	const struct mb_yaml *name, *numbers[2] = {NULL, NULL};
	int is_normal, bad;

	if (param->type == MB_PARAM_CATEGORICAL || param->values) {
		mb_reader_complain(reader, node, "remove it", "for double and int with bounds");
		return;
	}
	if (node->kind != MB_YAML_MAP) {
		mb_reader_wrong(reader, node, "prior: {name: normal, mean: 0.5, scale: 0.1}", "a mapping {name: …}");
		return;
	}
	name = mb_yaml_get(node, "name");
	if (!name) {
		mb_reader_missing(reader, node, "name", "name: normal, or name: beta");
		return;
	}
	if (name->kind != MB_YAML_SCALAR || (strcmp(name->text, words[0]) && strcmp(name->text, words[1]))) {
		mb_reader_not_one_of(reader, name, words);
		return;
	}
	is_normal = !strcmp(name->text, "normal");
	mb_read_section(reader, node, is_normal ? normal_keys : beta_keys, numbers);
	if (!numbers[0] || !numbers[1])
		return;
	bad = is_normal ? read_mean(reader, numbers[0], param, &param->prior.a)
			: read_positive(reader, numbers[0], MOST_SHAPE, &param->prior.a);
	bad |= read_positive(reader, numbers[1], is_normal ? INFINITY : MOST_SHAPE, &param->prior.b);
	if (!bad)
		param->prior.kind = is_normal ? MB_PRIOR_NORMAL : MB_PRIOR_BETA;
}
