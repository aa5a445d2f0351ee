/* SPDX-License-Identifier: MIT
 *
 * How long to wait before a request that failed is sent again: exponential, with full jitter (Brooker, "Exponential
 * backoff and jitter", 2015), so that many clients that failed together do not come back together.
 */
#ifndef MB_NET_BACKOFF_H
#define MB_NET_BACKOFF_H

#include "base/base.h"

/* Seconds before attempt number `failures` + 1: uniform in [0, min(most_s, first_s * 2^(failures - 1))), failures >= 1. */
double mb_backoff_s(struct mb_rng *rng, unsigned failures, double first_s, double most_s);

#endif
