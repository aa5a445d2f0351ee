/* SPDX-License-Identifier: MIT */
#include "opt/algorithm.h"

static int ask(const struct mb_history *history, struct mb_suggestion *suggestion, struct mb_err *err)
{
	return mb_algorithm_tpe.ask(history, suggestion, err);
}

const struct mb_algorithm mb_algorithm_auto = {
	.name = "auto",
	.about = "the best choice here for most experiments, at present tpe (the default)",
	.ask = ask,
};
