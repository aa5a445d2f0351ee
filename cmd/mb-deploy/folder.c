/* SPDX-License-Identifier: MIT
 *
 * The folder of a deployment, its marker, and the links by which the verbs find it. A folder is ours when its marker
 * says so; it is made step by step, and each step, done again after a crash, comes to the same.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "deploy.h"
#include "run/run.h"

enum { MARKER_BYTES = 65536, SLUG_BYTES = 200 };

/* ---- names ---- */

char *folder_slug(const char *name)
{
	struct mb_str text = {0};

	for (; *name && text.n < SLUG_BYTES; name++) {
		unsigned char byte = (unsigned char)*name;

		if (isalnum(byte) || byte == '.' || byte == '_' || byte >= 0x80)
			mb_str_add(&text, name, 1);
		else if (text.n && text.at[text.n - 1] != '-')
			mb_str_adds(&text, "-");
	}
	while (text.n && (unsigned char)*name >= 0x80 && (*name & 0xC0) == 0x80) /* cut between characters */
		name--, text.at[--text.n] = '\0';
	while (text.n && text.at[text.n - 1] == '-')
		text.at[--text.n] = '\0';
	if (!text.n || text.at[0] == '.') {
		mb_str_clear(&text);
		mb_str_adds(&text, "experiment");
	}
	return mb_str_take(&text);
}

char *folder_state_path(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && *state == '/')
		return mb_path_join(state, "mb");
	return home && *home == '/' ? mb_path_join(home, ".local/state/mb") : NULL;
}

char *folder_state(struct mb_err *err)
{
	char *path = folder_state_path();

	if (!path) {
		mb_err_set(err, MB_EXIT_SYSTEM, NULL, "neither XDG_STATE_HOME nor HOME is set to a path that begins with /");
		mb_err_hint(err, "export HOME=FOLDER: experiments are found by what stands under it");
		return NULL;
	}
	if (mb_mkdirs(path, err) == 0)
		return path;
	free(path);
	return NULL;
}

char *folder_text(const char *bytes)
{
	json_t *text = json_string(bytes);
	struct mb_str utf8 = {0};

	for (; !text && *bytes; bytes++) {
		const unsigned char byte = (unsigned char)*bytes;
		const char two[2] = {(char)(0xC0 | byte >> 6), (char)(0x80 | (byte & 0x3F))};

		mb_str_add(&utf8, byte < 0x80 ? bytes : two, byte < 0x80 ? 1 : 2);
	}
	if (text)
		mb_str_adds(&utf8, bytes);
	json_decref(text);
	return mb_str_take(&utf8);
}

char *folder_file(const struct deployment *deployment, const char *name)
{
	return mb_path_join(deployment->folder, name);
}

char *folder_log_of(const struct deployment *deployment, int64_t worker)
{
	return mb_textf("%s/logs/worker-%lld.log", deployment->folder, (long long)worker);
}

char *folder_digest(const struct mb_str *text)
{
	return mb_textf("%016llx", (unsigned long long)mb_hash_bytes(text->at, text->n, 0));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int folder_names(struct names *names, struct mb_err *err)
{
	char *state = folder_state(err);
	DIR *dir = state ? opendir(state) : NULL;
	struct dirent *entry;
	char target[2];

	*names = (struct names){0};
	if (state && !dir)
		mb_err_errno(err, state, NULL);
	free(state);
	if (!dir)
		return -1;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && readlinkat(dirfd(dir), entry->d_name, target, sizeof target) > 0)
			MB_PUSH(names->at, names->n, names->cap, mb_strdup(entry->d_name));
	closedir(dir);
	if (names->n)
		qsort(names->at, names->n, sizeof *names->at, by_name);
	return 0;
}

void folder_names_release(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->at[i]);
	free(names->at);
	*names = (struct names){0};
}

/* ---- the marker ---- */

static int take_text(const json_t *marker, const char *member, char **to)
{
	const char *text = json_string_value(json_object_get(marker, member));

	free(*to);
	*to = text ? mb_strdup(text) : NULL;
	return text ? 0 : -1;
}

static int take_marker(struct deployment *deployment, const json_t *marker)
{
	const char *on = json_string_value(json_object_get(marker, "on"));

	take_text(marker, "commit", &deployment->commit);
	take_text(marker, "commit_of", &deployment->commit_of);
	take_text(marker, "code", &deployment->code);
	take_text(marker, "environment", &deployment->environment);
	deployment->is_set_up = json_is_true(json_object_get(marker, "set_up"));
	deployment->workers = json_integer_value(json_object_get(marker, "workers"));
	deployment->keep = json_integer_value(json_object_get(marker, "keep"));
	deployment->driver = on ? driver_find(on) : NULL;
	workspace_from_json(&deployment->workspace, marker);
	return take_text(marker, "uuid", &deployment->uuid) < 0 ||
			       take_text(marker, "experiment", &deployment->experiment) < 0 ||
			       take_text(marker, "source", &deployment->source) < 0 ||
			       take_text(marker, "digest", &deployment->digest) < 0 || !deployment->driver ||
			       deployment->workers < 1 || deployment->keep < 1
		       ? -1
		       : 0;
}

int folder_read_marker(struct deployment *deployment, struct mb_err *err)
{
	char *path = folder_file(deployment, "deploy.json");
	struct mb_str text = {0};
	json_t *marker = NULL;
	int bad = -1;

	if (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		bad = 1;
	} else if (mb_file_read(path, MARKER_BYTES, &text, err) == 0 &&
		   (marker = mb_json_parse(text.at, text.n, path, err))) {
		bad = take_marker(deployment, marker);
		if (bad) {
			mb_err_set(err, MB_EXIT_SYSTEM, path,
				   "is not the marker of a folder that this mb-deploy can use");
			mb_err_hint(err, "put back what it was, or remove the folder by hand and type mb-deploy delete %s",
				    mb_path_name(deployment->folder));
		}
	}
	json_decref(marker);
	mb_str_release(&text);
	free(path);
	return bad;
}

/* The folder that relative paths of the file begin from, seen from the deployment's. */
static char *base_of(const struct deployment *deployment)
{
	return deployment->workspace.name ? mb_path_dir(deployment->source) : mb_strdup("..");
}

char *folder_base(const struct deployment *deployment)
{
	char *base = base_of(deployment), *whole = folder_file(deployment, base);

	free(base);
	return whole;
}

static void print_marker(const struct deployment *deployment, struct mb_str *text)
{
	json_t *marker = deployment->workspace.name ? workspace_to_json(&deployment->workspace) : json_object();
	char *base = base_of(deployment);

	mb_json_set(marker, "uuid", json_string(deployment->uuid));
	mb_json_set(marker, "experiment", json_string(deployment->experiment));
	mb_json_set(marker, "source", json_string(deployment->source));
	mb_json_set(marker, "base", json_string(base)); /* where relative paths of the copy begin */
	mb_json_set(marker, "digest", json_string(deployment->digest));
	mb_json_set(marker, "on", json_string(deployment->driver->name));
	mb_json_set(marker, "workers", json_integer(deployment->workers));
	mb_json_set(marker, "keep", json_integer(deployment->keep));
	if (deployment->commit)
		mb_json_set(marker, "commit", json_string(deployment->commit));
	if (deployment->commit_of)
		mb_json_set(marker, "commit_of", json_string(deployment->commit_of));
	if (deployment->code)
		mb_json_set(marker, "code", json_string(deployment->code));
	if (deployment->environment)
		mb_json_set(marker, "environment", json_string(deployment->environment));
	mb_json_set(marker, "set_up", json_boolean(deployment->is_set_up));
	mb_json_print(marker, text);
	mb_str_adds(text, "\n");
	json_decref(marker);
	free(base);
}

int folder_write_marker(struct deployment *deployment, struct mb_err *err)
{
	char *path = folder_file(deployment, "deploy.json");
	struct mb_str text = {0};
	int bad;

	print_marker(deployment, &text);
	bad = mb_file_replace(path, text.at, text.n, 1, err);
	mb_str_release(&text);
	free(path);
	return bad;
}

/* A folder that holds nothing, but for what a crash before the marker may have left, can become ours. */
static int is_free(const struct deployment *deployment, struct mb_err *err)
{
	DIR *dir = opendir(deployment->folder);
	struct dirent *entry;
	int bad = 0;

	if (!dir)
		return mb_err_errno(err, deployment->folder, NULL);
	while (!bad && (entry = readdir(dir)))
		bad = strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
		      strncmp(entry->d_name, "deploy.", 7);
	closedir(dir);
	if (!bad)
		return 0;
	mb_err_set(err, MB_EXIT_USAGE, deployment->folder, "is there and was not made by mb-deploy");
	return mb_err_hint(err, "move it away, or give the experiment another name");
}

static int new_uuid(struct deployment *deployment, struct mb_err *err)
{
	struct mb_str text = {0};
	int bad = mb_file_read("/proc/sys/kernel/random/uuid", 0, &text, err);

	free(deployment->uuid);
	deployment->uuid = bad ? NULL : mb_textf("%.36s", text.at);
	mb_str_release(&text);
	return bad;
}

/* By link(2) of a finished file: of two who make it at once, on two hosts, one wins, and both go on with the
 * winner's. */
static int make_marker(struct deployment *deployment, struct mb_err *err)
{
	char *path = folder_file(deployment, "deploy.json"), *temporary = mb_path_unique(path);
	struct mb_str text = {0};
	int bad = new_uuid(deployment, err);

	if (!bad) {
		print_marker(deployment, &text);
		bad = mb_file_replace(temporary, text.at, text.n, 1, err);
	}
	if (!bad && link(temporary, path) < 0 && errno != EEXIST)
		bad = mb_err_errno(err, path, "link");
	unlink(temporary);
	mb_str_release(&text);
	free(temporary);
	free(path);
	return bad ? -1 : folder_read_marker(deployment, err);
}

int folder_write_copy(struct deployment *deployment, const struct mb_str *text, struct mb_err *err)
{
	char *path = folder_file(deployment, "experiment.yaml");
	int bad = mb_file_replace(path, text->at, text->n, 1, err);

	free(path);
	return bad;
}

int folder_make(struct deployment *deployment, const struct mb_str *text, struct mb_err *err)
{
	char *copy = folder_file(deployment, "experiment.yaml"), *logs = folder_file(deployment, "logs");
	int known = 1, bad = -1;

	deploy_step();
	if (mkdir(deployment->folder, 0777) < 0 && errno != EEXIST) {
		mb_err_errno(err, deployment->folder, "mkdir");
		goto out;
	}
	deploy_step();
	known = folder_read_marker(deployment, err);
	if (known < 0 || (known == 1 && (is_free(deployment, err) < 0 || make_marker(deployment, err))))
		goto out;
	deploy_step();
	if (access(copy, F_OK) < 0 && folder_write_copy(deployment, text, err) < 0)
		goto out;
	deploy_step();
	bad = mb_mkdirs(logs, err);
out:
	free(copy);
	free(logs);
	return bad;
}

/* ---- links ---- */

static char *link_path(const char *name, struct mb_err *err)
{
	char *state = folder_state(err), *path = state ? mb_path_join(state, name) : NULL;

	free(state);
	return path;
}

/* Whether the path is, or leads to, a folder with a marker. */
static int leads_somewhere(const char *path)
{
	char *marker = mb_path_join(path, "deploy.json");
	int there = access(marker, F_OK) == 0;

	free(marker);
	return there;
}

int folder_link(struct deployment *deployment, int make, struct mb_err *err)
{
	char *path = link_path(deployment->name, err), *temporary = NULL, *target = NULL;
	struct stat file;
	int bad = -1;

	if (!path)
		return -1;
	target = realpath(path, NULL);
	if (target && !strcmp(target, deployment->folder)) {
		bad = 0;
	} else if (target && leads_somewhere(path)) {
		mb_err_set(err, MB_EXIT_USAGE, NULL, "an experiment %s is known, in %s", deployment->name, target);
		mb_err_hint(err, "give this one another name, or mb-deploy delete %s removes the other",
			    deployment->name);
	} else if (lstat(path, &file) == 0 && !S_ISLNK(file.st_mode)) {
		mb_err_set(err, MB_EXIT_SYSTEM, path, "is no link, so not mb-deploy's");
	} else if (!make) {
		bad = 0;
	} else {
		temporary = mb_path_unique(path);
		bad = symlink(deployment->folder, temporary) < 0 || rename(temporary, path) < 0;
		if (bad)
			bad = mb_err_errno(err, path, "link");
		unlink(temporary);
	}
	free(temporary);
	free(target);
	free(path);
	return bad;
}

int folder_unlink(const char *name, struct mb_err *err)
{
	char *path = link_path(name, err);
	struct stat file;
	int bad = !path;

	if (path && lstat(path, &file) == 0 && S_ISLNK(file.st_mode) && unlink(path) < 0 && errno != ENOENT)
		bad = mb_err_errno(err, path, "unlink");
	free(path);
	return bad ? -1 : 0;
}

/* ---- finding ---- */

static int found(struct deployment *deployment, const char *path, struct mb_err *err)
{
	int status;

	free(deployment->folder);
	free(deployment->name);
	deployment->folder = realpath(path, NULL);
	deployment->name = deployment->folder ? mb_strdup(mb_path_name(deployment->folder)) : NULL;
	if (!deployment->folder)
		return 1;
	status = folder_read_marker(deployment, err);
	return status;
}

/* A link that leads nowhere: what it led to is gone. */
static void not_found(const char *name, struct mb_err *err)
{
	char *slug = folder_slug(name), *path = link_path(slug, err), target[PATH_MAX] = "";

	if (path && !strchr(name, '/') && readlink(path, target, sizeof target - 1) > 0) {
		mb_err_set(err, MB_EXIT_NO, NULL, "%s: its folder is gone: %s", slug, target);
		mb_err_hint(err,
			    "a workspace that expired may be had back, ws_restore -l tells, then mb-deploy continue PATH "
			    "goes on; mb-deploy delete %s forgets it, then start begins anew",
			    slug);
	} else {
		mb_err_set(err, MB_EXIT_NO, NULL, "%s: no experiment of this name", name);
		mb_err_hint(err, "mb-deploy list shows them; mb-deploy start FILE makes one");
	}
	free(path);
	free(slug);
}

int folder_find(struct deployment *deployment, struct mb_tool *tool, const char *name, const char *on,
		struct mb_err *err)
{
	char *slug = folder_slug(name);
	const char *const candidates[] = {name, slug, NULL};
	int status = 1;

	*deployment = (struct deployment){.tool = tool, .lock.fd = -1, .journal.fd = -1, .journal.lock.fd = -1};
	for (int i = 0; status == 1 && !strchr(name, '/') && *name != '.' && candidates[i]; i++) {
		char *path = link_path(candidates[i], err);

		if (!path)
			status = -1;
		else if (leads_somewhere(path))
			status = found(deployment, path, err);
		free(path);
	}
	if (status == 1)
		status = found(deployment, name, err);
	free(slug);
	if (status == 0 && (!on || driver_find(on) == deployment->driver))
		return 0;
	if (status == 1)
		not_found(name, err);
	else if (status == 0)
		mb_err_set(err, MB_EXIT_USAGE, NULL, "%s: runs with --on %s, not --on %s", deployment->name,
			   deployment->driver->name, on);
	folder_release(deployment);
	return -1;
}

/* ---- locks ---- */

int folder_lock_all(struct mb_lock *lock, struct mb_err *err)
{
	char *path = link_path(".mb-deploy", err);
	int bad;

	*lock = (struct mb_lock){.fd = -1};
	if (!path)
		return -1;
	bad = mb_lock_open(lock, path, getenv("MB_LOCK"), err) < 0 || mb_lock_take(lock, err) < 0;
	free(path);
	return bad ? -1 : 0;
}

int folder_wait(const struct deployment *deployment, struct mb_lock *lock, const char *what, struct mb_err *err)
{
	const double say_at = mb_clock_monotonic_s() + 1;
	int taken, said = 0;

	while ((taken = mb_lock_try(lock, err)) == 0) {
		if (mb_signals_stopped())
			return mb_err_set(err, MB_EXIT_SYSTEM, deployment->name, "stopped by a signal");
		if (!said && mb_clock_monotonic_s() > say_at) {
			mb_tool_say(deployment->tool, "%s: %s: waiting for its end", deployment->name, what);
			said = 1;
		}
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	}
	return taken < 0 ? -1 : 0;
}

static const char at_work[] = "another mb-deploy is at work on it";

static int open_lock(struct deployment *deployment, struct mb_err *err)
{
	char *path = folder_file(deployment, "deploy");
	int bad = mb_lock_open(&deployment->lock, path, getenv("MB_LOCK"), err);

	free(path);
	return bad;
}

static int read_again(struct deployment *deployment, struct mb_err *err)
{
	char *uuid = mb_strdup(deployment->uuid);
	int status;

	deployment->locked = 1;
	status = folder_read_marker(deployment, err);
	if (status == 1 || (!status && strcmp(uuid, deployment->uuid)))
		status = mb_err_set(err, MB_EXIT_NO, deployment->folder, "was deleted meanwhile");
	free(uuid);
	return status;
}

int folder_lock(struct deployment *deployment, struct mb_lock *all, struct mb_err *err)
{
	int taken = open_lock(deployment, err) < 0 ? -1 : mb_lock_try(&deployment->lock, err);

	if (all)
		mb_lock_drop(all);
	if (taken < 0 || (!taken && folder_wait(deployment, &deployment->lock, at_work, err) < 0))
		return -1;
	return read_again(deployment, err);
}

int folder_lock_now(struct deployment *deployment, struct mb_err *err)
{
	int taken = open_lock(deployment, err) < 0 ? -1 : mb_lock_try(&deployment->lock, err);

	if (taken == 0) {
		mb_err_set(err, MB_EXIT_NO, deployment->name, "%s", at_work);
		mb_err_hint(err, "type it again when that has ended");
	}
	return taken == 1 ? read_again(deployment, err) : -1;
}

void folder_release(struct deployment *deployment)
{
	if (deployment->driver && deployment->driver->forget)
		deployment->driver->forget(deployment);
	journal_close(&deployment->journal);
	if (deployment->locked)
		mb_lock_drop(&deployment->lock);
	mb_lock_close(&deployment->lock);
	free(deployment->folder);
	free(deployment->name);
	free(deployment->experiment);
	free(deployment->source);
	free(deployment->uuid);
	free(deployment->digest);
	free(deployment->commit);
	free(deployment->commit_of);
	free(deployment->code);
	free(deployment->environment);
	workspace_clear(&deployment->workspace);
	*deployment = (struct deployment){.lock.fd = -1, .journal.fd = -1, .journal.lock.fd = -1};
}
