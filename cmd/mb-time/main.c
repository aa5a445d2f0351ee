/* SPDX-License-Identifier: MIT
 *
 * mb-time: runs a command untouched and appends to a file how long it took and what it used; adds such files up.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "span.h"

static int usage(struct mb_tool *tool, const char *what, const char *why)
{
	mb_tool_warn(tool, "%s: %s (see --help)", what, why);
	return MB_EXIT_USAGE;
}

static int is_word(const char *text)
{
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7f)
			return 0;
	return *text && strlen(text) <= 100;
}

static int same_file(const char *a, const char *b)
{
	struct stat one, other;

	return !strcmp(a, b) || (stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
				 one.st_ino == other.st_ino);
}

/* The experiment file need not be there: only its folder is asked for. */
static char *beside(const struct mb_tool *tool, const char *name)
{
	char *folder = mb_path_dir(tool->experiment_path), *path = mb_path_join(folder, name);

	free(folder);
	return path;
}

static char *log_of(const struct mb_tool *tool)
{
	return tool->log_option ? mb_strdup(tool->log_option) : beside(tool, "trials.ndjson");
}

/* Without files named: the span file and the log, where they are. */
static int report_default(struct mb_tool *tool, char *spans, int json)
{
	char *log = log_of(tool), *paths[] = {spans, log};
	size_t n = 0;
	int status;

	for (size_t i = 0; i < MB_COUNT(paths); i++)
		if (access(paths[i], F_OK) == 0)
			paths[n++] = paths[i];
	if (n) {
		status = report(tool, paths, n, json);
	} else {
		mb_tool_warn(tool, "nothing to report: there is neither %s nor %s", spans, log);
		status = MB_EXIT_NO;
	}
	free(log);
	return status;
}

static int run_command(struct mb_tool *tool, const char *phase, const char *path, char **argv, void (*sigpipe)(int))
{
	char *log;
	int is_log;

	if (!*argv)
		return usage(tool, "COMMAND", "is missing");
	if (!is_word(phase))
		return usage(tool, "--phase", "is not a word of at most 100 bytes");
	if (!strcmp(path, "-"))
		return usage(tool, "--output", "stdout is the command's; name a file");
	log = log_of(tool);
	is_log = same_file(path, log);
	free(log);
	if (is_log)
		return usage(tool, path, "is the trial log; spans go to a file of their own");
	return wrap(tool, phase, path, argv, sigpipe);
}

int main(int argc, char **argv)
{
	struct mb_tool tool = {.name = "mb-time",
			       .synopsis = "[-p PHASE] [-o FILE] [--] COMMAND...\n"
					   "       mb-time --report [--json] [FILE...]",
			       .about = "Runs COMMAND untouched and appends its span to FILE; or adds spans up per phase.",
			       .stop_at_operand = 1};
	const char *phase = "run", *output = NULL;
	int want_report = 0, json = 0, phase_given = 0;
	int rest, status;
	char *path;
	const struct mb_opt table[] = {
		{'p', "phase", MB_OPT_TEXT, &phase, "PHASE", "what the command is: setup, load, train, …",
		 .given = &phase_given},
		{'o', "output", MB_OPT_TEXT, &output, "FILE",
		 "the span file; default: $MB_SPANS, else spans.ndjson beside the experiment file"},
		{'r', "report", MB_OPT_FLAG, &want_report, NULL, "a table per phase over span files and trial logs"},
		{0, "json", MB_OPT_FLAG, &json, NULL, "with --report: one object a phase and line"},
		{0, "sample", MB_OPT_UNBUILT},
		{0, "pss", MB_OPT_UNBUILT},
		{0, "begin", MB_OPT_UNBUILT},
		{0, "end", MB_OPT_UNBUILT},
		{0, "mark", MB_OPT_UNBUILT},
		{0, "trace", MB_OPT_UNBUILT},
		{0, "chart", MB_OPT_UNBUILT},
		{0, "prom", MB_OPT_UNBUILT},
		{0, "compare", MB_OPT_UNBUILT},
		{0, "check", MB_OPT_UNBUILT},
		{0},
	};
	struct sigaction pipe_before;

	sigaction(SIGPIPE, NULL, &pipe_before);
	status = mb_tool_start(&tool, table, argc, argv, &rest);
	if (status >= 0)
		return status;
	if (json && !want_report)
		return usage(&tool, "--json", "goes with --report");
	if (want_report && (output || phase_given))
		return usage(&tool, output ? "--output" : "--phase", "goes with a COMMAND");
	if (!output)
		output = getenv("MB_SPANS");
	path = output && *output ? mb_strdup(output) : beside(&tool, "spans.ndjson");
	if (!want_report)
		status = run_command(&tool, phase, path, argv + rest, pipe_before.sa_handler);
	else
		status = rest < argc ? report(&tool, argv + rest, (size_t)(argc - rest), json)
				     : report_default(&tool, path, json);
	free(path);
	return want_report ? mb_tool_end(&tool, status) : status;
}
