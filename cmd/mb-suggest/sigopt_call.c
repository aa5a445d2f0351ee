/* SPDX-License-Identifier: MIT
 *
 * One request to the SigOpt service, and again while it is busy (429, 5xx) or does not answer.
 */
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sigopt.h"

static const double first_wait_s = 0.25, most_wait_s = 30, request_s = 120, patience_s = 300, tell_s = 10;

/* A request without an answer may still be on its way into the service: not looked after at once. */
static const double settle_s = 1;

enum { PAGE = 100 };

void sigopt_link_init(struct sigopt_link *link, const struct mb_tool *tool, const struct sigopt_account *account)
{
	const char *patience = getenv("MB_SIGOPT_PATIENCE");

	*link = (struct sigopt_link){.tool = tool, .account = account, .patience_s = patience_s};
	if (patience && *patience &&
	    (mb_num_double(patience, &link->patience_s) < 0 || !(link->patience_s >= 0))) {
		mb_tool_warn(tool, "MB_SIGOPT_PATIENCE: %.40s is not a number of seconds; taken as %g", patience,
			     patience_s);
		link->patience_s = patience_s;
	}
	/* Another stream in each process, or those that failed together would come back together. */
	mb_rng_init(&link->rng, mb_hash_mix((uint64_t)getpid()) ^ (uint64_t)(mb_clock_now_s() * 1e6), 0, MB_RNG_BACKOFF);
}

void sigopt_link_release(struct sigopt_link *link)
{
	mb_http_free(link->http);
}

static int stop(void *arg)
{
	const struct sigopt_link *link = arg;

	return link->stop && link->stop(link->arg);
}

int sigopt_nap(struct sigopt_link *link, double seconds, struct mb_err *err)
{
	double end_s = mb_clock_monotonic_s() + seconds, left;

	while ((left = end_s - mb_clock_monotonic_s()) > 0) {
		if (stop(link))
			return mb_err_set(err, MB_EXIT_OK, NULL, "stopped");
		poll(NULL, 0, left < 0.2 ? (int)(left * 1000) + 1 : 200);
	}
	return 0;
}

/* ---- what went wrong ---- */

/* The words of the service, which might repeat what it was sent: without the token. */
static void add_words(struct mb_str *text, const char *words, const char *token)
{
	const char *at;

	while (*token && (at = strstr(words, token))) {
		mb_str_add(text, words, (size_t)(at - words));
		mb_str_adds(text, "[token]");
		words = at + strlen(token);
	}
	mb_str_adds(text, words);
}

/* "503 Service unavailable", or why there was no answer. */
static char *reason_of(const struct sigopt_link *link, const struct mb_http_answer *answer, const struct mb_err *err)
{
	struct mb_str text = {0};
	struct mb_err ignored;
	json_t *body = NULL;
	const char *message;

	if (err) {
		add_words(&text, err->what, link->account->token);
		return mb_str_take(&text);
	}
	if (answer->body.n)
		body = mb_json_parse(answer->body.at, answer->body.n, NULL, &ignored);
	message = json_string_value(json_object_get(body, "message"));
	mb_str_addf(&text, "%d", answer->status);
	if (message) {
		mb_str_adds(&text, " ");
		add_words(&text, message, link->account->token);
	}
	json_decref(body);
	return mb_str_take(&text);
}

static int refused(const struct sigopt_link *link, const char *method, const char *url,
		   const struct mb_http_answer *answer, struct mb_err *err)
{
	char *reason = reason_of(link, answer, NULL);

	mb_err_set(err, MB_EXIT_SYSTEM, url, "%s: the service answers %.700s", method, reason);
	free(reason);
	if (answer->status == 401 || answer->status == 403)
		return mb_err_hint(err, "is the token right? see SIGOPT_ENV_FILE in mb-suggest(1)");
	return -1;
}

/* ---- again ---- */

/* Waits before the next attempt: 0, or -1 when it is time to give up. */
static int wait_again(struct sigopt_link *link, const char *url, const char *reason, double least_s, struct mb_err *err)
{
	double now_s = mb_clock_monotonic_s(), wait_s;

	if (!link->failures++)
		link->failing_since_s = now_s;
	wait_s = fmax(least_s, mb_backoff_s(&link->rng, link->failures, first_wait_s, most_wait_s));
	mb_tool_detail(link->tool, "%s: %.300s; attempt %u in %.1f s", url, reason, link->failures + 1, wait_s);
	if (now_s + wait_s - link->failing_since_s > link->patience_s) {
		mb_err_set(err, MB_EXIT_SYSTEM, url, "no use of the service for %.0f s, the last: %.600s",
			   now_s - link->failing_since_s, reason);
		return mb_err_hint(err, "nothing is lost: the same command goes on later; -a auto goes on without the service");
	}
	if (!link->told && now_s - link->failing_since_s > tell_s) {
		mb_tool_say(link->tool, "%s: %.300s; trying for %.0f s in all", link->account->url, reason,
			    link->patience_s);
		link->told = 1;
	}
	return sigopt_nap(link, wait_s, err);
}

static int take_answer(struct mb_http_answer *from, const char *url, json_t **answer, struct mb_err *err)
{
	struct mb_err bad;

	if (!answer)
		return 0;
	if (from->status == 204 || !from->body.n) {
		*answer = json_object();
		return 0;
	}
	*answer = mb_json_parse(from->body.at, from->body.n, url, &bad);
	if (json_is_object(*answer))
		return 0;
	json_decref(*answer);
	*answer = NULL;
	mb_err_set(err, MB_EXIT_SYSTEM, url, "the answer is no JSON object: this is not SigOpt's service");
	return mb_err_hint(err, "see sigopt_options.api_url");
}

/* One attempt: as sigopt_call, or 2 to try again at once. */
static int attempt(struct sigopt_link *link, const struct mb_http_request *request, json_t **answer, struct mb_err *err)
{
	struct mb_http_answer got = {0};
	struct mb_err none;
	int came = mb_http_send(link->http, request, &got, &none) == 0, result = 2;
	int is_post = !strcmp(request->method, "POST");

	if (!came && none.code == MB_EXIT_OK) {
		*err = none;
		result = -1;
	} else if (came && got.status >= 200 && got.status < 300) {
		link->failures = 0;
		link->told = 0;
		result = take_answer(&got, request->url, answer, err);
	} else if (came && got.status != 429 && got.status < 500) {
		result = refused(link, request->method, request->url, &got, err);
	} else {
		char *reason = reason_of(link, &got, came ? NULL : &none);
		/* 429 was turned away at the door. Of any other request it is not known whether it was heard. */
		int unsure = is_post && !(came && got.status == 429);

		if (wait_again(link, request->url, reason, came ? got.retry_after_s : is_post ? settle_s : 0, err) < 0)
			result = -1;
		else if (unsure)
			result = 1;
		free(reason);
	}
	mb_http_answer_release(&got);
	return result;
}

int sigopt_call(struct sigopt_link *link, const char *method, const char *path, const json_t *body, json_t **answer,
		struct mb_err *err)
{
	char *url = mb_textf("%s%s", link->account->url, path);
	struct mb_http_request request = {.method = method, .url = url, .user = link->account->token,
					  .timeout_s = request_s, .stop = stop, .arg = link};
	struct mb_str text = {0};
	int result = 2;

	if (answer)
		*answer = NULL;
	if (body) {
		mb_json_print(body, &text);
		request.body = text.at;
		request.n = text.n;
	}
	if (!link->http)
		link->http = mb_http_new(err);
	if (!link->http)
		result = -1;
	while (result == 2)
		result = attempt(link, &request, answer, err);
	mb_str_release(&text);
	free(url);
	return result;
}

/* ---- lists ---- */

char *sigopt_id(const json_t *id)
{
	const char *text = json_string_value(id);

	if (json_is_integer(id))
		return mb_textf("%lld", (long long)json_integer_value(id));
	if (!text || !*text || strlen(text) > 64 ||
	    text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")])
		return NULL;
	return mb_strdup(text);
}

/* A page's marker may hold anything. */
static void add_escaped(struct mb_str *text, const char *marker)
{
	for (; *marker; marker++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", *marker))
			mb_str_add(text, marker, 1);
		else
			mb_str_addf(text, "%%%02X", (unsigned char)*marker);
}

/* The next page's path from this page's marker; NULL when this was the last. */
static char *next_page(const char *path, const char *query, const json_t *before)
{
	struct mb_str text = {0};
	char number[32];

	mb_str_addf(&text, "%s?limit=%d", path, PAGE);
	if (query)
		mb_str_addf(&text, "&%s", query);
	if (!before)
		return mb_str_take(&text);
	snprintf(number, sizeof number, "%lld", (long long)json_integer_value(before));
	mb_str_adds(&text, "&before=");
	add_escaped(&text, json_is_string(before) ? json_string_value(before) : number);
	return mb_str_take(&text);
}

int sigopt_list(struct sigopt_link *link, const char *path, const char *query, int (*take)(void *, json_t *item),
		void *arg, struct mb_err *err)
{
	char *page = next_page(path, query, NULL);
	int result = 0;

	while (page && !result) {
		json_t *answer, *before;

		result = sigopt_call(link, "GET", page, NULL, &answer, err);
		free(page);
		page = NULL;
		if (result < 0)
			break;
		for (size_t i = 0; !result && i < json_array_size(json_object_get(answer, "data")); i++)
			result = take(arg, json_array_get(json_object_get(answer, "data"), i));
		before = json_object_get(json_object_get(answer, "paging"), "before");
		if (!result && before && !json_is_null(before))
			page = next_page(path, query, before);
		json_decref(answer);
	}
	free(page);
	return result < 0 ? -1 : 0;
}
