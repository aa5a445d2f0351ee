/* SPDX-License-Identifier: MIT
 *
 * How good a classifier is, from its confusion matrix. The definitions and the treatment of 0/0 (it is 0) are
 * scikit-learn's, with zero_division=0; a class that neither occurs nor is predicted counts in no mean.
 */
#ifndef MB_STAT_CLASSIFY_H
#define MB_STAT_CLASSIFY_H

#include <stddef.h>
#include <stdint.h>

struct mb_class_score {
	double precision; /* of what was predicted as this class, the share that is */
	double recall;    /* of what is this class, the share that was predicted so */
	double f1;        /* their harmonic mean */
	uint64_t support; /* how many are this class */
};

struct mb_classification {
	double accuracy;
	uint64_t n;
	struct mb_class_score macro;    /* means over classes; support: n */
	struct mb_class_score weighted; /* means weighted by support */
};

/* confusion: classes × classes, row-major, row: the true class, column: the predicted one. per_class: `classes`
 * scores, or NULL. An empty matrix gives zeros. */
void mb_classify(const uint64_t *confusion, size_t classes, struct mb_class_score *per_class,
		 struct mb_classification *all);

#endif
