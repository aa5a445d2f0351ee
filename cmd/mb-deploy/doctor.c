/* SPDX-License-Identifier: MIT
 *
 * The verb doctor: programs, and the report. It changes nothing but for files of its own, which it removes.
 */
#include "doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "command.h"
#include "data.h"
#include "setup.h"

enum { TOOL_LIMIT_S = 20 };

void doctor_add(struct doctor *doctor, enum finding_kind kind, const char *check, const char *remedy,
		const char *fmt, ...)
{
	struct finding finding = {kind, check, NULL, remedy ? mb_strdup(remedy) : NULL};
	char what[1600];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof what, fmt, args);
	va_end(args);
	finding.what = mb_strdup(what);
	MB_PUSH(doctor->findings, doctor->n, doctor->cap, finding);
}

void doctor_add_err(struct doctor *doctor, const char *check, const struct mb_err *err)
{
	doctor_add(doctor, FINDING_PROBLEM, check, *err->hint ? err->hint : NULL, "%s%s%s", err->where,
		   *err->where ? ": " : "", err->what);
}

/* ---- programs ---- */

/* The first line that a program says, or NULL with err. The caller frees. */
static char *first_line(char *const *argv, struct mb_err *err)
{
	struct command command = {.argv = argv, .limit_s = TOOL_LIMIT_S};
	char *line = NULL;

	if (command_run(&command, err) == 0)
		line = mb_textf("%.*s", (int)strcspn(command.out.at, "\r\n"), command.out.at);
	command_release(&command);
	return line;
}

/* All six beside this one or in PATH, and of its version. */
static void look_at_tools(struct doctor *doctor)
{
	static const char *const names[] = {"mb-suggest", "mb-train", "mb-eval", "mb-collect", "mb-time"};
	size_t good = 0;

	for (size_t i = 0; i < MB_COUNT(names); i++) {
		char *program = driver_program(names[i]), *argv[] = {program, (char *)"--version", NULL}, *line;
		char *wanted = mb_textf("%s " MB_VERSION " ", names[i]);
		struct mb_err err;

		line = first_line(argv, &err);
		if (!line)
			doctor_add(doctor, FINDING_PROBLEM, "programs", "install the six programs together", "%s: %s",
				   names[i], err.what);
		else if (strncmp(line, wanted, strlen(wanted)))
			doctor_add(doctor, FINDING_PROBLEM, "programs", "install the six programs together",
				   "%s is \"%.80s\", mb-deploy is " MB_VERSION, program, line);
		else
			good++;
		free(line);
		free(wanted);
		free(program);
	}
	if (good == MB_COUNT(names))
		doctor_add(doctor, FINDING_OK, "programs", NULL, "all six are " MB_VERSION);
}

/* A program of others: a problem when the experiment needs it. */
static void look_at_program(struct doctor *doctor, const char *name, int needed, const char *for_what)
{
	char *path = command_find(name), *remedy = mb_textf("install it, or load its module: %s", for_what);

	if (path)
		doctor_add(doctor, FINDING_OK, name, NULL, "%s", path);
	else if (needed)
		doctor_add(doctor, FINDING_PROBLEM, name, remedy, "not found in PATH");
	else
		doctor_add(doctor, FINDING_NOTE, name, NULL, "not found in PATH, and not needed here (%s)", for_what);
	free(remedy);
	free(path);
}

static void look_at_programs(struct doctor *doctor)
{
	const struct mb_experiment *experiment = doctor->experiment;
	const int is_remote = experiment && experiment->dataset_path && data_is_remote(experiment->dataset_path);

	look_at_program(doctor, "python3", experiment && experiment->model.entry_point, "model.entry_point");
	look_at_program(doctor, "git", experiment && experiment->git.uri, "git_options");
	look_at_program(doctor, "rsync", is_remote, "data of other hosts");
	look_at_program(doctor, "ssh", is_remote, "data of other hosts");
}

/* Any of them serves. */
static void look_at_conda(struct doctor *doctor)
{
	static const char *const names[] = {"conda", "mamba", "micromamba"};
	const char *init = doctor->profile->conda_init;
	const int needed = doctor->experiment && doctor->experiment->conda_env;

	if (init && access(init, R_OK) == 0) {
		doctor_add(doctor, FINDING_OK, "conda", NULL, "%s", init);
		return;
	}
	for (size_t i = 0; i < MB_COUNT(names); i++) {
		char *path = command_find(names[i]);

		if (path)
			doctor_add(doctor, FINDING_OK, "conda", NULL, "%s", path);
		free(path);
		if (path)
			return;
	}
	if (needed)
		doctor_add(doctor, FINDING_PROBLEM, "conda",
			   "load its module, or name conda.sh as conda_init in the cluster's profile",
			   "neither conda nor mamba nor micromamba is in PATH");
	else
		doctor_add(doctor, FINDING_NOTE, "conda", NULL, "none, and not needed here (experiment.conda_env)");
}

static void look_at_modules(struct doctor *doctor)
{
	static const char *const places[] = {"/usr/share/lmod/lmod/init/bash", "/usr/share/modules/init/bash",
					     "/etc/profile.d/lmod.sh", "/etc/profile.d/modules.sh",
					     "/etc/profile.d/z00_lmod.sh"};
	const char *init = doctor->profile->module_init, *home = getenv("MODULESHOME");
	const int needed = doctor->experiment && doctor->experiment->modules && *doctor->experiment->modules;
	char *own = home ? mb_path_join(home, "init/bash") : NULL;

	if (init || !own || access(own, R_OK) < 0)
		for (size_t i = 0; !init && i < MB_COUNT(places); i++)
			if (access(places[i], R_OK) == 0)
				init = places[i];
	if (!init && own && access(own, R_OK) == 0)
		init = own;
	if (init && access(init, R_OK) == 0)
		doctor_add(doctor, FINDING_OK, "modules", NULL, "%s", init);
	else if (init || needed)
		doctor_add(doctor, FINDING_PROBLEM, "modules",
			   "module_init in the cluster's profile names the file that makes `module` known",
			   "no `module` command here%s%s", init ? ": " : "", init ? init : "");
	else
		doctor_add(doctor, FINDING_NOTE, "modules", NULL, "none, and not needed here (cluster_modules)");
	free(own);
}

static void look_at_workspaces(struct doctor *doctor)
{
	static const char *const verbs[] = {"find", "allocate", "list", "extend", "release"};
	const int needed = doctor->experiment && !doctor->experiment->use_local_workspace;
	struct mb_str missing = {0};

	for (size_t i = 0; i < MB_COUNT(verbs); i++) {
		char *name = mb_textf("%s%s", doctor->profile->workspace_command, verbs[i]),
			*path = command_find(name);

		if (!path)
			mb_str_addf(&missing, " %s", name);
		free(path);
		free(name);
	}
	if (!missing.n)
		doctor_add(doctor, FINDING_OK, "workspaces", NULL, "%sfind and the others are there",
			   doctor->profile->workspace_command);
	else if (needed)
		doctor_add(doctor, FINDING_PROBLEM, "workspaces",
			   "experiment.use_local_workspace: true keeps the folder beside the experiment file",
			   "not found in PATH:%s", missing.at);
	else
		doctor_add(doctor, FINDING_NOTE, "workspaces", NULL,
			   "no tools, and not needed here (experiment.use_local_workspace: false)");
	mb_str_release(&missing);
}

/* ---- the experiment ---- */

static void look_at_experiment(struct doctor *doctor)
{
	const struct mb_experiment *experiment = doctor->experiment;
	struct mb_errs errs = {0};

	if (!experiment) {
		doctor_add(doctor, FINDING_NOTE, "experiment", NULL,
			   "no file, so only what all need (mb-deploy doctor FILE)");
		return;
	}
	git_check(experiment, &errs);
	modules_check(experiment, &errs);
	environment_check(experiment, &errs);
	data_check(experiment, &errs);
	for (size_t i = 0; i < errs.n; i++)
		doctor_add_err(doctor, "experiment", &errs.at[i]);
	if (!errs.n)
		doctor_add(doctor, FINDING_OK, "experiment", NULL, "%s", experiment->path);
	mb_errs_release(&errs);
}

static void look_at_data(struct doctor *doctor)
{
	const struct mb_experiment *experiment = doctor->experiment;
	char *path;

	if (!experiment || !experiment->dataset_path)
		return;
	if (data_is_remote(experiment->dataset_path)) {
		doctor_add(doctor, FINDING_NOTE, "data", NULL, "%s: start fetches it", experiment->dataset_path);
		return;
	}
	path = mb_path_join(experiment->folder, experiment->dataset_path);
	if (access(path, R_OK) == 0)
		doctor_add(doctor, FINDING_OK, "data", NULL, "%s", path);
	else
		doctor_add(doctor, FINDING_PROBLEM, "data",
			   "data_options.dataset_path: a path that can be read here, or "
			   "user@host:path", "%s cannot be read", path);
	free(path);
}

static void look_at_profile(struct doctor *doctor)
{
	const struct profile *profile = doctor->profile;

	if (profile->is_fallback && doctor->on_slurm)
		doctor_add(doctor, FINDING_NOTE, "cluster", NULL,
			   "no profile of the name %s: generic serves (mb-cluster(5))",
			   doctor->experiment->cluster);
	else
		doctor_add(doctor, FINDING_OK, "cluster", NULL, "%s%s%s", profile->about, profile->path ? ": " : "",
			   profile->path ? profile->path : "");
}

/* ---- the report ---- */

static void print_text(const struct doctor *doctor, struct mb_str *out)
{
	static const char *const words[] = {
		[FINDING_OK] = "ok", [FINDING_NOTE] = "-", [FINDING_PROBLEM] = "problem"};

	for (size_t i = 0; i < doctor->n; i++) {
		const struct finding *finding = &doctor->findings[i];

		mb_str_addf(out, "%-8s %-11s ", words[finding->kind], finding->check);
		mb_str_add_clean(out, finding->what, 2000);
		if (finding->remedy) {
			mb_str_adds(out, " (");
			mb_str_add_clean(out, finding->remedy, 600);
			mb_str_adds(out, ")");
		}
		mb_str_adds(out, "\n");
	}
}

static void print_json(const struct doctor *doctor, struct mb_str *out)
{
	static const char *const words[] = {
		[FINDING_OK] = "ok", [FINDING_NOTE] = "note", [FINDING_PROBLEM] = "problem"};

	for (size_t i = 0; i < doctor->n; i++) {
		const struct finding *finding = &doctor->findings[i];
		char *what = folder_text(finding->what),
			*remedy = finding->remedy ? folder_text(finding->remedy) : NULL;
		json_t *line = json_object();

		mb_json_set(line, "check", json_string(finding->check));
		mb_json_set(line, "state", json_string(words[finding->kind]));
		mb_json_set(line, "what", json_string(what));
		if (remedy)
			mb_json_set(line, "remedy", json_string(remedy));
		mb_json_print(line, out);
		mb_str_adds(out, "\n");
		json_decref(line);
		free(what);
		free(remedy);
	}
}

static int report(struct doctor *doctor, int json)
{
	struct mb_str out = {0};
	int status = MB_EXIT_OK;

	(json ? print_json : print_text)(doctor, &out);
	for (size_t i = 0; i < doctor->n; i++) {
		if (doctor->findings[i].kind == FINDING_PROBLEM)
			status = MB_EXIT_NO;
		free(doctor->findings[i].what);
		free(doctor->findings[i].remedy);
	}
	free(doctor->findings);
	if (mb_tool_write(doctor->tool, out.at, out.n) < 0 && !doctor->tool->stdout_gone)
		status = MB_EXIT_SYSTEM;
	mb_str_release(&out);
	return status;
}

static int look(struct doctor *doctor, const struct deploy_options *options)
{
	const struct mb_driver *driver = doctor->experiment ? driver_choose(doctor->experiment, options->on)
							    : driver_find(options->on ? options->on : "local");

	doctor->on_slurm = driver && !strcmp(driver->name, "slurm");
	look_at_tools(doctor);
	look_at_experiment(doctor);
	look_at_profile(doctor);
	doctor_files(doctor);
	look_at_data(doctor);
	look_at_programs(doctor);
	look_at_conda(doctor);
	look_at_modules(doctor);
	look_at_workspaces(doctor);
	if (doctor->on_slurm)
		doctor_slurm(doctor);
	return report(doctor, options->json);
}

int verb_doctor(struct mb_tool *tool, const struct deploy_options *options)
{
	const char *counts = getenv("MB_DEPLOY_COUNT");
	struct doctor doctor = {.tool = tool, .nodes = options->nodes};
	struct mb_experiment *experiment = NULL;
	struct profile *profile;
	struct mb_errs errs = {0};
	int status;

	if (counts)
		return doctor_count(tool, counts);
	if (options->name)
		tool->experiment_path = options->name;
	/* Without a file there is still much to look at. */
	if (options->name || strcmp(tool->experiment_path, "experiment.yaml") ||
	    access(tool->experiment_path, F_OK) == 0) {
		experiment = mb_tool_experiment(tool);
		if (!experiment)
			return MB_EXIT_USAGE;
	}
	profile = profile_read(experiment ? experiment->cluster : NULL, &errs);
	for (size_t i = 0; i < errs.n; i++)
		mb_tool_fail(tool, &errs.at[i]);
	mb_errs_release(&errs);
	doctor.experiment = experiment;
	doctor.profile = profile;
	doctor.folder = experiment ? experiment->folder : ".";
	status = profile ? look(&doctor, options) : MB_EXIT_USAGE;
	profile_free(profile);
	mb_experiment_free(experiment);
	return status;
}
