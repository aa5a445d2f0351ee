#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The short form of test/bench/accuracy.sh: the built-in job reaches what PyTorch reaches.

load helper

@test "means over 8 seeds of three networks equal PyTorch's" {
	run "$ROOT/test/bench/accuracy.sh" fashion-mnist/default-5 fashion-mnist/tanh mnist/linear
	[ "$status" -ne 77 ] || skip "$output"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(grep -c mnist <<<"$output")" -eq 12 ]
}
