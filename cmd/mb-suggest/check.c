/* SPDX-License-Identifier: MIT
 *
 * What the experiment file says, in words (--check), and one to begin with (--init).
 */
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "suggester.h"

static const char example[] =
	"# What to search, for what, and for how long. Every key is explained in mb-experiment(5).\n"
	"# A # without a blank after it stands before a key that is not in use: remove it to use the key.\n"
	"#\n"
	"#   mb-suggest --check                        what this file says\n"
	"#   mb-suggest | mb-train | mb-collect        the search; the same line again goes on\n"
	"#   mb-collect --best                         the best trial so far\n"
	"\n"
	"experiment:\n"
	"  name: first try\n"
	"  observation_budget: 24      # trials in all; those that fail count\n"
	"  #parallel_bandwidth: 4      # trials open at once (default: the cores)\n"
	"  #seed: 1                    # another seed is another search\n"
	"  #algorithm: sobol           # default: auto; the others: mb-suggest --list-algorithms\n"
	"  #trial_timeout: 600         # seconds, then a trial has failed\n"
	"\n"
	"# Names are the built-in network's hyperparameters, mb-train(1), or what a job of your own calls them.\n"
	"parameters:\n"
	"  - name: learning_rate\n"
	"    type: double              # double, int or categorical\n"
	"    bounds: {min: 1.0e-4, max: 0.1}\n"
	"    transformation: log       # search on the logarithm\n"
	"    default_value: 1.0e-3     # the point of all defaults is tried first\n"
	"    #prior: {name: normal, mean: -3, scale: 0.5}    # of log10: about 0.001\n"
	"  - name: batch_size\n"
	"    type: int\n"
	"    grid: [64, 128, 256, 512]\n"
	"  - name: hidden_layer_config\n"
	"    type: categorical\n"
	"    categorical_values: [[20], [64], [64, 32]]\n"
	"  - name: dropout\n"
	"    type: double\n"
	"    bounds: {min: 0, max: 0.5}\n"
	"    #prior: {name: beta, shape_a: 1, shape_b: 3}    # rather little\n"
	"\n"
	"#linear_constraints:\n"
	"#- {type: less_than, threshold: 0.55, terms: [{name: dropout, weight: 1}, {name: learning_rate, weight: 5}]}\n"
	"\n"
	"metrics:\n"
	"  - {name: val_macro_f1, objective: maximize}\n"
	"  #- {name: train_seconds, objective: minimize, strategy: store}\n"
	"\n"
	"task:\n"
	"  dataset: fashion-mnist      # or digits, which needs no file; or a folder with the four IDX files\n"
	"  epochs: 5\n"
	"  #validation_split: 0.2\n"
	"\n"
	"# A job of your own in place of the built-in network: it reads the suggestion on stdin, and the last line that it\n"
	"# prints is the metric.\n"
	"#model: {command: [python3, train.py]}\n";

static int print(struct mb_tool *tool, const char *text, size_t n)
{
	int status = mb_tool_write(tool, text, n) < 0 && !tool->stdout_gone ? MB_EXIT_SYSTEM : MB_EXIT_OK;

	return mb_tool_end(tool, status);
}

int suggest_init(struct mb_tool *tool)
{
	return print(tool, example, sizeof example - 1);
}

static int is_continuous(const struct mb_space *space)
{
	for (size_t i = 0; i < space->n_params; i++)
		if (space->params[i].type == MB_PARAM_DOUBLE && !space->params[i].values)
			return 1;
	return 0;
}

static void add_size(const struct mb_space *space, struct mb_str *text)
{
	uint64_t size = mb_space_size(space);
	size_t dims = mb_space_dims(space);

	mb_str_addf(text, "space         %zu dimension%s, ", dims, dims == 1 ? "" : "s");
	if (size != UINT64_MAX)
		mb_str_addf(text, "%" PRIu64 " point%s%s\n", size, size == 1 ? "" : "s",
			    space->n_constraints ? ", fewer by the linear constraints" : "");
	else
		mb_str_adds(text, is_continuous(space) ? "continuous\n" : "more than 2^63 points\n");
}

static int is_default(const struct mb_space *space)
{
	for (size_t i = 0; i < space->n_params; i++)
		if (space->params[i].fallback)
			return 1;
	return 0;
}

static void add_first(const struct mb_space *space, struct mb_str *text)
{
	json_t *point = mb_space_default(space);

	if (!is_default(space))
		return;
	mb_str_adds(text, "first         ");
	if (point)
		mb_json_print(point, text);
	else
		mb_str_adds(text, "as the algorithm says: the point of all defaults breaks a linear constraint");
	mb_str_adds(text, "\n");
	json_decref(point);
}

static void add_space(const struct mb_space *space, struct mb_str *text)
{
	add_size(space, text);
	for (size_t i = 0; i < space->n_conditionals; i++) {
		mb_str_addf(text, "conditional   %s: ", space->conditionals[i].name);
		mb_json_print(space->conditionals[i].values, text);
		mb_str_adds(text, "\n");
	}
	for (size_t i = 0; i < space->n_params; i++) {
		mb_str_addf(text, "parameter     %s: ", space->params[i].name);
		mb_space_param_text(space, &space->params[i], text);
		mb_str_adds(text, "\n");
	}
	for (size_t i = 0; i < space->n_constraints; i++) {
		mb_str_adds(text, "constraint    ");
		mb_space_constraint_text(space, &space->constraints[i], text);
		mb_str_adds(text, "\n");
	}
	add_first(space, text);
}

static void add_job(const struct mb_experiment *experiment, struct mb_str *text)
{
	const struct mb_model *model = &experiment->model;

	if (!model->given)
		mb_str_addf(text, "job           the built-in network on %s, %lld epoch%s\n", experiment->task.dataset,
			    (long long)experiment->task.epochs, experiment->task.epochs == 1 ? "" : "s");
	else if (model->entry_point)
		mb_str_addf(text, "job           %s of %s\n", model->function_name, model->entry_point);
	else
		mb_str_adds(text, "job           a command of your own\n");
}

static void add_ladder(const struct mb_experiment *experiment, struct mb_str *text)
{
	const struct mb_ladder ladder = mb_ladder_of(experiment);

	if (ladder.n == 1)
		return;
	mb_str_adds(text, "fidelity      ");
	for (size_t rung = 0; rung < ladder.n; rung++) {
		if (rung)
			mb_str_adds(text, ", ");
		if (rung && experiment->fidelity.name)
			mb_str_addf(text, "%lld", (long long)ladder.units[rung]);
		else
			mb_ladder_rung_text(&ladder, rung, text);
		if (experiment->n_tasks) {
			mb_str_adds(text, " ");
			mb_ladder_text(&ladder, ladder.units[rung], text);
		}
	}
	if (ladder.eta == 2 || ladder.eta == 3)
		mb_str_addf(text, "; the best %s of each go on\n", ladder.eta == 2 ? "half" : "third");
	else
		mb_str_addf(text, "; the best 1/%lld of each go on\n", (long long)ladder.eta);
}

int suggest_check(struct mb_tool *tool, const struct mb_experiment *experiment, const struct mb_algorithm *algorithm,
		  uint64_t seed)
{
	static const char *const strategies[] = {"", ", stored", ", a constraint"};
	struct mb_str text = {0};
	int status = MB_EXIT_OK;

	mb_str_addf(&text, "experiment    %s\n", experiment->name);
	mb_str_addf(&text, "budget        %lld %s%s, at most %lld at once\n", (long long)experiment->observation_budget,
		    experiment->fidelity.name || experiment->n_tasks ? "full training" : "trial",
		    experiment->observation_budget == 1 ? "" : "s", (long long)experiment->parallel_bandwidth);
	add_ladder(experiment, &text);
	for (size_t i = 0; i < experiment->n_metrics; i++)
		mb_str_addf(&text, "metric        %s, %s%s\n", experiment->metrics[i].name,
			    experiment->metrics[i].maximize ? "maximize" : "minimize",
			    strategies[experiment->metrics[i].strategy]);
	mb_str_addf(&text, "algorithm     %s: %s\n", algorithm->name, algorithm->about);
	mb_str_addf(&text, "seed          %" PRIu64 "\n", seed);
	add_job(experiment, &text);
	add_space(&experiment->space, &text);
	if (mb_tool_write(tool, text.at, text.n) < 0 && !tool->stdout_gone)
		status = MB_EXIT_SYSTEM;
	mb_str_release(&text);
	return status;
}
