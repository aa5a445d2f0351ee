#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What an experiment file could smuggle into a shell, an option, or another protocol: it is taken as plain text, or refused
# with its key and line. No file `pwned` appears anywhere.

load helper
load setup.bash

# Each of these would make a file `pwned` if a shell, git or sbatch took it for more than text.
corpus() {
	cat <<-'END'
	$(touch pwned)
	`touch pwned`
	; touch pwned
	| touch pwned
	& touch pwned
	x; touch pwned #
	"; touch pwned; "
	'; touch pwned; '
	-x
	--upload-pack=touch pwned
	--output=pwned
	a\ntouch pwned
	a\rtouch pwned\r
	\x1b]0;touch pwned\x07
	${IFS}touch${IFS}pwned
	$((touch pwned))
	<(touch pwned)
	> pwned
	*
	../../pwned
	%(touch pwned)
	!touch pwned
	~/pwned
	\ttouch pwned
	END
}

# quoted TEXT: as YAML has it in double quotes; \n and the like stay escapes.
quoted() {
	local text=${1//\"/\\\"}
	printf '"%s"' "$text"
}

safe() {
	[ -z "$(find "$BATS_TEST_TMPDIR" "$HOME" -maxdepth 6 -type f -name 'pwned*' -newer "$BATS_TEST_TMPDIR/stamp" 2>/dev/null)" ]
}

# refused FILE KEY LINE: start and plan refuse it with 2 and say where, and nothing was made.
refused() {
	local verb
	for verb in start plan; do
		run --separate-stderr mb-deploy $verb --on local "$1"
		[ "$status" -eq 2 ] || { echo "$verb: $status: $value: $stderr"; return 1; }
		[[ $stderr == "mb-deploy: "*"$1:$3: $2"* ]] || { echo "$verb: $value: $stderr"; return 1; }
		[[ $stderr != *$'\x1b'* && $stderr != *$'\r'* ]]
	done
	[ ! -e net ] && safe
}

@test "git_uri: options, other protocols, passwords, control characters" {
	touch stamp
	{
		corpus | grep -E '^-|\\[nrtx]'
		cat <<-'END'
		ext::sh -c touch% pwned
		ext::touch pwned
		fd::17/foo
		http://example.org/x.git
		git://example.org/x.git
		ftp://example.org/x
		file:pwned
		file://-pwned
		ssh://-oProxyCommand=touch pwned/x
		ssh://git@-oProxyCommand=touch pwned/x
		-oProxyCommand=touch@pwned:x
		git@-oProxyCommand=touch:x
		git@$(touch pwned):x
		git@host`touch pwned`:x
		https://$(touch pwned)/x
		https://user:secret@example.org/x.git
		https://a b/x
		host:path
		C:\\repo
		transport::address
		END
	} >values
	while IFS= read -r value; do
		search net <<-END
		git_options:
		  branch: main
		  git_uri: $(quoted "$value")
		END
		refused net.yaml git_options.git_uri: 7
	done <values
	[ "$(wc -l <values)" -ge 25 ]
}

@test "git_uri: what is a path of this machine stays one, whatever its name" {
	touch stamp
	mkdir repos
	repo
	n=0
	corpus | grep -vE '^-|\\[nrtx]|^\.\./|^> ' >values
	while IFS= read -r value; do
		n=$((n + 1))
		cp -r repo "repos/$n"
		search net 1 <<-END
		git_options: {git_uri: $(quoted "$value")}
		END
		run --separate-stderr mb-deploy start net.yaml
		[[ $status -eq 4 && $stderr == *"net.yaml:5: git_options.git_uri: "*" cannot be read: "* ]] || { echo "$value: $status: $stderr"; false; }
		rm -rf net state
		safe
	done <values
	for name in 'a $(touch pwned) b' 'x; touch pwned #' '`touch pwned`' "it's"; do
		cp -r repo "repos/$name"
		search net 1 <<-END
		git_options: {git_uri: $(quoted "repos/$name"), branch: main}
		END
		mb-deploy start net.yaml
		ends net
		mb-deploy delete net
	done
	safe
}

@test "branch, version: names that git does not allow, and options" {
	touch stamp
	repo
	{ corpus; printf '%s\n' '@{-1}' 'HEAD~1' 'main^{/x}' 'a..b' 'refs/heads/*' ':/x' 'x.lock' '' ' '; } >values
	for key in branch version; do
		while IFS= read -r value; do
			search net <<-END
			git_options:
			  git_uri: ./repo
			  $key: $(quoted "$value")
			END
			# what git allows in a name is not there
			if [[ $value != -* ]] && git check-ref-format "refs/heads/$(printf '%b' "$value")"; then
				run --separate-stderr mb-deploy start net.yaml
				[[ $status -eq 2 && $stderr == *"net.yaml:7: git_options.$key: "*" is not in ./repo"* ]] || { echo "$value: $stderr"; false; }
				rm -rf net state
				safe
			else
				refused net.yaml "git_options.$key:" 7
			fi
		done <values
	done
}

@test "cluster_modules: names that are none" {
	touch stamp
	{ corpus; printf '%s\n' '-f' '--force' 'a b' '' '/etc/passwd' 'unload x'; } >values
	while IFS= read -r value; do
		search net </dev/null
		printf 'cluster_modules:\n  - gcc/12\n  - %s\n' "$(quoted "$value")" >>net.yaml
		refused net.yaml 'cluster_modules[1]:' 7
	done <values
}

@test "conda_env: names that are none" {
	touch stamp
	while IFS= read -r value; do
		{ search net </dev/null; sed -i "1s/grace: 1/grace: 1, conda_env: CONDA/" net.yaml; }
		new=$(quoted "$value") perl -pi -e 's/CONDA/$ENV{new}/' net.yaml
		refused net.yaml experiment.conda_env: 1
	done < <(corpus; printf '%s\n' 'a b' '' '-n')
}

@test "names, paths of data and of the file: plain text" {
	touch stamp
	repo
	corpus | grep -vE '\\[nrtx]|^-|/|"' >values
	n=0
	while IFS= read -r value; do
		n=$((n + 1))
		folder="dir $n $value"
		mkdir -p "$folder/data $value"
		cd "$folder"
		search net 1 <<-END
		git_options: {git_uri: ../repo}
		data_options: {dataset_path: $(quoted "data $value")}
		END
		value=$(quoted "n$n $value") perl -pi -e 's/name: net/name: $ENV{value}/' net.yaml
		mb-deploy start -q net.yaml
		name=$(mb-deploy list --json | jq -r .name | grep "^n$n")
		ends "$name"
		[ "$(seen "$name" dataset)" = "$PWD/data ${folder#dir "$n" }" ]
		mb-deploy delete -q "$name"
		cd ..
		safe
	done <values
	[ "$n" -ge 12 ]
}

@test "sbatch_options: keys and values, before anything is submitted" {
	touch stamp
	mkdir bin
	printf '#!/bin/sh\ntouch "%s/submitted"\n' "$PWD" >bin/sbatch
	chmod +x bin/sbatch
	PATH=$PWD/bin:$PATH
	# one word without anything that a shell minds reaches sbatch as the value that it is
	{ corpus; printf '%s\n' 'a b' '--wrap=touch pwned' 'dev --wrap=x'; } | grep -vxE '[-*./a-z=]*' >values
	while IFS= read -r value; do
		search net </dev/null
		printf 'sbatch_options:\n  time: 10\n  partition: %s\n' "$(quoted "$value")" >>net.yaml
		for verb in start plan; do
			run --separate-stderr mb-deploy $verb --on slurm net.yaml
			[[ $status -eq 2 && $stderr == *"net.yaml:7: sbatch_options.partition: "* ]] || { echo "$verb: $value: $status $stderr"; false; }
		done
	done <values
	for key in wrap output export array dependency job-name chdir '$(touch pwned)' '--wrap' 'partition=x --wrap'; do
		search net </dev/null
		printf 'sbatch_options:\n  time: 10\n  %s: x\n' "$(quoted "$key")" >>net.yaml
		run --separate-stderr mb-deploy start --on slurm net.yaml
		[[ $status -eq 2 && $stderr == *"net.yaml:7: sbatch_options.$key: "* ]] || { echo "$key: $status $stderr"; false; }
	done
	[ ! -e submitted ] && [ ! -e net ] && safe
}
