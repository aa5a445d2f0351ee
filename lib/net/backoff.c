/* SPDX-License-Identifier: MIT */
#include "net/backoff.h"

#include <math.h>

double mb_backoff_s(struct mb_rng *rng, unsigned failures, double first_s, double most_s)
{
	return mb_rng_unit(rng) * fmin(most_s, ldexp(first_s, failures > 1000 ? 1000 : (int)failures - 1));
}
