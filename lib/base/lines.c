/* SPDX-License-Identifier: MIT */
#include "base/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"

enum { CHUNK = 65536 };

void mb_lines_init(struct mb_lines *lines, int fd)
{
	*lines = (struct mb_lines){.fd = fd};
}

enum mb_line_result mb_lines_fill(struct mb_lines *lines)
{
	struct mb_str *buffer = &lines->buffer;
	ssize_t got;

	if (lines->end || lines->error)
		return lines->error ? MB_LINE_ERROR : MB_LINE_END;
	if (lines->at) {
		memmove(buffer->at, buffer->at + lines->at, buffer->n - lines->at);
		buffer->n -= lines->at;
		lines->scanned -= lines->at;
		lines->at = 0;
	}
	buffer->at = mb_grow(buffer->at, &buffer->cap, buffer->n + CHUNK + 1, 1);
	got = read(lines->fd, buffer->at + buffer->n, CHUNK);
	if (got > 0) {
		buffer->n += (size_t)got;
		return MB_LINE;
	}
	if (got == 0) {
		lines->end = 1;
		return MB_LINE_END;
	}
	if (errno == EAGAIN || errno == EINTR)
		return MB_LINE_NONE;
	lines->error = errno;
	return MB_LINE_ERROR;
}

enum mb_line_result mb_lines_buffered(struct mb_lines *lines, struct mb_line *line)
{
	struct mb_str *buffer = &lines->buffer;
	char *start = buffer->at + lines->at;
	char *newline = NULL;
	size_t end;

	if (buffer->n > lines->scanned)
		newline = memchr(buffer->at + lines->scanned, '\n', buffer->n - lines->scanned);
	if (!newline) {
		lines->scanned = buffer->n;
		if (!lines->end)
			return lines->error ? MB_LINE_ERROR : MB_LINE_NONE;
		if (lines->at == buffer->n)
			return MB_LINE_END;
	}
	end = newline ? (size_t)(newline - buffer->at) : buffer->n;
	buffer->at[end] = '\0'; /* there is always room for one byte more, see mb_lines_fill */
	*line = (struct mb_line){.text = start, .n = end - lines->at, .number = ++lines->number, .whole = newline != NULL};
	lines->at = end + (newline != NULL);
	lines->scanned = lines->at;
	return MB_LINE;
}

enum mb_line_result mb_lines_next(struct mb_lines *lines, struct mb_line *line)
{
	for (;;) {
		enum mb_line_result result = mb_lines_buffered(lines, line);

		if (result != MB_LINE_NONE)
			return result;
		result = mb_lines_fill(lines);
		if (result == MB_LINE_NONE || result == MB_LINE_ERROR)
			return result;
	}
}

int mb_line_is_blank(const struct mb_line *line)
{
	return strspn(line->text, " \t\r") == line->n;
}

void mb_lines_release(struct mb_lines *lines)
{
	mb_str_release(&lines->buffer);
}
