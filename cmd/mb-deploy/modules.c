/* SPDX-License-Identifier: MIT
 *
 * The cluster's modules. `module` is a function of the shell: a shell of our own loads them one by one and prints the
 * environment that they leave, which is taken over here. The script is constant; names are its arguments. It works with
 * Environment Modules and with Lmod, whether or not the shell that called us knows `module`.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "setup.h"

enum { NO_MODULE = 97, NOT_LOADED = 98 }; /* the script's own statuses */

/* $1: file that makes `module` known, or empty; $2: folder of a conda environment, or empty; then the modules. The words
 * of the tools go to stderr; stdout is the environment, or the name of what could not be loaded. The usual places come
 * first that say where the cluster's own modules are. A login shell's profile is the last resort; of the PATH that it
 * makes nothing is taken. */
static const char script[] =
	"# loads modules\n"
	"exec 3>&1 1>&2\n"
	"init=$1 conda=$2; shift 2; names=(\"$@\"); set --\n"
	"known() { type module >/dev/null 2>&1; }\n"
	"find_module() {\n"
	"	local file\n"
	"	for file in \"$init\" /etc/profile.d/modules.sh /etc/profile.d/lmod.sh \"${MODULESHOME:+$MODULESHOME/init/bash}\" \\\n"
	"		\"${LMOD_PKG:+$LMOD_PKG/init/bash}\" /usr/share/lmod/lmod/init/bash /usr/share/modules/init/bash \\\n"
	"		/usr/share/Modules/init/bash; do\n"
	"		if [ -r \"$file\" ]; then . \"$file\"; fi\n"
	"		if known; then return; fi\n"
	"	done\n"
	"	file=$PATH\n"
	"	. /etc/profile\n"
	"	PATH=$file\n"
	"	known\n"
	"}\n"
	"if [ ${#names[@]} -gt 0 ] && ! known && ! find_module; then exit 97; fi\n"
	"for name in \"${names[@]}\"; do\n"
	"	module load \"$name\" || { printf %s \"$name\" >&3; exit 98; }\n"
	"done\n"
	"if [ -n \"$conda\" ]; then\n"
	"	export CONDA_PREFIX=$conda PATH=$conda/bin:$PATH\n"
	"	for file in \"$conda\"/etc/conda/activate.d/*.sh; do\n"
	"		if [ -r \"$file\" ]; then . \"$file\"; fi\n"
	"	done\n"
	"fi\n"
	"exec env -0 >&3 3>&-\n";

/* ---- checks ---- */

void modules_check(const struct mb_experiment *experiment, struct mb_errs *errs)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-/@=,";

	for (size_t i = 0; experiment->modules && experiment->modules[i]; i++) {
		const char *name = experiment->modules[i];
		struct mb_str shown = {0};
		struct mb_err err;
		char where[512];

		if (isalnum((unsigned char)*name) && !name[strspn(name, allowed)])
			continue;
		mb_str_add_clean(&shown, name, 200);
		mb_err_set(&err, MB_EXIT_USAGE, setup_where(experiment, experiment->module_lines[i], where),
			   "cluster_modules[%zu]: %s is not the name of a module", i, shown.at ? shown.at : "\"\"");
		mb_err_hint(&err, "one name an item, as module avail prints it: devel/cuda/11.8");
		mb_errs_add(errs, &err);
		mb_str_release(&shown);
	}
}

/* ---- loading ---- */

static int is_name(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '_')
			return 0;
	return n > 0 && !isdigit((unsigned char)text[0]);
}

/* "NAME=value\0"… as a list. Of the shell's own what changes by itself is left out. */
static char **list(const struct mb_str *text)
{
	static const char *const own[] = {"_=", "SHLVL=", "PWD=", "OLDPWD="};
	size_t n = 0, cap = 0;
	char **variables = NULL;

	for (size_t at = 0; at < text->n; at += strlen(text->at + at) + 1) {
		const char *variable = text->at + at;
		int skip = !strchr(variable, '=');

		for (size_t i = 0; i < MB_COUNT(own); i++)
			skip |= !strncmp(variable, own[i], strlen(own[i]));
		if (!skip)
			MB_PUSH(variables, n, cap, mb_strdup(variable));
	}
	MB_PUSH(variables, n, cap, NULL);
	return variables;
}

static size_t index_of(const struct mb_experiment *experiment, const char *name)
{
	size_t i = 0;

	while (experiment->modules[i] && strcmp(experiment->modules[i], name))
		i++;
	return experiment->modules[i] ? i : 0;
}

static int not_loaded(const struct setup *setup, const struct command *command, struct mb_err *err)
{
	const struct mb_experiment *experiment = setup->experiment;
	const size_t i = index_of(experiment, command->out.at);
	char where[512], *words = command_words(command, 6);

	mb_err_set(err, MB_EXIT_CHILD, setup_where(experiment, experiment->module_lines[i], where),
		   "cluster_modules[%zu]: %s cannot be loaded: %s", i, experiment->modules[i], words);
	free(words);
	return mb_err_hint(err, "module avail shows what there is");
}

int modules_load(const struct setup *setup, const char *conda, char ***loaded, struct mb_err *err)
{
	const struct mb_experiment *experiment = setup->experiment;
	size_t modules = 0;
	const char **argv;
	struct command command = {.log = setup->log, .out_is_private = 1}; /* variables may hold secrets */
	const char *init = setup->profile->module_init;
	int result = 0;

	*loaded = NULL;
	while (experiment->modules && experiment->modules[modules])
		modules++;
	if (!modules && !conda)
		return 0;
	argv = mb_alloc((modules + 7) * sizeof *argv);
	memcpy(argv, (const char *[]){"bash", "-c", script, "mb-modules", init ? init : "", conda ? conda : ""}, 6 * sizeof *argv);
	if (modules)
		memcpy(argv + 6, experiment->modules, modules * sizeof *argv);
	command.argv = (char *const *)argv;
	if (command_run(&command, err) == 0)
		*loaded = list(&command.out);
	else if (command.status == NO_MODULE)
		result = 1;
	else
		result = command.status == NOT_LOADED ? not_loaded(setup, &command, err) : -1;
	command_release(&command);
	free(argv);
	return result;
}

static int is_in(const char *variable, char *const *variables)
{
	const size_t n = strcspn(variable, "=") + 1;

	for (; *variables; variables++)
		if (!strncmp(*variables, variable, n))
			return 1;
	return 0;
}

void modules_enter(char *const *loaded)
{
	size_t n = 0, cap = 0;
	char **gone = NULL;

	/* What a module took out; names that are no shell's were not its to keep. */
	for (char **at = environ; *at; at++)
		if (is_name(*at, strcspn(*at, "=")) && strncmp(*at, "PWD=", 4) && strncmp(*at, "OLDPWD=", 7) &&
		    strncmp(*at, "SHLVL=", 6) && !is_in(*at, loaded))
			MB_PUSH(gone, n, cap, mb_textf("%.*s", (int)strcspn(*at, "="), *at));
	for (size_t i = 0; i < n; i++) {
		unsetenv(gone[i]);
		free(gone[i]);
	}
	free(gone);
	for (; *loaded; loaded++) {
		char *name = mb_textf("%.*s", (int)strcspn(*loaded, "="), *loaded);

		setenv(name, *loaded + strlen(name) + 1, 1);
		free(name);
	}
}

void modules_release(char **loaded)
{
	for (char **at = loaded; at && *at; at++)
		free(*at);
	free(loaded);
}
