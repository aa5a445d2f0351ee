/* SPDX-License-Identifier: MIT
 *
 * For Kubernetes: the experiment file as a ConfigMap, a volume claim for the log that all workers share, and an Indexed
 * Job of the workers, in one List. As JSON, which kubectl takes as well as YAML, and in which any text is quoted rightly.
 */
#include <stdlib.h>
#include <string.h>

#include "render.h"
#include "slurm.h"

enum { STOP_S = 120, RETRIES = 6, MOST_NAME = 50, USER = 1000 };

#define STUDY "/study"
#define CONFIG "/etc/mb"

/* A name as RFC 1123 has it: small letters, digits and -, which begins and ends with a letter or digit. */
static char *object_name(const struct render *render)
{
	struct mb_str text = {0};

	mb_str_adds(&text, "mb-");
	for (const char *at = render->name; *at && text.n < MOST_NAME; at++) {
		char letter = *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at;

		if ((letter < 'a' || letter > 'z') && (letter < '0' || letter > '9'))
			letter = '-';
		mb_str_add(&text, &letter, 1);
	}
	while (text.n > 2 && text.at[text.n - 1] == '-')
		text.at[--text.n] = '\0';
	return mb_str_take(&text);
}

static json_t *metadata(const char *name)
{
	return json_pack("{s:s, s:{s:s, s:s}}", "name", name, "labels", "app.kubernetes.io/name", "mb",
			 "app.kubernetes.io/instance", name);
}

static json_t *config_map(const char *name, const char *text)
{
	return json_pack("{s:s, s:s, s:o, s:{s:s}}", "apiVersion", "v1", "kind", "ConfigMap", "metadata", metadata(name),
			 "data", "experiment.yaml", text);
}

static json_t *claim(const char *name)
{
	return json_pack("{s:s, s:s, s:o, s:{s:[s], s:{s:{s:s}}}}", "apiVersion", "v1", "kind", "PersistentVolumeClaim",
			 "metadata", metadata(name), "spec", "accessModes", "ReadWriteMany", "resources", "requests",
			 "storage", "10Gi");
}

static json_t *container(const struct render *render)
{
	const char *cores = sbatch_value(render->experiment, "cpus-per-task");
	json_t *resources = json_pack("{s:s, s:s}", "cpu", cores ? cores : "1", "memory", "2Gi"), *json;
	struct mb_str script = {0};

	render_pipe(&script, CONFIG "/experiment.yaml", STUDY "/trials.ndjson", render->keep);
	json = json_pack("{s:s, s:s, s:[s, s, s], s:s, s:{s:O, s:o}, s:{s:b, s:b, s:{s:[s]}},"
			 " s:[{s:s, s:s}, {s:s, s:s, s:b}, {s:s, s:s}], s:[{s:s, s:s}, {s:s, s:s}]}",
			 "name", "worker", "image", "mb:" MB_VERSION, "command", "/bin/bash", "-c", script.at, "workingDir",
			 STUDY, "resources", "requests", resources, "limits", resources, "securityContext",
			 "allowPrivilegeEscalation", 0, "readOnlyRootFilesystem", 1, "capabilities", "drop", "ALL",
			 "volumeMounts", "name", "study", "mountPath", STUDY, "name", "experiment", "mountPath", CONFIG,
			 "readOnly", 1, "name", "scratch", "mountPath", "/tmp", "env", "name", "HOME", "value", "/tmp",
			 "name", "XDG_CACHE_HOME", "value", "/tmp");
	mb_str_release(&script);
	return json;
}

static json_t *pod(const struct render *render, const char *name)
{
	return json_pack("{s:s, s:i, s:b, s:{s:b, s:i, s:i, s:i, s:{s:s}}, s:[o],"
			 " s:[{s:s, s:{s:s}}, {s:s, s:{s:s}}, {s:s, s:{}}]}",
			 "restartPolicy", "Never", "terminationGracePeriodSeconds", STOP_S, "automountServiceAccountToken", 0,
			 "securityContext", "runAsNonRoot", 1, "runAsUser", USER, "runAsGroup", USER, "fsGroup", USER,
			 "seccompProfile", "type", "RuntimeDefault", "containers", container(render), "volumes", "name",
			 "study", "persistentVolumeClaim", "claimName", name, "name", "experiment", "configMap", "name", name,
			 "name", "scratch", "emptyDir");
}

/* A pod that was evicted is no failure; one whose file is wrong (2) cannot go better a second time. */
static json_t *failures(void)
{
	return json_pack("{s:[{s:s, s:[{s:s, s:s}]}, {s:s, s:{s:s, s:s, s:[i]}}]}", "rules", "action", "Ignore",
			 "onPodConditions", "type", "DisruptionTarget", "status", "True", "action", "FailJob", "onExitCodes",
			 "containerName", "worker", "operator", "In", "values", 2);
}

static json_t *job(const struct render *render, const char *name)
{
	return json_pack("{s:s, s:s, s:o, s:{s:s, s:I, s:I, s:i, s:o, s:{s:o, s:o}}}", "apiVersion", "batch/v1", "kind", "Job",
			 "metadata", metadata(name), "spec", "completionMode", "Indexed", "completions",
			 (json_int_t)render->workers, "parallelism", (json_int_t)render->workers, "backoffLimit", RETRIES,
			 "podFailurePolicy", failures(), "template", "metadata", metadata(name), "spec", pod(render, name));
}

static int print(const struct render *render, struct mb_str *out, struct mb_err *err)
{
	char *name = object_name(render), *printed, *clean;
	struct mb_str text = {0};
	json_t *list;
	int bad = mb_file_read(render->file, 0, &text, err);

	clean = bad ? NULL : folder_text(text.at ? text.at : "");
	if (!bad) {
		list = json_pack("{s:s, s:s, s:[o, o, o]}", "apiVersion", "v1", "kind", "List", "items", config_map(name, clean),
				 claim(name), job(render, name));
		printed = json_dumps(list, JSON_INDENT(2));
		mb_str_adds(out, printed);
		mb_str_adds(out, "\n");
		free(printed);
		json_decref(list);
	}
	mb_str_release(&text);
	free(clean);
	free(name);
	return bad;
}

const struct render_target render_kubernetes = {.name = "kubernetes", .print = print};
