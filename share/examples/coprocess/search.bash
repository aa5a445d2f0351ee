#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Drives a search from bash, whose coprocess is mb-suggest; awk is the function.
set -eu

coproc search { exec mb-suggest -l -; }
exec {ask}<&"${search[0]}" {tell}>&"${search[1]}" # bash forgets its own when the coprocess ends
while IFS= read -r trial <&"$ask"; do
	height=$(jq .assignments.x <<<"$trial" | awk '{ print ($1 - 2)^2 }')
	jq -c --argjson height "$height" '.metrics.height = $height | .status = "completed"' <<<"$trial" |
		tee -a finished.ndjson >&"$tell"
done
jq -s 'min_by(.metrics.height) | {trial, x: .assignments.x, height: .metrics.height}' finished.ndjson
