/* SPDX-License-Identifier: MIT
 *
 * Signals as something to poll. SIGINT, SIGTERM, SIGUSR1, SIGUSR2, and SIGHUP unless it is ignored (nohup), ask for a
 * soft stop; they are caught, and read from a descriptor in the program's own loop.
 *
 *     int fd = mb_signals_open(0, &err);
 *     … poll(fd) … while ((signal = mb_signals_take())) …
 *
 * A second SIGINT must end the program at once even where its loop is stuck in a write: one second after it the
 * kernel ends the process (SIGALRM), if the program has not done so itself.
 */
#ifndef MB_RUN_SIGNALS_H
#define MB_RUN_SIGNALS_H

#include "base/base.h"

/* Catches them, SIGCHLD too if `children`; returns the descriptor that is readable when one waits, or -1. After a
 * fork the child calls it again and gets a descriptor of its own, with nothing waiting. */
int mb_signals_open(int children, struct mb_err *err);

/* That descriptor again, for who did not open it. */
int mb_signals_fd(void);

/* The next signal that waits, 0 when none does. */
int mb_signals_take(void);

/* The first signal so far that asks for a stop, 0 for none: cheap, for inner loops. */
int mb_signals_stopped(void);

/* Around fork(2): what arrives between these two is handled after `let`, by parent and child each with its own. */
void mb_signals_hold(void);
void mb_signals_let(void);

/* In a child that is about to exec: everything as a program expects it. */
void mb_signals_default(void);

#endif
