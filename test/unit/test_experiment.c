/* SPDX-License-Identifier: MIT
 *
 * The experiment file: what is read from good ones, and the complaints about each file of test/wrong/experiment, held
 * to experiment.expected beside it (UPDATE=1 rewrites that). Run from the repository's root.
 */
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "data/experiment.h"

#define CORPUS "test/wrong/experiment"
#define EXPECTED "test/wrong/experiment.expected"

static struct mb_experiment *read_text(const char *text, struct mb_errs *errs)
{
	char path[] = "/tmp/mb-test-XXXXXX";
	struct mb_experiment *experiment;
	int fd = mkstemp(path);

	*errs = (struct mb_errs){0};
	CHECK(fd >= 0 && mb_write_all(fd, text, strlen(text)) == 0);
	close(fd);
	experiment = mb_experiment_read(path, errs);
	unlink(path);
	return experiment;
}

/* The experiment in a text that must be right. */
static struct mb_experiment *good(const char *text)
{
	struct mb_errs errs;
	struct mb_experiment *experiment = read_text(text, &errs);

	for (size_t i = 0; i < errs.n; i++)
		FAIL("%s: %s", errs.at[i].where, errs.at[i].what);
	CHECK((experiment != NULL) == (errs.n == 0));
	mb_errs_release(&errs);
	if (!experiment)
		exit(1);
	return experiment;
}

static const char *shown(const json_t *value)
{
	static char text[64];

	return value ? mb_json_show(value, text) : "";
}

TEST(fills_in_defaults)
{
	struct mb_experiment *e = good(
		"experiment: {name: my first, observation_budget: 24}\n"
		"parameters: [{name: x, type: double, bounds: {min: 0, max: 1}}]\n"
		"metrics: [f1]\n");
	const struct mb_metric *objective = mb_experiment_objective(e);

	CHECK_TEXT(e->name, "my first");
	CHECK_TEXT(e->folder, "/tmp");
	CHECK_INT(e->observation_budget, 24);
	CHECK_INT(e->parallel_bandwidth, mb_cores());
	CHECK_INT(e->seed, 0);
	CHECK_TEXT(e->algorithm, "auto");
	CHECK_INT(e->algorithm_line, 0);
	CHECK_NEAR(e->trial_timeout_s, 0, 0);
	CHECK_NEAR(e->lease_s, 3600, 0);
	CHECK_NEAR(e->grace_s, 10, 0);
	CHECK_TEXT(e->task.dataset, "fashion-mnist");
	CHECK_NEAR(e->task.validation_split, 0.2, 0);
	CHECK_INT(e->task.data_seed, 1337);
	CHECK_INT(e->task.epochs, 5);
	CHECK(!e->model.given);
	CHECK_INT(e->n_metrics, 1);
	CHECK(objective && objective->maximize && !strcmp(objective->name, "f1"));
	CHECK_INT(e->space.n_params, 1);
	mb_experiment_free(e);
	mb_experiment_free(NULL);
}

TEST(reads_every_key)
{
	struct mb_experiment *e = good(
		"sigopt_options: {experiment_name: other}\n"
		"experiment:\n  name: a b\n  observation_budget: 1000000000\n  parallel_bandwidth: 3\n"
		"  seed: 9007199254740991\n  algorithm: sobol\n  trial_timeout: 0.5\n  lease: 1e2\n"
		"  grace: 3\n  memory_limit: 1.5 GB\n  cluster: HoreKa\n  number_chain_jobs: 2\n  conda_env: None\n"
		"  use_local_workspace: Yes\n  multimetric_experiment: off\n"
		"parameters: [{name: x, type: int, bounds: {min: 1, max: 1e3}}]\n"
		"metrics:\n  - {name: t, strategy: store}\n  - {name: l, objective: minimize}\n"
		"linear_constraints: []\ntasks: []\nfidelity:\n"
		"task: {dataset: ./my data, validation_split: .25, data_seed: 0, epochs: 7, label: y,\n  test: t.csv, kind: regression}\n"
		"model: {command: [python3, train.py, 010, \"\"], test_function_name: t}\n"
		"git_options: {git_uri: u, version: 1.0, mirror: [new, key]}\n"
		"cluster_modules: [devel/cuda/11.8]\nsbatch_options:\n  time: 00:30:00\n  gres:\n");

	CHECK_TEXT(e->name, "a b");
	CHECK_INT(e->observation_budget, 1000000000);
	CHECK_INT(e->parallel_bandwidth, 3);
	CHECK_INT(e->seed, MB_NUM_EXACT - 1);
	CHECK_TEXT(e->algorithm, "sobol");
	CHECK_INT(e->algorithm_line, 7);
	CHECK_NEAR(e->trial_timeout_s, 0.5, 0);
	CHECK_NEAR(e->lease_s, 100, 0);
	CHECK_NEAR(e->grace_s, 3, 0);
	CHECK_INT(e->memory_limit, 1500000000);
	CHECK_INT(e->n_metrics, 2);
	CHECK_INT(e->metrics[0].strategy, MB_STRATEGY_STORE);
	CHECK_TEXT(mb_experiment_objective(e)->name, "l");
	CHECK(!mb_experiment_objective(e)->maximize);
	CHECK_TEXT(e->task.dataset, "./my data");
	CHECK_NEAR(e->task.validation_split, 0.25, 0);
	CHECK_INT(e->task.data_seed, 0);
	CHECK_INT(e->task.epochs, 7);
	CHECK_TEXT(e->task.label, "y");
	CHECK_TEXT(e->task.test, "t.csv");
	CHECK_INT(e->task.kind, MB_TASK_REGRESSION);
	CHECK(e->model.given && !e->model.shell && !e->model.command[4]);
	CHECK_TEXT(e->model.command[1], "train.py");
	CHECK_TEXT(e->model.command[2], "010"); /* as written */
	CHECK_TEXT(e->model.command[3], "");
	CHECK_TEXT(e->model.test_function_name, "t");
	mb_experiment_free(e);
}

#define HEAD "experiment: {name: a, observation_budget: 1}\nmetrics: [f1]\n"

TEST(reads_parameters)
{
	struct mb_experiment *e = good(
		HEAD "parameters:\n"
		"  - {name: a, type: double, bounds: {min: 1e-5, max: 1}, transformation: log,\n"
		"     default_value: 1}\n"
		"  - {name: b, type: double, grid: [3, 1.5, 1e1]}\n"
		"  - {name: c, type: int, grid: [64, 1e2], transformation: log, default: 100}\n"
		"  - {name: d, type: categorical, default: [10.0, 10], transformation: none,\n"
		"     categorical_values: [[20], [10, 10], {name: x}, 1, 1.5, true, yes, \"True\"]}\n");
	const struct mb_param *params = e->space.params;

	CHECK_INT(e->space.n_params, 4);
	CHECK_INT(params[0].log, 1);
	CHECK_NEAR(params[0].min, 1e-5, 0);
	CHECK_TEXT(shown(params[0].fallback), "1.0");
	CHECK_INT(params[0].line, 4);
	CHECK_TEXT(shown(params[1].values), "[3.0,1.5,10.0]");
	CHECK_NEAR(params[1].min, 1.5, 0);
	CHECK_NEAR(params[1].max, 10, 0);
	CHECK_TEXT(shown(params[2].values), "[64,100]");
	CHECK_TEXT(shown(params[2].fallback), "100");
	CHECK_TEXT(shown(params[3].values), "[[20],[10,10],\"x\",1,1.5,true,\"yes\",\"True\"]");
	CHECK_TEXT(shown(params[3].fallback), "[10,10]");
	CHECK_INT(params[3].n_values, 8);
	CHECK_INT(params[3].log, 0);
	mb_experiment_free(e);
}

TEST(reads_conditionals_wherever_they_stand)
{
	struct mb_experiment *e = good(
		HEAD "parameters:\n"
		"  - {name: c, type: int, grid: [1, 2, 3], conditions: {model: svm, big: [true]}}\n"
		"  - {name: d, type: int, grid: [1, 2], conditions: {model: [svm, tree]}}\n"
		"conditionals:\n  - {name: model, values: [svm, tree, mlp]}\n"
		"  - {name: big, values: [true, false]}\n");

	/* model × big: svm 3·2 + 2, tree 2 + 2, mlp 1 + 1 */
	CHECK_INT(mb_space_size(&e->space), 14);
	CHECK_INT(e->space.params[0].n_conditions, 2);
	CHECK_INT(e->space.params[0].conditions[1].conditional, 1);
	CHECK_INT(e->space.params[1].conditions[0].allowed[1], 1);
	CHECK_INT(e->space.params[1].conditions[0].allowed[2], 0);
	mb_experiment_free(e);
}

TEST(reads_priors_and_linear_constraints)
{
	struct mb_experiment *e = good(
		HEAD "parameters:\n"
		"  - {name: a, type: double, bounds: {min: 1e-5, max: 1}, transformation: log,\n"
		"     prior: {name: normal, mean: -3, scale: .5}}\n"
		"  - {name: b, type: int, bounds: {min: 0, max: 9}, prior: {name: beta, shape_a: 2, shape_b: 0.5}}\n"
		"  - {name: c, type: int, grid: [1, 2], prior: null}\n"
		"linear_constraints:\n"
		"  - {type: less_than, threshold: 2, terms: [{name: c, weight: 1}, {name: a, weight: -2.5}]}\n"
		"  - {name: room, type: greater_than, threshold: -1, terms: [{name: b, weight: 1}]}\n");
	const struct mb_space *space = &e->space;

	CHECK_INT(space->params[0].prior.kind, MB_PRIOR_NORMAL);
	CHECK_NEAR(space->params[0].prior.a, -3, 0);
	CHECK_NEAR(space->params[0].prior.b, 0.5, 0);
	CHECK_INT(space->params[1].prior.kind, MB_PRIOR_BETA);
	CHECK_NEAR(space->params[1].prior.a, 2, 0);
	CHECK_NEAR(space->params[1].prior.b, 0.5, 0);
	CHECK_INT(space->params[2].prior.kind, MB_PRIOR_NONE);
	CHECK_INT(space->n_constraints, 2);
	CHECK_INT(space->constraints[0].at_least, 0);
	CHECK_NEAR(space->constraints[0].threshold, 2, 0);
	CHECK_INT(space->constraints[0].n_terms, 2);
	CHECK_INT(space->constraints[0].terms[0].param, 2);
	CHECK_INT(space->constraints[0].terms[1].param, 0);
	CHECK_NEAR(space->constraints[0].terms[1].weight, -2.5, 0);
	CHECK_INT(space->constraints[0].line, 9);
	CHECK_INT(space->constraints[1].at_least, 1);
	mb_experiment_free(e);
}

TEST(takes_the_command_as_text_or_words)
{
	struct mb_experiment *e = good(
		HEAD "parameters: [{name: x, type: int, grid: [1]}]\n"
		"model:\n  command: |\n    ./train --fast\n    echo $?\n");

	CHECK_TEXT(e->model.shell, "./train --fast\necho $?\n");
	CHECK(!e->model.command);
	mb_experiment_free(e);
}

/* The layout of SigOpt and cluster-hyperopt files, with every section and key that they know. */
TEST(reads_the_older_layout)
{
	struct mb_experiment *e = good(
		"model:\n  entry_point: fit.py\n  function_name: run\n"
		"data_options:\n  dataset_path: user@host:/data # remote\n  copy_data: False\n"
		"git_options:\n  git_uri: git@example.org:group/net.git\n  branch: main\n"
		"experiment:\n  use_local_workspace: True\n  cluster: BwUniCluster\n  number_chain_jobs: 2\n"
		"  observation_budget: 20\n  parallel_bandwidth: 2\n  conda_env: net\n"
		"  multimetric_experiment: False\n"
		"cluster_modules:\n  - devel/cuda/11.8\n"
		"sbatch_options:\n  partition: dev_single\n  time: \"00:30:00\"\n  ntasks: 1\n  mem-per-cpu: 2000\n"
		"parameters:\n"
		"  - name: alpha\n    type: double\n    bounds:\n      min: 0.0001\n      max: 10.0\n"
		"    transformation: log\n"
		"  - name: folds\n    type: int\n    grid: [3, 5, 10]\n"
		"  - name: normalize\n    type: categorical\n    categorical_values: [\"True\", \"False\"]\n"
		"metrics:\n  - name: mse\n    objective: minimize\n    strategy: optimize\n"
		"  - name: r2\n    objective: maximize\n    strategy: store\n"
		"sigopt_options:\n  dev_run: True\n  project_id: net\n  experiment_name: net demo\n"
		"  client_id: 12345\n");

	CHECK_TEXT(e->name, "net demo");
	CHECK_INT(e->observation_budget, 20);
	CHECK_INT(e->space.n_params, 3);
	CHECK_TEXT(shown(e->space.params[2].values), "[\"True\",\"False\"]");
	CHECK_TEXT(e->model.entry_point, "fit.py");
	CHECK_TEXT(e->dataset_path, "user@host:/data");
	CHECK_INT(e->memory_limit, 0);
	CHECK_TEXT(mb_experiment_objective(e)->name, "mse");
	mb_experiment_free(e);
}

TEST(says_how_to_name_a_file)
{
	struct mb_errs errs = {0};

	CHECK(!mb_experiment_read("no/such.yaml", &errs));
	CHECK_INT(errs.n, 1);
	CHECK_INT(errs.at[0].code, MB_EXIT_USAGE);
	CHECK_TEXT(errs.at[0].where, "no/such.yaml");
	CHECK(strstr(errs.at[0].hint, "-e FILE") && strstr(errs.at[0].hint, "MB_EXPERIMENT"));
	mb_errs_release(&errs);
}

static int is_yaml(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 5 && !strcmp(entry->d_name + n - 5, ".yaml");
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Appends all complaints about one file; 0 when there was none. */
static size_t complain(const char *name, struct mb_str *text)
{
	struct mb_errs errs = {0};
	char line[2200];
	size_t n;

	mb_experiment_free(mb_experiment_read(name, &errs));
	n = errs.n;
	for (size_t i = 0; i < n; i++) {
		mb_str_addf(text, "%s\n", mb_err_text(&errs.at[i], line, sizeof line));
		CHECK_INT(errs.at[i].code, MB_EXIT_USAGE);
	}
	mb_errs_release(&errs);
	return n;
}

/* The first line in which two texts differ. */
static void show_difference(const char *got, const char *want)
{
	while (*got && *want) {
		size_t a = strcspn(got, "\n"), b = strcspn(want, "\n");

		if (a != b || memcmp(got, want, a)) {
			FAIL("got    %.*s", (int)a, got);
			FAIL("wanted %.*s", (int)b, want);
			return;
		}
		got += a + (got[a] == '\n');
		want += b + (want[b] == '\n');
	}
	FAIL("one is longer: got \"%.80s\", wanted \"%.80s\"", got, want);
}

TEST(complains_as_expected)
{
	struct mb_str got = {0}, want = {0};
	struct dirent **files;
	struct mb_err err;
	char *home = getcwd(NULL, 0);
	int n = scandir(CORPUS, &files, is_yaml, by_bytes);

	CHECK(n >= 40);
	CHECK(home && chdir(CORPUS) == 0);
	for (int i = 0; i < n; i++) {
		if (!complain(files[i]->d_name, &got))
			FAIL("%s is accepted", files[i]->d_name);
		free(files[i]);
	}
	CHECK(chdir(home) == 0);
	if (getenv("UPDATE"))
		CHECK(mb_file_replace(EXPECTED, got.at, got.n, 0, &err) == 0);
	CHECK(mb_file_read(EXPECTED, 0, &want, &err) == 0);
	if (want.at && got.at && strcmp(got.at, want.at))
		show_difference(got.at, want.at);
	free(n >= 0 ? files : NULL);
	free(home);
	mb_str_release(&got);
	mb_str_release(&want);
}

TEST_MAIN
