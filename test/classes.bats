#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sanitizers: too
#
# IDX folders of other images than MNIST's: trained on and scored, with few classes and with many.

load helper

# images CLASSES N: a folder of N images of 4 x 6 bytes, the class in the place of its bright pixel and in its shade.
images() {
	mkdir -p data
	python3 - "$1" "$2" <<-'END'
		import struct, sys
		classes, n = int(sys.argv[1]), int(sys.argv[2])
		wide = classes > 256
		for stem in "train", "t10k":
		    labels = [i % classes for i in range(n)]
		    with open(f"data/{stem}-images-idx3-ubyte", "wb") as file:
		        file.write(struct.pack(">BBBBIII", 0, 0, 8, 3, n, 4, 6))
		        for label in labels:
		            image = bytearray(24)
		            image[label % 24] = 255 - label // 24 * 19
		            file.write(image)
		    with open(f"data/{stem}-labels-idx1-ubyte", "wb") as file:
		        file.write(struct.pack(">BBBBI", 0, 0, 12 if wide else 8, 1, n))
		        file.write(struct.pack(f">{n}{'I' if wide else 'B'}", *labels))
	END
	cat >experiment.yaml <<-'END'
		experiment: {name: t, observation_budget: 9}
		parameters: [{name: learning_rate, type: double, bounds: {min: 0.0001, max: 1}}]
		metrics: [{name: val_accuracy}]
		task: {dataset: data, epochs: 5}
	END
}

@test "three classes: metrics and the report have three" {
	images 3 120
	suggestion 1 '{"batch_size":4,"learning_rate":0.02}' | mb-train >record
	jq -e '.metrics.val_accuracy == 1' record
	mb-eval <record >out
	jq -e '.metrics.test_accuracy == 1 and (.report.classes | length) == 3
		and .report.confusion == [[40,0,0],[0,40,0],[0,0,40]]' out
	mb-eval --format text <record >text
	[ "$(awk '$1 ~ /^[0-9]+$/ {print $1}' text | tr '\n' ' ')" = '0 1 2 ' ]
}

@test "300 classes: the text has all of them, the record their scores without a matrix" {
	images 300 900
	suggestion 1 '{"batch_size":32,"epochs":1}' | mb-train >record
	mb-eval <record >out
	jq -e '(.report.classes | length) == 300 and (.report | has("confusion") | not)
		and ([.report.classes[].support] | add) == 900' out
	mb-eval --format text <record >text
	[ "$(awk '$1 ~ /^[0-9]+$/' text | wc -l)" -eq 300 ]
}

@test "data of other classes than the model's" {
	images 3 120
	suggestion 1 '{"epochs":1}' | mb-train >record
	images 4 120
	run mb-eval <record
	[ "$status" -eq 3 ]
	[[ "$output" == *"4 classes, but the network tells 3 apart"* ]]
}
