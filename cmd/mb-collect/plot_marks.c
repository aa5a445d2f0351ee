/* SPDX-License-Identifier: MIT
 *
 * What the kinds of --plot share: how good, constraint-breaking and failed trials look. The colours are those of M. Okabe
 * and K. Ito, "Color universal design" (2008), told apart with any kind of colour vision; the shapes differ too.
 */
#include <stdlib.h>
#include <string.h>

#include "plot.h"

static const struct look {
	const char *block, *colour, *point, *letter, *line, *name;
} looks[] = {
	[CHART_GOOD] = {"good", "#0072B2", "7", "\"o\"", "1", NULL},
	[CHART_BREAKS] = {"breaks", "#D55E00", "8", "\"#\"", "2", "breaks a constraint"},
	[CHART_FAILED] = {"failed", "#666666", "2", "\"x\"", "3", "failed"},
};

void plot_marks_add(struct mb_str *data, double x, double y)
{
	gnuplot_number(x, data);
	mb_str_adds(data, " ");
	gnuplot_number(y, data);
	mb_str_adds(data, "\n");
}

void plot_marks_release(struct plot_marks *marks)
{
	for (size_t i = 0; i < CHART_STANDINGS; i++)
		mb_str_release(&marks->data[i]);
	mb_str_release(&marks->best);
}

static void add_block(struct plot *plot, const char *name, size_t suffix, const struct mb_str *data)
{
	if (data->n)
		mb_str_addf(plot->script, "$%s%zu << END\n%sEND\n", name, suffix, data->at);
}

void plot_marks_draw(struct plot *plot, const struct plot_marks *marks, size_t suffix, const char *with,
		     const char *good, const char *best_with, const char *best)
{
	const char *between = "";

	for (size_t i = 0; i < CHART_STANDINGS; i++)
		add_block(plot, looks[i].block, suffix, &marks->data[i]);
	add_block(plot, "best", suffix, &marks->best);
	mb_str_adds(plot->script, "plot ");
	for (size_t i = CHART_STANDINGS; i-- > 0;) { /* what counts most comes last, over the others */
		const struct look *look = &looks[i];

		if (!marks->data[i].n)
			continue;
		mb_str_addf(plot->script, "%s$%s%zu ", between, look->block, suffix);
		between = ", ";
		if (i == CHART_GOOD && marks->by_value) {
			mb_str_addf(plot->script, "using 1:2:3 with %s lc palette notitle", with);
			continue;
		}
		mb_str_addf(plot->script, "using 1:2 with %s lc rgb '%s' %s%s ", with, look->colour,
			    strstr(with, "lines") ? "dt " : "", strstr(with, "lines") ? look->line : "");
		if (strstr(with, "points"))
			mb_str_addf(plot->script, "pt %s ", plot->text ? look->letter : look->point);
		mb_str_adds(plot->script, "title ");
		gnuplot_quote(look->name ? look->name : good, plot->script);
	}
	if (marks->best.n) {
		mb_str_addf(plot->script, "%s$best%zu using 1:2 with %s lc rgb 'black' title ", between, suffix, best_with);
		gnuplot_quote(best, plot->script);
		between = ", ";
	}
	mb_str_adds(plot->script, *between ? "\n" : "NaN notitle\n");
}

void plot_range(struct plot *plot, const char *axis, double low, double high, int log)
{
	mb_str_addf(plot->script, "%sset logscale %s\nset %srange [", log ? "" : "un", axis, axis);
	gnuplot_number(low, plot->script);
	mb_str_adds(plot->script, ":");
	gnuplot_number(high, plot->script);
	mb_str_adds(plot->script, "]\n");
}

void plot_set(struct plot *plot, const char *what, const char *text)
{
	mb_str_addf(plot->script, "set %s ", what);
	gnuplot_quote(text, plot->script);
	mb_str_adds(plot->script, "\n");
}

void plot_title(struct plot *plot, const char *what)
{
	char *title = mb_textf("%s: %s", what, plot->chart->experiment->name); /* what is cut, is the name */

	plot_set(plot, "title", title);
	free(title);
}
