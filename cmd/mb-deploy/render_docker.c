/* SPDX-License-Identifier: MIT
 *
 * A Dockerfile: mb built from its source tree, which is the build context; the experiment's folder is mounted at /work.
 */
#include <stdlib.h>

#include "render.h"

static void add_install(struct mb_str *out, const char *packages)
{
	mb_str_addf(out,
		    "RUN apt-get update && \\\n"
		    "    apt-get install -y --no-install-recommends %s && \\\n"
		    "    rm -rf /var/lib/apt/lists/*\n",
		    packages);
}

static void add_command(const struct render *render, struct mb_str *out)
{
	char *file = mb_textf("/work/%s", mb_path_name(render->file)), *log = mb_textf("/work/%s/trials.ndjson", render->name);
	struct mb_str script = {0};

	mb_str_adds(&script, "mkdir -p ");
	plan_add_word(&script, render->name);
	mb_str_adds(&script, "\n");
	render_pipe(&script, file, log, render->keep);
	mb_str_adds(out, "CMD [\"/bin/bash\", \"-c\", ");
	render_json(out, script.at);
	mb_str_adds(out, "]\n");
	mb_str_release(&script);
	free(log);
	free(file);
}

static int print(const struct render *render, struct mb_str *out, struct mb_err *err)
{
	(void)err;
	mb_str_adds(out, "# In mb's source tree:\n#   docker build -t mb:" MB_VERSION " -f THIS-FILE .\n"
			 "# In the folder of the experiment file, any number of times, also at once:\n"
			 "#   docker run --rm --stop-timeout 120 -v \"$PWD\":/work mb:" MB_VERSION "\n");
	render_comment(out, render->experiment->name);
	mb_str_adds(out, "ARG BASE=debian:bookworm-slim\n\nFROM ${BASE} AS build\n");
	add_install(out, render_build_packages);
	mb_str_adds(out, "COPY . /src\nRUN make -s -C /src BUILD=/tmp/build install DESTDIR=/out\n\nFROM ${BASE}\n");
	add_install(out, render_run_packages);
	mb_str_adds(out, "COPY --from=build /out/usr/local /usr/local\nWORKDIR /work\n");
	add_command(render, out);
	return 0;
}

const struct render_target render_docker = {.name = "docker", .single = 1, .print = print};
