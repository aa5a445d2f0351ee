/* SPDX-License-Identifier: MIT */
#include "setup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data.h"

const char *setup_where(const struct mb_experiment *experiment, int line, char text[512])
{
	snprintf(text, 512, "%.490s:%d", experiment->path, line);
	return text;
}

int setup_check(struct mb_tool *tool, const struct mb_experiment *experiment)
{
	struct mb_errs errs = {0};
	int code = 0;

	git_check(experiment, &errs);
	modules_check(experiment, &errs);
	environment_check(experiment, &errs);
	data_check(experiment, &errs);
	for (size_t i = 0; i < errs.n; i++) {
		mb_tool_fail(tool, &errs.at[i]);
		code = !code || errs.at[i].code == MB_EXIT_USAGE ? (int)errs.at[i].code : code;
	}
	mb_errs_release(&errs);
	return code;
}

/* -1 after complaints about the cluster's profile. */
static int setup_init(struct setup *setup, struct deployment *deployment, const struct mb_experiment *experiment)
{
	char *base = folder_base(deployment), *whole = realpath(base, NULL);

	*setup = (struct setup){.deployment = deployment, .experiment = experiment,
				.base = whole ? whole : mb_strdup(base),
				.log = folder_file(deployment, "logs/setup.log"),
				.profile = profile_of(deployment->tool, experiment, 0)};
	free(base);
	return setup->profile ? 0 : -1;
}

static void setup_release(struct setup *setup)
{
	profile_free(setup->profile);
	modules_release(setup->environment);
	free(setup->base);
	free(setup->code);
	free(setup->log);
}

/* The journal's span of one component; nothing when it was not asked for. */
static int add_span(struct deployment *deployment, const char *component, double began_s, struct mb_err *err)
{
	json_t *span = journal_span("setup", began_s, mb_clock_now_s() - began_s);

	mb_json_set(span, "component", json_string(component));
	if (!strcmp(component, "git"))
		mb_json_set(span, "commit", json_string(deployment->commit));
	return journal_add(&deployment->journal, span, err) < 0 ? -1 : 0;
}

static int is_local(const struct deployment *deployment)
{
	return !strcmp(deployment->driver->name, "local");
}

/* Without `module` a machine of one's own is as it is; a cluster lacks something. */
static int no_module(const struct setup *setup, int say, struct mb_err *err)
{
	const struct mb_experiment *experiment = setup->experiment;
	struct mb_tool *tool = setup->deployment->tool;
	char where[512];

	if (!is_local(setup->deployment)) {
		mb_err_set(err, MB_EXIT_SYSTEM, setup_where(experiment, experiment->module_lines[0], where),
			   "cluster_modules: there is no module command here");
		return mb_err_hint(err, "the cluster profile's module_init names the file that makes it known");
	}
	if (say)
		mb_tool_say(tool, "%s: cluster_modules are not loaded: this machine has no module command",
			    setup->deployment->name);
	return 0;
}

/* ---- start ---- */

/* Whether all that the marker names is still there. */
static int is_whole(const struct setup *setup)
{
	const struct deployment *deployment = setup->deployment;
	char *code = deployment->code ? folder_file(deployment, deployment->code) : NULL;
	int whole = !setup->experiment->git.uri == !deployment->commit && (!code || access(code, F_OK) == 0) &&
		    (!deployment->environment || access(deployment->environment, F_OK) == 0);

	free(code);
	return whole && deployment->is_set_up;
}

static int prepare_git(struct setup *setup, int newest, struct mb_err *err)
{
	struct deployment *deployment = setup->deployment;
	const double began_s = mb_clock_now_s();

	if (git_prepare(setup, newest, err) < 0)
		return -1;
	setup->code = deployment->code ? folder_file(deployment, deployment->code) : mb_strdup(setup->base);
	if (!deployment->commit)
		return 0;
	/* From here on the commit is pinned, whatever becomes of the rest. */
	return folder_write_marker(deployment, err) < 0 || add_span(deployment, "git", began_s, err) < 0 ? -1 : 0;
}

static int prepare_modules(struct setup *setup, struct mb_err *err)
{
	int status = modules_load(setup, NULL, &setup->environment, err);

	return status == 1 ? no_module(setup, 1, err) : status;
}

static int prepare_environment(struct setup *setup, struct mb_err *err)
{
	const double began_s = mb_clock_now_s();

	if (environment_prepare(setup, err) < 0)
		return -1;
	return setup->deployment->environment ? add_span(setup->deployment, "environment", began_s, err) : 0;
}

int setup_prepare(struct deployment *deployment, const struct mb_experiment *experiment, int newest)
{
	struct setup setup;
	struct mb_err err;
	int bad = 0;

	if (setup_init(&setup, deployment, experiment) < 0) {
		setup_release(&setup);
		return MB_EXIT_USAGE;
	}
	if (newest || !is_whole(&setup)) {
		bad = prepare_git(&setup, newest, &err) < 0 || prepare_modules(&setup, &err) < 0 ||
		      prepare_environment(&setup, &err) < 0;
		deployment->is_set_up = !bad;
		bad = bad || folder_write_marker(deployment, &err) < 0;
		deploy_step();
	}
	setup_release(&setup);
	bad = bad || data_fetch(deployment, experiment, &err) < 0;
	return bad ? mb_tool_fail(deployment->tool, &err) : 0;
}

/* ---- the worker ---- */

static int check_there(const struct deployment *deployment, const char *path, struct mb_err *err)
{
	char *whole = path ? folder_file(deployment, path) : NULL;
	int bad = whole && access(whole, F_OK) < 0;

	if (bad) {
		mb_err_errno(err, whole, NULL);
		mb_err_hint(err, "mb-deploy continue %s makes it again", deployment->name);
	}
	free(whole);
	return bad ? -1 : 0;
}

static int enter_modules(struct setup *setup, struct mb_err *err)
{
	struct deployment *deployment = setup->deployment;
	const double began_s = mb_clock_now_s();
	char *meta = deployment->environment ? mb_path_join(deployment->environment, "conda-meta") : NULL;
	int conda = meta && access(meta, F_OK) == 0, status;

	free(meta);
	status = modules_load(setup, conda ? deployment->environment : NULL, &setup->environment, err);
	if (status == 1)
		return no_module(setup, 0, err);
	if (status < 0 || !setup->environment)
		return status;
	modules_enter(setup->environment);
	return add_span(deployment, "modules", began_s, err);
}

int setup_enter(struct deployment *deployment)
{
	char *copy = folder_file(deployment, "experiment.yaml");
	struct mb_errs errs = {0};
	struct mb_experiment *experiment = mb_experiment_read(copy, &errs);
	struct setup setup;
	struct mb_err err;
	int code;

	if (!experiment) {
		code = mb_tool_fail(deployment->tool, &errs.at[0]);
	} else {
		if (deployment->commit)
			setenv("MB_COMMIT", deployment->commit, 1);
		if (setup_init(&setup, deployment, experiment) < 0)
			code = MB_EXIT_USAGE;
		else if (check_there(deployment, deployment->code, &err) < 0 ||
			 check_there(deployment, deployment->environment, &err) < 0 || enter_modules(&setup, &err) < 0)
			code = mb_tool_fail(deployment->tool, &err);
		else
			code = 0;
		setup_release(&setup);
	}
	mb_experiment_free(experiment);
	mb_errs_release(&errs);
	free(copy);
	return code;
}
