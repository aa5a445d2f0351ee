/* SPDX-License-Identifier: MIT
 *
 * mb-collect: the end of the pipe. Appends results to the log and answers questions about it.
 */
#include <stdlib.h>
#include <string.h>

#include "collect.h"

int main(int argc, char **argv)
{
	struct mb_tool tool = {.name = "mb-collect",
			       .synopsis = "[-l LOG] [--best | --pareto | --top N | --summary | --tsv | --importance | "
					   "--plot KIND [-o FILE] | --html FILE | --fsck [--repair]]",
			       .about = "Appends the records on stdin to the log and passes them on; or answers from the log."};
	int best = 0, pareto = 0, summary = 0, tsv = 0, importance = 0, fsck = 0, repair = 0, rest, status;
	const char *plot = NULL, *output = NULL, *html = NULL;
	int64_t top = 0;
	const struct mb_opt table[] = {
		{'b', "best", MB_OPT_FLAG, &best, NULL, "print the winning record; of several objectives the front"},
		{0, "pareto", MB_OPT_FLAG, &pareto, NULL, "print the records that no other dominates"},
		{'t', "top", MB_OPT_INT, &top, "N", "print the N best records, best first", .min = 1, .max = 1e9},
		{0, "summary", MB_OPT_FLAG, &summary, NULL, "say where the search stands, failures by message"},
		{0, "tsv", MB_OPT_FLAG, &tsv, NULL, "print a table, one line a trial"},
		{0, "importance", MB_OPT_FLAG, &importance, NULL, "say how much the metric depends on each parameter"},
		{0, "plot", MB_OPT_TEXT, &plot, "KIND", "draw, with gnuplot: history, parallel, slice, curve, pareto or importance",
		 .words = plot_kinds},
		{'o', "output", MB_OPT_TEXT, &output, "FILE", "with --plot: into a .svg, .png, .pdf or .gp (the script) file"},
		{0, "html", MB_OPT_TEXT, &html, "FILE", "write a report that is one file"},
		{0, "fsck", MB_OPT_FLAG, &fsck, NULL, "check the log: 0 nothing lost, 1 something needs repair"},
		{0, "repair", MB_OPT_FLAG, &repair, NULL, "with --fsck: set bad lines aside in LOG.torn"},
		{0},
	};
	struct mb_experiment *experiment = NULL;
	struct collect collect;
	char *log_path = NULL;

	status = mb_tool_start(&tool, table, argc, argv, &rest);
	if (status >= 0)
		return status;
	status = MB_EXIT_USAGE;
	if (rest < argc) {
		mb_tool_warn(&tool, "%s: takes no operands (see --help)", argv[rest]);
		goto out;
	}
	if (best + pareto + (top > 0) + summary + tsv + importance + !!plot + !!html + fsck > 1) {
		mb_tool_warn(&tool, "--best, --pareto, --top, --summary, --tsv, --importance, --plot, --html and --fsck: one "
				    "question at a time");
		goto out;
	}
	if (repair && !fsck) {
		mb_tool_warn(&tool, "--repair: goes with --fsck");
		goto out;
	}
	if (output && !plot) {
		mb_tool_warn(&tool, "--output: goes with --plot");
		goto out;
	}
	if (tool.log_option && !strcmp(tool.log_option, "-")) {
		mb_tool_warn(&tool, "-l -: the log is a file; without one, nothing is to be collected");
		goto out;
	}
	experiment = mb_tool_experiment(&tool);
	if (!experiment)
		goto out;
	log_path = mb_tool_log_path(&tool, experiment);
	collect = (struct collect){&tool, experiment, log_path};
	status = best || pareto ? collect_best(&collect)
		 : top	   ? collect_top(&collect, top)
		 : summary ? collect_summary(&collect)
		 : tsv	   ? collect_tsv(&collect)
		 : importance ? collect_importance(&collect)
		 : plot	   ? collect_plot(&collect, plot, output)
		 : html	   ? collect_html(&collect, html)
		 : fsck	   ? collect_fsck(&collect, repair)
			   : collect_append(&collect);
out:
	free(log_path);
	mb_experiment_free(experiment);
	return mb_tool_end(&tool, status);
}
