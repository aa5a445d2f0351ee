#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What a model runs in: virtual environments, conda's, and the cluster's modules. Nothing is downloaded: packages are built
# here, conda is test/data/conda.

load helper
load setup.bash

# wheel: mbtestpkg 1.0, in repo/wheels.
wheel() {
	mkdir -p repo/wheels
	python3 - repo/wheels/mbtestpkg-1.0-py3-none-any.whl <<-'END'
	import sys, zipfile
	info = "mbtestpkg-1.0.dist-info/"
	with zipfile.ZipFile(sys.argv[1], "w") as file:
	    file.writestr("mbtestpkg.py", "value = 7\n")
	    file.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: mbtestpkg\nVersion: 1.0\n")
	    file.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
	    file.writestr(info + "RECORD", "")
	END
}

# conda [NAMES…]: programs of these names in PATH, and no others of theirs.
conda() {
	export CONDA_ROOT=$PWD/conda-root
	mkdir -p bin "$CONDA_ROOT/conda-meta" "$CONDA_ROOT/envs"
	for name in "${@:-conda}"; do ln -s "$ROOT/test/data/conda" "bin/$name"; done
	PATH=$PWD/bin:$PATH
}

git_of_repo='git_options: {git_uri: ./repo, branch: main}'

# modulefiles NAME…: Environment Modules' and Lmod's, in ./modules, which is where they are looked for.
modulefiles() {
	command -v module >/dev/null || [ -e /etc/profile.d/modules.sh ] || [ -e /etc/profile.d/lmod.sh ] ||
		skip "neither Environment Modules nor Lmod is installed"
	mkdir -p modules/mb-own modules/mb-bad
	printf '#%%Module1.0\nsetenv MB_TEST_MODULE own\nprepend-path PATH /mb/own/bin\n' >modules/mb-own/1.0
	printf '#%%Module1.0\nprereq mb-no-such-module\n' >modules/mb-bad/1.0
	export MODULEPATH=$PWD/modules
	unset LOADEDMODULES _LMFILES_
}

@test "requirements.txt: a virtual environment, made once, that the model runs in" {
	repo
	wheel
	printf -- '--find-links wheels\nmbtestpkg==1.0\n' >repo/requirements.txt
	sed -i 's/return x\[/import mbtestpkg; assert mbtestpkg.value == 7; return x[/' repo/train.py
	commit wheel
	search net <<<"$git_of_repo"
	PYTHONHOME=/nowhere mb-deploy start net.yaml
	ends net
	env=$(jq -r .environment net/deploy.json)
	[[ $env == "$PWD/.mb-env/"* ]]
	[ "$(seen net VIRTUAL_ENV)" = "$env" ]
	[ "$(seen net python)" = "$env/bin/python3" ]
	[[ $(seen net PATH) == "$env/bin:"* ]]
	jq -se 'map(select(.phase == "setup").component) == ["git", "environment"]' net/deploy.ndjson
	# another experiment beside it takes the same one, at once
	search second <<<"$git_of_repo"
	run --separate-stderr mb-deploy start second.yaml
	[[ $stderr != *"making the environment"* ]]
	ends second
	[ "$(seen second VIRTUAL_ENV)" = "$env" ]
	[ "$(find .mb-env -mindepth 1 -maxdepth 1 -type d -name '*.*' | wc -l)" -eq 1 ]
	# by hand, on the copy: the same environment
	mb-collect -e net/experiment.yaml --best | mb-eval -e net/experiment.yaml --split test | jq -e '.metrics.test_loss == 0.25'
}

@test "requirements that cannot be had: pip's last lines and the whole log; mended, the same command goes on" {
	repo
	echo 'mb-no-such-package==9' >repo/requirements.txt
	commit wrong
	search net <<<"$git_of_repo"
	run --separate-stderr mb-deploy start net.yaml
	[ "$status" -eq 5 ]
	[[ $stderr == *"/net/src/$(head_of)/requirements.txt: no environment could be made from it: python3: "*"No matching distribution found for mb-no-such-package==9"*"(all that was said: $PWD/net/logs/setup.log)"* ]]
	grep -q 'No matching distribution' net/logs/setup.log
	[ -z "$(find .mb-env -mindepth 1 ! -name '*.lock')" ]
	is net 'not started'
	rm repo/requirements.txt
	commit mended
	mb-deploy start net.yaml
	ends net
	[ "$(seen net VIRTUAL_ENV)" = null ]
}

@test "conda_env: the environment of that name as it is" {
	repo
	conda
	"$ROOT/test/data/conda" env create -q -p "$CONDA_ROOT/envs/mine" -f /dev/null
	echo 'dependencies: [python]' >repo/environment.yaml
	commit env
	more='conda_env: mine' search net <<<"$git_of_repo"
	mb-deploy start net.yaml
	ends net
	[ "$(seen net MB_TEST_CONDA)" = "$CONDA_ROOT/envs/mine" ]
	[ "$(seen net CONDA_PREFIX)" = "$CONDA_ROOT/envs/mine" ]
	[ "$(seen net MB_TEST_ACTIVATED)" = 1 ]
	[ "$(seen net VIRTUAL_ENV)" = null ]
	[ ! -e .mb-env ]
	# by its path too, without git and without a conda in PATH
	rm bin/conda
	cp repo/train.py .
	more="conda_env: $CONDA_ROOT/envs/mine" search path </dev/null
	mb-deploy start path.yaml
	ends path
	[ "$(seen path CONDA_PREFIX)" = "$CONDA_ROOT/envs/mine" ]
}

@test "conda_env that does not exist is made from environment.yaml, by each program's own words" {
	repo
	printf 'name: other\ndependencies: [python]\n' >repo/environment.yml
	commit env
	for program in conda mamba micromamba; do
		rm -rf bin conda-root .mb-env
		conda $program
		more='conda_env: made' search "$program" <<<"$git_of_repo"
		mb-deploy start "$program.yaml"
		ends "$program"
		[ "$(seen $program CONDA_PREFIX)" = "$(jq -r .environment $program/deploy.json)" ]
		[ "$(seen $program MB_TEST_ACTIVATED)" = 1 ]
		[ "$(grep -c create conda-root/calls)" -eq 1 ]
	done
	# without conda_env the file alone asks for it; it is there already
	search again <<<"$git_of_repo"
	mb-deploy start again.yaml
	ends again
	[ "$(grep -c create conda-root/calls)" -eq 1 ]
	# another file is another environment
	echo '# edited' >>repo/environment.yml
	commit edited
	mb-deploy delete again
	mb-deploy start again.yaml
	ends again
	[ "$(grep -c create conda-root/calls)" -eq 2 ]
}

@test "no environment of that name and no file, no conda at all, a file that cannot be solved: what to do" {
	repo
	more='conda_env: mine' search net <<<"$git_of_repo"
	PATH=$MB_BUILD:/usr/bin:/bin run --separate-stderr mb-deploy start net.yaml
	[ "$status" -eq 4 ]
	[[ $stderr == *"net.yaml:1: experiment.conda_env: mine needs conda, mamba or micromamba, and none is in PATH (name its module in cluster_modules, "* ]]
	conda
	run --separate-stderr mb-deploy start net.yaml
	[ "$status" -eq 4 ]
	[[ $stderr == *"net.yaml:1: experiment.conda_env: mine does not exist, and the model has no environment.yaml to make it from (conda create -n mine "* ]]
	echo 'dependencies: [broken]' >repo/environment.yaml
	commit broken
	run --separate-stderr mb-deploy start net.yaml
	[ "$status" -eq 5 ]
	[[ $stderr == *"environment.yaml: no environment could be made from it: conda: "*"ResolvePackageNotFound: / - broken"* ]]
	[ -z "$(find .mb-env -mindepth 1 ! -name '*.lock')" ]
}

@test "kill -9 of start while the environment is made, two that want it at once: it is never half" {
	repo
	conda
	echo 'dependencies: [slow]' >repo/environment.yaml
	commit slow
	search one <<<"$git_of_repo"
	search two <<<"$git_of_repo"
	mb-deploy start one.yaml &
	until_true compgen -G '.mb-env/*/bin'
	kill -9 $!
	wait $! || true
	[ -z "$(find .mb-env -type l)" ]
	mb-deploy start one.yaml & first=$!
	mb-deploy start two.yaml & second=$!
	wait $first
	wait $second
	ends one
	ends two
	[ "$(grep -c create conda-root/calls)" -eq 2 ]
	[ "$(seen one CONDA_PREFIX)" = "$(seen two CONDA_PREFIX)" ]
	[ "$(find .mb-env -mindepth 1 -maxdepth 1 -type d -name '*.*' | wc -l)" -eq 1 ]
}

# never_ends: a python3 whose `venv` waits for a process of its own.
never_ends() {
	mkdir -p slow-bin
	cat >slow-bin/python3 <<-END
	#!/bin/bash
	case "\$*" in
	*venv*) sleep 77.$BATS_TEST_NUMBER$$ & wait ;;
	*) exec $(command -v python3) "\$@" ;;
	esac
	END
	chmod +x slow-bin/python3
}
at_venv() { pgrep -f "^sleep 77.$BATS_TEST_NUMBER$$"; }

@test "while an environment is made: others say that they wait, delete does not; a signal ends all of it" {
	repo
	echo >repo/requirements.txt
	commit empty
	search net <<<"$git_of_repo"
	never_ends
	PATH=$PWD/slow-bin:$PATH mb-deploy start net.yaml 2>first 7>&- & first=$!
	until_true at_venv
	for verb in "start net.yaml" "kill net" "continue net"; do
		run timeout 3 mb-deploy $verb
		[ "$status" = 124 ] && [[ $output == *"net: another mb-deploy is at work on it: waiting for its end"* ]]
	done
	timeout 20 mb-deploy start net.yaml 2>/dev/null 7>&- & second=$!
	sleep 0.2
	run timeout 3 mb-deploy delete net
	[ "$status" = 1 ] && [[ $output == *"net: another mb-deploy is at work on it (type it again when that has ended)"* ]]
	kill "$second"
	search other <<<"$git_of_repo"
	run timeout 3 mb-deploy start other.yaml
	[ "$status" = 124 ] && [[ $output == *"other: another start makes this environment: waiting for its end"* ]]
	kill "$first"
	wait "$first" || status=$?
	[ "$status" = 4 ] || cat first
	fails at_venv
	grep -q "stopped by a signal" first
	[ "$(find .mb-env -mindepth 1 -not -name '*.lock' | wc -l)" = 0 ]
	mb-deploy delete net
}

@test "kill -9 of start at each step of the environment, and the same command again" {
	repo
	conda
	echo 'dependencies: [python]' >repo/environment.yaml
	commit env
	search net 1 <<<"$git_of_repo"
	for step in $(seq 60); do
		rm -rf net state .mb-env
		status=0
		MB_DEPLOY_DIE_AT=$step mb-deploy start -q net.yaml 2>>words || status=$?
		[ "$status" -eq 137 ] || break
		[ -d net/src ] || continue
		mb-deploy start -q net.yaml
		ends net
		[ "$(find .mb-env -mindepth 1 -maxdepth 1 -type d -name '*.*' | wc -l)" -eq 1 ]
		[ "$(find .mb-env -mindepth 1 -maxdepth 1 -type l | wc -l)" -eq 1 ]
	done
	echo "$step steps"
	[ "$step" -gt 22 ] && [ "$status" -eq 0 ]
}

@test "an environment that was removed: the worker says so, continue makes it again" {
	repo
	conda
	echo 'dependencies: [python]' >repo/environment.yaml
	commit env
	search net <<<"$git_of_repo"
	mb-deploy start net.yaml
	ends net
	rm -r .mb-env
	sed -i 's/budget: 2/budget: 4/' net/experiment.yaml
	run --separate-stderr mb-deploy worker net
	[ "$status" -eq 4 ] && [[ $stderr == *"No such file or directory (mb-deploy continue net makes it again)"* ]]
	mb-deploy continue net
	ends net
	[ -d .mb-env ]
}

@test "modules are loaded in the worker, whatever shell called, and the environment is made with them" {
	modulefiles
	repo
	conda
	echo 'dependencies: [python]' >repo/environment.yaml
	commit env
	search net <<-END
	$git_of_repo
	cluster_modules: [mb-own/1.0]
	END
	MB_SECRET=sesame mb-deploy start net.yaml
	ends net
	[ "$(seen net MB_TEST_MODULE)" = own ]
	[[ $(seen net PATH) == "$(jq -r .environment net/deploy.json)/bin:"*"/mb/own/bin:"* ]]
	fails grep -r sesame net
	jq -se 'map(select(.phase == "setup").component) | contains(["modules"])' net/deploy.ndjson
	# from a shell that knows module as well
	bash -c '. /etc/profile.d/modules.sh 2>/dev/null || . /etc/profile.d/lmod.sh; export -f module; mb-deploy start --update net.yaml'
	search other <<-END
	$git_of_repo
	cluster_modules: [mb-own]
	END
	bash -lc "PATH=$PATH; MODULEPATH=$MODULEPATH; mb-deploy start other.yaml"
	ends other
	[ "$(seen other MB_TEST_MODULE)" = own ]
}

@test "a module that is not there, or cannot be loaded: its name and line, and nothing runs" {
	modulefiles
	repo
	search net <<-END
	$git_of_repo
	cluster_modules:
	  - mb-own
	  - mb-none/2.0
	END
	run --separate-stderr mb-deploy start net.yaml
	[ "$status" -eq 5 ]
	[[ $stderr == *"net.yaml:8: cluster_modules[1]: mb-none/2.0 cannot be loaded: "*"mb-none/2.0"*"(module avail shows what there is)"* ]]
	is net 'not started'
	sed -i 's/mb-none.*/mb-bad/' net.yaml
	run --separate-stderr mb-deploy start net.yaml
	[ "$status" -eq 5 ]
	[[ $stderr == *"net.yaml:8: cluster_modules[1]: mb-bad cannot be loaded: "*"mb-no-such-module"* ]]
	sed -i '/mb-bad/d' net.yaml
	mb-deploy start net.yaml
	ends net
	# it is gone when the worker starts
	rm -r modules/mb-own
	sed -i 's/budget: 2/budget: 4/' net/experiment.yaml
	run --separate-stderr mb-deploy worker net
	[ "$status" -eq 5 ] && [[ $stderr == *"cluster_modules[0]: mb-own cannot be loaded"* ]]
	mb-deploy status net | grep -q 'with 5: setup ended with 5'
	jq -se 'map(select(.phase == "undeploy") | .seconds < 60) | all' net/deploy.ndjson
}

@test "without a module command this machine is as it is: said once" {
	[ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null || skip "needs root and unshare, to hide the module command"
	repo
	search net <<-END
	$git_of_repo
	cluster_modules: [devel/cuda/11.8]
	END
	unset -f module
	run --separate-stderr unshare -m bash -c '
		for place in /etc/profile.d /usr/share/modules /usr/share/Modules /usr/share/lmod; do
			[ ! -d "$place" ] || mount -t tmpfs none "$place" || exit 99
		done
		env -u BASH_ENV -u MODULESHOME -u LMOD_PKG mb-deploy start net.yaml'
	[ "$status" -eq 0 ]
	[ "$(grep -c "cluster_modules are not loaded: this machine has no module command" <<<"$stderr")" -eq 1 ]
	ends net
	fails grep cluster_modules net/logs/worker-1.log
}
