/* SPDX-License-Identifier: MIT
 *
 * Whose turn it is at the service: one process of a log at a time, by the lock of `<log>.sigopt`. That file says which
 * experiment it is, who was there last, and whether that turn came to its end. It is a help, not a memory: without it the
 * experiment's number is read from the log.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "sigopt.h"

static void new_key(char key[40])
{
	uint64_t random[2] = {(uint64_t)(mb_clock_now_s() * 1e6), (uint64_t)getpid()};

	(void)!getrandom(random, sizeof random, 0);
	snprintf(key, 40, "%016llx%016llx", (unsigned long long)random[0], (unsigned long long)random[1]);
}

int sigopt_state_open(struct sigopt_state *state, const struct mb_log *log, struct mb_err *err)
{
	struct mb_ident self;

	*state = (struct sigopt_state){.lock = {.fd = -1}};
	new_key(state->key);
	if (log->mode == MB_LOG_MEMORY)
		return 0;
	if (mb_ident_self(&self, err) < 0)
		return -1;
	snprintf(state->me, sizeof state->me, "%s %lld %lld", self.host, (long long)self.pid, (long long)self.start_ticks);
	state->path = mb_textf("%s.sigopt", log->path);
	return mb_lock_open(&state->lock, state->path, log->lock.kind == MB_LOCK_LINK ? "link" : "ofd", err);
}

static void read_state(struct sigopt_state *state, const json_t *json)
{
	const char *key = json_string_value(json_object_get(json, "key")),
		   *user = json_string_value(json_object_get(json, "user"));
	int busy = json_is_true(json_object_get(json, "busy"));
	char *experiment = sigopt_id(json_object_get(json, "experiment"));

	if (key && *key && strlen(key) < sizeof state->key)
		snprintf(state->key, sizeof state->key, "%s", key);
	if (experiment) {
		free(state->experiment);
		state->experiment = experiment;
	}
	state->others = !user || strcmp(user, state->me) || busy;
	state->crashed = busy;
}

/* A file that is not there or cannot be read is as good as a new one. */
static void look(struct sigopt_state *state)
{
	struct mb_str text = {0};
	struct mb_err ignored;
	json_t *json = NULL;

	state->others = 1;
	state->crashed = 0;
	if (mb_file_read(state->path, 65536, &text, &ignored) == 0 && text.n)
		json = mb_json_parse(text.at, text.n, state->path, &ignored);
	if (json_is_object(json))
		read_state(state, json);
	json_decref(json);
	mb_str_release(&text);
}

int sigopt_state_take(struct sigopt_state *state, struct sigopt_link *link, struct mb_err *err)
{
	int taken = 0;

	if (!state->path) {
		state->held = 1;
		return 0;
	}
	while (!(taken = mb_lock_try(&state->lock, err)))
		if (sigopt_nap(link, 0.05, err) < 0)
			return -1;
	if (taken < 0)
		return -1;
	state->held = 1;
	look(state);
	return sigopt_state_write(state, 1, err);
}

int sigopt_state_write(const struct sigopt_state *state, int busy, struct mb_err *err)
{
	struct mb_str text = {0};
	json_t *json;
	int bad;

	if (!state->path)
		return 0;
	if (!mb_lock_still_ours(&state->lock))
		return mb_err_set(err, MB_EXIT_SYSTEM, state->path, "another process took the lock over while this one slept");
	json = json_pack("{s:s, s:s*, s:s, s:b}", "key", state->key, "experiment", state->experiment, "user", state->me,
			 "busy", busy);
	mb_json_print(json, &text);
	mb_str_adds(&text, "\n");
	bad = mb_file_replace(state->path, text.at, text.n, !state->experiment, err); /* the key is needed until there is a number */
	mb_str_release(&text);
	json_decref(json);
	return bad;
}

void sigopt_state_drop(struct sigopt_state *state)
{
	if (state->held && state->path)
		mb_lock_drop(&state->lock);
	state->held = 0;
}

void sigopt_state_close(struct sigopt_state *state)
{
	sigopt_state_drop(state);
	mb_lock_close(&state->lock);
	free(state->path);
	free(state->experiment);
}
