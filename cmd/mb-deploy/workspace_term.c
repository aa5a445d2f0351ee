/* SPDX-License-Identifier: MIT
 *
 * How long a workspace stays, and that it stays longer. ws_list tells "remaining time" in old and new versions; exit
 * codes tell nothing: too many days end with 0, and so does ws_extend when it only prints its usage.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "deploy.h"

enum { DAY_S = 86400 };

/* ---- asking ---- */

/* "29 days 23 hours" from `text`; -1 when it is none ("expired"). */
static double read_term(const char *text)
{
	static const struct {
		const char *unit;
		double seconds;
	} units[] = {{"day", DAY_S}, {"hour", 3600}, {"minute", 60}};
	double sum = -1;
	char *end;

	for (;;) {
		unsigned long long number;
		size_t i = 0;

		text += strspn(text, " ,\t");
		if (!isdigit((unsigned char)*text))
			return sum;
		number = strtoull(text, &end, 10);
		text = end + strspn(end, " ");
		while (i < MB_COUNT(units) && strncmp(text, units[i].unit, strlen(units[i].unit)))
			i++;
		if (i == MB_COUNT(units) || number > 1000000)
			return sum;
		sum = (sum < 0 ? 0 : sum) + (double)number * units[i].seconds;
		text += strcspn(text, " ,\t");
	}
}

/* The value of "     remaining time       : 9 days" when the line is of that name, else NULL. */
static const char *value_of(const char *line, const char *name)
{
	line += strspn(line, " \t");
	if (strncmp(line, name, strlen(name)))
		return NULL;
	line += strlen(name);
	line += strspn(line, " \t");
	return *line == ':' ? line + 1 + strspn(line + 1, " \t") : NULL;
}

/* Whether `folder` is, or lies in, what the list says. */
static int is_of(const char *path, const char *folder)
{
	char *real = realpath(path, NULL);
	size_t n = real ? strlen(real) : 0;
	int is = n && !strncmp(real, folder, n) && (!folder[n] || folder[n] == '/');

	free(real);
	return is;
}

int workspace_ask(const struct workspace *workspace, const char *folder, struct workspace_term *term)
{
	struct command command;
	struct mb_err err;
	int ours = 0;

	*term = (struct workspace_term){.extensions = -1};
	if (workspace_run(workspace, "list", NULL, &command, &err) == 0)
		for (const char *at = command.out.at; at && *at; at += strcspn(at, "\n"), at += *at == '\n') {
			char *line = mb_textf("%.*s", (int)strcspn(at, "\r\n"), at);
			const char *value;
			double left;

			if ((value = value_of(line, "workspace directory")))
				ours = is_of(value, folder);
			else if (ours && (value = value_of(line, "remaining time")) && (left = read_term(value)) >= 0)
				term->until_s = mb_clock_now_s() + left;
			else if (ours && (value = value_of(line, "available extensions")))
				term->extensions = isdigit((unsigned char)*value) ? strtoll(value, NULL, 10) : -1;
			free(line);
		}
	command_release(&command);
	return term->until_s > 0 ? 0 : -1;
}

/* ---- watching ---- */

double workspace_days(const struct workspace_term *term)
{
	return (term->until_s - mb_clock_now_s()) / DAY_S;
}

void workspace_term_of(const struct deployment *deployment, struct workspace_term *term)
{
	struct workspace_term asked;

	*term = deployment->journal.term;
	/* Somebody may have extended it by hand. */
	if (deployment->workspace.name && (term->until_s <= 0 || workspace_days(term) < WORKSPACE_WARN_DAYS) &&
	    workspace_ask(&deployment->workspace, deployment->folder, &asked) == 0)
		*term = asked;
}

/* {"event": event, "workspace": …, "until": …, "extensions": …} */
static int note(struct deployment *deployment, const char *event, const struct workspace_term *term,
		struct mb_err *err)
{
	json_t *line = json_object(), *workspace = workspace_to_json(&deployment->workspace);

	mb_json_set(line, "event", json_string(event));
	json_object_update(line, workspace);
	json_decref(workspace);
	mb_json_set(line, "until", json_integer((int64_t)term->until_s));
	mb_json_set(line, "extensions", json_integer(term->extensions));
	return journal_add(&deployment->journal, line, err) < 0 ? -1 : 0;
}

void workspace_watch(struct deployment *deployment, int says)
{
	const struct workspace *workspace = &deployment->workspace;
	struct workspace_term term;
	struct mb_err err;
	double days;

	if (!workspace->name)
		return;
	if (workspace_ask(workspace, deployment->folder, &term) < 0)
		term = deployment->journal.term;
	else if (note(deployment, "workspace", &term, &err) < 0)
		mb_tool_fail(deployment->tool, &err);
	if (term.until_s <= 0)
		return;
	days = workspace_days(&term);
	if (days < WORKSPACE_WARN_DAYS)
		mb_tool_warn(deployment->tool,
			     "%s: its workspace %s ends in %.1f days, and all in it goes with it (mb-deploy continue %s "
			     "--extend, or copy away what is needed)",
			     deployment->name, workspace->name, days, deployment->name);
	else if (says)
		mb_tool_say(deployment->tool, "%s: in workspace %s, %.0f days left", deployment->name,
			    workspace->name,
			    days);
}

/* ---- extending ---- */

static int not_extended(const struct deployment *deployment, const struct workspace_term *term, const char *words,
			struct mb_err *err)
{
	mb_err_set(err, MB_EXIT_SYSTEM, NULL, "%s: its workspace %s was not extended: %s", deployment->name,
		   deployment->workspace.name, words);
	if (term->extensions == 0)
		return mb_err_hint(err, "no extension is left: copy away what is needed, in %.1f days it is gone",
				   workspace_days(term));
	return mb_err_hint(err, "%slist %s tells what is left", deployment->workspace.command,
			   deployment->workspace.name);
}

/* What the profile of the copy's cluster asks for. */
static int64_t profile_days(const struct deployment *deployment)
{
	char *copy = folder_file(deployment, "experiment.yaml");
	struct mb_errs errs = {0};
	struct mb_experiment *experiment = mb_experiment_read(copy, &errs);
	struct profile *profile = profile_read(experiment ? experiment->cluster : NULL, &errs);
	int64_t days = profile ? profile->workspace_days : 30;

	profile_free(profile);
	mb_experiment_free(experiment);
	mb_errs_release(&errs);
	free(copy);
	return days;
}

/* With the journal open. */
static int extend(struct deployment *deployment, struct mb_err *err)
{
	const struct workspace *workspace = &deployment->workspace;
	const double meant_s = deployment->journal.extend_s; /* of an intent without a result */
	const int64_t days = profile_days(deployment);
	struct workspace_term before, after;
	struct command command;
	char *text, *words;
	int bad;

	if (workspace_ask(workspace, deployment->folder, &before) < 0) {
		mb_err_set(err, MB_EXIT_SYSTEM, NULL, "%slist: does not know workspace %s", workspace->command,
			   workspace->name);
		return mb_err_hint(err, "the workspace tools must be in PATH");
	}
	if (meant_s > 0 && before.until_s > meant_s + DAY_S / 2) /* a crash came between the deed and its note */
		return note(deployment, "workspace", &before, err);
	if (workspace_days(&before) > (double)days - 1) {
		mb_err_set(err, MB_EXIT_NO, NULL,
			   "%s: its workspace %s has %.0f days left, as many as an extension gives",
			   deployment->name, workspace->name, workspace_days(&before));
		return mb_err_hint(err,
				   "extensions are few: later; or workspace.days in the cluster's profile asks for more");
	}
	if (note(deployment, "extend", &before, err) < 0)
		return -1;
	text = mb_textf("%lld", (long long)days);
	bad = workspace_run(workspace, "extend", text, &command, err);
	deploy_step();
	words = bad ? mb_strdup(err->what) : command_words(&command, 3);
	if (workspace_ask(workspace, deployment->folder, &after) < 0)
		after = before;
	bad = note(deployment, "workspace", &after, err);
	if (!bad && after.until_s < before.until_s + DAY_S / 2)
		bad = not_extended(deployment, &before, words, err);
	command_release(&command);
	free(words);
	free(text);
	return bad;
}

int workspace_extend(struct deployment *deployment, struct mb_err *err)
{
	int bad;

	if (!deployment->workspace.name) {
		mb_err_set(err, MB_EXIT_USAGE, "--extend", "%s lies in no workspace: %s stays", deployment->name,
			   deployment->folder);
		return -1;
	}
	if (journal_open(&deployment->journal, deployment->folder, 1, err) < 0)
		return -1;
	bad = extend(deployment, err);
	journal_close(&deployment->journal);
	return bad;
}
