/* SPDX-License-Identifier: MIT
 *
 * From a record to the scores of its model.
 */
#include <stdlib.h>
#include <string.h>

#include "eval.h"

/* A model file may since belong to another trial: a new log beside an old folder of models. */
static int check_owner(const struct mb_model_file *model, const json_t *record, const char *where, const char *path,
		       struct mb_err *err)
{
	static const char *const members[] = {"trial", "seed", "assignments"};
	const json_t *about = json_object_get(model->head, "about");

	for (size_t i = 0; i < MB_COUNT(members); i++) {
		const json_t *mine = json_object_get(record, members[i]), *its = json_object_get(about, members[i]);
		char shown[64];

		if (mine && its && !json_equal(mine, its))
			return mb_err_set(err, MB_EXIT_RECORD, where, "model: %s is of another trial: its %s is %s",
					  path, members[i], mb_json_show(its, shown));
	}
	return 0;
}

static const char *text_of(const struct mb_model_file *model, const char *member)
{
	return json_string_value(json_object_get(model->head, member));
}

static int same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static int is_that(const struct mb_dataset *set, const struct mb_dataset_query *query)
{
	return same(set->name, query->name) && same(set->label, query->label) && same(set->test, query->test) &&
	       set->kind == query->kind && (set->test || set->data_seed == query->data_seed);
}

/* The data that the model was trained on; the latest stays open. -1: MB_EXIT_SYSTEM. */
static int open_data(struct eval *eval, const struct mb_model_file *model, struct mb_err *err)
{
	const char *name = text_of(model, "dataset"), *kind = text_of(model, "kind");
	struct mb_dataset_query query = {.name = name ? name : eval->experiment->task.dataset,
					 .experiment_folder = eval->experiment->folder, .data = eval->data,
					 .cache = eval->cache, .label = text_of(model, "label"),
					 .test = text_of(model, "test")};
	struct mb_str note = {0};

	if (kind) {
		query.kind = strcmp(kind, "regression") ? MB_TASK_CLASSIFICATION : MB_TASK_REGRESSION;
		query.data_seed = (uint64_t)json_integer_value(json_object_get(model->head, "data_seed"));
	}
	if (eval->set && is_that(eval->set, &query))
		return 0;
	mb_dataset_close(eval->set);
	eval->set = mb_dataset_open(&query, &note, err);
	if (note.n)
		mb_tool_say(&eval->tool, "%s", note.at);
	mb_str_release(&note);
	return eval->set ? 0 : -1;
}

static int apply(struct eval *eval, const struct mb_model_file *model, struct scores *scores, const char *where,
		 struct mb_err *err)
{
	double began = mb_clock_monotonic_s();
	struct mb_err cause;

	scores->start_s = mb_clock_now_s();
	if (mb_model_file_evaluate(model, eval->set, eval->split, &scores->raw, &cause) < 0)
		return mb_err_set(err, MB_EXIT_RECORD, where, "model: %s: %s", cause.where, cause.what);
	scores->seconds = mb_clock_monotonic_s() - began;
	if (!scores->raw.classes)
		return 0;
	scores->classes = mb_alloc(scores->raw.classes * sizeof *scores->classes);
	mb_classify(scores->raw.confusion, scores->raw.classes, scores->classes, &scores->all);
	return 0;
}

void scores_release(struct scores *scores)
{
	mb_evaluation_release(&scores->raw);
	free(scores->classes);
}

int score(struct eval *eval, const json_t *record, const char *where, struct scores *scores, struct mb_err *err)
{
	const char *name = json_string_value(json_object_get(record, "model"));
	struct mb_model_file model = {0};
	struct mb_err cause;
	char *path;
	int bad;

	if (!name) {
		mb_err_set(err, MB_EXIT_RECORD, where, "model: the record has none, a path of a trained model");
		return mb_err_hint(err, "mb-train's results have one");
	}
	path = mb_path_join(eval->log_folder, name);
	if (mb_model_file_read(&model, path, &cause) < 0) {
		bad = mb_err_set(err, MB_EXIT_RECORD, where, "model: %s: %s", cause.where, cause.what);
		mb_err_hint(err, "paths are relative to the log's folder, %s", eval->log_folder);
	} else {
		bad = check_owner(&model, record, where, path, err) < 0 || open_data(eval, &model, err) < 0 ||
		      apply(eval, &model, scores, where, err) < 0;
	}
	mb_model_file_release(&model);
	free(path);
	return bad ? -1 : 0;
}
