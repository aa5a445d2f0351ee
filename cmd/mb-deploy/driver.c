/* SPDX-License-Identifier: MIT
 *
 * The drivers, and how one is chosen.
 */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "deploy.h"

const struct mb_driver *const mb_drivers[] = {&driver_local, &driver_slurm, NULL};

const struct mb_driver *driver_find(const char *name)
{
	for (size_t i = 0; mb_drivers[i]; i++)
		if (!strcasecmp(mb_drivers[i]->name, name))
			return mb_drivers[i];
	return NULL;
}

const struct mb_driver *driver_choose(const struct mb_experiment *experiment, const char *on)
{
	if (!on)
		on = experiment->cluster && strcasecmp(experiment->cluster, "local") ? "slurm" : "local";
	return driver_find(on);
}

int driver_check(struct mb_tool *tool, const struct mb_driver *driver, const struct mb_experiment *experiment)
{
	struct mb_errs errs = {0};
	int bad = driver->check ? driver->check(tool, experiment, &errs) : 0;

	for (size_t i = 0; i < errs.n; i++)
		mb_tool_fail(tool, &errs.at[i]);
	mb_errs_release(&errs);
	return bad;
}

char *driver_program(const char *name)
{
	char self[PATH_MAX], *folder, *path;
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	if (n <= 0)
		return mb_strdup(name);
	self[n] = '\0';
	folder = mb_path_dir(self);
	path = mb_path_join(folder, name);
	free(folder);
	if (access(path, X_OK) == 0)
		return path;
	free(path);
	return mb_strdup(name);
}

const char *life_name(enum life life)
{
	static const char *const names[] = {
		[LIFE_NONE] = "not started",  [LIFE_WAITING] = "waiting",   [LIFE_STARTING] = "starting", [LIFE_RUNNING] = "running",
		[LIFE_STOPPING] = "stopping", [LIFE_ENDED] = "ended",       [LIFE_LOST] = "lost"};

	return names[life];
}

int life_is_on(enum life life)
{
	return life == LIFE_STARTING || life == LIFE_RUNNING || life == LIFE_STOPPING;
}

size_t count_on(const struct deployment *deployment)
{
	size_t on = 0;

	for (size_t i = 0; i < deployment->journal.n_slots; i++)
		on += life_is_on(deployment->driver->look(deployment, &deployment->journal.slots[i]));
	return on + (deployment->driver->waiting ? deployment->driver->waiting(deployment) : 0);
}

void learn(struct deployment *deployment, int fresh)
{
	if (deployment->driver->learn)
		deployment->driver->learn(deployment, fresh);
}

void deploy_step(void)
{
	static int64_t calls;
	const char *at = getenv("MB_DEPLOY_DIE_AT");
	int64_t wanted;

	if (at && mb_num_int(at, &wanted) == 0 && ++calls == wanted)
		raise(SIGKILL);
}
