/* SPDX-License-Identifier: MIT
 *
 * The tree-structured Parzen estimator (Bergstra and others, NIPS 2011) with joint kernels: the density of the good
 * points over that of all others; what is best by their ratio, among draws from the good, is tried next.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "opt/algorithm.h"
#include "opt/merit.h"
#include "stat/stat.h"

enum {
	START = 10,      /* results before the model is asked */
	MOST_GOOD = 25,
	CANDIDATES = 64, /* regret after 60 of 16 benchmark problems, 15 seeds: .172, with 24 .187 (s.e. .007) */
	MOST_BAD = 256,  /* so that a suggestion costs no more after 10,000 trials than after 300. Regret after 1,000 of the
	                    same, 5 seeds: .034, with all of them .034, with 512 .037 (s.e. .006) */
	MOST_DRAWS = 16 * CANDIDATES, /* for as many that may be taken */
	MOST_STEPS = 4 * CANDIDATES   /* along linear constraints */
};

#define GOOD_SHARE 0.1

struct model {
	struct mb_parzen good, bad;
	size_t *categories;
	const double *rows[MOST_GOOD]; /* of the good, from old to new */
};

static size_t count_finished(const struct mb_history *history, size_t *failed)
{
	size_t finished = 0;

	*failed = 0;
	for (size_t i = 0; i < history->n; i++) {
		finished += !history->observations[i].pending;
		*failed += history->observations[i].failed && !history->observations[i].pending;
	}
	return finished;
}

/* Marks the best of constrained trials, or of several objectives: the feasible first, by fronts (opt/merit.h). */
static void mark_merit(const struct mb_history *history, size_t most, unsigned char *is_good)
{
	size_t *order = mb_alloc((history->n + 1) * sizeof *order), n = mb_merit(history, order, NULL);

	for (size_t i = 0; i < n && i < most; i++)
		is_good[order[i]] = 1;
	free(order);
}

/* Marks the good: the best tenth of the finished, of equal ones the older. */
static void mark_good(const struct mb_history *history, size_t finished, unsigned char *is_good)
{
	size_t best[MOST_GOOD], n = 0, most = (size_t)ceil(GOOD_SHARE * (double)finished);

	most = most < MOST_GOOD ? most : MOST_GOOD;
	if (!mb_is_plain(history->experiment)) {
		mark_merit(history, most, is_good);
		return;
	}
	for (size_t i = 0; i < history->n; i++) {
		const struct mb_observation *observation = &history->observations[i];
		size_t at = n;

		if (observation->pending || observation->failed)
			continue;
		while (at && observation->value < history->observations[best[at - 1]].value)
			at--;
		if (at == most)
			continue;
		n += n < most;
		for (size_t k = n - 1; k > at; k--)
			best[k] = best[k - 1];
		best[at] = i;
	}
	for (size_t k = 0; k < n; k++)
		is_good[best[k]] = 1;
}

/* Which of `all` things, told apart by their number, are among `kept` ones spread evenly over them; the last one is. */
static int is_kept(size_t number, size_t all, size_t kept)
{
	return kept >= all || (number + 1) * kept / all > number * kept / all;
}

/* The rows of the bad, from old to new; returns how many. What failed is bad, and so is what has no result yet: that keeps
 * parallel trials apart. Where they are too many, every so many-th finished one stands for the others, which leaves their
 * density as it is; of the open ones the newest stay, up to half of all. */
static size_t pick_bad(const struct mb_history *history, const unsigned char *is_good, const double **rows)
{
	size_t dims = mb_space_dims(&history->experiment->space), all[2] = {0}, kept[2], number[2] = {0}, n = 0;

	for (size_t i = 0; i < history->n; i++)
		all[history->observations[i].pending] += !is_good[i];
	kept[1] = all[0] + all[1] <= MOST_BAD || all[1] <= MOST_BAD / 2 ? all[1] : MOST_BAD / 2;
	kept[0] = all[0] + kept[1] <= MOST_BAD ? all[0] : MOST_BAD - kept[1];
	for (size_t i = 0; i < history->n; i++) {
		int pending = history->observations[i].pending;
		size_t k = number[pending];

		if (is_good[i])
			continue;
		number[pending]++;
		if (pending ? k >= all[1] - kept[1] : is_kept(k, all[0], kept[0]))
			rows[n++] = &history->u[i * dims];
	}
	return n;
}

static size_t *categories_of(const struct mb_space *space)
{
	size_t *categories = mb_alloc(mb_space_dims(space) * sizeof *categories), n = 0;

	for (size_t i = 0; i < space->n_conditionals; i++)
		categories[n++] = space->conditionals[i].n_values;
	for (size_t i = 0; i < space->n_params; i++, n++)
		if (space->params[i].type == MB_PARAM_CATEGORICAL)
			categories[n] = space->params[i].n_values;
	return categories;
}

static void model_init(struct model *model, const struct mb_history *history, size_t finished)
{
	const struct mb_space *space = &history->experiment->space;
	const double *rows[MOST_BAD]; /* the good are fewer */
	unsigned char *is_good = mb_alloc(history->n + 1);
	size_t dims = mb_space_dims(space), n = 0;

	mark_good(history, finished, is_good);
	for (size_t i = 0; i < history->n; i++)
		if (is_good[i])
			rows[n++] = &history->u[i * dims]; /* from old to new */
	model->categories = categories_of(space);
	mb_parzen_init(&model->good, dims, model->categories, rows, n);
	memcpy(model->rows, rows, n * sizeof *rows);
	n = pick_bad(history, is_good, rows);
	mb_parzen_init(&model->bad, dims, model->categories, rows, n);
	free(is_good);
}

static void model_release(struct model *model)
{
	mb_parzen_release(&model->good);
	mb_parzen_release(&model->bad);
	free(model->categories);
}

struct search {
	const struct model *model;
	const struct mb_history *history;
	json_t *best; /* so far */
	double score;
	int found;    /* points that may be taken */
};

/* u is settled on the way. */
static void consider(struct search *search, double *u)
{
	const struct mb_space *space = &search->history->experiment->space;
	json_t *point = mb_space_point(space, u);
	double score;

	if (!mb_ask_takes(search->history, point)) {
		json_decref(point);
		return;
	}
	search->found++;
	mb_space_settle(space, u);
	score = mb_parzen_log(&search->model->good, u) - mb_parzen_log(&search->model->bad, u);
	if (search->best && !(score > search->score)) {
		json_decref(point);
		return;
	}
	json_decref(search->best);
	search->best = point;
	search->score = score;
}

/* Where linear constraints leave so little that draws of the density miss it: steps from the good within it, of several
 * lengths, which stand for the kernels. */
static void search_feasible(struct search *search, struct mb_rng *rng, double *u)
{
	const struct mb_space *space = &search->history->experiment->space;
	const struct model *model = search->model;
	size_t dims = mb_space_dims(space);
	struct mb_feasible feasible;
	double *draw = mb_alloc(dims * sizeof *draw);

	if (mb_feasible_init(&feasible, space, rng) == 0)
		for (int i = 0; i < MOST_STEPS && search->found < CANDIDATES; i++) {
			const double *from = model->rows[mb_rng_below(rng, model->good.n)];

			mb_feasible_draw(&feasible, rng, draw);
			mb_parzen_draw(&model->good, rng, u);
			for (size_t k = 0; k < feasible.n_bound; k++) {
				size_t dim = space->n_conditionals + feasible.bound[k];

				u[dim] = i % 4 ? from[dim] : draw[dim];
			}
			if (i % 4)
				mb_feasible_near(&feasible, rng, 3 * pow(10, -(i % 4)), u);
			consider(search, u);
		}
	mb_feasible_release(&feasible);
	free(draw);
}

/* The best of CANDIDATES points that may be taken; NULL when none was found. */
static json_t *best(const struct model *model, const struct mb_history *history)
{
	double *u = mb_alloc(mb_space_dims(&history->experiment->space) * sizeof *u);
	struct search search = {.model = model, .history = history};
	struct mb_rng rng;

	mb_rng_init(&rng, history->seed, (uint64_t)history->trial, MB_RNG_SUGGEST);
	for (int draws = 0; draws < MOST_DRAWS && search.found < CANDIDATES; draws++) {
		mb_parzen_draw(&model->good, &rng, u);
		consider(&search, u);
	}
	if (search.found < CANDIDATES && history->experiment->space.n_constraints)
		search_feasible(&search, &rng, u);
	free(u);
	return search.best;
}

static int ask(const struct mb_history *history, struct mb_suggestion *suggestion, struct mb_err *err)
{
	size_t failed, finished = count_finished(history, &failed);
	struct model model;

	if (finished < START || finished == failed)
		return mb_algorithm_sobol.ask(history, suggestion, err);
	model_init(&model, history, finished);
	*suggestion = (struct mb_suggestion){best(&model, history), mb_algorithm_tpe.name, NULL};
	model_release(&model);
	if (suggestion->assignments)
		return 0;
	return mb_ask_unseen(history, mb_draw_random, mb_algorithm_random.name, suggestion, err);
}

const struct mb_algorithm mb_algorithm_tpe = {
	.name = "tpe",
	.about = "a tree-structured Parzen estimator, which learns from results, after 10 points of sobol",
	.ask = ask,
};
