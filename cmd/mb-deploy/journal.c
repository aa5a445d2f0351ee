/* SPDX-License-Identifier: MIT */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "deploy.h"

static const char *text_of(const json_t *line, const char *member)
{
	const char *text = json_string_value(json_object_get(line, member));

	return text ? text : "";
}

static int64_t int_of(const json_t *line, const char *member)
{
	return json_integer_value(json_object_get(line, member));
}

struct slot *journal_slot(struct journal *journal, int64_t number)
{
	for (size_t i = 0; i < journal->n_slots; i++)
		if (journal->slots[i].number == number)
			return &journal->slots[i];
	return NULL;
}

struct link *journal_link(struct journal *journal, int64_t number)
{
	return number >= 1 && (size_t)number <= journal->n_links ? &journal->links[number - 1] : NULL;
}

struct link *journal_claim(struct journal *journal, int64_t claim)
{
	for (size_t i = journal->n_links; i-- > 0;)
		if (journal->links[i].claim == claim)
			return &journal->links[i];
	return NULL;
}

/* ---- replay ---- */

static void release_link(struct link *link)
{
	free(link->job);
	free(link->refused);
}

/* The next link, or the last one once more. */
static void take_claim(struct journal *journal, const json_t *line, double at_s)
{
	struct link link = {.number = int_of(line, "link"), .claim = int_of(line, "n"), .of = int_of(line, "of"),
			    .workers = int_of(line, "workers"), .done = int_of(line, "done"), .claims = 1,
			    .at_s = at_s};
	struct link *old = journal_link(journal, link.number);

	if (old) {
		link.claims = old->claims + 1;
		release_link(old);
		*old = link;
	} else if (link.number == (int64_t)journal->n_links + 1) {
		MB_PUSH(journal->links, journal->n_links, journal->cap_links, link);
	}
}

static void take_job(struct link *link, const json_t *line)
{
	const char *job = text_of(line, "job");

	if (!link || link->job || !*job)
		return;
	link->job = mb_strdup(job);
	free(link->refused);
	link->refused = NULL;
}

static void take_link(struct journal *journal, const json_t *line, const char *event, double at_s)
{
	struct link *link = journal_claim(journal, int_of(line, "claim"));

	if (!link)
		return;
	if (!strcmp(event, "linked")) {
		take_job(link, line);
		link->linked_s = at_s;
	} else if (!strcmp(event, "over")) {
		link->over = 1;
	} else if (!link->job) {
		free(link->refused);
		link->refused = mb_strdup(text_of(line, "words"));
	}
}

/* By their numbers, as they are shown. */
static struct slot *add_slot(struct journal *journal, int64_t number)
{
	size_t at;

	MB_PUSH(journal->slots, journal->n_slots, journal->cap_slots, (struct slot){.number = number});
	for (at = journal->n_slots - 1; at > 0 && journal->slots[at - 1].number > number; at--)
		journal->slots[at] = journal->slots[at - 1];
	journal->slots[at] = (struct slot){.number = number};
	return &journal->slots[at];
}

static void take_launch(struct journal *journal, const json_t *line, double at_s)
{
	int64_t number = int_of(line, "worker");
	struct slot *slot = journal_slot(journal, number);
	struct link *link = journal_link(journal, int_of(line, "link"));

	if (!slot)
		slot = add_slot(journal, number);
	free(slot->words);
	*slot = (struct slot){
		.number = number, .launch = int_of(line, "n"), .of = int_of(line, "of"), .launch_s = at_s,
		.link = int_of(line, "link")};
	take_job(link, line);
	if (link && link->begun_s == 0)
		link->begun_s = at_s;
}

static void take_worker(struct journal *journal, struct slot *slot, const json_t *line, const char *event, double at_s)
{
	struct link *link = journal_link(journal, slot->link);

	if (mb_ident_from_json(json_object_get(line, "process"), &slot->process) == 0)
		slot->known = 1;
	if (!strcmp(event, "working")) {
		slot->begun_s = at_s;
	} else if (!strcmp(event, "stopping")) {
		slot->stopping = (int)int_of(line, "signal");
	} else if (!strcmp(event, "ended")) {
		slot->ended_s = at_s;
		if (link)
			link->ended_s = at_s;
		slot->exit = int_of(line, "exit");
		free(slot->words);
		slot->words = mb_strdup(text_of(line, "words"));
	}
}

static void take_verb(struct journal *journal, const json_t *line, int meant, double at_s)
{
	const char *verb = text_of(line, "verb");

	if (!strcmp(verb, "kill")) {
		journal->kill_open = meant;
		if (meant)
			journal->kill = int_of(line, "n");
	} else if (!strcmp(verb, "delete")) {
		journal->delete_open = meant;
	} else if (meant) {
		journal->intent_s = at_s;
	}
}

static void take_line(struct journal *journal, const json_t *line)
{
	const char *event = text_of(line, "event");
	const double at_s = json_number_value(json_object_get(line, "at"));
	struct slot *slot = journal_slot(journal, int_of(line, "worker"));

	if (int_of(line, "n") > journal->n)
		journal->n = int_of(line, "n");
	if (!strcmp(event, "made")) {
		free(journal->uuid);
		journal->uuid = mb_strdup(text_of(line, "uuid"));
	} else if (!strcmp(event, "launch")) {
		take_launch(journal, line, at_s);
	} else if (!strcmp(event, "link")) {
		take_claim(journal, line, at_s);
	} else if (!strcmp(event, "linked") || !strcmp(event, "refused") || !strcmp(event, "over")) {
		take_link(journal, line, event, at_s);
	} else if (!strcmp(event, "intent") || !strcmp(event, "result")) {
		take_verb(journal, line, !strcmp(event, "intent"), at_s);
	} else if (!strcmp(event, "span") && !strcmp(text_of(line, "phase"), "deploy")) {
		journal->spanned = int_of(line, "of");
	} else if (!strcmp(event, "workspace")) {
		journal->term = (struct workspace_term){(double)int_of(line, "until"), int_of(line, "extensions")};
		journal->extend_s = 0;
	} else if (!strcmp(event, "extend")) {
		journal->extend_s = (double)int_of(line, "until");
	} else if (slot && int_of(line, "launch") == slot->launch) {
		take_worker(journal, slot, line, event, at_s);
	}
}

/* Whole lines only: the tail of a crash is left to the next writer. */
static void replay(struct journal *journal, const struct mb_str *text)
{
	const char *at = text->at, *end = text->at + text->n, *newline;
	struct mb_err err;

	while (at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		json_t *line = mb_json_parse(at, (size_t)(newline - at), NULL, &err);

		if (json_is_object(line))
			take_line(journal, line);
		else
			journal->bad++;
		json_decref(line);
		journal->size += newline + 1 - at;
		at = newline + 1;
	}
}

int journal_update(struct journal *journal, struct mb_err *err)
{
	int fd = open(journal->path, O_RDONLY | O_CLOEXEC);
	struct mb_str text = {0};
	char chunk[65536];
	int64_t at = journal->size;
	ssize_t got;

	if (fd < 0)
		return errno == ENOENT ? 0 : mb_err_errno(err, journal->path, NULL);
	while ((got = pread(fd, chunk, sizeof chunk, at)) > 0) {
		mb_str_add(&text, chunk, (size_t)got);
		at += got;
	}
	if (got < 0)
		mb_err_errno(err, journal->path, "read");
	else if (text.n)
		replay(journal, &text);
	close(fd);
	mb_str_release(&text);
	return got < 0 ? -1 : 0;
}

int journal_open(struct journal *journal, const char *folder, int writes, struct mb_err *err)
{
	*journal = (struct journal){.path = mb_path_join(folder, "deploy.ndjson"), .fd = -1, .lock.fd = -1};
	if (writes) {
		if (mb_lock_open(&journal->lock, journal->path, getenv("MB_LOCK"), err) < 0)
			goto bad;
		journal->fd = open(journal->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
		if (journal->fd < 0) {
			mb_err_errno(err, journal->path, NULL);
			goto bad;
		}
	}
	if (journal_update(journal, err) == 0)
		return 0;
bad:
	journal_close(journal);
	return -1;
}

/* ---- writing ---- */

/* What a writer that crashed left after the last newline: its line was never acted on. */
static int cut_tail(struct journal *journal, struct mb_err *err)
{
	struct stat file;

	if (fstat(journal->fd, &file) < 0)
		return mb_err_errno(err, journal->path, NULL);
	if (file.st_size > journal->size && ftruncate(journal->fd, journal->size) < 0)
		return mb_err_errno(err, journal->path, "cannot cut off a torn line");
	return 0;
}

int journal_lock(struct journal *journal, struct mb_err *err)
{
	if (mb_lock_take(&journal->lock, err) < 0)
		return -1;
	if (journal_update(journal, err) == 0 && cut_tail(journal, err) == 0)
		return 0;
	mb_lock_drop(&journal->lock);
	return -1;
}

void journal_unlock(struct journal *journal)
{
	mb_lock_drop(&journal->lock);
}

int64_t journal_append(struct journal *journal, json_t *line, struct mb_err *err)
{
	json_t *numbered = json_object();
	struct mb_str text = {0};
	struct timespec now;
	int64_t n = journal->n + 1;
	ssize_t wrote;

	clock_gettime(CLOCK_REALTIME, &now);
	mb_json_set(numbered, "n", json_integer(n));
	mb_json_set(numbered, "at", json_real((double)now.tv_sec + round((double)now.tv_nsec / 1e3) / 1e6));
	json_object_update(numbered, line);
	json_decref(line);
	mb_json_print(numbered, &text);
	mb_str_adds(&text, "\n");
	deploy_step();
	if (!mb_lock_still_ours(&journal->lock)) {
		n = mb_err_set(err, MB_EXIT_SYSTEM, journal->path, "the lock was lost while this process slept");
	} else {
		wrote = write(journal->fd, text.at, text.n);
		if (wrote != (ssize_t)text.n) {
			errno = wrote < 0 ? errno : ENOSPC;
			n = mb_err_errno(err, journal->path, "write");
			(void)!ftruncate(journal->fd, journal->size);
		} else if (fdatasync(journal->fd) < 0) {
			n = mb_err_errno(err, journal->path, "write");
		} else {
			take_line(journal, numbered);
			journal->size += wrote;
		}
	}
	deploy_step();
	json_decref(numbered);
	mb_str_release(&text);
	return n;
}

int64_t journal_add(struct journal *journal, json_t *line, struct mb_err *err)
{
	int64_t n;

	if (journal_lock(journal, err) < 0) {
		json_decref(line);
		return -1;
	}
	n = journal_append(journal, line, err);
	journal_unlock(journal);
	return n;
}

json_t *journal_verb(const char *event, const char *verb)
{
	json_t *line = json_object();

	mb_json_set(line, "event", json_string(event));
	mb_json_set(line, "verb", json_string(verb));
	return line;
}

json_t *journal_worker(const char *event, int64_t number)
{
	json_t *line = json_object();

	mb_json_set(line, "event", json_string(event));
	mb_json_set(line, "worker", json_integer(number));
	return line;
}

/* As mb-time writes them, so that its report counts it. */
json_t *journal_span(const char *phase, double start_s, double seconds)
{
	json_t *line = json_object();
	double times[2] = {start_s, seconds};
	char id[17];

	snprintf(id, sizeof id, "%016llx",
		 (unsigned long long)mb_hash_bytes(times, sizeof times, (uint64_t)getpid()) | 1);
	mb_json_set(line, "event", json_string("span"));
	mb_json_set(line, "id", json_string(id));
	mb_json_set(line, "phase", json_string(phase));
	mb_json_set(line, "start", json_real(round(start_s * 1e6) / 1e6));
	mb_json_set(line, "seconds", json_real(seconds > 0 ? round(seconds * 1e6) / 1e6 : 0.0));
	return line;
}

void journal_close(struct journal *journal)
{
	for (size_t i = 0; i < journal->n_slots; i++)
		free(journal->slots[i].words);
	free(journal->slots);
	for (size_t i = 0; i < journal->n_links; i++)
		release_link(&journal->links[i]);
	free(journal->links);
	free(journal->uuid);
	free(journal->path);
	if (journal->fd >= 0)
		close(journal->fd);
	mb_lock_close(&journal->lock);
	*journal = (struct journal){.fd = -1, .lock.fd = -1};
}
