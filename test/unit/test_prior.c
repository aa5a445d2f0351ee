/* SPDX-License-Identifier: MIT
 *
 * Priors and linear constraints: what they make of the space, held to quantiles and sums worked out by hand.
 */
#include <stdlib.h>

#include "check.h"
#include "build_space.h"
#include "data/space.h"

static double number(const struct mb_space *space, double u)
{
	json_t *assignments = mb_space_point(space, &u);
	double value = json_number_value(json_object_get(assignments, space->params[0].name));

	json_decref(assignments);
	return value;
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
