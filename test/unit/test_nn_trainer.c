/* SPDX-License-Identifier: MIT
 *
 * Trials on the built-in data set: what they reach, that they are the same to the bit however they are interrupted,
 * how they fail, and what checkpoints withstand.
 */
#include "nn/nn.h"

#include <stdlib.h>
#include <unistd.h>

#include "nn/dropout.h"
#include "unit/check.h"

static struct mb_dataset *set;
static struct mb_split *split;
static char path[64];

static int ready(void)
{
	struct mb_dataset_query query = {.name = "digits"};
	struct mb_str note = {0};
	struct mb_err err;

	if (!set) {
		set = mb_dataset_open(&query, &note, &err);
		split = mb_split_new(set, 0.2, 1337, &err);
		snprintf(path, sizeof path, "/tmp/mb-test-%ld.ckpt", (long)getpid());
	}
	return split != NULL;
}

static struct mb_trainer_setup setup_of(const char *assignments, int64_t epochs)
{
	struct mb_trainer_setup setup = {.seed = 7, .epochs = epochs, .max_epochs = epochs};
	struct mb_err err = {0};
	json_t *json = mb_json_parse(assignments, strlen(assignments), "test", &err);

	ready();
	setup.split = split;
	CHECK_INT(mb_hyper_parse(json, "test", &setup.hyper, &err), 0);
	CHECK_TEXT(err.what, "");
	setup.digest = mb_trainer_digest(&setup);
	json_decref(json);
	return setup;
}

static struct mb_trainer *start(const struct mb_trainer_setup *setup)
{
	struct mb_err err = {0};
	struct mb_trainer *trainer = mb_trainer_new(setup, &err);

	CHECK_TEXT(err.what, "");
	return trainer;
}

/* The metrics but for train_seconds, as text. */
static char *metrics(const struct mb_trainer *trainer)
{
	json_t *json = json_object();
	struct mb_str text = {0};

	mb_trainer_metrics(trainer, json);
	json_object_del(json, "train_seconds");
	mb_json_print(json, &text);
	json_decref(json);
	return mb_str_take(&text);
}

static enum mb_train_end finish(struct mb_trainer *trainer)
{
	enum mb_train_end end;

	while ((end = mb_trainer_run(trainer, NULL, NULL)) == MB_TRAIN_EPOCH)
		;
	return end;
}

static double metric(const struct mb_trainer *trainer, const char *name)
{
	json_t *json = json_object();
	double value;

	mb_trainer_metrics(trainer, json);
	value = json_number_value(json_object_get(json, name));
	json_decref(json);
	return value;
}

/* Stops when the count runs out. */
static int countdown(void *context)
{
	int *left = context;

	return (*left)-- <= 0;
}

TEST(digits_are_neither_trivial_nor_hopeless)
{
	const char *const jobs[] = {"{\"batch_size\": 16}", "{\"batch_size\": 32}"};

	CHECK(ready());
	for (int i = 0; i < 2; i++)
		for (int64_t epochs = 2; epochs <= 5; epochs++) {
			struct mb_trainer_setup setup = setup_of(jobs[i], epochs);
			struct mb_trainer *trainer = start(&setup);
			double f1;

			CHECK_INT(finish(trainer), MB_TRAIN_DONE);
			f1 = metric(trainer, "val_macro_f1");
			if (!(f1 >= 0.6 && f1 <= 0.95))
				FAIL("%s, %lld epochs: %g", jobs[i], (long long)epochs, f1);
			mb_trainer_free(trainer);
		}
}

/* All that a checkpoint has to carry: optimiser state, running statistics, dropout's and the schedule's place. */
static const char *const rich[] = {
	"{\"batch_size\": 48}",
	"{\"batch_size\": 100, \"hidden_layer_config\": [20, 12], \"batch_norm\": true, \"dropout\": 0.3, "
	"\"schedule\":"
	"\"cosine\", \"warmup_epochs\": 1, \"optimizer\": \"adamw\", \"label_smoothing\": 0.1, \"activation\": "
	"\"gelu\"}",
	"{\"batch_size\": 200, \"optimizer\": \"nesterov\", \"learning_rate\": 0.1, \"hidden_layer_config\": [9], "
	"\"dropout\":"
	"0.1, \"schedule\": \"one_cycle\", \"activation\": \"tanh\"}",
	"{\"batch_size\": 5000, \"optimizer\": \"sgd\", \"hidden_layer_config\": [], \"learning_rate\": 0.5}",
	"{\"batch_size\": 64, \"optimizer\": \"rmsprop\", \"schedule\": \"step\", \"init\": \"he\"}",
};

static void interrupted_equals_whole(const char *assignments, int every)
{
	struct mb_trainer_setup setup = setup_of(assignments, 3);
	struct mb_trainer *whole, *part;
	enum mb_train_end end = MB_TRAIN_EPOCH;
	struct mb_err err;
	char *want, *got;
	int rounds = 0;

	setup.curve = 1;
	whole = start(&setup);
	CHECK_INT(finish(whole), MB_TRAIN_DONE);
	want = metrics(whole);
	unlink(path);
	while (end != MB_TRAIN_DONE && rounds++ < 1000) {
		int left = every;

		part = start(&setup);
		CHECK_INT(mb_trainer_resume(part, path, &err), rounds == 1);
		do
			end = mb_trainer_run(part, countdown, &left);
		while (end == MB_TRAIN_EPOCH);
		if (end == MB_TRAIN_DONE)
			break;
		CHECK_INT(end, MB_TRAIN_STOPPED);
		CHECK_INT(mb_trainer_save(part, path, &err), 0);
		mb_trainer_free(part);
	}
	CHECK(rounds > 1 && rounds < 1000);
	got = metrics(part);
	CHECK_TEXT(got, want);
	CHECK(!memcmp(part->net->param, whole->net->param, whole->net->n_params * sizeof(mb_real)));
	CHECK(!memcmp(part->net->stats, whole->net->stats, whole->net->n_stats * sizeof(mb_real)));
	CHECK_INT(json_array_size(part->curve), 3);
	CHECK(part->train_s > part->train_now_s);
	mb_trainer_free(part);
	mb_trainer_free(whole);
	free(want);
	free(got);
}

TEST(interrupted_at_any_batch_is_the_same_to_the_bit)
{
	const int every[] = {7, 5, 3, 2, 6}; /* the last also stops within the validation */

	CHECK(ready());
	for (size_t i = 0; i < MB_COUNT(rich); i++)
		interrupted_equals_whole(rich[i], every[i]);
}

TEST(what_runs_beside_changes_nothing)
{
	struct mb_trainer_setup one = setup_of(rich[1], 2), two = setup_of(rich[0], 2);
	struct mb_trainer *alone, *a, *b;
	char *want, *got;
	enum mb_train_end end = MB_TRAIN_EPOCH;

	CHECK(ready());
	alone = start(&one), a = start(&one), b = start(&two);
	CHECK_INT(finish(alone), MB_TRAIN_DONE);
	while (end != MB_TRAIN_DONE) { /* in turns of three batches */
		int left = 3, other = 3;

		end = mb_trainer_run(a, countdown, &left);
		mb_trainer_run(b, countdown, &other);
	}
	want = metrics(alone), got = metrics(a);
	CHECK_TEXT(got, want);
	mb_trainer_free(alone), mb_trainer_free(a), mb_trainer_free(b);
	free(want), free(got);
}

/* Rung 0 with 1 epoch, promoted to 3 of 3: as one run of 3, when the schedule spans 3 from the start. */
TEST(promotion_equals_one_long_run)
{
	struct mb_trainer_setup low = setup_of(rich[1], 3), high = low;
	struct mb_trainer *first, *second, *whole;
	struct mb_err err;
	char *want, *got;

	CHECK(ready());
	low.epochs = 1;
	first = start(&low), second = start(&high), whole = start(&high);
	CHECK_INT(finish(first), MB_TRAIN_DONE);
	CHECK_INT(mb_trainer_save(first, path, &err), 0);
	CHECK_INT(mb_trainer_resume(second, path, &err), 0);
	CHECK_INT(second->epoch, 1);
	finish(second), finish(whole);
	want = metrics(whole), got = metrics(second);
	CHECK_TEXT(got, want);
	CHECK_INT(mb_trainer_save(second, path, &err), 0);
	CHECK_INT(mb_trainer_resume(first, path, &err), -1);
	CHECK(strstr(err.what, "its epoch 3 is beyond this trial's 1") != NULL);
	mb_trainer_free(first), mb_trainer_free(second), mb_trainer_free(whole);
	free(want), free(got);
}

TEST(a_model_file_scores_as_in_training)
{
	struct mb_trainer_setup setup = setup_of(rich[1], 2);
	struct mb_trainer *trainer;
	struct mb_model_file model;
	struct mb_evaluation scores = {0};
	struct mb_err err = {0};

	CHECK(ready());
	trainer = start(&setup);
	finish(trainer);
	CHECK_INT(mb_trainer_save(trainer, path, &err), 0);
	CHECK_INT(mb_model_file_read(&model, path, &err), 0);
	CHECK_TEXT(err.what, "");
	CHECK_INT(mb_model_file_evaluate(&model, set, "validate", &scores, &err), 0);
	CHECK_NEAR(scores.loss, trainer->validation.loss, 0);
	CHECK_INT(scores.classes, 10);
	CHECK(!memcmp(scores.confusion, trainer->validation.confusion, 100 * sizeof *scores.confusion));
	CHECK_INT(mb_model_file_evaluate(&model, set, "test", &scores, &err), 0);
	CHECK_INT(scores.n, 500);
	CHECK_INT(mb_model_file_evaluate(&model, set, "train", &scores, &err), 0);
	CHECK_INT(scores.n, 1600);
	CHECK_INT(mb_model_file_evaluate(&model, set, "tset", &scores, &err), -1);
	CHECK_TEXT(json_string_value(json_object_get(model.head, "dataset")), "digits");
	mb_evaluation_release(&scores);
	mb_model_file_release(&model);
	mb_trainer_free(trainer);
}

TEST(damaged_and_foreign_checkpoints_are_refused)
{
	struct mb_trainer_setup setup = setup_of("{\"hidden_layer_config\": [3]}", 2), other = setup;
	struct mb_trainer *trainer, *stranger;
	struct mb_model_file model;
	struct mb_str whole = {0};
	struct mb_err err = {0};

	CHECK(ready());
	trainer = start(&setup);
	mb_trainer_run(trainer, NULL, NULL);
	CHECK_INT(mb_trainer_save(trainer, path, &err), 0);
	CHECK_INT(mb_trainer_resume(trainer, path, &err), 0);
	other.seed = 8;
	other.digest = mb_trainer_digest(&other);
	stranger = start(&other);
	CHECK_INT(mb_trainer_resume(stranger, path, &err), -1);
	CHECK(strstr(err.what, "another trial") != NULL);
	CHECK_INT(err.code, MB_EXIT_SYSTEM);
	CHECK_INT(stranger->epoch, 0);
	mb_trainer_free(stranger);

	mb_file_read(path, 0, &whole, &err);
	for (size_t cut = 0; cut < whole.n; cut += cut < 1200 ? 7 : 997) {
		mb_file_replace(path, whole.at, cut, 0, &err);
		CHECK_INT(mb_trainer_resume(trainer, path, &err), -1);
	}
	for (size_t at = 0; at < whole.n; at += at < 1200 ? 3 : 997) { /* one bit anywhere */
		whole.at[at] ^= 16;
		mb_file_replace(path, whole.at, whole.n, 0, &err);
		CHECK_INT(mb_trainer_resume(trainer, path, &err), -1);
		CHECK_INT(mb_model_file_read(&model, path, &err), -1);
		CHECK_TEXT(err.where, path);
		mb_model_file_release(&model);
		whole.at[at] ^= 16;
	}
	mb_file_replace(path, whole.at, whole.n, 0, &err);
	CHECK_INT(mb_trainer_resume(trainer, path, &err), 0);
	unlink(path);
	CHECK_INT(mb_trainer_resume(trainer, path, &err), 1);
	CHECK_INT(mb_trainer_save(trainer, "/proc/no/such.ckpt", &err), -1);
	mb_trainer_free(trainer);
	mb_str_release(&whole);
}

TEST(divergence_and_time_are_failures)
{
	struct mb_trainer_setup wild =
		setup_of("{\"optimizer\": \"sgd\", \"learning_rate\": 10, \"weight_decay\": 10}", 20);
	struct mb_trainer_setup slow = setup_of("{\"batch_size\": 1}", 1000000);
	struct mb_trainer *trainer;
	int epoch, step, n = 0;

	CHECK(ready());
	trainer = start(&wild);
	CHECK_INT(finish(trainer), MB_TRAIN_FAILED);
	CHECK_INT(sscanf(trainer->error, "diverged at epoch %d, step %d: loss is %n", &epoch, &step, &n), 2);
	CHECK(n && (!strcmp(trainer->error + n, "nan") || !strcmp(trainer->error + n, "inf")));
	CHECK_INT(mb_trainer_run(trainer, NULL, NULL), MB_TRAIN_FAILED);
	mb_trainer_free(trainer);
	slow.time_limit_s = 0.05;
	trainer = start(&slow);
	CHECK_INT(finish(trainer), MB_TRAIN_FAILED);
	CHECK_TEXT(trainer->error, "timeout after 0.05 s");
	mb_trainer_free(trainer);
}

TEST(a_network_beyond_memory_is_an_error)
{
	struct mb_trainer_setup setup =
		setup_of("{\"hidden_layer_config\": [65536, 65536, 65536, 65536, 65536, 65536]}", 1);
	struct mb_err err;

	CHECK(ready());
	for (int i = 6; i < MB_HIDDEN_MAX; i++)
		setup.hyper.hidden[setup.hyper.n_hidden++] = MB_HIDDEN_WIDTH;
	CHECK(!mb_trainer_new(&setup, &err));
	CHECK_INT(err.code, MB_EXIT_SYSTEM);
	CHECK(strstr(err.what, "GB of memory") != NULL);
}

/* Trials of unlike networks, optimisers, dropout, lengths, one that fails and one that was interrupted in the middle of an
 * epoch, side by side: each ends as alone, to the bit. */
TEST(side_by_side_is_as_alone)
{
	static const char *const jobs[] = {
		"{\"batch_size\": 50}",
		"{\"batch_size\": 50, \"hidden_layer_config\": [40, 7], \"dropout\": 0.2, \"optimizer\": \"sgd\"}",
		"{\"batch_size\": 50, \"hidden_layer_config\": [33], \"activation\": \"tanh\", \"label_smoothing\": 0.1}",
		"{\"batch_size\": 50, \"optimizer\": \"sgd\", \"learning_rate\": 10, \"weight_decay\": 10}",
		"{\"batch_size\": 50, \"hidden_layer_config\": [16, 16, 16], \"optimizer\": \"rmsprop\"}",
	};
	enum { N = MB_COUNT(jobs) };
	struct mb_trainer *alone[N], *together[N], *now[N];
	struct mb_trainer_setup setups[N];
	enum mb_train_end ends[N];
	size_t at[N], left = N;
	int seven = 7;

	for (size_t i = 0; i < N; i++) {
		setups[i] = setup_of(jobs[i], (int64_t)i + 1);
		setups[i].seed = i;
		alone[i] = start(&setups[i]);
		together[i] = start(&setups[i]);
		finish(alone[i]);
		at[i] = i;
	}
	CHECK_INT(mb_trainer_run(together[4], countdown, &seven), MB_TRAIN_STOPPED);
	CHECK_INT(together[4]->step, 7);
	while (left) {
		size_t going = 0;

		for (size_t i = 0; i < left; i++) {
			now[i] = together[at[i]];
			CHECK(mb_trainers_alike(now[0], now[i]));
		}
		mb_trainers_run(now, left, NULL, NULL, ends);
		for (size_t i = 0; i < left; i++) {
			CHECK(ends[i] == (at[i] == 3 ? MB_TRAIN_FAILED : ends[i]));
			if (ends[i] == MB_TRAIN_EPOCH)
				at[going++] = at[i];
		}
		CHECK(going < left || left == 1); /* each has one epoch more than the one before; the fourth fails early */
		left = going;
	}
	for (size_t i = 0; i < N; i++) {
		char *one = metrics(alone[i]), *other = metrics(together[i]);

		if (i == 3)
			CHECK_TEXT(together[i]->error, alone[i]->error);
		else
			CHECK_TEXT(other, one);
		CHECK(!memcmp(alone[i]->net->param, together[i]->net->param,
			      alone[i]->net->n_params * sizeof(mb_real)));
		free(one);
		free(other);
		mb_trainer_free(alone[i]);
		mb_trainer_free(together[i]);
	}
}

/* Of 16 k outputs a share of 0.3 is dropped and the rest scaled by 1/0.7; other steps and layers drop others. */
TEST(dropout_keeps_the_mean)
{
	enum { N = 16384 };
	static mb_real a[N], b[N], slope[N];
	struct mb_dropout dropout = {0.3, 5, 11};
	double sum = 0, kept = 0, same = 0;

	for (int i = 0; i < N; i++)
		a[i] = b[i] = slope[i] = 1;
	mb_dropout_apply(&dropout, 0, a, slope, N / 16, 16);
	mb_dropout_apply(&dropout, 1, b, slope, N / 16, 16);
	for (int i = 0; i < N; i++) {
		sum += (double)a[i];
		kept += a[i] > 0;
		same += (a[i] > 0) == (b[i] > 0);
		CHECK(a[i] == 0 || fabs((double)a[i] - 1 / 0.7) < 1e-6);
	}
	CHECK_NEAR(kept / N, 0.7, 0.015); /* 4 deviations */
	CHECK_NEAR(sum / N, 1, 0.02);
	CHECK_NEAR(same / N, 0.7 * 0.7 + 0.3 * 0.3, 0.016);
}

/* The pattern is that of the stream itself, however many blocks are drawn at once. */
TEST(dropout_follows_its_stream)
{
	static mb_real a[1000], slope[1000];
	struct mb_dropout dropout = {0.5, 9, 3};
	struct mb_rng rng;

	for (int i = 0; i < 1000; i++)
		a[i] = slope[i] = 1;
	mb_dropout_apply(&dropout, 2, a, slope, 1000 / 8, 8);
	mb_rng_init(&rng, 9, 3 * (MB_HIDDEN_MAX + 1) + 2, MB_RNG_DROPOUT);
	for (int block = 0; block < 7; block++)
		for (int word = 0; word < 4; word++) {
			uint32_t bits = mb_rng_u32(&rng);
			int at = block / 16 * 128 + 2 * word * 16 + block % 16;

			CHECK_INT(a[at] > 0, (bits & 0xffff) >= 32768);
			CHECK_INT(a[at + 16] > 0, bits >> 16 >= 32768);
		}
}

/* Of an image of 3 lines of 4 pixels, moved every way; what comes in is black, also when scaled. */
TEST(images_are_shifted)
{
	static const uint8_t images[24] = {[12] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	static const int8_t shifts[] = {1, 0, -1, 2, 0, -3, 2, -1};
	static const int want[4][12] = {{0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8},
					{0, 0, 5, 6, 0, 0, 9, 10, 0, 0, 0, 0},
					{4, 0, 0, 0, 8, 0, 0, 0, 12, 0, 0, 0},
					{0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 4, 0}};
	static const uint32_t index[] = {1, 1, 1, 1};
	struct mb_mlp_shape shape = {.inputs = 12, .classes = 10, .activation = mb_activations};
	struct mb_err err;
	struct mb_mlp *net = mb_mlp_new(&shape, 4, 1, &err);

	net->input_scale = 2;
	net->input_offset = -1;
	mb_gather_shifted(net, images, index, 4, 4, shifts);
	for (int i = 0; i < 48; i++)
		CHECK_NEAR((double)net->x[i], 2 * want[i / 12][i % 12] - 1, 0);
	mb_mlp_free(net);
}

/* The pixels that are trained on have mean 0 and deviation 1. */
TEST(standard_inputs)
{
	struct mb_trainer_setup setup = setup_of("{\"input_scaling\": \"standard\"}", 1);
	struct mb_trainer *trainer = start(&setup);
	double sum = 0, squares = 0, n = (double)split->n_train * (double)set->pixels;

	for (size_t i = 0; i < split->n_train; i++) {
		mb_gather(trainer->net, set->train_x, split->train + i, 1);
		for (size_t j = 0; j < set->pixels; j++) {
			sum += (double)trainer->net->x[j];
			squares += (double)trainer->net->x[j] * (double)trainer->net->x[j];
		}
	}
	CHECK_NEAR(sum / n, 0, 1e-5);
	CHECK_NEAR(squares / n, 1, 1e-5);
	mb_trainer_free(trainer);
}

/* Shifts are drawn anew in each step, all of them, and from the trial's seed. */
TEST(shifts_are_drawn)
{
	struct mb_trainer_setup setup = setup_of("{\"augment_shift\": 2, \"batch_size\": 500}", 1);
	struct mb_trainer *one = start(&setup), *other;
	int8_t before[1000];
	int counts[5] = {0}, steps = 1;

	CHECK_INT(mb_trainer_run(one, countdown, &steps), MB_TRAIN_STOPPED);
	memcpy(before, one->shifts, sizeof before);
	for (int i = 0; i < 1000; i++)
		counts[before[i] + 2]++;
	for (int i = 0; i < 5; i++)
		CHECK_NEAR(counts[i], 200, 51); /* 4 deviations */
	steps = 1;
	mb_trainer_run(one, countdown, &steps);
	CHECK(memcmp(before, one->shifts, sizeof before) != 0);
	setup.seed++;
	other = start(&setup);
	steps = 1;
	mb_trainer_run(other, countdown, &steps);
	CHECK(memcmp(before, other->shifts, sizeof before) != 0);
	mb_trainer_free(one);
	mb_trainer_free(other);
}

/* A batch that goes through in parts drops what it does in one piece. */
TEST(dropout_knows_its_row)
{
	enum { ROWS = 24, LD = 16 };
	static mb_real whole[ROWS * LD], parts[ROWS * LD], slope[ROWS * LD];
	struct mb_dropout dropout = {0.5, 9, 3};

	for (int i = 0; i < ROWS * LD; i++)
		whole[i] = parts[i] = slope[i] = 1;
	mb_dropout_apply(&dropout, 1, whole, slope, ROWS, LD);
	for (dropout.first = 0; dropout.first < ROWS; dropout.first += MB_TILE)
		mb_dropout_apply(&dropout, 1, parts + dropout.first * LD, slope, MB_TILE, LD);
	CHECK(!memcmp(whole, parts, sizeof whole));
}

TEST_MAIN
