/* SPDX-License-Identifier: MIT
 *
 * kill: ends everything that runs for the experiment. Its log and models stay, and continue takes it up again.
 */
#include <signal.h>

#include "deploy.h"

/* Those that could not say so themselves have ended as well. */
static int note_ends(struct journal *journal, struct mb_err *err)
{
	if (journal_update(journal, err) < 0)
		return -1;
	for (size_t i = 0; i < journal->n_slots; i++) {
		const struct slot *slot = &journal->slots[i];
		json_t *line;

		if (slot->words)
			continue;
		line = journal_worker("ended", slot->number);
		mb_json_set(line, "launch", json_integer(slot->launch));
		mb_json_set(line, "exit", json_integer(128 + SIGKILL));
		mb_json_set(line, "words", json_string("killed"));
		if (journal_add(journal, line, err) < 0)
			return -1;
	}
	return 0;
}

int kill_all(struct deployment *deployment, int *killed)
{
	struct mb_tool *tool = deployment->tool;
	struct standing standing;
	struct mb_err err;
	json_t *result;
	double grace_s = 10;

	if (standing_read(&standing, deployment, &err) == 0)
		grace_s = standing.experiment->grace_s;
	standing_release(&standing);
	/* From here on no worker begins that was launched before. */
	if (journal_add(&deployment->journal, journal_verb("intent", "kill"), &err) < 0 ||
	    deployment->driver->stop(deployment, grace_s, killed, &err) < 0 ||
	    note_ends(&deployment->journal, &err) < 0)
		return mb_tool_fail(tool, &err);
	deploy_step();
	result = journal_verb("result", "kill");
	mb_json_set(result, "forced", json_integer(*killed));
	return journal_add(&deployment->journal, result, &err) < 0 ? mb_tool_fail(tool, &err) : MB_EXIT_OK;
}

static int kill_deployment(struct deployment *deployment)
{
	struct mb_tool *tool = deployment->tool;
	struct mb_err err;
	int status, killed;
	size_t on;

	if (folder_lock(deployment, NULL, &err) < 0 || journal_open(&deployment->journal, deployment->folder, 1, &err) < 0)
		return mb_tool_fail(tool, &err);
	learn(deployment, 1);
	on = count_on(deployment);
	status = kill_all(deployment, &killed);
	if (status)
		return status;
	if (killed)
		mb_tool_say(tool, "%s: killed; %d process%s did not end when asked", deployment->name, killed,
			    killed == 1 ? "" : "es");
	else
		mb_tool_say(tool, "%s: %s", deployment->name, on ? "killed" : "nothing runs");
	return MB_EXIT_OK;
}

int verb_kill(struct mb_tool *tool, const struct deploy_options *options)
{
	struct deployment deployment;
	struct mb_err err;
	int status;

	if (folder_find(&deployment, tool, options->name, options->on, &err) < 0)
		return mb_tool_fail(tool, &err);
	status = kill_deployment(&deployment);
	folder_release(&deployment);
	return status;
}
