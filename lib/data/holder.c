/* SPDX-License-Identifier: MIT */
#include "data/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

json_t *mb_ident_to_json(const struct mb_ident *ident)
{
	json_t *json = json_object();

	mb_json_set(json, "host", json_string(ident->host));
	mb_json_set(json, "boot_id", json_string(ident->boot_id));
	mb_json_set(json, "pid_ns", json_integer((json_int_t)ident->pid_ns));
	mb_json_set(json, "pid", json_integer(ident->pid));
	mb_json_set(json, "start_ticks", json_integer(ident->start_ticks));
	return json;
}

int mb_ident_from_json(const json_t *json, struct mb_ident *ident)
{
	const char *host = json_string_value(json_object_get(json, "host"));
	const char *boot_id = json_string_value(json_object_get(json, "boot_id"));
	const json_t *pid = json_object_get(json, "pid");

	if (!host || !boot_id || !json_is_integer(pid))
		return -1;
	*ident = (struct mb_ident){.pid = json_integer_value(pid)};
	snprintf(ident->host, sizeof ident->host, "%s", host);
	snprintf(ident->boot_id, sizeof ident->boot_id, "%s", boot_id);
	ident->pid_ns = (uint64_t)json_integer_value(json_object_get(json, "pid_ns"));
	ident->start_ticks = json_integer_value(json_object_get(json, "start_ticks"));
	return 0;
}

char *mb_holder_path(const char *log_path, const struct mb_ident *ident)
{
	char *path = mb_textf("%s.run/%s.%.8s.%llu.%lld.%lld", log_path, ident->host, ident->boot_id,
			      (unsigned long long)ident->pid_ns, (long long)ident->pid, (long long)ident->start_ticks);
	size_t folder = strlen(log_path) + strlen(".run/");

	for (char *at = path + folder; *at; at++)
		if (*at == '/')
			*at = '_';
	return path;
}

static int make_file(const char *path, const struct mb_ident *self, struct mb_err *err)
{
	json_t *identity = mb_ident_to_json(self);
	char *folder = mb_path_dir(path);
	struct mb_str text = {0};
	int bad = -1;

	mb_json_print(identity, &text);
	mb_str_adds(&text, "\n");
	/* Another process may remove the folder, empty, right after it was made. */
	for (int tries = 0; bad && tries < 8; tries++) {
		if (mkdir(folder, 0777) < 0 && errno != EEXIST) {
			mb_err_errno(err, folder, "mkdir");
			break;
		}
		bad = mb_file_replace(path, text.at, text.n, 0, err);
	}
	json_decref(identity);
	mb_str_release(&text);
	free(folder);
	return bad;
}

int mb_holder_open(struct mb_holder *holder, const char *log_path, struct mb_err *err)
{
	struct mb_ident self;

	*holder = (struct mb_holder){.fd = -1, .touched_s = mb_clock_monotonic_s()};
	if (mb_ident_self(&self, err) < 0)
		return -1;
	holder->path = mb_holder_path(log_path, &self);
	if (make_file(holder->path, &self, err) == 0) {
		holder->fd = open(holder->path, O_WRONLY | O_APPEND | O_CLOEXEC);
		if (holder->fd < 0)
			mb_err_errno(err, holder->path, NULL);
	}
	if (holder->fd >= 0)
		return 0;
	free(holder->path);
	holder->path = NULL;
	return -1;
}

static void write_line(struct mb_holder *holder, const char *line)
{
	if (mb_write_all(holder->fd, line, strlen(line)) == 0)
		holder->touched_s = mb_clock_monotonic_s();
}

/* "trial rung attempt" behind a word, and what that does to the count of the undone. */
static void write_issue(struct mb_holder *holder, const char *word, int64_t trial, int64_t rung, int64_t attempt,
			int undone)
{
	char line[96];

	if (!holder->path)
		return;
	snprintf(line, sizeof line, "%s%lld %lld %lld\n", word, (long long)trial, (long long)rung, (long long)attempt);
	write_line(holder, line);
	holder->undone += undone;
}

void mb_holder_claim(struct mb_holder *holder, int64_t trial, int64_t rung, int64_t attempt)
{
	write_issue(holder, "", trial, rung, attempt, 1);
}

void mb_holder_done(struct mb_holder *holder, int64_t trial, int64_t rung, int64_t attempt)
{
	write_issue(holder, "done ", trial, rung, attempt, -1);
}

void mb_holder_touch(struct mb_holder *holder)
{
	double now = mb_clock_monotonic_s();

	if (!holder->path || now - holder->touched_s < MB_HOLDER_TOUCH_S)
		return;
	futimens(holder->fd, NULL);
	holder->touched_s = now;
}

void mb_holder_close(struct mb_holder *holder)
{
	char *folder;

	if (!holder->path)
		return;
	if (holder->undone > 0) {
		write_line(holder, "ended\n");
	} else {
		folder = mb_path_dir(holder->path);
		unlink(holder->path);
		rmdir(folder); /* only when it is empty */
		free(folder);
	}
	close(holder->fd);
	free(holder->path);
	*holder = (struct mb_holder){.fd = -1};
}
