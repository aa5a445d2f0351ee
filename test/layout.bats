#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What holds the tree together: who may call whom, what lib never does, options and their manuals, installation.

load helper

TOOLS="mb-suggest mb-train mb-eval mb-collect mb-deploy mb-time"

setup() {
	cd "$ROOT" || return
}

# Prints its input, and fails when there is any.
none() {
	local lines
	lines=$(cat)
	[[ -z $lines ]] || { echo "$lines"; return 1; }
}

# Files of the repository, also those not yet committed; in an archive without git, all there are.
files() {
	git ls-files -co --exclude-standard -- "$@" 2>/dev/null || find "$@" -type f
}

# "FILE INCLUDED" for each include of a room's header.
includes() {
	grep -rEo '^#include "[a-z]+/[^"]*"' lib cmd --include='*.[ch]' | sed -E 's/:#include "([^"]*)"/ \1/'
}

@test "the top level is what it should be" {
	git rev-parse 2>/dev/null || skip "not a git clone"
	expected=$(printf '%s\n' .ci .gitignore CONTRIBUTING.md LICENSE Makefile NEWS.md README.md SECURITY.md cmd lib share test)
	[ "$(git ls-files | cut -d/ -f1 | sort -u)" = "$expected" ]
	[ "$(files cmd | cut -d/ -f2 | sort -u | xargs)" = "mb-collect mb-deploy mb-eval mb-suggest mb-time mb-train model.c model.h tool.c tool.h" ]
	[ "$(files lib | cut -d/ -f2 | sort -u | xargs)" = "README.md base data net nn opt run stat" ]
}

@test "arrows between rooms run one way" {
	includes | awk '
		BEGIN {
			may["base"] = " "
			may["data"] = " base "
			may["net"] = " base "
			may["stat"] = may["run"] = " base data "
			may["opt"] = may["nn"] = " base data stat "
			may["cmd"] = " base data stat opt nn run net "
		}
		{
			split($1, from, "/"); split($2, to, "/")
			room = from[1] == "lib" ? from[2] : "cmd"
			if (room != to[1] && index(may[room], " " to[1] " ") == 0)
				print $1 ": " room " may not call " to[1]
		}' | none
}

@test "another room is included by its face alone" {
	includes | awk '
		{
			split($1, from, "/"); split($2, to, "/")
			room = from[1] == "lib" ? from[2] : "cmd"
			if (room != to[1] && $2 != to[1] "/" to[1] ".h")
				print $1 ": " $2 " is not the face of " to[1]
		}' | none
}

@test "each header compiles alone, twice" {
	for header in $(files lib cmd | grep '\.h$'); do
		printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
			gcc -fsyntax-only -std=c11 -D_GNU_SOURCE -DMB_VERSION='""' -Wall -Wextra -Werror -I. -Ilib -Icmd -xc - ||
			echo "$header"
	done 2>&1 | none
}

@test "no file is too long, each says its licence" {
	for file in $(files lib cmd test/unit | grep '\.[ch]$'); do
		awk -v file="$file" 'NR == 1 && !/SPDX-License-Identifier: MIT/ { print file ": no licence line" }
			END { if (NR > 600) print file ": " NR " lines" }' "$file"
	done | none
	for file in $(files test share .ci | grep -E '\.(sh|bash|bats)$|/(run|ensure|demo)$'); do
		head -3 "$file" | grep -q 'SPDX-License-Identifier: MIT' || echo "$file: no licence line"
	done | none
}

# "OBJECT FUNCTION" for what the object files of lib or cmd take from outside.
calls() {
	find "$MB_BUILD/obj/$1" -name '*.o' -exec nm -A -u {} + | sed -E "s|^$MB_BUILD/obj/||; s/:? +[Uw] / /; s/@.*//"
}

@test "no dangerous function is called" {
	{ calls lib; calls cmd; } | grep -wE '(atoi|atol|atoll|atof|strcpy|strcat|sprintf|vsprintf|gets|strtok|system|popen|tmpnam|mktemp|rand|srand)$' | none
}

@test "lib does not print, end the process, or read the environment" {
	calls lib | grep -wE '(printf|vprintf|puts|putchar|perror|stdout|stderr|dprintf|err|errx|warn|exit|getenv|secure_getenv|environ|getopt|getopt_long)$' |
		grep -vE 'run/child\.o (environ|__environ)$' | none
}

@test "the six programs answer --help and --version, and see a full disk" {
	for tool in $TOOLS; do
		"$tool" --help | grep -q "^usage: $tool "
		"$tool" --version | grep -qE "^$tool [0-9]+\.[0-9]+\.[0-9]+ "
		for option in --help --version; do
			status=0
			"$tool" $option >/dev/full 2>"$BATS_TEST_TMPDIR/words" || status=$?
			[ "$status" = 4 ]
			[ "$(cat "$BATS_TEST_TMPDIR/words")" = "$tool: stdout: No space left on device" ]
		done
		run "$tool" --no-such-option
		[ "$status" = 2 ]
	done
}

# Options of a tool's --help; those that all tools have.
options() {
	"$1" --help | sed -nE 's/^ +(-[A-Za-z], )?(--[a-z-]+).*/\2/p'
}

COMMON='--experiment|--log|--quiet|--verbose|--help|--version'

# A man page as plain text.
page() {
	sed -E 's/\\-/-/g; s/\\f.//g' "share/man/$1"
}

@test "every option is in its man page" {
	for tool in $TOOLS; do
		for option in $(options "$tool" | grep -vxE -- "$COMMON"); do
			page "$tool.1" | grep -qE -- "$option([^a-z-]|\$)" || echo "$tool.1 does not tell of $option"
		done
		for option in $(options "$tool" | grep -xE -- "$COMMON"); do
			page mb.7 | grep -qE -- "$option([^a-z-]|\$)" || echo "mb.7 does not tell of $option"
		done
	done | none
}

@test "every option of a man page is in --help" {
	for tool in $TOOLS; do
		page "$tool.1" |
			awk '/^\.SH/ { on = $2 == "OPTIONS" } on && /^\.T[PQ]/ { head = 1; next } on && head { head = 0; print }' |
			grep -oE -- '--[a-z][a-z-]+' |
			while read -r option; do
				options "$tool" | grep -qxE -- "$option" || echo "$tool --help does not tell of $option"
			done
	done | none
}

@test "man pages have their sections" {
	for file in share/man/*.[157]; do
		for section in NAME DESCRIPTION 'SEE ALSO'; do
			grep -q "^\.SH $section\$" "$file" || echo "$file: no $section"
		done
	done | none
	for tool in $TOOLS; do
		grep -q '^\.SH EXIT STATUS$' "share/man/$tool.1" || echo "$tool.1: no EXIT STATUS"
	done | none
}

@test "install puts all in its place, and uninstall takes just that away" {
	local to=$BATS_TEST_TMPDIR/to
	mkdir -p "$to/usr/bin"
	echo mine >"$to/usr/bin/other"
	make -s install DESTDIR="$to" PREFIX=/usr BUILD="$MB_BUILD" >/dev/null
	for tool in $TOOLS; do
		[ -x "$to/usr/bin/$tool" ]
		[ -s "$to/usr/share/man/man1/$tool.1" ]
	done
	[ -s "$to/usr/share/man/man7/mb.7" ]
	[ -s "$to/usr/share/doc/mb/README.md" ]
	[ -s "$to/usr/share/doc/mb/examples/fashion-mnist/experiment.yaml" ]
	[ "$("$to/usr/bin/mb-time" --version)" = "$(mb-time --version)" ]
	make -s uninstall DESTDIR="$to" PREFIX=/usr BUILD="$MB_BUILD" >/dev/null
	[ "$(find "$to" ! -type d)" = "$to/usr/bin/other" ]
	[ ! -e "$to/usr/share/doc/mb" ]
}

@test "scripts are clean in shellcheck's eyes" {
	command -v shellcheck >/dev/null || skip "no shellcheck"
	shellcheck .ci/run test/run test/helper.bash share/setup/ensure share/examples/*/demo \
		share/examples/*/*.sh share/examples/*/*.bash test/bench/*.sh
}
