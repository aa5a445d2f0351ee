#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# A file of cluster-hyperopt, with every section and key that it knows, is taken as it is.

load helper
load slurm.bash
load setup.bash

SHARED=${MB_SHARED:-$ROOT/../shared}
LEGACY=$SHARED/legacy/test_conf.yaml

setup_file() { slurm_up; }
teardown_file() { slurm_down; }

there() { [ -e "$LEGACY" ] || skip "$LEGACY is missing"; }

# model: a repository with the elastic net and a requirements.txt, and its data.
model() {
	git init -q -b main repo
	cp "$ROOT/test/data/elasticnet/train.py" repo
	echo '# nothing beside the standard library' >repo/requirements.txt
	commit model
	mkdir data
	python3 - >data/data.csv <<-'END'
	import random
	random.seed(3)
	for _ in range(60):
	    x = [random.gauss(0, 1) for _ in range(5)]
	    print(*["%.4f" % v for v in x], "%.4f" % (3 * x[0] - 2 * x[1] + random.gauss(0, 0.1)), sep=",")
	END
}

# legacy: the file, of which this machine's places are filled in.
legacy() {
	sed -e "s|git_uri:.*|git_uri: $PWD/repo|; s|dataset_path: [^ ]*|dataset_path: $PWD/data|" \
		-e '/conda_env:/d; s|devel/cuda/11.8|mb-test/1.0|; s|partition: [^ ]*|partition: dev|' \
		-e 's/use_local_workspace: True/use_local_workspace: False/' "$LEGACY" >test_conf.yaml
	[ "$(diff "$LEGACY" test_conf.yaml | grep -c '^<')" -eq 6 ]
	mkdir -p workspaces
	export WS_ROOT=$PWD/workspaces PATH=$SHARED/slurm/bin:$PATH MODULEPATH=$SHARED/slurm/modulefiles
}

# at_the_end: what must hold then, wherever it ran.
at_the_end() {
	local folder
	folder=$(mb-deploy status elasticnet-demo --json | jq -r .folder)
	diff <(jq -r 'select(.status == "completed").trial' "$folder/trials.ndjson" | sort -n) <(seq 20)
	[ "$(jq -r .commit "$folder/trials.ndjson" | sort -u)" = "$(head_of)" ]
	[ "$(seen "$folder" cwd)" = "$folder/src/$(head_of)" ]
	[ "$(seen "$folder" venv)" = "$(jq -r .environment "$folder/deploy.json")" ]
	[ "$(seen "$folder" module)" = "$1" ]
	[[ $folder == "$WS_ROOT"/* ]]
	# the two coefficients are found: shrunk but little
	mb-collect -e "$folder/experiment.yaml" --best | jq -e '.metrics.mse < 0.1 and .metrics.r2 > 0.9 and .assignments.alpha < 0.3'
	mb-time --report --json "$folder/deploy.ndjson" | jq -se 'map(.phase) | contains(["deploy", "setup", "undeploy"])'
}

@test "it is read unchanged: --check and plan work on it" {
	there
	run mb-suggest --check -e "$LEGACY"
	[ "$status" -eq 0 ]
	[[ $output == *"elasticnet demo"* ]]
	run mb-deploy plan --on local "$LEGACY"
	[ "$status" -eq 0 ]
	[[ $output == "# elasticnet demo: 20 observations, 2 at once"*"# start first: checks out branch main of git@github.com:aimat-lab/elasticnet.git"*"# each worker first: module load devel/cuda/11.8"*"# start first: finds the environment elasticnet, "*"mb-suggest -k 2 "* ]]
	run mb-deploy plan "$LEGACY"
	[ "$status" -eq 0 ]
	[[ $output == *sbatch* ]]
}

@test "it runs to its budget on this machine, from git, in its environment, in a workspace" {
	there
	model
	legacy
	mb-deploy start --on local test_conf.yaml
	ends elasticnet-demo
	module=null
	[ ! -e /etc/profile.d/modules.sh ] && [ ! -e /etc/profile.d/lmod.sh ] || module=1.0
	at_the_end $module
	mb-deploy delete elasticnet-demo
}

@test "the same on a real Slurm" {
	there
	slurm_needed
	model
	legacy
	mb-deploy start test_conf.yaml 7>&-
	for ((i = 0; i < 60; i++)); do
		is elasticnet-demo finished && break
		sleep 1
	done
	module=null
	[ ! -e /etc/profile.d/modules.sh ] && [ ! -e /etc/profile.d/lmod.sh ] || module=1.0
	mb-deploy status elasticnet-demo
	at_the_end $module
	folder=$(mb-deploy status elasticnet-demo --json | jq -r .folder)
	jq -se 'map(select(.event == "working").process.host) | length >= 1 and all(test("^n[1-4]$"))' "$folder/deploy.ndjson"
	for ((i = 0; i < 20; i++)); do
		[ -n "$(squeue -h --me)" ] || break
		sleep 1
	done
	[ -z "$(squeue -h --me)" ]
}
