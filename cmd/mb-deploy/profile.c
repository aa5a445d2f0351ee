/* SPDX-License-Identifier: MIT
 *
 * Where a profile is found, and what it says. One table of keys, as for the experiment file: whatever is not in it is
 * a mistake, named with file, line and the nearest key.
 */
#include "profile.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* ---- reading ---- */

struct reader {
	const char *path;
	struct mb_errs *errs;
};

struct key;
typedef void read_key(struct reader *reader, const struct mb_yaml *node, const struct key *key, void *to);

struct key {
	const char *name;
	read_key *read;
	size_t offset;
	int64_t min, max; /* of an integer */
};

static void complain(struct reader *reader, const struct mb_yaml *node, int line, const char *hint, const char *fmt,
		     ...)
{
	struct mb_str what = {0};
	struct mb_err err;
	char words[600];
	va_list args;

	if (node->bad)
		return; /* said when it was parsed */
	va_start(args, fmt);
	vsnprintf(words, sizeof words, fmt, args);
	va_end(args);
	mb_yaml_path(node, &what);
	mb_str_addf(&what, "%s%s", what.n ? ": " : "", words);
	mb_err_set(&err, MB_EXIT_USAGE, NULL, "%s", what.at);
	mb_yaml_where(&err, reader->path, line);
	if (hint)
		mb_err_hint(&err, "%s", hint);
	mb_errs_add(reader->errs, &err);
	mb_str_release(&what);
}

/* "path: VALUE is not EXPECTED". */
static void wrong(struct reader *reader, const struct mb_yaml *node, const char *expected)
{
	struct mb_str value = {0};

	mb_yaml_show(node, &value);
	complain(reader, node, node->line, NULL, "%s is not %s", value.n ? value.at : "what is here", expected);
	mb_str_release(&value);
}

static void read_keys(struct reader *reader, const struct mb_yaml *map, const struct key *keys, void *to)
{
	const char *names[32] = {NULL}, *near;
	char hint[120];

	if (map->kind != MB_YAML_MAP) {
		wrong(reader, map, "a mapping (key: value)");
		return;
	}
	for (size_t i = 0; keys[i].name; i++)
		names[i] = keys[i].name;
	for (const struct mb_yaml *node = map->first; node; node = node->next) {
		const struct key *key = keys;

		while (key->name && strcmp(key->name, node->key))
			key++;
		near = key->name ? NULL : mb_nearest(node->key, names);
		snprintf(hint, sizeof hint, near ? "did you mean %s?" : "mb-cluster(5) lists the keys", near);
		if (!key->name)
			complain(reader, node, node->key_line, hint, "unknown key");
		else if (!mb_yaml_is_null(node))
			key->read(reader, node, key, (char *)to + key->offset);
	}
}

/* A text of one line; it may become an argument of a program, so it begins with no hyphen. */
static void read_text(struct reader *reader, const struct mb_yaml *node, const struct key *key, void *to)
{
	(void)key;
	if (node->kind != MB_YAML_SCALAR || !*node->text) {
		wrong(reader, node, "a text");
		return;
	}
	for (const char *at = node->text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7F) {
			wrong(reader, node, "a text of one line");
			return;
		}
	if (*node->text == '-') {
		wrong(reader, node, "a text that may be an argument: it begins with -");
		return;
	}
	free(*(char **)to);
	*(char **)to = mb_strdup(node->text);
}

static void read_int(struct reader *reader, const struct mb_yaml *node, const struct key *key, void *to)
{
	char expected[80];
	int64_t value;

	snprintf(expected, sizeof expected, "an integer from %lld to %lld", (long long)key->min, (long long)key->max);
	if (mb_yaml_int(node, &value) < 0 || value < key->min || value > key->max)
		wrong(reader, node, expected);
	else
		*(int64_t *)to = value;
}

static void read_bool(struct reader *reader, const struct mb_yaml *node, const struct key *key, void *to)
{
	(void)key;
	if (mb_yaml_bool(node, to) < 0)
		wrong(reader, node, "true or false");
}

static void read_limit(struct reader *reader, const struct mb_yaml *node, const struct key *key, void *to)
{
	int64_t seconds;

	(void)key;
	if (node->kind != MB_YAML_SCALAR || slurm_seconds(node->text, &seconds) < 0 || !seconds)
		wrong(reader, node, "a time as Slurm writes it (\"30\" minutes, \"72:00:00\", \"3-00:00:00\")");
	else
		*(int64_t *)to = seconds;
}

static void read_lock(struct reader *reader, const struct mb_yaml *node, const struct key *key, void *to)
{
	if (node->kind != MB_YAML_SCALAR || (strcmp(node->text, "ofd") && strcmp(node->text, "link")))
		wrong(reader, node, "ofd or link");
	else
		read_text(reader, node, key, to);
}

/* It becomes a printf format of its own kind: one %d, where the number stands. */
static void read_gres(struct reader *reader, const struct mb_yaml *node, const struct key *key, void *to)
{
	const char *percent = node->kind == MB_YAML_SCALAR ? strchr(node->text, '%') : NULL;

	if (!percent || percent[1] != 'd' || strchr(percent + 1, '%'))
		wrong(reader, node, "a text with one %d, where the number of GPUs stands (\"gpu:%d\")");
	else
		read_text(reader, node, key, to);
}

static const struct key partition_keys[] = {
	{"name", read_text, offsetof(struct partition, name)},
	{"limit", read_limit, offsetof(struct partition, limit_s)},
	{"most_nodes", read_int, offsetof(struct partition, most_nodes), 1, 1000000},
	{"gpus_a_node", read_int, offsetof(struct partition, gpus_a_node), 0, 1024},
	{0},
};

static void read_partitions(struct reader *reader, const struct mb_yaml *node, const struct key *key, void *to)
{
	struct profile *profile = to;

	(void)key;
	if (node->kind != MB_YAML_LIST) {
		wrong(reader, node, "a list of partitions (- {name: dev, limit: \"30\"})");
		return;
	}
	profile->partitions = mb_alloc((node->n + 1) * sizeof *profile->partitions);
	for (const struct mb_yaml *item = node->first; item; item = item->next) {
		struct partition *partition = &profile->partitions[profile->n_partitions++];

		read_keys(reader, item, partition_keys, partition);
		if (item->kind == MB_YAML_MAP && !mb_yaml_get(item, "name"))
			complain(reader, item, item->line, NULL, "name: missing");
	}
}

#define AT(field) offsetof(struct profile, field)

static const struct key workspace_keys[] = {
	{"command", read_text, AT(workspace_command)},
	{"days", read_int, AT(workspace_days), 1, 3650},
	{"filesystem", read_text, AT(workspace_filesystem)},
	{0},
};

static void read_workspace(struct reader *reader, const struct mb_yaml *node, const struct key *key, void *to)
{
	(void)key;
	read_keys(reader, node, workspace_keys, to);
}

static const struct key profile_keys[] = {
	{"about", read_text, AT(about)},
	{"partitions", read_partitions},
	{"default_partition", read_text, AT(default_partition)},
	{"gres", read_gres, AT(gres)},
	{"account", read_text, AT(account)},
	{"account_required", read_bool, AT(account_required)},
	{"module_init", read_text, AT(module_init)},
	{"conda_init", read_text, AT(conda_init)},
	{"workspace", read_workspace},
	{"node_folder", read_text, AT(node_folder)},
	{"lock", read_lock, AT(lock)},
	{"signal_lead", read_int, AT(signal_lead_s), 10, 86400},
	{"most_jobs", read_int, AT(most_jobs), 1, 1000000},
	{0},
};

static struct profile *profile_new(void)
{
	struct profile *profile = mb_alloc(sizeof *profile);

	profile->name = mb_strdup("generic");
	profile->about = mb_strdup("any cluster");
	profile->workspace_command = mb_strdup("ws_");
	profile->workspace_days = 30;
	profile->signal_lead_s = 120;
	return profile;
}

static struct profile *read_file(const char *path, struct mb_errs *errs)
{
	struct reader reader = {path, errs};
	const char *name = mb_path_name(path);
	struct profile *profile = NULL;
	struct mb_yaml *root = NULL;
	struct mb_str text = {0};
	const size_t before = errs->n;
	struct mb_err err;

	if (mb_file_read(path, MB_YAML_BYTES, &text, &err) < 0)
		mb_errs_add(errs, &err);
	else
		root = mb_yaml_parse(text.at, text.n, path, errs);
	if (root) {
		profile = profile_new();
		profile->path = mb_strdup(path);
		free(profile->name);
		profile->name = mb_textf("%.*s", (int)(strlen(name) - strlen(".yaml")), name);
		read_keys(&reader, root, profile_keys, profile);
	}
	if (errs->n > before) {
		profile_free(profile);
		profile = NULL;
	}
	mb_yaml_free(root);
	mb_str_release(&text);
	return profile;
}

/* ---- finding ---- */

/* The file NAME.yaml of that folder, without regard to case, exactly that one first; NULL when there is none. By a
 * look into the folder, so that a name that holds slashes leads nowhere. */
static char *find_in(const char *folder, const char *name)
{
	DIR *dir = opendir(folder);
	char *file = mb_textf("%s.yaml", name), *best = NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (strcasecmp(entry->d_name, file))
			continue;
		if (!best || !strcmp(entry->d_name, file) ||
		    (strcmp(best, file) && strcmp(entry->d_name, best) < 0)) {
			free(best);
			best = mb_strdup(entry->d_name);
		}
	}
	if (dir)
		closedir(dir);
	free(file);
	file = best ? mb_path_join(folder, best) : NULL;
	free(best);
	return file;
}

static char *find_own(const char *name)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *folder = NULL, *path;

	if (config && *config == '/')
		folder = mb_path_join(config, "mb/clusters");
	else if (home && *home)
		folder = mb_path_join(home, ".config/mb/clusters");
	path = folder ? find_in(folder, name) : NULL;
	free(folder);
	return path;
}

/* Where this program was installed, or built. */
static char *find_shared(const char *name)
{
	static const char *const places[] = {"../share/mb/clusters", "../share/clusters", "../../share/clusters"};
	char self[PATH_MAX], *folder, *below, *path = NULL;
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	if (n <= 0)
		return NULL;
	self[n] = '\0';
	folder = mb_path_dir(self);
	for (size_t i = 0; i < MB_COUNT(places) && !path; i++) {
		below = mb_path_join(folder, places[i]);
		path = find_in(below, name);
		free(below);
	}
	free(folder);
	return path;
}

static char *find(const char *name)
{
	char *path = find_own(name);

	return path ? path : find_shared(name);
}

struct profile *profile_read(const char *name, struct mb_errs *errs)
{
	char *path = name ? find(name) : NULL;
	const int is_fallback = name && !path && strcasecmp(name, "generic");
	struct profile *profile;

	if (!path)
		path = find("generic");
	profile = path ? read_file(path, errs) : profile_new();
	if (profile)
		profile->is_fallback = is_fallback;
	free(path);
	return profile;
}

struct profile *profile_of(struct mb_tool *tool, const struct mb_experiment *experiment, int says)
{
	struct mb_errs errs = {0};
	struct profile *profile = profile_read(experiment->cluster, &errs);

	for (size_t i = 0; i < errs.n; i++)
		mb_tool_fail(tool, &errs.at[i]);
	mb_errs_release(&errs);
	if (profile && says && profile->is_fallback && strcasecmp(experiment->cluster, "local"))
		mb_tool_say(tool,
			    "%s:%d: experiment.cluster: no profile of the name %s: generic serves (mb-cluster(5) tells "
			    "how to write one)",
			    experiment->path, experiment->cluster_line, experiment->cluster);
	return profile;
}

void profile_free(struct profile *profile)
{
	if (!profile)
		return;
	for (size_t i = 0; i < profile->n_partitions; i++)
		free(profile->partitions[i].name);
	free(profile->partitions);
	free(profile->name);
	free(profile->about);
	free(profile->path);
	free(profile->default_partition);
	free(profile->gres);
	free(profile->account);
	free(profile->module_init);
	free(profile->conda_init);
	free(profile->workspace_command);
	free(profile->workspace_filesystem);
	free(profile->node_folder);
	free(profile->lock);
	free(profile);
}

/* ---- what it says ---- */

const struct partition *profile_partition(const struct profile *profile, const char *name)
{
	for (size_t i = 0; i < profile->n_partitions; i++)
		if (!strcmp(profile->partitions[i].name, name))
			return &profile->partitions[i];
	return NULL;
}

char *profile_gres(const struct profile *profile, int64_t gpus)
{
	const char *percent = profile->gres ? strchr(profile->gres, '%') : NULL;

	return percent ? mb_textf("%.*s%lld%s", (int)(percent - profile->gres), profile->gres, (long long)gpus,
				  percent + 2)
		       : NULL;
}

void profile_set_lock(const struct profile *profile)
{
	if (profile->lock)
		setenv("MB_LOCK", profile->lock, 0);
}

/* Digits up to `*at`'s next other character; at most 1e6. -1 when there are none. */
static int64_t take_number(const char **at)
{
	int64_t value = 0;
	const char *begin = *at;

	for (; **at >= '0' && **at <= '9'; (*at)++)
		if ((value = value * 10 + (**at - '0')) > 1000000)
			return -1;
	return *at > begin ? value : -1;
}

int slurm_seconds(const char *text, int64_t *seconds)
{
	int64_t days = 0, parts[3] = {0};
	int n = 0, has_days = 0;
	const char *at = text;

	for (;;) {
		int64_t value = take_number(&at);

		if (value < 0 || n == 3)
			return -1;
		if (*at == '-' && !n && !has_days) {
			days = value;
			has_days = 1;
		} else {
			parts[n++] = value;
			if (!*at)
				break;
			if (*at != ':')
				return -1;
		}
		at++;
	}
	if (has_days || n == 3) /* hours first */
		*seconds = days * 86400 + parts[0] * 3600 + parts[1] * 60 + parts[2];
	else
		*seconds = parts[0] * 60 + parts[1];
	return 0;
}
