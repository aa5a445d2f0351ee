# SPDX-License-Identifier: MIT
#
# mb-eval: the scores of a trained model, as members of the record and as a report.

load helper

experiment() {
	cat >experiment.yaml <<-'END'
		experiment: {name: t, observation_budget: 9, parallel_bandwidth: 2}
		parameters: [{name: learning_rate, type: double, bounds: {min: 0.0001, max: 1}}]
		metrics: [{name: val_macro_f1}]
		task: {dataset: digits, epochs: 2}
	END
}

trained() {
	experiment
	suggestion 1 '{"batch_size":8,"learning_rate":0.005}' | mb-train >record
}

# What the confusion matrix alone says, computed here a second time.
from_confusion='
	.report.confusion as $c | [range(10)] as $k
	| def row(i): $c[i] | add; def col(j): [$c[][j]] | add; def ratio(a; b): if b == 0 then 0 else a / b end;
	[$k[] | ratio($c[.][.]; col(.))] as $p | [$k[] | ratio($c[.][.]; row(.))] as $r
	| [$k[] | ratio(2 * $p[.] * $r[.]; $p[.] + $r[.])] as $f
	| {accuracy: (([$k[] | $c[.][.]] | add) / ([$k[] | row(.)] | add)), macro_precision: (($p | add) / 10),
	   macro_recall: (($r | add) / 10), macro_f1: (($f | add) / 10),
	   weighted_f1: (([$k[] | $f[.] * row(.)] | add) / ([$k[] | row(.)] | add)),
	   weighted_recall: (([$k[] | $r[.] * row(.)] | add) / ([$k[] | row(.)] | add)),
	   weighted_precision: (([$k[] | $p[.] * row(.)] | add) / ([$k[] | row(.)] | add))}'

@test "the test split: metrics follow from the confusion matrix" {
	trained
	mb-eval <record >out
	jq -e '.report.split == "test" and ([.report.confusion[] | add] | add) == 500' out
	jq -e '.report.classes | map(.class) == [range(10)] and (map(.support) | add) == 500' out
	jq -e ". as \$all | $from_confusion | to_entries | all(. as \$e
		| (\$all.metrics[\"test_\" + \$e.key] - \$e.value) | fabs < 1e-12)" out
	jq -e '.metrics.test_loss > 0 and .spans[-1].phase == "test"' out
	jq -e '.metrics.test_accuracy > 0.5' out
}

@test "what was there passes, and the validation split scores what training scored, to the bit" {
	trained
	mb-eval --split validate <record >out
	jq -e -s '.[0].metrics == (.[1].metrics | with_entries(select(.key | test("^(val_(loss|accuracy|macro_f1)|train_(loss|seconds))$"))))' record out
	jq -e -s '(.[1] | del(.metrics, .report, .spans)) == (.[0] | del(.metrics, .spans))' record out
	jq -e '.metrics.val_weighted_recall and .report.split == "validate" and .spans[-1].phase == "validate"' out
	[ "$(jq '[.report.confusion[] | add] | add' out)" -eq 400 ]
}

@test "the train split" {
	trained
	mb-eval --split train <record >out
	jq -e '([.report.confusion[] | add] | add) == 1600 and .metrics.train_macro_f1 > 0.5' out
}

@test "the report for people has the numbers of the record" {
	trained
	mb-eval <record >out
	mb-eval --format text <record >text
	cat text
	head -n1 text | grep -q '^trial 1, test split of digits'
	for name in precision recall f1-score support accuracy 'macro avg' 'weighted avg'; do
		grep -q "$name" text
	done
	[ "$(awk '$1 == "macro" {print $3, $4, $5, $6}' text)" = \
		"$(jq -r '.metrics | "\(.test_macro_precision) \(.test_macro_recall) \(.test_macro_f1)"' out | xargs printf '%.4f %.4f %.4f 500')" ]
	[ "$(awk '$1 == 7 {print $2, $3, $4, $5}' text)" = \
		"$(jq -r '.report.classes[7] | "\(.precision) \(.recall) \(.f1) \(.support)"' out | xargs printf '%.4f %.4f %.4f %d')" ]
}

@test "models are found beside the log, wherever one stands" {
	mkdir there
	cd there
	trained
	cd ..
	mb-eval -e there/experiment.yaml <there/record >out
	jq -e .metrics.test_loss out
	mkdir elsewhere
	run mb-eval -e there/experiment.yaml -l elsewhere/trials.ndjson <there/record
	[ "$status" -eq 3 ]
	[[ "$output" == *"stdin:1: model: elsewhere/models/1.ckpt"* ]]
}

@test "failed and interrupted records pass, so that it can stand in the pipe" {
	experiment
	printf '%s\n' '{"trial":1,"status":"failed","error":"x"}' '{"trial":2,"status":"interrupted"}' >in
	mb-eval <in >out
	cmp in out
}

@test "bad records around good ones" {
	trained
	cp record good
	echo rubbish >models/2.ckpt
	cp models/1.ckpt models/3.ckpt
	printf x | dd of=models/3.ckpt bs=1 seek=2000 conv=notrunc 2>/dev/null
	{
		cat good
		echo '{"trial":9,"status":"completed","metrics":{"val_macro_f1":1}}'
		jq -c '.model = "models/9.ckpt"' good
		jq -c '.model = "models/2.ckpt"' good
		jq -c '.model = "models/3.ckpt"' good
		jq -c '.trial = 4' good
		jq -c '.assignments.batch_size = 9' good
		echo '{'
		jq -c '.model = 5' good
		cat good
	} >in
	run --separate-stderr mb-eval <in
	echo "$stderr"
	[ "$status" -eq 3 ]
	[ "$(wc -l <<<"$output")" -eq 2 ]
	[ "$(cut -d: -f1-3 <<<"$stderr" | grep -c '^mb-eval: stdin:[2-9]$')" -eq 8 ]
	[[ "$stderr" == *"stdin:2: model: "*"mb-train's results have one"* ]]
	[[ "$stderr" == *"stdin:6: model: "*"of another trial: its trial is 1"* ]]
}

@test "a record of another experiment is exit 2" {
	trained
	run --separate-stderr mb-eval < <(jq -c '.experiment = "other"' record; cat record)
	[ "$status" -eq 2 ]
	[ "$(wc -l <<<"$output")" -eq 1 ]
}

@test "nothing to score is exit 1" {
	experiment
	run mb-eval </dev/null
	[ "$status" -eq 1 ]
	[[ "$output" == *"no record with a model on stdin"* ]]
}

@test "the data set is the one that the model was trained on; missing data are exit 4" {
	trained
	sed -i 's/digits/nowhere/' experiment.yaml
	mb-eval <record >out
	jq -e .metrics.test_loss out
	[ -d /usr/share/datasets/fashion-mnist ] || skip "dataset-fashion-mnist is not installed"
	sed -i 's/nowhere/fashion-mnist/' experiment.yaml
	suggestion 2 '{"epochs":1}' | mb-train >record
	mb-eval --format text <record | grep -q 'Ankle boot'
	run mb-eval -d /nowhere <record
	[ "$status" -eq 4 ]
	[[ "$output" == */nowhere* ]]
}

@test "a model of one's own is scored by its function, which a command has not" {
	experiment
	echo 'model: {command: "echo 1"}' >>experiment.yaml
	run mb-eval <<<'{"trial":1,"status":"completed","assignments":{},"model":"m"}'
	[ "$status" -eq 2 ]
	[[ "$output" == *"experiment.yaml:5: model.test_function_name: missing (with model.command "* ]]
}

@test "wrong options" {
	experiment
	run mb-eval --split all </dev/null
	[ "$status" -eq 2 ]
	run mb-eval --format xml </dev/null
	[ "$status" -eq 2 ]
	run mb-eval file </dev/null
	[ "$status" -eq 2 ]
}

@test "a full disk is exit 4, a reader that is gone ends it quietly" {
	trained
	mb-eval <record >/dev/full 2>err || status=$?
	[ "$status" -eq 4 ]
	[ "$(cat err)" = "mb-eval: stdout: No space left on device" ]
	mkfifo in
	{ mb-eval <in; echo $? >status; } 2>err 3>&- | true &
	exec 9>in
	until_true test -s status
	[ "$(cat status)" -eq 0 ]
	[ ! -s err ]
}

@test "an averaged network on standardised inputs scores what training said" {
	cat >experiment.yaml <<-END
	experiment: {name: t, observation_budget: 9}
	parameters: [{name: learning_rate, type: double, bounds: {min: 0.0001, max: 1}}]
	metrics: [{name: val_macro_f1}]
	task: {dataset: digits, epochs: 3}
	END
	suggestion 1 '{"batch_size":40,"layer_norm":true,"ema_decay":0.99,"input_scaling":"standard"}' | mb-train >out
	mb-eval --split validate <out >scored
	jq -c .metrics out scored
	[ "$(jq '.metrics | [.val_loss, .val_accuracy]' out)" = "$(jq '.metrics | [.val_loss, .val_accuracy]' scored)" ]
}
