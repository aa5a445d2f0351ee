/* SPDX-License-Identifier: MIT
 *
 * The search space: encodings held to numbers worked out by hand, and properties over random spaces (the seed is
 * printed; SPACE_SEED=N repeats one).
 */
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "build_space.h"
#include "data/space.h"

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

TEST_MAIN
