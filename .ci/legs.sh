# SPDX-License-Identifier: BSL-1.0
# What .ci/run and .ci/full share: a leg, the sum of all legs, and the legs that are more than one command. Sourced.
. "$(dirname "${BASH_SOURCE[0]}")/../tools/lib.sh"
exec </dev/null

need "${test_packages[@]}" prometheus clang-14 clang-19 clang-tidy-19 libclang-rt-19-dev libc++-19-dev libc++abi-19-dev "libboost$boost_series-tools-dev" \
    ccache mold pkg-config gzip pigz dpkg-dev file lintian

# The same files are compiled in several legs, and linking large programs takes longer than compiling what changed. Not for what is
# packaged: that is linked as a user's build would.
export CMAKE_CXX_COMPILER_LAUNCHER=ccache LDFLAGS=-fuse-ld=mold
# Lines are needed, for the tests of stacks; variables only by a debugger, and they take a quarter of g++'s time.
export TWAT_MP_DEBUG_FLAGS=-g1

passed=0 failed=0 summary=() broken=()

# What failed, by the lines that name it: of ctest, of b2, of compilers, of Boost.Test and of sanitizers.
failures_in() {
    grep -E '\*\*\*(Failed|Timeout|Exception)|^\.\.\.failed|error:|: error in "|ERROR: |WARNING: ThreadSanitizer|SUMMARY: ' "$1" |
        grep -v 'failed updating' | awk '!seen[$0]++' | head -n 30 || true
}

# The processor time of all that was run so far, in seconds: sets `busy`.
read_busy() {
    local clock
    clock=$(mktemp)
    times >"$clock" # of this very shell and its children, so in no subshell
    busy=$(awk -F'[ms ]+' 'NR == 2 { printf "%d", 60 * ($1 + $3) + $2 + $4 }' "$clock")
    rm -f "$clock"
}

skipped() { (($1 != 77)) || printf ' SKIP'; }

# leg NAME COMMAND...: runs it; counts by its closing line "N passed, N failed", or as one. One that ends with status 77 and a line
# "SKIP: why" counts as none.
leg() {
    local name=$1 log status=0 begun=$SECONDS p f busy before
    shift
    read_busy
    before=$busy
    say "leg: $name"
    log=$(mktemp)
    "$@" 2>&1 | tee "$log" || status=$?
    if ((status == 77)) && grep -q '^SKIP: ' "$log"; then
        p=0 f=0
    elif read -r p _ f _ < <(grep -Ex '[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1); then
        ((status == 0 || f > 0)) || f=1
    else
        p=$((status == 0)) f=$((status != 0))
    fi
    ((f == 0)) || broken+=("== failed in $name:" "$(failures_in "$log")")
    rm -f "$log"
    passed=$((passed + p)) failed=$((failed + f))
    read_busy
    # What is far below 100 % of all CPUs waits, or has its longest part last.
    summary+=("$(printf '%-34s %5d passed %3d failed %5d s, CPUs %3d %% busy' "$name" "$p" "$f" $((SECONDS - begun)) \
        $((100 * (busy - before) / (jobs * (SECONDS - begun) + 1))))$(skipped "$status")")
    say "${summary[-1]}, after $((SECONDS / 60)) min"
}

# leg_before MINUTE NAME COMMAND...: the same, if less time than that has gone. A slow machine is to be done within the hour; .ci/full leaves
# nothing out.
leg_before() {
    local minute=$1 name=$2
    shift 2
    ((SECONDS < minute * 60)) || set -- bash -c "echo 'SKIP: this run has taken $minute minutes already'; exit 77"
    leg "$name" "$@"
}

# headers PRESET: each public header compiles alone.
headers() { configure "$1" -DTWAT_MP_WARNINGS_AS_ERRORS=ON && cmake --build --preset "$1" -j "$jobs"; }

# consumers [CTEST OPTION...]: programs that use the library as others do, and its packages; see test/consumer/ and test/packages/.
consumers() {
    local log=build/dev/Testing/Temporary/LastTest.log p f status=0
    rm -f "$log"
    env -u LDFLAGS ctest --preset consumers "$@" || status=$?
    grep -h '^SKIP: ' "$log" || true
    read -r p f < <(count_tests "$log")
    echo "$p passed, $f failed"
    return "$status"
}

# What a test wrote that failed, and the lines that say what did not build; not what was expected not to compile.
b2_failures() {
    awk '/^====== BEGIN OUTPUT ======/ { of_test = 1 } of_test { print } /^====== END OUTPUT ======/ { of_test = 0 }' "$1" |
        tail -n 300
    awk '/^[a-z]+\.(compile|link)/ || /^\(failed-as-expected\)/ { why = "" }
         / error: |undefined reference/ { why = why $0 "\n" }
         /^\.\.\.failed|^\*\*failed\*\*/ { printf "%s%s\n", why, $0; why = ""; any = 1 }
         END { exit !any }' "$1" || tail -n 60 "$1"
}

# b2_test [PROPERTY...] TARGET: the library, then the target with its tests. The Jamfile builds the same targets as CMake; what b2 built
# before must not hide a test that no longer passes.
b2_test() {
    local log status=0 target=${*: -1}
    set -- "${@:1:$#-1}" warnings-as-errors=on
    rm -rf bin
    log=$(mktemp)
    local -x PATH=/usr/lib/ccache:$PATH # no launcher can be named to b2
    b2 -q -j "$jobs" "$@" >"$log" 2>&1 && b2 -j "$jobs" "$@" "$target" >>"$log" 2>&1 || status=$?
    local p f
    p=$(grep -c '^\*\*passed\*\*' "$log") || true
    f=$(grep -cE '^\.\.\.failed testing\.|^\.\.\.failed .*(compile|link)' "$log") || true
    ((status == 0)) || b2_failures "$log"
    ((status == 0 || f > 0)) || f=1
    rm -f "$log"
    echo "$p passed, $f failed"
    return "$status"
}

# sum_up: the last lines, and the status.
sum_up() {
    ((failed == 0)) || printf '%s\n' "${broken[@]}"
    printf '%s\n' "${summary[@]}"
    say "took $((SECONDS / 60)) min $((SECONDS % 60)) s"
    echo "$passed passed, $failed failed"
    ((failed == 0 && passed > 0))
}
