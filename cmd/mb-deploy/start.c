/* SPDX-License-Identifier: MIT
 *
 * start and continue: see that all workers run that should. Nothing here waits for them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "run/run.h"
#include "setup.h"

/* ---- launching ---- */

/* Launches those that are not on; *made: how many. 0 or -1. */
static int launch_missing(struct deployment *deployment, const char *verb, int64_t *made, struct mb_err *err)
{
	int64_t of = journal_add(&deployment->journal, journal_verb("intent", verb), err);
	json_t *result;

	if (of < 0 || deployment->driver->launch(deployment, of, made, err) < 0)
		return -1;
	result = journal_verb("result", verb);
	mb_json_set(result, "of", json_integer(of));
	return journal_add(&deployment->journal, result, err) < 0 ? -1 : 0;
}

/* Workers that heard a signal will not go on: they are waited for, as long as they may take. */
static int wait_for_stopping(struct deployment *deployment, double grace_s, struct mb_err *err)
{
	const double until = mb_clock_monotonic_s() + grace_s + 5;
	size_t stopping;

	for (;;) {
		stopping = 0;
		for (size_t i = 0; i < deployment->journal.n_slots; i++)
			stopping +=
				deployment->driver->look(deployment, &deployment->journal.slots[i]) == LIFE_STOPPING;
		if (!stopping || mb_clock_monotonic_s() > until)
			break;
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
		if (journal_update(&deployment->journal, err) < 0)
			return -1;
	}
	if (!stopping)
		return 0;
	mb_err_set(err, MB_EXIT_SYSTEM, NULL, "%zu worker%s told to stop and still there", stopping,
		   stopping == 1 ? " was" : "s were");
	return mb_err_hint(err, "mb-deploy kill %s", deployment->name);
}

/* Ends what a crash left in the middle. */
static int settle(struct deployment *deployment)
{
	int killed;

	if (deployment->journal.delete_open) {
		mb_tool_warn(deployment->tool, "%s: was about to be deleted (mb-deploy delete %s ends it)",
			     deployment->folder, deployment->name);
		return MB_EXIT_USAGE;
	}
	return deployment->journal.kill_open ? kill_all(deployment, &killed) : 0;
}

static int say_over(struct deployment *deployment, const struct standing *standing)
{
	struct mb_str text = {0};

	standing_text(standing, &text);
	mb_tool_say(deployment->tool, "%s: %s are in: nothing is left to do (mb-deploy status %s)", deployment->name,
		    text.at, deployment->name);
	mb_str_release(&text);
	return MB_EXIT_OK;
}

/* Makes what the workers need. What has not run yet is not bound to what was found at the first attempt. A signal ends git, pip
 * and what they started as well, which would go on by themselves. */
static int set_up(struct deployment *deployment, struct mb_experiment *experiment, const char *verb, int update)
{
	struct mb_err err;
	int status;

	if (!strcmp(verb, "start")) { /* of which the copy was made */
		free(experiment->path);
		experiment->path = mb_strdup(deployment->source);
	}
	if (mb_signals_open(0, &err) < 0)
		return mb_tool_fail(deployment->tool, &err);
	status = setup_prepare(deployment, experiment, !deployment->journal.n_slots || update);
	if (!status && mb_signals_stopped()) {
		mb_tool_warn(deployment->tool, "%s: stopped by a signal, no worker was started", deployment->name);
		status = MB_EXIT_SYSTEM;
	}
	return status;
}

/* Under the verb's lock. */
static int take_up(struct deployment *deployment, const char *verb, int update)
{
	struct mb_tool *tool = deployment->tool;
	struct standing standing = {0};
	struct mb_str text = {0};
	struct mb_err err;
	int64_t made;
	size_t on;
	int status;

	if (journal_open(&deployment->journal, deployment->folder, 1, &err) < 0)
		return mb_tool_fail(tool, &err);
	if (!deployment->journal.uuid) {
		json_t *line = json_object();

		mb_json_set(line, "event", json_string("made"));
		mb_json_set(line, "uuid", json_string(deployment->uuid));
		if (journal_add(&deployment->journal, line, &err) < 0)
			return mb_tool_fail(tool, &err);
	}
	status = settle(deployment);
	if (status)
		return status;
	workspace_watch(deployment, 1);
	if (standing_read(&standing, deployment, &err) < 0 ||
	    wait_for_stopping(deployment, standing.experiment->grace_s, &err) < 0) {
		status = mb_tool_fail(tool, &err);
		goto out;
	}
	learn(deployment, 1);
	on = count_on(deployment);
	if (on >= (deployment->driver->together ? 1 : (size_t)deployment->workers)) {
		standing_text(&standing, &text);
		mb_tool_say(tool, "%s: runs, %s", deployment->name, text.at);
	} else if (standing_is_over(&standing)) {
		status = say_over(deployment, &standing);
	} else if ((status = set_up(deployment, standing.experiment, verb, update && !on))) {
		goto out;
	} else if (launch_missing(deployment, verb, &made, &err) < 0) {
		status = mb_tool_fail(tool, &err);
	} else {
		mb_tool_say(tool, "%s: %lld worker%s %s; mb-deploy status %s tells how it goes", deployment->name,
			    (long long)made, made == 1 ? "" : "s",
			    deployment->driver->together ? "submitted" : "started", deployment->name);
	}
out:
	mb_str_release(&text);
	standing_release(&standing);
	return status;
}

/* ---- start ---- */

/* What `start` was asked for; the deployment that is there may be of something else. */
struct wanted {
	const struct mb_str *text;
	char *digest, *source;
	const struct mb_driver *driver;
	int64_t workers, keep;
	int workers_given, on_given, update;
};

static int free_wanted(struct wanted *wanted, int status)
{
	free(wanted->digest);
	free(wanted->source);
	return status;
}

static int say_differs(const struct deployment *deployment, const struct wanted *wanted)
{
	struct mb_tool *tool = deployment->tool;

	if (strcmp(deployment->source, wanted->source))
		mb_tool_warn(tool,
			     "%s: belongs to another file, %s (give the experiment another name; mb-deploy delete %s "
			     "removes that one)",
			     deployment->folder, deployment->source, deployment->name);
	else
		mb_tool_warn(tool,
			     "%s: was edited since it was started (start --update takes the edits over, continue %s "
			     "goes on without them)",
			     wanted->source, deployment->name);
	return MB_EXIT_USAGE;
}

/* Its workers are known by what the driver of their time wrote of them. */
static int say_elsewhere(const struct deployment *deployment, const struct wanted *wanted)
{
	mb_tool_warn(deployment->tool,
		     "%s: has run with --on %s and cannot go on with --on %s (start --on %s goes on there; elsewhere it "
		     "begins anew, under another name or after mb-deploy delete %s)",
		     deployment->name, deployment->driver->name, wanted->driver->name, deployment->driver->name,
		     deployment->name);
	return MB_EXIT_USAGE;
}

static int take_over(struct deployment *deployment, const struct wanted *wanted, struct mb_err *err)
{
	free(deployment->digest);
	deployment->digest = mb_strdup(wanted->digest);
	free(deployment->source);
	deployment->source = mb_strdup(wanted->source);
	if (wanted->workers_given || deployment->driver != wanted->driver)
		deployment->workers = wanted->workers;
	deployment->driver = wanted->driver;
	deployment->keep = wanted->keep;
	deployment->is_set_up = 0;
	if (folder_write_copy(deployment, wanted->text, err) < 0)
		return -1;
	deploy_step();
	return folder_write_marker(deployment, err);
}

/* Until then a mistake in the file can be mended without more ado. */
static int has_run(struct deployment *deployment)
{
	struct mb_err err;
	int has = journal_open(&deployment->journal, deployment->folder, 0, &err) < 0 || deployment->journal.n_slots;

	journal_close(&deployment->journal);
	return has;
}

/* 0 when the deployment is what is wanted, or has become so; else the exit code. */
static int compare(struct deployment *deployment, struct wanted *wanted)
{
	struct mb_tool *tool = deployment->tool;
	int edited = strcmp(deployment->digest, wanted->digest) != 0;
	int moved = (edited || wanted->on_given) && deployment->driver != wanted->driver;
	struct mb_err err;

	if (edited && !wanted->update && has_run(deployment))
		return say_differs(deployment, wanted);
	if (moved && has_run(deployment))
		return say_elsewhere(deployment, wanted);
	if (!moved)
		wanted->driver = deployment->driver;
	if (!edited && !moved && !strcmp(deployment->source, wanted->source) &&
	    (!wanted->workers_given || deployment->workers == wanted->workers))
		return 0;
	if (journal_open(&deployment->journal, deployment->folder, 0, &err) < 0)
		return mb_tool_fail(tool, &err);
	learn(deployment, 1);
	if (count_on(deployment)) {
		mb_tool_warn(tool, "%s: runs, with %lld worker%s (mb-deploy kill %s first)", deployment->name,
			     (long long)deployment->workers, deployment->workers == 1 ? "" : "s", deployment->name);
		return MB_EXIT_USAGE;
	}
	journal_close(&deployment->journal);
	return take_over(deployment, wanted, &err) < 0 ? mb_tool_fail(tool, &err) : 0;
}

/* Names everything after the file; 0 or the exit code. */
static int prepare(struct deployment *deployment, const struct mb_experiment *experiment,
		   const struct deploy_options *options, const struct mb_str *text)
{
	char *beside = realpath(experiment->folder, NULL), *source;
	struct mb_err err;

	if (!beside) {
		mb_err_errno(&err, experiment->folder, NULL);
		return mb_tool_fail(deployment->tool, &err);
	}
	deployment->name = folder_slug(experiment->name);
	deployment->folder = mb_path_join(beside, deployment->name);
	source = mb_path_join(beside, mb_path_name(experiment->path));
	deployment->source = folder_text(source);
	free(source);
	deployment->experiment = mb_strdup(experiment->name);
	deployment->digest = folder_digest(text);
	free(beside);
	deployment->driver = driver_choose(experiment, options->on);
	if (driver_check(deployment->tool, deployment->driver, experiment) < 0)
		return MB_EXIT_USAGE;
	deployment->workers = deployment->driver->workers(experiment, options->workers, &err);
	if (!deployment->workers)
		return mb_tool_fail(deployment->tool, &err);
	deployment->keep = (experiment->parallel_bandwidth + deployment->workers - 1) / deployment->workers;
	return setup_check(deployment->tool, experiment);
}

/* Under the lock of all, which is given back once this deployment's is held: an environment takes minutes. */
static int start(struct deployment *deployment, const struct mb_experiment *experiment,
		 const struct deploy_options *options, const struct mb_str *text, struct mb_lock *all)
{
	struct wanted wanted = {.text = text,
				.digest = mb_strdup(deployment->digest),
				.source = mb_strdup(deployment->source),
				.driver = deployment->driver,
				.workers = deployment->workers,
				.keep = deployment->keep,
				.workers_given = options->workers > 0,
				.on_given = options->on != NULL,
				.update = options->update};
	struct profile *profile = profile_of(deployment->tool, experiment, 1);
	struct mb_err err = {.code = MB_EXIT_USAGE};
	int bad, status;

	if (!profile)
		return free_wanted(&wanted, MB_EXIT_USAGE);
	profile_set_lock(profile);
	bad = workspace_place(deployment, experiment, profile, &err) < 0;
	bad = bad || folder_link(deployment, 0, &err) < 0 || folder_make(deployment, text, &err) < 0;
	deploy_step();
	bad = bad || folder_link(deployment, 1, &err) < 0;
	deploy_step();
	bad = bad || folder_lock(deployment, all, &err) < 0;
	mb_lock_drop(all);
	status = bad ? mb_tool_fail(deployment->tool, &err) : compare(deployment, &wanted);
	if (!status)
		status = take_up(deployment, "start", options->update);
	profile_free(profile);
	return free_wanted(&wanted, status);
}

int verb_start(struct mb_tool *tool, const struct deploy_options *options)
{
	struct deployment deployment = {.tool = tool, .lock.fd = -1, .journal.fd = -1, .journal.lock.fd = -1};
	struct mb_experiment *experiment;
	struct mb_str text = {0};
	struct mb_lock all;
	struct mb_err err;
	int status;

	if (options->name)
		tool->experiment_path = options->name;
	experiment = mb_tool_experiment(tool);
	if (!experiment)
		return MB_EXIT_USAGE;
	if (mb_file_read(experiment->path, MB_YAML_BYTES, &text, &err) < 0)
		status = mb_tool_fail(tool, &err);
	else
		status = prepare(&deployment, experiment, options, &text);
	if (!status && folder_lock_all(&all, &err) < 0) {
		status = mb_tool_fail(tool, &err);
		mb_lock_close(&all);
	} else if (!status) {
		status = start(&deployment, experiment, options, &text, &all);
		mb_lock_drop(&all);
		mb_lock_close(&all);
	}
	folder_release(&deployment);
	mb_str_release(&text);
	mb_experiment_free(experiment);
	return status;
}

int verb_continue(struct mb_tool *tool, const struct deploy_options *options)
{
	struct deployment deployment;
	struct mb_err err;
	int status;

	if (folder_find(&deployment, tool, options->name, options->on, &err) < 0)
		return mb_tool_fail(tool, &err);
	if (folder_lock(&deployment, NULL, &err) < 0 || (options->extend && workspace_extend(&deployment, &err) < 0)) {
		status = mb_tool_fail(tool, &err);
	} else {
		(void)folder_link(&deployment, 1, &err); /* a workspace that was had back has another path */
		status = take_up(&deployment, "continue", 0);
	}
	folder_release(&deployment);
	return status;
}
