/* SPDX-License-Identifier: MIT
 *
 * The sections that only mb-deploy and SigOpt's service use: types alone, what they mean is the program's to say.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "data/experiment_keys.h"

#define AT(field) .offset = offsetof(struct mb_experiment, field)
#define LINE(field) .line = offsetof(struct mb_experiment, field)

static const struct mb_key git_keys[] = {
	{"git_uri", MB_KEY_TEXT, .flags = MB_KEY_NULL, AT(git.uri), LINE(git.uri_line)},
	{"branch", MB_KEY_TEXT, .flags = MB_KEY_NULL, AT(git.branch), LINE(git.branch_line)},
	{"version", MB_KEY_TEXT, .flags = MB_KEY_NULL, AT(git.version), LINE(git.version_line)},
	{0},
};

void mb_read_git(struct mb_reader *reader, const struct mb_yaml *node, void *section)
{
	struct mb_experiment *experiment = section;

	experiment->git.line = node->line;
	mb_read_open_section(reader, node, git_keys, experiment);
}

static const struct mb_key data_keys[] = {
	{"dataset_path", MB_KEY_TEXT, .flags = MB_KEY_NULL, AT(dataset_path), LINE(dataset_line)},
	{"copy_data", MB_KEY_BOOL, .flags = MB_KEY_NULL, AT(copy_data)},
	{0},
};

void mb_read_data(struct mb_reader *reader, const struct mb_yaml *node, void *experiment)
{
	mb_read_open_section(reader, node, data_keys, experiment);
}

void mb_read_modules(struct mb_reader *reader, const struct mb_yaml *node, void *section)
{
	struct mb_experiment *experiment = section;
	size_t n = 0;

	if (mb_reader_is_list(reader, node, "texts") < 0)
		return;
	experiment->modules = mb_alloc((node->n + 1) * sizeof *experiment->modules);
	experiment->module_lines = mb_alloc((node->n + 1) * sizeof *experiment->module_lines);
	for (const struct mb_yaml *item = node->first; item; item = item->next) {
		const char *text = item->bad ? NULL : mb_reader_text(reader, item);

		if (text) {
			experiment->module_lines[n] = item->line;
			experiment->modules[n++] = mb_strdup(text);
		}
	}
	experiment->modules[n] = NULL;
}

void mb_read_sbatch(struct mb_reader *reader, const struct mb_yaml *node, void *section)
{
	struct mb_experiment *experiment = section;

	if (node->kind != MB_YAML_MAP) {
		mb_reader_wrong(reader, node, NULL, "a mapping of options to texts (partition: dev)");
		return;
	}
	experiment->sbatch = mb_alloc(node->n * sizeof *experiment->sbatch);
	for (const struct mb_yaml *item = node->first; item; item = item->next) {
		if (item->bad)
			continue;
		if (item->kind != MB_YAML_SCALAR)
			mb_reader_wrong(reader, item, NULL, "a text or number");
		else if (!mb_yaml_is_null(item))
			experiment->sbatch[experiment->n_sbatch++] = (struct mb_sbatch_option){
				mb_strdup(item->key), mb_strdup(item->text), item->key_line};
	}
}

static const struct mb_key sigopt_keys[] = {
	{"dev_run", MB_KEY_BOOL, .flags = MB_KEY_NULL, AT(sigopt.dev_run)},
	{"project_id", MB_KEY_TEXT, .flags = MB_KEY_NULL, AT(sigopt.project)},
	{"experiment_name", MB_KEY_TEXT, .flags = MB_KEY_NULL, AT(sigopt.experiment_name)},
	{"client_id", MB_KEY_TEXT, .flags = MB_KEY_NULL, AT(sigopt.client_id)},
	{"api_url", MB_KEY_TEXT, .flags = MB_KEY_NULL, AT(sigopt.api_url)},
	{0},
};

void mb_read_sigopt(struct mb_reader *reader, const struct mb_yaml *node, void *section)
{
	struct mb_experiment *experiment = section;

	experiment->sigopt.given = 1;
	experiment->sigopt.line = node->line;
	mb_read_open_section(reader, node, sigopt_keys, experiment);
}

void mb_experiment_free_cluster(struct mb_experiment *experiment)
{
	free(experiment->cluster);
	free(experiment->conda_env);
	free(experiment->dataset_path);
	free(experiment->git.uri);
	free(experiment->git.branch);
	free(experiment->git.version);
	for (char **module = experiment->modules; module && *module; module++)
		free(*module);
	free(experiment->modules);
	free(experiment->module_lines);
	for (size_t i = 0; i < experiment->n_sbatch; i++) {
		free(experiment->sbatch[i].key);
		free(experiment->sbatch[i].value);
	}
	free(experiment->sbatch);
	free(experiment->sigopt.project);
	free(experiment->sigopt.experiment_name);
	free(experiment->sigopt.client_id);
	free(experiment->sigopt.api_url);
}
