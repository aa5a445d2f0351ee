/* SPDX-License-Identifier: MIT
 *
 * Draws from what linear constraints leave, against distributions that are known: the simplex, an equation, a thin slab
 * across a logarithm, sums of integers.
 */
#include "check.h"

#include "build_space.h"
#include "data/data.h"

enum { SEED = 5 };

static struct mb_constraint *add_constraint(struct mb_space *space, int at_least, double threshold)
{
	struct mb_constraint *constraint;

	space->constraints = mb_realloc(space->constraints, (space->n_constraints + 1) * sizeof *space->constraints);
	constraint = &space->constraints[space->n_constraints++];
	*constraint = (struct mb_constraint){.at_least = at_least, .threshold = threshold, .line = 1};
	return constraint;
}

static void add_term(struct mb_constraint *constraint, size_t param, double weight)
{
	constraint->terms = mb_realloc(constraint->terms, (constraint->n_terms + 1) * sizeof *constraint->terms);
	constraint->terms[constraint->n_terms++] = (struct mb_term){param, weight};
}

/* low <= sum of the first n <= high */
static void hold_sum(struct mb_space *space, size_t n, double low, double high)
{
	for (int at_least = 0; at_least < 2; at_least++) {
		struct mb_constraint *constraint = add_constraint(space, at_least, at_least ? low : high);

		for (size_t i = 0; i < n; i++)
			add_term(constraint, i, 1);
	}
}

static void add_ranges(struct mb_space *space, size_t n, enum mb_param_type type, double min, double max)
{
	char name[32];

	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof name, "x%zu", i);
		add_range(space, name, type, min, max, 0);
	}
}

/* n draws: calls `see` with the values of the numeric parameters of each, which must keep the constraints. */
static void draw(const struct mb_space *space, int n, void (*see)(const double *x, void *to), void *to)
{
	struct mb_feasible feasible;
	double u[32], x[32];
	struct mb_rng rng;
	int broken = 0;

	mb_rng_init(&rng, SEED, 1, MB_RNG_SUGGEST);
	if (mb_feasible_init(&feasible, space, &rng) < 0) {
		FAIL("no point found");
		mb_feasible_release(&feasible);
		return;
	}
	for (int i = 0; i < n; i++) {
		json_t *point;

		mb_feasible_draw(&feasible, &rng, u);
		point = mb_space_point(space, u);
		broken += !mb_space_allows(space, point);
		for (size_t j = 0; j < space->n_params; j++)
			x[j] = json_number_value(json_object_get(point, space->params[j].name));
		see(x, to);
		json_decref(point);
	}
	CHECK_INT(broken, 0);
	mb_feasible_release(&feasible);
}

struct moments {
	int n;
	double first, sum, below; /* of x0, of the sum of all `dims`, share of x0 < `mark` */
	size_t dims;
	double mark;
};

static void see_moments(const double *x, void *to)
{
	struct moments *moments = to;

	moments->n++;
	moments->first += x[0];
	moments->below += x[0] < moments->mark;
	for (size_t i = 0; i < moments->dims; i++)
		moments->sum += x[i];
}

/* Uniform on the simplex of nine dimensions, which is 1/9! = 2.8e-6 of the cube: x0 is Beta(1, 9), the sum Beta(9, 1). */
TEST(the_simplex)
{
	struct moments moments = {.dims = 9, .mark = 1 - pow(0.5, 1.0 / 9)};
	struct mb_space space = {0};

	add_ranges(&space, 9, MB_PARAM_DOUBLE, 0, 1);
	hold_sum(&space, 9, -1, 1);
	draw(&space, 4000, see_moments, &moments);
	CHECK_NEAR(moments.first / moments.n, 0.1, 0.008);
	CHECK_NEAR(moments.sum / moments.n, 0.9, 0.01);
	CHECK_NEAR(moments.below / moments.n, 0.5, 0.04);
	mb_space_release(&space);
}

/* x + y + z = 1 has no volume at all. x is Beta(1, 2). */
TEST(an_equation)
{
	struct moments moments = {.dims = 3, .mark = 0.5};
	struct mb_space space = {0};

	add_ranges(&space, 4, MB_PARAM_DOUBLE, 0, 1);
	hold_sum(&space, 3, 1, 1);
	draw(&space, 4000, see_moments, &moments);
	CHECK_NEAR(moments.sum / moments.n, 1, 1e-9);
	CHECK_NEAR(moments.first / moments.n, 1.0 / 3, 0.02);
	CHECK_NEAR(moments.below / moments.n, 0.75, 0.03);
	mb_space_release(&space);
}

/* A slab of 1e-6 across a logarithm: uniform in the logarithm, of which .9 is left: the median is 1e-3 · 1000^.45. */
TEST(a_slab_is_uniform_in_coordinates)
{
	struct moments moments = {.dims = 2, .mark = 1e-3 * pow(1000, 0.5 * log(0.5 / 1e-3) / log(1000))};
	struct mb_space space = {0};

	add_range(&space, "rate", MB_PARAM_DOUBLE, 1e-3, 1, 1);
	add_range(&space, "x", MB_PARAM_DOUBLE, 0, 1, 0);
	hold_sum(&space, 2, 0.5, 0.500001);
	draw(&space, 4000, see_moments, &moments);
	CHECK_NEAR(moments.below / moments.n, 0.5, 0.04);
	mb_space_release(&space);
}

/* And with a prior: normal, mean .3, scale .1, on the part below .3. The median is the quantile 1/4. */
TEST(a_slab_follows_a_prior)
{
	struct moments moments = {.dims = 2, .mark = 0.3 - 0.06745};
	struct mb_space space = {0};

	add_range(&space, "rate", MB_PARAM_DOUBLE, 0, 1, 0)->prior = (struct mb_prior){MB_PRIOR_NORMAL, 0.3, 0.1};
	add_range(&space, "x", MB_PARAM_DOUBLE, 0, 0.3, 0);
	hold_sum(&space, 2, 0.3, 0.300001);
	draw(&space, 4000, see_moments, &moments);
	CHECK_NEAR(moments.below / moments.n, 0.5, 0.04);
	mb_space_release(&space);
}

/* Ten integers of 0 … 20 that sum to 50: each has the mean 5 by symmetry. */
TEST(integers_with_a_sum)
{
	struct moments moments = {.dims = 10, .mark = 5};
	struct mb_space space = {0};

	add_ranges(&space, 10, MB_PARAM_INT, 0, 20);
	hold_sum(&space, 10, 50, 50);
	draw(&space, 4000, see_moments, &moments);
	CHECK_NEAR(moments.sum / moments.n, 50, 0);
	CHECK_NEAR(moments.first / moments.n, 5, 0.4);
	mb_space_release(&space);
}

/* x0 of a grid, x1 an int and x2 continuous: only 2 · 8 + 5 · 4 = 36 and what adds up like it. */
TEST(a_grid_an_int_and_a_range)
{
	struct moments moments = {.dims = 2, .mark = 7};
	struct mb_constraint *constraint;
	struct mb_space space = {0};

	add_values(&space, "x0", MB_PARAM_INT, "[1, 2, 4, 8, 16]");
	add_range(&space, "x1", MB_PARAM_INT, 0, 1000, 0);
	add_range(&space, "x2", MB_PARAM_DOUBLE, 0, 1, 0);
	space.params[0].min = 1;
	space.params[0].max = 16;
	for (int at_least = 0; at_least < 2; at_least++) {
		constraint = add_constraint(&space, at_least, 36);
		add_term(constraint, 0, 2);
		add_term(constraint, 1, 5);
	}
	draw(&space, 2000, see_moments, &moments);
	/* (8, 4) alone: 2 x0 is 6 or 16 or 26 modulo 10 */
	CHECK_NEAR(moments.first / moments.n, 8, 0);
	CHECK_NEAR(moments.sum / moments.n, 12, 0);
	mb_space_release(&space);
}

TEST(what_is_wide_is_drawn_by_rejection)
{
	struct moments moments = {.dims = 2, .mark = 0.5};
	struct mb_feasible feasible;
	struct mb_space space = {0};
	struct mb_rng rng;

	add_ranges(&space, 2, MB_PARAM_DOUBLE, 0, 1);
	hold_sum(&space, 2, 0, 1);
	mb_rng_init(&rng, SEED, 1, MB_RNG_SUGGEST);
	CHECK_INT(mb_feasible_init(&feasible, &space, &rng), 0);
	CHECK(feasible.rejects);
	mb_feasible_release(&feasible);
	draw(&space, 4000, see_moments, &moments);
	CHECK_NEAR(moments.below / moments.n, 0.75, 0.03);
	mb_space_release(&space);
}

TEST(what_cannot_be_is_not_found)
{
	struct mb_feasible feasible;
	struct mb_space space = {0};
	struct mb_rng rng;

	add_ranges(&space, 3, MB_PARAM_DOUBLE, 0, 1);
	hold_sum(&space, 3, 1, 0.9999);
	mb_rng_init(&rng, SEED, 1, MB_RNG_SUGGEST);
	CHECK_INT(mb_feasible_init(&feasible, &space, &rng), -1);
	mb_feasible_release(&feasible);
	mb_space_release(&space);
}

/* From a corner of the simplex: never out, and never farther than it may. */
TEST(near_stays_near)
{
	struct mb_feasible feasible;
	struct mb_space space = {0};
	struct mb_rng rng;
	double moved = 0, most = 0;

	add_ranges(&space, 6, MB_PARAM_DOUBLE, 0, 1);
	hold_sum(&space, 6, 1, 1);
	mb_rng_init(&rng, SEED, 1, MB_RNG_SUGGEST);
	CHECK_INT(mb_feasible_init(&feasible, &space, &rng), 0);
	for (int i = 0; i < 200; i++) {
		double u[6] = {0.5, 0.25, 0.25, 0, 0, 0}, sum = 0;

		mb_feasible_near(&feasible, &rng, 0.01, u);
		for (int j = 0; j < 6; j++)
			sum += u[j];
		CHECK_NEAR(sum, 1, 1e-10);
		moved += fabs(u[0] - 0.5);
		most = fmax(most, fabs(u[0] - 0.5));
	}
	CHECK(moved / 200 > 1e-4 && most < 0.08 + 1e-9);
	mb_feasible_release(&feasible);
	mb_space_release(&space);
}

TEST_MAIN
