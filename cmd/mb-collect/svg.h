/* SPDX-License-Identifier: MIT
 *
 * A small writer of charts as SVG that stands in an HTML page: a frame with tics, and in it marks and lines given in the
 * data's own units. Colours come from the page's style sheet by class, so that they follow its light or dark ground.
 *
 *     struct svg svg = {.to = &page, .width = 640, .height = 320, .x = {.label = "trial", .low = 0, .high = 9}, …};
 *     svg_open(&svg, "value by trial");
 *     svg_mark(&svg, "good", 3, 0.5, "trial 3: 0.5");
 *     svg_close(&svg);
 */
#ifndef MB_COLLECT_SVG_H
#define MB_COLLECT_SVG_H

#include "data/data.h"

struct svg_axis {
	const char *label;
	double low, high;    /* low < high; both positive with log */
	int log;
	const json_t *words; /* the tics are these, at 0, 1, …; NULL: numbers */
};

struct svg {
	struct mb_str *to;
	double width, height; /* in pixels, of the whole */
	struct svg_axis x, y;
	double left, top, right, bottom; /* of the frame; set by svg_open */
};

/* Appends text for HTML or XML, also in attributes: & < > " ' as entities, control characters as U+FFFD. */
void xml_add(struct mb_str *to, const char *text);

/* `title` is read out, and not shown. */
void svg_open(struct svg *svg, const char *title);
void svg_close(struct svg *svg);

/* A mark of class "good" (a disc), "breaks" (a triangle), "failed" (a cross) or "ring"; `tip` shows under the
 * pointer. */
void svg_mark(struct svg *svg, const char *class, double x, double y, const char *tip);

/* A line through n points; a NaN lifts the pen. `steps`: level from each point to the next one's x. */
void svg_line(struct svg *svg, const char *class, const double *x, const double *y, size_t n, int steps);

#endif
