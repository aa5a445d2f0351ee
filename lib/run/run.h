/* SPDX-License-Identifier: MIT
 *
 * The room `run`: processes. Signals that ask to stop, a pool of forked workers, and a user's command or Python
 * function as a child that leaves nothing behind. Calls base alone.
 */
#ifndef MB_RUN_RUN_H
#define MB_RUN_RUN_H

#include "run/child.h"
#include "run/memory.h"
#include "run/pool.h"
#include "run/python.h"
#include "run/signals.h"

#endif
