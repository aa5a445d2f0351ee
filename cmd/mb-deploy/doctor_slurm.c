/* SPDX-License-Identifier: MIT
 *
 * What a search asks of Slurm: its commands, a controller that answers, a partition that takes such jobs, and locks
 * that hold between nodes. Nothing is submitted, but with --nodes one short job of two nodes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "doctor.h"
#include "slurm.h"

enum { ASK_S = 20, NODES_S = 540, NODES = 2 };

static int look_at_commands(struct doctor *doctor)
{
	static const char *const names[] = {"sbatch", "squeue", "scancel", "scontrol"};
	struct mb_str missing = {0};
	int there;

	for (size_t i = 0; i < MB_COUNT(names); i++) {
		char *path = command_find(names[i]);

		if (!path)
			mb_str_addf(&missing, " %s", names[i]);
		free(path);
	}
	there = !missing.n;
	if (there)
		doctor_add(doctor, FINDING_OK, "slurm", NULL, "its commands are there");
	else
		doctor_add(doctor, FINDING_PROBLEM, "slurm",
			   "this must be typed on a machine of the cluster; --on local needs none",
			   "not found in PATH:%s", missing.at);
	mb_str_release(&missing);
	return there;
}

static int look_at_controller(struct doctor *doctor)
{
	struct mb_err err;
	int bad = slurm_ping(&err);

	if (bad)
		doctor_add_err(doctor, "controller", &err);
	else
		doctor_add(doctor, FINDING_OK, "controller", NULL, "answers");
	return !bad;
}

/* The value of KEY=VALUE among the words of a line; the caller frees; NULL: none. */
static char *value_in(const char *text, const char *key)
{
	const size_t n = strlen(key);

	for (const char *at = text; at && *at; at += strcspn(at, " \n"), at += strspn(at, " \n"))
		if (!strncmp(at, key, n) && at[n] == '=')
			return mb_textf("%.*s", (int)strcspn(at + n + 1, " \n"), at + n + 1);
	return NULL;
}

/* The line of the partition that jobs go to: the one that is named, else the cluster's default. */
static char *partition_line(const char *name, struct mb_err *err)
{
	char *const argv[] = {(char *)"scontrol", (char *)"-o", (char *)"show", (char *)"partition", (char *)name,
			      NULL};
	struct said said;
	char *line = NULL;

	if (slurm_run(&said, argv, ASK_S, -1, err) == 0)
		for (const char *at = said.out.at; at && *at && !line; at += strcspn(at, "\n"), at += *at == '\n') {
			char *is_default;

			line = mb_textf("%.*s", (int)strcspn(at, "\n"), at);
			is_default = value_in(line, "Default");
			if (!name && (!is_default || strcmp(is_default, "YES"))) {
				free(line);
				line = NULL;
			}
			free(is_default);
		}
	if (!line && said.status == 0) {
		mb_err_set(err, MB_EXIT_SYSTEM, NULL, "the cluster has no default partition");
		mb_err_hint(err, "sbatch_options: {partition: …}; sinfo lists them");
	}
	said_release(&said);
	return line;
}

static void look_at_partition(struct doctor *doctor)
{
	const struct mb_experiment *experiment = doctor->experiment;
	const char *name = experiment ? sbatch_value(experiment, "partition") : NULL;
	const int64_t wanted_s = experiment ? sbatch_limit_s(experiment, doctor->profile) : 0;
	char *line, *proper, *most, *state;
	const struct partition *known;
	int64_t most_s = 0;
	struct mb_err err;

	if (!name)
		name = doctor->profile->default_partition;
	line = name && strchr(name, ',') ? NULL : partition_line(name, &err);
	if (!line) {
		if (name && strchr(name, ','))
			doctor_add(doctor, FINDING_NOTE, "partition", NULL, "%s: several, not looked at one by one",
				   name);
		else {
			if (!*err.hint)
				mb_err_hint(&err, "sbatch_options.partition; sinfo lists the partitions");
			doctor_add_err(doctor, "partition", &err);
		}
		return;
	}
	proper = value_in(line, "PartitionName");
	most = value_in(line, "MaxTime");
	state = value_in(line, "State");
	if (most)
		(void)slurm_seconds(most, &most_s);
	known = proper ? profile_partition(doctor->profile, proper) : NULL;
	if (state && strcmp(state, "UP"))
		doctor_add(doctor, FINDING_PROBLEM, "partition", "sinfo lists those that are up", "%s is %s", proper,
			   state);
	else if (most_s && wanted_s > most_s)
		doctor_add(doctor, FINDING_PROBLEM, "partition",
			   "sbatch_options.time; a chain of jobs goes on where one ends",
			   "%s takes jobs of %s at most, and %lld min are asked for", proper, most,
			   (long long)(wanted_s / 60));
	else if (known && known->limit_s && most_s && known->limit_s != most_s)
		doctor_add(doctor, FINDING_NOTE, "partition", "change limit in the cluster's profile",
			   "%s takes jobs of %s, the profile says %lld min", proper, most,
				   (long long)(known->limit_s / 60));
	else
		doctor_add(doctor, FINDING_OK, "partition", NULL, "%s, jobs of %s at most", proper, most
			   ? most : "any length");
	free(state);
	free(most);
	free(proper);
	free(line);
}

/* What sbatch would say to such a job, which is not made. */
static void look_at_options(struct doctor *doctor)
{
	struct words words = {0};
	struct mb_errs errs = {0};
	struct mb_err err;
	struct said said;

	if (!doctor->experiment)
		return;
	if (sbatch_check(doctor->experiment, doctor->profile, &errs) < 0 || errs.n) {
		for (size_t i = 0; i < errs.n; i++)
			doctor_add_err(doctor, "options", &errs.at[i]);
		mb_errs_release(&errs);
		return;
	}
	MB_PUSH(words.at, words.n, words.cap, mb_strdup("sbatch"));
	MB_PUSH(words.at, words.n, words.cap, mb_strdup("--test-only"));
	sbatch_add(doctor->experiment, doctor->profile, &words);
	MB_PUSH(words.at, words.n, words.cap, mb_strdup("--wrap=true"));
	MB_PUSH(words.at, words.n, words.cap, NULL);
	if (slurm_run(&said, words.at, ASK_S, -1, &err) == 0) {
		doctor_add(doctor, FINDING_OK, "options", NULL, "%.*s", (int)strcspn(said.err.at, "\n"), said.err.at);
	} else {
		sbatch_explain(doctor->experiment, doctor->experiment->path, said.err.at, &err);
		doctor_add_err(doctor, "options", &err);
	}
	said_release(&said);
	words.n--;
	words_release(&words);
	mb_errs_release(&errs);
}

/* ---- two nodes ---- */

static void add_option(struct words *words, const struct doctor *doctor, const char *key)
{
	const char *value = doctor->experiment ? sbatch_value(doctor->experiment, key) : NULL;

	if (!value && !strcmp(key, "account"))
		value = doctor->profile->account;
	if (!value && !strcmp(key, "partition"))
		value = doctor->profile->default_partition;
	if (value)
		MB_PUSH(words->at, words->n, words->cap, mb_textf("--%s=%s", key, value));
}

/* 1 when locks of that kind exclude, 0 when not, -1 when the job could not be run, with err. */
static int count_on_nodes(const struct doctor *doctor, const char *folder, const char *kind, struct mb_err *err)
{
	static const char *const given[] = {"partition", "account", "qos", "reservation"};
	char *path = mb_textf("%s/%s", folder, kind);
	struct words words = {0};
	int64_t sum, meant;
	struct said said;
	int bad;

	MB_PUSH(words.at, words.n, words.cap, mb_strdup("srun"));
	MB_PUSH(words.at, words.n, words.cap, mb_textf("--nodes=%d", NODES));
	MB_PUSH(words.at, words.n, words.cap, mb_strdup("--ntasks-per-node=1"));
	MB_PUSH(words.at, words.n, words.cap, mb_strdup("--time=2"));
	for (size_t i = 0; i < MB_COUNT(given); i++)
		add_option(&words, doctor, given[i]);
	MB_PUSH(words.at, words.n, words.cap, mb_strdup("env"));
	MB_PUSH(words.at, words.n, words.cap, mb_textf("MB_DEPLOY_COUNT=%s:%s", kind, path));
	MB_PUSH(words.at, words.n, words.cap, driver_program("mb-deploy"));
	MB_PUSH(words.at, words.n, words.cap, mb_strdup("doctor"));
	MB_PUSH(words.at, words.n, words.cap, NULL);
	bad = slurm_run(&said, words.at, NODES_S, -1, err);
	said_release(&said);
	words.n--;
	words_release(&words);
	bad = bad ? -1 : doctor_counted(path, NODES, &sum, &meant);
	free(path);
	return bad;
}

static void look_at_nodes(struct doctor *doctor)
{
	char *whole = realpath(doctor->folder, NULL), *wanted = mb_path_join(whole ? whole : ".", ".mb-doctor");
	char *folder = mb_path_unique(wanted);
	struct mb_err err, ignored;
	int ofd = -1, link = -1;

	if (mkdir(folder, 0700) == 0) {
		ofd = count_on_nodes(doctor, folder, "ofd", &err);
		link = ofd < 0 ? -1 : count_on_nodes(doctor, folder, "link", &err);
		folder_remove_tree(folder, &ignored);
	} else {
		mb_err_errno(&err, folder, "mkdir");
	}
	if (ofd < 0 || link < 0)
		doctor_add_err(doctor, "nodes", &err);
	else if (ofd && link)
		doctor_add(doctor, FINDING_OK, "nodes", NULL,
			   "byte-range locks and link(2) exclude, between two nodes");
	else if (link && doctor->profile->lock && !strcmp(doctor->profile->lock, "link"))
		doctor_add(doctor, FINDING_OK, "nodes", NULL,
			   "link(2) locks exclude, and the profile has lock: link");
	else if (link)
		doctor_add(doctor, FINDING_PROBLEM, "nodes", "lock: link in the cluster's profile takes what works",
			   "byte-range locks do not exclude between two nodes, link(2) locks do");
	else
		doctor_add(doctor, FINDING_PROBLEM, "nodes", "use a folder of another file system",
			   "link(2) locks do not exclude between two nodes%s",
				   ofd ? "" : ", nor do byte-range locks");
	free(folder);
	free(wanted);
	free(whole);
}

void doctor_slurm(struct doctor *doctor)
{
	const struct profile *profile = doctor->profile;

	if (!look_at_commands(doctor) || !look_at_controller(doctor))
		return;
	look_at_partition(doctor);
	if (profile->account_required && !profile->account && doctor->experiment &&
	    !sbatch_value(doctor->experiment, "account"))
		doctor_add(doctor, FINDING_PROBLEM, "account",
			   "sbatch_options.account, or account in a profile of your own",
			   "%s wants one", profile->name);
	look_at_options(doctor);
	if (doctor->nodes)
		look_at_nodes(doctor);
}
