/* SPDX-License-Identifier: MIT
 *
 * Scores for programs (members of the record) and for people (a table).
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "eval.h"

enum { MATRIX_CLASSES = 100 }; /* with more of them the confusion matrix would make lines of megabytes */

static const char *const fashion[] = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt",
				      "Sneaker", "Bag", "Ankle boot"};

/* The name of a class where it is known, else NULL. */
static const char *class_name(const struct eval *eval, size_t index)
{
	int is_fashion;

	if (eval->set->class_names)
		return eval->set->class_names[index];
	is_fashion = strcasestr(eval->set->name, "fashion") || strcasestr(eval->set->source, "fashion");

	return is_fashion && eval->set->classes == MB_COUNT(fashion) ? fashion[index] : NULL;
}

/* ---- for programs ---- */

static json_t *classes_json(const struct eval *eval, const struct scores *scores)
{
	json_t *array = json_array();

	for (size_t i = 0; i < eval->set->classes; i++) {
		const struct mb_class_score *score = &scores->classes[i];
		const char *name = class_name(eval, i);
		json_t *json = json_object();

		mb_json_set(json, "class", json_integer((json_int_t)i));
		if (name)
			mb_json_set(json, "name", json_string(name));
		mb_json_set(json, "precision", json_real(score->precision));
		mb_json_set(json, "recall", json_real(score->recall));
		mb_json_set(json, "f1", json_real(score->f1));
		mb_json_set(json, "support", json_integer((json_int_t)score->support));
		json_array_append_new(array, json);
	}
	return array;
}

static json_t *confusion_json(const struct eval *eval, const struct scores *scores)
{
	const size_t n = eval->set->classes;
	json_t *rows = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *row = json_array();

		for (size_t j = 0; j < n; j++)
			json_array_append_new(row, json_integer((json_int_t)scores->raw.confusion[i * n + j]));
		json_array_append_new(rows, row);
	}
	return rows;
}

static void put_metric(json_t *metrics, const char *split, const char *name, double value)
{
	char whole[64];

	snprintf(whole, sizeof whole, "%s_%s", !strcmp(split, "validate") ? "val" : split, name);
	if (isfinite(value)) /* the loss of a network that is all but diverged may not be */
		mb_json_set(metrics, whole, json_real(value));
}

static void put_classes(const struct eval *eval, const struct scores *scores, json_t *metrics, json_t *report)
{
	const struct mb_class_score *macro = &scores->all.macro, *weighted = &scores->all.weighted;

	put_metric(metrics, eval->split, "accuracy", scores->all.accuracy);
	put_metric(metrics, eval->split, "macro_precision", macro->precision);
	put_metric(metrics, eval->split, "macro_recall", macro->recall);
	put_metric(metrics, eval->split, "macro_f1", macro->f1);
	put_metric(metrics, eval->split, "weighted_precision", weighted->precision);
	put_metric(metrics, eval->split, "weighted_recall", weighted->recall);
	put_metric(metrics, eval->split, "weighted_f1", weighted->f1);
	mb_json_set(report, "classes", classes_json(eval, scores));
	if (scores->raw.classes <= MATRIX_CLASSES)
		mb_json_set(report, "confusion", confusion_json(eval, scores));
}

void report_json(const struct eval *eval, json_t *record, const struct scores *scores)
{
	json_t *report = json_object(), *metrics;

	if (!json_object_get(record, "metrics"))
		mb_json_set(record, "metrics", json_object());
	metrics = json_object_get(record, "metrics");
	mb_json_set(report, "split", json_string(eval->split));
	put_metric(metrics, eval->split, "loss", scores->raw.loss);
	if (scores->raw.classes)
		put_classes(eval, scores, metrics, report);
	else
		put_metric(metrics, eval->split, "r2", scores->raw.r2);
	mb_json_set(record, "report", report);
	mb_record_add_span(record, !strcmp(eval->split, "test") ? "test" : "validate", scores->start_s,
			   scores->seconds);
}

/* ---- for people ---- */

enum { NAME = 14, NUMBER = 10 };

static void add_row(struct mb_str *text, const char *name, const struct mb_class_score *score)
{
	mb_str_addf(text, "%*s  %*.4f%*.4f%*.4f%*llu\n", NAME, name, NUMBER, score->precision, NUMBER, score->recall,
		    NUMBER, score->f1, NUMBER, (unsigned long long)score->support);
}

void report_text(const struct eval *eval, const json_t *record, const struct scores *scores, struct mb_str *text)
{
	const struct mb_class_score *macro = &scores->all.macro, *weighted = &scores->all.weighted;
	char number[24];

	mb_str_addf(text, "trial %lld, %s split of %s: loss %.4f\n\n",
		    (long long)json_integer_value(json_object_get(record, "trial")), eval->split, eval->set->name,
		    scores->raw.loss);
	if (!scores->raw.classes) {
		mb_str_addf(text, "%*s  %*.4f\n%*s  %*zu\n\n", NAME, "r2", NUMBER, scores->raw.r2, NAME, "rows", NUMBER,
			    scores->raw.n);
		return;
	}
	mb_str_addf(text, "%*s  %*s%*s%*s%*s\n\n", NAME, "", NUMBER, "precision", NUMBER, "recall", NUMBER,
		    "f1-score", NUMBER, "support");
	for (size_t i = 0; i < eval->set->classes; i++) {
		const char *name = class_name(eval, i);

		snprintf(number, sizeof number, "%zu", i);
		add_row(text, name ? name : number, &scores->classes[i]);
	}
	mb_str_addf(text, "\n%*s  %*s%*s%*.4f%*llu\n", NAME, "accuracy", NUMBER, "", NUMBER, "", NUMBER,
		    scores->all.accuracy, NUMBER, (unsigned long long)scores->all.n);
	add_row(text, "macro avg", macro);
	add_row(text, "weighted avg", weighted);
	mb_str_adds(text, "\n");
}
