/* SPDX-License-Identifier: MIT
 *
 * plan: prints, as a shell script that can be run, what start would do.
 */
#include <stdlib.h>
#include <string.h>

#include "data.h"
#include "profile.h"
#include "setup.h"

/* A word of the shell: as it is, or in single quotes. */
void plan_add_word(struct mb_str *text, const char *word)
{
	if (*word &&
	    !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%")]) {
		mb_str_adds(text, word);
		return;
	}
	mb_str_adds(text, "'");
	for (; *word; word++)
		if (*word == '\'')
			mb_str_adds(text, "'\\''");
		else
			mb_str_add(text, word, 1);
	mb_str_adds(text, "'");
}

/* A comment to the line's end, whatever the text holds. */
static void add_comment(struct mb_str *text, const char *words)
{
	mb_str_adds(text, "# ");
	for (; *words; words++)
		mb_str_add(text, (unsigned char)*words < ' ' ? " " : words, 1);
}

/* " -e FILE -l LOG", each where the tools would not find it by themselves. */
static char *files_of(const struct mb_experiment *experiment, const char *log)
{
	struct mb_str text = {0};

	mb_str_adds(&text, " -e ");
	plan_add_word(&text, experiment->path);
	mb_str_adds(&text, " -l ");
	plan_add_word(&text, log);
	return mb_str_take(&text);
}

/* The workers' pipes, as a script that can be run. */
static void add_pipes(struct mb_tool *tool, const struct mb_experiment *experiment, int64_t workers, int64_t keep,
		      struct mb_str *out)
{
	char *name = folder_slug(experiment->name), *folder = mb_path_join(experiment->folder, name),
	     *log = tool->log_option ? mb_strdup(tool->log_option) : mb_path_join(folder, "trials.ndjson"),
	     *files = files_of(experiment, log);

	if (!tool->log_option) {
		mb_str_adds(out, "mkdir -p ");
		plan_add_word(out, folder);
		mb_str_adds(out, "\n");
	}
	for (int64_t i = 0; i < workers; i++)
		mb_str_addf(out, "mb-suggest -k %lld%s | mb-train -j %lld%s | mb-collect%s &\n", (long long)keep,
			    files, (long long)keep, files, files);
	mb_str_adds(out, "wait\n");
	free(files);
	free(log);
	free(folder);
	free(name);
}

/* Where the folder lies and what it needs from elsewhere. */
static void add_places(const struct mb_experiment *experiment, const struct profile *profile, struct mb_str *out)
{
	char *slug = folder_slug(experiment->name), *words;
	struct workspace workspace;

	if (!experiment->use_local_workspace) {
		workspace_name(&workspace, slug, profile);
		words = mb_textf("start first: makes the folder in the workspace %s: %sfind %s, else %sallocate %s %lld",
				 workspace.name, workspace.command, workspace.name, workspace.command, workspace.name,
				 (long long)profile->workspace_days);
		add_comment(out, words);
		mb_str_adds(out, "\n");
		free(words);
		workspace_clear(&workspace);
	}
	if (experiment->dataset_path && data_is_remote(experiment->dataset_path)) {
		words = mb_textf("start first: fetches %s", experiment->dataset_path);
		add_comment(out, words);
		mb_str_adds(out, "\n");
		free(words);
	}
	if (experiment->dataset_path && experiment->copy_data)
		mb_str_adds(out, "# each worker first: copies the data to the node's own disk\n");
	free(slug);
}

/* What start sees to before, as comments: the workers' lines alone do not. */
static void add_setup(const struct mb_experiment *experiment, const struct profile *profile, struct mb_str *out)
{
	const struct mb_git *git = &experiment->git;
	struct mb_str words = {0};

	if (git->uri) {
		mb_str_addf(&words, "start first: checks out %s%s of %s", git->version ? "version " : git->branch ? "branch " : "",
			    git->version ? git->version : git->branch ? git->branch : "what is current", git->uri);
		add_comment(out, words.at);
		mb_str_adds(out, "\n");
	}
	mb_str_clear(&words);
	for (char **module = experiment->modules; module && *module; module++)
		mb_str_addf(&words, "%s%s", words.n ? " " : "each worker first: module load ", *module);
	if (words.n) {
		add_comment(out, words.at);
		mb_str_adds(out, "\n");
	}
	mb_str_clear(&words);
	if (experiment->conda_env)
		mb_str_addf(&words, "start first: finds the environment %s, or makes it from the model's environment.yaml",
			    experiment->conda_env);
	else if (git->uri)
		mb_str_adds(&words, "start first: makes the environment of the model's environment.yaml or requirements.txt");
	if (words.n) {
		add_comment(out, words.at);
		mb_str_adds(out, "\n");
	}
	mb_str_release(&words);
	add_places(experiment, profile, out);
}

static int print(struct mb_tool *tool, const struct mb_driver *driver, const struct mb_experiment *experiment,
		 const struct profile *profile, int64_t workers)
{
	const int cores = mb_cores();
	const int64_t bandwidth = experiment->parallel_bandwidth, keep = (bandwidth + workers - 1) / workers;
	struct mb_str out = {0};
	int status;

	add_comment(&out, experiment->name);
	mb_str_addf(&out, ": %lld observations, %lld at once\n", (long long)experiment->observation_budget,
		    (long long)bandwidth);
	if (driver->plan)
		mb_str_addf(&out, "# on %s: %lld worker%s of %lld\n", driver->name, (long long)workers,
			    workers == 1 ? "" : "s", (long long)keep);
	else
		mb_str_addf(&out, "# on this machine, %d core%s: %lld worker%s of %lld\n", cores, cores == 1 ? "" : "s",
			    (long long)workers, workers == 1 ? "" : "s", (long long)keep);
	add_setup(experiment, profile, &out);
	if (driver->plan)
		driver->plan(tool, experiment, workers, &out);
	else
		add_pipes(tool, experiment, workers, keep, &out);
	status = mb_tool_write(tool, out.at, out.n) < 0 && !tool->stdout_gone ? MB_EXIT_SYSTEM : MB_EXIT_OK;
	mb_str_release(&out);
	return status;
}

int verb_plan(struct mb_tool *tool, const struct deploy_options *options)
{
	const struct mb_driver *driver;
	struct mb_experiment *experiment;
	struct profile *profile;
	struct mb_err err;
	int64_t workers;
	int status;

	if (options->name)
		tool->experiment_path = options->name;
	experiment = mb_tool_experiment(tool);
	if (!experiment)
		return MB_EXIT_USAGE;
	status = setup_check(tool, experiment);
	if (status) {
		mb_experiment_free(experiment);
		return status;
	}
	profile = profile_of(tool, experiment, 1);
	status = MB_EXIT_USAGE;
	driver = profile ? driver_choose(experiment, options->on) : NULL;
	if (driver) {
		workers = driver_check(tool, driver, experiment) < 0
				  ? -1
				  : driver->workers(experiment, options->workers, &err);
		status = workers < 0 ? MB_EXIT_USAGE
			 : workers ? print(tool, driver, experiment, profile, workers)
				   : mb_tool_fail(tool, &err);
	}
	profile_free(profile);
	mb_experiment_free(experiment);
	return status;
}
