/* SPDX-License-Identifier: MIT
 *
 * status and list: where experiments stand, from their files and the process table, and what the batch system said
 * lately. They change nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deploy.h"

enum { TAIL_BYTES = 4096, LINE_BYTES = 200 };

/* In one word. Of workers in different states the liveliest counts. */
static const char *state_of(const struct deployment *deployment, const struct standing *standing)
{
	size_t counts[LIFE_LOST + 1] = {0};

	for (size_t i = 0; i < deployment->journal.n_slots; i++)
		counts[deployment->driver->look(deployment, &deployment->journal.slots[i])]++;
	if (deployment->journal.delete_open)
		return "half deleted";
	for (int life = LIFE_RUNNING; life >= LIFE_STARTING; life--)
		if (counts[life])
			return life_name((enum life)life);
	if (counts[LIFE_STOPPING])
		return "stopping";
	if (standing->experiment && standing_is_over(standing))
		return "finished";
	if (counts[LIFE_WAITING] || (deployment->driver->waiting && deployment->driver->waiting(deployment)))
		return "waiting";
	if (deployment->journal.kill_open)
		return "half killed";
	return counts[LIFE_LOST] ? "lost" : counts[LIFE_ENDED] ? "stopped" : "not started";
}

/* The last line of the worker's file that is not empty; the caller frees. */
static char *last_line(const struct deployment *deployment, int64_t worker)
{
	char *path = folder_log_of(deployment, worker), text[TAIL_BYTES + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat file;
	ssize_t n = 0;
	char *line;

	free(path);
	if (fd >= 0 && fstat(fd, &file) == 0)
		n = pread(fd, text, TAIL_BYTES, file.st_size > TAIL_BYTES ? file.st_size - TAIL_BYTES : 0);
	if (fd >= 0)
		close(fd);
	n = n < 0 ? 0 : n;
	while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	text[n] = '\0';
	line = memrchr(text, '\n', (size_t)n);
	return mb_strdup(line ? line + 1 : text);
}

/* Whether the file that it was started from is another one by now. */
static int is_edited(const struct deployment *deployment)
{
	struct mb_str text = {0};
	struct mb_err err;
	char *digest;
	int edited = 0;

	if (mb_file_read(deployment->source, (size_t)1 << 20, &text, &err) == 0) {
		digest = folder_digest(&text);
		edited = strcmp(digest, deployment->digest) != 0;
		free(digest);
	}
	mb_str_release(&text);
	return edited;
}

/* ---- for people ---- */

static void add_time(struct mb_str *out, double seconds)
{
	if (seconds < 120)
		mb_str_addf(out, "%.0f s", seconds < 0 ? 0 : seconds);
	else if (seconds < 7200)
		mb_str_addf(out, "%.0f min", seconds / 60);
	else
		mb_str_addf(out, "%.1f h", seconds / 3600);
}

static void add_worker(struct mb_str *out, const struct deployment *deployment, const struct slot *slot)
{
	enum life life = deployment->driver->look(deployment, slot);
	char *line = last_line(deployment, slot->number);
	const double now = mb_clock_now_s();

	mb_str_addf(out, "  worker %-3lld %s", (long long)slot->number, life_name(life));
	if (life == LIFE_ENDED) {
		mb_str_addf(out, " ");
		add_time(out, now - slot->ended_s);
		mb_str_addf(out, " ago with %lld: %s", (long long)slot->exit, slot->words);
		if (slot->exit && slot->exit != 128 + SIGKILL)
			mb_str_addf(out, " (mb-deploy logs %s tells why)", deployment->name);
	} else if (life == LIFE_LOST) {
		mb_str_addf(out, ": killed, or its machine went down (mb-deploy continue %s)", deployment->name);
	} else if (life_is_on(life)) {
		mb_str_adds(out, " for ");
		add_time(out, now - slot->launch_s);
		mb_str_addf(out, ", process %lld on %s", (long long)slot->process.pid, slot->process.host);
	}
	mb_str_adds(out, "\n");
	if (*line) {
		mb_str_adds(out, "             ");
		mb_str_add_clean(out, line, LINE_BYTES);
		mb_str_adds(out, "\n");
	}
	free(line);
}

static void add_counts(struct mb_str *out, const struct standing *standing)
{
	standing_text(standing, out);
	if (standing->failed)
		mb_str_addf(out, " (%lld failed)", (long long)standing->failed);
	if (standing->open)
		mb_str_addf(out, ", %lld open", (long long)standing->open);
	if (standing->interrupted)
		mb_str_addf(out, ", %lld interrupted", (long long)standing->interrupted);
}

static void add_workspace(struct mb_str *out, const struct deployment *deployment)
{
	struct workspace_term term;
	double days;

	if (!deployment->workspace.name)
		return;
	workspace_term_of(deployment, &term);
	days = workspace_days(&term);
	mb_str_addf(out, "  workspace  %s, ", deployment->workspace.name);
	if (term.until_s <= 0)
		mb_str_adds(out, "how long it stays is not known");
	else if (days < WORKSPACE_WARN_DAYS)
		mb_str_addf(out, "ends in %.1f days, and all in it goes with it (mb-deploy continue %s --extend)", days,
			    deployment->name);
	else
		mb_str_addf(out, "%.0f days left", days);
	if (term.extensions >= 0)
		mb_str_addf(out, ", %lld extension%s", (long long)term.extensions, term.extensions == 1 ? "" : "s");
	mb_str_adds(out, "\n");
}

/* The Test step is the user's to take: the line to type for it. */
static void add_test(struct mb_str *out, const struct deployment *deployment, const struct standing *standing)
{
	const struct mb_model *model = standing->experiment ? &standing->experiment->model : NULL;
	char *copy = folder_file(deployment, "experiment.yaml");

	if (model && standing_is_over(standing) && standing->best_trial && (!model->given || model->test_function_name)) {
		mb_str_adds(out, "  test       mb-collect --best -e ");
		plan_add_word(out, copy);
		mb_str_adds(out, " | mb-eval --split test -e ");
		plan_add_word(out, copy);
		mb_str_adds(out, "\n");
	}
	free(copy);
}

static void print_text(struct mb_str *out, const struct deployment *deployment, const struct standing *standing)
{
	mb_str_addf(out, "%s: %s, ", deployment->name, state_of(deployment, standing));
	add_counts(out, standing);
	mb_str_adds(out, "\n");
	if (standing->best_trial)
		mb_str_addf(out, "  best       %s %.6g (trial %lld)\n", standing->metric, standing->best,
			    (long long)standing->best_trial);
	if (standing->front)
		mb_str_addf(out, "  front      %zu trial%s, hypervolume %.6g\n", standing->front,
			    standing->front == 1 ? "" : "s", standing->hypervolume);
	if (standing->ranked && !standing->feasible)
		mb_str_addf(out, "  feasible   none of %zu completed trials keeps the constraints\n", standing->ranked);
	for (size_t i = 0; i < deployment->journal.n_slots; i++)
		add_worker(out, deployment, &deployment->journal.slots[i]);
	if (deployment->driver->tell)
		deployment->driver->tell(deployment, out, NULL);
	mb_str_addf(out, "  folder     %s\n", deployment->folder);
	add_workspace(out, deployment);
	add_test(out, deployment, standing);
	if (is_edited(deployment))
		mb_str_addf(out, "  edited     %s since (mb-deploy start --update takes the edits over)\n",
			    deployment->source);
	if (deployment->journal.bad)
		mb_str_addf(out, "  journal    %zu lines that cannot be read\n", deployment->journal.bad);
}

/* ---- for programs ---- */

static json_t *worker_json(const struct deployment *deployment, const struct slot *slot)
{
	json_t *worker = json_object();
	char *line = last_line(deployment, slot->number);
	json_t *text;

	mb_json_set(worker, "worker", json_integer(slot->number));
	mb_json_set(worker, "state", json_string(life_name(deployment->driver->look(deployment, slot))));
	if (slot->known) {
		mb_json_set(worker, "host", json_string(slot->process.host));
		mb_json_set(worker, "pid", json_integer(slot->process.pid));
	}
	if (slot->begun_s > 0)
		mb_json_set(worker, "begun", json_real(slot->begun_s));
	if (slot->words) {
		mb_json_set(worker, "ended", json_real(slot->ended_s));
		mb_json_set(worker, "exit", json_integer(slot->exit));
		mb_json_set(worker, "words", json_string(slot->words));
	}
	text = json_string(line); /* NULL when it is not UTF-8 */
	if (text)
		mb_json_set(worker, "last_line", text);
	free(line);
	return worker;
}

static json_t *workspace_json(const struct deployment *deployment)
{
	json_t *object = json_object();
	struct workspace_term term;

	workspace_term_of(deployment, &term);
	mb_json_set(object, "name", json_string(deployment->workspace.name));
	if (term.until_s > 0) {
		mb_json_set(object, "until", json_integer((int64_t)term.until_s));
		mb_json_set(object, "days_left", json_real(workspace_days(&term)));
	}
	if (term.extensions >= 0)
		mb_json_set(object, "extensions", json_integer(term.extensions));
	return object;
}

static void print_json(struct mb_str *out, const struct deployment *deployment, const struct standing *standing)
{
	json_t *object = json_object(), *workers = json_array();
	char *folder = folder_text(deployment->folder);

	mb_json_set(object, "name", json_string(deployment->name));
	mb_json_set(object, "experiment", json_string(deployment->experiment));
	mb_json_set(object, "state", json_string(state_of(deployment, standing)));
	mb_json_set(object, "on", json_string(deployment->driver->name));
	mb_json_set(object, "folder", json_string(folder));
	if (deployment->workspace.name)
		mb_json_set(object, "workspace", workspace_json(deployment));
	mb_json_set(object, "source", json_string(deployment->source));
	mb_json_set(object, "edited", json_boolean(is_edited(deployment)));
	mb_json_set(object, "budget", json_integer(standing->budget));
	mb_json_set(object, "completed", json_integer(standing->completed));
	mb_json_set(object, "failed", json_integer(standing->failed));
	mb_json_set(object, "open", json_integer(standing->open));
	mb_json_set(object, "interrupted", json_integer(standing->interrupted));
	if (standing->best_trial) {
		mb_json_set(object, "metric", json_string(standing->metric));
		mb_json_set(object, "best", json_real(standing->best));
		mb_json_set(object, "best_trial", json_integer(standing->best_trial));
	}
	if (standing->experiment && mb_experiment_count(standing->experiment, MB_STRATEGY_CONSTRAINT))
		mb_json_set(object, "feasible", json_integer((json_int_t)standing->feasible));
	if (standing->front) {
		mb_json_set(object, "front", json_integer((json_int_t)standing->front));
		mb_json_set(object, "hypervolume", json_real(standing->hypervolume));
	}
	for (size_t i = 0; i < deployment->journal.n_slots; i++)
		json_array_append_new(workers, worker_json(deployment, &deployment->journal.slots[i]));
	mb_json_set(object, "workers", workers);
	if (deployment->driver->tell)
		deployment->driver->tell(deployment, NULL, object);
	mb_json_print(object, out);
	mb_str_adds(out, "\n");
	json_decref(object);
	free(folder);
}

/* ---- the verbs ---- */

typedef void (*print_deployment)(struct mb_str *out, const struct deployment *deployment,
				 const struct standing *standing);

static void print_row(struct mb_str *out, const struct deployment *deployment, const struct standing *standing)
{
	mb_str_addf(out, "%-24s %-12s ", deployment->name, state_of(deployment, standing));
	add_counts(out, standing);
	mb_str_addf(out, "  %s\n", deployment->folder);
}

static int show(struct mb_tool *tool, const char *name, const char *on, print_deployment print, struct mb_str *out)
{
	struct deployment deployment;
	struct standing standing = {0};
	struct mb_err err;
	int status = MB_EXIT_OK;

	if (folder_find(&deployment, tool, name, on, &err) < 0)
		return mb_tool_fail(tool, &err);
	if (journal_open(&deployment.journal, deployment.folder, 0, &err) < 0 ||
	    standing_read(&standing, &deployment, &err) < 0)
		status = mb_tool_fail(tool, &err);
	else {
		learn(&deployment, 0);
		print(out, &deployment, &standing);
	}
	standing_release(&standing);
	folder_release(&deployment);
	return status;
}

/* A link that leads nowhere is shown as such. */
static int show_link(struct mb_tool *tool, const char *name, print_deployment print, int json, struct mb_str *out)
{
	struct deployment deployment;
	struct mb_err err;

	if (folder_find(&deployment, tool, name, NULL, &err) == 0) {
		folder_release(&deployment);
		return show(tool, name, NULL, print, out);
	}
	if (err.code != MB_EXIT_NO)
		return mb_tool_fail(tool, &err);
	if (json) {
		json_t *object = json_object();

		mb_json_set(object, "name", json_string(name));
		mb_json_set(object, "state", json_string("gone"));
		mb_json_print(object, out);
		mb_str_adds(out, "\n");
		json_decref(object);
	} else {
		mb_str_addf(out, "%-24s %-12s its folder is not there (mb-deploy delete %s forgets it)\n", name,
			    "gone", name);
	}
	return MB_EXIT_OK;
}

static int show_all(struct mb_tool *tool, print_deployment print, int json, struct mb_str *out)
{
	struct names names;
	struct mb_err err;
	int status = MB_EXIT_OK;

	if (folder_names(&names, &err) < 0)
		return mb_tool_fail(tool, &err);
	for (size_t i = 0; i < names.n; i++) {
		int shown = show_link(tool, names.at[i], print, json, out);

		status = status ? status : shown;
	}
	if (!names.n) {
		mb_tool_say(tool, "no experiment is known (mb-deploy start FILE makes one)");
		status = MB_EXIT_NO;
	}
	folder_names_release(&names);
	return status;
}

static int print_out(struct mb_tool *tool, struct mb_str *out, int status)
{
	if (out->n && mb_tool_write(tool, out->at, out->n) < 0 && !tool->stdout_gone)
		status = MB_EXIT_SYSTEM;
	mb_str_release(out);
	return status;
}

int verb_status(struct mb_tool *tool, const struct deploy_options *options)
{
	print_deployment print = options->json ? print_json : print_text;
	struct mb_str out = {0};
	int status = options->name ? show(tool, options->name, options->on, print, &out)
				   : show_all(tool, print, options->json, &out);

	return print_out(tool, &out, status);
}

int verb_list(struct mb_tool *tool, const struct deploy_options *options)
{
	struct mb_str out = {0};
	int status = show_all(tool, options->json ? print_json : print_row, options->json, &out);

	return print_out(tool, &out, status);
}
