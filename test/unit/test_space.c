/* SPDX-License-Identifier: MIT
 *
 * The search space: encodings held to numbers worked out by hand, and properties over random spaces (the seed is
 * printed; SPACE_SEED=N repeats one).
 */
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "data/space.h"

static json_t *json(const char *text)
{
	struct mb_err err;
	json_t *value = mb_json_parse(text, strlen(text), "test", &err);

	if (!value)
		FAIL("%s: %s", text, err.what);
	return value;
}

static struct mb_param *add_param(struct mb_space *space, const char *name, enum mb_param_type type)
{
	struct mb_param *param;

	space->params = mb_realloc(space->params, (space->n_params + 1) * sizeof *space->params);
	param = &space->params[space->n_params++];
	*param = (struct mb_param){.name = mb_strdup(name), .type = type, .line = 1};
	return param;
}

static struct mb_param *add_range(struct mb_space *space, const char *name, enum mb_param_type type, double min,
				  double max, int log)
{
	struct mb_param *param = add_param(space, name, type);

	param->min = min;
	param->max = max;
	param->log = log;
	return param;
}

static struct mb_param *add_values(struct mb_space *space, const char *name, enum mb_param_type type,
				   const char *values)
{
	struct mb_param *param = add_param(space, name, type);

	param->values = json(values);
	param->n_values = json_array_size(param->values);
	return param;
}

static void add_conditional(struct mb_space *space, const char *name, const char *values)
{
	struct mb_conditional *conditional;

	space->conditionals = mb_realloc(space->conditionals,
					 (space->n_conditionals + 1) * sizeof *space->conditionals);
	conditional = &space->conditionals[space->n_conditionals++];
	*conditional = (struct mb_conditional){.name = mb_strdup(name), .values = json(values)};
	conditional->n_values = json_array_size(conditional->values);
}

/* Active while the conditional has one of the values in `flags`, one 0 or 1 each. */
static void add_condition(const struct mb_space *space, struct mb_param *param, size_t conditional, const char *flags)
{
	struct mb_condition *condition;
	size_t n = space->conditionals[conditional].n_values;

	param->conditions = mb_realloc(param->conditions, (param->n_conditions + 1) * sizeof *param->conditions);
	condition = &param->conditions[param->n_conditions++];
	condition->conditional = conditional;
	condition->allowed = mb_alloc(n);
	for (size_t i = 0; i < n; i++)
		condition->allowed[i] = flags[i] == '1';
}

/* The text of the point at u, valid until the next call. */
static const char *point(const struct mb_space *space, const double *u)
{
	static struct mb_str text;
	json_t *assignments = mb_space_point(space, u);

	mb_str_clear(&text);
	mb_json_print(assignments, &text);
	json_decref(assignments);
	return text.at;
}

static double number(const struct mb_space *space, double u)
{
	json_t *assignments = mb_space_point(space, &u);
	double value = json_number_value(json_object_get(assignments, space->params[0].name));

	json_decref(assignments);
	return value;
}

TEST(interpolates_ranges)
{
	struct mb_space space = {0};

	add_range(&space, "x", MB_PARAM_DOUBLE, -1, 3, 0);
	CHECK_NEAR(number(&space, 0.0), -1, 0);
	CHECK_NEAR(number(&space, 0.25), 0, 0);
	CHECK_NEAR(number(&space, 0.875), 2.5, 0);
	CHECK_NEAR(number(&space, 1.0), 3, 0);
	CHECK_NEAR(number(&space, -7), -1, 0);
	CHECK_NEAR(number(&space, 7), 3, 0);
	CHECK_NEAR(number(&space, NAN), -1, 0);
	CHECK_TEXT(point(&space, (double[]){0.25}), "{\"x\":0.0}"); /* a real, always */
	mb_space_release(&space);

	add_range(&space, "x", MB_PARAM_DOUBLE, 1e-5, 0.1, 1);
	CHECK_NEAR(number(&space, 0.0), 1e-5, 0);
	CHECK_NEAR(number(&space, 0.5), 1e-3, 1e-17);
	CHECK_NEAR(number(&space, 0.75), 1e-2, 1e-16);
	CHECK_NEAR(number(&space, 1.0), 0.1, 0);
	mb_space_release(&space);

	add_range(&space, "x", MB_PARAM_DOUBLE, -1.7e308, 1.7e308, 0); /* max - min is no double */
	CHECK_NEAR(number(&space, 0.5), 0, 0);
	CHECK_NEAR(number(&space, 0.75), 0.85e308, 1e293);
	mb_space_release(&space);
}

TEST(gives_each_integer_its_cell)
{
	struct mb_space space = {0};

	add_range(&space, "n", MB_PARAM_INT, -1, 2, 0); /* cells of 1/4 */
	CHECK_NEAR(number(&space, 0.2499), -1, 0);
	CHECK_NEAR(number(&space, 0.25), 0, 0);
	CHECK_NEAR(number(&space, 0.7499), 1, 0);
	CHECK_NEAR(number(&space, 0.9999), 2, 0);
	CHECK_NEAR(number(&space, 1.0), 2, 0);
	CHECK_TEXT(point(&space, (double[]){0.5}), "{\"n\":1}");
	mb_space_release(&space);

	/* log: the border of 1 and 2 is at log(1.5 / 0.5) / log(4.5 / 0.5) = 0.5, of 3 and 4 at log(7) / log(9) */
	add_range(&space, "n", MB_PARAM_INT, 1, 4, 1);
	CHECK_NEAR(number(&space, 0.4999), 1, 0);
	CHECK_NEAR(number(&space, 0.5001), 2, 0);
	CHECK_NEAR(number(&space, log(7) / log(9) - 1e-9), 3, 0);
	CHECK_NEAR(number(&space, log(7) / log(9) + 1e-9), 4, 0);
	CHECK_NEAR(number(&space, 0), 1, 0);
	CHECK_NEAR(number(&space, 1), 4, 0);
	mb_space_release(&space);
}

TEST(gives_each_value_its_cell)
{
	struct mb_space space = {0};

	add_values(&space, "layers", MB_PARAM_CATEGORICAL, "[[20],[64],[10,10],\"none\",true]");
	CHECK_TEXT(point(&space, (double[]){0.19}), "{\"layers\":[20]}");
	CHECK_TEXT(point(&space, (double[]){0.41}), "{\"layers\":[10,10]}");
	CHECK_TEXT(point(&space, (double[]){0.99}), "{\"layers\":true}");
	CHECK_TEXT(point(&space, (double[]){1.0}), "{\"layers\":true}");
	mb_space_release(&space);
}

/* model: svm → c in 3 values, kernel in 2; tree → depth 1…4; mlp → nothing. always: 5 values, everywhere. */
static struct mb_space conditional_space(void)
{
	struct mb_space space = {0};

	add_conditional(&space, "model", "[\"svm\",\"tree\",\"mlp\"]");
	add_values(&space, "always", MB_PARAM_INT, "[1,2,3,4,5]");
	add_condition(&space, add_values(&space, "c", MB_PARAM_DOUBLE, "[0.1,1.0,10.0]"), 0, "100");
	add_condition(&space, add_values(&space, "kernel", MB_PARAM_CATEGORICAL, "[\"rbf\",\"linear\"]"), 0, "100");
	add_condition(&space, add_range(&space, "depth", MB_PARAM_INT, 1, 4, 0), 0, "010");
	return space;
}

static const char *at(const struct mb_space *space, uint64_t index)
{
	static struct mb_str text;
	json_t *assignments = mb_space_at(space, index);

	mb_str_clear(&text);
	mb_json_print(assignments, &text);
	json_decref(assignments);
	return text.at;
}

TEST(leaves_out_what_is_inactive)
{
	struct mb_space space = conditional_space();

	CHECK_INT(mb_space_dims(&space), 5);
	CHECK_TEXT(point(&space, (double[]){0, 0, 0, 0, 0}),
		   "{\"model\":\"svm\",\"always\":1,\"c\":0.1,\"kernel\":\"rbf\"}");
	CHECK_TEXT(point(&space, (double[]){0.5, 0.9, NAN, NAN, 0.5}),
		   "{\"model\":\"tree\",\"always\":5,\"depth\":3}");
	CHECK_TEXT(point(&space, (double[]){0.9, 0.9, 0, 0, 0}), "{\"model\":\"mlp\",\"always\":5}");
	mb_space_release(&space);
}

TEST(counts_and_numbers_its_points)
{
	struct mb_space space = conditional_space();

	CHECK_INT(mb_space_size(&space), 5 * 3 * 2 + 5 * 4 + 5);
	CHECK_TEXT(at(&space, 0), "{\"model\":\"svm\",\"always\":1,\"c\":0.1,\"kernel\":\"rbf\"}");
	CHECK_TEXT(at(&space, 1), "{\"model\":\"svm\",\"always\":1,\"c\":0.1,\"kernel\":\"linear\"}");
	CHECK_TEXT(at(&space, 2), "{\"model\":\"svm\",\"always\":1,\"c\":1.0,\"kernel\":\"rbf\"}");
	CHECK_TEXT(at(&space, 29), "{\"model\":\"svm\",\"always\":5,\"c\":10.0,\"kernel\":\"linear\"}");
	CHECK_TEXT(at(&space, 30), "{\"model\":\"tree\",\"always\":1,\"depth\":1}");
	CHECK_TEXT(at(&space, 34), "{\"model\":\"tree\",\"always\":2,\"depth\":1}");
	CHECK_TEXT(at(&space, 54), "{\"model\":\"mlp\",\"always\":5}");
	mb_space_release(&space);
}

TEST(counts_what_is_large_or_continuous)
{
	struct mb_space space = {0};

	add_range(&space, "a", MB_PARAM_INT, -9007199254740992.0, 9007199254740992.0, 0);
	CHECK(mb_space_size(&space) == ((uint64_t)1 << 54) + 1);
	CHECK_TEXT(at(&space, (uint64_t)1 << 54), "{\"a\":9007199254740992}");
	add_range(&space, "b", MB_PARAM_INT, 1, 512, 0);
	CHECK(mb_space_size(&space) == UINT64_MAX); /* 2^63 + 512 */
	space.params[1].max = 511;
	CHECK(mb_space_size(&space) == 511 * (((uint64_t)1 << 54) + 1));
	mb_space_release(&space);

	add_conditional(&space, "on", "[true,false]");
	add_condition(&space, add_range(&space, "x", MB_PARAM_DOUBLE, 0, 1, 0), 0, "10");
	CHECK(mb_space_size(&space) == UINT64_MAX);
	space.params[0].conditions[0].allowed[0] = 0; /* continuous, but active nowhere */
	CHECK_INT(mb_space_size(&space), 2);
	CHECK_TEXT(at(&space, 1), "{\"on\":false}");
	mb_space_release(&space);
}

/* The points of a space with two conditionals, counted by walking through them. */
TEST(numbers_every_point_once)
{
	struct mb_space space = conditional_space();
	struct mb_hashset seen = {0};
	struct mb_param *both;
	uint64_t size;

	add_conditional(&space, "augment", "[\"no\",\"flip\"]");
	both = add_values(&space, "strength", MB_PARAM_DOUBLE, "[0.1,0.2,0.3]");
	add_condition(&space, both, 1, "01");
	add_condition(&space, both, 0, "011");
	size = mb_space_size(&space);
	CHECK_INT(size, 30 + 30 + 20 + 20 * 3 + 5 + 5 * 3);
	for (uint64_t i = 0; i < size; i++) {
		json_t *assignments = mb_space_at(&space, i);
		struct mb_err err;

		CHECK(mb_space_check(&space, assignments, &err) == 0);
		CHECK(mb_hashset_add(&seen, mb_space_key(&space, assignments)));
		json_decref(assignments);
	}
	mb_hashset_release(&seen);
	mb_space_release(&space);
}

TEST(gives_defaults)
{
	struct mb_space space = conditional_space();
	struct mb_str text = {0};
	json_t *assignments;

	CHECK(!mb_space_default(&space));
	space.params[1].fallback = json_real(10);
	assignments = mb_space_default(&space);
	mb_json_print(assignments, &text);
	CHECK_TEXT(text.at, "{\"model\":\"svm\",\"always\":3,\"c\":10.0,\"kernel\":\"rbf\"}");
	json_decref(assignments);
	mb_str_release(&text);
	mb_space_release(&space);
}

static const char *complaint(const struct mb_space *space, const char *text)
{
	static struct mb_err err;
	static char words[2200];
	json_t *assignments = json(text);
	double u[16];
	int bad = mb_space_check(space, assignments, &err);

	CHECK(bad == mb_space_locate(space, assignments, u));
	if (bad)
		CHECK_INT(err.code, MB_EXIT_RECORD);
	json_decref(assignments);
	return bad ? mb_err_text(&err, words, sizeof words) : "";
}

TEST(says_what_is_outside)
{
	struct mb_space space = conditional_space();

	add_range(&space, "x", MB_PARAM_DOUBLE, 0, 10, 0);
	CHECK_TEXT(complaint(&space, "{\"model\":\"mlp\",\"always\":1,\"x\":10}"), "");
	CHECK_TEXT(complaint(&space, "{\"x\":0.0,\"always\":1.0,\"model\":\"mlp\"}"), "");
	CHECK_TEXT(complaint(&space, "{\"model\":\"mlp\",\"always\":1,\"x\":12}"),
		   "assignments.x: 12 is not in [0, 10]");
	CHECK_TEXT(complaint(&space, "{\"model\":\"mlp\",\"always\":1,\"x\":\"2\"}"),
		   "assignments.x: \"2\" is not a number in [0, 10]");
	CHECK_TEXT(complaint(&space, "{\"model\":\"mlp\",\"always\":1}"),
		   "assignments.x: missing, expected a number in [0, 10]");
	CHECK_TEXT(complaint(&space, "{\"model\":\"mlp\",\"always\":7,\"x\":1}"),
		   "assignments.always: 7 is not one of 1, 2, 3, 4, 5");
	CHECK_TEXT(complaint(&space, "{\"model\":\"tree\",\"always\":1,\"depth\":1.5,\"x\":1}"),
		   "assignments.depth: 1.5 is not an integer in [1, 4]");
	CHECK_TEXT(complaint(&space, "{\"model\":\"tree\",\"always\":1,\"depth\":5,\"x\":1}"),
		   "assignments.depth: 5 is not in [1, 4]");
	CHECK_TEXT(complaint(&space, "{\"model\":\"mlp\",\"always\":1,\"depth\":1,\"x\":1}"),
		   "assignments.depth: is not active while model is \"mlp\"");
	CHECK_TEXT(complaint(&space, "{\"model\":\"knn\",\"always\":1,\"x\":1}"),
		   "assignments.model: \"knn\" is not one of \"svm\", \"tree\", \"mlp\"");
	CHECK_TEXT(complaint(&space, "{\"always\":1,\"x\":1}"),
		   "assignments.model: missing, expected one of \"svm\", \"tree\", \"mlp\"");
	CHECK_TEXT(complaint(&space, "{\"model\":\"mlp\",\"alway\":1,\"x\":1}"),
		   "assignments.alway: no parameter of that name (did you mean always?)");
	CHECK_TEXT(complaint(&space, "{\"model\":\"mlp\",\"always\":1,\"x\":1,\"\\u001b[2J\":1}"),
		   "assignments.\\x1b[2J: no parameter of that name");
	CHECK_TEXT(complaint(&space, "[]"), "assignments: [] is not an object");
	CHECK_TEXT(complaint(&space, "{\"model\":\"mlp\",\"always\":null,\"x\":1}"),
		   "assignments.always: null is not one of 1, 2, 3, 4, 5");
	mb_space_release(&space);
}

static uint64_t key(const struct mb_space *space, const char *text)
{
	json_t *assignments = json(text);
	uint64_t hash = mb_space_key(space, assignments);

	json_decref(assignments);
	return hash;
}

TEST(keys_points_by_content)
{
	struct mb_space space = conditional_space();
	uint64_t one = key(&space, "{\"model\":\"mlp\",\"always\":1}");

	CHECK(one == key(&space, "{\"always\":1.0,\"model\":\"mlp\"}"));
	CHECK(one == key(&space, "{\"always\":1,\"model\":\"mlp\",\"depth\":3}")); /* inactive */
	CHECK(one != key(&space, "{\"always\":2,\"model\":\"mlp\"}"));
	CHECK(one != key(&space, "{\"always\":true,\"model\":\"mlp\"}"));
	CHECK(one != key(&space, "{\"always\":\"1\",\"model\":\"mlp\"}"));
	add_values(&space, "layers", MB_PARAM_CATEGORICAL, "[[1,2],[12],[[1],2]]");
	CHECK(key(&space, "{\"model\":\"mlp\",\"always\":1,\"layers\":[1,2]}") ==
	      key(&space, "{\"model\":\"mlp\",\"always\":1,\"layers\":[1.0,2e0]}"));
	CHECK(key(&space, "{\"model\":\"mlp\",\"always\":1,\"layers\":[1,2]}") !=
	      key(&space, "{\"model\":\"mlp\",\"always\":1,\"layers\":[[1],2]}"));
	CHECK(key(&space, "{\"model\":\"mlp\",\"always\":1,\"layers\":[1,2]}") !=
	      key(&space, "{\"model\":\"mlp\",\"always\":1,\"layers\":[2,1]}"));
	mb_space_release(&space);
}

/* Ranges of all sizes, grids and categoricals, some under conditions. */
static void random_param(struct mb_space *space, struct mb_rng *rng, const char *name)
{
	static const char *const lists[] = {"[1]", "[0.5,1e-7,3.0]", "[\"a\",\"b\",\"c\",\"d\",\"e\"]",
					    "[[1],[1,1],[],true,false,0,\"1\"]"};
	double a = mb_rng_normal(rng) * pow(10, 40 * mb_rng_unit(rng) - 20), b = a * (1 + 10 * mb_rng_unit(rng));
	int kind = (int)mb_rng_below(rng, 6);
	struct mb_param *param;

	if (kind == 0) {
		param = add_range(space, name, MB_PARAM_DOUBLE, fmin(a, b), fmax(a, b), 0);
	} else if (kind == 1) {
		param = add_range(space, name, MB_PARAM_DOUBLE, fabs(a), fabs(b), 1);
	} else if (kind == 2) {
		param = add_range(space, name, MB_PARAM_DOUBLE, -fabs(a), fabs(b), 0); /* around 0 */
	} else if (kind < 5) {
		double low = floor(pow(10, 15 * mb_rng_unit(rng)));

		param = add_range(space, name, MB_PARAM_INT, low, low + 1 + floor(pow(10, 15 * mb_rng_unit(rng))),
				  kind == 4);
	} else {
		param = add_values(space, name, MB_PARAM_CATEGORICAL, lists[mb_rng_below(rng, MB_COUNT(lists))]);
	}
	if (param->min == param->max && !param->values)
		param->max = param->min + fabs(param->min) + 1;
	if (space->n_conditionals && mb_rng_below(rng, 2))
		add_condition(space, param, mb_rng_below(rng, space->n_conditionals),
			      mb_rng_below(rng, 2) ? "100" : "011");
}

static struct mb_space random_space(struct mb_rng *rng)
{
	struct mb_space space = {0};
	size_t conditionals = mb_rng_below(rng, 3), params = 1 + mb_rng_below(rng, 6);
	char name[32];

	for (size_t i = 0; i < conditionals; i++) {
		snprintf(name, sizeof name, "c%zu", i);
		add_conditional(&space, name, "[\"p\",\"q\",3]");
	}
	for (size_t i = 0; i < params; i++) {
		snprintf(name, sizeof name, "x%zu", i);
		random_param(&space, rng, name);
	}
	return space;
}

static uint64_t random_seed(void)
{
	const char *given = getenv("SPACE_SEED");

	return given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
}

/* The same members with the order turned around and whole numbers in the other type. */
static json_t *other_writing(const json_t *assignments)
{
	json_t *other = json_object(), *object = (json_t *)assignments;
	const char *names[32];
	size_t n = 0;

	for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it))
		names[n++] = json_object_iter_key(it);
	while (n-- > 0) {
		json_t *value = json_object_get(assignments, names[n]);
		double real = json_number_value(value);

		if (json_is_integer(value))
			json_object_set_new(other, names[n], json_real(real));
		else if (json_is_real(value) && real == floor(real) && fabs(real) < 0x1p62)
			json_object_set_new(other, names[n], json_integer((json_int_t)real));
		else
			json_object_set(other, names[n], value);
	}
	return other;
}

/* point → locate → point gives the same point to the bit, in the space; the writing does not change its key. */
static void check_random_point(const struct mb_space *space, const double *u, uint64_t seed, int round)
{
	json_t *assignments = mb_space_point(space, u), *again, *other = other_writing(assignments);
	struct mb_str first = {0}, second = {0};
	struct mb_err err;
	double v[16];

	mb_json_print(assignments, &first);
	if (mb_space_check(space, assignments, &err) < 0) {
		FAIL("seed %llu, space %d: %s: %s", (unsigned long long)seed, round, first.at, err.what);
	} else if (mb_space_locate(space, assignments, v) < 0) {
		FAIL("seed %llu, space %d: %s has no coordinates", (unsigned long long)seed, round, first.at);
	} else {
		again = mb_space_point(space, v);
		mb_json_print(again, &second);
		if (strcmp(first.at, second.at))
			FAIL("seed %llu, space %d: %s came back as %s", (unsigned long long)seed, round, first.at,
			     second.at);
		json_decref(again);
	}
	CHECK(mb_space_key(space, assignments) == mb_space_key(space, other));
	CHECK(mb_space_check(space, other, &err) == 0);
	mb_str_release(&first);
	mb_str_release(&second);
	json_decref(assignments);
	json_decref(other);
}

TEST(coordinates_are_the_inverse_of_points)
{
	uint64_t seed = random_seed();
	struct mb_rng rng;

	printf("# SPACE_SEED=%llu\n", (unsigned long long)seed);
	mb_rng_init(&rng, seed, 0, MB_RNG_SUGGEST);
	for (int round = 0; round < 1000; round++) {
		struct mb_space space = random_space(&rng);
		double u[16];

		for (int trial = 0; trial < 20; trial++) {
			for (size_t i = 0; i < mb_space_dims(&space); i++)
				u[i] = trial == 0 ? 0 : trial == 1 ? 1 : mb_rng_unit(&rng);
			check_random_point(&space, u, seed, round);
		}
		mb_space_release(&space);
	}
}

/* A value that a user wrote need not be any u's; its coordinate decodes to a neighbour. */
TEST(locates_numbers_that_it_did_not_make)
{
	struct mb_space space = {0};
	json_t *assignments = json("{\"x\":0.1234567890123,\"y\":1e-7}");
	json_t *again;
	double u[2];

	add_range(&space, "x", MB_PARAM_DOUBLE, -1e6, 1e6, 0);
	add_range(&space, "y", MB_PARAM_DOUBLE, 1e-7, 1, 1);
	CHECK_INT(mb_space_locate(&space, assignments, u), 0);
	CHECK_NEAR(u[0], 0.50000006172839450615, 1e-16);
	CHECK_NEAR(u[1], 0, 0);
	again = mb_space_point(&space, u);
	CHECK_NEAR(json_real_value(json_object_get(again, "x")), 0.1234567890123, 3e-10);
	json_decref(again);
	json_decref(assignments);
	mb_space_release(&space);
}

/* ---- priors ---- */

static struct mb_param *set_prior(struct mb_param *param, enum mb_prior_kind kind, double a, double b)
{
	param->prior = (struct mb_prior){kind, a, b};
	return param;
}

TEST(a_normal_prior_bends_the_coordinates)
{
	struct mb_space space = {0};

	/* within ±10 deviations: the plain quantiles */
	set_prior(add_range(&space, "x", MB_PARAM_DOUBLE, -20, 30, 0), MB_PRIOR_NORMAL, 5, 2);
	CHECK_NEAR(number(&space, 0.5), 5, 1e-12);
	CHECK_NEAR(number(&space, 0.975), 5 + 2 * 1.959963984540054, 1e-12);
	CHECK_NEAR(number(&space, 0.25), 5 - 2 * 0.6744897501960817, 1e-12);
	CHECK_NEAR(number(&space, 0), -20, 1e-12);
	CHECK_NEAR(number(&space, 1), 30, 1e-12);
	mb_space_release(&space);

	/* cut in half at its mean: u = 1/2 is where the whole has 3/4 */
	set_prior(add_range(&space, "x", MB_PARAM_DOUBLE, 5, 30, 0), MB_PRIOR_NORMAL, 5, 2);
	CHECK_NEAR(number(&space, 0.5), 5 + 2 * 0.6744897501960817, 1e-12);
	CHECK_NEAR(number(&space, 0), 5, 0);
	mb_space_release(&space);

	/* log: mean and scale are of log10 */
	set_prior(add_range(&space, "x", MB_PARAM_DOUBLE, 1e-20, 1e20, 1), MB_PRIOR_NORMAL, -3, 0.5);
	CHECK_NEAR(number(&space, 0.5) / 1e-3, 1, 1e-12);
	CHECK_NEAR(number(&space, 0.975) / pow(10, -3 + 0.5 * 1.959963984540054), 1, 1e-12);
	mb_space_release(&space);

	/* so wide that it is flat, and so narrow that it is a point */
	set_prior(add_range(&space, "x", MB_PARAM_DOUBLE, 0, 1, 0), MB_PRIOR_NORMAL, 0.3, 1e200);
	CHECK_NEAR(number(&space, 0.7), 0.7, 1e-12);
	mb_space_release(&space);
	set_prior(add_range(&space, "x", MB_PARAM_DOUBLE, 0, 1, 0), MB_PRIOR_NORMAL, 0.3, 1e-200);
	CHECK_NEAR(number(&space, 0.7), 0.3, 1e-12);
	mb_space_release(&space);
}

TEST(a_beta_prior_is_stretched_over_the_bounds)
{
	struct mb_space space = {0};

	set_prior(add_range(&space, "x", MB_PARAM_DOUBLE, 10, 20, 0), MB_PRIOR_BETA, 2, 3);
	CHECK_NEAR(number(&space, 11.0 / 16), 15, 1e-9);
	CHECK_NEAR(number(&space, 0), 10, 0);
	CHECK_NEAR(number(&space, 1), 20, 0);
	mb_space_release(&space);

	/* Beta(1/2, 1/2) has the share 2/π asin √x; in the middle of the logarithm as well */
	set_prior(add_range(&space, "x", MB_PARAM_DOUBLE, 1e-4, 1, 1), MB_PRIOR_BETA, 0.5, 0.5);
	CHECK_NEAR(number(&space, 0.5), 1e-2, 1e-12);
	CHECK_NEAR(number(&space, 1.0 / 3), pow(10, -4 + 4 * 0.25), 1e-12);
	mb_space_release(&space);
}

/* Each int has the share of the normal within half a step of it. */
TEST(an_int_with_a_prior_keeps_its_share)
{
	enum { DRAWS = 100000 };
	struct mb_space space = {0};
	unsigned count[10] = {0};
	double all, want;

	set_prior(add_range(&space, "k", MB_PARAM_INT, 0, 9, 0), MB_PRIOR_NORMAL, 3, 1.5);
	for (int i = 0; i < DRAWS; i++)
		count[(int)number(&space, (i + 0.5) / DRAWS)]++;
	all = mb_normal_cdf(6.5 / 1.5) - mb_normal_cdf(-3.5 / 1.5);
	for (int k = 0; k < 10; k++) {
		want = mb_normal_cdf((k - 2.5) / 1.5) - mb_normal_cdf((k - 3.5) / 1.5);
		CHECK_NEAR(count[k] / (double)DRAWS, want / all, 2.0 / DRAWS);
	}
	mb_space_release(&space);
}

TEST(coordinates_with_a_prior_are_near_the_inverse)
{
	struct mb_space space = {0};
	double u[4], v[4];

	set_prior(add_range(&space, "a", MB_PARAM_DOUBLE, -1, 3, 0), MB_PRIOR_NORMAL, 0, 0.7);
	set_prior(add_range(&space, "b", MB_PARAM_DOUBLE, 1e-6, 1, 1), MB_PRIOR_BETA, 0.6, 4);
	set_prior(add_range(&space, "c", MB_PARAM_INT, 1, 500, 1), MB_PRIOR_NORMAL, 1.5, 0.4);
	set_prior(add_range(&space, "d", MB_PARAM_INT, -4, 4, 0), MB_PRIOR_BETA, 2, 2);
	for (int i = 0; i < 1000; i++) {
		json_t *first, *second;

		for (size_t k = 0; k < 4; k++)
			u[k] = (i * 7919 % 1000 + 0.5 + k) / 1004;
		first = mb_space_point(&space, u);
		CHECK_INT(mb_space_locate(&space, first, v), 0);
		CHECK_NEAR(v[0], u[0], 1e-9);
		CHECK_NEAR(v[1], u[1], 1e-9);
		second = mb_space_point(&space, v);
		for (int k = 2; k < 4; k++)
			CHECK(json_equal(json_object_get(first, space.params[k].name),
					 json_object_get(second, space.params[k].name)));
		mb_space_settle(&space, u);
		CHECK_NEAR(u[2], v[2], 1e-12);
		CHECK_NEAR(u[3], v[3], 1e-12);
		json_decref(first);
		json_decref(second);
	}
	mb_space_release(&space);
}

/* ---- linear constraints ---- */

static void add_constraint(struct mb_space *space, int at_least, double threshold, size_t n,
			   const struct mb_term *terms)
{
	struct mb_constraint *constraint;

	space->constraints = mb_realloc(space->constraints, (space->n_constraints + 1) * sizeof *space->constraints);
	constraint = &space->constraints[space->n_constraints++];
	*constraint = (struct mb_constraint){.at_least = at_least, .threshold = threshold, .n_terms = n, .line = 1};
	constraint->terms = mb_alloc(n * sizeof *terms);
	memcpy(constraint->terms, terms, n * sizeof *terms);
}

static void check_point(const struct mb_space *space, const char *text, const char *want)
{
	json_t *assignments = json(text);
	struct mb_err err = {0};
	int bad = mb_space_check(space, assignments, &err);

	CHECK_INT(bad, *want ? -1 : 0);
	CHECK_INT(mb_space_allows(space, assignments), !bad);
	CHECK_TEXT(err.what, want);
	json_decref(assignments);
}

TEST(linear_constraints_are_part_of_the_check)
{
	struct mb_space space = {0};

	add_range(&space, "x", MB_PARAM_DOUBLE, 0, 10, 0);
	add_range(&space, "y", MB_PARAM_INT, 0, 10, 0);
	add_values(&space, "z", MB_PARAM_DOUBLE, "[0.25, 0.5]");
	add_constraint(&space, 0, 5, 2, (struct mb_term[]){{0, 1}, {1, -2.5}});
	add_constraint(&space, 1, 0.5, 3, (struct mb_term[]){{0, -1}, {1, 1}, {2, 1}});
	check_point(&space, "{\"x\":0, \"y\":1, \"z\":0.25}", "");
	check_point(&space, "{\"x\":7, \"y\":10, \"z\":0.5}", "");
	check_point(&space, "{\"x\":1, \"y\":1, \"z\":0.5}", ""); /* both ends belong to it */
	check_point(&space, "{\"x\":10, \"y\":1, \"z\":0.25}",
		    "assignments: x - 2.5 y <= 5 does not hold, the left side is 7.5");
	check_point(&space, "{\"x\":3, \"y\":3, \"z\":0.25}",
		    "assignments: -x + y + z >= 0.5 does not hold, the left side is 0.25");
	mb_space_release(&space);

	/* 0.1 + 0.2 is more than 0.3 in binary */
	add_range(&space, "x", MB_PARAM_DOUBLE, 0, 1, 0);
	add_range(&space, "y", MB_PARAM_DOUBLE, 0, 1, 0);
	add_constraint(&space, 0, 0.3, 2, (struct mb_term[]){{0, 1}, {1, 1}});
	check_point(&space, "{\"x\":0.1, \"y\":0.2}", "");
	mb_space_release(&space);
}

TEST(a_default_point_that_breaks_a_constraint_is_none)
{
	struct mb_space space = {0};
	json_t *point;

	add_range(&space, "x", MB_PARAM_INT, 0, 10, 0)->fallback = json_integer(8);
	add_range(&space, "y", MB_PARAM_INT, 0, 10, 0);
	point = mb_space_default(&space);
	CHECK_INT(json_integer_value(json_object_get(point, "y")), 5);
	json_decref(point);
	add_constraint(&space, 0, 12, 2, (struct mb_term[]){{0, 1}, {1, 1}});
	CHECK(!mb_space_default(&space));
	mb_space_release(&space);
}

TEST_MAIN
