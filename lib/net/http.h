/* SPDX-License-Identifier: MIT
 *
 * HTTP requests with JSON bodies, by libcurl, which is loaded at the first mb_http_new: a program that sends nothing
 * starts without it. The connection is kept from one GET to the next. Certificates are checked, redirections are not
 * followed, and nothing is logged: what is secret goes to libcurl's own calls alone.
 *
 *     struct mb_http *http = mb_http_new(&err);                  // NULL: exit 4, names the package
 *     struct mb_http_answer answer = {0};
 *     if (mb_http_send(http, &(struct mb_http_request){.method = "GET", .url = url, .timeout_s = 30}, &answer, &err) == 0)
 *             … answer.status, answer.body …
 *     mb_http_answer_release(&answer);
 *     mb_http_free(http);
 */
#ifndef MB_NET_HTTP_H
#define MB_NET_HTTP_H

#include "base/base.h"

struct mb_http;

struct mb_http_request {
	const char *method, *url; /* url: http or https */
	const char *user;         /* for basic authentication, with an empty password; NULL: none */
	const char *body;         /* sent as application/json; NULL: none */
	size_t n;
	double timeout_s;         /* for the whole request */
	int (*stop)(void *);      /* called five times a second at least; 1 ends the request. NULL: none */
	void *arg;
};

struct mb_http_answer {
	int status;           /* 200, 404 … */
	double retry_after_s; /* as the answer's header says; 0: not given */
	struct mb_str body;
};

/* NULL with MB_EXIT_SYSTEM and what to install. */
struct mb_http *mb_http_new(struct mb_err *err);
void mb_http_free(struct mb_http *http); /* NULL is fine */

/* 0 when an answer came, whatever its status; -1 when none or half of one did: the request may have been acted upon.
 * err: MB_EXIT_SYSTEM, or MB_EXIT_OK when `stop` ended it. */
int mb_http_send(struct mb_http *http, const struct mb_http_request *request, struct mb_http_answer *answer,
		 struct mb_err *err);
void mb_http_answer_release(struct mb_http_answer *answer);

/* 1 when a secret may be sent there: https, or http to this very machine. `url` begins with one of the two, names a host,
 * and holds no user, query or fragment; else -1. */
int mb_http_is_private(const char *url);

#endif
