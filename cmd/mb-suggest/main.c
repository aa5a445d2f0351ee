/* SPDX-License-Identifier: MIT
 *
 * mb-suggest: the head of the pipe. Prints what to try next and follows the log.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sigopt.h"

static int list_algorithms(struct mb_tool *tool)
{
	struct mb_str text = {0};
	int status = MB_EXIT_OK;

	for (size_t i = 0; mb_algorithms[i]; i++)
		mb_str_addf(&text, "%-10s %s\n", mb_algorithms[i]->name, mb_algorithms[i]->about);
	mb_str_addf(&text, "%-10s %s\n", algorithm_sigopt.name, algorithm_sigopt.about);
	if (mb_tool_write(tool, text.at, text.n) < 0 && !tool->stdout_gone)
		status = MB_EXIT_SYSTEM;
	mb_str_release(&text);
	return mb_tool_end(tool, status);
}

static const struct mb_algorithm *choose(const struct mb_experiment *experiment, const char *option, struct mb_err *err)
{
	if (strcmp(option ? option : experiment->algorithm, algorithm_sigopt.name))
		return mb_algorithm_choose(experiment, option, err);
	return algorithm_sigopt.check(experiment, err) == 0 ? &algorithm_sigopt : NULL;
}

/* Opens the log and runs in one of the three ways. */
static int run(struct suggester *suggester, const struct run_options *options, const struct sigopt_account *account)
{
	struct mb_tool *tool = suggester->tool;
	int in_memory = tool->log_option && !strcmp(tool->log_option, "-"), status;
	char *path = in_memory ? mb_strdup("history") : mb_tool_log_path(tool, suggester->experiment);
	struct mb_err err;
	int bad = mb_log_open(&suggester->log, path, suggester->experiment->name, in_memory ? MB_LOG_MEMORY : MB_LOG_WRITE,
			      getenv("MB_LOCK"), &err);

	free(path);
	if (!bad && account->token) {
		suggester->sigopt = sigopt_open(suggester, account, &err);
		bad = !suggester->sigopt;
	}
	if (bad)
		return mb_tool_fail(tool, &err);
	if (options->sigopt_delete) {
		status = suggester->sigopt ? sigopt_delete(suggester->sigopt, &err) : MB_EXIT_NO;
		if (status < 0)
			return mb_tool_fail(tool, &err);
		if (status == MB_EXIT_NO)
			mb_tool_warn(tool, "%s: no experiment at the service belongs to this log", suggester->log.path);
		return status;
	}
	if (in_memory)
		return suggest_coprocess(suggester, options);
	return options->count ? suggest_count(suggester, options) : suggest_loop(suggester, options);
}

/* With a service, if that is what suggests and there is a token for it. */
static int suggest(struct suggester *suggester, const struct run_options *options)
{
	struct sigopt_account account = {0};
	int is_sigopt = suggester->algorithm == &algorithm_sigopt || options->sigopt_delete, status;
	struct mb_err err;

	if (is_sigopt && sigopt_account_read(&account, suggester->experiment, &err) < 0)
		return mb_tool_fail(suggester->tool, &err);
	if (options->sigopt_delete && !account.token) {
		mb_tool_warn(suggester->tool, "--sigopt-delete: no token (see SIGOPT_ENV_FILE in mb-suggest(1))");
		return MB_EXIT_SYSTEM;
	}
	if (is_sigopt && !account.token) {
		suggester->algorithm = mb_algorithm_find("auto");
		mb_tool_say(suggester->tool, "no token for the SigOpt service (SIGOPT_ENV_FILE, %s): algorithm auto suggests",
			    suggester->experiment->sigopt.dev_run ? "SIGOPT_DEV_TOKEN" : "SIGOPT_TOKEN");
	}
	status = run(suggester, options, &account);
	sigopt_close(suggester->sigopt);
	suggester->sigopt = NULL;
	sigopt_account_release(&account);
	return status;
}

int main(int argc, char **argv)
{
	struct mb_tool tool = {.name = "mb-suggest",
			       .synopsis = "[-n COUNT] [-k KEEP] [-a ALGORITHM] [-s SEED] [-l LOG|-]",
			       .about = "Prints what to try next, and follows the log until the budget is used up."};
	struct run_options options = {0};
	const char *algorithm = NULL;
	int64_t seed = INT64_MIN;
	static const char *const trials[] = {"-", NULL};
	const char *trial = NULL;
	int list = 0, check = 0, init = 0, stop = 0, predict = 0, rest, status;
	const struct mb_opt table[] = {
		{'n', "count", MB_OPT_INT, &options.count, "COUNT", "print COUNT suggestions now and end", .min = 1, .max = 1e9},
		{'k', "keep", MB_OPT_INT, &options.keep, "KEEP", "keep at most KEEP open; default: parallel_bandwidth",
		 .min = 1, .max = 1e9},
		{'a', "algorithm", MB_OPT_TEXT, &algorithm, "ALGORITHM", "see --list-algorithms; default: the file's"},
		{'s', "seed", MB_OPT_INT, &seed, "SEED", "seed of the search; default: the file's", .min = 0,
		 .max = 9007199254740991.0},
		{0, "reissue", MB_OPT_FLAG, &options.reissue, NULL, "give out again what -n printed and no trainer has"},
		{0, "history", MB_OPT_TEXTS, &options.history, "FILE", "with -l -: records to start from; repeatable"},
		{0, "prior-log", MB_OPT_TEXTS, &options.prior_logs, "FILE",
		 "a log of another experiment to learn from; repeatable"},
		{0, "predict", MB_OPT_FLAG, &predict, NULL, "add what the log lets expect to the records on stdin and end"},
		{0, "check", MB_OPT_FLAG, &check, NULL, "say what the experiment file means and end"},
		{0, "init", MB_OPT_FLAG, &init, NULL, "write an experiment file to begin with and end"},
		{0, "should-stop", MB_OPT_FLAG, &stop, NULL, "end with 0 when the search should stop, 1 when it should go on"},
		{0, "trial", MB_OPT_TEXT, &trial, "-", "with --should-stop: of the running trial whose record is on stdin",
		 .words = trials},
		{0, "sigopt-delete", MB_OPT_FLAG, &options.sigopt_delete, NULL,
		 "delete this log's experiment at the SigOpt service and end"},
		{0, "list-algorithms", MB_OPT_FLAG, &list, NULL, "name the algorithms and end"},
		{0},
	};
	struct mb_experiment *experiment = NULL;
	struct mb_transfer *transfer = NULL;
	const struct mb_algorithm *chosen;
	struct suggester suggester;
	struct mb_err err;

	status = mb_tool_start(&tool, table, argc, argv, &rest);
	if (status >= 0)
		return status;
	if (list)
		return list_algorithms(&tool);
	if (init)
		return suggest_init(&tool);
	status = MB_EXIT_USAGE;
	if (rest < argc) {
		mb_tool_warn(&tool, "%s: takes no operands (see --help)", argv[rest]);
		goto out;
	}
	if (options.history.n && (!tool.log_option || strcmp(tool.log_option, "-"))) {
		mb_tool_warn(&tool, "--history: goes with -l - alone; a log on disk is its own history");
		goto out;
	}
	if (trial && !stop) {
		mb_tool_warn(&tool, "--trial: goes with --should-stop");
		goto out;
	}
	if (options.prior_logs.n && (predict || check || stop || options.sigopt_delete)) {
		mb_tool_warn(&tool, "--prior-log: goes with suggestions alone");
		goto out;
	}
	if (predict && tool.log_option && !strcmp(tool.log_option, "-")) {
		mb_tool_warn(&tool, "--predict: stdin has the records, the log must be a file");
		goto out;
	}
	experiment = mb_tool_experiment(&tool);
	if (!experiment)
		goto out;
	if (predict) {
		status = suggest_predict(&tool, experiment);
		goto out;
	}
	chosen = choose(experiment, algorithm, &err);
	if (!chosen) {
		status = mb_tool_fail(&tool, &err);
		goto out;
	}
	if (seed == INT64_MIN)
		seed = (int64_t)experiment->seed;
	if (check) {
		status = suggest_check(&tool, experiment, chosen, (uint64_t)seed);
		goto out;
	}
	if (options.prior_logs.n) {
		transfer = read_prior_logs(&tool, experiment, chosen, &options.prior_logs, &status);
		if (!transfer)
			goto out;
	}
	suggester_init(&suggester, &tool, experiment, chosen, (uint64_t)seed);
	suggester.transfer = transfer;
	status = stop ? suggest_should_stop(&suggester, trial != NULL) : suggest(&suggester, &options);
	suggester_release(&suggester);
out:
	mb_transfer_free(transfer);
	mb_experiment_free(experiment);
	free(options.history.at);
	free(options.prior_logs.at);
	return mb_tool_end(&tool, status);
}
