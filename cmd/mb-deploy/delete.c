/* SPDX-License-Identifier: MIT
 *
 * delete: removes what start made. It refuses while something runs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "deploy.h"

static int check_uuid(const struct deployment *deployment)
{
	if (!deployment->journal.uuid || !strcmp(deployment->journal.uuid, deployment->uuid))
		return 0;
	mb_tool_warn(deployment->tool,
		     "%s: its marker and its journal are of different experiments: nothing is removed (rm -r "
		     "does it)",
		     deployment->folder);
	return MB_EXIT_SYSTEM;
}

/* The workspace that start allocated for it: 0; 1 when there was none; -1 after complaints. */
static int release(struct mb_tool *tool, const char *name)
{
	struct mb_err err;
	int status = workspace_release(tool, name, &err);

	if (status < 0)
		mb_tool_fail(tool, &err);
	return status;
}

/* The experiment that the SigOpt service made for this search. That it cannot be reached keeps nothing from being removed
 * here; what it said is printed. */
static void delete_at_service(const struct deployment *deployment)
{
	char *program = driver_program("mb-suggest"), *experiment = folder_file(deployment, "experiment.yaml"),
	     *log = folder_file(deployment, "trials.ndjson"), *state = folder_file(deployment, "trials.ndjson.sigopt"), *words;
	char *const argv[] = {program, "--sigopt-delete", "-e", experiment, "-l", log, NULL};
	char *const variables[] = {"MB_SIGOPT_PATIENCE=10", NULL};
	struct command command = {.argv = argv, .variables = variables, .limit_s = 60};
	struct mb_err err;

	if (access(state, F_OK) == 0) {
		command_run(&command, &err);
		words = command_words(&command, 1);
		mb_tool_say(deployment->tool, "%s: %s", deployment->name, words);
		free(words);
		command_release(&command);
	}
	free(state);
	free(log);
	free(experiment);
	free(program);
}

/* Under both locks. */
static int delete (struct deployment *deployment)
{
	struct mb_tool *tool = deployment->tool;
	struct mb_err err;
	int status, killed;

	if (folder_lock_now(deployment, &err) < 0 || journal_open(&deployment->journal, deployment->folder, 1, &err) < 0)
		return mb_tool_fail(tool, &err);
	status = check_uuid(deployment);
	if (status)
		return status;
	learn(deployment, 1);
	if (count_on(deployment)) {
		mb_tool_warn(tool, "%s: runs (mb-deploy kill %s first)", deployment->name, deployment->name);
		return MB_EXIT_NO;
	}
	/* What a killed worker left behind would write into a folder that is gone. */
	status = kill_all(deployment, &killed);
	if (status)
		return status;
	delete_at_service(deployment);
	if (journal_add(&deployment->journal, journal_verb("intent", "delete"), &err) < 0 ||
	    folder_remove(deployment, &err) < 0)
		return mb_tool_fail(tool, &err);
	mb_tool_say(tool, "%s: deleted", deployment->name);
	return release(tool, deployment->name) < 0 ? MB_EXIT_SYSTEM : MB_EXIT_OK;
}

/* A link that leads to no deployment: what a crash left of one that was deleted, or whose folder was moved. 0, or the
 * code. */
static int delete_link(struct mb_tool *tool, const char *name)
{
	char *slug = folder_slug(name);
	struct names names = {0};
	struct mb_err err;
	int status = -1;

	if (folder_names(&names, &err) < 0)
		status = mb_tool_fail(tool, &err);
	for (size_t i = 0; status < 0 && i < names.n; i++) {
		char *state, *path, *target;

		if (strcmp(names.at[i], name) && strcmp(names.at[i], slug))
			continue;
		state = folder_state(&err);
		path = state ? mb_path_join(state, names.at[i]) : NULL;
		target = path ? realpath(path, NULL) : NULL;
		if (target)
			rmdir(target); /* only when it is empty */
		status = !path || folder_unlink(names.at[i], &err) < 0 ? mb_tool_fail(tool, &err) : MB_EXIT_OK;
		if (!status)
			mb_tool_say(tool, "%s: deleted; its folder was gone", names.at[i]);
		free(target);
		free(path);
		free(state);
	}
	folder_names_release(&names);
	free(slug);
	return status;
}

/* Without a folder: a link, a workspace, that a crash left. 0, the code, or -1 when there is neither. */
static int delete_rest(struct mb_tool *tool, const char *name)
{
	int status = delete_link(tool, name), released = status > 0 ? 1 : release(tool, name);

	return released < 0 ? MB_EXIT_SYSTEM : released && status < 0 ? -1 : status < 0 ? MB_EXIT_OK : status;
}

int verb_delete(struct mb_tool *tool, const struct deploy_options *options)
{
	struct deployment deployment;
	struct mb_lock all;
	struct mb_err err, why;
	int status;

	if (folder_lock_all(&all, &err) < 0) {
		mb_lock_close(&all);
		return mb_tool_fail(tool, &err);
	}
	if (folder_find(&deployment, tool, options->name, options->on, &why) == 0) {
		status = delete (&deployment);
		folder_release(&deployment);
	} else {
		status = why.code == MB_EXIT_NO ? delete_rest(tool, options->name) : -1;
		if (status < 0)
			status = mb_tool_fail(tool, &why);
	}
	mb_lock_drop(&all);
	mb_lock_close(&all);
	return status;
}
