#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# run.sh PGZIP CASE: runs one of the functions case_* below in a directory of its own. Compares with Debian's gzip.
set -euo pipefail

pgzip=$1
dir=$(mktemp -d)
pids=()
clean_up() {
    local pid
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    rm -rf "$dir"
}
trap clean_up EXIT
cd "$dir"

fail() { echo "FAILED: $*" >&2; exit 1; }

# text SIZE: bytes that compress about as well as program text, always the same ones.
text() { awk 'BEGIN { s = 1; for (;;) { s = (s * 16807) % 2147483647; print "line", s % 5000, s } }' 2>/dev/null | head -c "$1" || true; }

# same FILE.gz ORIGINAL: gzip accepts the one and gets the other out of it.
same() { gzip -t "$1" && gzip -dc "$1" | cmp - "$2" || fail "$1 is not $2"; }

# refuses STATUS MESSAGE COMMAND...: it ends with that status and writes exactly that to standard error.
refuses() {
    local status=0 wanted=$1 message=$2
    shift 2
    "$@" 2>err || status=$?
    [[ $status == "$wanted" ]] || fail "status $status instead of $wanted: $*"
    [[ $(cat err) == "$message" ]] || fail "wrote '$(cat err)' instead of '$message'"
}

# only NAME...: these files are here and no others, hidden ones included.
only() {
    local found wanted
    found=$(find . -mindepth 1 ! -name err -printf '%P\n' | sort)
    wanted=$(printf '%s\n' "$@" | sort)
    [[ $found == "$wanted" ]] || fail "found" $found "instead of" $wanted
}

case_sizes_around_block_and_window() {
    local size
    for size in 0 1 2 32767 32768 32769 65535 65536 65537 1048575 1048576 1048577 3500000; do
        text "$size" >input
        "$pgzip" -k -f input
        same input.gz input
        "$pgzip" -k -f -b 32K input
        same input.gz input
        "$pgzip" --threads -k -f -b 64K input
        same input.gz input
    done
}

case_every_level() {
    local level
    text 400000 >input
    for level in 1 2 3 4 5 6 7 8 9; do
        "$pgzip" "-$level" -c -b 64K input >input.gz
        same input.gz input
    done
    (($("$pgzip" -9 -c input | wc -c) < $("$pgzip" -1 -c input | wc -c))) || fail "-9 is not smaller than -1"
}

case_data_that_does_not_compress() {
    head -c 3000000 /dev/urandom >input
    "$pgzip" -k input
    same input.gz input
}

case_compresses_as_well_as_gzip() {
    # Blocks know nothing of each other, which costs the less the longer they are.
    text 4000000 >input
    local mine theirs
    mine=$("$pgzip" -c input | wc -c)
    theirs=$(gzip -c input | wc -c)
    ((mine < theirs + theirs / 100)) || fail "$mine bytes, gzip has $theirs"
}

case_number_of_workers_does_not_change_the_output() {
    text 2000000 >input
    "$pgzip" -p 1 -b 64K -c input >one.gz
    "$pgzip" -p 3 -b 64K -c input >three.gz
    "$pgzip" -p 3 -b 64K --threads -c input >threads.gz
    cmp one.gz three.gz && cmp one.gz threads.gz
}

case_pipe_to_pipe() {
    text 3000000 >input
    "$pgzip" <input | gzip -dc | cmp - input
    (cat input; sleep 0.1; cat input) | "$pgzip" -b 100000 - | gzip -dc >output
    cat input input | cmp - output
    : | "$pgzip" | gzip -dc | cmp - /dev/null
    printf x | "$pgzip" | gzip -dc | cmp - <(printf x)
}

case_two_gibibytes_from_a_pipe_in_bounded_memory() {
    # The writer opens the pipe only once the reader is there; $! is pgzip itself.
    mkfifo in out
    "$pgzip" -1 <in >out &
    local job=$! most=0 now
    pids+=("$job")
    { head -c 2147483648 /dev/zero >in || true; } &
    { gzip -dc <out | wc -c >count; } &
    local counter=$!
    while now=$(awk '/^VmHWM/ { print $2 }' "/proc/$job/status" 2>/dev/null) && [[ -n $now ]]; do
        most=$now
        sleep 0.2
    done
    wait "$job" || fail "status $?"
    wait "$counter"
    [[ $(cat count) == 2147483648 ]] || fail "$(cat count) bytes came out"
    ((most > 0 && most < 600 * 1024)) || fail "needed $most KiB of memory"
}

case_replaces_the_file_as_gzip_does() {
    text 100000 >input
    cp input copy
    touch -d '2001-02-03 04:05:06' input
    chmod 640 input
    "$pgzip" input
    only copy input.gz
    same input.gz copy
    [[ $(stat -c '%a %y' input.gz) == '640 2001-02-03 04:05:06'* ]] || fail "mode or time were lost"
    mv input.gz other.gz
    gzip -dN other.gz # the name and the time are in the file
    only copy input
    [[ $(stat -c %y input) == '2001-02-03 04:05:06'* ]] || fail "the time is not in the file"
}

case_keeps_the_file_where_it_should() {
    text 1000 >input
    "$pgzip" -k input
    only input input.gz
    "$pgzip" -o output input
    only input input.gz output
    same output input
    "$pgzip" -c input >/dev/null
    only input input.gz output
}

case_an_existing_file_is_replaced_only_when_asked() {
    text 1000 >input
    echo precious >input.gz
    refuses 1 'pgzip: input.gz: File exists' "$pgzip" -k input
    [[ $(cat input.gz) == precious ]] || fail "it was replaced"
    only input input.gz
    "$pgzip" -f -k input
    same input.gz input
}

case_several_files_go_on_after_one_that_fails() {
    text 1000 >a
    text 2000 >c
    refuses 1 'pgzip: b: No such file or directory' "$pgzip" -k a b c
    only a a.gz c c.gz
    cat a c >both
    "$pgzip" -c a c | gzip -dc | cmp - both
}

case_what_cannot_be_compressed_is_said() {
    refuses 1 'pgzip: missing: No such file or directory' "$pgzip" missing
    mkdir sub
    refuses 1 'pgzip: sub: is a directory' "$pgzip" sub
    refuses 1 'pgzip: /dev/null: is not a regular file; -c compresses it to standard output' "$pgzip" /dev/null
    text 10 >x.gz
    refuses 1 'pgzip: x.gz: already ends in .gz; -f compresses it again' "$pgzip" x.gz
    text 10 >y
    refuses 1 'pgzip: nowhere/y.gz: No such file or directory' "$pgzip" -o nowhere/y.gz y
    only sub x.gz y
}

case_wrong_options_are_said() {
    local hint=$'\npgzip -h tells the options'
    refuses 1 "pgzip: unknown option: --nonsense$hint" "$pgzip" --nonsense
    refuses 1 "pgzip: -p needs a value$hint" "$pgzip" -p
    refuses 1 "pgzip: -p 0: give a number from 1 to 4096$hint" "$pgzip" -p 0
    refuses 1 "pgzip: -p 2x: give a number from 1 to 4096$hint" "$pgzip" -p 2x
    refuses 1 "pgzip: -b 1K: give a number from 32768 to 536870912$hint" "$pgzip" -b 1K
    refuses 1 "pgzip: -b 99999999999G: give a number from 32768 to 536870912$hint" "$pgzip" -b 99999999999G
    refuses 1 "pgzip: -c and -o exclude each other$hint" "$pgzip" -c -o x y
    "$pgzip" -h | grep -q '^Usage: pgzip'
}

case_a_full_disk_leaves_nothing_behind() {
    text 3000000 >input
    refuses 1 'pgzip: standard output: No space left on device' eval '"$pgzip" -c input >/dev/full'
    # A limit on the size of files stands for a disk that fills up while the file is written. (It is well above what the
    # library needs for the memory that it shares with the workers, which counts as a file.)
    head -c 40000000 /dev/urandom >input
    limited() { (trap '' XFSZ; ulimit -f 20000; exec "$pgzip" -1 input); }
    refuses 1 'pgzip: input.gz: File too large' limited
    only input
}

case_a_killed_worker_ends_the_job_and_leaves_nothing_behind() {
    mkfifo endless
    cat /dev/urandom >endless 2>/dev/null &
    pids+=($!)
    "$pgzip" -9 -b 4M -o output endless 2>err &
    local job=$! worker round killed=" "
    pids+=("$job")
    # A worker that happens to have nothing to do is replaced without a word; so kill one after the other until one was
    # missed, each time leaving the job time to end: it does when the blocks before the lost one are written.
    for round in $(seq 50); do
        for worker in $(cat /proc/"$job"/task/*/children 2>/dev/null); do
            kill -KILL "$worker" 2>/dev/null && killed+="$worker "
            break
        done
        for _ in $(seq 60); do
            [[ $(cut -d' ' -f3 "/proc/$job/stat" 2>/dev/null) == [^Z] ]] || break 2
            sleep 0.05
        done
    done
    ((round < 50)) || fail "it goes on: killed were $killed"
    local status=0
    wait "$job" || status=$?
    [[ $status == 1 ]] || fail "status $status: $(cat err)"
    [[ $(cat err) =~ ^pgzip:\ endless:\ worker\ ([0-9]+)\ was\ killed\ by\ signal\ 9$ ]] || fail "wrote '$(cat err)'"
    [[ $killed == *" ${BASH_REMATCH[1]} "* ]] || fail "blamed ${BASH_REMATCH[1]}, killed were $killed"
    only endless
}

case_a_signal_removes_the_temporary_file() {
    mkfifo endless
    cat /dev/urandom >endless 2>/dev/null &
    pids+=($!)
    "$pgzip" -o output endless &
    local job=$! status=0
    pids+=("$job")
    until [[ -n $(find . -name '.output.*' -size +0) ]]; do sleep 0.02; done
    kill -TERM "$job"
    wait "$job" || status=$?
    ((status == 128 + 15)) || fail "status $status"
    only endless
}

case_verify_tells_good_from_bad() {
    text 300000 >input
    "$pgzip" -k input
    "$pgzip" -t input.gz
    gzip -c input | "$pgzip" -t
    cat input.gz input.gz >twice.gz
    "$pgzip" -t twice.gz
    head -c 20000 input.gz >short.gz
    refuses 1 'pgzip: short.gz: unexpected end of file' "$pgzip" -t short.gz
    { head -c -8 input.gz; printf 'aaaa'; tail -c 4 input.gz; } >sum.gz
    refuses 1 'pgzip: sum.gz: incorrect data check' "$pgzip" -t sum.gz
    refuses 1 'pgzip: input: incorrect header check' "$pgzip" -t input
    : >empty.gz
    refuses 1 'pgzip: empty.gz: unexpected end of file' "$pgzip" -t empty.gz
    refuses 1 'pgzip: none: No such file or directory' "$pgzip" -t none
}

"case_$2"
