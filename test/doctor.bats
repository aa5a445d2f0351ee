#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sanitizers: too
#
# mb-deploy doctor: each check in good and in bad health.

load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	export HOME=$BATS_TEST_TMPDIR XDG_STATE_HOME=$BATS_TEST_TMPDIR/state XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config
	unset MB_DEPLOY_COUNT MB_LOCK MODULESHOME
	experiment
}

# line CHECK: what was said of it.
line() {
	grep -E "^(ok|-|problem) +$1 " <<<"$output"
}


# of NAME: a program of that name in bin/, from stdin.
of() {
	mkdir -p bin
	cat >"bin/$1"
	chmod +x "bin/$1"
}

@test "all is well: 0, a line a check, and no file is left" {
	run mb-deploy doctor
	[ "$status" = 0 ]
	[[ $(line programs) == "ok "*"all six are 0.1.0" ]]
	[[ $(line experiment) == *experiment.yaml ]]
	[[ $(line folder) == "ok "* && $(line space) == "ok "* && $(line clock) == "ok "* ]]
	[[ $(line locks) == "ok "*"byte-range locks and link(2) exclude, between two processes" ]]
	[ -z "$(line slurm)" ]
	[ "$(ls -A | xargs)" = experiment.yaml ]
	run mb-deploy doctor --json
	[ "$(jq -r .check <<<"$output" | head -3 | xargs)" = "programs experiment cluster" ]
	# Without a file, what all need.
	rm experiment.yaml
	run mb-deploy doctor
	[ "$status" = 0 ]
	[[ $(line experiment) == "- "*"(mb-deploy doctor FILE)" ]]
	run mb-deploy doctor nowhere.yaml
	[ "$status" = 2 ]
}

@test "programs of another version, or missing" {
	mkdir bin
	cp "$MB_BUILD/mb-deploy" bin/
	printf '#!/bin/sh\necho "%s 9.9.9 built"\n' mb-train | of mb-train
	printf '#!/bin/sh\nexit 3\n' | of mb-eval
	run bin/mb-deploy doctor
	[ "$status" = 1 ]
	grep -F 'mb-train is "mb-train 9.9.9 built", mb-deploy is 0.1.0 (install the six programs together)' <<<"$output"
	grep -F 'mb-eval: ended with 3' <<<"$output"
}

@test "what the experiment needs and what is not there; what it does not need is no problem" {
	mkdir empty
	local command
	command=$(command -v mb-deploy)
	run env PATH="$PWD/empty" "$command" doctor
	[ "$status" = 0 ]
	[[ $(line git) == "- "*"not found in PATH, and not needed here (git_options)" ]]
	cat >>experiment.yaml <<-'E'
	model: {entry_point: train.py, function_name: f}
	git_options: {git_uri: "https://example.org/x.git"}
	data_options: {dataset_path: "me@far:data"}
	E
	sed -i '/^task/d; s/name: digits/&\n  use_local_workspace: false\n  conda_env: mine/' experiment.yaml
	run env PATH="$PWD/empty" "$command" doctor
	[ "$status" = 1 ]
	local check
	for check in python3 git rsync ssh conda workspaces; do
		[[ $(line $check) == "problem "*"("*")" ]]
	done
	[[ $(line workspaces) == *"not found in PATH: ws_find ws_allocate ws_list ws_extend ws_release (experiment.use_local_workspace: true keeps"* ]]
	sed -i 's|me@far:data|nowhere|' experiment.yaml
	run mb-deploy doctor
	[ "$status" = 1 ]
	[[ $(line data) == "problem "*"nowhere cannot be read ("* ]]
}

@test "a file that was named and is not there is wrong, by option too" {
	run mb-deploy doctor -e nosuch.yaml
	[ "$status" = 2 ] && [[ $output == *"nosuch.yaml: No such file"* ]]
}

@test "no place to note where experiments lie" {
	run env -u HOME -u XDG_STATE_HOME "$(command -v mb-deploy)" doctor
	[ "$status" = 1 ]
	[[ $(line state) == "problem "*"neither XDG_STATE_HOME nor HOME is set"*"(export HOME=FOLDER)" ]]
	run env -u HOME -u XDG_STATE_HOME "$(command -v mb-deploy)" start
	[ "$status" = 4 ] && [[ $output == *"neither XDG_STATE_HOME nor HOME is set to a path that begins with / (export HOME=FOLDER: "* ]]
	run env -u XDG_STATE_HOME HOME=relative "$(command -v mb-deploy)" list
	[ "$status" = 4 ] && [ ! -e relative ]
	touch taken
	XDG_STATE_HOME=$PWD/taken run mb-deploy doctor
	[ "$status" = 1 ] && [[ $(line state) == "problem "*"/taken/mb cannot be written: Not a directory"* ]]
}

@test "a folder that cannot be written, a full disk" {
	cd /proc
	run mb-deploy doctor
	cd - >/dev/null
	[ "$status" = 1 ]
	[[ $(line folder) == "problem "*". cannot be written: "*"(put the experiment file where you may write)" ]]
	mkdir small
	run unshare -m sh -c 'mount -t tmpfs -o size=1m none small && cp experiment.yaml small && mb-deploy doctor small/experiment.yaml'
	[[ $output == *"ok "* ]] || skip "no file system can be mounted here"
	[ "$status" = 1 ]
	[[ $(line space) == "problem "*"MB and "*" files are free (remove what is not needed, or use another folder)" ]]
}

# shim: a library that spoils locks or the clock.
shim() {
	[[ $MB_BUILD != *debug ]] || skip "the sanitizers want to be loaded first"
	cat >shim.c <<-'C'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <fcntl.h>
	#include <stdarg.h>
	#include <stdlib.h>
	#include <time.h>
	static int spoilt(int fd, int what, va_list args, const char *name)
	{
		int (*real)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, name);
		void *argument = va_arg(args, void *);
		if (getenv("NO_LOCKS") && (what == F_OFD_SETLK || what == F_OFD_SETLKW))
			return 0;
		return real(fd, what, argument);
	}
	int fcntl(int fd, int what, ...)
	{
		va_list args;
		va_start(args, what);
		return spoilt(fd, what, args, "fcntl");
	}
	int fcntl64(int fd, int what, ...)
	{
		va_list args;
		va_start(args, what);
		return spoilt(fd, what, args, "fcntl64");
	}
	int clock_gettime(clockid_t clock, struct timespec *now)
	{
		int (*real)(clockid_t, struct timespec *) = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
		int status = real(clock, now);
		if (clock == CLOCK_REALTIME && getenv("CLOCK_OFF"))
			now->tv_sec += atoi(getenv("CLOCK_OFF"));
		return status;
	}
	C
	gcc -shared -fPIC -o shim.so shim.c -ldl
}

@test "locks that do not exclude are found out" {
	shim
	run env NO_LOCKS=1 LD_PRELOAD="$PWD/shim.so" mb-deploy doctor
	[ "$status" = 0 ] # as link(2) serves
	[[ $(line locks) == "- "*"link(2) locks exclude; ofd locks do not exclude: "*" of 100 counted (lock: link in the cluster's profile takes what works)" ]]
}

@test "a clock that is far from the file system's" {
	shim
	run env CLOCK_OFF=40 LD_PRELOAD="$PWD/shim.so" mb-deploy doctor
	[ "$status" = 1 ]
	[[ $(line clock) == "problem "*"the file system's clock is 40 s behind this machine's (have both set by NTP)" ]]
	run env CLOCK_OFF=-40 LD_PRELOAD="$PWD/shim.so" mb-deploy doctor
	[[ $(line clock) == *"is 40 s ahead of this machine's"* ]]
}

# slurm: its commands, as far as doctor asks them. $HOME/down: the controller is.
slurm() {
	of scontrol <<-'S'
	#!/bin/sh
	[ ! -e "$HOME/down" ] || exit 1
	case "$*" in
	ping) exit 0 ;;
	"-o show partition") echo 'PartitionName=dev Default=NO MaxTime=00:30:00 State=UP'; echo 'PartitionName=normal Default=YES MaxTime=1-00:00:00 State=UP' ;;
	"-o show partition dev") echo 'PartitionName=dev Default=NO MaxTime=00:30:00 MaxNodes=1 State=UP' ;;
	"-o show partition off") echo 'PartitionName=off Default=NO MaxTime=UNLIMITED State=DOWN' ;;
	*) echo 'Partition nosuch not found' >&2; exit 1 ;;
	esac
	S
	of sbatch <<-'S'
	#!/bin/sh
	printf '%s\n' "$@" >"$HOME/sbatch.args"
	case "$*" in *gres=tpu*) echo 'sbatch: error: Invalid generic resource (gres) specification' >&2; exit 1 ;; esac
	echo 'sbatch: Job 7 to start at 2026-01-01T00:00:00' >&2
	S
	for name in squeue scancel; do printf '#!/bin/sh\n' | of $name; done
	# Two nodes that are one machine: the command is run twice at once.
	of srun <<-'S'
	#!/bin/sh
	echo "$*" >>"$HOME/srun.args"
	while [ "${1#-}" != "$1" ]; do shift; done
	"$@" & first=$!
	"$@"; status=$?
	wait $first && exit $status
	S
	PATH=$PWD/bin:$PATH
}

# options TEXT: sbatch_options.
options() {
	sed -i '/^sbatch_options/d' experiment.yaml
	echo "sbatch_options: {$1}" >>experiment.yaml
}

@test "Slurm: commands, controller, partition, and what sbatch --test-only says" {
	mkdir bare
	run env PATH="$PWD/bare" "$(command -v mb-deploy)" doctor --on slurm
	[ "$status" = 1 ]
	[[ $(line slurm) == "problem "*"not found in PATH: sbatch squeue scancel scontrol ("* ]]
	slurm
	options 'time: "02:00:00", mem: 4G'
	run mb-deploy doctor --on slurm
	[ "$status" = 0 ]
	[[ $(line partition) == "ok "*"normal, jobs of 1-00:00:00 at most" ]]
	[[ $(line options) == "ok "*"Job 7 to start at"* ]]
	[ "$(xargs <sbatch.args)" = "--test-only --time=02:00:00 --mem=4G --wrap=true" ]
	[ ! -e srun.args ]
	options 'time: "02:00:00", partition: dev'
	run mb-deploy doctor --on slurm
	[ "$status" = 1 ]
	[[ $(line partition) == "problem "*"dev takes jobs of 00:30:00 at most, and 120 min are asked for (sbatch_options.time; "* ]]
	options 'time: "10", partition: off'
	run mb-deploy doctor --on slurm
	[[ $(line partition) == "problem "*"off is DOWN "* ]]
	options 'time: "10", partition: nosuch'
	run mb-deploy doctor --on slurm
	[[ $(line partition) == "problem "*"Partition nosuch not found (sbatch_options.partition; sinfo lists the partitions)" ]]
	options 'time: "10", gres: "tpu:1"'
	run mb-deploy doctor --on slurm
	[ "$status" = 1 ]
	[[ $(line options) == "problem "*"Invalid generic resource"* ]]
	touch down
	run mb-deploy doctor --on slurm
	[ "$status" = 1 ]
	[[ $(line controller) == "problem "*"does not answer"* ]]
	[ -z "$(line partition)" ]
}

@test "Slurm: --nodes tries the locks by a job of two nodes" {
	slurm
	options 'time: "10", partition: dev'
	run mb-deploy doctor --on slurm --nodes
	[ "$status" = 0 ]
	[[ $(line nodes) == "ok "*"byte-range locks and link(2) exclude, between two nodes" ]]
	grep -F -- "--nodes=2 --ntasks-per-node=1 --time=2 --partition=dev env MB_DEPLOY_COUNT=ofd:$PWD/.mb-doctor" srun.args
	[ -z "$(ls -d .mb-doctor* 2>/dev/null)" ]
	# One that runs on one node only counts half.
	sed -i 's/^"\$@" & first.*/true \& first=$!/' bin/srun
	run mb-deploy doctor --on slurm --nodes
	[ "$status" = 1 ]
	[[ $(line nodes) == "problem "*"link(2) locks do not exclude between two nodes, nor do byte-range locks"* ]]
	printf '#!/bin/sh\necho "srun: error: Unable to allocate resources" >&2; exit 1\n' | of srun
	run mb-deploy doctor --on slurm --nodes
	[ "$status" = 1 ]
	[[ $(line nodes) == "problem "*"Unable to allocate resources"* ]]
}
