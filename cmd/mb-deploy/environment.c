/* SPDX-License-Identifier: MIT
 *
 * The environment of a Python model, made once for all experiment files of a folder that ask for the same; beside them:
 *
 *     .mb-env/DIGEST          a symbolic link to the finished environment, made last
 *     .mb-env/DIGEST.XXXX/    where it was made: an environment cannot be moved
 *     .mb-env/DIGEST.lock     held by who makes it
 *
 * The digest is of the file that asks for it, the interpreter, and the modules.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "setup.h"

enum { FILE_BYTES = 1 << 20, NO_PROGRAM = 127 };

static const char *const changes[] = {"PYTHONHOME", "VIRTUAL_ENV", "PIP_USER=0", "PIP_DISABLE_PIP_VERSION_CHECK=1",
				      "CONDA_ALWAYS_YES=1", "MAMBA_ALWAYS_YES=1", NULL};

/* How an environment is made: from `file`, by `program`. */
struct recipe {
	int conda;
	char *file;    /* absolute */
	char *program; /* python3, or a conda */
	struct mb_str key;
};

/* ---- checks ---- */

void environment_check(const struct mb_experiment *experiment, struct mb_errs *errs)
{
	const char *name = experiment->conda_env;
	struct mb_str shown = {0};
	struct mb_err err;
	char where[512];
	int bad;

	if (!name)
		return;
	bad = !isalnum((unsigned char)*name) && *name != '_' && *name != '/';
	for (const char *at = name; *at; at++)
		bad |= (unsigned char)*at < ' ' || *at == 0x7F ||
		       (*name != '/' && !isalnum((unsigned char)*at) && !strchr("_.+-", *at) && (unsigned char)*at < 0x80);
	if (!bad)
		return;
	mb_str_add_clean(&shown, name, 200);
	mb_err_set(&err, MB_EXIT_USAGE, setup_where(experiment, experiment->conda_env_line, where),
		   "experiment.conda_env: %s is not the name of an environment", shown.at ? shown.at : "\"\"");
	mb_err_hint(&err, "as conda env list prints it, or the whole path of its folder");
	mb_errs_add(errs, &err);
	mb_str_release(&shown);
}

static int where_conda_env(const struct setup *setup, struct mb_err *err, enum mb_exit code, const char *what)
{
	char where[512];

	return mb_err_set(err, code, setup_where(setup->experiment, setup->experiment->conda_env_line, where),
			  "experiment.conda_env: %s %s", setup->experiment->conda_env, what);
}

/* A tool of Python's or conda's, in the model's folder. */
static struct command tool_of(const struct setup *setup, char *const *argv)
{
	return (struct command){.argv = argv, .folder = setup->code, .environment = setup->environment,
				.variables = (char *const *)changes, .log = setup->log};
}

/* ---- conda ---- */

/* The profile names conda's folder, or the etc/profile.d/conda.sh in it. NULL: it is not there; the caller frees. */
static char *conda_below(const char *init, const char *name)
{
	static const char script[] = "/etc/profile.d/conda.sh";
	size_t n = init ? strlen(init) : 0, cut = n > strlen(script) && !strcmp(init + n - strlen(script), script);
	char *path = mb_textf("%.*s/bin/%s", (int)(cut ? n - strlen(script) : n), init ? init : "", name);

	if (n && access(path, X_OK) == 0)
		return path;
	free(path);
	return NULL;
}

/* The first there is; the caller frees. */
static char *find_conda(const struct setup *setup)
{
	static const char *const names[] = {"mamba", "micromamba", "conda"};
	static const char *const variables[] = {"MAMBA_EXE", "CONDA_EXE"};
	char *path = NULL;

	for (size_t i = 0; !path && i < MB_COUNT(names); i++)
		path = command_find_in(setup->environment, names[i]);
	for (size_t i = 0; !path && i < MB_COUNT(names); i++)
		path = conda_below(setup->profile->conda_init, names[i]);
	for (size_t i = 0; !path && i < MB_COUNT(variables); i++) {
		const char *program = command_variable(setup->environment, variables[i]);

		if (program && *program == '/' && access(program, X_OK) == 0)
			path = mb_strdup(program);
	}
	return path;
}

static int fail(const struct setup *setup, const struct command *command, const char *file, struct mb_err *err)
{
	char *words;

	if (command->stopped)
		return mb_err_set(err, MB_EXIT_SYSTEM, file, "no environment is made from it: stopped by a signal");
	words = command_words(command, 3);
	mb_err_set(err, MB_EXIT_CHILD, file, "no environment could be made from it: %s: %s",
		   mb_path_name(command->argv[0]), words);
	free(words);
	return mb_err_hint(err, "all that was said: %.300s", setup->log);
}

/* The folder of the environment of that name, from {"envs": ["/…/envs/NAME", …]}; the caller frees. */
static char *find_named(const json_t *answer, const char *name)
{
	const json_t *envs = json_object_get(answer, "envs");
	char *found = NULL;

	for (size_t i = 0; !found && i < json_array_size(envs); i++) {
		const char *path = json_string_value(json_array_get(envs, i));

		if (path && !strcmp(mb_path_name(path), name) && access(path, X_OK) == 0)
			found = mb_strdup(path);
	}
	return found;
}

/* *folder: of the environment that experiment.conda_env names, NULL when there is none. */
static int look_for_named(const struct setup *setup, char *program, char **folder, struct mb_err *err)
{
	char *const argv[] = {program, "env", "list", "--json", NULL};
	struct command command = tool_of(setup, argv);
	int bad = command_run(&command, err);
	const char *from = command.out.at ? strchr(command.out.at, '{') : NULL;
	json_t *answer = !bad && from ? mb_json_parse(from, strlen(from), "conda env list", err) : NULL;

	*folder = find_named(answer, setup->experiment->conda_env);
	if (bad && command.status != NO_PROGRAM)
		fail(setup, &command, setup->experiment->conda_env, err);
	json_decref(answer);
	command_release(&command);
	return bad;
}

/* ---- making ---- */

static int run(const struct setup *setup, const struct recipe *recipe, char *const *argv, struct mb_err *err)
{
	struct command command = tool_of(setup, argv);
	int bad = command_run(&command, err);

	if (bad && command.status != NO_PROGRAM)
		fail(setup, &command, recipe->file, err);
	command_release(&command);
	return bad;
}

static int make_venv(const struct setup *setup, const struct recipe *recipe, char *folder, struct mb_err *err)
{
	char *python = mb_path_join(folder, "bin/python3");
	char *const venv[] = {recipe->program, "-m", "venv", folder, NULL};
	char *const pip[] = {python, "-m", "pip", "install", "--no-input", "-r", recipe->file, NULL};
	int bad = run(setup, recipe, venv, err);

	deploy_step();
	if (!bad)
		bad = run(setup, recipe, pip, err);
	free(python);
	return bad;
}

static int make_conda(const struct setup *setup, const struct recipe *recipe, char *folder, struct mb_err *err)
{
	char *const micromamba[] = {recipe->program, "create", "-y", "-q", "-p", folder, "-f", recipe->file, NULL};
	char *const conda[] = {recipe->program, "env", "create", "-q", "-p", folder, "-f", recipe->file, NULL};

	return run(setup, recipe, strcmp(mb_path_name(recipe->program), "micromamba") ? conda : micromamba, err);
}

/* Folders of this digest that a crash left, while nobody else makes one. */
static int clean(const char *parent, const char *digest, const char *except, struct mb_err *err)
{
	DIR *dir = opendir(parent);
	struct dirent *entry;
	int bad = 0;

	if (!dir)
		return mb_err_errno(err, parent, NULL);
	while (!bad && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, digest, strlen(digest)) && entry->d_name[strlen(digest)] == '.' &&
		    strncmp(entry->d_name + strlen(digest), ".lock", 5) && strcmp(entry->d_name, except)) {
			char *path = mb_path_join(parent, entry->d_name);

			bad = folder_remove_tree(path, err);
			free(path);
		}
	closedir(dir);
	return bad;
}

static int is_ready(const char *link)
{
	char *bin = mb_path_join(link, "bin");
	int ready = access(bin, X_OK) == 0;

	free(bin);
	return ready;
}

/* Under the lock of the digest. */
static int make(const struct setup *setup, const struct recipe *recipe, const char *link, struct mb_err *err)
{
	const struct deployment *deployment = setup->deployment;
	char *parent = mb_path_dir(link),
	     *folder = mb_textf("%s.%d-%llx", link, (int)getpid(), (unsigned long long)(mb_clock_now_s() * 1e6)),
	     *temporary = mb_textf("%s.link", folder);
	int bad = clean(parent, mb_path_name(link), "", err);

	if (!bad)
		mb_tool_say(deployment->tool, "%s: making the environment from %s; %s tells how it goes",
			    deployment->name, mb_path_name(recipe->file), setup->log);
	deploy_step();
	bad = bad || (recipe->conda ? make_conda : make_venv)(setup, recipe, folder, err) < 0;
	deploy_step();
	if (!bad && (symlink(mb_path_name(folder), temporary) < 0 || rename(temporary, link) < 0))
		bad = mb_err_errno(err, link, "link");
	deploy_step();
	if (bad && access(folder, F_OK) == 0)
		folder_remove_tree(folder, &(struct mb_err){0});
	free(temporary);
	free(folder);
	free(parent);
	return bad ? -1 : 0;
}

/* ---- which one ---- */

static int holds(const char *text, const char *const *words)
{
	while (*words && !strstr(text, *words))
		words++;
	return *words != NULL;
}

/* What else such a file stands for: the commit where it refers to files beside it, the very folder where a package in it
 * is to be used in place. */
static const char *meaning(const struct setup *setup, const char *text)
{
	static const char *const refers[] = {"-r", "-c ", "--", "./", "file:", "@ ", NULL};
	static const char *const in_place[] = {"-e ", "--editable", NULL};
	const char *commit = setup->deployment->commit;

	if (holds(text, in_place))
		return setup->code;
	return !holds(text, refers) ? "" : commit ? commit : setup->code;
}

static int add_interpreter(const struct setup *setup, struct recipe *recipe, struct mb_err *err)
{
	char *const argv[] = {recipe->program, "-c", "import sys; print(sys.executable, sys.version)", NULL};
	struct command command = tool_of(setup, argv);
	int bad = command_run(&command, err);

	if (bad && command.status != NO_PROGRAM)
		fail(setup, &command, recipe->file, err);
	if (!bad)
		mb_str_add(&recipe->key, command.out.at, command.out.n);
	command_release(&command);
	return bad;
}

static int add_key(const struct setup *setup, struct recipe *recipe, struct mb_err *err)
{
	char *const *module = setup->environment ? setup->experiment->modules : NULL;
	struct mb_str text = {0};
	struct utsname machine;
	int bad = mb_file_read(recipe->file, FILE_BYTES, &text, err);

	mb_str_addf(&recipe->key, "%s\n", recipe->conda ? "conda" : "venv");
	for (; module && *module; module++)
		mb_str_addf(&recipe->key, "%s\n", *module);
	if (!bad && text.n)
		mb_str_add(&recipe->key, text.at, text.n);
	if (!bad && text.n)
		mb_str_addf(&recipe->key, "\n%s\n", meaning(setup, text.at));
	if (uname(&machine) == 0)
		mb_str_addf(&recipe->key, "\n%s\n", machine.machine);
	mb_str_release(&text);
	return bad || recipe->conda ? bad : add_interpreter(setup, recipe, err);
}

/* By a recipe, once. *link: the caller frees. */
static int obtain(const struct setup *setup, struct recipe *recipe, char **link, struct mb_err *err)
{
	char *all = mb_path_join(setup->base, ".mb-env"), *digest;
	struct mb_lock lock;
	int bad = add_key(setup, recipe, err) < 0 || mb_mkdirs(all, err) < 0 ? -1 : 0;

	digest = folder_digest(&recipe->key);
	*link = mb_path_join(all, digest);
	if (!bad && !is_ready(*link)) {
		bad = mb_lock_open(&lock, *link, getenv("MB_LOCK"), err) < 0 ||
				      folder_wait(setup->deployment, &lock, "another start makes this environment", err) < 0
			      ? -1
			      : 0;
		if (!bad && !is_ready(*link)) /* nobody else made it meanwhile */
			bad = make(setup, recipe, *link, err);
		if (!bad)
			mb_lock_drop(&lock);
		mb_lock_close(&lock);
	}
	free(digest);
	free(all);
	return bad;
}

static char *file_of(const struct setup *setup, const char *a, const char *b)
{
	char *path = mb_path_join(setup->code, a);

	if (access(path, F_OK) < 0 && b) {
		free(path);
		path = mb_path_join(setup->code, b);
	}
	if (access(path, F_OK) == 0)
		return path;
	free(path);
	return NULL;
}

static int no_conda(const struct setup *setup, struct mb_err *err)
{
	if (setup->experiment->conda_env)
		where_conda_env(setup, err, MB_EXIT_SYSTEM, "needs conda, mamba or micromamba, and none is in PATH");
	else
		mb_err_set(err, MB_EXIT_SYSTEM, setup->code,
			   "its environment.yaml needs conda, mamba or micromamba, and none is in PATH");
	return mb_err_hint(err, "name its module in cluster_modules, or install one; a requirements.txt%s needs none",
			   setup->experiment->conda_env ? " without conda_env" : "");
}

/* By name: the environment of that name as it is, else one from environment.yaml. */
static int prepare_named(const struct setup *setup, struct recipe *recipe, char **folder, struct mb_err *err)
{
	const char *name = setup->experiment->conda_env;

	if (*name == '/' && is_ready(name)) {
		*folder = mb_strdup(name);
		return 0;
	}
	if (!recipe->program)
		return no_conda(setup, err);
	if (*name != '/' && look_for_named(setup, recipe->program, folder, err) < 0)
		return -1;
	if (*folder)
		return 0;
	if (recipe->file)
		return obtain(setup, recipe, folder, err);
	where_conda_env(setup, err, MB_EXIT_SYSTEM, "does not exist, and the model has no environment.yaml to make it from");
	return mb_err_hint(err, "conda create -n %.100s …, or take conda_env out: a requirements.txt serves then", name);
}

int environment_prepare(struct setup *setup, struct mb_err *err)
{
	const struct mb_experiment *experiment = setup->experiment;
	struct recipe recipe = {.conda = 1, .file = file_of(setup, "environment.yaml", "environment.yml"),
				.program = find_conda(setup)};
	char *requirements = file_of(setup, "requirements.txt", NULL), *folder = NULL;
	int bad = 0;

	if (experiment->conda_env) {
		bad = prepare_named(setup, &recipe, &folder, err);
	} else if (experiment->git.uri && recipe.file && (recipe.program || !requirements)) {
		bad = recipe.program ? obtain(setup, &recipe, &folder, err) : no_conda(setup, err);
	} else if (experiment->git.uri && requirements) {
		free(recipe.file);
		free(recipe.program);
		recipe = (struct recipe){.file = requirements, .program = mb_strdup("python3")};
		requirements = NULL;
		bad = obtain(setup, &recipe, &folder, err);
	}
	if (!bad) {
		free(setup->deployment->environment);
		setup->deployment->environment = folder;
		folder = NULL;
	}
	free(folder);
	free(requirements);
	free(recipe.file);
	free(recipe.program);
	mb_str_release(&recipe.key);
	return bad;
}
