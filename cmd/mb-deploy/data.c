/* SPDX-License-Identifier: MIT
 *
 * Data of this machine are looked at, those of another are fetched. rsync goes on where it was interrupted; what it
 * brings lies in data/ID.part until it is whole and becomes data/ID by a rename, ID a digest of where it is from.
 */
#include "data.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"

enum { SSH_SILENCE_S = 120 };

/* ---- how it is written ---- */

int data_is_remote(const char *path)
{
	return path[strcspn(path, ":/")] == ':';
}

/* Letters that name users and hosts; none at the beginning that an option begins with. */
static int is_word(const char *text, size_t n)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	return n > 0 && n <= 255 && *text != '-' && strspn(text, letters) >= n;
}

/* "user@host:path" with what rsync is given for the path, and the name that it will have here. */
struct remote {
	char *source, *name;
};

static void remote_release(struct remote *remote)
{
	free(remote->source);
	free(remote->name);
}

/* NULL, or what is wrong. */
static const char *parse_remote(const char *written, struct remote *remote)
{
	const char *colon = strchr(written, ':'), *at = memchr(written, '@', (size_t)(colon - written));
	const char *host = at ? at + 1 : written, *path = colon + 1, *name;
	char *whole;
	size_t n;

	*remote = (struct remote){0};
	if (at && !is_word(written, (size_t)(at - written)))
		return "the user's name has letters that none has";
	if (!is_word(host, (size_t)(colon - host)))
		return "the host's name has letters that none has";
	if (!strncmp(path, "//", 2) || *path == ':')
		return "only user@host:path is understood";
	for (const char *letter = path; *letter; letter++)
		if ((unsigned char)*letter < ' ' || *letter == 0x7F)
			return "the path holds a control character";
	if (!strncmp(path, "~/", 2)) /* that is where relative paths begin, and nobody expands it there */
		path += 2;
	for (n = strlen(path); n > 1 && path[n - 1] == '/';)
		n--;
	whole = mb_textf("%s%.*s", *path == '-' ? "./" : "", (int)n, path);
	name = mb_path_name(whole);
	if (!*name || !strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "~")) {
		free(whole);
		return "the path names no file or folder of its own";
	}
	remote->name = mb_strdup(name);
	remote->source = mb_textf("%.*s%s", (int)(colon + 1 - written), written, whole);
	free(whole);
	return NULL;
}

static int wrong_path(const char *file, const struct mb_experiment *experiment, const char *what, struct mb_err *err)
{
	mb_err_set(err, MB_EXIT_USAGE, NULL, "data_options.dataset_path: %.300s: %s", experiment->dataset_path, what);
	mb_yaml_where(err, file, experiment->dataset_line);
	return mb_err_hint(err, "a path, or user@host:path");
}

int data_check(const struct mb_experiment *experiment, struct mb_errs *errs)
{
	const char *written = experiment->dataset_path, *what;
	struct remote remote = {0};
	struct mb_err err;

	if (!written || !data_is_remote(written))
		return 0;
	what = parse_remote(written, &remote);
	remote_release(&remote);
	if (!what)
		return 0;
	wrong_path(experiment->path, experiment, what, &err);
	return mb_errs_add(errs, &err);
}

/* ---- those of this machine ---- */

static int check_readable(const char *path, const struct deployment *deployment,
			  const struct mb_experiment *experiment, struct mb_err *err)
{
	struct stat file;
	DIR *dir = NULL;
	int fd = -1, error = 0;

	/* Opened, not asked for: what access(2) says is not always what a network's file system does. */
	if (stat(path, &file) < 0)
		error = errno;
	else if (S_ISDIR(file.st_mode) ? !(dir = opendir(path)) : (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		error = errno;
	if (dir)
		closedir(dir);
	if (fd >= 0)
		close(fd);
	if (!error)
		return 0;
	mb_err_set(err, MB_EXIT_SYSTEM, NULL, "data_options.dataset_path: %.300s: %s", path, strerror(error));
	mb_yaml_where(err, deployment->source, experiment->dataset_line);
	return mb_err_hint(err, error == ENOENT ? "relative paths begin in the experiment file's folder"
						: "it must be readable where the workers run");
}

/* Absolute, as seen from the experiment file's folder. The caller frees. */
static char *local_path(const struct deployment *deployment, const struct mb_experiment *experiment)
{
	char *written = folder_base(deployment), *base = realpath(written, NULL);
	char *path = mb_path_join(base ? base : written, experiment->dataset_path), *whole = realpath(path, NULL);

	free(written);
	free(base);
	if (!whole)
		return path;
	free(path);
	return whole;
}

/* ---- those of another ---- */

static char *fetched_folder(const struct deployment *deployment, const char *written, const char *end)
{
	return mb_textf("%s/data/%016llx%s", deployment->folder,
			(unsigned long long)mb_hash_bytes(written, strlen(written), 0), end);
}

/* What ssh and rsync say most often, and what to do about it. */
static const char *remedy(const struct command *command)
{
	static const struct {
		const char *words, *remedy;
	} known[] = {
		{"Host key verification failed", "type ssh to that host once by hand, and accept its key"},
		{"Permission denied",
		 "ssh must reach the host without a password: ssh-keygen, ssh-copy-id; and the path "
				      "must be readable there"},
		{"No space left", "free some space, then the same command goes on where it stopped"},
		{"Disk quota exceeded", "free some space, then the same command goes on where it stopped"},
		{"No such file or directory", "ssh HOST ls PATH shows whether the path is right"},
		{"command not found", "rsync must be installed there too"},
	};

	for (size_t i = 0; i < MB_COUNT(known); i++)
		if (command->err.n && strstr(command->err.at, known[i].words))
			return known[i].remedy;
	return "the same command goes on where it stopped";
}

/* Nobody is asked for a password; the user's own RSYNC_RSH may say more (a port, a key). */
static char *ssh_command(void)
{
	const char *own = getenv("RSYNC_RSH");

	return mb_textf("%s -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=30",
			own && *own ? own : "ssh");
}

/* Symbolic links are followed, as they mean nothing here; the paths go through no shell there (-s). */
static int run_rsync(const struct remote *remote, const char *to, struct mb_err *err)
{
	char *ssh = ssh_command(), *silence = mb_textf("--timeout=%d", SSH_SILENCE_S), *slash = mb_textf("%s/", to);
	char *argv[] = {(char *)"rsync", (char *)"-rLts", (char *)"--partial", (char *)"--delete",
			(char *)"--chmod=u+rwX", silence,
			(char *)"-e",    ssh,             (char *)"--",        remote->source,          slash,
			NULL};
	struct command command = {.argv = argv};
	int bad = command_run(&command, err);

	if (bad && command.status == 127)
		mb_err_hint(err,
			    "it brings data from other hosts; data_options.dataset_path may be a path of this one");
	else if (bad && !command.stopped)
		mb_err_hint(err, "%s", remedy(&command));
	command_release(&command);
	free(slash);
	free(silence);
	free(ssh);
	return bad;
}

static int fetch(struct deployment *deployment, const struct mb_experiment *experiment, const struct remote *remote,
		 const char *whole, struct mb_err *err)
{
	char *part = fetched_folder(deployment, experiment->dataset_path, ".part");
	char *there = mb_path_join(part, remote->name);
	const double begun_s = mb_clock_now_s();
	struct stat file;
	json_t *span;
	int bad = -1;

	mb_tool_say(deployment->tool, "%s: fetching %s", deployment->name, experiment->dataset_path);
	if (mb_mkdirs(part, err) < 0 || run_rsync(remote, part, err) < 0)
		goto out;
	deploy_step();
	if (lstat(there, &file) < 0) { /* the other side takes *, ? and [] for patterns */
		mb_err_set(err, MB_EXIT_SYSTEM, experiment->dataset_path, "rsync brought no %s", remote->name);
		goto out;
	}
	if (rename(part, whole) < 0) {
		mb_err_errno(err, whole, "rename");
		goto out;
	}
	deploy_step();
	span = journal_span("setup", begun_s, mb_clock_now_s() - begun_s);
	mb_json_set(span, "component", json_string("data"));
	bad = journal_add(&deployment->journal, span, err) < 0 ? -1 : 0;
out:
	free(there);
	free(part);
	return bad;
}

/* *path: where it is, or will be. */
static int find_remote(const struct deployment *deployment, const struct mb_experiment *experiment,
		       struct remote *remote, char **folder, char **path, struct mb_err *err)
{
	const char *what = parse_remote(experiment->dataset_path, remote);

	if (what)
		return wrong_path(deployment->source, experiment, what, err);
	*folder = fetched_folder(deployment, experiment->dataset_path, "");
	*path = mb_path_join(*folder, remote->name);
	return 0;
}

int data_fetch(struct deployment *deployment, const struct mb_experiment *experiment, struct mb_err *err)
{
	struct remote remote = {0};
	char *folder = NULL, *path = NULL;
	int bad;

	if (!experiment->dataset_path)
		return 0;
	if (!data_is_remote(experiment->dataset_path)) {
		path = local_path(deployment, experiment);
		bad = check_readable(path, deployment, experiment, err);
	} else {
		bad = find_remote(deployment, experiment, &remote, &folder, &path, err);
		if (!bad && access(folder, F_OK) < 0)
			bad = fetch(deployment, experiment, &remote, folder, err);
	}
	remote_release(&remote);
	free(folder);
	free(path);
	return bad;
}

/* ---- the worker ---- */

/* The profile's, else $TMPDIR, else /tmp; the caller frees. */
static char *node_folder(const struct mb_experiment *experiment)
{
	struct mb_errs errs = {0};
	struct profile *profile = profile_read(experiment->cluster, &errs);
	const char *folder = profile ? profile->node_folder : NULL;
	char *copy;

	if (!folder)
		folder = getenv("TMPDIR");
	copy = mb_strdup(folder && *folder ? folder : "/tmp");
	profile_free(profile);
	mb_errs_release(&errs);
	return copy;
}

int data_enter(const struct deployment *deployment, const struct mb_experiment *experiment, struct data_use *use,
	       struct mb_err *err)
{
	struct remote remote = {0};
	char *folder = NULL, *path = NULL, *node;
	int bad;

	*use = (struct data_use){.lock = -1};
	if (!experiment->dataset_path)
		return 0;
	if (!data_is_remote(experiment->dataset_path))
		path = local_path(deployment, experiment);
	else if (find_remote(deployment, experiment, &remote, &folder, &path, err) < 0)
		return -1;
	bad = check_readable(path, deployment, experiment, err);
	if (bad && folder)
		mb_err_hint(err, "mb-deploy continue %s fetches it", deployment->name);
	if (!bad && experiment->copy_data) {
		node = node_folder(experiment);
		bad = data_copy(path, node, use, err);
		free(node);
	} else if (!bad) {
		use->dataset = mb_strdup(path);
	}
	remote_release(&remote);
	free(folder);
	free(path);
	return bad;
}
