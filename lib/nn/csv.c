/* SPDX-License-Identifier: MIT */
#include "nn/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int mb_csv_open(struct mb_csv *csv, const char *path, struct mb_err *err)
{
	const char *nul;

	*csv = (struct mb_csv){.path = path};
	if (mb_file_read(path, 0, &csv->text, err) < 0)
		return -1;
	nul = csv->text.n ? memchr(csv->text.at, 0, csv->text.n) : NULL;
	if (nul)
		return mb_err_set(err, MB_EXIT_SYSTEM, path, "a NUL byte at %zu: no text", (size_t)(nul - csv->text.at));
	mb_str_add(&csv->text, "", 1); /* an end for the loops below to see */
	csv->text.n--;
	mb_csv_rewind(csv);
	return 0;
}

void mb_csv_close(struct mb_csv *csv)
{
	mb_str_release(&csv->text);
	mb_str_release(&csv->row);
	free(csv->starts);
	*csv = (struct mb_csv){0};
}

void mb_csv_rewind(struct mb_csv *csv)
{
	csv->at = strncmp(csv->text.at, "\xef\xbb\xbf", 3) ? 0 : 3;
	csv->line = csv->next = 1;
	csv->n = 0;
}

const char *mb_csv_field(const struct mb_csv *csv, size_t i)
{
	return csv->row.at + csv->starts[i];
}

static int wrong(const struct mb_csv *csv, size_t line, const char *what, struct mb_err *err)
{
	char where[512];

	snprintf(where, sizeof where, "%s:%zu:%zu", csv->path, line, csv->n + 1);
	return mb_err_set(err, MB_EXIT_SYSTEM, where, "%s", what);
}

static int is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* LF, CRLF, the end, or a CR before it. */
static int ends_line(const char *at)
{
	at += *at == '\r';
	return !*at || *at == '\n';
}

/* Past a line break, CR or not; 0: there is none here. */
static int skip_break(struct mb_csv *csv)
{
	const char *at = csv->text.at + csv->at;
	const size_t n = *at == '\n' ? 1 : *at == '\r' && at[1] == '\n' ? 2 : 0;

	csv->at += n;
	csv->next += n > 0;
	return n > 0;
}

/* After the opening quote, up to the comma, line break or end behind the closing one. */
static int quoted(struct mb_csv *csv, struct mb_err *err)
{
	const size_t opened = csv->next;

	for (;;) {
		const char *at = csv->text.at + csv->at;
		const size_t n = strcspn(at, "\"\n");

		mb_str_add(&csv->row, at, n);
		csv->at += n;
		if (!at[n])
			return wrong(csv, opened, "a quote begins here and does not end", err);
		csv->at++;
		if (at[n] == '\n') {
			mb_str_add(&csv->row, "\n", 1);
			csv->next++;
		} else if (at[n + 1] == '"') {
			mb_str_add(&csv->row, "\"", 1);
			csv->at++;
		} else {
			break;
		}
	}
	while (is_blank(csv->text.at[csv->at]))
		csv->at++;
	if (csv->text.at[csv->at] != ',' && !ends_line(csv->text.at + csv->at))
		return wrong(csv, csv->next, "text after the closing quote", err);
	return 0;
}

static void bare(struct mb_csv *csv)
{
	const char *at = csv->text.at + csv->at;
	size_t n = strcspn(at, ",\n");

	csv->at += n;
	if (at[n] != ',' && n && at[n - 1] == '\r') {
		n--;
		csv->at--;
	}
	while (n && is_blank(at[n - 1]))
		n--;
	mb_str_add(&csv->row, at, n);
}

static int field(struct mb_csv *csv, struct mb_err *err)
{
	csv->starts = mb_grow(csv->starts, &csv->cap, csv->n + 1, sizeof *csv->starts);
	csv->starts[csv->n] = csv->row.n;
	while (is_blank(csv->text.at[csv->at]))
		csv->at++;
	if (csv->text.at[csv->at] == '"') {
		csv->at++;
		if (quoted(csv, err) < 0)
			return -1;
	} else {
		bare(csv);
	}
	mb_str_add(&csv->row, "", 1);
	csv->n++;
	return 0;
}

int mb_csv_row(struct mb_csv *csv, struct mb_err *err)
{
	csv->n = 0;
	mb_str_clear(&csv->row);
	while (skip_break(csv))
		;
	csv->line = csv->next;
	if (csv->at >= csv->text.n)
		return 0;
	for (;;) {
		if (field(csv, err) < 0)
			return -1;
		if (csv->text.at[csv->at] != ',')
			break;
		csv->at++;
	}
	if (!skip_break(csv))
		csv->at = csv->text.n;
	return 1;
}
