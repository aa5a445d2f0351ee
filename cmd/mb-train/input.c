/* SPDX-License-Identifier: MIT
 *
 * What comes in: suggestions are claimed in the run file the moment they are read, so that everybody can see who has
 * them; everything else passes through.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "train.h"

void input_open(struct input *input)
{
	*input = (struct input){.holder = {.fd = -1}};
	mb_lines_init(&input->lines, STDIN_FILENO);
}

static void claim(struct train *train, struct input *input, const struct suggestion *suggestion)
{
	struct mb_err err;
	char text[2200];

	if (!input->holds && train->log_path && mb_holder_open(&input->holder, train->log_path, &err) < 0)
		mb_tool_detail(&train->tool, "no run file: %s", mb_err_text(&err, text, sizeof text));
	input->holds = 1;
	mb_holder_claim(&input->holder, suggestion->trial, suggestion->rung, suggestion->attempt);
}

/* What a suggestion needs beyond being a record. */
static int check_suggestion(struct train *train, struct mb_record *record, const char *where, struct mb_err *err)
{
	if (!record->trial) {
		mb_err_set(err, MB_EXIT_RECORD, where, "trial: a suggestion needs one, an integer of at least 1");
		return mb_err_hint(err, "mb-suggest numbers them");
	}
	if (!json_object_get(record->json, "assignments"))
		return mb_err_set(err, MB_EXIT_RECORD, where, "assignments: a suggestion needs them, an object");
	if (!json_object_get(record->json, "seed"))
		mb_json_set(record->json, "seed", json_integer(0));
	return train->job->check ? train->job->check(train, record->json, where, err) : 0;
}

static int check_experiment(struct train *train, struct input *input, const json_t *json, const char *where,
			    struct mb_err *err)
{
	const char *name = json_string_value(json_object_get(json, "experiment"));

	if (!name || !strcmp(name, train->experiment->name))
		return 0;
	input->foreign = 1;
	return mb_err_set(err, MB_EXIT_RECORD, where, "experiment: \"%.100s\" is not \"%s\", that of %s", name,
			  train->experiment->name, train->experiment->path);
}

static int take_line(struct train *train, struct input *input, struct mb_line *line)
{
	struct mb_record record;
	struct mb_err err;
	struct suggestion *suggestion;
	char where[32];
	int bad;

	if (mb_line_is_blank(line))
		return 0;
	snprintf(where, sizeof where, "stdin:%zu", line->number);
	bad = mb_record_parse(&record, line->text, line->n, where, &err);
	if (!bad && (check_experiment(train, input, record.json, where, &err) < 0 ||
		     (record.status == MB_STATUS_OPEN && check_suggestion(train, &record, where, &err) < 0))) {
		mb_record_release(&record);
		bad = -1;
	}
	if (bad) {
		mb_tool_fail(&train->tool, &err);
		input->bad++;
		return 0;
	}
	if (record.status != MB_STATUS_OPEN) {
		line->text[line->n] = '\n'; /* one write: others may share the pipe */
		bad = input_pass_on(train, input, line->text, line->n + 1);
		mb_record_release(&record);
		return bad ? -1 : 0;
	}
	suggestion = mb_alloc(sizeof *suggestion);
	*suggestion = (struct suggestion){record.json, record.trial, record.rung, record.attempt, 0};
	claim(train, input, suggestion);
	MB_PUSH(input->queue, input->n, input->cap, suggestion);
	return 0;
}

int input_pass_on(struct train *train, struct input *input, const char *text, size_t n)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
	int ready;

	while ((ready = poll(&out, 1, 1000)) == 0 || (ready < 0 && errno == EINTR))
		mb_holder_touch(&input->holder);
	return mb_tool_write(&train->tool, text, n);
}

int input_take(struct train *train, struct input *input)
{
	struct mb_line line;

	mb_lines_fill(&input->lines);
	while (mb_lines_buffered(&input->lines, &line) == MB_LINE)
		if (take_line(train, input, &line) < 0)
			return -1;
	return 0;
}

struct suggestion *input_next(struct input *input)
{
	struct suggestion *suggestion;

	if (input->head == input->n)
		return NULL;
	suggestion = input->queue[input->head++];
	if (input->head == input->n)
		input->head = input->n = 0;
	return suggestion;
}

size_t input_waiting(const struct input *input)
{
	return input->n - input->head;
}

struct suggestion *input_next_like(struct train *train, struct input *input, const struct suggestion *first)
{
	for (size_t i = input->head; i < input->n; i++) {
		struct suggestion *found = input->queue[i];

		if (found->alone || !train->job->alike(train, first->json, found->json))
			continue;
		memmove(input->queue + i, input->queue + i + 1, (--input->n - i) * sizeof *input->queue);
		return found;
	}
	return NULL;
}

void input_give_back(struct input *input, struct suggestion *suggestion)
{
	if (input->head == 0) {
		MB_PUSH(input->queue, input->n, input->cap, NULL);
		memmove(input->queue + 1, input->queue, (input->n - 1) * sizeof *input->queue);
		input->head = 1;
	}
	input->queue[--input->head] = suggestion;
}

void suggestion_free(struct suggestion *suggestion)
{
	json_decref(suggestion->json);
	free(suggestion);
}

void input_close(struct input *input)
{
	struct suggestion *suggestion;

	while ((suggestion = input_next(input)))
		suggestion_free(suggestion);
	free(input->queue);
	mb_lines_release(&input->lines);
	mb_holder_close(&input->holder);
}
