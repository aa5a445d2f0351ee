/* SPDX-License-Identifier: MIT
 *
 * The chain of jobs. A link is claimed in the journal, then submitted, then its job's id is noted, all under a lock of its
 * own that the submitting command holds too: who comes next knows that nothing is under way, and looks in the queue for what
 * a crash left unnoted before it submits anything. Should there be two jobs of a link all the same, the workers of one of
 * them find that out and leave (chain_admit).
 */
#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "slurm.h"

enum { SUBMIT_S = 120, RETRY_S = 30, RETRY_MOST_S = 600 };

/* Constant: what differs comes as arguments. By exec the worker is the batch process, which Slurm signals. */
const char chain_script[] = "#!/bin/bash\n"
			    "# Written by mb-deploy: one worker. Arguments: the program, the experiment's folder, the claim.\n"
			    "export MB_DEPLOY_LINK=\"$3\"\n"
			    "exec \"$1\" worker \"$2\"\n";

void words_release(struct words *words)
{
	for (size_t i = 0; i < words->n; i++)
		free(words->at[i]);
	free(words->at);
	*words = (struct words){0};
}

char *chain_name(const struct deployment *deployment)
{
	struct mb_str name = {0};

	mb_str_adds(&name, "mb-");
	for (const char *at = deployment->name; *at && name.n < 60; at++)
		if ((unsigned char)*at < 0x80)
			mb_str_add(&name, at, 1);
	mb_str_addf(&name, "-%.8s", deployment->uuid);
	return mb_str_take(&name);
}

/* ---- the command ---- */

static void add(struct words *words, char *word)
{
	MB_PUSH(words->at, words->n, words->cap, word);
}

/* The signal comes well before the limit, but not so early that a short job does nothing else. */
int64_t chain_lead_s(const struct mb_experiment *experiment, const struct profile *profile)
{
	const int64_t limit_s = sbatch_limit_s(experiment, profile), most = limit_s ? limit_s / 3 : profile->signal_lead_s;

	return profile->signal_lead_s < most ? profile->signal_lead_s : most < 10 ? 10 : most;
}

void chain_command(const struct deployment *deployment, const struct mb_experiment *experiment,
		   const struct profile *profile, int64_t link, int64_t claim, const char *after, struct words *words)
{
	char *name = chain_name(deployment);

	add(words, mb_strdup("sbatch"));
	add(words, mb_strdup("--parsable"));
	add(words, mb_textf("--job-name=%s", name));
	add(words, mb_textf("--comment=mb %s, link %lld", deployment->name, (long long)link));
	add(words, mb_textf("--array=1-%lld", (long long)deployment->workers));
	add(words, mb_textf("--signal=B:USR2@%lld", (long long)chain_lead_s(experiment, profile)));
	add(words, mb_textf("--chdir=%s", deployment->folder));
	add(words, mb_strdup("--output=logs/worker-%a.log"));
	add(words, mb_strdup("--open-mode=append"));
	add(words, mb_strdup("--requeue"));
	add(words, mb_strdup("--export=ALL"));
	if (after) {
		add(words, mb_textf("--dependency=afterany:%s", after));
		add(words, mb_strdup("--kill-on-invalid-dep=yes"));
	}
	sbatch_add(experiment, profile, words);
	add(words, folder_file(deployment, "deploy.sh"));
	add(words, driver_program("mb-deploy"));
	add(words, mb_strdup(deployment->folder));
	add(words, mb_textf("%lld", (long long)claim));
	free(name);
}

/* ---- submitting ---- */

static json_t *about(const char *event, int64_t claim)
{
	json_t *line = json_object();

	mb_json_set(line, "event", json_string(event));
	mb_json_set(line, "claim", json_integer(claim));
	return line;
}

static int note_job(struct deployment *deployment, int64_t claim, const char *job, struct mb_err *err)
{
	json_t *line = about("linked", claim);

	mb_json_set(line, "job", json_string(job));
	return journal_add(&deployment->journal, line, err) < 0 ? -1 : 0;
}

/* Whether Slurm said no; where the connection broke it may have said yes. */
static int is_refusal(const struct said *said)
{
	return said_itself(said) && !strstr(said->err.at, "timed out") && !strstr(said->err.at, "ontact") && !strstr(said->err.at, "onnect");
}

static int submit(struct deployment *deployment, const struct mb_lock *lock, const struct words *words, int64_t claim,
		  const struct mb_experiment *experiment, struct mb_err *err)
{
	char **argv = mb_alloc((words->n + 1) * sizeof *argv);
	struct said said;
	int bad;

	memcpy(argv, words->at, words->n * sizeof *argv);
	bad = slurm_run(&said, argv, SUBMIT_S, lock->fd, err);
	deploy_step();
	if (!bad) {
		said.out.at[strspn(said.out.at, "0123456789")] = '\0'; /* "231", or "231;cluster" */
		bad = note_job(deployment, claim, said.out.at, err);
	} else if (is_refusal(&said)) {
		struct mb_err ignored;
		json_t *line = about("refused", claim);
		json_t *text;

		sbatch_explain(experiment, deployment->source, said.err.at, err);
		text = json_string(err->what);
		mb_json_set(line, "words", text ? text : json_string("sbatch refused the job"));
		journal_add(&deployment->journal, line, &ignored);
	}
	said_release(&said);
	free(argv);
	return bad;
}

/* Claims link `number` and submits it. Under the chain's lock. */
static int queue_link(struct deployment *deployment, const struct mb_lock *lock, int64_t number, int64_t of,
		      const char *after, const struct standing *standing, struct mb_err *err)
{
	struct mb_errs errs = {0};
	struct profile *profile = profile_read(standing->experiment->cluster, &errs);
	char *script = folder_file(deployment, "deploy.sh");
	json_t *line = json_object();
	struct words words = {0};
	int64_t claim;
	int bad = -1;

	if (!profile)
		*err = errs.at[0];
	mb_json_set(line, "event", json_string("link"));
	mb_json_set(line, "link", json_integer(number));
	mb_json_set(line, "of", json_integer(of));
	mb_json_set(line, "workers", json_integer(deployment->workers));
	mb_json_set(line, "done", json_integer(standing->completed + standing->failed));
	if (!profile || slurm_ping(err) < 0 ||
	    mb_file_replace(script, chain_script, strlen(chain_script), 0, err) < 0) {
		json_decref(line);
		goto out;
	}
	claim = journal_add(&deployment->journal, line, err);
	if (claim < 0)
		goto out;
	chain_command(deployment, standing->experiment, profile, number, claim, after, &words);
	bad = submit(deployment, lock, &words, claim, standing->experiment, err);
out:
	words_release(&words);
	profile_free(profile);
	mb_errs_release(&errs);
	free(script);
	return bad;
}

/* ---- what a crash left ---- */

static int is_known(const struct journal *journal, const char *job)
{
	for (size_t i = 0; i < journal->n_links; i++)
		if (journal->links[i].job && !strcmp(journal->links[i].job, job))
			return 1;
	return 0;
}

/* The last link was claimed and nobody noted its job: looks for it in the queue. 1 when it was found, 0 when there is none,
 * -1 when Slurm cannot be asked. */
static int resolve(struct deployment *deployment, const struct link *link, struct mb_err *err)
{
	char *name = chain_name(deployment), *job = NULL;
	struct queue queue;
	int found = 0;

	queue_read(&queue, 1);
	if (queue.down)
		found = mb_err_set(err, MB_EXIT_SYSTEM, NULL, "%s", queue.down);
	for (size_t i = 0; !found && i < queue.n; i++)
		if (!strcmp(queue.tasks[i].name, name) && !is_known(&deployment->journal, queue.tasks[i].job)) {
			job = mb_strdup(queue.tasks[i].job);
			found = note_job(deployment, link->claim, job, err) < 0 ? -1 : 1;
		}
	queue_release(&queue);
	free(job);
	free(name);
	return found;
}

static int lock_chain(struct deployment *deployment, struct mb_lock *lock, struct mb_err *err)
{
	char *path = folder_file(deployment, "deploy.chain");
	int bad = mb_lock_open(lock, path, getenv("MB_LOCK"), err) < 0 || mb_lock_take(lock, err) < 0 ||
		  journal_update(&deployment->journal, err) < 0;

	free(path);
	return bad ? -1 : 0;
}

static void unlock_chain(struct mb_lock *lock)
{
	mb_lock_drop(lock);
	mb_lock_close(lock);
}

int chain_begin(struct deployment *deployment, int64_t of, int64_t *made, struct mb_err *err)
{
	struct mb_lock lock = {.fd = -1};
	struct standing standing = {0};
	const struct link *last;
	int status = -1;

	*made = 0;
	if (lock_chain(deployment, &lock, err) == 0 && standing_read(&standing, deployment, err) == 0) {
		last = journal_link(&deployment->journal, (int64_t)deployment->journal.n_links);
		status = last && !last->job && !last->refused && last->claim > deployment->journal.kill
				 ? resolve(deployment, last, err)
				 : 0;
		if (status == 0) {
			int64_t again = last && !last->job ? last->number : (int64_t)deployment->journal.n_links + 1;

			status = queue_link(deployment, &lock, again, of, NULL, &standing, err);
		}
		*made = deployment->workers;
	}
	standing_release(&standing);
	unlock_chain(&lock);
	return status < 0 ? -1 : 0;
}

void chain_settle(struct deployment *deployment)
{
	struct mb_lock lock = {.fd = -1};
	struct mb_err err;

	if (lock_chain(deployment, &lock, &err) < 0)
		mb_tool_fail(deployment->tool, &err);
	unlock_chain(&lock);
}

/* ---- going on ---- */

/* Number of the first link of the same start. */
static int64_t first_of(const struct journal *journal, const struct link *link)
{
	int64_t first = link->number;

	while (first > 1 && journal->links[first - 2].of == link->of)
		first--;
	return first;
}

/* Whether the chain has another link. A chain whose last two links brought no observation ends by itself: what fails
 * each time would go on for ever. */
static int goes_on(struct deployment *deployment, const struct link *link, const struct standing *standing,
		   enum moment moment)
{
	struct journal *journal = &deployment->journal;
	const int64_t within = link->number - first_of(journal, link) + 1, done = standing->completed + standing->failed;
	const int64_t wanted = standing->experiment->number_chain_jobs;
	const struct link *before = moment == MOMENT_END ? link : journal_link(journal, link->number - 1);

	if (wanted)
		return within < wanted;
	if (within < (moment == MOMENT_END ? 2 : 3) || done > before->done)
		return 1;
	if (moment != MOMENT_MEANWHILE)
		mb_tool_warn(deployment->tool,
			     "no job is queued after this one: the last two brought no observation (mb-deploy continue %s "
			     "goes on all the same; experiment.number_chain_jobs says how many jobs there may be)",
			     deployment->name);
	return 0;
}

/* Whether the next link is queued, or it is too early to try again. */
static int is_settled(const struct link *next, enum moment moment)
{
	double wait_s = RETRY_S;

	if (!next)
		return 0;
	if (next->job)
		return 1;
	for (int64_t i = 1; i < next->claims && wait_s < RETRY_MOST_S; i++)
		wait_s *= 2;
	return moment != MOMENT_END && mb_clock_now_s() < next->at_s + wait_s;
}

/* Nothing that waits is needed any more. */
static void drop_waiting(struct deployment *deployment, const struct link *link)
{
	char *name = chain_name(deployment), *option = mb_textf("--name=%s", name);
	char *const argv[] = {"scancel", "--quiet", "--state=PENDING", option, NULL};
	struct said said;
	struct mb_err err;

	if (link->over)
		goto out;
	if (journal_add(&deployment->journal, about("over", link->claim), &err) < 0 || slurm_ping(&err) < 0)
		mb_tool_fail(deployment->tool, &err);
	else {
		if (slurm_run(&said, argv, SUBMIT_S, -1, &err) < 0)
			mb_tool_fail(deployment->tool, &err);
		said_release(&said);
	}
out:
	free(option);
	free(name);
}

/* Under the chain's lock. */
static int extend(struct deployment *deployment, const struct mb_lock *lock, int64_t number, enum moment moment,
		  struct mb_err *err)
{
	struct journal *journal = &deployment->journal;
	const struct link *link = journal_link(journal, number), *next = journal_link(journal, number + 1);
	struct standing standing = {0};
	int status = 0;

	if (!link || journal->kill > link->claim || journal->delete_open ||
	    (moment != MOMENT_END && is_settled(next, moment)))
		return 0;
	if (standing_read(&standing, deployment, err) < 0) {
		status = -1;
	} else if (standing_is_over(&standing)) {
		drop_waiting(deployment, link);
	} else if (!is_settled(next, moment) && goes_on(deployment, link, &standing, moment)) {
		char *after = mb_strdup(link->job ? link->job : "");

		if (next && !next->refused)
			status = resolve(deployment, next, err);
		if (status == 0)
			status = queue_link(deployment, lock, number + 1, link->of, *after ? after : NULL, &standing, err);
		free(after);
	}
	standing_release(&standing);
	return status;
}

void chain_go_on(struct deployment *deployment, int64_t number, enum moment moment)
{
	struct mb_lock lock = {.fd = -1};
	struct mb_err err;

	if (journal_update(&deployment->journal, &err) == 0 &&
	    moment != MOMENT_END && is_settled(journal_link(&deployment->journal, number + 1), moment))
		return;
	if (lock_chain(deployment, &lock, &err) < 0 || extend(deployment, &lock, number, moment, &err) < 0)
		mb_tool_fail(deployment->tool, &err);
	unlock_chain(&lock);
}
