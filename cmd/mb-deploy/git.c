/* SPDX-License-Identifier: MIT
 *
 * The model's code: NAME/src/<commit>, fetched by git and checked out there. What the experiment file says is handed to
 * git as words after `--`, and only where it cannot be taken for an option, another protocol or a pattern.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "setup.h"

enum { MOST_NAMES = 10, LEAST_HEX = 7 };

/* No questions, no other protocols than those that were checked, and nothing of a repository that this may run in. */
static const char *const changes[] = {"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=true",      "SSH_ASKPASS_REQUIRE=never",
				      "GIT_ALLOW_PROTOCOL=https:ssh:file", "GIT_DIR",   "GIT_WORK_TREE",
				      "GIT_INDEX_FILE",        "GIT_OBJECT_DIRECTORY",  "GIT_COMMON_DIR",
				      "GIT_NAMESPACE",         "GIT_TEMPLATE_DIR",      "LC_ALL=C", NULL};

/* ---- checks ---- */

static int complain(const struct mb_experiment *experiment, int line, struct mb_errs *errs, const char *key,
		    const char *value, const char *expected, const char *hint)
{
	struct mb_str shown = {0};
	struct mb_err err;
	char where[512];

	mb_str_add_clean(&shown, value, 200);
	mb_err_set(&err, MB_EXIT_USAGE, setup_where(experiment, line, where), "git_options.%s: %s is not %s", key,
		   shown.at ? shown.at : "\"\"", expected);
	mb_err_hint(&err, "%s", hint);
	mb_str_release(&shown);
	return mb_errs_add(errs, &err);
}

static int has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7F)
			return 1;
	return 0;
}

/* user@host:path or user@host/path; the user may be missing where there is a scheme. */
static int is_host(const char *at, const char *ends, int user_needed)
{
	const char *sign = strchr(at, '@'), *end = strpbrk(at, ends);

	if (sign && end && sign > end)
		sign = NULL;
	if (user_needed && !sign)
		return 0;
	for (const char *c = at; sign && c < sign; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._-+", *c))
			return 0; /* a password among them */
	at = sign ? sign + 1 : at;
	if (!isalnum((unsigned char)*at) && *at != '[')
		return 0;
	for (; *at && !strchr(ends, *at); at++)
		if (!isalnum((unsigned char)*at) && !strchr(".-_:[]", *at))
			return 0;
	return 1;
}

/* The scheme ends before the first colon; a slash before it makes it a path. */
static int is_local(const char *uri)
{
	return uri[strcspn(uri, ":/")] != ':';
}

static void check_uri(const struct mb_experiment *experiment, struct mb_errs *errs)
{
	static const char places[] =
		"https://host/path, ssh://host/path, user@host:path, file:///path, or a path of this machine";
	const char *uri = experiment->git.uri, *expected = NULL, *hint = places;

	if (has_control(uri))
		expected = "an address: it holds a control character";
	else if (!*uri || *uri == '-')
		expected = *uri ? "an address: it begins with -" : "an address";
	else if (!strncmp(uri, "https://", 8) || !strncmp(uri, "ssh://", 6)) {
		if (strchr(uri, ' ') || !is_host(strchr(uri, '/') + 2, "/", 0))
			expected = "an address of a host";
		if (strchr(uri, '@'))
			hint = "a password does not belong here, where others can read it: git has credential helpers";
	} else if (!strncmp(uri, "file://", 7)) {
		expected = uri[7] == '/' ? NULL : "an address: a path is absolute after file://";
	} else if (!is_local(uri) && (strstr(uri, "::") || strstr(uri, "://") || !is_host(uri, ":", 1))) {
		expected = "an address of a kind that is taken";
	}
	if (expected)
		complain(experiment, experiment->git.uri_line, errs, "git_uri", uri, expected, hint);
}

/* What a branch or tag may be called is git's to say, but for what it would expand. */
static void check_name(const struct mb_experiment *experiment, const char *key, const char *name, int line,
		       struct mb_errs *errs)
{
	char *whole = mb_textf("refs/heads/%s", name);
	char *const argv[] = {"git", "check-ref-format", whole, NULL};
	struct command command = {.argv = argv, .variables = (char *const *)changes};
	struct mb_err err;

	if (*name == '-' || has_control(name)) {
		complain(experiment, line, errs, key, name,
			 *name == '-' ? "a name: it begins with -" : "a name: it holds a control character",
			 "the name of a branch, tag or commit, as git branch and git tag print it");
	} else if (command_run(&command, &err) < 0 && command.status != 1) {
		mb_err_hint(&err, "git_options needs git: apt-get install git");
		mb_errs_add(errs, &err);
	} else if (command.status) {
		complain(experiment, line, errs, key, name, "a name that git allows",
			 "the name of a branch, tag or commit, as git branch and git tag print it");
	}
	command_release(&command);
	free(whole);
}

void git_check(const struct mb_experiment *experiment, struct mb_errs *errs)
{
	const struct mb_git *git = &experiment->git;
	struct mb_err err;
	char where[512];

	if (!git->uri) {
		if (git->branch || git->version) {
			mb_err_set(&err, MB_EXIT_USAGE, setup_where(experiment, git->line, where),
				   "git_options.git_uri: missing");
			mb_err_hint(&err, "where the repository of that branch or version is");
			mb_errs_add(errs, &err);
		}
		return;
	}
	check_uri(experiment, errs);
	if (git->branch)
		check_name(experiment, "branch", git->branch, git->branch_line, errs);
	if (git->version)
		check_name(experiment, "version", git->version, git->version_line, errs);
	if (git->branch && git->version)
		complain(experiment, git->version_line, errs, "version", git->version, "alone",
			 "keep branch, which start --update follows, or version, a tag or commit");
}

/* ---- running git ---- */

/* git WORDS… in a folder: its status, -1 when it could not be run. The caller releases the command. */
static int git(const struct setup *setup, const char *folder, struct command *command, const char *const *words,
	       struct mb_err *err)
{
	static const char *const always[] = {"git", "-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false",
					     "-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60"};
	const char *argv[32];
	size_t n = 0;

	for (size_t i = 0; i < MB_COUNT(always); i++)
		argv[n++] = always[i];
	for (; *words && n < MB_COUNT(argv) - 1; words++)
		argv[n++] = *words;
	argv[n] = NULL;
	*command = (struct command){.argv = (char *const *)argv, .folder = folder, .environment = setup->environment,
				    .variables = (char *const *)changes, .log = setup->log};
	n = (size_t)command_run(command, err);
	command->argv = NULL; /* it was this function's */
	return n && !command->status ? -1 : command->status;
}

/* The line of the file that git's failure is about, and git's last words. */
static int fail(const struct setup *setup, const struct command *command, enum mb_exit code, const char *what,
		struct mb_err *err)
{
	const struct mb_git *of = &setup->experiment->git;
	char where[512], *words = command_words(command, 6);

	mb_err_set(err, code, setup_where(setup->experiment, of->uri_line, where), "git_options.git_uri: %.300s %s%s%s",
		   of->uri, what, *words ? ": " : "", words);
	free(words);
	return mb_err_hint(err, "all that git said: %.300s", setup->log);
}

static char *address(const struct setup *setup)
{
	const char *uri = setup->experiment->git.uri;

	return is_local(uri) ? mb_path_join(setup->base, uri) : mb_strdup(uri);
}

/* ---- which commit ---- */

static int is_hex(const char *text, size_t least, size_t most)
{
	size_t n = strspn(text, "0123456789abcdef");

	return !text[n] && n >= least && n <= most;
}

static int is_commit(const char *text)
{
	return is_hex(text, 40, 40) || is_hex(text, 64, 64);
}

/* The commit of a ref in the answer of ls-remote, "COMMIT\tREF\n"…; the caller frees. */
static char *find_ref(const struct mb_str *answer, const char *ref)
{
	const char *at = answer->at;
	const size_t n = strlen(ref);

	while (at && *at) {
		const char *tab = strchr(at, '\t'), *end = strchrnul(at, '\n');

		if (tab && tab < end && (size_t)(end - tab - 1) == n && !memcmp(tab + 1, ref, n))
			return mb_textf("%.*s", (int)(tab - at), at);
		at = *end ? end + 1 : end;
	}
	return NULL;
}

/* "; there are: main, v2, …" of what the answer holds below `prefix`. */
static void add_names(struct mb_str *text, const struct mb_str *answer, const char *prefix)
{
	const char *at = answer->at;
	size_t n = 0;

	while (at && *at) {
		const char *tab = strchr(at, '\t'), *end = strchrnul(at, '\n');
		size_t length = tab && tab < end ? (size_t)(end - tab - 1) : 0;

		if (length > strlen(prefix) && !memcmp(tab + 1, prefix, strlen(prefix)) && end[-1] != '}') {
			mb_str_adds(text, !n ? "there are: " : n < MOST_NAMES ? ", " : "");
			if (n < MOST_NAMES)
				mb_str_add(text, tab + 1 + strlen(prefix), length - strlen(prefix));
			n++;
		}
		at = *end ? end + 1 : end;
	}
	if (n > MOST_NAMES)
		mb_str_addf(text, " and %zu more", n - MOST_NAMES);
	if (!n)
		mb_str_adds(text, "there is none at all");
}

static int no_such(struct setup *setup, const char *key, const char *name, int line, const struct mb_str *answer,
		   const char *prefix, struct mb_err *err)
{
	struct mb_str names = {0};
	char where[512];

	add_names(&names, answer, prefix);
	mb_err_set(err, MB_EXIT_USAGE, setup_where(setup->experiment, line, where), "git_options.%s: %.200s is not in %.300s",
		   key, name, setup->experiment->git.uri);
	mb_err_hint(err, "%.400s", names.at);
	mb_str_release(&names);
	return -1;
}

/* Asks the repository: *commit is a whole id, or the beginning of one that only the repository can complete. */
static int resolve(struct setup *setup, char **commit, struct mb_err *err)
{
	const struct mb_git *of = &setup->experiment->git;
	const char *prefix = of->version ? "refs/tags/" : "refs/heads/", *name = of->version ? of->version : of->branch;
	char *uri = address(setup), *ref = name ? mb_textf("%s%s", prefix, name) : mb_strdup("HEAD"), *peeled;
	const char *const words[] = {"ls-remote", "--", uri, NULL};
	struct command command;
	int status = git(setup, NULL, &command, words, err);
	const struct mb_str *answer = &command.out;

	*commit = NULL;
	if (status > 0)
		fail(setup, &command, MB_EXIT_SYSTEM, "cannot be read", err);
	peeled = mb_textf("%s^{}", ref); /* what an annotated tag points to */
	if (!status)
		*commit = find_ref(answer, peeled);
	if (!status && !*commit)
		*commit = find_ref(answer, ref);
	if (!status && !*commit && of->version && is_hex(of->version, LEAST_HEX, 64))
		*commit = mb_strdup(of->version);
	if (!status && !*commit && name)
		no_such(setup, of->version ? "version" : "branch", name, of->version ? of->version_line : of->branch_line,
			answer, prefix, err);
	else if (!status && !*commit)
		fail(setup, &command, MB_EXIT_USAGE, "has no commits", err);
	command_release(&command);
	free(peeled);
	free(ref);
	free(uri);
	return *commit ? 0 : -1;
}

/* ---- fetching ---- */

/* The commit alone where the server gives it out by its id, else all branches and tags. */
static int fetch(struct setup *setup, const char *folder, const char *wanted, struct mb_err *err)
{
	char *uri = address(setup);
	const char *const one[] = {"fetch", "-q", "--depth=1", "--no-tags", "--no-recurse-submodules",
				   "--", uri, wanted, NULL};
	const char *const all[] = {"fetch", "-q", "--no-recurse-submodules", "--", uri,
				   "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*", NULL};
	struct command command = {0};
	int status = is_commit(wanted) ? git(setup, folder, &command, one, err) : 1;

	if (status > 0) {
		command_release(&command);
		status = git(setup, folder, &command, all, err);
	}
	if (status > 0)
		fail(setup, &command, MB_EXIT_SYSTEM, "cannot be fetched", err);
	command_release(&command);
	free(uri);
	return status ? -1 : 0;
}

/* The whole id of what was fetched; the caller frees. */
static char *complete(struct setup *setup, const char *folder, const char *wanted, struct mb_err *err)
{
	const struct mb_git *of = &setup->experiment->git;
	char *name = mb_textf("%s^{commit}", wanted);
	const char *const words[] = {"rev-parse", "--verify", "-q", name, NULL};
	struct command command;
	char where[512], *id = NULL;
	int status = git(setup, folder, &command, words, err);

	if (!status)
		id = mb_textf("%.*s", (int)strcspn(command.out.at, "\n"), command.out.at);
	if (status > 0) {
		mb_err_set(err, MB_EXIT_USAGE, setup_where(setup->experiment, of->version ? of->version_line : of->line, where),
			   "git_options.%s: %.100s is no commit of %.300s", of->version ? "version" : "git_uri", wanted, of->uri);
		mb_err_hint(err, "a tag, or a commit that a branch or tag leads to");
	}
	command_release(&command);
	free(name);
	return id;
}

/* One command of which nothing but its success matters. */
static int step(const struct setup *setup, const char *folder, const char *const *words, const char *what,
		struct mb_err *err)
{
	struct command command;
	int status = git(setup, folder, &command, words, err);

	if (status > 0)
		fail(setup, &command, MB_EXIT_SYSTEM, what, err);
	command_release(&command);
	deploy_step();
	return status ? -1 : 0;
}

/* Into the folder, which is made; *commit becomes the whole id. */
static int check_out(struct setup *setup, const char *folder, char **commit, struct mb_err *err)
{
	const char *const init[] = {"init", "-q", "--template=", "--", folder, NULL};
	const char *checkout[] = {"checkout", "-q", "--detach", NULL, "--", NULL};
	char *whole;

	if (step(setup, NULL, init, "finds no place", err) < 0 || fetch(setup, folder, *commit, err) < 0)
		return -1;
	deploy_step();
	whole = complete(setup, folder, *commit, err);
	if (!whole)
		return -1;
	free(*commit);
	*commit = whole;
	checkout[3] = whole;
	return step(setup, folder, checkout, "cannot be checked out", err);
}

/* What a crash left beside the checkouts. */
static int clean(const char *src, struct mb_err *err)
{
	DIR *dir = opendir(src);
	struct dirent *entry;
	int bad = 0;

	if (!dir)
		return mb_err_errno(err, src, NULL);
	while (!bad && (entry = readdir(dir))) {
		const char *dot = strrchr(entry->d_name, '.');

		if (dot && !strcmp(dot, ".tmp")) {
			char *path = mb_path_join(src, entry->d_name);

			bad = folder_remove_tree(path, err);
			free(path);
		}
	}
	closedir(dir);
	return bad;
}

/* Sees that src/<commit> is there; *commit becomes the whole id. */
static int obtain(struct setup *setup, char **commit, struct mb_err *err)
{
	struct deployment *deployment = setup->deployment;
	char *src = folder_file(deployment, "src"), *place = mb_path_join(src, *commit), *temporary = mb_path_unique(place);
	int bad = -1;

	if (is_commit(*commit) && access(place, F_OK) == 0) {
		bad = 0;
		goto out;
	}
	if (mb_mkdirs(src, err) < 0 || clean(src, err) < 0)
		goto out;
	mb_tool_say(deployment->tool, "%s: fetching %.12s of %s", deployment->name, *commit, setup->experiment->git.uri);
	bad = check_out(setup, temporary, commit, err);
	free(place);
	place = mb_path_join(src, *commit);
	deploy_step();
	if (!bad && access(place, F_OK) < 0 && rename(temporary, place) < 0)
		bad = mb_err_errno(err, place, "rename");
	deploy_step();
	if (access(temporary, F_OK) == 0 && folder_remove_tree(temporary, bad ? &(struct mb_err){0} : err) < 0)
		bad = -1;
out:
	free(temporary);
	free(place);
	free(src);
	return bad;
}

static void forget(struct deployment *deployment)
{
	free(deployment->commit);
	free(deployment->commit_of);
	free(deployment->code);
	deployment->commit = deployment->commit_of = deployment->code = NULL;
}

static char *digest_of(const struct mb_git *git)
{
	struct mb_str text = {0};
	char *digest;

	mb_str_addf(&text, "%s\n%s\n%s", git->uri, git->branch ? git->branch : "", git->version ? git->version : "");
	digest = folder_digest(&text);
	mb_str_release(&text);
	return digest;
}

int git_prepare(struct setup *setup, int newest, struct mb_err *err)
{
	struct deployment *deployment = setup->deployment;
	char *commit = NULL, *of;
	int bad = 0;

	if (!setup->experiment->git.uri) {
		forget(deployment);
		return 0;
	}
	of = digest_of(&setup->experiment->git);
	if (!deployment->commit_of || strcmp(of, deployment->commit_of))
		newest = 1;
	if (deployment->commit && !newest)
		commit = mb_strdup(deployment->commit);
	else
		bad = resolve(setup, &commit, err);
	bad = bad || obtain(setup, &commit, err) < 0;
	if (!bad) {
		forget(deployment);
		deployment->commit = commit;
		deployment->commit_of = of;
		deployment->code = mb_textf("src/%s", commit);
		commit = of = NULL;
	}
	free(commit);
	free(of);
	return bad ? -1 : 0;
}
