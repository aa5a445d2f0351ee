#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sanitizers: too
#
# Tables: trained on and scored, to classes and to numbers; what is said where they are wrong.

load helper

# experiment METRIC TASK
experiment() {
	printf '%s\n' 'experiment: {name: t, observation_budget: 9}' \
		'parameters: [{name: learning_rate, type: double, bounds: {min: 0.0001, max: 1}}]' \
		"metrics: [{name: $1}]" "task: {epochs: 40, $2}" >experiment.yaml
}

# The price of 400 flats, a linear function of the others, and who lives there, which two of them tell.
flats() {
	awk 'BEGIN {
		srand(1); print "rooms,area,town,tenant,price"
		for (i = 0; i < 400; i++) {
			rooms = 1 + int(5 * rand()); area = 20 * rooms + 30 * rand(); south = rand() < 0.5
			print rooms "," (i % 50 ? area : "NA") "," (south ? "\"Berg, S\303\274d\"" : "Tal") "," \
				(rooms < 3 ? "one" : south ? "family" : "students") "," 50000 + 2500 * area + 20000 * south ".5"
		}
	}' >flats.csv
}

assignments='{"batch_size":16,"learning_rate":0.01}'

@test "a number is learnt, and scored in its own unit" {
	flats
	experiment val_r2 'dataset: flats.csv'
	suggestion 1 "$assignments" | mb-train >record
	jq -e '.metrics | .val_r2 > 0.9 and .val_loss > 1e4 and (has("val_accuracy") | not)' record
	mb-eval <record >out
	jq -e '.metrics | .test_r2 > 0.9 and .test_loss > 1e4 and (has("test_accuracy") | not)' out
	jq -e '.report == {split: "test"} and .spans[-1].phase == "test"' out
	mb-eval --split validate <record | jq -c '.metrics | del(.train_seconds)' >again
	jq -c '.metrics | del(.train_seconds)' record | cmp - again
	mb-eval --format text <record >text
	[ "$(awk '$1 == "r2" {print $2}' text)" = "$(jq .metrics.test_r2 out | xargs printf %.4f)" ]
	[ "$(awk '$1 == "rows" {print $2}' text)" -eq 80 ]
}

@test "classes of any column, with their names in the report" {
	flats
	experiment val_accuracy 'dataset: flats.csv, label: tenant'
	suggestion 1 "$assignments" | mb-train >record
	jq -e '.metrics | .val_accuracy > 0.9 and (has("val_r2") | not)' record
	mb-eval <record >out
	jq -e '.metrics.test_accuracy > 0.9 and [.report.classes[].name] == ["family", "one", "students"]
		and ([.report.confusion[] | add] | add) == 80' out
	mb-eval --format text <record | grep -q '^ *students '
}

@test "a test part of its own, beside the experiment" {
	mkdir there
	cd there
	flats
	(head -n 1 flats.csv; tail -n 30 flats.csv) >test.csv
	head -n 371 flats.csv >train.csv
	experiment val_accuracy 'dataset: train.csv, test: test.csv, label: tenant'
	cd ..
	suggestion 1 "$assignments" | mb-train -e there/experiment.yaml >record
	mb-eval -e there/experiment.yaml <record >out
	jq -e '([.report.confusion[] | add] | add) == 30 and .metrics.test_accuracy > 0.8' out
}

@test "the loop over a table, side by side, ends with what was learnt alone" {
	flats
	experiment val_r2 'dataset: flats.csv'
	mb-suggest -n 4 | mb-train -j 4 | mb-collect
	mb-collect --best >best
	jq -c '{trial, assignments, seed}' best | mb-train -l alone/trials.ndjson >alone.ndjson
	[ "$(jq .metrics.val_loss best)" = "$(jq .metrics.val_loss alone.ndjson)" ]
}

@test "arrays: x.npy and y.npy" {
	mkdir data
	python3 - <<-'END'
		import random, struct
		random.seed(1)
		rows = [[random.random() for _ in range(3)] for _ in range(300)]
		def save(name, kind, shape, numbers):
		    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
		    head += " " * (117 - len(head)) + "\n"
		    with open(name, "wb") as file:
		        file.write(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode())
		        file.write(struct.pack(f"<{len(numbers)}" + {"<f4": "f", "<i8": "q"}[kind], *numbers))
		save("data/x.npy", "<f4", (300, 3), [x for row in rows for x in row])
		save("data/y.npy", "<i8", (300,), [7 if row[0] > row[1] else -7 for row in rows])
	END
	experiment val_accuracy 'dataset: data'
	suggestion 1 "$assignments" | mb-train >record
	jq -e '.metrics.val_accuracy > 0.9' record
	mb-eval <record | jq -e '.metrics.test_accuracy > 0.9 and [.report.classes[].name] == ["-7", "7"]'
}

@test "a metric or a parameter that is not of this kind" {
	flats
	experiment val_accuracy 'dataset: flats.csv'
	run mb-train < <(suggestion 1 '{}')
	[ "$status" -eq 2 ]
	[[ "$output" == *"experiment.yaml:3: metrics[0].name: val_accuracy is not a metric of regression on flats.csv"* ]]
	experiment val_r2 'dataset: digits'
	run mb-train < <(suggestion 1 '{}')
	[ "$status" -eq 2 ]
	[[ "$output" == *"experiment.yaml:3: metrics[0].name: val_r2 is not a metric of classification on digits"* ]]
	experiment val_r2 'dataset: flats.csv'
	sed -i 's/name: learning_rate.*/name: augment_shift, type: int, bounds: {min: 0, max: 2}}]/' experiment.yaml
	run mb-train < <(suggestion 1 '{}')
	[ "$status" -eq 2 ]
	[[ "$output" == *"experiment.yaml:2: parameters[0].name: augment_shift is for images"* ]]
	experiment val_r2 'dataset: flats.csv'
	suggestion 1 '{"label_smoothing":0.1}' | mb-train >record
	jq -e '.status == "failed" and (.error | test("assignments.label_smoothing: is for classes"))' record
}

@test "tables that are wrong" {
	flats
	wrong() { # TASK STATUS WORDS
		experiment val_loss "$1"
		run mb-train < <(suggestion 1 '{}')
		[ "$status" -eq "$2" ] && [[ "$output" == *"$3"* ]] || { echo "$output"; return 1; }
	}
	wrong 'dataset: flat.csv' 4 'flat.csv: No such file'
	wrong 'dataset: flats.csv, label: prise' 2 'task.label: prise is none of its 5 columns (did you mean price?)'
	wrong 'dataset: digits, label: price' 2 'task.label: is for tables, and digits is none'
	wrong 'dataset: flats.csv, label: tenant, kind: regression' 4 'column tenant: "'
	wrong 'dataset: flats.csv, test: flats.txt' 2 'task.test: flats.txt is no table'
	echo '1,2,3' >>flats.csv
	wrong 'dataset: flats.csv' 4 'flats.csv:402: 3 fields, but the first line of '
}

@test "a model is not applied to a table that has changed" {
	flats
	experiment val_r2 'dataset: flats.csv'
	suggestion 1 "$assignments" | mb-train >record
	sed -i '2s/^[0-9]*,/9,/' flats.csv
	run mb-eval <record
	[ "$status" -eq 3 ]
	[[ "$output" == *"the table has changed since the network was trained"* ]]
}
