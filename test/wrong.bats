#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The corpus of what is wrong, test/wrong: experiment files, records and options, each handed to the tools as users would.
#
#   experiment/*.yaml   experiment.expected   an experiment file each
#   records.TOOL        records.expected      a wrong record a line; it stands between good ones, which must be handled
#   options             options.expected      a command line each
#
# What each is answered, and how it ends, stands beside it. UPDATE=1 bats test/wrong.bats rewrites that (of experiment
# files: UPDATE=1 build/test/test_experiment): read the difference before it is kept.
# sanitizers: too

load helper

WRONG=$ROOT/test/wrong

# held NAME: what the test wrote to ./NAME must be test/wrong/NAME, which UPDATE=1 makes so.
held() {
	[ -z "${UPDATE:-}" ] || cp "$1" "$WRONG/$1"
	diff "$WRONG/$1" "$1"
}

small='{"hidden_layer_config":[2],"batch_size":512,"epochs":1}'

# The two good records of a tool, around the wrong one.
good() {
	case $1 in
	train) suggestion "$2" "$small" ;;
	eval) cat "$2.ndjson" ;;
	log) good collect $(($2 - 6)) ;;
	spans) printf '{"event":"span","id":"%d","phase":"run","start":%d,"seconds":1}\n' "$2" "$2" ;;
	*) printf '{"trial":%d,"assignments":{"learning_rate":0.01,"batch_size":64},"status":"completed","metrics":{"val_macro_f1":0.5}}\n' "$2" ;;
	esac
}

# shown LINE: for the golden file, without what cannot be read there.
shown() { printf '%s' "$1" | LC_ALL=C tr '\000-\037\177-\377' '?' | cut -c 1-150; }

# answer COMMAND…: runs it on ./in, adds stderr, the trials on stdout and the exit status to the golden text.
answer() {
	local status=0
	timeout 60 "$@" <in >out 2>err || status=$?
	cut -c 1-400 err | sed 's/^/\t/'
	printf '\texit %d' "$status"
	jq -rs 'map(objects | " trial \(.trial // empty)", " phase \(.phase // empty) \(.count)") | sort | add // ""' out 2>/dev/null || echo
	[[ $status == [1-5] || $1 == bash && $status == 12[67] ]] || echo "NO EXIT STATUS OF A WRONG ONE: $status"
}

# each_record TOOL COMMAND…
each_record() {
	local tool=$1 line
	shift
	# NUL bytes, which bash cannot hold, stand as \x01 meanwhile
	tr '\000' '\001' <"$WRONG/records.$tool" | while IFS= read -r line; do
		rm -rf trials.ndjson*
		{ good "$tool" 7; printf '%s\n' "$line" | tr '\001' '\000'; good "$tool" 8; } >in
		printf '%s: %s\n' "$tool" "$(shown "$line")"
		"$@"
	done
}

train() { answer mb-train -q; }
collect() { answer mb-collect -q; }
evaluate() { answer mb-eval -q; }
coprocess() { answer mb-suggest -q -n 1 -l -; }
spans() { cp in spans; answer mb-time --report --json spans; }

# The log is checked, is in use for suggestions, and is repaired.
log() {
	mv in trials.ndjson
	: >in
	answer mb-collect --fsck
	if [[ $(cat err) == *'is not "digits"'* ]]; then return; fi
	mb-suggest -n 1 2>/dev/null | jq -r '"\tsuggests trial \(.trial)"'
	mb-collect --best -q 2>/dev/null | jq -r '"\tbest trial \(.trial)"'
	mb-collect -q --fsck --repair 2>/dev/null && echo $'\trepaired' || echo $'\tgaps stay'
}

@test "records: what is wrong is told, what is good around it is handled" {
	experiment 20
	suggestion 7 "$small" | mb-train -q >7.ndjson
	suggestion 8 "$small" | mb-train -q >8.ndjson
	head -c 500 models/7.ckpt >cut.ckpt
	echo text >text.ckpt
	cp models/7.ckpt flipped.ckpt
	printf x | dd of=flipped.ckpt bs=1 seek=2000 conv=notrunc 2>/dev/null
	{
		each_record eval evaluate
		each_record train train
		each_record collect collect
		each_record suggest coprocess
		each_record log log
		each_record spans spans
	} >records.expected
	held records.expected
	fails grep -E 'NO EXIT STATUS|Sanitizer|runtime error' records.expected
}

@test "options: wrong ones, and names of what is not there" {
	local line
	while IFS= read -r line; do
		rm -rf ./* .[!.]*
		experiment
		: >in
		echo "$line"
		answer bash -c "$line"
	done <"$WRONG/options" >"$BATS_FILE_TMPDIR/options.expected"
	cp "$BATS_FILE_TMPDIR/options.expected" .
	held options.expected
	fails grep -E 'NO EXIT STATUS|Sanitizer|runtime error' options.expected
}

@test "experiment files: every tool that reads them says the same, and ends with 2" {
	local file tool status
	cp -r "$WRONG/experiment" files
	cd files
	for file in *.yaml; do
		for tool in 'mb-suggest -n 1 -l - -e' 'mb-train -e' 'mb-collect --best -e' 'mb-eval -e' 'mb-deploy plan'; do
			status=0
			$tool "$file" </dev/null >/dev/null 2>said || status=$?
			echo "$tool $file: $status"
			[ $status -eq 2 ]
			sed "s/^${tool%% *}: //" said >plain
			diff <(grep "^$file:" "$WRONG/experiment.expected") plain
		done
	done
}

@test "the corpus holds 200 cases at least" {
	cases=$(ls "$WRONG/experiment" | wc -l)
	cases=$((cases + $(cat "$WRONG"/records.{train,collect,eval,suggest,log,spans} "$WRONG/options" | wc -l)))
	echo "$cases cases"
	[ "$cases" -ge 200 ]
}
