/* SPDX-License-Identifier: MIT */
#include "stat/classify.h"

static double ratio(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

/* `predicted`: how many were predicted as class c. */
static struct mb_class_score score(const uint64_t *confusion, size_t classes, size_t c, uint64_t *predicted)
{
	uint64_t hits = confusion[c * classes + c];
	struct mb_class_score of = {0};

	*predicted = 0;
	for (size_t i = 0; i < classes; i++) {
		of.support += confusion[c * classes + i];
		*predicted += confusion[i * classes + c];
	}
	of.precision = ratio(hits, *predicted);
	of.recall = ratio(hits, of.support);
	of.f1 = ratio(2 * hits, of.support + *predicted);
	return of;
}

static void add(struct mb_class_score *sum, const struct mb_class_score *of, double weight)
{
	sum->precision += weight * of->precision;
	sum->recall += weight * of->recall;
	sum->f1 += weight * of->f1;
	sum->support += of->support;
}

static void divide(struct mb_class_score *sum, double by)
{
	if (!(by > 0))
		return;
	sum->precision /= by;
	sum->recall /= by;
	sum->f1 /= by;
}

void mb_classify(const uint64_t *confusion, size_t classes, struct mb_class_score *per_class,
		 struct mb_classification *all)
{
	uint64_t hits = 0, predicted;
	size_t seen = 0;

	*all = (struct mb_classification){0};
	for (size_t c = 0; c < classes; c++) {
		struct mb_class_score of = score(confusion, classes, c, &predicted);

		if (per_class)
			per_class[c] = of;
		hits += confusion[c * classes + c];
		if (!of.support && !predicted)
			continue;
		seen++;
		add(&all->macro, &of, 1);
		add(&all->weighted, &of, (double)of.support);
	}
	all->n = all->macro.support;
	all->accuracy = ratio(hits, all->n);
	divide(&all->macro, (double)seen);
	divide(&all->weighted, (double)all->n);
}
