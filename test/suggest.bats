# SPDX-License-Identifier: MIT
#
# mb-suggest: what it says of a file (--check, --init), and the search that learns from its log.

load helper

# ---- --check and --init ----

@test "--init writes a file that --check and all programs take" {
	mb-suggest --init >experiment.yaml
	mb-suggest --check >out 2>err
	[ ! -s err ]
	grep -qx 'experiment    first try' out
	grep -qx 'parameter     learning_rate: double, 0.0001 to 0.1, log, default 0.001' out
	mb-train </dev/null
	mb-collect </dev/null
	mb-deploy plan experiment.yaml --on local
}

@test "--init: each of the keys that are not in use may be" {
	mb-suggest --init >experiment.yaml
	[ "$(grep -c '^ *#[a-z-]' experiment.yaml)" -ge 9 ]
	sed -i 's/^\( *\)#\([a-z-]\)/\1\2/' experiment.yaml
	mb-suggest --check >out
	grep -q '^constraint    dropout + 5 learning_rate <= 0.55$' out
	grep -q '^job           a command of your own$' out
}

@test "--init: the file runs as it stands" {
	[ -e /usr/share/datasets/fashion-mnist ] || [ -e /usr/share/dataset-fashion-mnist ] ||
		dpkg -s dataset-fashion-mnist >/dev/null 2>&1 || skip "needs dataset-fashion-mnist"
	mb-suggest --init >experiment.yaml
	mb-suggest -n 1 | mb-train | mb-collect >out
	jq -e '.status == "completed" and .metrics.val_macro_f1 > 0.5' out
}

@test "--init needs no experiment file, --check does" {
	mb-suggest --init -e missing.yaml >/dev/null
	run -2 mb-suggest --check -e missing.yaml
}

@test "--check explains the whole file" {
	cp "$ROOT/test/data/cluster-hyperopt.yaml" experiment.yaml
	mb-suggest --check -a lhs -s 7 >out
	cat >want <<-END
	experiment    net demo
	budget        12 trials, at most 2 at once
	metric        mse, maximize
	metric        r2, maximize, stored
	algorithm     lhs: a Latin hypercube of observation_budget points, even in each parameter
	seed          7
	job           run_hyperopt of fit.py
	space         6 dimensions, continuous
	conditional   kind: ["linear","forest"]
	parameter     alpha: double, 0.0001 to 10, log, prior normal of mean -1, scale 0.5 (of log10), default 0.1
	parameter     beta: double, 0 to 1, prior beta of shapes 2, 2
	parameter     folds: int, one of 3, 5, 10, default 5
	parameter     normalize: categorical, one of "True", "False"
	parameter     depth: int, 1 to 8, while kind is "forest"
	constraint    alpha + 2 beta <= 10
	END
	diff want <(head -n 15 out)
	[[ "$(tail -n 1 out)" == 'first         {"kind":"linear","alpha":0.1,"beta":0.'*'"normalize":"True"}' ]]
	[ ! -e trials.ndjson ]
}

@test "--check counts the points of a countable space, and says what is not tried" {
	cat >experiment.yaml <<-END
	experiment: {name: few, observation_budget: 5}
	parameters:
	  - {name: a, type: int, bounds: {min: 1, max: 4}, default_value: 4}
	  - {name: b, type: double, grid: [0.5, 1]}
	linear_constraints: [{type: less_than, threshold: 4, terms: [{name: a, weight: 1}, {name: b, weight: 1}]}]
	metrics: [f1]
	END
	mb-suggest --check >out
	grep -qx 'space         2 dimensions, 8 points, fewer by the linear constraints' out
	grep -qx 'first         as the algorithm says: the point of all defaults breaks a linear constraint' out
}

@test "--check of a wrong file: every mistake, exit 2, nothing on stdout" {
	cp "$ROOT/test/wrong/experiment/constraint-wrong.yaml" experiment.yaml
	run -2 --separate-stderr mb-suggest --check
	[ -z "$output" ]
	[ "$(wc -l <<<"$stderr")" -ge 10 ]
	experiment
	run -2 --separate-stderr mb-suggest --check -a grid
	[ -z "$output" ]
	[[ "$stderr" == *"algorithm grid needs a grid"* ]]
}

# ---- files of the older layout ----

# Nothing that a program says of the file but what this version has not got.
taken_by_all() {
	local tool
	touch fit.py train.py
	mb-suggest --check -e "$1" >/dev/null
	MB_LOG=older.ndjson mb-suggest -n 2 -e "$1" >issued
	[ "$(wc -l <issued)" -eq 2 ]
	MB_LOG=older.ndjson mb-collect --summary -e "$1"
	mb-time -e "$1" --report older.ndjson
	for tool in mb-train mb-eval "mb-deploy plan $1 --on local"; do
		MB_EXPERIMENT=$1 MB_LOG=older.ndjson $tool </dev/null 2>>err >>out || true
	done
	fails grep "^mb-[a-z]*: $1:" <(grep -v 'not built in yet' err)
}

@test "the older layout with all its keys is taken by every program" {
	cp "$ROOT/test/data/cluster-hyperopt.yaml" older.yaml
	taken_by_all older.yaml
}

@test "so is the file that others wrote for it" {
	local file="${MB_SHARED:-$ROOT/../shared}/legacy/test_conf.yaml"
	[ -e "$file" ] || skip "needs $file"
	cp "$file" older.yaml
	taken_by_all older.yaml
}

# ---- a search that learns ----

# bowl [BUDGET [MORE]]: a search for x = 0.3, y = "b".
bowl() {
	cat >experiment.yaml <<-END
	experiment: {name: bowl, observation_budget: ${1:-40}, parallel_bandwidth: 1, lease: 1000}
	parameters:
	  - {name: x, type: double, bounds: {min: 0, max: 1}}
	  - {name: y, type: categorical, categorical_values: [a, b, c]}
	metrics: [{name: loss, objective: minimize}]
	${2:-}
	END
}

# The job, as a filter.
dig() {
	jq -c --unbuffered '.assignments as $a | .status = "completed" |
		.metrics = {loss: ((($a.x - 0.3) | fabs) + (if $a.y == "b" then 0 else 0.3 end))}'
}

@test "the loop learns from its log" {
	bowl 40
	mb-suggest | dig | mb-collect -q >out
	[ "$(jq -r .algorithm trials.ndjson | sort | uniq -c | xargs)" = "2 centre 74 gp 4 sobol" ]
	jq -se 'map(select(.status == "completed").metrics.loss) | (.[:10] | min) > 0.005 and min < 0.005' trials.ndjson
}

@test "what is to be maximised is" {
	bowl 40
	sed -i 's/objective: minimize/objective: maximize/' experiment.yaml
	mb-suggest | dig | mb-collect -q >out
	jq -se 'map(.metrics.loss) | max > 0.999' out
}

@test "log, -n and coprocess come to the same suggestion" {
	bowl 25
	mb-suggest | dig | mb-collect -q >history
	bowl 40
	cp history two.ndjson
	mb-suggest -l - --history history -n 1 </dev/null | jq -c '[.trial, .algorithm, .assignments]' >a
	mb-suggest -l two.ndjson -n 1 | jq -c '[.trial, .algorithm, .assignments]' >b
	mb-suggest -l - -n 1 <history | jq -c '[.trial, .algorithm, .assignments]' >c
	grep -q '^\[26,"gp"' a
	cmp a b
	cmp a c
}

# What a suggestion is, without what tells when and by whom.
essence() {
	jq -c '[.trial, .algorithm, .assignments, .surrogate, .seed]'
}

@test "a process that starts anew comes to the bytes of one that ran all along" {
	local trial line
	bowl 40
	mb-suggest -l warm.ndjson | dig | mb-collect -q -l warm.ndjson >results
	for trial in 2 7 20 33 40; do
		line=$(grep -n "\"trial\":$trial,.*\"status\":\"open\"" warm.ndjson | cut -d: -f1)
		head -n $((line - 1)) warm.ndjson >cold.ndjson
		head -n $((trial - 1)) results >told
		sed -n "${line}p" warm.ndjson | essence >warm
		mb-suggest -l - --history told -n 1 </dev/null | essence >results-alone
		mb-suggest -l cold.ndjson -n 1 | essence >cold
		cmp warm cold
		cmp warm results-alone
	done
	grep -q '"gp"' warm
}

@test "observations outside the space are kept, counted and not modelled" {
	bowl 40
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		echo "{\"trial\":$i,\"assignments\":{\"x\":$i,\"y\":\"b\"},\"status\":\"completed\",\"metrics\":{\"loss\":0}}"
	done | mb-collect -q >/dev/null
	mb-suggest -n 1 >out 2>err
	grep -q '11 observations lie outside the space' err
	[ "$(jq -r .algorithm out)" = sobol ]
}

@test "a linear constraint added later puts points outside the space" {
	bowl 30
	mb-suggest -n 12 | dig | mb-collect -q >/dev/null
	bowl 30 'linear_constraints: [{type: greater_than, threshold: 0.5, terms: [{name: x, weight: 1}]}]'
	mb-suggest -n 6 >out 2>err
	grep -q 'observations lie outside the space' err
	[ "$(jq '.assignments.x < 0.5' out | sort -u)" = false ]
}

@test "a space that linear constraints leave three points of ends in order" {
	bowl 30 'linear_constraints: [{type: less_than, threshold: 0.9, terms: [{name: x, weight: 2}]}]'
	sed -i 's/type: double, bounds.*/type: double, grid: [0.25, 0.5, 0.75]}/' experiment.yaml
	mb-suggest 2>err | dig | mb-collect -q >out
	[ "$(jq -c .assignments out | sort -u | wc -l)" -eq 3 ]
	grep -q 'the space is exhausted: all 3 points are tried' err
	run -1 --separate-stderr mb-suggest -n 1
}

@test "random, sobol and lhs follow a prior" {
	local algorithm
	bowl 200
	sed -i 's/max: 1}}/max: 1}, prior: {name: normal, mean: 0.8, scale: 0.02}}/' experiment.yaml
	for algorithm in random sobol lhs; do
		mb-suggest -a $algorithm -l - -n 200 </dev/null |
			jq -se 'length == 200 and all(.[].assignments.x; . > 0.7 and . < 0.9)
				and (map(.assignments.x) | add / 200 | . > 0.79 and . < 0.81)'
	done
}

# ---- linear constraints that leave little ----

# mixture ALGORITHM: shares of four that sum to 1, and two ints with k <= 2 l - 50, of 30 each.
mixture() {
	cat >experiment.yaml <<-END
	experiment: {name: mixture, observation_budget: 60, parallel_bandwidth: 1, algorithm: $1}
	parameters:
	  - {name: a, type: double, bounds: {min: 0, max: 1}}
	  - {name: b, type: double, bounds: {min: 0, max: 1}}
	  - {name: c, type: double, bounds: {min: 1.0e-3, max: 1}, transformation: log}
	  - {name: k, type: int, bounds: {min: 0, max: 30}}
	  - {name: l, type: int, bounds: {min: 0, max: 30}}
	linear_constraints:
	  - {type: less_than, threshold: 1, terms: [{name: a, weight: 1}, {name: b, weight: 1}, {name: c, weight: 1}]}
	  - {type: greater_than, threshold: 1, terms: [{name: a, weight: 1}, {name: b, weight: 1}, {name: c, weight: 1}]}
	  - {type: less_than, threshold: -50, terms: [{name: k, weight: 1}, {name: l, weight: -2}]}
	metrics: [{name: loss, objective: minimize}]
	END
}

@test "an equation between parameters: every algorithm keeps it and never claims to be at the end" {
	local algorithm
	for algorithm in random sobol lhs tpe auto; do
		mixture $algorithm
		rm -f trials.ndjson*
		mb-suggest --check >/dev/null
		mb-suggest | jq -c --unbuffered '.status = "completed" | .metrics = {loss: .assignments.a}' |
			mb-collect -q >out
		jq -se 'length == 60 and all(.[].assignments; ((.a + .b + .c - 1) | fabs) < 1e-9 and .k <= 2 * .l - 50)' out
		[ "$(jq -c .assignments out | sort -u | wc -l)" -eq 60 ]
	done
}

# A process that has seen the whole search and one that reads it from the start say the same.
@test "a warm coprocess and a cold process say the same: tpe, cmaes" {
	cat >experiment.yaml <<-END
	experiment: {name: warm, observation_budget: 60, parallel_bandwidth: 1, seed: 5}
	parameters:
	  - {name: x, type: double, bounds: {min: -5, max: 5}}
	  - {name: k, type: int, bounds: {min: 1, max: 30}}
	  - {name: c, type: categorical, categorical_values: [a, b]}
	metrics: [{name: loss, objective: minimize}]
	END
	for algorithm in tpe cmaes; do
		rm -f in
		mkfifo in
		mb-suggest -a "$algorithm" -l - <in >said &
		exec 7>in
		: >told
		for ((i = 1; i <= 50; i++)); do
			for ((wait = 0; wait < 500 && $(wc -l <said) < i; wait++)); do sleep 0.01; done
			mb-suggest -a "$algorithm" -l - -n 1 <told | jq -c 'del(.spans)' >cold
			sed -n "${i}p" said | jq -c 'del(.spans)' | cmp - cold
			sed -n "${i}p" said | jq -c '.status = "completed" | .metrics.loss =
				.assignments.x * .assignments.x + .assignments.k' | tee -a told >&7
		done
		exec 7>&-
		wait
		jq -es --arg algorithm "$algorithm" 'map(.algorithm) | index($algorithm)' told
	done
}

# ---- what the log tells ----

# trials: the log of 40 points of loss = 3 x - 2 y, y only under kind p
trials() {
	cat >experiment.yaml <<-END
	experiment: {name: told, observation_budget: 60, seed: 5, algorithm: sobol}
	parameters:
	  - {name: x, type: double, bounds: {min: 0, max: 1}}
	  - {name: y, type: double, bounds: {min: 0, max: 1}}
	  - {name: c, type: categorical, categorical_values: [a, b]}
	metrics: [{name: loss, objective: minimize}, {name: size, strategy: store}]
	END
	mb-suggest -n 40 | jq -c '.status = "completed" | .metrics.loss = 3 * .assignments.x - 2 * .assignments.y' | mb-collect -q
}

@test "--predict adds mean and deviation to records, and records nothing" {
	trials
	cp trials.ndjson before
	echo '{"assignments": {"x": 0.5, "y": 0.25, "c": "b"}, "mine": 1}' | mb-suggest --predict >out
	jq -e '(.predicted.loss - 1 | fabs) < 0.05 and .predicted_stddev.loss > 0 and .predicted_stddev.loss < 0.2 and
		.mine == 1 and (.predicted | has("size") | not)' out
	cmp trials.ndjson before
}

@test "--predict: what is no point of the space is a bad line, a log without trials is 1, -l - is 2" {
	trials
	run -3 --separate-stderr mb-suggest --predict <<-END
	{"assignments": {"x": 0.5, "y": 7, "c": "b"}}
	{"assignments": {"x": 0.5, "y": 0.25, "c": "a"}}
	END
	[ "${#lines[@]}" = 1 ]
	[[ $stderr == "mb-suggest: stdin:1: assignments.y: 7 is not in [0, 1]"* ]]
	rm trials.ndjson*
	run -1 mb-suggest --predict </dev/null
	[[ $output == *"0 completed trials with loss inside the space; a model needs 3" ]]
	run -2 mb-suggest --predict -l - </dev/null
}

@test "--importance: shares of the variance, the most important first" {
	trials
	mb-collect --importance >out
	[ "$(jq -r .parameter out | xargs)" = "x y c" ]
	jq -es 'all(.metric == "loss") and (.[0].importance - 9 / 13 | fabs) < 0.06 and (.[1].importance - 4 / 13 | fabs) < 0.06
		and .[2].importance < 0.02 and (.[0].alone - .[0].importance | fabs) < 0.08' out
	rm trials.ndjson*
	run -1 mb-collect --importance
}
