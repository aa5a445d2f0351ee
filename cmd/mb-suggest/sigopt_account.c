/* SPDX-License-Identifier: MIT
 *
 * Where the SigOpt service is, and the token that opens it. The token lives in memory alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sigopt.h"

enum { MOST_BYTES = 65536, MOST_TOKEN = 1000 };

/* The tokens, by the names that SigOpt's client and cluster-hyperopt gave them. */
enum { TOKEN, DEV_TOKEN, API_TOKEN, TOKENS };

static const char *const names[TOKENS] = {"SIGOPT_TOKEN", "SIGOPT_DEV_TOKEN", "SIGOPT_API_TOKEN"};

static void forget(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

/* Visible characters alone: a token with a newline would be two headers. */
static int check_token(const char *token, const char *where, struct mb_err *err)
{
	size_t n = strlen(token);

	for (size_t i = 0; i < n; i++)
		if (token[i] <= ' ' || token[i] > '~' || token[i] == ':')
			n = MOST_TOKEN;
	if (n < MOST_TOKEN)
		return 0;
	return mb_err_set(err, MB_EXIT_SYSTEM, where, "is no token: it has a blank, a colon or what is not ASCII");
}

/* "NAME=value", "export NAME='value'": the value, in place; NULL when the line is of another name. */
static char *value_in(char *line, const char *name)
{
	size_t n = strlen(name);
	char *value, *end;

	line += strspn(line, " \t");
	if (!strncmp(line, "export ", 7))
		line += 7 + strspn(line + 7, " \t");
	if (strncmp(line, name, n) || line[n] != '=')
		return NULL;
	value = line + n + 1;
	end = value + strlen(value);
	while (end > value && strchr(" \t\r", end[-1]))
		*--end = '\0';
	if (end - value >= 2 && (*value == '"' || *value == '\'') && end[-1] == *value) {
		end[-1] = '\0';
		value++;
	}
	return value;
}

/* What the open file may be: nobody else's to read. */
static int check_file(int fd, const char *path, struct mb_err *err)
{
	struct stat at;

	if (fstat(fd, &at) < 0)
		return mb_err_errno(err, path, NULL);
	if (!S_ISREG(at.st_mode))
		return mb_err_set(err, MB_EXIT_SYSTEM, path, "is not a file (SIGOPT_ENV_FILE)");
	if (at.st_uid != geteuid() && at.st_uid != 0)
		return mb_err_set(err, MB_EXIT_SYSTEM, path, "belongs to another user (SIGOPT_ENV_FILE)");
	if (at.st_mode & 077) {
		mb_err_set(err, MB_EXIT_SYSTEM, path, "holds tokens, and others may read it (mode %03o)",
			   (unsigned)at.st_mode & 0777);
		return mb_err_hint(err, "chmod 600 '%.300s'", path);
	}
	if (at.st_size > MOST_BYTES)
		return mb_err_set(err, MB_EXIT_SYSTEM, path, "is no list of tokens: %lld bytes", (long long)at.st_size);
	return 0;
}

static int read_file(const char *path, char *tokens[TOKENS], struct mb_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), bad;
	char *text, *rest = NULL;
	ssize_t n = 0;

	if (fd < 0) {
		mb_err_errno(err, path, NULL);
		return mb_err_hint(err, "SIGOPT_ENV_FILE names it");
	}
	bad = check_file(fd, path, err);
	text = mb_alloc(MOST_BYTES + 1);
	if (!bad)
		n = read(fd, text, MOST_BYTES);
	close(fd);
	if (n < 0)
		bad = mb_err_errno(err, path, "read");
	text[n > 0 ? n : 0] = '\0';
	for (char *line = strtok_r(text, "\n", &rest); line && !bad; line = strtok_r(NULL, "\n", &rest))
		for (size_t i = 0; i < TOKENS; i++) {
			const char *value = value_in(line, names[i]);

			if (!value)
				continue;
			forget(tokens[i]);
			tokens[i] = mb_strdup(value);
		}
	explicit_bzero(text, MOST_BYTES);
	free(text);
	return bad;
}

static int read_tokens(char *tokens[TOKENS], struct mb_err *err)
{
	const char *path = getenv("SIGOPT_ENV_FILE");

	if (path && *path) {
		if (read_file(path, tokens, err) < 0)
			return -1;
	} else {
		for (size_t i = 0; i < TOKENS; i++) {
			const char *value = getenv(names[i]);

			tokens[i] = value ? mb_strdup(value) : NULL;
		}
	}
	for (size_t i = 0; i < TOKENS; i++)
		if (tokens[i] && *tokens[i] && check_token(tokens[i], names[i], err) < 0)
			return -1;
	return 0;
}

static char *take(char **token)
{
	char *taken = *token && **token ? *token : NULL;

	if (taken)
		*token = NULL;
	return taken;
}

static int read_url(struct sigopt_account *account, const struct mb_experiment *experiment, struct mb_err *err)
{
	const char *given = experiment->sigopt.api_url, *environment = getenv("SIGOPT_API_URL");
	char where[sizeof err->where];
	size_t n;
	int private;

	snprintf(where, sizeof where, "%.440s:%d: sigopt_options.api_url", experiment->path, experiment->sigopt.line);
	if (!given && environment && *environment) {
		given = environment;
		snprintf(where, sizeof where, "SIGOPT_API_URL");
	}
	account->url = mb_strdup(given ? given : "https://api.sigopt.com");
	for (n = strlen(account->url); n && account->url[n - 1] == '/'; n--)
		account->url[n - 1] = '\0';
	private = mb_http_is_private(account->url);
	if (private > 0)
		return 0;
	if (private < 0) /* the text may hold a password */
		mb_err_set(err, MB_EXIT_USAGE, where, "is not an address of the form https://host[:port][/path]");
	else
		mb_err_set(err, MB_EXIT_USAGE, where, "http would show the token to the network; expected https://, or http:// to localhost");
	return mb_err_hint(err, "api_url: https://api.sigopt.com");
}

int sigopt_account_read(struct sigopt_account *account, const struct mb_experiment *experiment, struct mb_err *err)
{
	char *tokens[TOKENS] = {0};
	int bad;

	*account = (struct sigopt_account){0};
	bad = read_url(account, experiment, err) < 0 || read_tokens(tokens, err) < 0;
	if (!bad && experiment->sigopt.dev_run) {
		account->token = take(&tokens[DEV_TOKEN]);
		account->development = account->token != NULL;
		account->random = !account->token;
	}
	if (!bad && !account->token)
		account->token = take(&tokens[TOKEN]);
	if (!bad && !account->token)
		account->token = take(&tokens[API_TOKEN]);
	for (size_t i = 0; i < TOKENS; i++)
		forget(tokens[i]);
	if (bad)
		sigopt_account_release(account);
	return bad ? -1 : 0;
}

void sigopt_account_release(struct sigopt_account *account)
{
	forget(account->token);
	free(account->url);
	*account = (struct sigopt_account){0};
}
