#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What nobody means to do and somebody does: closed descriptors, empty names, control characters, logs with holes.
# sanitizers: too

load helper

open_record='{"trial":1,"assignments":{},"seed":1,"status":"open","attempt":1}'
result='{"trial":1,"assignments":{"learning_rate":0.01,"batch_size":64},"status":"completed","metrics":{"val_macro_f1":0.5}}'

# ends STATUS COMMAND…: ends so within 10 s.
ends() {
	local expected=$1 got=0
	shift
	timeout 10 "$@" || got=$?
	[ "$got" -eq "$expected" ] || { echo "$* ended with $got, not $expected" >&2; return 1; }
}

@test "a closed stdout is exit 4, and no file takes its place" {
	experiment
	ends 4 mb-suggest -n 1 >&-
	ends 4 mb-suggest >&-
	ends 4 mb-suggest -l - >&- </dev/null
	ends 4 mb-train >&- <<<"$open_record"
	ends 4 mb-collect >&- <<<"$result"
	ends 4 mb-collect --best >&-
	ends 4 mb-deploy plan >&-
	[ "$(cat trials.ndjson.lock)" = ofd ]
	jq -e . trials.ndjson
	mb-collect --fsck
}

@test "a closed stdin is exit 4, and does not hang" {
	experiment
	ends 4 mb-train <&-
	ends 4 mb-collect <&-
	ends 4 mb-eval <&-
	ends 4 mb-suggest -l - <&-
	ends 0 mb-suggest -n 1 <&-
}

@test "with stderr closed, words go nowhere" {
	experiment
	ends 3 mb-collect 2>&- <<<"no record"
	ends 0 mb-suggest -n 1 2>&-
	[ "$(cat trials.ndjson.lock)" = ofd ]
	[ "$(wc -l <trials.ndjson)" -eq 1 ]
}

@test "mb-time leaves what is closed closed" {
	experiment
	mb-time -o spans sh -c '[ ! -e /proc/$$/fd/0 ] && [ -e /proc/$$/fd/1 ]' <&-
	mb-time -o spans sh -c '[ ! -e /proc/$$/fd/1 ] && [ -e /proc/$$/fd/0 ]' >&-
	[ "$(wc -l <spans)" -eq 4 ]
}

@test "a full disk is exit 4 for the coprocess too" {
	experiment
	ends 4 mb-suggest -l - </dev/null >/dev/full
	ends 4 mb-suggest -n 1 -l - </dev/null >/dev/full
}
