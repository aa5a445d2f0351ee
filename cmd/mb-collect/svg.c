/* SPDX-License-Identifier: MIT */
#include "svg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void xml_add(struct mb_str *to, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '&':
			mb_str_adds(to, "&amp;");
			break;
		case '<':
			mb_str_adds(to, "&lt;");
			break;
		case '>':
			mb_str_adds(to, "&gt;");
			break;
		case '"':
			mb_str_adds(to, "&quot;");
			break;
		case '\'':
			mb_str_adds(to, "&#39;");
			break;
		default:
			if ((unsigned char)*text < ' ' && *text != '\n' && *text != '\t')
				mb_str_adds(to, "\xEF\xBF\xBD");
			else
				mb_str_add(to, text, 1);
		}
}

static double share(const struct svg_axis *axis, double at)
{
	return axis->log ? (log(at) - log(axis->low)) / (log(axis->high) - log(axis->low))
			 : (at - axis->low) / (axis->high - axis->low);
}

static double place_x(const struct svg *svg, double x)
{
	return svg->left + share(&svg->x, x) * (svg->right - svg->left);
}

static double place_y(const struct svg *svg, double y)
{
	return svg->bottom - share(&svg->y, y) * (svg->bottom - svg->top);
}

/* ---- tics ---- */

static void add_label(struct svg *svg, double x, double y, const char *class, const char *text)
{
	struct mb_str cut = {0};

	mb_str_add_clean(&cut, text, 40);
	mb_str_addf(svg->to, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", class, x, y);
	xml_add(svg->to, cut.at ? cut.at : "");
	mb_str_adds(svg->to, "</text>");
	mb_str_release(&cut);
}

static void add_tic(struct svg *svg, int is_x, double at, const char *text)
{
	double x = is_x ? place_x(svg, at) : svg->left, y = is_x ? svg->bottom : place_y(svg, at);

	mb_str_addf(svg->to, "<path class=\"grid\" d=\"M%.1f %.1f%s%.1f\"/>", x, y, is_x ? "V" : "H",
		    is_x ? svg->top : svg->right);
	add_label(svg, is_x ? x : x - 6, is_x ? y + 15 : y + 4, is_x ? "tic" : "tic end", text);
}

static void add_number_tic(struct svg *svg, int is_x, double at)
{
	char text[MB_NUM_TEXT];

	snprintf(text, sizeof text, "%.4g", fabs(at) < 1e-300 ? 0 : at);
	add_tic(svg, is_x, at, text);
}

/* The least of 1, 2, 5, 10, … times a power of ten that cuts the extent into at most `most`. */
static double nice_step(double extent, int most)
{
	double power = pow(10, floor(log10(extent / most)));
	static const double steps[] = {1, 2, 5, 10};

	for (size_t i = 0; i < MB_COUNT(steps); i++)
		if (extent / (steps[i] * power) <= most)
			return steps[i] * power;
	return 10 * power;
}

static void add_linear_tics(struct svg *svg, int is_x, const struct svg_axis *axis, int most)
{
	double step = nice_step(axis->high - axis->low, most), first = ceil(axis->low / step - 1e-9);

	for (int i = 0; i <= most && (first + i) * step <= axis->high + 1e-9 * step; i++)
		add_number_tic(svg, is_x, (first + i) * step);
}

/* Powers of ten, with what lies between them where there are few. */
static void add_log_tics(struct svg *svg, int is_x, const struct svg_axis *axis, int most)
{
	double decades = log10(axis->high) - log10(axis->low), every = fmax(1, ceil(decades / most));
	static const double between[] = {1, 2, 5};

	for (double power = floor(log10(axis->low)); power <= log10(axis->high); power += every)
		for (size_t i = 0; i < (decades < 2 ? MB_COUNT(between) : 1); i++) {
			double at = between[i] * pow(10, power);

			if (at >= axis->low && at <= axis->high)
				add_number_tic(svg, is_x, at);
		}
}

static void add_tics(struct svg *svg, int is_x)
{
	const struct svg_axis *axis = is_x ? &svg->x : &svg->y;
	int most = is_x ? (int)(svg->width / 80) : (int)(svg->height / 45);
	const json_t *word;
	size_t i;

	if (axis->words) {
		json_array_foreach(axis->words, i, word) {
			struct mb_str text = {0};

			if (json_is_string(word))
				mb_str_adds(&text, json_string_value(word));
			else
				mb_json_print(word, &text);
			add_tic(svg, is_x, (double)i, text.at ? text.at : "");
			mb_str_release(&text);
		}
		return;
	}
	if (axis->log)
		add_log_tics(svg, is_x, axis, most);
	else
		add_linear_tics(svg, is_x, axis, most);
}

/* ---- what is drawn ---- */

void svg_open(struct svg *svg, const char *title)
{
	svg->left = 62;
	svg->top = 10;
	svg->right = svg->width - 14;
	svg->bottom = svg->height - 44;
	mb_str_addf(svg->to, "<svg viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\" role=\"img\" aria-label=\"",
		    svg->width, svg->height, svg->width, svg->height);
	xml_add(svg->to, title);
	mb_str_adds(svg->to, "\">");
	add_tics(svg, 1);
	add_tics(svg, 0);
	mb_str_addf(svg->to, "<path class=\"frame\" d=\"M%.1f %.1fV%.1fH%.1f\"/>", svg->left, svg->top, svg->bottom,
		    svg->right);
	add_label(svg, (svg->left + svg->right) / 2, svg->height - 8, "axis", svg->x.label);
	mb_str_addf(svg->to, "<g transform=\"translate(13 %.1f) rotate(-90)\">", (svg->top + svg->bottom) / 2);
	add_label(svg, 0, 0, "axis", svg->y.label);
	mb_str_adds(svg->to, "</g>");
}

void svg_close(struct svg *svg)
{
	mb_str_adds(svg->to, "</svg>\n");
}

void svg_mark(struct svg *svg, const char *class, double x, double y, const char *tip)
{
	double at_x = place_x(svg, x), at_y = place_y(svg, y);

	if (!strcmp(class, "failed"))
		mb_str_addf(svg->to, "<path class=\"mark failed\" d=\"M%.1f %.1fl7 7m-7 0l7 -7\">", at_x - 3.5, at_y - 3.5);
	else if (!strcmp(class, "breaks"))
		mb_str_addf(svg->to, "<path class=\"mark breaks\" d=\"M%.1f %.1fl4.5 8h-9z\">", at_x, at_y - 5);
	else
		mb_str_addf(svg->to, "<circle class=\"mark %s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%s\">", class, at_x, at_y,
			    strcmp(class, "ring") ? "3.5" : "6.5");
	mb_str_adds(svg->to, "<title>");
	xml_add(svg->to, tip);
	mb_str_addf(svg->to, "</title></%s>", !strcmp(class, "failed") || !strcmp(class, "breaks") ? "path" : "circle");
}

void svg_line(struct svg *svg, const char *class, const double *x, const double *y, size_t n, int steps)
{
	int down = 0;

	mb_str_addf(svg->to, "<path class=\"line %s\" d=\"", class);
	for (size_t i = 0; i < n; i++) {
		if (isnan(x[i]) || isnan(y[i])) {
			down = 0;
			continue;
		}
		if (down && steps)
			mb_str_addf(svg->to, "H%.1fV%.1f", place_x(svg, x[i]), place_y(svg, y[i]));
		else
			mb_str_addf(svg->to, "%s%.1f %.1f", down ? "L" : "M", place_x(svg, x[i]), place_y(svg, y[i]));
		down = 1;
	}
	mb_str_adds(svg->to, "\"/>");
}
