/* SPDX-License-Identifier: MIT
 *
 * The parts of --html's report. Each appends a section, or nothing where the log has nothing for it.
 */
#ifndef MB_COLLECT_HTML_H
#define MB_COLLECT_HTML_H

#include "chart.h"
#include "svg.h"

/* Charts (html_charts.c). */
void html_history(const struct chart *chart, struct mb_str *page);
void html_slices(const struct chart *chart, struct mb_str *page);
void html_front(const struct chart *chart, struct mb_str *page);
void html_curves(const struct chart *chart, struct mb_str *page);

/* Tables (html_tables.c). */
void html_metrics(const struct chart *chart, struct mb_str *page);
void html_space(const struct chart *chart, struct mb_str *page);
void html_best(const struct chart *chart, struct mb_str *page);
void html_importance(const struct chart *chart, struct mb_str *page);
void html_failures(const struct chart *chart, struct mb_str *page);
void html_phases(const struct chart *chart, struct mb_str *page);
void html_trials(const struct chart *chart, struct mb_str *page);

#endif
