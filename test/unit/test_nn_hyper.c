/* SPDX-License-Identifier: MIT
 *
 * Hyperparameters and schedules.
 */
#include "nn/hyper.h"

#include "unit/check.h"

static int parse(const char *text, struct mb_hyper *hyper, struct mb_err *err)
{
	json_t *json = mb_json_parse(text, strlen(text), "test", err);
	int bad = mb_hyper_parse(json, "stdin:17", hyper, err);

	json_decref(json);
	return bad;
}

static void refuses(const char *text, const char *what, const char *hint)
{
	struct mb_hyper hyper;
	struct mb_err err = {0};

	CHECK_INT(parse(text, &hyper, &err), -1);
	CHECK_INT(err.code, MB_EXIT_RECORD);
	CHECK_TEXT(err.where, "stdin:17");
	CHECK_TEXT(err.what, what);
	CHECK_TEXT(err.hint, hint);
}

TEST(defaults_are_the_common_job)
{
	struct mb_hyper hyper;
	struct mb_err err;

	CHECK_INT(mb_hyper_parse(NULL, "", &hyper, &err), 0);
	CHECK_NEAR(hyper.learning_rate, 1e-3, 0);
	CHECK_NEAR(hyper.weight_decay, 1e-6, 0);
	CHECK_INT(hyper.n_hidden, 1);
	CHECK_INT(hyper.hidden[0], 15);
	CHECK_INT(hyper.batch_size, 512);
	CHECK_INT(hyper.epochs, 0);
	CHECK_TEXT(hyper.optimizer->name, "adam");
	CHECK_TEXT(hyper.activation->name, "relu");
	CHECK_TEXT(mb_schedule_names[hyper.schedule], "constant");
	CHECK_TEXT(mb_init_names[hyper.init], "pytorch");
	CHECK_INT(hyper.batch_norm, 0);
}

TEST(reads_every_kind)
{
	struct mb_hyper hyper;
	struct mb_err err = {0};

	CHECK_INT(parse("{\"learning_rate\": 1, \"batch_size\": 64.0, \"hidden_layer_config\": [64, 32.0], "
			"\"epochs\": 7,"
			"\"optimizer\": \"nesterov\", \"activation\": \"silu\", \"schedule\": \"one_cycle\", "
			"\"init\": \"he\","
			"\"batch_norm\": \"True\", \"dropout\": 0.25, \"label_smoothing\": 0.1, \"warmup_epochs\": 2,"
			"\"weight_decay\": 0, \"beta1\": 0.5, \"beta2\": 0.75}",
			&hyper, &err),
		  0);
	CHECK_TEXT(err.what, "");
	CHECK_INT(hyper.batch_size, 64);
	CHECK_INT(hyper.epochs, 7);
	CHECK_INT(hyper.n_hidden, 2);
	CHECK_INT(hyper.hidden[1], 32);
	CHECK_NEAR(hyper.momentum, 0.9, 0);
	CHECK_NEAR(hyper.dropout, 0.25, 0);
	CHECK_NEAR(hyper.label_smoothing, 0.1, 0);
	CHECK_NEAR(hyper.warmup_epochs, 2, 0);
	CHECK_NEAR(hyper.beta1, 0.5, 0);
	CHECK_NEAR(hyper.beta2, 0.75, 0);
	CHECK_INT(hyper.schedule, MB_SCHEDULE_ONE_CYCLE);
	CHECK_INT(hyper.init, MB_INIT_HE);
	CHECK_INT(hyper.batch_norm, 1);
	CHECK_TEXT(hyper.activation->name, "silu");
	CHECK_INT(parse("{\"hidden_layer_config\": \"64,32, 16\", \"optimizer\": \"rmsprop\"}", &hyper, &err), 0);
	CHECK_INT(hyper.n_hidden, 3);
	CHECK_INT(hyper.hidden[2], 16);
	CHECK_NEAR(hyper.momentum, 0, 0);
	CHECK_INT(parse("{\"hidden_layer_config\": \"[10, 10]\", \"batch_norm\": 0}", &hyper, &err), 0);
	CHECK_INT(hyper.n_hidden, 2);
	CHECK_INT(parse("{\"hidden_layer_config\": []}", &hyper, &err), 0);
	CHECK_INT(hyper.n_hidden, 0);
	CHECK_INT(parse("{\"hidden_layer_config\": \"\"}", &hyper, &err), 0);
	CHECK_INT(hyper.n_hidden, 0);
	CHECK_INT(parse("{\"momentum\": 0.3, \"optimizer\": \"rmsprop\"}", &hyper, &err), 0);
	CHECK_NEAR(hyper.momentum, 0.3, 0);
}

TEST(refuses_with_path_value_and_range)
{
	refuses("{\"learning_rate\": 0}", "assignments.learning_rate: 0 is not in (0, 10]", "");
	refuses("{\"learning_rate\": \"0.1\"}", "assignments.learning_rate: \"0.1\" is not a number in (0, 10]", "");
	refuses("{\"weight_decay\": -1e-9}", "assignments.weight_decay: -1e-9 is not in [0, 10]", "");
	refuses("{\"dropout\": 1}", "assignments.dropout: 1 is not in [0, 1)", "");
	refuses("{\"batch_size\": 2.5}", "assignments.batch_size: 2.5 is not a whole number in [1, 65536]", "");
	refuses("{\"batch_size\": 0}", "assignments.batch_size: 0 is not in [1, 65536]", "");
	refuses("{\"epochs\": null}", "assignments.epochs: null is not a number in [1, 1000000]", "");
	refuses("{\"optimizer\": \"addam\"}",
		"assignments.optimizer: \"addam\" is not one of sgd, momentum, nesterov, rmsprop, adam, adamw, lion",
		"did you mean adam?");
	refuses("{\"batch_norm\": \"maybe\"}", "assignments.batch_norm: \"maybe\" is not true or false", "");
	refuses("{\"hidden_layer_config\": [0]}",
		"assignments.hidden_layer_config[0]: 0 is not a whole number in [1, 65536]", "");
	refuses("{\"hidden_layer_config\": \"64,x\"}",
		"assignments.hidden_layer_config: \"64,x\" is not widths like \"64,32\", each in [1, 65536]", "");
	refuses("{\"hidden_layer_config\": 64}",
		"assignments.hidden_layer_config: 64 is not an array of widths, each in [1, 65536]", "");
	refuses("{\"learning_rat\": 1}", "assignments.learning_rat: the built-in network has no such hyperparameter",
		"did you mean learning_rate?");
	refuses("[]", "assignments: [] is not an object", "");
}

TEST(no_more_layers_than_there_is_room_for)
{
	struct mb_str text = {0};
	struct mb_hyper hyper;
	struct mb_err err;

	mb_str_adds(&text, "{\"hidden_layer_config\": [1");
	for (int i = 1; i < MB_HIDDEN_MAX; i++)
		mb_str_adds(&text, ",1");
	mb_str_adds(&text, "]}");
	CHECK_INT(parse(text.at, &hyper, &err), 0);
	CHECK_INT(hyper.n_hidden, MB_HIDDEN_MAX);
	text.n -= 2;
	mb_str_adds(&text, ",1]}");
	CHECK_INT(parse(text.at, &hyper, &err), -1);
	CHECK(strstr(err.what, "has more than 64 layers") != NULL);
	mb_str_release(&text);
}

TEST(schedules_follow_their_formulas)
{
	CHECK_NEAR(mb_schedule_factor(MB_SCHEDULE_CONSTANT, 7, 0, 10), 1, 0);
	CHECK_NEAR(mb_schedule_factor(MB_SCHEDULE_COSINE, 0, 0, 10), 1, 0);
	CHECK_NEAR(mb_schedule_factor(MB_SCHEDULE_COSINE, 5, 0, 10), 0.5, 1e-15);
	CHECK_NEAR(mb_schedule_factor(MB_SCHEDULE_COSINE, 9, 0, 10), (1 + cos(acos(-1) * 0.9)) / 2, 1e-15);
	CHECK_NEAR(mb_schedule_factor(MB_SCHEDULE_STEP, 3, 0, 9), 0.1, 1e-15);
	CHECK_NEAR(mb_schedule_factor(MB_SCHEDULE_STEP, 2, 0, 9), 1, 0);
	CHECK_NEAR(mb_schedule_factor(MB_SCHEDULE_STEP, 8, 0, 9), 0.01, 1e-15);
	/* warm-up of 4 of 14 steps: a quarter, a half, … then the schedule over the other ten */
	CHECK_NEAR(mb_schedule_factor(MB_SCHEDULE_COSINE, 0, 4, 14), 0.25, 0);
	CHECK_NEAR(mb_schedule_factor(MB_SCHEDULE_COSINE, 3, 4, 14), 1, 0);
	CHECK_NEAR(mb_schedule_factor(MB_SCHEDULE_COSINE, 9, 4, 14), 0.5, 1e-15);
}

/* torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=20): up over steps 0 … 5, down over 5 … 19, half a
 * cosine each. */
TEST(one_cycle_as_pytorch)
{
	const double pi = acos(-1), low = 1 / 25.0, end = low / 1e4;

	CHECK_NEAR(mb_schedule_factor(MB_SCHEDULE_ONE_CYCLE, 0, 0, 20), low, 1e-15);
	CHECK_NEAR(mb_schedule_factor(MB_SCHEDULE_ONE_CYCLE, 2, 0, 20), 1 + (low - 1) * (1 + cos(pi * 0.4)) / 2,
		   1e-15);
	CHECK_NEAR(mb_schedule_factor(MB_SCHEDULE_ONE_CYCLE, 5, 0, 20), 1, 1e-15);
	CHECK_NEAR(mb_schedule_factor(MB_SCHEDULE_ONE_CYCLE, 12, 0, 20), end + (1 - end) / 2, 1e-15);
	CHECK_NEAR(mb_schedule_factor(MB_SCHEDULE_ONE_CYCLE, 19, 0, 20), end, 1e-15);
	for (uint64_t total = 1; total < 12; total++)
		for (uint64_t step = 0; step < total + 2; step++) {
			double factor = mb_schedule_factor(MB_SCHEDULE_ONE_CYCLE, step, 0, total);

			CHECK(factor > 0 && factor <= 1);
		}
}

TEST_MAIN
