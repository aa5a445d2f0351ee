# SPDX-License-Identifier: MIT
#
# What the tests of mb-deploy's setup share: a model in a git repository, and the experiment file that names it.

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
	export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t
	export PIP_NO_INDEX=1
	unset MB_DEPLOY MB_DEPLOY_DIE_AT MB_COMMIT PIP_FIND_LINKS VIRTUAL_ENV CONDA_PREFIX CONDA_EXE MAMBA_EXE
}

# Nothing of this test's experiments stays.
teardown() {
	local environ pid
	jobs -p | xargs -r kill -9 2>/dev/null || true
	for environ in /proc/[0-9]*/environ; do
		pid=${environ#/proc/}
		grep -qz "^MB_DEPLOY=" "$environ" 2>/dev/null || continue
		grep -qzF "XDG_STATE_HOME=$BATS_TEST_TMPDIR/state" "$environ" 2>/dev/null && kill -9 "${pid%/environ}" 2>/dev/null
	done
	true
}

# repo: a repository with a model, train.py, on the branch main.
repo() {
	git init -q -b main repo
	cat >repo/train.py <<-'END'
	import json, os, sys
	def train(x):
	    seen = {name: os.environ.get(name) for name in
	            ("MB_COMMIT", "MB_TEST_MODULE", "MB_TEST_CONDA", "MB_TEST_ACTIVATED", "VIRTUAL_ENV", "CONDA_PREFIX", "PATH")}
	    seen.update(cwd=os.getcwd(), python=sys.executable, dataset=x["dataset"])
	    return x["suggestion"]["x"] ** 2, seen
	def test(x):
	    import sys
	    return {"loss": 0.25, "found": float("MB_TEST_CONDA" in os.environ)}
	END
	commit one
}

# commit MESSAGE: all that is in repo.
commit() {
	git -C repo add -A
	git -C repo commit -q -m "$1"
}
head_of() { git -C repo rev-parse "${1:-HEAD}"; }

# search NAME [BUDGET]: NAME.yaml, with the model of `repo`; more sections by stdin.
search() {
	cat >"$1.yaml" <<-END
	experiment: {name: $1, observation_budget: ${2:-2}, parallel_bandwidth: 2, grace: 1${more:+, $more}}
	parameters: [{name: x, type: double, bounds: {min: 0, max: 1}}]
	metrics: [{name: loss, objective: minimize}]
	model: {entry_point: train.py, function_name: train, test_function_name: test}
	END
	if [ ! -t 0 ]; then cat >>"$1.yaml"; fi
}

is() { [ "$(mb-deploy status "$1" --json | jq -r .state)" = "$2" ]; }

# ends NAME: it comes to its budget.
ends() { until_true is "$1" finished || { mb-deploy status "$1"; mb-deploy logs "$1"; return 1; }; }

# seen NAME MEMBER: what the model of each completed trial saw, once each.
seen() { jq -r --arg of "$2" 'select(.status == "completed") | .metadata[$of]' "$1/trials.ndjson" | sort -u; }
