/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

int mb_err_set(struct mb_err *err, enum mb_exit code, const char *where, const char *fmt, ...)
{
	va_list args;

	err->code = code;
	err->hint[0] = '\0';
	snprintf(err->where, sizeof err->where, "%s", where ? where : "");
	va_start(args, fmt);
	vsnprintf(err->what, sizeof err->what, fmt, args);
	va_end(args);
	return -1;
}

int mb_err_errno(struct mb_err *err, const char *where, const char *doing)
{
	int saved = errno;

	if (doing)
		return mb_err_set(err, MB_EXIT_SYSTEM, where, "%s: %s", doing, strerror(saved));
	return mb_err_set(err, MB_EXIT_SYSTEM, where, "%s", strerror(saved));
}

int mb_err_hint(struct mb_err *err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(err->hint, sizeof err->hint, fmt, args);
	va_end(args);
	return -1;
}

char *mb_err_text(const struct mb_err *err, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s%s%s%s", err->where, err->where[0] ? ": " : "", err->what,
		 err->hint[0] ? " (" : "", err->hint, err->hint[0] ? ")" : "");
	return text;
}

int mb_errs_add(struct mb_errs *errs, const struct mb_err *err)
{
	MB_PUSH(errs->at, errs->n, errs->cap, *err);
	return -1;
}

void mb_errs_release(struct mb_errs *errs)
{
	free(errs->at);
	*errs = (struct mb_errs){0};
}
