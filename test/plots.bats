#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# mb-collect --plot and --html: what is drawn is what the log holds, and nothing of a log is taken for a command or a tag.

load helper

# A search of 40 trials: every tenth fails, more than 3 layers break the constraint.
finished() {
	cat >experiment.yaml <<-YAML
	experiment: {name: plotted, observation_budget: 40, parallel_bandwidth: 1, algorithm: random}
	parameters:
	  - {name: rate, type: double, bounds: {min: 1.0e-5, max: 0.1}, transformation: log}
	  - {name: layers, type: int, bounds: {min: 1, max: 5}}
	  - {name: optimizer, type: categorical, categorical_values: [adam, sgd], conditions: {model: mlp}}
	conditionals: [{name: model, values: [mlp, svm]}]
	metrics:
	  - {name: accuracy, objective: maximize}
	  - {name: seconds, objective: minimize, strategy: constraint, threshold: 7}
	YAML
	mb-suggest | jq -c --unbuffered 'if .trial % 10 == 0 then .status = "failed" | .error = "diverged: loss is NaN"
		else .status = "completed" | .metrics = {accuracy: (1 - 0.01 * .trial), seconds: (2 * .assignments.layers)} |
			.epoch_metrics = [{epoch: 1, accuracy: 0.1}, {epoch: 2, accuracy: (0.2 + 0.01 * .trial)}] |
			.spans += [{phase: "train", start: 1000, seconds: 2}] end' | mb-collect -q >/dev/null
	broken=$(jq -s 'map(select(.status == "completed" and .metrics.seconds > 7)) | length' trials.ndjson)
	[ "$broken" -gt 0 ]
}

needs_gnuplot() {
	command -v gnuplot >/dev/null || skip "no gnuplot"
}

# block FILE NAME: the points of one of the script's blocks of data.
block() {
	sed -n "/^\\\$$2 << END/,/^END/p" "$1" | sed '1d;$d'
}

# A page is well formed: every tag closed in its turn, no attribute that acts or loads, no tag that no page of ours has.
page_is_sound() {
	python3 - "$1" <<-'PYTHON'
	import html.parser, sys
	VOID = {"meta", "br", "circle", "path"}
	KNOWN = set("html head meta title style body header h1 h2 p ul li b section div table thead tbody tr th td i figure "
	            "figcaption span svg g path circle text title script".split())
	class Check(html.parser.HTMLParser):
	    def __init__(self):
	        super().__init__()
	        self.open, self.scripts = [], 0
	    def handle_starttag(self, tag, attributes):
	        assert tag in KNOWN, tag
	        for name, value in attributes:
	            assert not name.startswith("on") and name not in ("src", "href", "action", "data"), (tag, name)
	        self.scripts += tag == "script"
	        if tag != "meta":
	            self.open.append(tag)
	    def handle_startendtag(self, tag, attributes):
	        assert tag in KNOWN, tag
	    def handle_endtag(self, tag):
	        assert self.open and self.open[-1] == tag, (tag, self.open)
	        self.open.pop()
	page = open(sys.argv[1], encoding="utf-8").read()
	check = Check()
	check.feed(page)
	check.close()
	assert not check.open, check.open
	assert check.scripts == 1, check.scripts
	assert "://" not in page and "url(" not in page and "@import" not in page
	PYTHON
}

# The table of a page whose section has this heading, as lines of cells between tabs.
table() {
	python3 - "$1" "$2" <<-'PYTHON'
	import html.parser, sys
	class Rows(html.parser.HTMLParser):
	    section, tag, text, row = "", "", "", None
	    def handle_starttag(self, tag, attributes):
	        self.tag = tag
	        if tag in ("h2", "td", "th"):
	            self.text = ""
	        if tag == "tr":
	            self.row = []
	    def handle_data(self, data):
	        self.text += data
	    def handle_endtag(self, tag):
	        if tag == "h2":
	            self.section = self.text
	        if tag in ("td", "th"):
	            self.row.append(self.text)
	        if tag == "tr" and self.section == sys.argv[2]:
	            print("\t".join(self.row))
	Rows().feed(open(sys.argv[1], encoding="utf-8").read())
	PYTHON
}

@test "--plot: the script holds every trial once, where it belongs" {
	finished
	mb-collect --plot history -o h.gp
	[ "$(block h.gp failed0 | wc -l)" -eq 4 ]
	[ "$(block h.gp breaks0 | wc -l)" -eq "$broken" ]
	[ "$(block h.gp good0 | wc -l)" -eq $((36 - broken)) ]
	diff <(block h.gp good0) <(jq -r 'select(.status == "completed" and .metrics.seconds <= 7) |
		"\(.trial).0 \(.metrics.accuracy)"' trials.ndjson)
	# The values fall, so the first that keeps the constraint stays the best.
	best=$(jq -s 'map(select(.status == "completed" and .metrics.seconds <= 7).metrics.accuracy) | max' trials.ndjson)
	[ "$(block h.gp best0 | cut -d' ' -f2 | sort -u)" = "$best" ]
	mb-collect --plot slice -o s.gp
	for panel in 0 1 2 3; do
		all=$(for name in good breaks failed; do block s.gp $name$panel; done | wc -l)
		want=$(jq -s --argjson p $panel 'map(select(.status != "open").assignments | .[["model", "rate", "layers", "optimizer"][$p]] |
			values) | length' trials.ndjson)
		[ "$all" -eq "$want" ]
	done
	[ "$(grep -cx 'set logscale x' s.gp)" -eq 1 ]
	mb-collect --plot curve -o c.gp
	[ "$(for name in good0 breaks0 best0; do block c.gp $name; done | grep -c .)" -eq 72 ]
	mb-collect --plot parallel -o p.gp
	[ "$(block p.gp good0 | grep -c '^5 ')" -eq $((36 - broken)) ]
	# Inactive: the line is broken there.
	[ "$(block p.gp good0 | grep -c '^4 ')" -eq "$(jq -s 'map(select(.status == "completed" and .metrics.seconds <= 7 and
		.assignments.model == "mlp")) | length' trials.ndjson)" ]
}

@test "--plot: gnuplot takes every script, and draws each trial" {
	needs_gnuplot
	finished
	for kind in history slice parallel curve importance; do
		for suffix in svg png pdf; do
			mb-collect -v --plot $kind -o $kind.$suffix 2>err
			fails grep -i 'gnuplot:.*line [1-9]' err
		done
		[ "$(head -c 5 $kind.pdf)" = %PDF- ]
		[ "$(head -c 4 $kind.png | tail -c 3)" = PNG ]
		python3 -c 'import sys, xml.etree.ElementTree as tree; tree.parse(sys.argv[1])' $kind.svg
	done
	# gnuplot's discs and crosses: one a trial, one in the key.
	[ "$(grep -c "href='#gpPt6'.*0072B2\|href='#gpPt6'" history.svg)" -eq $((36 - broken + 1)) ]
	[ "$(grep -c "href='#gpPt1'" history.svg)" -eq 5 ]
	ls -A | grep -F .tmp && return 1
	true
}

@test "--plot on a terminal is as large as it is; in a pipe 80 by 24, without colour" {
	needs_gnuplot
	finished
	mb-collect --plot history >text
	[ "$(wc -l <text)" -ge 19 ] && [ "$(wc -l <text)" -le 24 ]
	[ "$(awk '{ if (length > most) most = length } END { print most }' text)" -le 80 ]
	grep -q o text && grep -q x text && grep -q 'value by trial: plotted' text
	fails grep -q $'\033' text
	fails grep -q $'\f' text
	script -qec 'stty cols 120 rows 40; mb-collect --plot history' /dev/null </dev/null >wide
	sed 's/\x1b\[[0-9;]*m//g; s/\r$//' wide | awk '{ if (length > most) most = length } END { exit !(most > 100 && most <= 120) }'
	grep -q $'\033' wide
	NO_COLOR=1 script -qec 'stty cols 120 rows 40; mb-collect --plot history' /dev/null </dev/null >plain
	fails grep -q $'\033' plain
}

@test "--plot pareto: the front of two metrics; one metric is exit 2" {
	finished
	run mb-collect --plot pareto -o x.gp
	[ "$status" -eq 2 ]
	[[ $output == *"experiment.yaml: metrics: --plot pareto needs two with strategy optimize"* ]]
	cat >two.yaml <<-YAML
	experiment: {name: two, observation_budget: 20, parallel_bandwidth: 1, algorithm: random}
	parameters: [{name: x, type: double, bounds: {min: 0, max: 1}}, {name: y, type: double, bounds: {min: 0, max: 1}}]
	metrics: [{name: loss, objective: minimize}, {name: gain, objective: maximize}]
	YAML
	export MB_EXPERIMENT=two.yaml MB_LOG=two.ndjson
	mb-suggest | jq -c --unbuffered '.status = "completed" | .metrics = {loss: .assignments.x, gain: .assignments.y}' |
		mb-collect -q >/dev/null
	mb-collect --plot pareto -o p.gp
	diff <(block p.gp best0) <(mb-collect --pareto | jq -r '"\(.metrics.loss) \(.metrics.gain)"')
	[ "$(block p.gp good0 | wc -l)" -eq $((20 - $(block p.gp best0 | wc -l))) ]
	mb-collect --html two.html
	page_is_sound two.html
	[ "$(table two.html "Best trials: the front" | wc -l)" -eq $((1 + $(mb-collect --pareto | wc -l))) ]
	grep -q '<h2>Front</h2>' two.html
}

@test "--plot: what is wrong, and what there is nothing to draw of" {
	experiment 5
	run mb-collect --plot history
	[ "$status" -eq 1 ]
	run mb-collect --plot histroy
	[ "$status" -eq 2 ]
	[[ $output == *history* ]]
	run mb-collect --plot history -o picture.jpg
	[ "$status" -eq 2 ]
	[[ $output == *'"picture.jpg" does not end in .svg, .png, .pdf or .gp'* ]]
	run mb-collect -o picture.svg
	[ "$status" -eq 2 ]
	run mb-collect --plot history --html x
	[ "$status" -eq 2 ]
	mb-suggest -n 2 | jq -c '.status = "failed" | .error = "no"' | mb-collect -q >/dev/null
	for kind in history slice parallel curve importance; do
		run mb-collect --plot $kind -o $kind.gp
		[ "$status" -eq 1 ]
		[[ $output == *"no completed trial yet"* ]]
		[ ! -e $kind.gp ]
	done
	mb-suggest -n 1 | jq -c '.status = "completed" | .metrics = {val_macro_f1: 0.5}' | mb-collect -q >/dev/null
	run mb-collect --plot curve -o c.gp
	[ "$status" -eq 1 ]
	[[ $output == *"mb-train --curve"* ]]
	run mb-collect --plot importance -o i.gp
	[ "$status" -eq 1 ]
	mb-collect --plot history -o h.gp # one trial alone spans no range
	mb-collect --plot slice -o s.gp
	# Rows without a number of their own count from 1.
	mb-suggest -n 1 | jq -c '.status = "completed" | .metrics = {val_macro_f1: 0.4} | .epoch_metrics = [{val_macro_f1: 0.1}, {val_macro_f1: 0.4}]' |
		mb-collect -q >/dev/null
	mb-collect --plot curve -o c.gp
	[ "$(block c.gp good0 | xargs)" = "1.0 0.1 2.0 0.4" ]
	run mb-collect --plot history -o none/such.gp
	[ "$status" -eq 4 ]
}

@test "--plot without gnuplot is exit 4 and names the package; the script and the report need none" {
	finished
	PATH=$PWD run "$MB_BUILD/mb-collect" --plot history
	[ "$status" -eq 4 ]
	[[ $output == *"gnuplot: there is no such program"*"gnuplot-nox"* ]]
	PATH=$PWD "$MB_BUILD/mb-collect" --plot history -o h.gp
	PATH=$PWD "$MB_BUILD/mb-collect" --html r.html
	# One that fails is told of, with its own words, and no file is left.
	printf '#!/bin/sh\necho "line 1: no such terminal" >&2\nexit 3\n' >gnuplot
	chmod +x gnuplot
	PATH=$PWD run "$MB_BUILD/mb-collect" --plot history -o h.svg
	[ "$status" -eq 4 ]
	[[ $output == *"gnuplot failed (exit status 3): line 1: no such terminal"* ]]
	[ ! -e h.svg ]
}

@test "--html: the page is sound and says what the log says" {
	finished
	mb-collect --html report.html
	page_is_sound report.html
	[ "$(table report.html "All trials" | wc -l)" -eq 41 ]
	[ "$(table report.html "All trials" | cut -f3 | grep -c 'breaks a constraint')" -eq 0 ]
	[ "$(table report.html "All trials" | cut -f2 | grep -c 'breaks a constraint')" -eq "$broken" ]
	[ "$(table report.html "Best trial" | sed 1d | cut -f1)" = "$(mb-collect --best | jq .trial)" ]
	table report.html Failures | grep -qx $'4\tdiverged: loss is NaN\t10, 20, 30, 40'
	table report.html Lifecycle | grep -q $'^train\t36\t72.000\t2.000\t2.000\t'
	table report.html Metrics | grep -qx $'seconds\tconstraint, minimize, at most 7.0'
	table report.html Space | grep -q $'^rate\tdouble, 1e-5 to 0.1, log$'
	[ "$(table report.html Importance | wc -l)" -eq 5 ]
	# A mark for each trial in the history, and in each slice where the parameter is active.
	[ "$(sed -n '/<h2>History/,/<\/section>/p' report.html | grep -o '<title>trial' | wc -l)" -eq 40 ]
	grep -q 'prefers-color-scheme:dark' report.html
	cp report.html first
	mb-collect --html report.html
	cmp first report.html
	ls -A | grep -F .tmp && return 1
	run mb-collect --html none/such.html
	[ "$status" -eq 4 ]
}

@test "--html of a log of failures, of suggestions alone, of none" {
	experiment 5
	run mb-collect --html r.html
	[ "$status" -eq 1 ]
	[ ! -e r.html ]
	mb-suggest -n 2 >s
	mb-collect --html r.html
	page_is_sound r.html
	grep -q 'No trial is completed yet' r.html
	jq -c '.status = "failed" | .error = "no"' s | mb-collect -q >/dev/null
	mb-collect --html r.html
	page_is_sound r.html
	table r.html Failures | grep -qx $'2\tno\t1, 2'
	fails grep -q '<h2>History' r.html
}

@test "names that are commands or tags stay words" {
	needs_gnuplot
	cat >experiment.yaml <<-'YAML'
	experiment: {name: "a'b\"c\\d @e `touch pwned` $(touch pwned) %s%n", observation_budget: 12, parallel_bandwidth: 1, algorithm: random}
	parameters:
	  - {name: "x'; !touch pwned #", type: double, bounds: {min: 0, max: 1}}
	  - {name: "@y `touch pwned` \\", type: double, bounds: {min: 0.001, max: 1}, transformation: log}
	  - {name: "<script>alert(1)</script>", type: categorical, categorical_values: ["a'\n!touch pwned\n", "END\nsystem('touch pwned')", "%s%d%n \\", "\" onload=\"x", "$(touch pwned)"]}
	metrics: [{name: "l'o\"ss`touch pwned`", objective: minimize}, {name: "<b>", strategy: store}]
	YAML
	mb-suggest | jq -c --unbuffered --arg m $'l\'o"ss`touch pwned`' 'if .trial == 3
		then .status = "failed" | .error = "</title><script>x</script>\u0001\n`touch pwned`"
		else .status = "completed" | .metrics = {($m): .trial, "<b>": 1} |
			.epoch_metrics = [{epoch: 1, "`touch pwned`'"'"'\n!touch pwned": 2}, {epoch: 2, "`touch pwned`'"'"'\n!touch pwned": 3}] |
			.spans += [{phase: "<i>", start: 1, seconds: 1}] end' |
		mb-collect -q >/dev/null
	[ "$(mb-collect --tsv | wc -l)" -eq 13 ]
	for kind in history slice parallel curve importance; do
		mb-collect --plot $kind >$kind.txt
		for suffix in svg png pdf gp; do
			mb-collect --plot $kind -o $kind.$suffix
		done
		python3 -c 'import sys, xml.etree.ElementTree as tree; tree.parse(sys.argv[1])' $kind.svg
		gnuplot $kind.gp 2>/dev/null
	done
	grep -qF 'a'\''b"c\d @e `touch pwned` $(touch pwned) %s%n' history.txt
	grep -qF "x'; !touch pwned #" slice.txt
	grep -qF '>%s%d%n \<' slice.svg
	mb-collect --html report.html
	page_is_sound report.html
	grep -qF '&lt;script&gt;alert(1)&lt;/script&gt;' report.html
	[ "$(find . -name '*pwned*' | wc -l)" -eq 0 ]
}

@test "--html of values at the ends of what a number can be" {
	local low high
	experiment 5
	for values in "1e16 10000000000000002" "-1.7e308 1.7e308" "5e-324 1e-320" "1e-300 1e300" "0 0" "-3 -3"; do
		read -r low high <<<"$values"
		rm -f trials.ndjson*
		mb-suggest -n 2 | jq -c --argjson low "$low" --argjson high "$high" \
			'.status = "completed" | .metrics = {val_macro_f1: (if .trial == 1 then $low else $high end)}' |
			mb-collect -q >/dev/null
		timeout 20 mb-collect --html r.html
		page_is_sound r.html
		[ "$(grep -o '<title>trial' r.html | wc -l)" -eq 6 ]
		fails grep -qE '[" ](-?nan|-?inf)[" ]' r.html
	done
}
