/* SPDX-License-Identifier: MIT */
#include "data/holders.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- reading the files ---- */

static void forget_files(struct mb_holders *holders)
{
	for (size_t i = 0; i < holders->n_files; i++) {
		free(holders->files[i].path);
		free(holders->files[i].claims);
	}
	holders->n_files = 0;
}

static int same_issue(const struct mb_claim *a, const struct mb_claim *b)
{
	return a->trial == b->trial && a->rung == b->rung && a->attempt == b->attempt;
}

static void mark_done(struct mb_run_file *file, const struct mb_claim *done)
{
	for (size_t i = file->first_undone; i < file->n_claims; i++)
		if (same_issue(&file->claims[i], done))
			file->claims[i].done = 1;
	while (file->first_undone < file->n_claims && file->claims[file->first_undone].done)
		file->first_undone++;
}

/* "trial rung attempt" into claim: 0, or -1 for anything else. */
static int parse_claim(char *text, struct mb_claim *claim)
{
	int64_t *const to[] = {&claim->trial, &claim->rung, &claim->attempt};
	char *word, *rest = text;

	*claim = (struct mb_claim){0};
	for (size_t i = 0; i < MB_COUNT(to); i++) {
		word = strsep(&rest, " ");
		if (!word || mb_num_int(word, to[i]) < 0)
			return -1;
	}
	return rest ? -1 : 0;
}

static void parse_line(struct mb_run_file *file, char *line)
{
	struct mb_claim claim;
	json_t *identity;

	if (line[0] == '{') {
		identity = mb_json_parse(line, strlen(line), NULL, &(struct mb_err){0});
		file->known = identity && mb_ident_from_json(identity, &file->ident) == 0;
		json_decref(identity);
	} else if (!strcmp(line, "ended")) {
		file->ended = 1;
	} else if (!strncmp(line, "done ", 5)) {
		if (parse_claim(line + 5, &claim) == 0)
			mark_done(file, &claim);
	} else if (parse_claim(line, &claim) == 0) {
		MB_PUSH(file->claims, file->n_claims, file->cap_claims, claim);
	}
}

static void read_run_file(struct mb_holders *holders, char *path)
{
	struct mb_run_file file = {.path = path};
	struct mb_str text = {0};
	char *rest, *line;

	if (mb_file_read(path, 0, &text, &(struct mb_err){0}) < 0) { /* its owner removed it meanwhile */
		free(path);
		mb_str_release(&text);
		return;
	}
	rest = text.at;
	while ((line = strsep(&rest, "\n")) && rest) /* a line without its newline is still being written */
		parse_line(&file, line);
	mb_str_release(&text);
	file.visible = file.known && mb_ident_visible(&holders->self, &file.ident);
	file.alive = file.visible && !file.ended && mb_ident_alive(&file.ident);
	if (!file.alive)
		file.untouched_s = mb_file_untouched_s(path);
	MB_PUSH(holders->files, holders->n_files, holders->cap_files, file);
}

/* ---- finding the claims of an issue ---- */

static size_t first_slot(const struct mb_holders *holders, const struct mb_claim *issue)
{
	uint64_t key = (uint64_t)issue->trial * 961 + (uint64_t)issue->rung * 31 + (uint64_t)issue->attempt;

	return mb_hash_mix(key) & (holders->n_slots - 1);
}

static void index_claims(struct mb_holders *holders)
{
	size_t claims = 0;

	for (size_t i = 0; i < holders->n_files; i++)
		claims += holders->files[i].n_claims;
	free(holders->slots);
	for (holders->n_slots = 16; holders->n_slots < 2 * claims;)
		holders->n_slots *= 2;
	holders->slots = mb_alloc(holders->n_slots * sizeof *holders->slots);
	for (size_t i = 0; i < holders->n_files; i++)
		for (size_t j = 0; j < holders->files[i].n_claims; j++) {
			size_t slot = first_slot(holders, &holders->files[i].claims[j]);

			while (holders->slots[slot].file)
				slot = (slot + 1) & (holders->n_slots - 1);
			holders->slots[slot] = (struct mb_claim_ref){(uint32_t)i + 1, (uint32_t)j};
		}
}

/* The next claim of the issue from *slot on (start with first_slot); NULL when there is none left. */
static const struct mb_claim *next_claim(const struct mb_holders *holders, const struct mb_claim *issue, size_t *slot,
					 const struct mb_run_file **file)
{
	for (; holders->slots[*slot].file; *slot = (*slot + 1) & (holders->n_slots - 1)) {
		const struct mb_claim_ref *ref = &holders->slots[*slot];
		const struct mb_claim *claim = &holders->files[ref->file - 1].claims[ref->claim];

		if (!same_issue(claim, issue))
			continue;
		*file = &holders->files[ref->file - 1];
		*slot = (*slot + 1) & (holders->n_slots - 1);
		return claim;
	}
	return NULL;
}

int mb_holders_scan(struct mb_holders *holders, const char *log_path, struct mb_err *err)
{
	char *folder = mb_textf("%s.run", log_path);
	struct dirent *entry;
	DIR *dir;
	int bad = 0;

	forget_files(holders);
	if (!holders->log_path) {
		holders->log_path = mb_strdup(log_path);
		bad = mb_ident_self(&holders->self, err);
	}
	dir = bad ? NULL : opendir(folder);
	if (!dir && !bad && errno != ENOENT)
		bad = mb_err_errno(err, folder, NULL);
	while (dir && (entry = readdir(dir))) {
		const char *dot = strrchr(entry->d_name, '.');

		if (entry->d_name[0] == '.' || !dot || !strcmp(dot, ".tmp"))
			continue;
		read_run_file(holders, mb_path_join(folder, entry->d_name));
	}
	if (dir)
		closedir(dir);
	free(folder);
	index_claims(holders);
	return bad;
}

void mb_holders_release(struct mb_holders *holders)
{
	forget_files(holders);
	free(holders->files);
	free(holders->slots);
	free(holders->watched);
	free(holders->log_path);
	*holders = (struct mb_holders){0};
}

/* ---- judging ---- */

static int file_gone(const struct mb_run_file *file)
{
	if (file->ended)
		return 1;
	if (file->visible)
		return !file->alive;
	return file->untouched_s >= MB_HOLDER_GONE_S;
}

static struct mb_watch *watch_of(struct mb_holders *holders, size_t index, int64_t attempt)
{
	struct mb_watch *watch;

	while (holders->n_watched <= index)
		MB_PUSH(holders->watched, holders->n_watched, holders->cap_watched, (struct mb_watch){0});
	watch = &holders->watched[index];
	if (watch->attempt != attempt)
		*watch = (struct mb_watch){.attempt = attempt};
	return watch;
}

/* What should show up in the log or the folder soon but is not there: gone when it stays so. `age_s` is how long that has
 * been so already, when something tells. */
static enum mb_hold lost(struct mb_watch *watch, double age_s)
{
	double now = mb_clock_monotonic_s();

	if (watch->lost_since_s == 0)
		watch->lost_since_s = now - (age_s > 0 ? age_s : 0);
	return now - watch->lost_since_s >= MB_HOLDER_GONE_S ? MB_HOLD_GONE : MB_HOLD_HELD;
}

/* Seconds since the issue was made, by this host's clock. */
static double issue_age_s(const struct mb_key *key)
{
	double start = 0;

	mb_record_last_span(key->issue, "suggest", &start);
	return start > 0 ? mb_clock_now_s() - start : 0;
}

static enum mb_hold ask_owner(struct mb_holders *holders, const struct mb_key *key, struct mb_watch *watch)
{
	struct mb_ident owner;

	if (mb_ident_from_json(json_object_get(key->issue, "owner"), &owner) < 0)
		return MB_HOLD_NOBODY;
	if (mb_ident_visible(&holders->self, &owner))
		return mb_ident_alive(&owner) ? MB_HOLD_HELD : MB_HOLD_GONE;
	for (size_t i = 0; i < holders->n_files; i++) {
		const struct mb_run_file *file = &holders->files[i];

		if (!file->known || !mb_ident_equal(&file->ident, &owner))
			continue;
		watch->lost_since_s = 0;
		return file_gone(file) ? MB_HOLD_GONE : MB_HOLD_HELD;
	}
	return lost(watch, holders->once ? issue_age_s(key) : 0);
}

enum mb_hold mb_holders_ask(struct mb_holders *holders, const struct mb_log *log, size_t index)
{
	const struct mb_key *key = &log->keys[index];
	const struct mb_claim issue = {.trial = key->trial, .rung = key->rung, .attempt = key->attempt}, *claim;
	struct mb_watch *watch = watch_of(holders, index, key->attempt);
	enum mb_hold hold = MB_HOLD_NOBODY;
	const struct mb_run_file *file;
	size_t slot = first_slot(holders, &issue);

	while ((claim = next_claim(holders, &issue, &slot, &file))) {
		watch->claimed = 1;
		if (!claim->done && !file_gone(file))
			return MB_HOLD_HELD;
		if (!claim->done)
			hold = file->ended ? MB_HOLD_UNBEGUN : MB_HOLD_GONE;
		else if (lost(watch, file->alive ? 0 : file->untouched_s) == MB_HOLD_HELD)
			return MB_HOLD_HELD; /* its result is on the way to the log */
		else
			hold = MB_HOLD_GONE;
	}
	if (hold != MB_HOLD_NOBODY)
		return hold;
	if (watch->claimed) /* its trainer wrote all results and removed its file, but the log does not have this one */
		return lost(watch, 0);
	return ask_owner(holders, key, watch);
}

/* ---- sweeping ---- */

static int needed(const struct mb_run_file *file, const struct mb_log *log)
{
	struct mb_ident owner;

	for (size_t i = 0; i < file->n_claims; i++) {
		const struct mb_claim *claim = &file->claims[i];
		const struct mb_key *key = mb_log_find(log, claim->trial, claim->rung);

		if (key && key->status == MB_STATUS_OPEN && key->attempt == claim->attempt)
			return 1;
	}
	for (size_t i = 0; i < log->n_keys && !file->n_claims; i++) {
		const struct mb_key *key = &log->keys[i];

		if (key->status == MB_STATUS_OPEN && key->issue &&
		    mb_ident_from_json(json_object_get(key->issue, "owner"), &owner) == 0 &&
		    mb_ident_equal(&file->ident, &owner))
			return 1;
	}
	return 0;
}

void mb_holders_sweep(struct mb_holders *holders, const struct mb_log *log)
{
	for (size_t i = 0; i < holders->n_files; i++) {
		const struct mb_run_file *file = &holders->files[i];

		if (file->known ? file_gone(file) && !needed(file, log) : file->untouched_s >= MB_HOLDER_GONE_S)
			unlink(file->path);
	}
}
