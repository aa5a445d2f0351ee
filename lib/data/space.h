/* SPDX-License-Identifier: MIT
 *
 * The search space: parameters of three types, and conditionals, categorical names that decide which parameters are
 * active. A point is an `assignments` object; its coordinates are in the unit cube, one per dimension: first the
 * conditionals, then the parameters, in the order of the file.
 *
 *     json_t *assignments = mb_space_point(space, u);      // u: mb_space_dims(space) numbers in [0, 1]
 *     if (mb_hashset_add(&seen, mb_space_key(space, assignments))) …
 */
#ifndef MB_DATA_SPACE_H
#define MB_DATA_SPACE_H

#include <stddef.h>
#include <stdint.h>

#include "data/json.h"

enum mb_param_type { MB_PARAM_DOUBLE, MB_PARAM_INT, MB_PARAM_CATEGORICAL };

/* The distribution that a range is drawn from: NORMAL with mean a and standard deviation b in the space of the
 * transformation (log10 with log), truncated to the bounds; BETA with the shapes a and b, stretched over the bounds. */
enum mb_prior_kind { MB_PRIOR_NONE, MB_PRIOR_NORMAL, MB_PRIOR_BETA };

struct mb_prior {
	enum mb_prior_kind kind; /* NONE: uniform */
	double a, b;
};

/* The parameter is active only while conditional `conditional` has one of the allowed values. */
struct mb_condition {
	size_t conditional; /* index into space->conditionals */
	unsigned char *allowed; /* one flag a value */
};

struct mb_param {
	char *name;
	enum mb_param_type type;
	int line;             /* in the experiment file */
	double min, max;      /* of a range; also the extremes of a numeric grid */
	int log;              /* transformation: log; min > 0 then */
	json_t *values;       /* categorical values or the grid, in file order; NULL for a range */
	size_t n_values;      /* 0 for a range */
	struct mb_prior prior; /* of a range */
	json_t *fallback;     /* default_value, tried first; NULL: none */
	struct mb_condition *conditions;
	size_t n_conditions;
};

struct mb_conditional {
	char *name;
	json_t *values; /* array */
	size_t n_values;
};

/* The sum of weight times value over the terms is at most, or at least, the threshold, both included. The terms are
 * numeric parameters that are always active. */
struct mb_term {
	size_t param; /* index into space->params */
	double weight;
};

struct mb_constraint {
	int at_least; /* greater_than */
	double threshold;
	struct mb_term *terms;
	size_t n_terms;
	int line; /* in the experiment file */
};

struct mb_space {
	struct mb_param *params;
	size_t n_params;
	struct mb_conditional *conditionals;
	size_t n_conditionals;
	struct mb_constraint *constraints;
	size_t n_constraints;
};

size_t mb_space_dims(const struct mb_space *space);

/* The assignments at u; inactive parameters are absent, their coordinates not read. What is outside [0, 1] is taken as
 * its end. A uniform u gives points distributed by the parameters' priors. Linear constraints are not looked at: ask
 * mb_space_allows. The caller decrefs. */
json_t *mb_space_point(const struct mb_space *space, const double *u);

/* 1 when the numbers in the assignments keep all linear constraints. */
int mb_space_allows(const struct mb_space *space, const json_t *assignments);

/* The same of the point at u, without its assignments being made. */
int mb_space_allows_at(const struct mb_space *space, const double *u);

/* Makes u what mb_space_locate would say of the point at u: NaN where inactive, the middle where there are cells. */
void mb_space_settle(const struct mb_space *space, double *u);

/* The ends of the cell of coordinate `dim` at u, all points of which are the same value: 1; 0 for a double range. */
int mb_space_cell(const struct mb_space *space, size_t dim, double u, double *low, double *high);

/* The point of all defaults, the middle of the range (first value of a categorical) where there is none; NULL when no
 * parameter has a default, or when that point breaks a linear constraint. */
json_t *mb_space_default(const struct mb_space *space);

/* How many distinct points there are, linear constraints aside; UINT64_MAX when not countable (a continuous range) or more than 2^63. */
uint64_t mb_space_size(const struct mb_space *space);

/* Point number `index`, in mixed-radix order, the last dimension fastest; index < mb_space_size(space). */
json_t *mb_space_at(const struct mb_space *space, uint64_t index);

/* The coordinates of a point, inverse of mb_space_point: in [0, 1], the middle of the cell where there are cells; -1
 * when it lies outside the space. An inactive dimension gets NaN. u: mb_space_dims(space). A number of a double range
 * that no coordinate hits exactly (a user's own) gets a nearest one, with a prior one that is near, and so does an int so
 * far out that its prior has no coordinate left for it. Linear constraints are not looked at. */
int mb_space_locate(const struct mb_space *space, const json_t *assignments, double *u);

/* 0 when the assignments are a point of the space, else -1 and what is wrong ("assignments.x: 12 is not in [0, 10]"). */
int mb_space_check(const struct mb_space *space, const json_t *assignments, struct mb_err *err);

/* Equal for equal points, whatever the order of the members; 1 and 1.0 are equal. */
uint64_t mb_space_key(const struct mb_space *space, const json_t *assignments);

/* In words, appended: "double, 1e-05 to 0.1, log, default 0.001, while model is one of svm, mlp"; "x + 2 y <= 1". */
void mb_space_param_text(const struct mb_space *space, const struct mb_param *param, struct mb_str *text);
void mb_space_constraint_text(const struct mb_space *space, const struct mb_constraint *constraint,
			      struct mb_str *text);

void mb_space_release(struct mb_space *space);

#endif
