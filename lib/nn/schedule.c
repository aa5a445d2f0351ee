/* SPDX-License-Identifier: MIT */
#include "nn/schedule.h"

#include <math.h>
#include <stddef.h>

#define PI 3.14159265358979323846

const char *const mb_momentum_schedule_names[] = {"constant", "cycle", NULL};
const char *const mb_schedule_names[] = {"constant", "cosine", "one_cycle", "step", NULL};

/* From `a` to `b` by half a cosine, share in [0, 1]. */
static double anneal(double a, double b, double share)
{
	return b + (a - b) * (1 + cos(PI * share)) / 2;
}

/* From start to 1 and on to end. PyTorch puts the top at step 0.3 T - 1; the fewer than four steps that leave no room to
 * rise begin there. */
static double cycle(double start, double end, double t, double total)
{
	const double top = fmax(0.3 * total - 1, 0), last = total - 1;

	if (t == top)
		return 1;
	if (t < top)
		return anneal(start, 1, t / top);
	return anneal(1, end, (t - top) / (last - top));
}

static double one_cycle(double t, double total)
{
	return cycle(1 / 25.0, 1 / 25e4, t, total);
}

double mb_schedule_momentum(enum mb_momentum_schedule schedule, double value, uint64_t step, uint64_t warmup,
			    uint64_t total)
{
	const double depth = fmin(value, 0.1);

	if (schedule == MB_MOMENTUM_CONSTANT || step < warmup || total <= warmup)
		return value;
	if (step >= total)
		step = total - 1;
	return value - depth * cycle(0, 0, (double)(step - warmup), (double)(total - warmup));
}

double mb_schedule_factor(enum mb_schedule schedule, uint64_t step, uint64_t warmup, uint64_t total)
{
	double t, span;

	if (step < warmup)
		return ((double)step + 1) / (double)warmup;
	if (total <= warmup)
		return 1;
	if (step >= total)
		step = total - 1;
	t = (double)(step - warmup);
	span = (double)(total - warmup);
	switch (schedule) {
	case MB_SCHEDULE_COSINE:
		return (1 + cos(PI * t / span)) / 2;
	case MB_SCHEDULE_ONE_CYCLE:
		return one_cycle(t, span);
	case MB_SCHEDULE_STEP:
		return pow(0.1, floor(3 * t / span));
	case MB_SCHEDULE_CONSTANT:
		break;
	}
	return 1;
}
