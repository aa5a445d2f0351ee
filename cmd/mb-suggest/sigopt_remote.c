/* SPDX-License-Identifier: MIT
 *
 * The experiment at the SigOpt service: found again, created once, changed when the file was edited.
 */
#include <stdlib.h>
#include <string.h>

#include "sigopt_turn.h"

/* The member `sigopt` of a key's suggestion, NULL when it came from elsewhere. */
const json_t *sigopt_member(const struct mb_key *key)
{
	const json_t *member = json_object_get(key->issue, "sigopt");

	return member ? member : json_object_get(key->result, "sigopt");
}

/* The experiment that the log names, which counts more than what any other file says. */
void sigopt_learn_experiment(struct sigopt *sigopt)
{
	const struct mb_log *log = &sigopt->suggester->log;

	for (size_t i = 0; i < log->n_keys; i++) {
		char *id = sigopt_id(json_object_get(sigopt_member(&log->keys[i]), "experiment"));

		if (!id)
			continue;
		free(sigopt->state.experiment);
		sigopt->state.experiment = id;
		return;
	}
}

char *sigopt_path(const struct sigopt *sigopt, const char *rest)
{
	return mb_textf("/v1/experiments/%s%s", sigopt->state.experiment, rest);
}

/* The list of all experiments, and where new ones go. */
static char *experiments_path(const struct sigopt *sigopt)
{
	const char *client = sigopt->suggester->experiment->sigopt.client_id;

	return client ? mb_textf("/v1/clients/%s/experiments", client) : mb_strdup("/v1/experiments");
}

static int take_experiment(void *arg, json_t *item)
{
	struct sigopt *sigopt = arg;
	const char *key = json_string_value(json_object_get(json_object_get(item, "metadata"), "mb_key"));

	if (!key || strcmp(key, sigopt->state.key))
		return 0;
	sigopt->state.experiment = sigopt_id(json_object_get(item, "id"));
	return sigopt->state.experiment != NULL;
}

/* Finds the experiment by the key of this search, as one that was created by a request whose answer was lost. */
int sigopt_find(struct sigopt *sigopt, struct mb_err *err)
{
	char *path = experiments_path(sigopt);
	int bad = sigopt_list(&sigopt->link, path, NULL, take_experiment, sigopt, err);

	free(path);
	return bad;
}

static json_t *metadata_of(const struct sigopt *sigopt, const json_t *definition)
{
	struct mb_str text = {0};
	json_t *metadata;
	char digest[17];

	mb_json_print(definition, &text);
	snprintf(digest, sizeof digest, "%016llx", (unsigned long long)mb_hash_bytes(text.at, text.n, 0));
	metadata = json_pack("{s:s, s:s}", "mb_key", sigopt->state.key, "mb_definition", digest);
	mb_str_release(&text);
	return metadata;
}

static int create_experiment(struct sigopt *sigopt, struct mb_err *err)
{
	json_t *body = sigopt_experiment(sigopt->suggester->experiment, sigopt->link.account->random), *answer;
	char *path = experiments_path(sigopt);
	int result = 1;

	mb_json_set(body, "metadata", metadata_of(sigopt, body));
	while (result == 1 && !sigopt->state.experiment) {
		result = sigopt_call(&sigopt->link, "POST", path, body, &answer, err);
		if (result == 1 && sigopt_find(sigopt, err) < 0)
			result = -1;
		if (result)
			continue;
		sigopt->state.experiment = sigopt_id(json_object_get(answer, "id"));
		json_decref(answer);
		if (!sigopt->state.experiment)
			result = mb_err_set(err, MB_EXIT_SYSTEM, path, "the service created an experiment without an id");
	}
	if (result >= 0)
		mb_tool_say(sigopt->suggester->tool, "experiment %s at %s%s", sigopt->state.experiment,
			    sigopt->link.account->url, sigopt->link.account->development ? ", with the development token" : "");
	free(path);
	json_decref(body);
	return result < 0 ? -1 : 0;
}

/* The file was edited since: its budget, bounds and names go to the service. */
static int update_experiment(struct sigopt *sigopt, json_t *body, const json_t *there, struct mb_err *err)
{
	static const char *const fixed[] = {"type", "conditionals", "linear_constraints", "project"};
	const char *digest = json_string_value(json_object_get(json_object_get(there, "metadata"), "mb_definition"));
	json_t *metadata = metadata_of(sigopt, body);
	char *path;
	int result = 0;

	if (digest && !strcmp(digest, json_string_value(json_object_get(metadata, "mb_definition")))) {
		json_decref(metadata);
		return 0;
	}
	for (size_t i = 0; i < MB_COUNT(fixed); i++)
		json_object_del(body, fixed[i]);
	mb_json_set(body, "metadata", metadata);
	path = sigopt_path(sigopt, "");
	result = sigopt_call(&sigopt->link, "PUT", path, body, NULL, err);
	free(path);
	return result;
}

static int check_experiment(struct sigopt *sigopt, struct mb_err *err)
{
	json_t *body = sigopt_experiment(sigopt->suggester->experiment, sigopt->link.account->random), *there;
	char *path = sigopt_path(sigopt, "");
	const char *state;
	int result = sigopt_call(&sigopt->link, "GET", path, NULL, &there, err);

	if (!result) {
		state = json_string_value(json_object_get(there, "state"));
		if (state && !strcmp(state, "deleted"))
			result = mb_err_set(err, MB_EXIT_SYSTEM, sigopt->link.account->url,
					    "experiment %s, which the log belongs to, is deleted there", sigopt->state.experiment);
		else
			result = update_experiment(sigopt, body, there, err);
		json_decref(there);
	}
	if (result < 0 && err->code != MB_EXIT_OK && !err->hint[0])
		mb_err_hint(err, "-a auto goes on without the service; another --log begins a new search");
	free(path);
	json_decref(body);
	return result;
}

int sigopt_ensure(struct sigopt *sigopt, struct mb_err *err)
{
	int made = 0;

	if (sigopt->checked)
		return 0;
	sigopt_learn_experiment(sigopt);
	if (!sigopt->state.experiment) {
		if (sigopt_find(sigopt, err) < 0)
			return -1;
		made = !sigopt->state.experiment;
		if (made && create_experiment(sigopt, err) < 0)
			return -1;
		if (sigopt_state_write(&sigopt->state, 1, err) < 0)
			return -1;
	}
	if (!made && check_experiment(sigopt, err) < 0)
		return -1;
	sigopt->checked = 1;
	return 0;
}
