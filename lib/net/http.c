/* SPDX-License-Identifier: MIT */
#include "net/http.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONNECT_MS = 10000,
	POLL_MS = 200,
	MOST_BYTES = 64 << 20 /* of an answer */
};

/* libcurl's functions, by their own names without the prefix. */
static struct {
	CURLcode (*global_init)(long);
	CURL *(*easy_init)(void);
	void (*easy_reset)(CURL *);
	CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
	CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
	const char *(*easy_strerror)(CURLcode);
	void (*easy_cleanup)(CURL *);
	CURLM *(*multi_init)(void);
	CURLMcode (*multi_add_handle)(CURLM *, CURL *);
	CURLMcode (*multi_remove_handle)(CURLM *, CURL *);
	CURLMcode (*multi_perform)(CURLM *, int *);
	CURLMcode (*multi_poll)(CURLM *, struct curl_waitfd *, unsigned, int, int *);
	CURLMsg *(*multi_info_read)(CURLM *, int *);
	CURLMcode (*multi_cleanup)(CURLM *);
	struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
	void (*slist_free_all)(struct curl_slist *);
} curl;

static const struct {
	const char *name;
	void *function;
} symbols[] = {
	{"curl_easy_init", &curl.easy_init},
	{"curl_easy_reset", &curl.easy_reset},
	{"curl_easy_setopt", &curl.easy_setopt},
	{"curl_easy_getinfo", &curl.easy_getinfo},
	{"curl_easy_strerror", &curl.easy_strerror},
	{"curl_easy_cleanup", &curl.easy_cleanup},
	{"curl_multi_init", &curl.multi_init},
	{"curl_multi_add_handle", &curl.multi_add_handle},
	{"curl_multi_remove_handle", &curl.multi_remove_handle},
	{"curl_multi_perform", &curl.multi_perform},
	{"curl_multi_poll", &curl.multi_poll},
	{"curl_multi_info_read", &curl.multi_info_read},
	{"curl_multi_cleanup", &curl.multi_cleanup},
	{"curl_slist_append", &curl.slist_append},
	{"curl_slist_free_all", &curl.slist_free_all},
	{"curl_global_init", &curl.global_init}, /* last: its being there says that all are */
};

struct mb_http {
	CURL *easy;
	CURLM *multi; /* keeps the connection */
};

static int find_all(void *library)
{
	for (size_t i = 0; i < MB_COUNT(symbols); i++) {
		void *found = dlsym(library, symbols[i].name);

		if (!found)
			return -1;
		memcpy(symbols[i].function, &found, sizeof found); /* the cast that ISO C has not got */
	}
	return 0;
}

static int load(struct mb_err *err)
{
	static const char *const libraries[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};

	for (size_t i = 0; !curl.global_init && i < MB_COUNT(libraries); i++) {
		void *library = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);

		if (library && find_all(library) == 0)
			curl.global_init(CURL_GLOBAL_DEFAULT);
	}
	if (curl.global_init)
		return 0;
	mb_err_set(err, MB_EXIT_SYSTEM, NULL, "no libcurl: %s and %s cannot be loaded", libraries[0], libraries[1]);
	return mb_err_hint(err, "apt-get install libcurl4");
}

struct mb_http *mb_http_new(struct mb_err *err)
{
	struct mb_http *http;

	if (load(err) < 0)
		return NULL;
	http = mb_alloc(sizeof *http);
	*http = (struct mb_http){curl.easy_init(), curl.multi_init()};
	if (http->easy && http->multi)
		return http;
	mb_http_free(http);
	mb_err_set(err, MB_EXIT_SYSTEM, NULL, "libcurl: out of memory");
	return NULL;
}

void mb_http_free(struct mb_http *http)
{
	if (!http)
		return;
	if (http->easy)
		curl.easy_cleanup(http->easy);
	if (http->multi)
		curl.multi_cleanup(http->multi);
	free(http);
}

void mb_http_answer_release(struct mb_http_answer *answer)
{
	mb_str_release(&answer->body);
	*answer = (struct mb_http_answer){0};
}

/* ---- addresses ---- */

static int is_this_machine(const char *host, size_t n)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

	for (size_t i = 0; i < MB_COUNT(names); i++)
		if (strlen(names[i]) == n && !strncmp(host, names[i], n))
			return 1;
	return 0;
}

int mb_http_is_private(const char *url)
{
	int secure = !strncmp(url, "https://", 8);
	const char *host = url + (secure ? 8 : 7);
	size_t n;

	if (!secure && strncmp(url, "http://", 7))
		return -1;
	for (const char *at = url; *at; at++)
		if ((unsigned char)*at <= ' ' || strchr("@?#\\\"<>\177", *at))
			return -1;
	n = *host == '[' ? strcspn(host, "]/") + 1 : strcspn(host, ":/");
	if (!n)
		return -1;
	return secure || is_this_machine(host, n);
}

/* ---- a request ---- */

static size_t take_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct mb_http_answer *answer = arg;

	if (answer->body.n + size * n > MOST_BYTES)
		return 0;
	mb_str_add(&answer->body, bytes, size * n);
	return size * n;
}

static void prepare(struct mb_http *http, const struct mb_http_request *request, struct mb_http_answer *answer,
		    struct curl_slist *headers, char *words)
{
	CURL *easy = http->easy;

	curl.easy_reset(easy);
	curl.easy_setopt(easy, CURLOPT_URL, request->url);
	curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl.easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	curl.easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl.easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(request->timeout_s * 1000));
	curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl.easy_setopt(easy, CURLOPT_WRITEDATA, answer);
	curl.easy_setopt(easy, CURLOPT_ERRORBUFFER, words);
	/* On a connection that was kept and turns out to be dead libcurl sends the request again by itself, although the
	 * first may have been acted upon: what changes something gets a connection of its own. */
	if (strcmp(request->method, "GET"))
		curl.easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	if (!strncmp(request->url, "http://", 7)) /* to this machine: not by way of a proxy */
		curl.easy_setopt(easy, CURLOPT_NOPROXY, "*");
	if (request->user) {
		curl.easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl.easy_setopt(easy, CURLOPT_USERNAME, request->user);
		curl.easy_setopt(easy, CURLOPT_PASSWORD, "");
	}
	if (request->body) {
		curl.easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->n);
		curl.easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
	}
}

/* Until the transfer ends: 0 and its result, or -1 when it was stopped. */
static int transfer(struct mb_http *http, const struct mb_http_request *request, CURLcode *result)
{
	int running = 1, left;
	CURLMsg *message;

	*result = CURLE_FAILED_INIT;
	while (running) {
		if (curl.multi_perform(http->multi, &running) != CURLM_OK)
			return 0;
		if (running && request->stop && request->stop(request->arg))
			return -1;
		if (running)
			curl.multi_poll(http->multi, NULL, 0, POLL_MS, NULL);
	}
	while ((message = curl.multi_info_read(http->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			*result = message->data.result;
	return 0;
}

int mb_http_send(struct mb_http *http, const struct mb_http_request *request, struct mb_http_answer *answer,
		 struct mb_err *err)
{
	struct curl_slist *headers = NULL;
	char words[CURL_ERROR_SIZE] = "";
	curl_off_t retry_after = 0;
	CURLcode result;
	long status = 0;
	int stopped;

	mb_http_answer_release(answer);
	headers = curl.slist_append(headers, "Content-Type: application/json");
	headers = curl.slist_append(headers, "Accept: application/json");
	headers = curl.slist_append(headers, "Expect:");
	prepare(http, request, answer, headers, words);
	curl.multi_add_handle(http->multi, http->easy);
	stopped = transfer(http, request, &result);
	curl.easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
	curl.easy_getinfo(http->easy, CURLINFO_RETRY_AFTER, &retry_after);
	curl.multi_remove_handle(http->multi, http->easy);
	curl.easy_reset(http->easy); /* forgets what was secret */
	curl.slist_free_all(headers);
	answer->status = (int)status;
	answer->retry_after_s = (double)retry_after;
	if (stopped)
		return mb_err_set(err, MB_EXIT_OK, request->url, "stopped");
	if (result == CURLE_OK)
		return 0;
	return mb_err_set(err, MB_EXIT_SYSTEM, request->url, "%s", *words ? words : curl.easy_strerror(result));
}
