/* SPDX-License-Identifier: MIT
 *
 * The rungs of a multi-fidelity experiment and what trainings on them cost. Everything is counted in whole units (epochs, or
 * a billionth of a full training where tasks are the fidelities), so that no budget drifts.
 *
 *     struct mb_ladder ladder = mb_ladder_of(experiment);
 *     struct mb_spending spending = mb_ladder_spending(&ladder, &log);
 *     if (spending.finished >= spending.budget) … all is trained …
 *
 * Without `fidelity` and `tasks` there is one rung of one unit: a trial is a unit, and all that follows is plain counting.
 */
#ifndef MB_DATA_LADDER_H
#define MB_DATA_LADDER_H

#include "data/experiment.h"
#include "data/log.h"

struct mb_ladder {
	const struct mb_experiment *experiment;
	size_t n;                     /* rungs */
	int64_t units[MB_MOST_RUNGS]; /* of a training at each rung, rising: min, min × eta, …, max; or the tasks' costs */
	int64_t full;                 /* the last of them */
	int64_t eta;                  /* one in eta goes on to the next rung */
	int goes_on;                  /* a training on a higher rung goes on from the lower one's; tasks begin anew */
};

/* No memory to release; experiment must outlive it. */
struct mb_ladder mb_ladder_of(const struct mb_experiment *experiment);

/* The rung of a record, the last one when it is beyond them all. */
size_t mb_ladder_rung(const struct mb_ladder *ladder, int64_t rung);

/* Units that a training on rung `to` spends, of a trial that was on rung `from` before; from -1: on none. */
int64_t mb_ladder_cost(const struct mb_ladder *ladder, int64_t from, size_t to);

/* Units that log->keys[index] adds to what the keys before it spent. */
int64_t mb_ladder_adds(const struct mb_ladder *ladder, const struct mb_log *log, size_t index);

struct mb_spending {
	int64_t budget;   /* units, all of them */
	int64_t finished; /* of keys completed or failed */
	int64_t open;     /* of those that are neither: spoken for */
};

struct mb_spending mb_ladder_spending(const struct mb_ladder *ladder, const struct mb_log *log);

int64_t mb_ladder_budget(const struct mb_ladder *ladder); /* spending.budget alone */

/* 1 when nothing is open and what is left is less than any training costs. */
int mb_ladder_is_over(const struct mb_ladder *ladder, const struct mb_spending *spending);

/* The member `fidelity` of a record on that rung: {"epochs": 9}, {"task": "small"}; NULL where there is none. */
json_t *mb_ladder_fidelity(const struct mb_ladder *ladder, size_t rung);

/* "epochs 9", "task small" */
void mb_ladder_rung_text(const struct mb_ladder *ladder, size_t rung, struct mb_str *text);

/* Units as full trainings: "5", "5.33"; cut, not rounded, so that only what is whole looks whole. */
void mb_ladder_text(const struct mb_ladder *ladder, int64_t units, struct mb_str *text);

#endif
