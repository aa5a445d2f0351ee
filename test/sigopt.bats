#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# algorithm: sigopt. Against a stand-in of the service (test/sigopt_service.py), which loses requests and answers on
# demand; and against SigOpt's own optimiser behind the same interface, where that is to be had.

load helper

TOKEN=t0ken-s3cret

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	command -v python3 >/dev/null || skip "needs python3"
	unset SIGOPT_ENV_FILE SIGOPT_TOKEN SIGOPT_DEV_TOKEN SIGOPT_API_TOKEN SIGOPT_API_URL MB_SIGOPT_PATIENCE
	export SIGOPT_TOKEN=$TOKEN MB_SIGOPT_PATIENCE=60
}

# service [OPTION…]: starts the stand-in; its address goes to $SIGOPT_API_URL.
service() {
	rm -f address
	python3 "$ROOT/test/sigopt_service.py" "$@" >address 2>service-err &
	SERVICE=$!
	until_true test -s address
	SIGOPT_API_URL=$(cat address)
	export SIGOPT_API_URL
}

# dump FILTER…: what the service holds.
dump() {
	python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1] + "/dump").read().decode())' \
		"$SIGOPT_API_URL" | jq "$@"
}

# remote [BUDGET [BANDWIDTH]]: experiment.yaml of a search by the service.
remote() {
	cat >experiment.yaml <<-END
	experiment: {name: remote, observation_budget: ${1:-6}, parallel_bandwidth: ${2:-2}, algorithm: sigopt}
	parameters:
	- {name: x, type: double, bounds: {min: 0.001, max: 1}}
	- {name: layers, type: categorical, categorical_values: [[20], [64, 32], "off"]}
	metrics: [{name: loss, objective: minimize}]
	END
}

# The job, as a filter.
work() {
	jq -c --unbuffered '.status = "completed" | .metrics = {loss: .assignments.x}'
}

# agree N: N observations on both sides, each trial once, of one experiment, and no suggestion left open.
agree() {
	[ "$(jq -s '[.[] | select(.status == "completed" or .status == "failed") | .trial] | unique | length' trials.ndjson)" = "$1" ]
	dump -e --argjson n "$1" '(.experiments | length) == 1 and (.observations | length) == $n and
		([.observations[].metadata.mb_trial] | unique) == [range(1; $n + 1)] and
		([.observations[] | .suggestion // empty] | (unique | length) == length) and
		([.suggestions[] | select(.state == "open" and .deleted == false)] | length) == 0' ||
		{ dump -c '.experiments[].id, .suggestions[], .observations[]'; return 1; }
	jq -s '[.[] | select(.status == "completed" and .sigopt)] | map({(.sigopt.suggestion): .metrics.loss}) | add' trials.ndjson >ours
	dump '[.observations[] | select(.suggestion and .values)] | map({(.suggestion): .values[0].value}) | add' >theirs
	diff <(jq -S . ours) <(jq -S . theirs)
}

@test "the loop asks, reports, and ends with both sides equal" {
	service
	remote 8
	mb-suggest 2>err | work | mb-collect -q >out
	agree 8
	grep -q "experiment 1 at $SIGOPT_API_URL" err
	[ "$(jq -r 'select(.status == "open") | .algorithm' trials.ndjson | sort -u)" = sigopt ]
	jq -se 'map(select(.status == "open") | .sigopt == {experiment: "1", suggestion: (.trial | tostring)}) | all' trials.ndjson
	jq -se 'map(.assignments.layers | IN([20], [64, 32], "off")) | all' out
	# The same line again: nothing to do, nothing more at the service.
	mb-suggest | work | mb-collect -q >out
	[ ! -s out ]
	agree 8
}

@test "requests and answers that are lost: nothing is lost or doubled" {
	service --fail-rate 0.2 --lose-rate 0.2
	remote 30 3
	mb-suggest -q | work | mb-collect -q >out
	agree 30
}

# kill_suggest: kill -9 to each mb-suggest of this test, which are those in its folder; one at least.
kill_suggest() {
	local pid killed=
	for pid in $(pgrep -x mb-suggest); do
		[ "$(readlink "/proc/$pid/cwd")" != "$PWD" ] || ! kill -9 "$pid" || killed=yes
	done
	[ "$killed" ]
}

# Each kill comes when the service has got so far, between what it did and its answer; or (late) before it does what the
# killed process asked for, which then happens while the next one waits.
@test "kill -9 again and again, while requests fail: nothing is lost or doubled" {
	service --fail-rate 0.1 --hold experiments:1 --hold suggestions:4 --hold observations:5:late \
		--hold observations:9 --hold suggestions:14:late
	remote 16 3
	local pipe i j
	mb-suggest -q | work | mb-collect -q >out &
	pipe=$!
	for i in 1 2 3 4 5; do
		for ((j = 0; j < 400; j++)); do
			[ ! -e held ] || break
			sleep 0.05
		done
		[ -e held ]
		kill_suggest
		wait $pipe
		mb-suggest -q | work | mb-collect -q >out &
		pipe=$!
		sleep 0.5
		rm held
	done
	wait $pipe
	agree 16
}

@test "killed between creating the experiment and writing of it: the experiment is found" {
	service
	remote 4
	mb-suggest -n 1 >first
	# As if neither the log nor the state had come to know its number.
	jq -c 'del(.experiment) | .busy = true' trials.ndjson.sigopt >state && mv state trials.ndjson.sigopt
	rm trials.ndjson
	mb-suggest -n 1 >second
	dump -e '(.experiments | length) == 1 and (.suggestions | length) == 1'
	cmp <(jq -c .assignments first) <(jq -c .assignments second)
}

@test "several loops on one log share the experiment" {
	service --fail-rate 0.1
	remote 16 4
	mb-suggest -q -k 2 | work | mb-collect -q >one &
	local pipe=$!
	mb-suggest -q -k 2 | work | mb-collect -q >two
	wait $pipe
	agree 16
}

@test "results that came while no mb-suggest ran, failed ones, and points of one's own are reported" {
	service
	remote 6 3
	sed -i 's/objective: minimize/&, noise: 0.25/' experiment.yaml
	mb-suggest -n 2 >issued
	{
		sed -n 1p issued | work
		sed -n 2p issued | jq -c '.status = "failed" | .error = "diverged"'
		echo '{"status":"completed","assignments":{"x":0.5,"layers":[64,32]},"metrics":{"loss":0.5}}'
		echo '{"status":"completed","assignments":{"x":7,"layers":[64,32]},"metrics":{"loss":7}}'
	} | mb-collect -q >/dev/null
	mb-suggest -n 1 >/dev/null
	dump -e '.observations | length == 3 and .[0].values == [{name: "loss", value: .[0].values[0].value, value_stddev: 0.25}] and
		.[1].failed == true and (.[1] | has("values") | not) and
		.[2].assignments == {x: 0.5, layers: "[64,32]"} and .[2].metadata == {mb_trial: 3}'
}

@test "-n and the coprocess" {
	service
	remote 6 3
	mb-suggest -n 3 >issued
	[ "$(wc -l <issued)" = 3 ]
	mkfifo back
	mb-suggest -q -l - <back | work | tee done >back
	[ "$(wc -l <done)" = 6 ]
	dump -e '[.experiments[].id] == ["1", "2"] and ([.observations[] | select(.experiment == "2")] | length) == 6'
	# What a coprocess was told of belongs to the experiment that its records name.
	remote 7 3
	mb-suggest -q -l - --history done -n 1 </dev/null >more
	jq -e '.trial == 7 and .sigopt.experiment == "2"' more
	dump -e '(.experiments | length) == 2 and (.observations | length) == 6'
}

@test "a coprocess whose stdin ends has reported all" {
	service
	remote 6 2
	mb-suggest -q -l - -n 1 </dev/null >one
	work <one >result
	{ cat result; } | mb-suggest -q -l - >/dev/null
	dump -e '(.observations | length) == 1'
}

@test "the experiment is translated as it is" {
	service --token dev-t0ken
	cat >experiment.yaml <<-'END'
	experiment: {name: words, observation_budget: 9, parallel_bandwidth: 3, algorithm: sigopt}
	conditionals: [{name: kind, values: [linear, 2]}]
	parameters:
	- {name: a, type: double, bounds: {min: 1.0e-4, max: 10}, transformation: log, prior: {name: normal, mean: -1, scale: 0.5}}
	- {name: b, type: double, bounds: {min: 0, max: 1}, prior: {name: beta, shape_a: 2, shape_b: 3}, default_value: 0.5}
	- {name: c, type: int, bounds: {min: 1, max: 8}, conditions: {kind: [2]}}
	- {name: d, type: int, grid: [3, 5]}
	- {name: e, type: categorical, categorical_values: [[10, 10], true, 1.5, {name: text}]}
	linear_constraints: [{type: less_than, threshold: 9, terms: [{name: a, weight: 1}, {name: b, weight: 2}]}]
	metrics:
	- {name: f1, objective: maximize, threshold: 0.5}
	- {name: size, objective: minimize, threshold: 100}
	- {name: ms, objective: minimize, strategy: constraint, threshold: 20}
	- {name: extra, strategy: store}
	sigopt_options: {dev_run: true, project_id: net, experiment_name: net demo, client_id: 12345}
	END
	SIGOPT_DEV_TOKEN=dev-t0ken mb-suggest -n 2 >out 2>err
	grep -q 'development token' err
	dump -S '.experiments[0] | del(.metadata, .object, .id, .state)' >is
	jq -S . >want <<-'END'
	{"name": "net demo", "type": "offline", "project": "net", "observation_budget": 9, "parallel_bandwidth": 3,
	 "conditionals": [{"name": "kind", "values": ["linear", "2"]}],
	 "parameters": [
	  {"name": "a", "type": "double", "bounds": {"min": 0.0001, "max": 10.0}, "transformation": "log", "prior": {"name": "normal", "mean": -1.0, "scale": 0.5}},
	  {"name": "b", "type": "double", "bounds": {"min": 0.0, "max": 1.0}, "prior": {"name": "beta", "shape_a": 2.0, "shape_b": 3.0}, "default_value": 0.5},
	  {"name": "c", "type": "int", "bounds": {"min": 1, "max": 8}, "conditions": {"kind": ["2"]}},
	  {"name": "d", "type": "int", "grid": [3, 5]},
	  {"name": "e", "type": "categorical", "categorical_values": ["[10,10]", "true", "1.5", "text"]}],
	 "linear_constraints": [{"type": "less_than", "threshold": 9.0, "terms": [{"name": "a", "weight": 1.0}, {"name": "b", "weight": 2.0}]}],
	 "metrics": [
	  {"name": "f1", "objective": "maximize", "strategy": "optimize", "threshold": 0.5},
	  {"name": "size", "objective": "minimize", "strategy": "optimize", "threshold": 100.0},
	  {"name": "ms", "objective": "minimize", "strategy": "constraint", "threshold": 20.0},
	  {"name": "extra", "objective": "maximize", "strategy": "store"}]}
	END
	diff want is
	dump -e '.requests[0] == "GET /v1/clients/12345/experiments"'
	# The point of all defaults comes first, and the service knows of it.
	jq -se '.[0].algorithm == "default" and .[0].assignments.b == 0.5 and .[1].algorithm == "sigopt"' out
	dump -e '.suggestions[0].assignments.b == 0.5'
	# And back: values as the file writes them, inactive parameters absent.
	jq -se 'map((.assignments.e | IN([10, 10], true, 1.5, "text")) and
		(.assignments.kind | IN("linear", 2)) and (.assignments | has("c")) == (.assignments.kind == 2)) | all' out
}

@test "what SigOpt cannot express is an error before anything starts" {
	local text
	while IFS='|' read -r text words; do
		remote
		printf '%b\n' "$text" >>experiment.yaml
		run -2 --separate-stderr mb-suggest -n 1
		[[ "$stderr" == *"experiment.yaml:"*"$words"* ]] || { echo "$stderr"; return 1; }
	done <<-'END'
	fidelity: {name: epochs, min: 1, max: 9, eta: 3}|multi-fidelity
	tasks: [{name: small, cost: 0.1}, {name: all, cost: 1}]|tasks: not built in with algorithm: sigopt
	END
	remote
	sed -i '/name: x/s/.*/- {name: x, type: int, bounds: {min: 1, max: 64}, transformation: log}/' experiment.yaml
	run -2 --separate-stderr mb-suggest -n 1
	[[ "$stderr" == *'experiment.yaml:3: x: transformation: log of an int'* ]]
	remote
	sed -i '/name: x/s/.*/- {name: x, type: int, bounds: {min: 1, max: 64}, prior: {name: normal, mean: 9, scale: 2}}/' \
		experiment.yaml
	run -2 --separate-stderr mb-suggest -n 1
	[[ "$stderr" == *'experiment.yaml:3: x: a prior of an int'* ]]
	remote
	sed -i 's/\[\[20\].*"off"\]/[[20]]/' experiment.yaml
	run -2 --separate-stderr mb-suggest -n 1
	[[ "$stderr" == *'experiment.yaml:4: layers: SigOpt wants two categorical values at least'* ]]
	remote
	sed -i 's/"off"/"[20]"/' experiment.yaml
	run -2 --separate-stderr mb-suggest -n 1
	[[ "$stderr" == *'layers: two values that are both [20] as text'* ]]
	remote
	sed -i 's/^metrics.*/metrics: [a, b, c]/' experiment.yaml
	run -2 --separate-stderr mb-suggest --check
	[[ "$stderr" == *'SigOpt optimises two at most'* ]]
	# At the limit, and one beyond: constraints; characters of a value.
	remote
	sed -i 's/^metrics: .*/metrics:/' experiment.yaml
	echo '- {name: loss, objective: minimize}' >>experiment.yaml
	for i in 1 2 3 4 5; do
		[ $i = 1 ] || mb-suggest --check >/dev/null
		echo "- {name: c$i, objective: minimize, strategy: constraint, threshold: $i}" >>experiment.yaml
	done
	run -2 --separate-stderr mb-suggest --check
	[[ "$stderr" == *'experiment.yaml:'*'metrics: SigOpt takes four constraints at most'* ]]
	for letter in a ä; do
		word=$(printf "$letter%.0s" {1..50})
		remote
		sed -i "s/off/$word/" experiment.yaml
		mb-suggest --check >/dev/null
		sed -i "s/$word/$word$letter/" experiment.yaml
		run -2 --separate-stderr mb-suggest --check
		[[ "$stderr" == *"experiment.yaml:4: layers: $letter"*"is longer than SigOpt's 50 characters for a value"* ]]
	done
	[ ! -e trials.ndjson ]
}

@test "an edited file reaches the service" {
	service
	remote 6 2
	mb-suggest -n 1 | work | mb-collect -q >/dev/null
	sed -i 's/budget: 6/budget: 9/; s/max: 1}/max: 2}/' experiment.yaml
	mb-suggest -n 1 | work | mb-collect -q >/dev/null
	dump -e '(.experiments | length) == 1 and .experiments[0].observation_budget == 9 and
		.experiments[0].parameters[0].bounds.max == 2'
	mb-suggest -n 1 >/dev/null
	dump -e '[.requests[] | select(startswith("PUT"))] | length == 1'
}

@test "a service that repeats itself is helped out by random points" {
	service --repeat
	remote 5 1
	mb-suggest -q | work | mb-collect -q >out
	agree 5
	[ "$(jq -c .assignments out | sort -u | wc -l)" = 5 ]
	grep -q '"algorithm":"random"' out
}

@test "a space that ends, ends the search" {
	service
	remote 9 1
	sed -i '/name: x/s/.*/- {name: x, type: double, grid: [0.25, 0.5]}/; s/, "off"//' experiment.yaml
	mb-suggest 2>err | work | mb-collect -q >out
	[ "$(wc -l <out)" = 4 ]
	grep -q 'the space is exhausted' err
	dump -e '(.observations | length) == 4'
}

# ---- the token ----

@test "the token stands in no argument, log, record or word" {
	service --fail-rate 0.3
	remote 8
	# The processes of this test alone: by a mark in their environment, which all that they start have too.
	export SEARCH_OF=$PWD
	mb-suggest -v 2>err | work | mb-collect -v >out 2>>err &
	local pipe=$!
	for i in 1 2 3 4 5 6 7 8 9 10; do
		for process in $(grep -lszxF "SEARCH_OF=$PWD" /proc/[0-9]*/environ); do
			tr '\0' '\n' <"${process%environ}cmdline" >>arguments || true
		done 2>/dev/null
		sleep 0.05
	done
	wait $pipe
	grep -qx mb-suggest arguments
	agree 8
	SIGOPT_TOKEN=wrong-t0ken-s3cret run -4 --separate-stderr mb-suggest -n 1 -l other.ndjson
	echo "$stderr" >>err
	grep -q 'requires a valid API token, not \[token\]' err
	fails grep -r t0ken-s3cret .
}

@test "SIGOPT_ENV_FILE: modes, owners and forms" {
	unset SIGOPT_TOKEN
	service
	remote
	printf '# tokens\n\nexport SIGOPT_TOKEN="%s"\r\nSIGOPT_DEV_TOKEN=other\n' "$TOKEN" >env
	export SIGOPT_ENV_FILE=env
	for mode in 644 640 604 660 620; do
		chmod $mode env
		run -4 --separate-stderr mb-suggest -n 1
		[[ "$stderr" == "mb-suggest: env: holds tokens, and others may read it (mode $mode) (chmod 600 'env')" ]]
	done
	[ ! -e trials.ndjson ]
	chmod 600 env
	mb-suggest -n 1 >/dev/null
	dump -e '.suggestions | length == 1'
	# The file goes before the environment; a development run takes the other one.
	SIGOPT_TOKEN=wrong mb-suggest -n 1 >/dev/null
	echo 'sigopt_options: {dev_run: true}' >>experiment.yaml
	run -4 --separate-stderr mb-suggest -n 1
	[[ "$stderr" == *'403 This endpoint requires a valid API token, not [token].'* ]]
	SIGOPT_ENV_FILE=missing run -4 --separate-stderr mb-suggest -n 1
	[[ "$stderr" == 'mb-suggest: missing: No such file or directory (SIGOPT_ENV_FILE names it)' ]]
	mkfifo pipe
	SIGOPT_ENV_FILE=pipe run -4 --separate-stderr mb-suggest -n 1
	[[ "$stderr" == *'pipe: is not a file'* ]]
}

@test "a development run without its token asks for random suggestions" {
	service
	remote
	echo 'sigopt_options: {dev_run: true}' >>experiment.yaml
	mb-suggest -n 1 >/dev/null
	dump -e '.experiments[0].type == "random"'
}

@test "without a token auto suggests, and that is said once" {
	unset SIGOPT_TOKEN
	remote 4 1
	mb-suggest 2>err | work | mb-collect -q >out
	[ "$(wc -l <out)" = 4 ]
	[ "$(grep -c 'no token' err)" = 1 ]
	grep -q 'mb-suggest: no token for the SigOpt service (SIGOPT_ENV_FILE, SIGOPT_TOKEN): algorithm auto suggests' err
	fails grep -q sigopt out
}

@test "a file with sigopt_options alone is searched by auto" {
	remote 2 1
	sed -i 's/, algorithm: sigopt//' experiment.yaml
	echo 'sigopt_options: {api_url: "https://sigopt.invalid"}' >>experiment.yaml
	mb-suggest -n 1 2>err >out
	[ ! -s err ]
	fails grep -q sigopt out
}

@test "a token goes to nobody over plain http" {
	remote
	for url in http://example.org http://127.0.0.1.example.org http://localhost.evil ftp://localhost \
		https://user:pw@host 'https://host/?x' https:// ''; do
		[ -n "$url" ] || continue
		sed -i '/^sigopt_options/d' experiment.yaml
		echo "sigopt_options: {api_url: \"$url\"}" >>experiment.yaml
		run -2 --separate-stderr mb-suggest -n 1
		[[ "$stderr" == *"experiment.yaml:"*"sigopt_options.api_url: "* ]] || { echo "$url: $stderr"; return 1; }
		[[ "$stderr" != *pw@* ]]
	done
	SIGOPT_API_URL=http://example.org run -2 --separate-stderr mb-suggest -n 1 -e <(sed '/^sigopt_options/d' experiment.yaml)
	[[ "$stderr" == *'SIGOPT_API_URL: http would show the token'* ]]
}

# ---- a service that does not work ----

@test "it gives up after MB_SIGOPT_PATIENCE, with nothing lost" {
	service --fail-first 100000
	remote
	MB_SIGOPT_PATIENCE=1 run -4 --separate-stderr mb-suggest -n 1
	[[ "$stderr" == "mb-suggest: $SIGOPT_API_URL/v1/experiments?limit=100: no use of the service for "*" s, the last: "*" not now (nothing is lost: "* ]]
	dump -e '.requests | length > 2'
	kill -9 "$SERVICE"
	MB_SIGOPT_PATIENCE=1 run -4 --separate-stderr mb-suggest -n 1
	[[ "$stderr" == *'the last: '*onnect* ]]
	[ ! -s trials.ndjson ]
	service
	mb-suggest -q | work | mb-collect -q >out
	agree 6
}

@test "back-off: longer waits after more failures, and as long as the service says" {
	service --fail-first 6
	remote
	mb-suggest -v -n 1 2>err >out
	[ "$(grep -c 'attempt' err)" = 6 ]
	service --fail-first 1 --fail-status 429 --retry-after 2
	rm -f trials.ndjson*
	mb-suggest -v -n 1 2>err >out
	grep -q '429 not now; attempt 2 in 2.0 s' err
}

@test "an error of one's own is said in the service's words, once, without another attempt" {
	service --fail-first 1 --fail-status 400
	remote
	run -4 --separate-stderr mb-suggest -n 1
	[[ "$stderr" == "mb-suggest: $SIGOPT_API_URL/v1/experiments?limit=100: GET: the service answers 400 not now" ]]
	dump -e '.requests | length == 1'
	SIGOPT_TOKEN=other run -4 --separate-stderr mb-suggest -n 1
	[[ "$stderr" == *'403 This endpoint requires a valid API token, not [token]. (is the token right? see SIGOPT_ENV_FILE in mb-suggest(1))' ]]
	service --babble
	run -4 --separate-stderr mb-suggest -n 1
	[[ "$stderr" == *"the answer is no JSON object: this is not SigOpt's service"* ]]
}

@test "while the service takes its time, the log is free and signals are heard" {
	service --delay 60
	remote
	mb-suggest >out &
	local suggest=$!
	until_true test -e trials.ndjson.sigopt
	echo '{"status":"completed","assignments":{"x":0.5,"layers":"off"},"metrics":{"loss":0.5}}' | timeout 10 mb-collect -q >/dev/null
	grep -q completed trials.ndjson
	kill -TERM $suggest
	until_true fails kill -0 $suggest
	wait $suggest
	[ ! -s out ]
	# A reader that goes away is noticed too.
	mb-suggest | : &
	local pipe=$!
	until_true fails kill -0 $pipe
}

@test "a log names an experiment that is gone" {
	service
	remote
	mb-suggest -n 1 | work | mb-collect -q >/dev/null
	mb-suggest --sigopt-delete 2>err
	grep -qx "mb-suggest: experiment 1 at $SIGOPT_API_URL is deleted" err
	dump -e '.experiments[0].state == "deleted"'
	run -4 --separate-stderr mb-suggest -n 1
	[[ "$stderr" == *'experiment 1, which the log belongs to, is deleted there (-a auto goes on without the service; another --log begins a new search)' ]]
	mb-suggest -n 1 -a auto >out
	jq -e '.trial == 2' out
	run -1 mb-suggest --sigopt-delete -l other.ndjson
	service
	run -4 --separate-stderr mb-suggest -n 1
	[[ "$stderr" == *'404 No object 1 (-a auto goes on'* ]]
}

@test "mb-deploy: a search by the service, and delete deletes it there" {
	service
	export XDG_STATE_HOME=$PWD/state
	experiment 3 1
	sed -i 's/  parallel_bandwidth: 1/&\n  algorithm: sigopt/' experiment.yaml
	mb-deploy start experiment.yaml
	until_true grep -q '"trial":3.*completed' digits/trials.ndjson
	until_true fails grep -q '"busy":true' digits/trials.ndjson.sigopt
	until_true mb-deploy delete digits
	[ ! -e digits ]
	dump -e '(.observations | length) == 3 and .experiments[0].state == "deleted"'
}

@test "mb-suggest starts without libcurl" {
	fails grep -q libcurl <(ldd "$(command -v mb-suggest)")
	mb-suggest --list-algorithms | grep -q '^sigopt '
}

# ---- SigOpt's own optimiser ----

# Python with sigoptlite: $MB_SIGOPT_PYTHON, else python3.
own_optimiser() {
	SERVER="${MB_SHARED:-$ROOT/../shared}/sigopt/server.py"
	[ -e "$SERVER" ] || skip "needs $SERVER"
	PYTHON=${MB_SIGOPT_PYTHON:-/opt/sigopt-venv/bin/python}
	[ -x "$PYTHON" ] || PYTHON=python3
	"$PYTHON" -c 'import sigoptlite' 2>/dev/null ||
		skip "needs python packages: sigopt==8.8.3 sigoptlite==0.1.2 (MB_SIGOPT_PYTHON names an interpreter that has them)"
	"$PYTHON" "$SERVER" --port 0 --token "$TOKEN" --seed 1 "$@" >address 2>service-err &
	for ((i = 0; i < 300; i++)); do
		[ -s address ] && break
		sleep 0.1
	done
	SIGOPT_API_URL=$(cat address)
	export SIGOPT_API_URL
}

# ask PATH: GET as the service's client does.
ask() {
	python3 - "$SIGOPT_API_URL$1" "$TOKEN" <<-'END'
	import base64, sys, time, urllib.error, urllib.request
	request = urllib.request.Request(sys.argv[1])
	request.add_header("Authorization", "Basic " + base64.b64encode((sys.argv[2] + ":").encode()).decode())
	for i in range(60):
	    try:
	        print(urllib.request.urlopen(request).read().decode())
	        break
	    except urllib.error.HTTPError:
	        time.sleep(0.1)
	END
}

@test "SigOpt's optimiser: 30 observations on both sides, none doubled, through failures and kill -9" {
	own_optimiser --fail-rate 0.2
	remote 30 3
	# It draws at random until there are two observations a dimension; what comes then takes seconds each.
	for i in 1 2 3 4 5 6 7 8 9 10; do
		sed -i "/^- {name: x,/a - {name: x$i, type: double, bounds: {min: 0, max: 1}}" experiment.yaml
	done
	for i in 1 2; do
		mb-suggest -q | work | mb-collect -q >out &
		local pipe=$!
		sleep $((i * 2))
		kill_suggest || true # it may have been quick
		wait $pipe
	done
	mb-suggest -q | work | mb-collect -q >out
	[ "$(jq -s '[.[] | select(.status == "completed") | .trial] | unique | length' trials.ndjson)" = 30 ]
	ask /v1/experiments >experiments
	jq -e '.count == 1 and .data[0].progress.observation_count == 30' experiments
	ask '/v1/experiments/1/observations?limit=1000' >observations
	jq -e '[.data[].metadata.mb_trial] | sort == [range(1; 31)]' observations
	jq -s '[.[] | select(.status == "completed")] | map({("\(.trial)"): .metrics.loss}) | add' trials.ndjson >ours
	jq '[.data[]] | map({("\(.metadata.mb_trial)"): .values[0].value}) | add' observations >theirs
	diff <(jq -S . ours) <(jq -S . theirs)
	ask '/v1/experiments/1/suggestions?state=open' | jq -e '.count == 0'
}
