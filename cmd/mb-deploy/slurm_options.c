/* SPDX-License-Identifier: MIT
 *
 * sbatch_options: options of sbatch(1) by their long names, held to a list. A value reaches sbatch as one argument and no
 * shell, yet it is held to a safe alphabet too, as it may end up in a site's own scripts.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "slurm.h"

/* Of Slurm 22.05's sbatch(1), what a user may want of a job. */
static const char *const keys[] = {
	"account", "acctg-freq", "bb", "begin", "cluster-constraint", "constraint", "contiguous", "core-spec",
	"cores-per-socket", "cpu-freq", "cpus-per-gpu", "cpus-per-task", "deadline", "delay-boot", "distribution",
	"exclude", "exclusive", "extra-node-info", "gpu-bind", "gpu-freq", "gpus", "gpus-per-node", "gpus-per-socket",
	"gpus-per-task", "gres", "gres-flags", "hint", "licenses", "mail-type", "mail-user", "mcs-label", "mem",
	"mem-bind", "mem-per-cpu", "mem-per-gpu", "mincpus", "network", "nice", "nodelist", "nodes", "ntasks",
	"ntasks-per-core", "ntasks-per-gpu", "ntasks-per-node", "ntasks-per-socket", "overcommit", "oversubscribe",
	"partition", "power", "prefer", "priority", "profile", "propagate", "qos", "reservation", "sockets-per-node",
	"spread-job", "switches", "thread-spec", "threads-per-core", "time", "time-min", "tmp", "use-min-nodes",
	"wckey", NULL};

/* Those that stand alone: yes gives them, no leaves them out. */
static const char *const flags[] = {"contiguous", "exclusive", "overcommit", "oversubscribe", "spread-job",
				    "use-min-nodes", NULL};

static const struct {
	const char *key, *why;
} taken[] = {
	{"array", "one task is one worker: parallel_bandwidth or --workers says how many"},
	{"job-name", "mb-deploy finds its jobs by their name"},
	{"dependency", "mb-deploy chains its jobs by it"},
	{"kill-on-invalid-dep", "mb-deploy chains its jobs by it"},
	{"output", "it is logs/worker-N.log, which mb-deploy logs shows"},
	{"error", "it is logs/worker-N.log, which mb-deploy logs shows"},
	{"input", "a worker reads nothing"},
	{"open-mode", "the links of a chain append to one file"},
	{"signal", "mb-deploy has itself told ahead of the limit; signal_lead of the cluster's profile says when"},
	{"requeue", "a worker that Slurm starts again goes on by itself"},
	{"no-requeue", "a worker that Slurm starts again goes on by itself"},
	{"comment", "mb-deploy says there which link it is"},
	{"chdir", "it is the experiment's folder"},
	{"export", "workers need the environment of mb-deploy start"},
	{"export-file", "workers need the environment of mb-deploy start"},
	{"get-user-env", "workers need the environment of mb-deploy start"},
	{"parsable", "mb-deploy reads the job's number"},
	{"wait", "mb-deploy start returns at once"},
	{"hold", "a held job would never begin"},
	{"test-only", "mb-deploy plan shows what would be submitted"},
	{"wrap", "the job is a worker"},
	{"clusters", "the jobs of a chain belong to one cluster"},
};

static int is_in(const char *const *list, const char *key)
{
	for (; *list; list++)
		if (!strcmp(*list, key))
			return 1;
	return 0;
}

static int is_yes(const char *value)
{
	return !strcasecmp(value, "yes") || !strcasecmp(value, "true") || !strcasecmp(value, "on") || !strcmp(value, "1");
}

static int is_no(const char *value)
{
	return !strcasecmp(value, "no") || !strcasecmp(value, "false") || !strcasecmp(value, "off") || !strcmp(value, "0");
}

/* ---- the check ---- */

static void complain(const struct mb_experiment *experiment, const struct mb_sbatch_option *option, struct mb_errs *errs,
		     const char *what, const char *hint)
{
	char *where = mb_textf("%s:%d", experiment->path, option->line);
	struct mb_str key = {0};
	struct mb_err err;

	mb_str_add_clean(&key, option->key, 60);
	mb_err_set(&err, MB_EXIT_USAGE, where, "sbatch_options.%s: %s", key.at ? key.at : "", what);
	if (hint)
		mb_err_hint(&err, "%s", hint);
	mb_errs_add(errs, &err);
	mb_str_release(&key);
	free(where);
}

static void check_key(const struct mb_experiment *experiment, const struct mb_sbatch_option *option, struct mb_errs *errs)
{
	const char *near = mb_nearest(option->key, keys);
	char *hint = near ? mb_textf("did you mean %s?", near) : NULL;

	for (size_t i = 0; i < MB_COUNT(taken); i++)
		if (!strcmp(taken[i].key, option->key)) {
			complain(experiment, option, errs, "is set by mb-deploy", taken[i].why);
			free(hint);
			return;
		}
	complain(experiment, option, errs, "no option of sbatch that is passed on",
		 hint ? hint : "sbatch(1) has the long names");
	free(hint);
}

static void check_value(const struct mb_experiment *experiment, const struct mb_sbatch_option *option,
			struct mb_errs *errs)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_,.:/=+@%-[]|&*()!";
	struct mb_str shown = {0};
	char *what;
	int64_t seconds;

	mb_str_addf(&shown, "\"");
	mb_str_add_clean(&shown, option->value, 60);
	mb_str_addf(&shown, "\"");
	if (!*option->value || option->value[strspn(option->value, safe)]) {
		what = mb_textf("%s is not one word of letters, digits and _,.:/=+@%%-[]|&*()!", shown.at);
		complain(experiment, option, errs, what, NULL);
		free(what);
	} else if ((!strcmp(option->key, "time") || !strcmp(option->key, "time-min")) &&
		   slurm_seconds(option->value, &seconds) < 0) {
		what = mb_textf("%s is not a time as Slurm writes it", shown.at);
		complain(experiment, option, errs, what, "\"30\" minutes, \"02:30:00\", \"3-00:00:00\"");
		free(what);
	} else if (is_in(flags, option->key) && !is_yes(option->value) && !is_no(option->value) &&
		   strcmp(option->key, "exclusive")) {
		what = mb_textf("%s is not yes or no", shown.at);
		complain(experiment, option, errs, what, NULL);
		free(what);
	}
	mb_str_release(&shown);
}

int sbatch_check(const struct mb_experiment *experiment, const struct profile *profile, struct mb_errs *errs)
{
	const size_t before = errs->n;

	for (size_t i = 0; i < experiment->n_sbatch; i++) {
		const struct mb_sbatch_option *option = &experiment->sbatch[i];

		if (is_in(keys, option->key))
			check_value(experiment, option, errs);
		else
			check_key(experiment, option, errs);
	}
	if (profile->account_required && !profile->account && !sbatch_value(experiment, "account")) {
		struct mb_err err;

		mb_err_set(&err, MB_EXIT_USAGE, experiment->path, "sbatch_options.account: missing: %s asks for one",
			   profile->name);
		mb_err_hint(&err, "sacctmgr show user $USER withassoc lists yours");
		mb_errs_add(errs, &err);
	}
	return errs->n > before ? -1 : 0;
}

/* ---- use ---- */

const char *sbatch_value(const struct mb_experiment *experiment, const char *key)
{
	for (size_t i = 0; i < experiment->n_sbatch; i++)
		if (!strcmp(experiment->sbatch[i].key, key))
			return experiment->sbatch[i].value;
	return NULL;
}

void sbatch_add(const struct mb_experiment *experiment, const struct profile *profile, struct words *words)
{
	if (profile->account && !sbatch_value(experiment, "account"))
		MB_PUSH(words->at, words->n, words->cap, mb_textf("--account=%s", profile->account));
	if (profile->default_partition && !sbatch_value(experiment, "partition"))
		MB_PUSH(words->at, words->n, words->cap, mb_textf("--partition=%s", profile->default_partition));
	for (size_t i = 0; i < experiment->n_sbatch; i++) {
		const struct mb_sbatch_option *option = &experiment->sbatch[i];
		const int is_flag = is_in(flags, option->key);

		if (is_flag && is_no(option->value))
			continue;
		MB_PUSH(words->at, words->n, words->cap,
			is_flag && is_yes(option->value) ? mb_textf("--%s", option->key)
							 : mb_textf("--%s=%s", option->key, option->value));
	}
}

int sbatch_wants_gpu(const struct mb_experiment *experiment)
{
	for (size_t i = 0; i < experiment->n_sbatch; i++) {
		const struct mb_sbatch_option *option = &experiment->sbatch[i];

		if ((!strcmp(option->key, "gres") && strcasestr(option->value, "gpu")) ||
		    (!strncmp(option->key, "gpus", 4) && strcmp(option->value, "0")))
			return 1;
	}
	return 0;
}

int64_t sbatch_limit_s(const struct mb_experiment *experiment, const struct profile *profile)
{
	const char *time = sbatch_value(experiment, "time"), *name = sbatch_value(experiment, "partition");
	const struct partition *partition;
	int64_t seconds;

	if (time && slurm_seconds(time, &seconds) == 0)
		return (seconds + 59) / 60 * 60; /* Slurm counts whole minutes */
	if (!name)
		name = profile->default_partition;
	partition = name ? profile_partition(profile, name) : NULL;
	return partition ? partition->limit_s : 0;
}

/* ---- refusals ---- */

static const struct {
	const char *said;      /* part of what sbatch says */
	const char *keys[4];   /* of these the first that is given is to blame */
	const char *remedy;
} refusals[] = {
	{"artition", {"partition"}, "sinfo -s lists the partitions"},
	{"time limit", {"time", "time-min"}, "scontrol show partition tells the limit, MaxTime"},
	{"Node count", {"nodes"}, "scontrol show partition tells the limit, MaxNodes"},
	{"More processors", {"ntasks", "cpus-per-task", "nodes"}, "sinfo -o '%P %D %c' tells the processors of a node"},
	{"CPU count", {"cpus-per-task", "mincpus", "ntasks-per-node"}, "sinfo -o '%P %c' tells the processors of a node"},
	{"emory", {"mem", "mem-per-cpu", "mem-per-gpu"}, "sinfo -o '%P %m' tells the memory of a node"},
	{"gres", {"gres", "gpus", "gpus-per-node", "gpus-per-task"}, "sinfo -o '%P %G' tells what there is"},
	{"node configuration", {"gres", "gpus", "mem", "cpus-per-task"}, "sinfo -o '%P %c %m %G' tells what a node has"},
	{"node name", {"nodelist", "exclude"}, "sinfo -N lists the nodes"},
	{"eature", {"constraint", "prefer"}, "sinfo -o '%P %f' lists the features"},
	{"eservation", {"reservation"}, "scontrol show reservation lists them"},
	{"ccount", {"account"}, "sacctmgr show user $USER withassoc lists yours"},
	{"QOS", {"qos"}, "sacctmgr show qos lists them and their limits"},
	{"qos", {"qos"}, "sacctmgr show qos lists them and their limits"},
	{"icense", {"licenses"}, "scontrol show licenses lists them"},
	{"job array", {"array"}, "fewer --workers: scontrol show config tells MaxArraySize"},
	{"ubmit", {"qos"}, "the cluster takes so many jobs at once: wait for some to end, or fewer --workers"},
};

/* What it says itself: "--time" in "Invalid --time specification". */
static const struct mb_sbatch_option *named(const struct mb_experiment *experiment, const char *words)
{
	for (size_t i = 0; i < experiment->n_sbatch; i++) {
		char *option = mb_textf("--%s", experiment->sbatch[i].key);
		const char *at = strstr(words, option);
		const int is = at && !isalnum((unsigned char)at[strlen(option)]) && at[strlen(option)] != '-';

		free(option);
		if (is)
			return &experiment->sbatch[i];
	}
	return NULL;
}

static const struct mb_sbatch_option *blamed(const struct mb_experiment *experiment, const char *words,
					     const char **remedy)
{
	*remedy = NULL;
	for (size_t i = 0; i < MB_COUNT(refusals); i++) {
		if (!strstr(words, refusals[i].said))
			continue;
		if (!*remedy)
			*remedy = refusals[i].remedy;
		for (size_t j = 0; j < MB_COUNT(refusals[i].keys) && refusals[i].keys[j]; j++)
			for (size_t k = 0; k < experiment->n_sbatch; k++)
				if (!strcmp(experiment->sbatch[k].key, refusals[i].keys[j])) {
					*remedy = refusals[i].remedy;
					return &experiment->sbatch[k];
				}
	}
	return named(experiment, words);
}

int sbatch_explain(const struct mb_experiment *experiment, const char *file, const char *words, struct mb_err *err)
{
	struct mb_str clean = {0};
	const struct mb_sbatch_option *option;
	const char *remedy;
	char *where, *line = mb_strdup(words), *last = NULL;

	/* "sbatch: error: A\nsbatch: error: B\n": A; B */
	for (char *part = strtok_r(line, "\n", &last); part; part = strtok_r(NULL, "\n", &last)) {
		if (!strncmp(part, "sbatch: ", 8))
			part += 8;
		if (!strncmp(part, "error: ", 7))
			part += 7;
		if (clean.n)
			mb_str_adds(&clean, "; ");
		mb_str_add_clean(&clean, part, 300);
	}
	free(line);
	option = blamed(experiment, words, &remedy);
	if (option) {
		where = mb_textf("%s:%d", file, option->line);
		mb_err_set(err, MB_EXIT_USAGE, where, "sbatch_options.%s: %s: sbatch says: %s", option->key, option->value,
			   clean.at ? clean.at : "nothing");
		free(where);
	} else {
		mb_err_set(err, MB_EXIT_CHILD, NULL, "sbatch refused the job: %s", clean.at ? clean.at : "without a word");
	}
	if (remedy)
		mb_err_hint(err, "%s", remedy);
	mb_str_release(&clean);
	return -1;
}
