#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What the documents show is executed.
#
# Markdown: blocks of ```sh are run, those of one file one after the other in one shell and an empty home; ```json must parse;
# ```text is a picture. A block after <!-- not run: why --> is not run, and must be one of those listed here by name.
#
# Man pages: each .EX block is marked by a comment before it:
#     .\" example: run [budget]    shell commands in a new folder with the experiment `digits` (below), which take the place
#                                  of a long search; with `budget` they must use up the budget of 8, each trial once
#     .\" example: run x budget    the same with an experiment of one number, x, and the metric loss
#     .\" example: run finished    the same, in a folder where the search of `digits` has come to its end
#     .\" example: run empty       the same, in an empty folder: the example brings all that it needs
#     .\" example: yaml            an experiment file that is taken; `yaml part`: a section of one
#     .\" example: wrong, says     an experiment file that is not, and the words on stderr
#     .\" example: json            JSON values
#     .\" example: picture, message, formula    nothing that can be run
# An unmarked block in the section EXAMPLES is run.

load helper

PAGES=$ROOT/share/man
TO_RUN_BY_HAND='make demo
make check
make
export PATH="$PWD/build:$PATH"
mb-deploy doctor experiment.yaml
mb-deploy plan experiment.yaml
mb-deploy start experiment.yaml
mb-deploy status'

setup_file() {
	export XDG_CACHE_HOME=$BATS_FILE_TMPDIR/cache
	mkdir "$BATS_FILE_TMPDIR/finished"
	cd "$BATS_FILE_TMPDIR/finished" || return
	digits
	mb-suggest -q | mb-train -q | mb-collect -q >/dev/null
}

digits() {
	cat >experiment.yaml <<-YAML
	experiment: {name: digits, observation_budget: 8, parallel_bandwidth: 2}
	parameters:
	  - {name: learning_rate, type: double, bounds: {min: 1.0e-4, max: 0.1}, transformation: log}
	  - {name: batch_size, type: int, grid: [16, 32, 64]}
	metrics: [{name: val_macro_f1, objective: maximize}]
	task: {dataset: digits, epochs: 2}
	YAML
}

only_x() {
	cat >experiment.yaml <<-YAML
	experiment: {name: x, observation_budget: 8, parallel_bandwidth: 2}
	parameters: [{name: x, type: double, bounds: {min: 0, max: 1}}]
	metrics: [{name: loss, objective: minimize}]
	YAML
}

# The functions below are called where a failing command does not end them (bash, `if` and `||`): each step says && by itself.

accepted() { mb-suggest -e "$1" -n 1 -l - </dev/null >suggested && jq -e .assignments suggested; }

# Every line is JSON, the log is whole, and numbers 1 to $1 are completed, each once.
exactly() {
	diff <(jq -r 'select(.status == "completed").trial' trials.ndjson | sort -n) <(seq "$1") && mb-collect -q --fsck
}

# blocks PAGE: one file a block, NN, whose first line is "KIND WORDS…" and the rest the text as a reader sees it.
blocks() {
	awk '
	/^\.SH/ { section = $2 }
	/^\.\\" example:/ { sub(/^[^:]*: */, ""); mark = $0; next }
	/^\.EX/ { kind = mark != "" ? mark : section == "EXAMPLES" ? "run" : "unmarked"
		  file = sprintf("%02d", ++n); print kind >file; inside = 1; mark = ""; next }
	/^\.EE/ { inside = 0; next }
	inside { gsub(/\\-/, "-"); gsub(/\\\(dq/, "\""); gsub(/\\&/, ""); gsub(/\\e/, "\001")
		 if (/\\/) { print "unknown escape: " $0 >"/dev/stderr"; exit 1 }
		 gsub(/\001/, "\\"); print >file }
	' "$1"
}

run_block() { # run_block FILE WORDS…: the text after the first line of FILE, in a folder of its own
	local file=$1 folder=$1.d
	shift
	mkdir "$folder"
	[[ " $* " != *" finished "* ]] || cp -r "$BATS_FILE_TMPDIR/finished/." "$folder"
	(
		cd "$folder" || exit
		export XDG_STATE_HOME=$PWD/.state
		case " $* " in
		*" x "*) only_x ;;
		*" empty "* | *" finished "*) ;;
		*) digits ;;
		esac
		[[ $(tail -n +2 "$file") != *parallel* ]] || command -v parallel >/dev/null || exit 99
		timeout 60 bash -eo pipefail -c "$(tail -n +2 "$file")" || exit
		if [[ -e trials.ndjson ]]; then mb-collect -q --fsck || exit; fi
		if [[ " $* " == *" budget "* ]]; then exactly 8; fi
	)
}

try_block() { # try_block FILE: what its first line asks for
	local file=$1 kind words status=0
	read -r kind words <"$file"
	case $kind in
	run)
		run_block "$file" "$words" || status=$?
		;;
	yaml)
		if [[ $words == part ]]; then
			{ echo 'experiment: {name: part, observation_budget: 1}'
			  echo 'parameters: [{name: x, type: double, bounds: {min: 0, max: 1}}]'
			  echo 'metrics: [loss]'; } >part.yaml
		else
			: >part.yaml
		fi
		tail -n +2 "$file" >>part.yaml
		accepted part.yaml || status=$?
		;;
	json)
		tail -n +2 "$file" | jq -e . || status=$?
		;;
	wrong)
		tail -n +2 "$file" >experiment.yaml
		mb-suggest -n 1 -l - </dev/null 2>said || status=$?
		[[ $status == 2 ]] && status=0
		;;
	says)
		diff <(tail -n +2 "$file") said || status=$?
		;;
	picture | message | formula) ;;
	*)
		status=1
		;;
	esac
	((status == 0)) || { echo "block $(basename "$file"), $kind $words: exit $status"; tail -n +2 "$file"; }
	return $status
}

# page NAME: every block of the page; the failing ones are shown.
page() {
	local file failed=0
	mkdir blocks
	(cd blocks && blocks "$PAGES/$1")
	[[ -e blocks/01 ]]
	for file in "$PWD"/blocks/[0-9][0-9]; do
		try_block "$file" >"$file.out" 2>&1 || { tail -n 30 "$file.out" | cut -c 1-200; failed=1; }
	done
	return $failed
}

# fences FILE KIND: the blocks ```KIND of a Markdown file, but for those that are not run, which go to the file `left_out`.
fences() {
	awk -v kind="$2" '
	/^<!-- not run: / { skip = 1; next }
	/^```/ && !inside { inside = 1; mine = $0 == "```" kind; next }
	/^```/ { inside = mine = skip = 0; next }
	mine && skip { print >"left_out"; next }
	mine { print }
	' "$1"
}

# The commands of a Markdown file, with the small data set in place of the large one.
run_markdown() {
	export HOME=$PWD/home
	mkdir home
	fences "$1" sh | sed 's/dataset: fashion-mnist/dataset: digits/' >commands
	[[ -s commands ]]
	timeout 100 bash -eo pipefail commands >said 2>&1 || { tail -n 30 said | cut -c 1-200; return 1; }
}

@test "README.md: the commands do what they say" {
	command -v python3 >/dev/null || skip "no python3, which one of the examples is written in"
	run_markdown "$ROOT/README.md"
	diff <(sed 's/ *#.*//' left_out) <(echo "$TO_RUN_BY_HAND")
	cd home/first-search && exactly 24
	cd ../own-job && exactly 12
	cd ../own-pipe && exactly 12
	cd ../cheap-first && mb-collect --best | jq -e '.fidelity.epochs == 9'
}

@test "README.md: the experiment file is taken as it stands, and has 12 lines" {
	fences "$ROOT/README.md" sh | sed -n "/cat > experiment.yaml/,/^END_OF_FILE/{//!p}" | sed '/^experiment: /,$d' >first.yaml
	accepted first.yaml
	[[ $(wc -l <first.yaml) == 12 ]]
	diff first.yaml <(sed 's/name: fashion-mnist/name: first search/' "$ROOT/share/examples/fashion-mnist/experiment.yaml")
}

@test "README.md: the record has the members that a record has" {
	fences "$ROOT/README.md" json >record.json
	diff <(jq -r 'keys[]' record.json) <(mb-collect -e "$BATS_FILE_TMPDIR/finished/experiment.yaml" --best | jq -r 'keys[]')
	diff <(jq -r '.metrics | keys[]' record.json) \
		<(mb-collect -e "$BATS_FILE_TMPDIR/finished/experiment.yaml" --best | jq -r '.metrics | keys[]')
}

@test "share/examples: every experiment is taken, every README runs" {
	for folder in "$ROOT"/share/examples/*/; do
		accepted "$folder/experiment.yaml"
		mkdir work
		cp "$folder"/* work
		cd work
		sed -i 's/dataset: fashion-mnist/dataset: digits/' experiment.yaml
		run_markdown README.md
		cd ..
		rm -r work
	done
}

@test "mb(7)" { page mb.7; }
@test "mb(7): after Ctrl-C on parallel the trials are issued again and go on from their checkpoints" {
	command -v parallel >/dev/null || skip "no parallel"
	digits
	sed -i 's/budget: 8/budget: 2/; s/epochs: 2/epochs: 1500/' experiment.yaml
	setsid bash -c 'mb-suggest -n 2 | parallel --pipe -N1 -j2 mb-train | mb-collect' >/dev/null 2>&1 &
	group=$!
	until_true eval '(($(cat trials.ndjson.run/* | grep -c "^[12] 0 1") == 2))'
	sleep 0.3
	kill -INT -- "-$group"
	wait "$group" || true
	[[ -z $(jq 'select(.status != "open")' trials.ndjson) ]]
	until_true eval '(($(grep -c ended trials.ndjson.run/* | grep -c :1) == 2))'
	mb-suggest | mb-train -v 2>said | mb-collect >/dev/null
	[[ $(grep -c 'goes on after epoch' said) == 2 ]]
	[[ $(jq -c 'select(.status == "completed") | [.trial, .attempt]' trials.ndjson | sort | xargs) == '[1,2] [2,2]' ]]
}

@test "mb-suggest(1)" { page mb-suggest.1; }
@test "mb-train(1)" { page mb-train.1; }
@test "mb-eval(1)" { page mb-eval.1; }
@test "mb-collect(1)" { page mb-collect.1; }
@test "mb-time(1)" { page mb-time.1; }
@test "mb-deploy(1)" { page mb-deploy.1; }
@test "mb-trial(5)" { page mb-trial.5; }
@test "mb-experiment(5)" { page mb-experiment.5; }

@test "the man pages are clean: groff has no warnings" {
	command -v groff >/dev/null || skip "no groff"
	for file in "$PAGES"/*.[1-9]; do
		groff -ww -man -Tutf8 "$file" >/dev/null 2>>warnings
		[[ $(sed -n 's/^\.TH \([^ ]*\) \([1-9]\) .*/\1.\2/p' "$file" | tr A-Z a-z) == $(basename "$file") ]]
	done
	diff warnings /dev/null
}

@test "each tool's page names its options, and no others" {
	for tool in mb-suggest mb-train mb-eval mb-collect mb-time mb-deploy; do
		sed 's/\\-/-/g' "$PAGES/$tool.1" >page
		# -e, -l, -q, -v, -h and --version are mb(7)'s
		"$tool" --help | sed '/^ *-e, --experiment/,$d' | grep -o -- ' --[a-z][a-z-]*' | sort -u >help
		sed -n '/^\.SH OPTIONS/,/^\.SH [^O]/p' page | awk 'tp { print } { tp = /^\.TP/ }' |
			grep -o -- '--[a-z][a-z-]*' | sed 's/^/ /' | sort -u >options
		while read -r option; do
			grep -q -- "$option" page || { echo "$tool.1 does not tell of $option"; return 1; }
		done <help
		diff <(comm -13 help options | grep -vx ' --log') /dev/null
	done
}

# "NAME RANGE DEFAULT" of each hyperparameter in mb-train(1), for example `beta1 [0, 1) 0.9`; "-" where it has none.
hyperparameters() {
	sed -n '/^\.SS Hyperparameters/,/^\.SS Optimisers/s/^\.BR \([a-z0-9_]*\) ", \(.*\)"$/\1 \2/p' "$PAGES/mb-train.1" |
		awk '{ range = value = "-"
		       if (match($0, /[[(][0-9]+, [0-9]+[])]/)) { range = substr($0, RSTART, RLENGTH); gsub(" ", "", range) }
		       if (match($0, /default [^ ,:]+/)) value = substr($0, RSTART + 8, RLENGTH - 8)
		       print $1, range, value }'
}

@test "mb-train(1) has every hyperparameter, its range and its words" {
	digits
	hyperparameters >listed
	diff <(cut -d ' ' -f 1 listed | sort) <(sed -n 's/^\t{"\([a-z0-9_]*\)", MB_HYPER_.*/\1/p' "$ROOT/lib/nn/hyper.c" | sort)
	while read -r name range value; do
		run -3 mb-train -l - < <(suggestion 1 "{\"$name\": -1}")
		if [[ $range != - && $range != *65536\] ]]; then
			output=${output//1e+06/1000000}
			[[ ${output// /} == *"isnotin$range"* ]] || { echo "$name: $range, but $output"; return 1; }
		elif [[ $output == *"is not one of"* ]]; then
			for word in $(sed 's/.*one of//; s/,/ /g' <<<"$output"); do
				grep -A 3 "^.BR $name " "$PAGES/mb-train.1" | grep -qw "$word" || { echo "$name: no $word"; return 1; }
			done
		fi
	done <listed
}

@test "mb-train(1) has the defaults: to assign them changes no bit" {
	digits
	hyperparameters | awk '$3 != "-" { v = $3; if (v !~ /^[[0-9]|^false$/) v = "\"" v "\""; printf "%s\"%s\": %s", n++ ? ", " : "{", $1, v }
			       END { print "}" }' >defaults
	jq -e 'length == 23' defaults
	{ suggestion 1 '{}' 5; suggestion 2 "$(cat defaults)" 5; } | mb-train -l - | jq -c '.metrics | del(.train_seconds)' >metrics
	[[ $(wc -l <metrics) == 2 && $(sort -u metrics | wc -l) == 1 ]]
}

@test "every variable of the environment that is read is in a page" {
	for name in $(grep -rho 'getenv("[A-Z_]*")' "$ROOT/cmd" "$ROOT/lib" | grep -o '[A-Z_]\{3,\}' | sort -u); do
		[[ $name == HOME ]] || grep -qw "$name" "$PAGES"/*.[1-9] || { echo "$name"; return 1; }
	done
}

@test "pages that are named are there" {
	for file in "$PAGES"/*.[1-9]; do
		grep -o 'mb[a-z-]* ([1-9])' "$file" | tr -d ' ()' | while read -r name; do
			[[ -e $PAGES/${name%?}.${name: -1} ]] || { echo "$file names $name"; return 1; }
		done
	done
	grep -o '](\([^)]*\))' "$ROOT"/*.md | sed 's/.*](\(.*\))/\1/' | grep -v '^http' | while read -r path; do
		[[ -e $ROOT/$path ]] || { echo "a link to $path"; return 1; }
	done
}
