/* SPDX-License-Identifier: MIT
 *
 * A workspace is found or made, and given back. The tools of different sites say the same in different words; what is
 * relied on is what they have in common: the path is the last line on stdout that is an absolute existing folder.
 */
#include "workspace.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "deploy.h"

enum { TOOL_LIMIT_S = 60, RECORD_BYTES = 65536 };

static char locale[] = "LC_ALL=C";
static char *const variables[] = {locale, NULL};

/* ---- the tools ---- */

int workspace_run(const struct workspace *workspace, const char *verb, const char *days, struct command *command,
		  struct mb_err *err)
{
	char *program = mb_textf("%s%s", workspace->command, verb), *argv[6] = {program};
	size_t n = 1;
	int bad;

	if (workspace->filesystem) {
		argv[n++] = (char *)"-F";
		argv[n++] = workspace->filesystem;
	}
	argv[n++] = workspace->name;
	if (days)
		argv[n++] = (char *)days;
	*command = (struct command){.argv = argv, .variables = variables, .limit_s = TOOL_LIMIT_S};
	bad = command_run(command, err);
	command->argv = NULL;
	free(program);
	return bad;
}

/* The last line that is an absolute path of a folder; NULL: none. */
static char *last_folder(const struct mb_str *out)
{
	char *found = NULL;

	for (const char *at = out->at; at && *at; at += strcspn(at, "\n"), at += *at == '\n') {
		char *line = mb_textf("%.*s", (int)strcspn(at, "\r\n"), at);
		struct stat file;

		if (*line == '/' && stat(line, &file) == 0 && S_ISDIR(file.st_mode)) {
			free(found);
			found = line;
		} else {
			free(line);
		}
	}
	return found;
}

char *workspace_find(const struct workspace *workspace, struct mb_err *err)
{
	struct command command;
	char *path, *real;
	int bad = workspace_run(workspace, "find", NULL, &command, err);

	path = bad ? NULL : last_folder(&command.out);
	if (!bad || (command.status != 127 && !command.timed_out && !command.stopped))
		err->code = MB_EXIT_OK; /* it answered */
	else if (command.status == 127)
		mb_err_hint(err,
			    "experiment.use_local_workspace: false needs the cluster's workspace tools; true keeps "
				 "the folder beside the experiment file");
	command_release(&command);
	real = path ? realpath(path, NULL) : NULL;
	free(path);
	return real;
}

/* ---- what we allocated ---- */

static char *record_path(const char *slug, struct mb_err *err)
{
	char *state = folder_state(err), *name = mb_textf(".%s.workspace", slug);
	char *path = state ? mb_path_join(state, name) : NULL;

	free(name);
	free(state);
	return path;
}

static int write_record(const struct workspace *workspace, const char *slug, struct mb_err *err)
{
	char *path = record_path(slug, err);
	json_t *json = workspace_to_json(workspace);
	struct mb_str text = {0};
	int bad;

	mb_json_print(json, &text);
	mb_str_adds(&text, "\n");
	bad = !path || mb_file_replace(path, text.at, text.n, 1, err) < 0;
	json_decref(json);
	mb_str_release(&text);
	free(path);
	return bad ? -1 : 0;
}

/* ---- placing ---- */

void workspace_name(struct workspace *workspace, const char *slug, const struct profile *profile)
{
	char *name = mb_strdup(slug);
	int odd = !isalnum((unsigned char)*name) || (unsigned char)*name >= 0x80;

	for (char *at = name; *at; at++)
		if ((unsigned char)*at >= 0x80 || (!isalnum((unsigned char)*at) && !strchr("_.-", *at))) {
			*at = '-';
			odd = 1;
		}
	if (odd) { /* other letters than the tools take: told apart by a digest */
		char *whole = mb_textf("mb-%s-%08x", name + strspn(name, "-"),
				       (unsigned)mb_hash_bytes(slug, strlen(slug), 0));

		free(name);
		name = whole;
	}
	*workspace = (struct workspace){.name = name, .command = mb_strdup(profile->workspace_command)};
	if (profile->workspace_filesystem)
		workspace->filesystem = mb_strdup(profile->workspace_filesystem);
}

static char *allocate(const struct workspace *workspace, int64_t days, struct mb_err *err)
{
	char *text = mb_textf("%lld", (long long)days), *path = NULL, *real, *words;
	struct command command;
	int bad = workspace_run(workspace, "allocate", text, &command, err);

	path = bad ? NULL : last_folder(&command.out);
	if (!bad && !path) {
		words = command_words(&command, 3);
		mb_err_set(err, MB_EXIT_SYSTEM, NULL, "%sallocate: named no folder: %s", workspace->command, words);
		free(words);
	}
	if (!path)
		mb_err_hint(err, "%slist shows the workspaces; experiment.use_local_workspace: true needs none",
			    workspace->command);
	command_release(&command);
	real = path ? realpath(path, NULL) : NULL;
	free(path);
	free(text);
	return real;
}

/* The link's folder is not there any more: it lay in a workspace that expired or was released. */
static int check_expired(const struct deployment *deployment, const char *tools, struct mb_err *err)
{
	char *state = folder_state(err), *link = state ? mb_path_join(state, deployment->name) : NULL;
	char target[4096] = "";
	struct stat file;
	int bad = !link;

	if (link && lstat(link, &file) == 0 && S_ISLNK(file.st_mode) && stat(link, &file) < 0 &&
	    readlink(link, target, sizeof target - 1) > 0) {
		mb_err_set(err, MB_EXIT_SYSTEM, NULL, "%s: its workspace has expired or was released: %s is gone",
			   deployment->name, target);
		bad = mb_err_hint(err,
				  "%srestore -l tells whether it can be had back, then mb-deploy continue "
				  "PATH-OF-%s goes on; mb-deploy delete %s forgets it, then start begins anew",
				  tools, deployment->name, deployment->name);
	}
	free(link);
	free(state);
	return bad ? -1 : 0;
}

int workspace_place(struct deployment *deployment, const struct mb_experiment *experiment,
		    const struct profile *profile, struct mb_err *err)
{
	struct workspace *workspace = &deployment->workspace;
	char *path;

	if (experiment->use_local_workspace)
		return 0;
	workspace_clear(workspace);
	workspace_name(workspace, deployment->name, profile);
	path = workspace_find(workspace, err);
	if (!path && err->code != MB_EXIT_OK)
		return -1;
	if (!path) {
		/* One of that name elsewhere is another one, and nothing is allocated for it. */
		if (check_expired(deployment, workspace->command, err) < 0 || folder_link(deployment, 0, err) < 0 ||
		    write_record(workspace, deployment->name, err) < 0)
			return -1;
		deploy_step();
		path = allocate(workspace, profile->workspace_days, err);
		deploy_step();
	}
	if (!path)
		return -1;
	free(deployment->folder);
	deployment->folder = mb_path_join(path, deployment->name);
	free(path);
	return 0;
}

/* ---- releasing ---- */

static int is_empty(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int empty = dir != NULL;

	while (empty && (entry = readdir(dir)))
		empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
	if (dir)
		closedir(dir);
	return empty;
}

/* Ours and found: given back, unless the user keeps something there. */
static int give_back(struct mb_tool *tool, const struct workspace *workspace, const char *path, struct mb_err *err)
{
	struct command command;
	int bad = 0;

	if (!is_empty(path)) {
		mb_tool_warn(tool, "workspace %s is kept: other files lie in %s (%srelease %s gives it back)",
			     workspace->name, path, workspace->command, workspace->name);
		return 0;
	}
	bad = workspace_run(workspace, "release", NULL, &command, err);
	if (bad)
		mb_err_hint(err, "mb-deploy delete, typed again, tries again");
	else
		mb_tool_say(tool, "workspace %s released", workspace->name);
	command_release(&command);
	return bad;
}

int workspace_release(struct mb_tool *tool, const char *name, struct mb_err *err)
{
	char *slug = folder_slug(name), *record = record_path(slug, err), *path = NULL;
	struct workspace workspace = {0};
	struct mb_str text = {0};
	json_t *json = NULL;
	int status = -1;

	if (!record)
		goto out;
	if (access(record, F_OK) < 0) {
		status = 1;
		goto out;
	}
	if (mb_file_read(record, RECORD_BYTES, &text, err) < 0 ||
	    !(json = mb_json_parse(text.at, text.n, record, err)))
		goto out;
	workspace_from_json(&workspace, json);
	path = workspace.name ? workspace_find(&workspace, err) : NULL;
	if (!path && workspace.name && err->code != MB_EXIT_OK)
		goto out;
	deploy_step();
	if (path && give_back(tool, &workspace, path, err) < 0)
		goto out;
	deploy_step();
	status = unlink(record) < 0 && errno != ENOENT ? mb_err_errno(err, record, "unlink") : 0;
out:
	json_decref(json);
	mb_str_release(&text);
	workspace_clear(&workspace);
	free(path);
	free(record);
	free(slug);
	return status;
}

/* ---- on disk ---- */

json_t *workspace_to_json(const struct workspace *workspace)
{
	json_t *json = json_object();

	mb_json_set(json, "workspace", json_string(workspace->name));
	mb_json_set(json, "command", json_string(workspace->command));
	if (workspace->filesystem)
		mb_json_set(json, "filesystem", json_string(workspace->filesystem));
	return json;
}

void workspace_from_json(struct workspace *workspace, const json_t *json)
{
	const char *name = json_string_value(json_object_get(json, "workspace"));
	const char *command = json_string_value(json_object_get(json, "command"));
	const char *filesystem = json_string_value(json_object_get(json, "filesystem"));

	workspace_clear(workspace);
	if (!name || !command)
		return;
	workspace->name = mb_strdup(name);
	workspace->command = mb_strdup(command);
	workspace->filesystem = filesystem ? mb_strdup(filesystem) : NULL;
}

void workspace_clear(struct workspace *workspace)
{
	free(workspace->name);
	free(workspace->command);
	free(workspace->filesystem);
	*workspace = (struct workspace){0};
}
