/* SPDX-License-Identifier: MIT */
#include "opt/fidelity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "opt/merit.h"
#include "opt/opt.h"

/* A training, sorted: by trial and from high rung to low, or by rung and from good to bad. */
struct row {
	const struct mb_observation *observation;
	size_t rung;
	int is_top;   /* its trial was on no higher rung */
	double merit; /* less is better */
};

struct state {
	const struct mb_history *history;
	struct mb_ladder ladder;
	struct row *rows;
	size_t started[MB_MOST_RUNGS]; /* trials that began there */
	size_t end[MB_MOST_RUNGS];     /* after by_result: the rows of rung k stand before end[k] … */
	size_t begin[MB_MOST_RUNGS];   /* … from begin[k] on, results alone */
};

static int by_trial(const void *a, const void *b)
{
	const struct row *left = a, *right = b;
	int64_t trial = left->observation->trial, other = right->observation->trial;

	if (trial != other)
		return trial < other ? -1 : 1;
	return left->rung > right->rung ? -1 : left->rung < right->rung;
}

/* The pending last, before them the failed. */
static int order_of(const struct mb_observation *observation)
{
	return observation->pending ? 2 : observation->failed ? 1 : 0;
}

static int by_result(const void *a, const void *b)
{
	const struct row *left = a, *right = b;
	int order = order_of(left->observation), other = order_of(right->observation);

	if (left->rung != right->rung)
		return left->rung < right->rung ? -1 : 1;
	if (order != other)
		return order < other ? -1 : 1;
	if (order == 0 && left->merit != right->merit)
		return left->merit < right->merit ? -1 : 1;
	return left->observation->trial < right->observation->trial ? -1
								     : left->observation->trial > right->observation->trial;
}

static void mark_tops(struct state *state, size_t n)
{
	struct row *rows = state->rows;

	qsort(rows, n, sizeof *rows, by_trial);
	for (size_t i = 0; i < n; i++) {
		rows[i].is_top = !i || rows[i - 1].observation->trial != rows[i].observation->trial;
		if (i + 1 == n || rows[i + 1].observation->trial != rows[i].observation->trial)
			state->started[rows[i].rung]++;
	}
}

/* With constraints or several objectives it is the place among the results of the same rung. */
static void rank_rung(struct state *state, size_t rung)
{
	const struct mb_history *history = state->history;
	const size_t n = history->n, m = history->experiment->n_metrics;
	struct mb_observation *observations = mb_alloc((n + 1) * sizeof *observations);
	double *metrics = mb_alloc((n * m + 1) * sizeof *metrics);
	size_t *from = mb_alloc((n + 1) * sizeof *from), *order = mb_alloc((n + 1) * sizeof *order), ranked;
	struct mb_history part = *history;

	part.n = 0;
	part.observations = observations;
	part.metrics = metrics;
	for (size_t i = 0; i < n; i++) {
		const size_t at = (size_t)(state->rows[i].observation - history->observations);

		if (state->rows[i].rung != rung)
			continue;
		observations[part.n] = history->observations[at];
		memcpy(&metrics[part.n * m], &history->metrics[at * m], m * sizeof *metrics);
		from[part.n++] = i;
	}
	ranked = mb_merit(&part, order, NULL);
	for (size_t place = 0; place < ranked; place++)
		state->rows[from[order[place]]].merit = (double)place;
	free(observations);
	free(metrics);
	free(from);
	free(order);
}

static void state_init(struct state *state, const struct mb_history *history)
{
	const size_t n = history->n;
	size_t at = 0;

	*state = (struct state){.history = history, .ladder = mb_ladder_of(history->experiment)};
	state->rows = mb_alloc((n + 1) * sizeof *state->rows);
	for (size_t i = 0; i < n; i++)
		state->rows[i] = (struct row){&history->observations[i],
					      mb_ladder_rung(&state->ladder, history->observations[i].rung), 0,
					      history->observations[i].value};
	mark_tops(state, n);
	for (size_t rung = 0; rung < state->ladder.n && !mb_is_plain(history->experiment); rung++)
		rank_rung(state, rung);
	qsort(state->rows, n, sizeof *state->rows, by_result);
	for (size_t rung = 0; rung < state->ladder.n; rung++) {
		state->begin[rung] = at;
		while (at < n && state->rows[at].rung == rung && !state->rows[at].observation->pending)
			at++;
		state->end[rung] = at;
		while (at < n && state->rows[at].rung == rung)
			at++;
	}
}

/* The best on the rung that may go on to the next, among its first `quota`; 0 when there is none. */
static int promote(const struct state *state, size_t rung, size_t quota, struct mb_move *move)
{
	for (size_t i = state->begin[rung]; i < state->end[rung] && i - state->begin[rung] < quota; i++) {
		const struct row *row = &state->rows[i];

		if (!row->is_top || row->observation->failed)
			continue;
		*move = (struct mb_move){MB_MOVE_PROMOTE, rung + 1,
					 (size_t)(row->observation - state->history->observations)};
		return 1;
	}
	return 0;
}

static int go_on(const struct state *state, int64_t left, struct mb_move *move)
{
	for (size_t rung = state->ladder.n - 1; rung-- > 0;)
		if (mb_ladder_cost(&state->ladder, (int64_t)rung, rung + 1) <= left &&
		    promote(state, rung, (state->end[rung] - state->begin[rung]) / (size_t)state->ladder.eta, move))
			return 1;
	return 0;
}

/* Units from the rung to the top, one rung after the other. */
static int64_t way_up(const struct mb_ladder *ladder, size_t rung)
{
	int64_t units = 0;

	for (; rung + 1 < ladder->n; rung++)
		units += mb_ladder_cost(ladder, (int64_t)rung, rung + 1);
	return units;
}

static int go_on_at_the_end(const struct state *state, int64_t left, struct mb_move *move)
{
	for (size_t rung = state->ladder.n - 1; rung-- > 0;)
		if (way_up(&state->ladder, rung) <= left && promote(state, rung, (size_t)-1, move))
			return 1;
	return 0;
}

double mb_fidelity_share(size_t rung, size_t n, int64_t eta)
{
	const double s = (double)(n - 1 - rung);

	return ceil((double)n / (s + 1) * pow((double)eta, s));
}

/* The rung that is furthest behind its share of new trials; a lower one when that does not fit. */
static int begin(const struct state *state, int64_t left, struct mb_move *move)
{
	const struct mb_ladder *ladder = &state->ladder;
	double least = INFINITY;

	for (size_t rung = 0; rung < ladder->n; rung++) {
		double after = (double)(state->started[rung] + 1) / mb_fidelity_share(rung, ladder->n, ladder->eta);

		if (mb_ladder_cost(ladder, -1, rung) > left)
			break;
		if (after < least) {
			*move = (struct mb_move){MB_MOVE_NEW, rung, 0};
			least = after;
		}
	}
	return move->kind == MB_MOVE_NEW;
}

struct mb_move mb_fidelity_next(const struct mb_history *history, int64_t left, int can_new)
{
	struct mb_move move = {MB_MOVE_NONE, 0, 0};
	struct state state;

	if (left <= 0)
		return move;
	if (history->experiment->fidelity.name == NULL && !history->experiment->n_tasks)
		return (struct mb_move){can_new ? MB_MOVE_NEW : MB_MOVE_NONE, 0, 0};
	state_init(&state, history);
	if (!go_on(&state, left, &move) &&
	    !((left < state.ladder.full || !can_new) && go_on_at_the_end(&state, left, &move)) && can_new)
		begin(&state, left, &move);
	free(state.rows);
	return move;
}
