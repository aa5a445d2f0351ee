# SPDX-License-Identifier: MIT
#
# mb-train and mb-eval with a Python function as the job: what it is given, what it may return, and how each of its ends
# leaves a record and no process.
# sanitizers: too

load helper

# model [LINES OF THE SECTION experiment…]: an experiment file whose job is f in main.py, which is on stdin.
model() {
	{
		echo 'experiment:'
		printf '  %s\n' 'name: t' 'observation_budget: 9' 'parallel_bandwidth: 2' "$@"
		echo 'parameters: [{name: x, type: double, bounds: {min: 0, max: 1}}]'
		echo 'metrics: [{name: loss, objective: minimize}, {name: size, strategy: store}]'
		echo 'model: {entry_point: main.py, function_name: f, test_function_name: t}'
	} >experiment.yaml
	cat >main.py
}

# returns EXPRESSION: the record of a trial whose function returns that; what is said goes to err.
returns() {
	model <<-PY
	def f(a):
	    return $1
	PY
	suggestion 1 '{"x":0.5}' | mb-train -q 2>err
}

# python_left: the interpreters whose text is the one of this test's folder still run.
python_left() {
	local pid
	for pid in $(pgrep -f 'python3? - [0-9]+ main.py' || true) $(pgrep -f 'sleep 987[0-9]+' || true); do
		[ "$(readlink "/proc/$pid/cwd")" != "$PWD" ] || return 0
	done
	return 1
}

nothing_left() { until_true fails python_left; }

start() { # start INPUT…: mb-train in the background, its input stays open
	mkfifo in
	mb-train >out 2>err <in 3>&- &
	trainer=$!
	exec 9>in
	"$@" >&9
}

# numpy: the first python3 of PATH that has it, if need be the system's.
numpy() {
	python3 -c 'import numpy' 2>/dev/null && return
	/usr/bin/python3 -c 'import numpy' 2>/dev/null || skip 'python3-numpy is not installed'
	mkdir -p bin
	ln -sf /usr/bin/python3 bin
	PATH=$PWD/bin:$PATH
}

# ---- what it is given ----

@test "the function gets suggestion, dataset and output_path, and the variables of a command" {
	model <<-'PY'
	import os, sys, json
	def f(a):
	    open("seen", "w").write(json.dumps([a, os.getcwd(), sys.argv, sys.path[0], __name__, sys.stdin.read(),
	        {k: os.environ.get(k) for k in ("MB_TRIAL", "MB_SEED", "MB_OUTPUT_PATH", "PYTHONUNBUFFERED")}]))
	    return 1
	if __name__ == "__main__":
	    raise SystemExit("the main block ran")
	PY
	mkdir folder data
	mv main.py experiment.yaml data folder
	echo 'data_options: {dataset_path: data}' >>folder/experiment.yaml
	sed -i 's|main.py|./main.py|' folder/experiment.yaml
	suggestion 3 '{"x":0.5,"layers":[20,10],"kind":"a"}' 77 | mb-train -q -e folder/experiment.yaml >out
	[ -d folder/output/3 ]
	jq -e --arg d "$PWD/folder" '.[0] == {suggestion: {x: 0.5, layers: [20,10], kind: "a"}, dataset: ($d + "/data"),
		output_path: ($d + "/output/3")} and .[1:6] == [$d, ["./main.py"], $d, "main", ""] and
		.[6] == {MB_TRIAL: "3", MB_SEED: "77", MB_OUTPUT_PATH: ($d + "/output/3"), PYTHONUNBUFFERED: "1"}' folder/seen
}

@test "without a data set it is None, with -d it is that folder" {
	returns '{"loss": 1, "size": a["dataset"] is None}' >out
	grep -q 'size is bool True, not a number' out
	mkdir other
	model <<<'import os
def f(a): return (1, [a["dataset"], os.environ["MB_DATA"]])'
	suggestion 1 | mb-train -q -d other >out
	jq -e --arg d "$PWD/other" '.metadata == [$d, $d]' out
}

@test "imports are paid once for all trials, and -j trials run at once" {
	model <<-'PY'
	import os, time
	open("imports", "a").write("x\n")
	def f(a):
	    open("began.%s" % os.environ["MB_TRIAL"], "w")
	    while len([n for n in os.listdir(".") if n.startswith("began.")]) < 4:
	        time.sleep(0.02)
	    return 1
	PY
	for i in 1 2 3 4 5 6; do suggestion $i; done | mb-train -q -j 4 >out
	[ "$(jq -r .status out | sort | uniq -c | xargs)" = '6 completed' ]
	[ "$(cat imports)" = x ]
	jq -se 'map(select(.spans | map(.phase) == ["load", "train"])) | length == 1' out
}

@test "each trial has random numbers of its own seed" {
	model <<<'import random
def f(a): return random.random()'
	{ suggestion 1 '{}' 5; suggestion 2 '{}' 6; suggestion 3 '{}' 5; } | mb-train -q >out
	jq -se 'sort_by(.trial) | map(.metrics.loss) | .[0] == .[2] and .[0] != .[1]' out
	numpy
	model <<<'import numpy
def f(a): return numpy.random.rand()'
	{ suggestion 1 '{}' 5; suggestion 2 '{}' 6; suggestion 3 '{}' 5; } | mb-train -q >out
	jq -se 'sort_by(.trial) | map(.metrics.loss) | .[0] == .[2] and .[0] != .[1]' out
}

@test "an edited file is loaded anew, and modules beside it are found" {
	model <<<'import helper_of_main
def f(a): return helper_of_main.value + 1'
	echo 'value = 1' >helper_of_main.py
	[ "$(suggestion 1 | mb-train -q | jq .metrics.loss)" = 2 ]
	sed -i 's/+ 1/+ 5/' main.py
	[ "$(suggestion 1 | mb-train -q | jq .metrics.loss)" = 6 ]
	echo 'raise SystemExit("a file of the working folder was imported")' | tee json.py >socket.py
	mkdir sub
	mv main.py helper_of_main.py sub
	sed -i 's|main.py|sub/main.py|' experiment.yaml
	[ "$(suggestion 1 | mb-train -q | jq .metrics.loss)" = 6 ]
}

# ---- what it may return ----

@test "numbers, tuples, dicts and lists are results" {
	[ "$(returns 0.25 | jq -c '[.status,.metrics,.error]')" = '["completed",{"loss":0.25},null]' ]
	[ "$(returns 3 | jq -c .metrics)" = '{"loss":3}' ]
	[ "$(returns '0.5, {"epochs": 3, "why": ("a", None)}' | jq -c '[.metrics,.metadata]')" = \
		'[{"loss":0.5},{"epochs":3,"why":["a",null]}]' ]
	[ "$(returns '{"loss": 1, "size": 2}' | jq -c .metrics)" = '{"loss":1,"size":2}' ]
	[ "$(returns '[{"name": "loss", "value": 1, "value_stddev": 0.5}, {"name": "size", "value": 2}]' |
		jq -c '[.metrics,.metrics_stddev]')" = '[{"loss":1,"size":2},{"loss":0.5}]' ]
	[ "$(returns '({"name": "loss", "value": 1}, {"name": "size", "value": 2})' | jq -c .metrics)" = '{"loss":1,"size":2}' ]
	[ "$(returns '{"loss": 1}, "words"' | jq -c '[.metrics,.metadata]')" = '[{"loss":1},"words"]' ]
	[ "$(returns '__import__("fractions").Fraction(1, 4)' | jq -c .metrics)" = '{"loss":0.25}' ]
	[ "$(returns '1, {"nan": float("nan"), "set": {1}, "object": ValueError("no")}' | jq -c .metadata)" = \
		'{"nan":null,"set":[1],"object":"no"}' ]
	[ "$(returns '1, {"a\0": "\udcff\n"}' | jq -c .metadata)" = '{"a ":"?\n"}' ]
}

@test "numpy's numbers and arrays of no dimension are results" {
	numpy
	[ "$(returns '__import__("numpy").float32(0.5)' | jq -c .metrics)" = '{"loss":0.5}' ]
	[ "$(returns '__import__("numpy").array(0.25)' | jq -c .metrics)" = '{"loss":0.25}' ]
	[ "$(returns '{"loss": __import__("numpy").int64(3)}' | jq -c .metrics)" = '{"loss":3}' ]
	[ "$(returns '__import__("numpy").float64("nan")' | jq -r .error)" = 'loss is nan, not a finite number' ]
	[ "$(returns '__import__("numpy").zeros(2)' | jq -r .error)" = 'loss is an array of shape (2,), not a number' ]
	[ "$(returns '1, __import__("numpy").arange(3)' | jq -c .metadata)" = '[0,1,2]' ]
}

@test "what is no result failed, and says what it was" {
	local case expression error
	for case in \
		'None|it returned None, not a number' \
		'"0.5"|loss is str '"'0.5'"', not a number' \
		'True|loss is bool True, not a number' \
		'{"a\nb": "\udcff"}|a b is str '"'\\udcff'"', not a number' \
		'1j|loss is complex 1j, not a number' \
		'float("nan")|loss is nan, not a finite number' \
		'{"loss": float("inf")}|loss is inf, not a finite number' \
		'{"size": 1}|its result has no loss: size' \
		'{}|its result has no loss: no metrics' \
		'[{"name": "size", "value": 1}]|its result has no loss: size' \
		'[1, 2]|its result holds int 1, not {"name": …, "value": …}' \
		'10 ** 400|OverflowError: int too large to convert to float' \
		'__import__("os")._exit(0)|it ended without a result' \
		'__import__("os")._exit(3)|exit status 3' \
		'__import__("sys").exit("no more")|exit status 1: no more' \
		'__import__("os").kill(__import__("os").getpid(), 11)|killed by signal 11 (Segmentation fault)'; do
		expression=${case%%|*} error=${case#*|}
		returns "$expression" >out
		echo "$expression: $(cat out)"
		[ "$(jq -r .status out)" = failed ]
		[ "$(jq -r .error out)" = "$error" ]
	done
	[ "$(returns '__import__("os")._exit(85)' | jq -r .status)" = interrupted ]
	nothing_left
}

@test "metadata beyond a MiB is left out, and that is said" {
	[ "$(returns '1, "x" * 2000000' | jq -c '[.status,.metrics.loss,.metadata]')" = '["completed",1,null]' ]
	grep -q 'metadata of 20000.. bytes is left out' err
}

@test "a trial's folder with something in it is the record's model" {
	model <<<'import os
def f(a):
    if os.environ["MB_TRIAL"] == "1":
        open(a["output_path"] + "/weights", "w")
    return 1'
	{ suggestion 1; suggestion 2; } | mb-train -q -j 1 >out
	[ "$(jq -c .model out | xargs)" = 'output/1 null' ]
}

# ---- its ends ----

@test "what it prints goes to stderr, from C and its children too" {
	model <<-'PY'
	import os, subprocess, sys
	print("at import")
	os.write(1, b"by descriptor\n")
	def f(a):
	    print("in the function")
	    os.system("echo from a shell")
	    subprocess.run(["echo", "from a child"])
	    sys.__stdout__.write("no newline")
	    return 1
	PY
	suggestion 1 | mb-train -q >out 2>err
	[ "$(wc -l <out)" -eq 1 ]
	[ "$(jq .metrics.loss out)" = 1 ]
	[ "$(xargs <err)" = 'at import by descriptor in the function from a shell from a child no newline' ]
}

@test "an exception is the trial's error, its traceback is on stderr without mb's own frames" {
	model <<-'PY'
	def g():
	    raise ValueError("x is\nnot good")
	def f(a):
	    g()
	PY
	suggestion 1 | mb-train -q >out 2>err
	[ "$(jq -c '[.status,.error]' out)" = '["failed","ValueError: x is not good"]' ]
	grep -q 'main.py", line 2, in g' err
	fails grep -q -e '<stdin>' -e python_server err
	model <<<'def f(a): import nothing_of_the_kind'
	[ "$(suggestion 1 | mb-train -q 2>/dev/null | jq -r .error)" = \
		"ModuleNotFoundError: No module named 'nothing_of_the_kind'" ]
}

@test "a module that cannot be loaded is exit 5 before the first trial, with Python's error" {
	local case
	for case in 'import nothing_of_the_kind|ModuleNotFoundError: No module named '"'nothing_of_the_kind'" \
		'def f(a) return 1|SyntaxError: ' 'f = 3|TypeError: f is not a function' \
		'def g(a): pass|AttributeError: module '"'main' has no attribute 'f'" \
		'raise SystemExit(3)|SystemExit: 3' 'import os; os._exit(7)|python3 ended with status 7' \
		'import os; os.kill(os.getpid(), 9)|python3 was killed by signal 9 (Killed)'; do
		model <<<"${case%%|*}"
		run --separate-stderr mb-train < <(suggestion 1; suggestion 2)
		echo "$case: $status $output $stderr"
		[ "$status" -eq 5 ]
		[ -z "$output" ]
		[[ "$stderr" == *"mb-train: experiment.yaml:7: model.entry_point: main.py: ${case#*|}"* ]]
		[ "$(grep -c 'mb-train: ' <<<"$stderr")" -eq 1 ]
		[ "$(tail -qn1 trials.ndjson.run/*)" = ended ]
		rm -r trials.ndjson.run
	done
	rm main.py
	run mb-train -q < <(suggestion 1)
	[ "$status" -eq 5 ]
	[[ "$output" == *"main.py: FileNotFoundError: "* ]]
	nothing_left
}

@test "without python3 it is exit 5 that names it" {
	model <<<'def f(a): return 1'
	run env PATH="${MB_BUILD:-$ROOT/build}" mb-train -q < <(suggestion 1)
	[ "$status" -eq 5 ]
	[[ "$output" == *"model.entry_point: main.py: python3: No such file or directory"*PATH* ]]
}

@test "a function that hangs and ignores TERM ends at its time limit, with its children" {
	model 'trial_timeout: 0.4' 'grace: 0.3' <<-'PY'
	import signal, subprocess, time
	def f(a):
	    signal.signal(signal.SIGTERM, signal.SIG_IGN)
	    subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 98771"])
	    while True:
	        time.sleep(1)
	PY
	suggestion 1 | mb-train -q >out
	[ "$(jq -c '[.status,.error]' out)" = '["failed","timeout after 0.4 s"]' ]
	nothing_left
}

@test "nothing is left of what a function forked" {
	model <<-'PY'
	import os, subprocess, multiprocessing, time
	def f(a):
	    subprocess.Popen(["sleep", "98772"])
	    if os.fork() == 0:
	        time.sleep(1000)
	    with multiprocessing.Pool(2) as pool:
	        return sum(pool.map(abs, [-1, 2]))
	PY
	[ "$(suggestion 1 | mb-train -q | jq .metrics.loss)" = 3 ]
	nothing_left
}

@test "a signal is passed on: a result counts, none is interrupted, at once or after the grace" {
	local number
	for number in INT TERM USR1; do
		model 'grace: 0.5' <<-PY
		import os, signal, subprocess, sys, time
		def f(a):
		    trial = os.environ["MB_TRIAL"]
		    if trial == "1":
		        signal.signal(signal.SIG$number, lambda *_: open("heard", "w"))
		    if trial == "2":
		        signal.signal(signal.SIG$number, signal.SIG_IGN)
		    subprocess.Popen(["sleep", "98773"])
		    open("began." + trial, "w")
		    while not os.path.exists("heard") or trial != "1":
		        time.sleep(0.05)
		    return 1
		PY
		sed -i 's/parallel_bandwidth: 2/parallel_bandwidth: 3/' experiment.yaml
		mkfifo in
		mb-train -j 3 >out 2>err <in 3>&- &
		trainer=$!
		exec 9>in
		{ suggestion 1; suggestion 2; suggestion 3; } >&9
		until_true test -e began.1 -a -e began.2 -a -e began.3
		kill -$number $trainer
		wait $trainer
		[ "$(jq -c '[.trial,.status,.error]' out | sort | xargs)" = \
			'[1,completed,null] [2,interrupted,null] [3,interrupted,null]' ]
		nothing_left
		exec 9>&-
		rm -rf in out heard began.* trials.ndjson.run
	done
}

@test "kill -9 of mb-train, of a worker, of all at once: nothing is left" {
	local who
	for who in trainer workers all; do
		model <<-'PY'
		import os, subprocess, time
		def f(a):
		    subprocess.Popen(["sleep", "98774"])
		    open("began." + os.environ["MB_TRIAL"], "w")
		    time.sleep(1000)
		PY
		start eval 'suggestion 1; suggestion 2'
		until_true test -e began.1 -a -e began.2
		python_left
		case $who in
		trainer) kill -9 $trainer ;;
		workers) kill -9 $(pgrep -P $trainer -x mb-train)
			until_true eval '(($(wc -l <out) == 2))'
			[ "$(jq -r .status out | sort -u)" = failed ]
			exec 9>&- ;;
		all) kill -9 $trainer $(pgrep -P $trainer) ;;
		esac
		wait $trainer || true
		nothing_left
		exec 9>&-
		rm -r in began.*
	done
}

@test "a signal while the module loads ends at once, and the trials stay open" {
	model <<<'import time
open("loading", "w")
time.sleep(1000)'
	start suggestion 1
	until_true test -e loading
	kill -TERM $trainer
	wait $trainer
	[ ! -s out ]
	fails grep -q 'done 1' trials.ndjson.run/*
	nothing_left
}

@test "an interpreter that is killed is exit 5, and the trials are free" {
	model <<<'import os, time
def f(a):
    os.kill(os.getppid(), 9)
    time.sleep(1000)'
	run --separate-stderr mb-train -q < <(suggestion 1; suggestion 2)
	[ "$status" -eq 5 ]
	[ -z "$output" ]
	[[ "$stderr" == *"the Python interpreter has ended"* ]]
	nothing_left
}

# ---- memory ----

@test "a function that needs more memory than its limit failed, with its children" {
	model 'memory_limit: 100 MB' <<-'PY'
	import subprocess, time
	def f(a):
	    subprocess.Popen(["sleep", "98775"])
	    if a["suggestion"]["x"] > 0.5:
	        return 1
	    rest = []
	    while True:
	        rest.append(bytearray(b"x") * 10000000)
	        time.sleep(0.02)
	PY
	{ suggestion 1 '{"x":0}'; suggestion 2 '{"x":1}'; } | mb-train -q >out
	[ "$(jq -r 'select(.trial == 2).status' out)" = completed ]
	[ "$(jq -r 'select(.trial == 1).status' out)" = failed ]
	[[ "$(jq -r 'select(.trial == 1).error' out)" =~ ^'memory limit of 100 MB exceeded ('[12][0-9.]+' MB)'$ ]]
	nothing_left
}

@test "the memory of a command's children counts, too" {
	model 'memory_limit: 60 MB' </dev/null
	sed -i 's/^model:.*/model: {command: [sh, -c, "sh hungry; echo 1"]}/' experiment.yaml
	cat >hungry <<-'SH'
	head -c 100000000 /dev/zero | tail -c 100000000 | { sleep 5; cat; } >/dev/null &
	wait
	SH
	suggestion 1 | mb-train -q >out
	[[ "$(jq -r .error out)" == 'memory limit of 60 MB exceeded ('*' MB)' ]]
	nothing_left
}

@test "memory that trials share is counted once: the module's own data are not each trial's" {
	model 'memory_limit: 150 MB' <<-'PY'
	import time
	data = bytes(bytearray(b"x") * 200000000)
	def f(a):
	    time.sleep(0.3)
	    return sum(data[::4096]) > 0 and 1
	PY
	{ suggestion 1; suggestion 2; suggestion 3; } | mb-train -q -j 3 >out
	[ "$(jq -r .status out | sort | uniq -c | xargs)" = '3 completed' ]
}

# ---- mb-eval ----

@test "mb-eval calls test_function_name, with the split's prefix before what it returns" {
	model <<-'PY'
	import os
	def f(a):
	    open(a["output_path"] + "/weights", "w").write("0.5")
	    return a["suggestion"]["x"]
	def t(a):
	    weights = float(open(a["output_path"] + "/weights").read())
	    print("scoring", a["split"], os.environ["MB_TRIAL"])
	    return {"loss": weights + a["suggestion"]["x"], a["split"] + "_size": 3}, {"rows": [1, 2]}
	PY
	{ suggestion 1 '{"x":0.25}'; suggestion 2 '{"x":1}'; } | mb-train -q -m weights -j 1 >out
	mb-eval <out >scored 2>err
	jq -se 'map([.trial, .status, .metrics.loss, .metrics.test_loss, .metrics.test_size, .report.metadata.rows[1]]) ==
		[[1,"completed",0.25,0.75,3,2], [2,"completed",1,1.5,3,2]] and
		all(.spans | map(.phase) | last == "test")' scored
	grep -q 'scoring test 2' err
	[ "$(head -1 out | mb-eval --format text 2>/dev/null | xargs)" = 'trial 1, test split test_loss 0.75 test_size 3' ]
	head -1 out | mb-eval --split validate 2>/dev/null | jq -e '.metrics | .val_loss == 0.75 and .val_validate_size == 3'
	nothing_left
}

@test "mb-eval: a bare number is the optimised metric on that split; what cannot be scored is a bad record" {
	model <<-'PY'
	def f(a): return 1
	def t(a):
	    if a["suggestion"].get("x") == 1:
	        raise KeyError("weights")
	    return 2
	PY
	sed -i 's/name: loss/name: val_loss/' experiment.yaml
	run --separate-stderr mb-eval < <(suggestion 1 '{"x":1}'; suggestion 2 '{"x":0}')
	[ "$status" -eq 3 ]
	[ "$(jq -c '[.trial,.metrics]' <<<"$output")" = '[2,{"test_loss":2}]' ]
	[[ "$stderr" == *"mb-eval: stdin:1: t: KeyError: 'weights'"* ]]
	sed -i 's/test_function_name: t/test_function_name: no_such/' experiment.yaml
	run mb-eval < <(suggestion 1)
	[ "$status" -eq 5 ]
	[[ "$output" == *"experiment.yaml:7: model.entry_point: main.py: AttributeError: "* ]]
	sed -i 's/, test_function_name: no_such//' experiment.yaml
	run mb-eval < <(suggestion 1)
	[ "$status" -eq 2 ]
	[[ "$output" == *"experiment.yaml:7: model.test_function_name: missing"* ]]
	nothing_left
}

@test "mb-eval holds to the time limit, ends when its reader goes, and leaves nothing when it is killed" {
	model 'trial_timeout: 0.3' 'grace: 0.2' <<-'PY'
	import subprocess, time
	def t(a):
	    subprocess.Popen(["sleep", "98776"])
	    open("began", "w")
	    time.sleep(1000)
	PY
	run mb-eval < <(suggestion 1)
	[ "$status" -eq 3 ]
	[[ "$output" == *'t: timeout after 0.3 s'* ]]
	nothing_left
	sed -i '/trial_timeout/d' experiment.yaml
	suggestion 1 | mb-eval 2>/dev/null | true
	nothing_left
	rm began
	suggestion 1 >one
	mb-eval <one >out 3>&- &
	trainer=$!
	until_true test -e began
	kill -9 $trainer
	nothing_left
}
