/* SPDX-License-Identifier: MIT
 *
 * mb-deploy: runs the pipe, detached, where there are cores for it, and keeps order over what runs.
 */
#include <stdlib.h>
#include <string.h>

#include "deploy.h"

/* Which operand a verb takes. */
enum operand { OPERAND_NONE, OPERAND_FILE, OPERAND_MAYBE, OPERAND_NAME };

static const struct {
	struct deploy_verb verb;
	enum operand operand;
} verbs[] = {
	{{"start", NULL, verb_start}, OPERAND_FILE},
	{{"continue", NULL, verb_continue}, OPERAND_NAME},
	{{"status", NULL, verb_status}, OPERAND_MAYBE},
	{{"list", NULL, verb_list}, OPERAND_NONE},
	{{"logs", NULL, verb_logs}, OPERAND_NAME},
	{{"kill", "kill_jobs", verb_kill}, OPERAND_NAME},
	{{"delete", NULL, verb_delete}, OPERAND_NAME},
	{{"plan", NULL, verb_plan}, OPERAND_FILE},
	{{"doctor", NULL, verb_doctor}, OPERAND_FILE},
	{{"render", NULL, verb_render}, OPERAND_FILE},
	{{"worker", NULL, verb_worker}, OPERAND_NAME},
};

static int wrong_verb(struct mb_tool *tool, const char *word)
{
	const char *names[MB_COUNT(verbs) + 1] = {NULL}, *near;

	for (size_t i = 0; i < MB_COUNT(verbs); i++)
		names[i] = verbs[i].verb.name;
	near = mb_nearest(word, names);
	if (near)
		mb_tool_warn(tool, "%s: no such verb (did you mean %s?)", word, near);
	else
		mb_tool_warn(tool, "%s: no such verb (see --help)", word);
	return MB_EXIT_USAGE;
}

static int usage(struct mb_tool *tool, const char *verb, const char *what)
{
	mb_tool_warn(tool, "%s: %s (see --help)", verb, what);
	return MB_EXIT_USAGE;
}

/* By the option, not by the environment. */
static int experiment_given(const struct mb_tool *tool)
{
	return tool->experiment_path != getenv("MB_EXPERIMENT") && strcmp(tool->experiment_path, "experiment.yaml");
}

/* An option that the verb does not know would be ignored: 0 or MB_EXIT_USAGE. file: the operand is one; verbs on a NAME
 * hold --on against where it runs (folder_find). */
static int check_options(struct mb_tool *tool, const struct deploy_options *options, const char *verb, int file)
{
	const struct {
		int given;
		const char *name, *verbs; /* each between blanks */
	} rules[] = {
		{options->workers > 0, "--workers", " start plan render "},
		{options->target != NULL, "--for", " render "},
		{options->update, "--update", " start "},
		{options->follow, "--follow", " logs "},
		{options->lines > 0, "--lines", " logs "},
		{options->extend, "--extend", " continue "},
		{options->nodes, "--nodes", " doctor "},
		{options->json, "--json", " status list doctor "},
		{options->on && (file || !options->name), "--on", " start plan doctor "},
		{experiment_given(tool), "--experiment", " start plan doctor render "},
	};
	char *word = mb_textf(" %s ", verb);
	int bad = 0;

	for (size_t i = 0; !bad && i < MB_COUNT(rules); i++)
		if (rules[i].given && !strstr(rules[i].verbs, word)) {
			mb_tool_warn(tool, "%s: %s is not an option of it, but of%.*s (see --help)", verb, rules[i].name,
				     (int)strlen(rules[i].verbs) - 1, rules[i].verbs);
			bad = MB_EXIT_USAGE;
		}
	free(word);
	return bad;
}

/* The operand, or the old option that says the same. */
static int run(struct mb_tool *tool, struct deploy_options *options, const char *config_path,
	       const char *experiment_name, char **operands, int n)
{
	enum operand operand;
	const char *old, *unused;
	size_t i = 0;
	int bad;

	while (i < MB_COUNT(verbs) && strcmp(verbs[i].verb.name, operands[0]) &&
	       (!verbs[i].verb.old_name || strcmp(verbs[i].verb.old_name, operands[0])))
		i++;
	if (i == MB_COUNT(verbs))
		return wrong_verb(tool, operands[0]);
	operand = verbs[i].operand;
	old = operand == OPERAND_FILE ? config_path : experiment_name;
	unused = operand == OPERAND_FILE ? experiment_name : config_path;
	if (unused || (old && operand == OPERAND_NONE))
		return usage(tool, operands[0],
			     operand == OPERAND_FILE   ? "takes --config_path FILE, not --experiment_name"
			     : operand == OPERAND_NONE ? "an operand is not expected"
						       : "takes --experiment_name NAME, not --config_path");
	if (n > 2 || (n == 2 && (operand == OPERAND_NONE || old)))
		return usage(tool, operands[n - 1],
			     operand == OPERAND_NONE   ? "an operand is not expected"
			     : operand == OPERAND_FILE ? "one FILE at a time"
						       : "one NAME at a time");
	options->name = n == 2 ? operands[1] : old;
	if (!options->name && operand == OPERAND_NAME)
		return usage(tool, operands[0], "a NAME is missing");
	if (options->name && !*options->name)
		return usage(tool, operands[0], "the operand is empty");
	bad = check_options(tool, options, verbs[i].verb.name, operand == OPERAND_FILE);
	if (bad)
		return bad;
	if (strcmp(verbs[i].verb.name, "plan")) {
		if (tool->log_option && tool->log_option != getenv("MB_LOG"))
			return usage(tool, "--log", "is plan's: the log lies in the experiment's folder");
		tool->log_option = NULL;
	}
	return verbs[i].verb.run(tool, options);
}

int main(int argc, char **argv)
{
	static const char *const for_whom[] = {"slurm", "kubernetes", "docker", "apptainer", NULL};
	static const char *const places[] = {"local", "slurm", NULL};
	struct mb_tool tool = {
		.name = "mb-deploy",
		.synopsis = "start FILE | status [NAME] | logs NAME | list | kill NAME | continue NAME | delete NAME "
			    "| plan FILE | doctor [FILE] | render --for TARGET FILE | worker NAME",
		.about = "Runs the search of an experiment file in the background, and keeps order over what runs."};
	struct deploy_options options = {0};
	const char *config_path = NULL, *experiment_name = NULL;
	int rest, status;
	const struct mb_opt table[] = {
		{0, "on", MB_OPT_TEXT, &options.on, "PLACE", "where the workers run; default: slurm when experiment.cluster is given", .words = places},
		{'w', "workers", MB_OPT_INT, &options.workers, "COUNT",
		 "of start, plan, render: this many workers; default: 1, on Slurm parallel_bandwidth", .min = 1, .max = 4096},
		{0, "for", MB_OPT_TEXT, &options.target, "TARGET", "of render: slurm, kubernetes, docker or apptainer",
		 .words = for_whom},
		{0, "update", MB_OPT_FLAG, &options.update, NULL, "of start: take over what was edited in FILE"},
		{'f', "follow", MB_OPT_FLAG, &options.follow, NULL, "of logs: go on until no worker is left"},
		{'n', "lines", MB_OPT_INT, &options.lines, "COUNT", "of logs: the last ones of each worker (40)", .min = 1,
		 .max = 1e9},
		{0, "extend", MB_OPT_FLAG, &options.extend, NULL,
		 "of continue: first extend the workspace, which uses up one of its extensions"},
		{0, "nodes", MB_OPT_FLAG, &options.nodes, NULL,
		 "of doctor: also whether locks hold between two nodes, by a job that waits for them"},
		{0, "json", MB_OPT_FLAG, &options.json, NULL, "of status, list and doctor: one JSON object a line"},
		{0, "config_path", MB_OPT_TEXT, &config_path, "FILE", "the same as the operand FILE"},
		{0, "experiment_name", MB_OPT_TEXT, &experiment_name, "NAME", "the same as the operand NAME"},
		{0},
	};

	status = mb_tool_start(&tool, table, argc, argv, &rest);
	if (status >= 0)
		return status;
	if (rest == argc)
		status = usage(&tool, "a verb is missing", "mb-deploy start FILE");
	else
		status = run(&tool, &options, config_path, experiment_name, argv + rest, argc - rest);
	return mb_tool_end(&tool, status);
}
