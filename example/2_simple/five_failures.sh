#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Runs five_failures: each report names the function and the line, and each call that was kept fails again in the same place.
#
#   five_failures.sh PROGRAM
set -euo pipefail
program=$(realpath "$1")
source=$(dirname "$(realpath "$0")")/five_failures.cpp
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
fail() { echo "$*" >&2; cat "$directory/out" >&2; exit 1; }
line_of() { grep -n "// where it $1" "$source" | cut -d: -f1; }

# Without libdw, or without debug information, there are offsets in place of names. A busy machine may take longer to answer than is waited for.
for ((try = 0; try < 5; ++try)); do
    "$program" "$directory/calls" >"$directory/out" 2>&1 || fail "it failed"
    grep -q 'no stack:' "$directory/out" || break
done
grep -q 'sum_of_list' "$directory/out" || { echo "no names can be looked up here: skipped"; exit 77; }
for place in sum_of_list:crashes search_for_ever:loops read_cache:waits wait_for_nobody:sleeps check_age:throws; do
    function=${place%:*} line=$(line_of "${place#*:}")
    grep -q "$function" "$directory/out" || fail "no report names $function"
    grep -qE "five_failures\.cpp(:|\()$line" "$directory/out" || fail "no report names line $line, of $function"
done

# The exception, as a program that ends.
call=$(ls "$directory"/calls/*.parcel | tail -1)
"$program" --twat-mp-replay "$call" --show | grep -q '^arguments *200$' || fail "the arguments are not shown"
status=0
"$program" --twat-mp-replay "$call" >"$directory/again" 2>&1 || status=$?
[[ $status == 1 ]] && grep -q 'nobody is 200 years' "$directory/again" || fail "the exception is not thrown again: $(cat "$directory/again")"

# The crash, under a debugger where there is one.
call=$(ls "$directory"/calls/*.parcel | head -1)
if command -v gdb >/dev/null; then
    DEBUGINFOD_URLS="" timeout 120 gdb -q -nx -batch -ex run -ex bt --args "$program" --twat-mp-replay "$call" >"$directory/again" 2>&1 || true
    if grep -qE 'ptrace|Operation not permitted' "$directory/again"; then
        echo "gdb may not trace here"
    else
        grep -q "sum_of_list" "$directory/again" && grep -q "five_failures.cpp:$(line_of crashes)" "$directory/again" ||
            fail "gdb does not stop there: $(cat "$directory/again")"
    fi
else
    status=0
    "$program" --twat-mp-replay "$call" >/dev/null 2>&1 || status=$?
    [[ $status == 139 ]] || fail "the crash does not come again: $status"
fi
