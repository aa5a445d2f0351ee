/* SPDX-License-Identifier: MIT
 *
 * --plot: which kind, and where to: a picture, gnuplot's script, or characters on the terminal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "collect.h"
#include "plot.h"

const char *const plot_kinds[] = {"history", "parallel", "slice", "curve", "pareto", "importance", NULL};

/* In the order of plot_kinds. */
static int (*const draws[])(struct plot *, struct mb_err *) = {plot_history, plot_parallel, plot_slice,
								    plot_curve,	  plot_pareto,	 plot_importance};

static const struct picture {
	const char *suffix, *terminal; /* NULL: the script itself */
	double unit;                   /* of the size: pixels, or for inches a share of them */
} pictures[] = {
	{".svg", "svg noenhanced font 'sans,13' background rgb 'white' size", 1},
	{".png", "pngcairo noenhanced font 'sans,11' size", 1},
	{".pdf", "pdfcairo noenhanced font 'sans,11' linewidth 1.5 size", 1. / 90},
	{".gp", NULL, 1},
};

static const struct picture *picture_for(struct collect *collect, const char *path)
{
	const char *suffix = strrchr(mb_path_name(path), '.');

	for (size_t i = 0; i < MB_COUNT(pictures); i++)
		if (suffix && !strcasecmp(suffix, pictures[i].suffix))
			return &pictures[i];
	mb_tool_warn(collect->tool, "--output: \"%s\" does not end in .svg, .png, .pdf or .gp, which say what to write",
		     path);
	return NULL;
}

static void begin(struct plot *plot)
{
	mb_str_adds(plot->script, "# Draws itself: gnuplot --persist THIS-FILE\n"
				  "set encoding utf8\n"
				  "set termoption noenhanced\n"
				  "set datafile missing 'NaN'\n");
	mb_str_addf(plot->script, "set key outside center horizontal %s\n", plot->text ? "bottom" : "top");
	if (!plot->text)
		mb_str_adds(plot->script, "set tics nomirror\nset grid back lc rgb '#dddddd' lt 1\n"
					  "set border 3 lc rgb '#444444'\n");
	mb_str_adds(plot->script, "set format x '%g'\nset format y '%g'\n");
}

/* Columns and rows of the terminal, or what most have. */
static void fit_terminal(struct plot *plot)
{
	struct winsize size;

	plot->columns = 80;
	plot->rows = 24;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20 && size.ws_row >= 8) {
		plot->columns = size.ws_col;
		plot->rows = size.ws_row - 1; /* the prompt's */
	}
}

static char *terminal_for(const struct plot *plot, const struct picture *picture)
{
	const char *no_colour = getenv("NO_COLOR");

	if (plot->text)
		return mb_textf("set terminal dumb noenhanced %s size %d,%d",
				isatty(STDOUT_FILENO) && !(no_colour && *no_colour) ? "ansi256" : "mono", plot->columns,
				plot->rows);
	return mb_textf("set terminal %s %.6g,%.6g", picture->terminal, plot->width * picture->unit,
			plot->height * picture->unit);
}

/* What there is to keep, to stdout or the file. */
static int put(struct collect *collect, const struct mb_str *made, const char *path)
{
	struct mb_err err;

	if (path && mb_file_replace(path, made->at, made->n, 0, &err) < 0)
		return mb_tool_fail(collect->tool, &err);
	if (!path && mb_tool_write(collect->tool, made->at, made->n) < 0 && !collect->tool->stdout_gone)
		return MB_EXIT_SYSTEM;
	return MB_EXIT_OK;
}

/* The dumb terminal begins with a form feed and pads its lines, to the very edge where some terminals wrap. */
static void trim(struct mb_str *text)
{
	size_t n = 0, line = 0; /* what is kept, and where the line of it begins that is being copied */

	for (size_t i = 0; i < text->n; i++) {
		if (text->at[i] == '\f')
			continue;
		while (text->at[i] == '\n' && n > line && text->at[n - 1] == ' ')
			n--;
		if (text->at[i] == '\n' && n == 0)
			continue; /* blank lines above */
		text->at[n++] = text->at[i];
		if (text->at[n - 1] == '\n')
			line = n;
	}
	while (n > 1 && text->at[n - 1] == '\n' && text->at[n - 2] == '\n')
		n--;
	text->n = n;
}

static int draw(struct collect *collect, struct plot *plot, const char *kind, const char *path,
		const struct picture *picture)
{
	struct mb_str made = {0}, words = {0};
	char *terminal = NULL;
	struct mb_err err;
	int status;
	size_t k = 0;

	while (strcmp(plot_kinds[k], kind))
		k++;
	begin(plot);
	if (draws[k](plot, &err) < 0)
		return mb_tool_fail(collect->tool, &err);
	if (picture && !picture->terminal)
		return put(collect, plot->script, path);
	terminal = terminal_for(plot, picture);
	if (gnuplot_run(terminal, plot->script, &made, &words, &err) < 0) {
		status = mb_tool_fail(collect->tool, &err);
	} else {
		if (plot->text)
			trim(&made);
		status = put(collect, &made, path);
	}
	if (words.n && status == MB_EXIT_OK)
		mb_tool_detail(collect->tool, "gnuplot: %s", words.at);
	free(terminal);
	mb_str_release(&made);
	mb_str_release(&words);
	return status;
}

int collect_plot(struct collect *collect, const char *kind, const char *path)
{
	const struct picture *picture = path ? picture_for(collect, path) : NULL;
	struct mb_str script = {0};
	struct plot plot = {.script = &script, .text = !path, .width = 900, .height = 560};
	struct chart chart;
	struct mb_log log;
	int status;

	if (path && !picture)
		return MB_EXIT_USAGE;
	status = collect_open_log(collect, &log);
	if (status)
		return status;
	chart_init(&chart, collect->experiment, &log);
	plot.chart = &chart;
	fit_terminal(&plot);
	if (chart.ranking.n) {
		status = draw(collect, &plot, kind, path, picture);
	} else {
		mb_tool_say(collect->tool, "%s: no completed trial yet", log.path);
		status = MB_EXIT_NO;
	}
	chart_release(&chart);
	mb_log_close(&log);
	mb_str_release(&script);
	return status;
}
