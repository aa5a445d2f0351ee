/* SPDX-License-Identifier: MIT */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int print_text(struct mb_tool *tool, struct mb_str *text)
{
	int bad = mb_tool_write(tool, text->at, text->n);

	mb_str_release(text);
	return mb_tool_end(tool, bad && !tool->stdout_gone ? MB_EXIT_SYSTEM : MB_EXIT_OK);
}

static int print_help(struct mb_tool *tool, const struct mb_opt *table, const struct mb_opt *common)
{
	struct mb_str text = {0};

	mb_str_addf(&text, "usage: %s %s\n%s\n\n", tool->name, tool->synopsis, tool->about);
	mb_opt_help(table, &text);
	mb_opt_help(common, &text);
	mb_str_addf(&text, "\nThe manual: man %s\n", tool->name);
	return print_text(tool, &text);
}

static int print_version(struct mb_tool *tool)
{
	struct mb_str text = {0};

	mb_str_addf(&text, "%s %s (BLAS: %s; CUDA: not built in)\n", tool->name, MB_VERSION,
		    tool->blas ? tool->blas() : "not used");
	return print_text(tool, &text);
}

/* Started with one of stdin, stdout and stderr closed, the next file opened would take its place: records would go into
 * the lock of the log. Something that can be neither read nor written is put there; commands find it closed as before. */
static void keep_standard_places(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null", (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
}

int mb_tool_start(struct mb_tool *tool, const struct mb_opt *table, int argc, char **argv, int *rest)
{
	int help = 0, version = 0;
	const struct mb_opt common[] = {
		{'e', "experiment", MB_OPT_TEXT, &tool->experiment_path, "FILE", "the experiment file"},
		{'l', "log", MB_OPT_TEXT, &tool->log_option, "FILE", "the trial log; default: trials.ndjson beside FILE"},
		{'q', "quiet", MB_OPT_FLAG, &tool->quiet, NULL, "only errors on stderr"},
		{'v', "verbose", MB_OPT_FLAG, &tool->verbose, NULL, "more words on stderr"},
		{'h', "help", MB_OPT_FLAG, &help, NULL, "this text"},
		{0, "version", MB_OPT_FLAG, &version, NULL, "the version and what was built in"},
		{0},
	};
	struct mb_opt all[64];
	size_t n = 0;
	struct mb_err err;

	keep_standard_places();
	signal(SIGPIPE, SIG_IGN);
	tool->experiment_path = getenv("MB_EXPERIMENT");
	if (!tool->experiment_path || !*tool->experiment_path)
		tool->experiment_path = "experiment.yaml";
	tool->log_option = getenv("MB_LOG");
	if (tool->log_option && !*tool->log_option)
		tool->log_option = NULL;
	for (; table->name; table++)
		all[n++] = *table;
	memcpy(all + n, common, sizeof common);
	if (mb_opt_parse(all, tool->stop_at_operand, argc, argv, rest, &err) < 0)
		return mb_tool_fail(tool, &err);
	if (help)
		return print_help(tool, table - n, common);
	if (version)
		return print_version(tool);
	return -1;
}

/* The programs of the environment come first in PATH, as its own `activate` has it. A second time changes nothing. */
static void enter_environment(const char *folder)
{
	char *conda = mb_path_join(folder, "conda-meta"), *bin = mb_path_join(folder, "bin"), *path;
	const char *variable = access(conda, F_OK) == 0 ? "CONDA_PREFIX" : "VIRTUAL_ENV", *old = getenv("PATH");

	if (!old || strncmp(old, bin, strlen(bin)) || (old[strlen(bin)] && old[strlen(bin)] != ':')) {
		path = old && *old ? mb_textf("%s:%s", bin, old) : mb_strdup(bin);
		setenv("PATH", path, 1);
		free(path);
	}
	setenv(variable, folder, 1);
	unsetenv("PYTHONHOME");
	free(conda);
	free(bin);
}

/* A member of the marker as a path that begins in `folder`; NULL: none. */
static char *path_of(const json_t *marker, const char *member, const char *folder)
{
	const char *path = json_string_value(json_object_get(marker, member));

	return path ? mb_path_join(folder, path) : NULL;
}

static void replace(char **text, char *by)
{
	if (!by)
		return;
	free(*text);
	*text = by;
}

static void take_marker(struct mb_experiment *experiment, const json_t *marker)
{
	const char *commit = json_string_value(json_object_get(marker, "commit"));
	char *base = path_of(marker, "base", experiment->folder), *code = path_of(marker, "code", experiment->folder);

	experiment->environment = path_of(marker, "environment", experiment->folder);
	if (experiment->environment)
		enter_environment(experiment->environment);
	replace(&experiment->folder, base);
	replace(&experiment->code, code ? code : mb_strdup(experiment->folder));
	replace(&experiment->commit, commit ? mb_strdup(commit) : NULL);
}

/* The copy that mb-deploy keeps in a folder of its own means the paths that the original meant: the marker beside it says
 * where those begin, where the model was checked out, and in which environment it runs. */
static void read_marker(struct mb_experiment *experiment)
{
	char *path = mb_path_join(experiment->folder, "deploy.json");
	struct mb_str text = {0};
	struct mb_err err;
	json_t *marker = NULL;

	if (access(path, F_OK) == 0 && mb_file_read(path, 65536, &text, &err) == 0)
		marker = mb_json_parse(text.at, text.n, path, &err);
	if (json_is_object(marker))
		take_marker(experiment, marker);
	json_decref(marker);
	mb_str_release(&text);
	free(path);
}

/* For those who take care of their model's versions themselves. */
static void take_commit(struct mb_experiment *experiment)
{
	const char *commit = getenv("MB_COMMIT");

	if (commit && *commit && strlen(commit) <= 64 && !commit[strspn(commit, "0123456789abcdef")])
		replace(&experiment->commit, mb_strdup(commit));
}

struct mb_experiment *mb_tool_experiment(struct mb_tool *tool)
{
	struct mb_errs errs = {0};
	struct mb_experiment *experiment = mb_experiment_read(tool->experiment_path, &errs);

	if (experiment) {
		take_commit(experiment);
		read_marker(experiment);
	}
	for (size_t i = 0; i < errs.n; i++)
		mb_tool_fail(tool, &errs.at[i]);
	mb_errs_release(&errs);
	return experiment;
}

char *mb_tool_log_path(const struct mb_tool *tool, const struct mb_experiment *experiment)
{
	char *folder, *path;

	if (tool->log_option)
		return mb_strdup(tool->log_option);
	folder = mb_path_dir(experiment->path);
	path = mb_path_join(folder, "trials.ndjson");
	free(folder);
	return path;
}

char *mb_tool_cache(void)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (cache && *cache == '/')
		return mb_path_join(cache, "mb");
	return home && *home ? mb_path_join(home, ".cache/mb") : NULL;
}

/* One write(2) a line, so that lines of several tools on one terminal do not mix. */
static void say(const struct mb_tool *tool, const char *fmt, va_list args)
{
	char words[4096];
	struct mb_str line = {0};

	vsnprintf(words, sizeof words, fmt, args);
	mb_str_addf(&line, "%s: ", tool->name);
	mb_str_add_clean(&line, words, sizeof words); /* names and values of records may hold anything */
	mb_str_adds(&line, "\n");
	(void)!write(STDERR_FILENO, line.at, line.n);
	mb_str_release(&line);
}

void mb_tool_warn(const struct mb_tool *tool, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(tool, fmt, args);
	va_end(args);
}

void mb_tool_say(const struct mb_tool *tool, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (!tool->quiet)
		say(tool, fmt, args);
	va_end(args);
}

void mb_tool_detail(const struct mb_tool *tool, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (tool->verbose)
		say(tool, fmt, args);
	va_end(args);
}

int mb_tool_fail(const struct mb_tool *tool, const struct mb_err *err)
{
	char text[2200];

	mb_tool_warn(tool, "%s", mb_err_text(err, text, sizeof text));
	return err->code;
}

int mb_tool_write(struct mb_tool *tool, const void *bytes, size_t n)
{
	if (mb_write_all(STDOUT_FILENO, bytes, n) == 0)
		return 0;
	if (errno == EPIPE)
		tool->stdout_gone = 1;
	else
		mb_tool_warn(tool, "stdout: %s", strerror(errno));
	return -1;
}

int mb_tool_put(struct mb_tool *tool, const json_t *record)
{
	struct mb_str line = {0};
	int bad;

	mb_json_print(record, &line);
	mb_str_adds(&line, "\n");
	bad = mb_tool_write(tool, line.at, line.n);
	mb_str_release(&line);
	return bad;
}

int mb_tool_end(struct mb_tool *tool, int status)
{
	if (close(STDOUT_FILENO) < 0 && errno != EBADF && errno != EINTR) {
		mb_tool_warn(tool, "stdout: %s", strerror(errno));
		return MB_EXIT_SYSTEM;
	}
	return status;
}
