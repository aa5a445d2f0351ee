#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The model's code from git: pinned to a commit, checked out once, and never half.

load helper
load setup.bash

@test "the branch's commit is checked out; the model runs there, and every record carries it" {
	repo
	mkdir data
	search net 4 <<-'END'
	git_options: {git_uri: ./repo, branch: main}
	data_options: {dataset_path: data}
	END
	run --separate-stderr mb-deploy start net.yaml
	[ "$status" -eq 0 ] && [ -z "$output" ]
	ends net
	commit=$(head_of)
	[ "$(jq -r .commit net/trials.ndjson | sort -u)" = "$commit" ]
	[ "$(seen net cwd)" = "$PWD/net/src/$commit" ]
	[ "$(seen net MB_COMMIT)" = "$commit" ]
	[ "$(seen net dataset)" = "$PWD/data" ] # begins where the file lies, not the model
	jq -e --arg c "$commit" '.commit == $c and .code == "src/\($c)"' net/deploy.json
	jq -se --arg c "$commit" 'map(select(.phase == "setup")) | .[0].component == "git" and .[0].commit == $c' net/deploy.ndjson
	mb-time --report --json net/deploy.ndjson | jq -se 'any(.phase == "setup" and .count >= 1)'
	[ ! -e .mb-env ]
}

@test "continue stays at the pinned commit; start --update takes the newest" {
	repo
	first=$(head_of)
	search net 4 <<-'END'
	git_options: {git_uri: ./repo, branch: main}
	END
	sed -i 's/    return x/    __import__("time").sleep(60 if os.path.exists("stop") else 0)\n&/' repo/train.py
	touch repo/stop
	commit stop
	first=$(head_of)
	mb-deploy start net.yaml
	until_true test -d net/output/1
	mb-deploy kill net
	git -C repo rm -q stop
	commit second
	mb-deploy continue net
	[ "$(jq -r .commit net/deploy.json)" = "$first" ]
	mb-deploy start net.yaml
	[ "$(jq -r .commit net/deploy.json)" = "$first" ]
	mb-deploy kill net
	sed -i 's/budget: 4/budget: 8/' net.yaml
	mb-deploy start net.yaml --update
	[ "$(jq -r .commit net/deploy.json)" = "$(head_of)" ]
	ends net
	[ "$(jq -r 'select(.status == "completed").commit' net/trials.ndjson | sort -u)" = "$(head_of)" ]
	# without a repository too
	sed -i 's/budget: 8/budget: 9/' net.yaml
	mv repo elsewhere
	run --separate-stderr mb-deploy start net.yaml --update
	[ "$status" -eq 4 ]
	mb-deploy continue net
	ends net
	[ "$(jq -s 'map(select(.status == "completed")) | length' net/trials.ndjson)" -eq 9 ]
}

@test "a version is a tag, a commit, or its beginning; no branch is what the repository points to" {
	repo
	git -C repo tag -a -m t v1.0
	one=$(head_of)
	touch repo/two
	commit two
	two=$(head_of)
	touch repo/three
	commit three
	n=0
	for version in v1.0 "$one" "$two" "${two:0:9}"; do
		n=$((n + 1))
		search "n$n" 1 <<-END
		git_options: {git_uri: "file://$PWD/repo", version: "$version"}
		END
		mb-deploy start "n$n.yaml"
		ends "n$n"
	done
	search n5 1 <<-END
	git_options: {git_uri: "$PWD/repo"}
	END
	mb-deploy start n5.yaml
	ends n5
	[ "$(jq -rs 'map(.commit) | unique[]' n1/trials.ndjson)" = "$one" ]
	[ "$(jq -rs 'map(.commit) | unique[]' n2/trials.ndjson)" = "$one" ]
	[ "$(jq -rs 'map(.commit) | unique[]' n3/trials.ndjson)" = "$two" ]
	[ "$(jq -rs 'map(.commit) | unique[]' n4/trials.ndjson)" = "$two" ]
	[ "$(jq -rs 'map(.commit) | unique[]' n5/trials.ndjson)" = "$(head_of)" ]
	[ ! -e n1/src/$one/two ] && [ -e n5/src/$(head_of)/three ]
}

@test "a branch that does not exist: what there is, and the mended file starts" {
	repo
	git -C repo branch dev/fast
	search net <<-'END'
	git_options:
	  git_uri: ./repo
	  branch: mian
	END
	run --separate-stderr mb-deploy start net.yaml
	[ "$status" -eq 2 ]
	[ "$stderr" = "mb-deploy: $PWD/net.yaml:7: git_options.branch: mian is not in ./repo (there are: dev/fast, main)" ]
	is net 'not started'
	sed -i 's/mian/main/' net.yaml
	mb-deploy start net.yaml
	ends net
	search tag <<-'END'
	git_options: {git_uri: ./repo, version: v2}
	END
	run --separate-stderr mb-deploy start tag.yaml
	[ "$status" -eq 2 ]
	[[ $stderr == *"git_options.version: v2 is not in ./repo (there is none at all)" ]]
	search commit <<-'END'
	git_options: {git_uri: ./repo, version: 0123456789abcdef0123456789abcdef01234567}
	END
	run --separate-stderr mb-deploy start commit.yaml
	[ "$status" -eq 2 ]
	[[ $stderr == *"git_options.version: 0123456789abcdef0123456789abcdef01234567 is no commit of ./repo"* ]]
}

@test "a repository that is not there, empty, or not to be reached: git's last words" {
	search net <<-'END'
	git_options: {git_uri: /no/where.git, branch: main}
	END
	run --separate-stderr mb-deploy start net.yaml
	echo "$stderr"
	[ "$status" -eq 4 ]
	[[ $stderr == *"net.yaml:5: git_options.git_uri: /no/where.git cannot be read: "*"does not appear to be a git repository"*"(all that git said: $PWD/net/logs/setup.log)"* ]]
	git init -q -b main empty
	search void <<-'END'
	git_options: {git_uri: empty}
	END
	run --separate-stderr mb-deploy start void.yaml
	[ "$status" -eq 2 ]
	[[ $stderr == *"git_options.git_uri: empty has no commits"* ]]
	# a port where nobody listens; no question is asked on a terminal
	search far <<-'END'
	git_options: {git_uri: "https://127.0.0.1:1/x.git"}
	END
	run --separate-stderr timeout 20 script -qec "mb-deploy start far.yaml" /dev/null
	[[ $output == *"git_options.git_uri: https://127.0.0.1:1/x.git cannot be read: "*"127.0.0.1"* ]]
	[ "$status" -eq 4 ]
}

@test "no hooks, no submodules, and nothing of a repository that surrounds this one" {
	repo
	mkdir -p template/hooks
	printf '#!/bin/sh\ntouch "%s/pwned"\n' "$PWD" >template/hooks/post-checkout
	chmod +x template/hooks/post-checkout
	git init -q -b main other
	touch other/file
	git -C other add -A
	git -C other commit -q -m o
	git -C repo -c protocol.file.allow=always submodule -q add "$PWD/other" sub 2>/dev/null
	commit sub
	search net <<-'END'
	git_options: {git_uri: ./repo}
	END
	git config -f config init.templateDir "$PWD/template"
	git config -f config core.hooksPath "$PWD/template/hooks"
	GIT_CONFIG_GLOBAL=$PWD/config GIT_TEMPLATE_DIR=$PWD/template GIT_DIR=$PWD/other/.git GIT_WORK_TREE=$PWD/other mb-deploy start net.yaml
	ends net
	[ ! -e pwned ]
	[ -d "net/src/$(head_of)/sub" ] && [ ! -e "net/src/$(head_of)/sub/file" ]
	[ "$(git -C other status --porcelain)" = "" ]
}

@test "kill -9 of start at each of its steps, and the same command again: one whole checkout" {
	repo
	search net 1 <<-'END'
	git_options: {git_uri: ./repo, branch: main}
	END
	for step in $(seq 60); do
		rm -rf net state
		status=0
		MB_DEPLOY_DIE_AT=$step mb-deploy start -q net.yaml 2>>words || status=$?
		[ "$status" -eq 137 ] || break
		mb-deploy start -q net.yaml
		ends net
		[ "$(ls net/src)" = "$(head_of)" ]
		[ -z "$(git -C "net/src/$(head_of)" status --porcelain)" ]
		[ "$(jq -s 'map(select(.status == "completed")) | length' net/trials.ndjson)" -eq 1 ]
	done
	echo "$step steps"
	[ "$step" -gt 18 ] && [ "$status" -eq 0 ]
}

@test "a checkout that was removed is made again by continue, from the pinned commit" {
	repo
	search net 2 <<-'END'
	git_options: {git_uri: ./repo}
	END
	mb-deploy start net.yaml
	ends net
	first=$(head_of)
	touch repo/more
	commit more
	rm -rf net/src
	sed -i 's/budget: 2/budget: 4/' net/experiment.yaml
	run --separate-stderr mb-deploy worker net
	[ "$status" -eq 4 ]
	[[ $stderr == *"net/src/$first: No such file or directory (mb-deploy continue net makes it again)"* ]]
	mb-deploy status net | grep -q 'setup ended with 4'
	mb-deploy continue net
	ends net
	[ "$(jq -r .commit net/trials.ndjson | sort -u)" = "$first" ]
}

@test "MB_COMMIT names the commit where mb-deploy does not" {
	experiment 4
	MB_COMMIT=0123abc mb-suggest -q -n 1 | jq -e '.commit == "0123abc"'
	mb-suggest -q -n 1 | jq -e 'has("commit") | not'
	MB_COMMIT='$(touch pwned)' mb-suggest -q -n 1 | jq -e 'has("commit") | not'
}

@test "a command of the repository runs in its checkout" {
	repo
	printf '#!/bin/sh\n[ -e train.py ] && jq .assignments.x\n' >repo/job
	chmod +x repo/job
	commit job
	search net <<-'END'
	git_options: {git_uri: ./repo}
	END
	sed -i 's/^model:.*/model: {command: [.\/job]}/' net.yaml
	mb-deploy start net.yaml
	ends net
	[ "$(jq -s 'map(select(.status == "completed")) | length' net/trials.ndjson)" -eq 2 ]
}

@test "a model that crashes at import: why stands in the log, the worker ends with 5, the suggestions cost nothing" {
	repo
	sed -i '1i raise RuntimeError("no such device")' repo/train.py
	commit crash
	search net <<-'END'
	git_options: {git_uri: ./repo}
	END
	mb-deploy start net.yaml
	until_true is net stopped
	mb-deploy status net | grep -q 'ended .* with 5: .*mb-train ended with 5'
	mb-deploy logs net | grep -q 'model.entry_point: train.py: RuntimeError: no such device'
	mb-deploy status net --json | jq -e '.completed == 0 and .failed == 0'
	sed -i 1d repo/train.py
	commit mended
	mb-deploy start net.yaml --update
	ends net
}
