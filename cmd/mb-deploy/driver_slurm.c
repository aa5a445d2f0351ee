/* SPDX-License-Identifier: MIT
 *
 * Workers as tasks of Slurm's job arrays, one array a link of a chain (slurm.h). What is known of them is in the journal;
 * Slurm is asked for what no file can tell: why a job waits, and that one is gone without a word.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "slurm.h"

enum { STOP_S = 60 }; /* what Slurm may take to end a job by force: KillWait is 30 s mostly */

/* ---- before anything ---- */

static int slurm_check(struct mb_tool *tool, const struct mb_experiment *experiment, struct mb_errs *errs)
{
	struct profile *profile = profile_of(tool, experiment, 0);
	int bad = profile ? sbatch_check(experiment, profile, errs) : -1;

	profile_free(profile);
	return bad;
}

/* The built-in network trains any number of trials on a GPU together; a job of one's own gets a GPU for itself. */
static int64_t slurm_workers(const struct mb_experiment *experiment, int64_t wanted, struct mb_err *err)
{
	struct mb_errs errs = {0};
	struct profile *profile = profile_read(experiment->cluster, &errs);
	int64_t workers = experiment->parallel_bandwidth;

	if (wanted > workers) {
		mb_err_set(err, MB_EXIT_USAGE, NULL,
			   "--workers: %lld are more than experiment.parallel_bandwidth, %lld", (long long)wanted,
			   (long long)workers);
		workers = 0;
	} else if (wanted) {
		workers = wanted;
	} else if (!experiment->model.given && sbatch_wants_gpu(experiment)) {
		workers = 1;
	} else if (profile && profile->most_jobs && workers > profile->most_jobs) {
		workers = profile->most_jobs;
	}
	profile_free(profile);
	mb_errs_release(&errs);
	return workers;
}

static void slurm_plan(struct mb_tool *tool, const struct mb_experiment *experiment, int64_t workers,
		       struct mb_str *out)
{
	struct profile *profile = profile_of(tool, experiment, 0);
	struct deployment deployment = {.tool = tool, .workers = workers, .uuid = "UUID"};
	char *folder = realpath(experiment->folder, NULL);
	struct words words = {0};

	if (!profile)
		return;
	deployment.name = folder_slug(experiment->name);
	deployment.folder = mb_path_join(folder ? folder : experiment->folder, deployment.name);
	if (experiment->number_chain_jobs)
		mb_str_addf(out, "# a chain of at most %lld jobs, each queued when the one before begins\n",
			    (long long)experiment->number_chain_jobs);
	else
		mb_str_adds(out, "# as many jobs in a chain as the budget takes, each queued when the one before begins\n");
	mb_str_adds(out, "# mb-deploy start submits this:\n");
	chain_command(&deployment, experiment, profile, 1, 0, NULL, &words);
	free(words.at[--words.n]); /* the claim is the journal's to say */
	for (size_t i = 0; i < words.n; i++) {
		mb_str_adds(out, i ? " " : "");
		plan_add_word(out, words.at[i]);
	}
	mb_str_adds(out, " CLAIM\n# deploy.sh:\n");
	for (const char *line = chain_script; *line; line += strcspn(line, "\n") + 1)
		mb_str_addf(out, "#   %.*s\n", (int)strcspn(line, "\n"), line);
	words_release(&words);
	profile_free(profile);
	free(deployment.name);
	free(deployment.folder);
	free(folder);
}

/* ---- looking ---- */

static void slurm_forget(struct deployment *deployment)
{
	if (deployment->queue)
		queue_release(deployment->queue);
	free(deployment->queue);
	deployment->queue = NULL;
}

static void slurm_learn(struct deployment *deployment, int fresh)
{
	char *name = chain_name(deployment);
	struct queue all;
	struct queue *queue = mb_alloc(sizeof *queue);

	queue_read(&all, fresh);
	*queue = (struct queue){.at_s = all.at_s, .down = all.down};
	all.down = NULL;
	for (size_t i = 0; i < all.n; i++)
		if (!strcmp(all.tasks[i].name, name)) {
			MB_PUSH(queue->tasks, queue->n, queue->cap, all.tasks[i]);
			all.tasks[i] = (struct task){0};
		}
	queue_release(&all);
	free(name);
	slurm_forget(deployment);
	deployment->queue = queue;
}

static const struct task *task_of(const struct queue *queue, const char *job, int64_t number)
{
	for (size_t i = 0; i < queue->n; i++)
		if (!strcmp(queue->tasks[i].job, job) && queue->tasks[i].number == number)
			return &queue->tasks[i];
	return NULL;
}

/* Where Slurm does not tell, a worker lives as long as it touches its file. */
static int touches(const struct deployment *deployment, const struct slot *slot)
{
	char *log = folder_log_of(deployment, slot->number);
	const double untouched_s = mb_file_untouched_s(log);

	free(log);
	return untouched_s >= 0 && untouched_s < MB_HOLDER_GONE_S;
}

static enum life slurm_look(const struct deployment *deployment, const struct slot *slot)
{
	const struct link *link = journal_link((struct journal *)&deployment->journal, slot->link);
	const struct queue *queue = deployment->queue;
	const struct task *task = NULL;
	struct mb_ident self;
	struct mb_err err;
	int alive;

	if (slot->words)
		return LIFE_ENDED;
	if (!slot->known)
		return LIFE_NONE;
	if (queue && !queue->down && link && link->job)
		task = task_of(queue, link->job, slot->number);
	if (task && task_is_pending(task) && queue->at_s > slot->begun_s)
		return LIFE_WAITING;
	if (mb_ident_self(&self, &err) == 0 && mb_ident_visible(&self, &slot->process))
		alive = mb_ident_alive(&slot->process);
	else if (task && queue->at_s > slot->begun_s)
		alive = task_is_on(task);
	else if (link && queue && !queue->down && queue->at_s > slot->begun_s + 2)
		alive = 0;
	else
		alive = touches(deployment, slot);
	if (!alive)
		return LIFE_LOST;
	return slot->stopping ? LIFE_STOPPING : slot->begun_s > 0 ? LIFE_RUNNING : LIFE_STARTING;
}

/* Submitted since Slurm was last asked, none of its workers has begun, and it was not dropped with the last observation. */
static int is_unseen(const struct deployment *deployment, const struct link *link)
{
	const struct link *before = journal_link((struct journal *)&deployment->journal, link->number - 1);
	const double known_s = deployment->queue && !deployment->queue->down ? deployment->queue->at_s : 0;

	return link->job && link->begun_s == 0 && link->claim > deployment->journal.kill && link->linked_s > known_s &&
	       !(before && before->over && before->of == link->of);
}

/* What was asked before the worker began says nothing of it any more. */
static int is_outdated(const struct deployment *deployment, const struct task *task)
{
	const struct slot *slot = journal_slot((struct journal *)&deployment->journal, task->number);
	const struct link *link = slot ? journal_link((struct journal *)&deployment->journal, slot->link) : NULL;

	return link && link->job && !strcmp(link->job, task->job) && slot->launch_s > deployment->queue->at_s;
}

static size_t slurm_waiting(const struct deployment *deployment)
{
	const struct queue *queue = deployment->queue;
	const struct journal *journal = &deployment->journal;
	const struct link *last = journal->n_links ? &journal->links[journal->n_links - 1] : NULL;
	size_t waiting = last && is_unseen(deployment, last) ? (size_t)last->workers : 0;

	for (size_t i = 0; queue && i < queue->n; i++)
		waiting += (task_is_pending(&queue->tasks[i]) && !is_outdated(deployment, &queue->tasks[i])) ||
			   (task_is_on(&queue->tasks[i]) && !task_is_ending(&queue->tasks[i]) &&
			    !journal_slot((struct journal *)&deployment->journal, queue->tasks[i].number));
	return waiting;
}

/* ---- telling ---- */

/* What the words mean that a user can do something about. */
static const char *meaning(const char *reason)
{
	static const struct {
		const char *reason, *meaning;
	} meanings[] = {
		{"Dependency", "begins when the job before has ended"},
		{"Resources", "for a node to become free"},
		{"Priority", "for jobs of a higher priority"},
		{"BeginTime", "Slurm starts it again soon"},
		{"PartitionConfig", "it can never run so: look at sbatch_options, kill and start it again"},
		{"PartitionTimeLimit", "it can never run so: sbatch_options.time is above the partition's limit"},
		{"PartitionNodeLimit", "it can never run so: sbatch_options.nodes is above the partition's limit"},
		{"PartitionDown", "the partition is down"},
		{"DependencyNeverSatisfied", "it can never run: kill and continue"},
		{"JobHeldUser", "it is held: scontrol release"},
		{"JobHeldAdmin", "it is held by an administrator"},
		{"JobArrayTaskLimit", "for other tasks of the array"},
		{"ReqNodeNotAvail", "a node that it asks for is not available"},
	};

	for (size_t i = 0; i < MB_COUNT(meanings); i++)
		if (!strcmp(meanings[i].reason, reason))
			return meanings[i].meaning;
	return strncmp(reason, "Assoc", 5) && strncmp(reason, "QOS", 3) ? NULL : "a limit of the account is reached";
}

static void tell_link(const struct deployment *deployment, const struct link *link, struct mb_str *words,
		      json_t *links)
{
	const struct queue *queue = deployment->queue;
	const char *reason = NULL;
	size_t waiting = 0, on = 0;

	for (size_t i = 0; queue && link->job && i < queue->n; i++) {
		const struct task *task = &queue->tasks[i];

		if (strcmp(task->job, link->job) || is_outdated(deployment, task))
			continue;
		on += task_is_on(task);
		if (task_is_pending(task)) {
			waiting++;
			reason = task->reason;
		}
	}
	if (links && link->job) {
		json_t *object = json_object();

		mb_json_set(object, "link", json_integer(link->number));
		mb_json_set(object, "job", json_string(link->job));
		mb_json_set(object, "waiting", json_integer((json_int_t)waiting));
		if (reason)
			mb_json_set(object, "reason", json_string(reason));
		json_array_append_new(links, object);
	}
	if (words && is_unseen(deployment, link))
		mb_str_addf(words, "  link %-5lld job %s: submitted\n", (long long)link->number, link->job);
	if (!words || (!waiting && !on && (!link->refused || link->number < (int64_t)deployment->journal.n_links)))
		return;
	mb_str_addf(words, "  link %-5lld ", (long long)link->number);
	if (link->refused) {
		mb_str_adds(words, "was not queued: ");
		mb_str_add_clean(words, link->refused, 400);
	} else {
		mb_str_addf(words, "job %s: ", link->job);
		if (on)
			mb_str_addf(words, "%zu on%s", on, waiting ? ", " : "");
		if (waiting)
			mb_str_addf(words, "%zu of %lld waiting: %s", waiting, (long long)link->workers, reason);
		if (waiting && meaning(reason))
			mb_str_addf(words, " (%s)", meaning(reason));
	}
	mb_str_adds(words, "\n");
}

static void slurm_tell(const struct deployment *deployment, struct mb_str *words, json_t *object)
{
	const struct journal *journal = &deployment->journal;
	const struct queue *queue = deployment->queue;
	json_t *links = object ? json_array() : NULL;

	for (size_t i = 0; i < journal->n_links; i++)
		if (links || i + 2 >= journal->n_links)
			tell_link(deployment, &journal->links[i], words, links);
	if (words && queue && queue->down) {
		mb_str_adds(words, "  slurm      ");
		mb_str_add_clean(words, queue->down, 400);
		mb_str_adds(words, "; what stands here is from the files alone\n");
	}
	if (object) {
		mb_json_set(object, "links", links);
		mb_json_set(object, "waiting", json_integer((json_int_t)slurm_waiting(deployment)));
		if (queue && queue->down)
			mb_json_set(object, "scheduler", json_string(queue->down));
	}
}

/* ---- stopping ---- */

static int cancel(const struct deployment *deployment, const char *how, const char *which, struct mb_err *err)
{
	char *name = chain_name(deployment), *option = mb_textf("--name=%s", name);
	char *const argv[] = {"scancel", "--quiet", option, (char *)which, (char *)how, NULL};
	struct said said;
	int bad = slurm_run(&said, argv, STOP_S, -1, err);

	/* A job that ended meanwhile cannot be signalled, and need not be. */
	if (bad && said_itself(&said) && !strstr(said.err.at, "ontact"))
		bad = 0;
	said_release(&said);
	free(option);
	free(name);
	return bad;
}

/* Waits a moment, less when all workers have said that they ended. */
static int wait_for_ends(struct deployment *deployment, double most_s, struct mb_err *err)
{
	const double until = mb_clock_monotonic_s() + most_s;
	size_t on;

	do {
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
		if (journal_update(&deployment->journal, err) < 0)
			return -1;
		on = 0;
		for (size_t i = 0; i < deployment->journal.n_slots; i++)
			on += deployment->journal.slots[i].known && !deployment->journal.slots[i].words;
	} while (on && mb_clock_monotonic_s() < until);
	return 0;
}

static int slurm_stop(struct deployment *deployment, double grace_s, int *killed, struct mb_err *err)
{
	const double began = mb_clock_monotonic_s(), force_at = began + grace_s + 4, give_up_at = force_at + STOP_S;
	double wait_s = 0.2;
	int asked = 0;

	*killed = 0;
	if (!deployment->journal.n_links)
		return 0;
	chain_settle(deployment);
	if (slurm_ping(err) < 0)
		return mb_err_hint(err,
				   "workers that run hear of the kill within %d s all the same, those that wait when they "
				   "begin; type it again when scontrol ping answers",
				   MB_HOLDER_TOUCH_S);
	for (;;) {
		const int forces = mb_clock_monotonic_s() > force_at;

		slurm_learn(deployment, 1);
		if (deployment->queue->down)
			return mb_err_set(err, MB_EXIT_SYSTEM, NULL, "%s", deployment->queue->down);
		if (!deployment->queue->n)
			return 0;
		if (mb_clock_monotonic_s() > give_up_at)
			break;
		/* What waits first: else the end of one would start the next. */
		if (cancel(deployment, NULL, "--state=PENDING", err) < 0)
			return -1;
		if (forces && !*killed)
			*killed = (int)deployment->queue->n;
		if (forces ? cancel(deployment, NULL, NULL, err) < 0
			   : !asked && cancel(deployment, "--signal=USR2", "--batch", err) < 0)
			return -1;
		asked = 1;
		if (wait_for_ends(deployment, wait_s, err) < 0)
			return -1;
		wait_s = wait_s < 4 ? wait_s * 2 : wait_s;
	}
	mb_err_set(err, MB_EXIT_SYSTEM, NULL, "job %s does not end", deployment->queue->tasks[0].job);
	return mb_err_hint(err, "squeue -j %s tells its state", deployment->queue->tasks[0].job);
}

/* ---- in a worker ---- */

/* A wait in the queue is a span: from when it could have begun. */
static int add_queue_span(struct journal *journal, const struct link *link, struct mb_err *err)
{
	const struct link *before = journal_link(journal, link->number - 1);
	double from_s = link->linked_s > 0 ? link->linked_s : link->at_s;
	const double now = mb_clock_now_s();

	if (link->begun_s > 0)
		return 0;
	if (before && before->ended_s > from_s)
		from_s = before->ended_s;
	return journal_append(journal, journal_span("queue", from_s, now - from_s), err) < 0 ? -1 : 0;
}

static int slurm_arrive(struct deployment *deployment, int64_t *number, int64_t *launch, struct mb_err *err)
{
	struct journal *journal = &deployment->journal;
	const char *claim_text = getenv("MB_DEPLOY_LINK"), *task = getenv("SLURM_ARRAY_TASK_ID"),
		   *job = getenv("SLURM_ARRAY_JOB_ID");
	const struct link *link;
	int64_t claim;
	json_t *line;

	if (!claim_text || mb_num_int(claim_text, &claim) < 0 || !task || mb_num_int(task, number) < 0 || !job)
		return 1;
	link = journal_claim(journal, claim);
	if (!link || (link->job && strcmp(link->job, job)) || journal->kill > claim || journal->delete_open ||
	    *number < 1 || *number > link->workers)
		return 2;
	if (add_queue_span(journal, link, err) < 0)
		return -1;
	line = journal_worker("launch", *number);
	mb_json_set(line, "of", json_integer(link->of));
	mb_json_set(line, "link", json_integer(link->number));
	mb_json_set(line, "job", json_string(job));
	*launch = journal_append(journal, line, err);
	return *launch < 0 ? -1 : 0;
}

static void slurm_go_on(struct deployment *deployment, int64_t number, enum moment moment)
{
	const struct slot *slot = journal_slot(&deployment->journal, number);

	if (slot && slot->link)
		chain_go_on(deployment, slot->link, moment);
}

/* Slurm's own word for it; versions before 23.02 have to be asked. */
static double end_of_job(void)
{
	const char *known = getenv("SLURM_JOB_END_TIME"), *job = getenv("SLURM_JOB_ID");
	char *const argv[] = {"squeue", "--noheader", "--format=%e", "--job", (char *)job, NULL};
	struct tm time = {.tm_isdst = -1};
	struct said said;
	struct mb_err err;
	double end_s = 0;
	int64_t seconds;

	if (known && mb_num_int(known, &seconds) == 0)
		return (double)seconds;
	if (!job || slurm_ping(&err) < 0)
		return 0;
	if (slurm_run(&said, argv, 20, -1, &err) == 0 && strptime(said.out.at, "%Y-%m-%dT%H:%M:%S", &time))
		end_s = (double)mktime(&time);
	said_release(&said);
	return end_s;
}

static double slurm_deadline(const struct deployment *deployment)
{
	struct standing standing;
	struct mb_errs errs = {0};
	struct mb_err err;
	struct profile *profile = NULL;
	double end_s = 0;

	if (!getenv("SLURM_ARRAY_TASK_ID"))
		return 0;
	if (standing_read(&standing, deployment, &err) == 0)
		profile = profile_read(standing.experiment->cluster, &errs);
	if (profile) {
		const int64_t limit_s = sbatch_value(standing.experiment, "time")
						? sbatch_limit_s(standing.experiment, profile)
						: 0;

		end_s = limit_s ? mb_clock_now_s() + (double)limit_s : end_of_job();
		/* Slurm's signal comes first, as a rule. */
		end_s = end_s > 0 ? end_s - (double)chain_lead_s(standing.experiment, profile) / 2 : 0;
	}
	profile_free(profile);
	mb_errs_release(&errs);
	standing_release(&standing);
	return end_s;
}

const struct mb_driver driver_slurm = {
	.name = "slurm",
	.about = "job arrays of Slurm, one following the other",
	.check = slurm_check,
	.workers = slurm_workers,
	.plan = slurm_plan,
	.launch = chain_begin,
	.together = 1,
	.learn = slurm_learn,
	.forget = slurm_forget,
	.look = slurm_look,
	.waiting = slurm_waiting,
	.tell = slurm_tell,
	.stop = slurm_stop,
	.arrive = slurm_arrive,
	.go_on = slurm_go_on,
	.deadline = slurm_deadline,
};
