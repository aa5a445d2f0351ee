/* SPDX-License-Identifier: MIT
 *
 * gnuplot as a child: a script goes in, a picture comes out. Nothing of a log or an experiment file reaches its parser
 * but as numbers in data blocks and as texts that gnuplot_quote has quoted.
 *
 *     mb_str_adds(&script, "set xlabel ");
 *     gnuplot_quote(name, &script);
 *     if (gnuplot_run("set terminal svg noenhanced", &script, &picture, &err) < 0) …
 */
#ifndef MB_COLLECT_GNUPLOT_H
#define MB_COLLECT_GNUPLOT_H

#include "base/base.h"

/* Appends the text in single quotes, where gnuplot looks for no escape, no `command` and no @macro: a quote is doubled,
 * control characters are shown as escapes, what is long is cut. */
void gnuplot_quote(const char *text, struct mb_str *script);

/* The same for the label of a tic, which gnuplot reads as a format: "%" is doubled. */
void gnuplot_quote_tic(const char *text, struct mb_str *script);

/* Appends a number of a data block; what is not finite is gnuplot's word for missing. */
void gnuplot_number(double value, struct mb_str *script);

/* Runs `first` (the terminal, a line) and the script, with no start-up file read. What it draws is appended to `picture`,
 * what it has to say to `words`. -1 with MB_EXIT_SYSTEM: there is no gnuplot, or it failed. */
int gnuplot_run(const char *first, const struct mb_str *script, struct mb_str *picture, struct mb_str *words,
		struct mb_err *err);

#endif
