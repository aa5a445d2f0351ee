/* SPDX-License-Identifier: MIT */
#include "opt/acquire.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "opt/algorithm.h"
#include "stat/stat.h"

enum {
	UNIFORM = 600,        /* points over the whole space */
	MUTATIONS = 30,       /* of each base on each scale */
	CLIMBERS = 8,         /* of the best, climbed from */
	ROUNDS = 5,           /* of mutations of these */
	TRIES = 16,           /* a climber and round */
	STEPS = 12,           /* of the gradient */
	MOST_DRAWS = 20,      /* times UNIFORM, where linear constraints forbid most of the cube */
	TABLE = 1500          /* points of a space that are all looked at */
};

/* What a search by a slow model looks at. */
static size_t share(const struct mb_acquire *acquire, size_t all)
{
	return acquire->brief ? all / 4 : all;
}

static const double scales[] = {0.2, 0.07, 0.02};

#define ANEW 0.05 /* of mutated numbers are drawn anew instead */

struct pool {
	const struct mb_acquire *acquire;
	struct mb_rng *rng;
	size_t dims, n, cap_u, cap_rows;
	double *u;    /* n × dims: as drawn, so that inactive coordinates have values too */
	double *rows; /* n × dims */
	double *settled, *row; /* scratch, dims */
	double *score;
	struct mb_hashset keys; /* of what was seen and of what is in the pool */
};

static void pool_init(struct pool *pool, const struct mb_acquire *acquire, struct mb_rng *rng)
{
	size_t dims = acquire->rows->dims;

	*pool = (struct pool){.acquire = acquire, .rng = rng, .dims = dims};
	pool->settled = mb_alloc(2 * dims * sizeof *pool->settled);
	pool->row = pool->settled + dims;
	for (size_t i = 0; i < acquire->history->n; i++) {
		mb_rows_put(acquire->rows, &acquire->history->u[i * dims], pool->row);
		mb_hashset_add(&pool->keys, mb_rows_key(acquire->rows, pool->row));
	}
}

static void pool_release(struct pool *pool)
{
	free(pool->u);
	free(pool->rows);
	free(pool->settled);
	free(pool->score);
	mb_hashset_release(&pool->keys);
}

/* Adds the point at u, if it is new and allowed. */
static int add(struct pool *pool, const double *u)
{
	const struct mb_rows *rows = pool->acquire->rows;
	size_t dims = pool->dims;

	memcpy(pool->settled, u, dims * sizeof *u);
	mb_space_settle(rows->space, pool->settled);
	if (!mb_space_allows_at(rows->space, pool->settled))
		return 0;
	mb_rows_put(rows, pool->settled, pool->row);
	if (!mb_hashset_add(&pool->keys, mb_rows_key(rows, pool->row)))
		return 0;
	pool->u = mb_grow(pool->u, &pool->cap_u, (pool->n + 1) * dims, sizeof *pool->u);
	pool->rows = mb_grow(pool->rows, &pool->cap_rows, (pool->n + 1) * dims, sizeof *pool->rows);
	memcpy(pool->u + pool->n * dims, u, dims * sizeof *u);
	memcpy(pool->rows + pool->n * dims, pool->row, dims * sizeof *u);
	pool->n++;
	return 1;
}

static void score_from(struct pool *pool, size_t from)
{
	const struct mb_acquire *acquire = pool->acquire;

	pool->score = mb_realloc(pool->score, (pool->n + 1) * sizeof *pool->score);
	acquire->score(acquire->context, pool->rows + from * pool->dims, pool->n - from, pool->score + from);
	for (size_t i = from; i < pool->n; i++)
		if (isnan(pool->score[i]))
			pool->score[i] = -INFINITY;
}

static void draw(struct pool *pool, double *u)
{
	for (size_t i = 0; i < pool->dims; i++)
		u[i] = mb_rng_unit(pool->rng);
}

static void add_uniform(struct pool *pool, double *u)
{
	size_t wanted = share(pool->acquire, UNIFORM);

	for (size_t i = 0, added = 0; i < MOST_DRAWS * wanted && added < wanted; i++) {
		draw(pool, u);
		added += (size_t)add(pool, u);
		if (i >= wanted && !pool->acquire->rows->space->n_constraints)
			break; /* a small space has no more to give */
	}
}

static double reflect(double u)
{
	u = fabs(u);
	u -= 2 * floor(u / 2);
	return u > 1 ? 2 - u : u;
}

static void mutate(struct pool *pool, const double *from, double change, double scale, double *to)
{
	const struct mb_rows *rows = pool->acquire->rows;
	size_t always = (size_t)mb_rng_below(pool->rng, pool->dims);

	for (size_t i = 0; i < pool->dims; i++) {
		to[i] = from[i];
		if (i != always && mb_rng_unit(pool->rng) >= change)
			continue;
		if (rows->category[i] || mb_rng_unit(pool->rng) < ANEW)
			to[i] = mb_rng_unit(pool->rng);
		else
			to[i] = reflect(from[i] + scale * mb_rng_normal(pool->rng));
	}
}

/* A base with values where it has none. */
static void fill(struct pool *pool, const double *base, double *u)
{
	for (size_t i = 0; i < pool->dims; i++)
		u[i] = isnan(base[i]) ? mb_rng_unit(pool->rng) : base[i];
}

static double share_of(size_t dims, double expected)
{
	return expected / (double)dims > 0.3 ? expected / (double)dims : 0.3;
}

static void add_mutations(struct pool *pool, const double *base, double *from, double *u)
{
	double change = share_of(pool->dims, 2);

	for (size_t scale = 0; scale < MB_COUNT(scales); scale++)
		for (size_t i = 0; i < share(pool->acquire, MUTATIONS); i++) {
			fill(pool, base, from);
			mutate(pool, from, change, scales[scale], u);
			add(pool, u);
		}
}

/* A conditional's change turns other parameters on, which are then drawn anew: three times. */
static void add_flips(struct pool *pool, const double *base, double *u)
{
	const struct mb_rows *rows = pool->acquire->rows;

	for (size_t i = 0; i < pool->dims; i++)
		for (size_t value = 0; rows->category[i] && value < rows->cells[i]; value++)
			for (int again = 0; again < (i < rows->space->n_conditionals ? 3 : 1); again++) {
				fill(pool, base, u);
				u[i] = ((double)value + 0.5) / (double)rows->cells[i];
				add(pool, u);
			}
}

/* The indices of the best of the pool, at most `most`, the best first, the earlier of equals. */
static size_t best_of(const struct pool *pool, size_t *at, size_t most)
{
	size_t n = 0;

	for (size_t i = 0; i < pool->n; i++) {
		size_t to = n;

		while (to > 0 && pool->score[i] > pool->score[at[to - 1]])
			to--;
		if (to >= most)
			continue;
		n += n < most;
		memmove(at + to + 1, at + to, (n - 1 - to) * sizeof *at);
		at[to] = i;
	}
	return n;
}

/* ---- climbing ---- */

/* Each climber goes on from the best of its mutations. */
static void climb_by_mutations(struct pool *pool, size_t *climber, size_t n, double *u)
{
	double change = share_of(pool->dims, 1.5), scale = 0.1;
	size_t tries = share(pool->acquire, TRIES);

	for (int round = 0; round < ROUNDS; round++, scale *= 0.6) {
		size_t from = pool->n, next[CLIMBERS + 1];

		for (size_t i = 0; i < n; i++) {
			next[i] = pool->n;
			for (size_t try = 0; try < tries; try++) {
				mutate(pool, pool->u + climber[i] * pool->dims, change, scale, u);
				add(pool, u);
			}
		}
		next[n] = pool->n;
		score_from(pool, from);
		for (size_t i = 0; i < n; i++)
			for (size_t at = next[i]; at < next[i + 1]; at++)
				if (pool->score[at] > pool->score[climber[i]])
					climber[i] = at;
	}
}

struct climb {
	const struct mb_acquire *acquire;
	const double *row; /* where it began */
	double *full, *by_row, *settled;
	size_t *free; /* the dimensions that move */
	size_t n;
};

static double descent(void *context, const double *x, double *gradient)
{
	struct climb *climb = context;
	const struct mb_acquire *acquire = climb->acquire;
	double score;

	for (size_t i = 0; i < climb->n; i++) {
		climb->full[climb->free[i]] = x[i];
		climb->settled[climb->free[i]] = x[i];
	}
	if (!mb_space_allows_at(acquire->rows->space, climb->settled))
		return INFINITY;
	score = acquire->gradient(acquire->context, climb->full, climb->by_row);
	for (size_t i = 0; i < climb->n; i++)
		gradient[i] = -climb->by_row[climb->free[i]];
	return isnan(score) ? INFINITY : -score;
}

/* From climber `at` along the gradient of the numbers that are continuous and active there. */
static void climb_by_gradient(struct pool *pool, size_t at)
{
	size_t dims = pool->dims;
	double *block = mb_alloc(7 * dims * sizeof *block), *x = block + 3 * dims, *low = x + dims, *high = low + dims;
	size_t *moves = mb_alloc(dims * sizeof *moves);
	struct climb climb = {.acquire = pool->acquire, .full = block, .by_row = block + dims,
			      .settled = block + 2 * dims, .free = moves};
	double *u = block + 6 * dims;

	memcpy(climb.full, pool->rows + at * dims, dims * sizeof *x);
	memcpy(u, pool->u + at * dims, dims * sizeof *u);
	memcpy(climb.settled, u, dims * sizeof *u);
	mb_space_settle(pool->acquire->rows->space, climb.settled);
	for (size_t i = 0; i < dims; i++)
		if (pool->acquire->rows->continuous[i] && !isnan(climb.settled[i])) {
			x[climb.n] = climb.full[i];
			high[climb.n] = 1;
			moves[climb.n++] = i;
		}
	if (climb.n) {
		mb_lbfgs(descent, &climb, x, low, high, climb.n, STEPS);
		for (size_t i = 0; i < climb.n; i++)
			u[moves[i]] = x[i];
		add(pool, u);
	}
	free(block);
	free(moves);
}

static void climb(struct pool *pool, double *u)
{
	size_t climber[CLIMBERS], n = best_of(pool, climber, share(pool->acquire, CLIMBERS)), from;

	climb_by_mutations(pool, climber, n, u);
	if (!pool->acquire->gradient)
		return;
	from = pool->n;
	for (size_t i = 0; i < n; i++)
		climb_by_gradient(pool, climber[i]);
	score_from(pool, from);
}

/* The best that is really unseen: rows know numbers to nine digits only. */
static json_t *take(const struct pool *pool)
{
	size_t best[64], n = best_of(pool, best, MB_COUNT(best));

	for (size_t i = 0; i < n; i++) {
		json_t *point = mb_space_point(pool->acquire->rows->space, pool->u + best[i] * pool->dims);

		if (mb_ask_takes(pool->acquire->history, point))
			return point;
		json_decref(point);
	}
	return NULL;
}

/* Every point of a space that has few. */
static void add_table(struct pool *pool, uint64_t size, double *u)
{
	const struct mb_space *space = pool->acquire->rows->space;

	for (uint64_t i = 0; i < size; i++) {
		json_t *point = mb_space_at(space, i);

		if (mb_space_locate(space, point, u) == 0)
			add(pool, u);
		json_decref(point);
	}
}

static void add_sample(struct pool *pool, double *u)
{
	const struct mb_acquire *acquire = pool->acquire;

	add_uniform(pool, u);
	for (size_t i = 0; i < acquire->n_base; i++)
		add_mutations(pool, acquire->base[i], u + pool->dims, u);
	for (size_t i = 0; i < acquire->n_base; i++)
		add_flips(pool, acquire->base[i], u);
}

json_t *mb_acquire(const struct mb_acquire *acquire, struct mb_rng *rng)
{
	size_t dims = acquire->rows->dims;
	double *u = mb_alloc(2 * dims * sizeof *u);
	uint64_t size = mb_space_size(acquire->rows->space);
	struct pool pool;
	json_t *point;

	pool_init(&pool, acquire, rng);
	if (size <= TABLE)
		add_table(&pool, size, u);
	else
		add_sample(&pool, u);
	score_from(&pool, 0);
	if (size > TABLE)
		climb(&pool, u);
	point = take(&pool);
	pool_release(&pool);
	free(u);
	return point;
}
