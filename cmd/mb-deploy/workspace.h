/* SPDX-License-Identifier: MIT
 *
 * The cluster's workspaces, by its own tools (hpc-workspace: ws_find, ws_allocate, ws_list, ws_extend, ws_release).
 * With experiment.use_local_workspace: false the folder of a deployment lies in one, named as the folder.
 *
 *     workspace_place(deployment, experiment, profile, &err)        start: finds or allocates it, deployment->folder
 *     workspace_watch(deployment, says)                             how long it will stay, into the journal
 *     workspace_release(tool, name, &err)                           delete: given back when mb-deploy allocated it
 *
 * What is to be allocated is written down before, in the user's state (.NAME.workspace), as there is no journal yet;
 * what stands there is mb-deploy's to release, and is forgotten when that is done.
 */
#ifndef MB_DEPLOY_WORKSPACE_H
#define MB_DEPLOY_WORKSPACE_H

#include "command.h"
#include "profile.h"

struct deployment;

struct workspace {
	char *name;       /* as the tools know it; NULL: the folder lies in none */
	char *command;    /* prefix of the tools */
	char *filesystem; /* or NULL */
};

enum { WORKSPACE_WARN_DAYS = 7 };

/* How long it stays. */
struct workspace_term {
	double until_s;     /* Unix time; 0: not known */
	int64_t extensions; /* left; -1: not known */
};

/* Sets deployment->workspace and ->folder; allocates when there is none. Under the lock of all. */
int workspace_place(struct deployment *deployment, const struct mb_experiment *experiment,
		    const struct profile *profile, struct mb_err *err);

/* What workspace_place would use, for plan. The caller releases. */
void workspace_name(struct workspace *workspace, const char *slug, const struct profile *profile);
char *workspace_find(const struct workspace *workspace, struct mb_err *err); /* its path; NULL: none, or err->code set */

/* PREFIXverb [-F FILESYSTEM] NAME [DAYS]; command_release follows in any case. */
int workspace_run(const struct workspace *workspace, const char *verb, const char *days, struct command *command,
		  struct mb_err *err);

/* Asks the tools: 0, or -1 where they do not tell. */
int workspace_ask(const struct workspace *workspace, const char *folder, struct workspace_term *term);

/* Asks, notes the answer in the open journal, warns below 7 days; `says`: tells it in any case. */
void workspace_watch(struct deployment *deployment, int says);

/* The journal's knowledge, asked anew when it is nearly over. */
void workspace_term_of(const struct deployment *deployment, struct workspace_term *term);
double workspace_days(const struct workspace_term *term); /* left, from now */

/* Uses up an extension; typed again after a crash, not a second one. */
int workspace_extend(struct deployment *deployment, struct mb_err *err);

/* After the folder is gone: 1 when nothing was to be released, 0 when it was (or is kept, as something lies in
 * it). */
int workspace_release(struct mb_tool *tool, const char *name, struct mb_err *err);

json_t *workspace_to_json(const struct workspace *workspace);
void workspace_from_json(struct workspace *workspace, const json_t *json);
void workspace_clear(struct workspace *workspace);

#endif
