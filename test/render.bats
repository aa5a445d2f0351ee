#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# mb-deploy render: files for others to run. The scripts in them are run here.

load helper

# hostile: experiment.yaml of a search whose name is an attack.
hostile() {
	experiment 4 2
	cat >name <<-'END'
	  name: "it's $(touch pwned) `touch pwned` \"; touch pwned; # %post"
	END
	sed -i -e '/name: digits/{r name' -e 'd}' experiment.yaml
}

SLUG=it-s-touch-pwned-touch-pwned-touch-pwned-post

# done_in LOG: four trials are in the log, and nothing was touched.
done_in() {
	[ "$(jq -s '[.[] | select(.status == "completed")] | length' "$1")" = 4 ]
	[ -z "$(find "$BATS_TEST_TMPDIR" -name 'pwned*')" ]
}

@test "slurm: a batch script that bash runs" {
	hostile
	echo 'sbatch_options: {partition: dev, cpus-per-task: 2, mem-per-cpu: 2000}' >>experiment.yaml
	mb-deploy render --for slurm -w 2 experiment.yaml >job.sh
	bash -n job.sh
	for line in "--job-name=$SLUG" '--array=1-2' '--requeue' '--open-mode=append' '--partition=dev' '--cpus-per-task=2' \
		'--mem-per-cpu=2000'; do
		grep -qx -- "#SBATCH $line" job.sh
	done
	grep -qE '^#SBATCH --signal=B:USR2@[0-9]+$' job.sh
	# All options stand before the first command, or sbatch would not read them.
	[ "$(grep -n '^#SBATCH' job.sh | tail -n 1 | cut -d: -f1)" -lt "$(grep -nE '^[^#]' job.sh | head -n 1 | cut -d: -f1)" ]
	cd / && bash "$BATS_TEST_TMPDIR/job.sh"
	done_in "$BATS_TEST_TMPDIR/$SLUG/trials.ndjson"
}

@test "slurm: options that start refuses are refused" {
	experiment
	echo 'sbatch_options: {wrap: "touch pwned"}' >>experiment.yaml
	run -2 --separate-stderr mb-deploy render --for slurm experiment.yaml
	[ -z "$output" ]
	[[ "$stderr" == *'sbatch_options'* ]]
}

@test "a signal reaches the stages, and the script ends when they have" {
	cat >experiment.yaml <<-'END'
	experiment: {name: slow, observation_budget: 4, parallel_bandwidth: 1, grace: 5}
	parameters: [{name: x, type: double, bounds: {min: 0, max: 1}}]
	metrics: [loss]
	model: {command: "touch begun; trap 'exit 85' TERM USR2; sleep 60 & wait"}
	END
	mb-deploy render --for slurm -w 1 experiment.yaml >job.sh
	bash job.sh &
	local job=$!
	until_true test -e begun
	kill -TERM $job
	until_true fails kill -0 $job
	wait $job
	[ "$(tail -n 1 slow/trials.ndjson | jq -r .status)" = interrupted ]
}

@test "docker: the sections, and the command runs" {
	hostile
	mb-deploy render --for docker experiment.yaml >Dockerfile
	[ "$(grep -oE '^[A-Z]+' Dockerfile | xargs)" = "ARG FROM RUN COPY RUN FROM RUN COPY WORKDIR CMD" ]
	# What the image is built from is what the build needs.
	for package in $(awk '$1 == "build" && $2 != "make" { print $2 }' "$ROOT/share/setup/packages"); do
		grep -q "install.* $package " Dockerfile
	done
	sed -n 's/^CMD //p' Dockerfile >command
	jq -e 'length == 3 and .[:2] == ["/bin/bash", "-c"]' command
	jq -r '.[2]' command | sed "s|/work/|$PWD/|g" >script
	bash script
	done_in $SLUG/trials.ndjson
}

@test "apptainer: the sections, and the runscript runs" {
	hostile
	mb-deploy render --for apptainer experiment.yaml >mb.def
	[ "$(grep -E '^(%|Bootstrap|From)' mb.def | xargs)" = "Bootstrap: docker From: debian:bookworm-slim %files %post %runscript" ]
	sed '1,/^%runscript/d' mb.def >script
	sh script
	done_in $SLUG/trials.ndjson
}

@test "kubernetes: fields and types as the API has them, values as the file" {
	command -v python3 >/dev/null || skip "needs python3"
	hostile
	mb-deploy render --for kubernetes experiment.yaml >list.json
	python3 "$ROOT/test/kubernetes_check.py" "$ROOT/test/data/kubernetes-fields.txt" <list.json
	jq -e '[.items[].kind] == ["ConfigMap", "PersistentVolumeClaim", "Job"]' list.json
	jq -j '.items[0].data["experiment.yaml"]' list.json | cmp - experiment.yaml
	jq -e '.items[1].spec.accessModes == ["ReadWriteMany"]' list.json
	jq -e '.items[2].spec | .completionMode == "Indexed" and .completions == 2 and .parallelism == 2 and
		.template.spec.restartPolicy == "Never" and .template.spec.terminationGracePeriodSeconds >= 60' list.json
	# All names that point to something point to what is there.
	jq -e '. as $all | .items[2].spec.template.spec | [.volumes[].name] as $volumes |
		([.containers[0].volumeMounts[].name] - $volumes) == [] and
		.volumes[0].persistentVolumeClaim.claimName == $all.items[1].metadata.name and
		.volumes[1].configMap.name == $all.items[0].metadata.name' list.json
	jq -r '.items[2].spec.template.spec.containers[0].command[2]' list.json |
		sed "s|/etc/mb|$PWD|g; s|/study|$PWD|g" >script
	bash script
	done_in trials.ndjson
	# The checker sees what is wrong.
	for change in '.items[2].spec.completions = "two"' '.items[2].spec.nonsense = 1' 'del(.items[2].spec.template)' \
		'.items[1].spec.resources.requests.storage = 10' '.items[0].metadata.name = "Mb_"' '.items[1].spec.accessModes = ["Many"]'; do
		fails python3 "$ROOT/test/kubernetes_check.py" "$ROOT/test/data/kubernetes-fields.txt" < <(jq "$change" list.json)
	done
}

@test "what start would have made is named" {
	hostile
	run --separate-stderr mb-deploy render --for slurm
	[ "$status" -eq 0 ] && [ -z "$stderr" ]
	cat >>experiment.yaml <<-'END'
	model: {command: [./train]}
	git_options: {git_uri: ../model}
	cluster_modules: [devel/cuda]
	END
	run --separate-stderr mb-deploy render --for docker
	[ "$status" -eq 0 ]
	[[ $stderr == "mb-deploy: git_options, cluster_modules: nothing of what is printed makes or fetches it"* ]]
}

@test "wrong words" {
	experiment
	run -2 --separate-stderr mb-deploy render experiment.yaml
	[[ "$stderr" == *'render: --for is missing: slurm, kubernetes, docker or apptainer'* ]]
	run -2 mb-deploy render --for nomad experiment.yaml
	mkdir "$(printf 'a\n%%post')"
	cp experiment.yaml a*post/
	for target in slurm docker apptainer kubernetes; do
		run -2 --separate-stderr mb-deploy render --for $target a*post/experiment.yaml
		[[ "$stderr" == *'holds a control character'* ]]
	done
}

@test "the file may lie behind blanks and quotes" {
	mkdir "a 'b' \$(touch pwned)"
	cd a*
	experiment 4 2
	mb-deploy render --for slurm -w 1 experiment.yaml >job.sh
	bash job.sh
	done_in digits/trials.ndjson
}

@test "docker: the image is built by podman, and a container runs the search" {
	[ -n "${MB_CONTAINER_BASE:-}" ] ||
		skip "it downloads packages: MB_CONTAINER_BASE=IMAGE names the Debian 12 image to build from (podman import of a debootstrap will do)"
	command -v podman >/dev/null || skip "no podman"
	hostile
	mb-deploy render --for docker experiment.yaml >Dockerfile
	mkdir context
	(cd "$ROOT" && git ls-files -z | tar -c --null -T -) | tar -x -C context
	podman build -q --network host --build-arg BASE="$MB_CONTAINER_BASE" -t mb-test-render -f Dockerfile context
	# Limits that a user who is not quite root may set too.
	podman run --rm --network none --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 -v "$PWD":/work mb-test-render >said 2>&1
	[ "$(grep -vc '^mb-' said)" = 0 ]
	done_in $SLUG/trials.ndjson
	podman rmi -f mb-test-render
}
