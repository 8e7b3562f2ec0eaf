#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# run.sh RAY_TRACER CASE: runs one of the functions case_* below in a directory of its own.
set -euo pipefail

program=$1
dir=$(mktemp -d)
pids=()
clean_up() {
    local pid
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$dir"
}
trap clean_up EXIT
cd "$dir"

fail() { echo "FAILED: $*" >&2; exit 1; }

small=(--size 96 54 --samples 2)

# Starts a broker on a free port, `url`, and two agents of two workers.
start_cluster() {
    command -v nats-server >/dev/null || { echo "SKIP: there is no nats-server on this machine (Debian: apt install nats-server)"; exit 77; }
    nats-server -a 127.0.0.1 -p -1 --ports_file_dir "$dir" -js -sd "$dir/store" >broker.log 2>&1 &
    pids+=($!)
    local ports="" i host
    for ((i = 0; i < 600; ++i)); do
        ports=$(cat nats-server_*.ports 2>/dev/null || true)
        [[ $ports == *nats://* ]] && break
        sleep 0.1
    done
    url=$(grep -o 'nats://[0-9.:]*' <<<"$ports" | head -n1)
    [[ -n $url ]] || { cat broker.log >&2; fail "nats-server did not start"; }
    for host in one two; do
        "$program" --twat-mp-agent "$url" --nodes 2 --host $host 2>"agent_$host.log" &
        pids+=($!)
    done
}

case_the_picture_is_the_same_wherever_its_rows_are_computed() {
    start_cluster
    "$program" "${small[@]}" -p 2 -o here.png 2>/dev/null
    "$program" "${small[@]}" --cluster "$url" -o there.png 2>/dev/null
    [[ $(od -An -tx1 -N8 here.png) == " 89 50 4e 47 0d 0a 1a 0a" ]] || fail "not a PNG"
    cmp here.png there.png || fail "the cluster's picture differs"
    kill "${pids[@]:1}"
    wait "${pids[@]:1}" || fail "an agent ended badly"
    local ran
    ran=$(cat agent_*.log | sed -n 's/.*: ran \([0-9]*\) tasks.*/\1/p' | awk '{ sum += $1 } END { print sum + 0 }')
    [[ $ran == 54 ]] || fail "the agents ran $ran rows of 54"
}

case_an_agent_that_is_killed_cannot_be_seen_in_the_picture() {
    start_cluster
    local larger=(--size 320 180 --samples 3)
    "$program" "${larger[@]}" -p 2 -o here.png 2>/dev/null
    "$program" "${larger[@]}" --cluster "$url" -o there.png 2>/dev/null &
    local job=$!
    sleep 0.5 # amid the rows, before or behind them: all are good
    kill -KILL "${pids[2]}"
    wait $job || fail "the job failed"
    cmp here.png there.png || fail "the cluster's picture differs"
}

case_a_bad_command_line_is_refused() {
    local status=0
    "$program" --size 0 1 2>err || status=$?
    [[ $status == 1 && $(head -n1 err) == "ray_tracer: --size 0: give a number from 1 to 16384" ]] || fail "$status $(cat err)"
    status=0
    "$program" "${small[@]}" -o no/such/folder.png 2>err || status=$?
    [[ $status == 1 ]] && grep -q '^ray_tracer: no/such/folder.png: ' err || fail "$status $(cat err)"
    "$program" -h | grep -q -- --cluster || fail "no help"
}

"case_$2"
