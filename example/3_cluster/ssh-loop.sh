#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Agents on a handful of hosts, by ssh alone: copies the program, starts an agent on each, and ends them all when this script ends (Ctrl-C).
#
#   BROKER=tls://head:4222 TWAT_MP_AGENT_PASSWORD=... ./ssh-loop.sh build/render node1 node2 node3
#
# What to change: the address of the broker, and that the hosts let you in without a password (ssh-copy-id). The agents must be this very
# build, hence the copy; the hosts need the shared libraries that it links (ldd). Options of agents go into AGENT_OPTIONS ("--ca /etc/ca.pem").
set -euo pipefail

broker=${BROKER:-nats://head:4222}
program=$(realpath "$1")
shift
copy=.cache/twat-mp/$(sha256sum "$program" | cut -c1-16)/$(basename "$program")
: "${TWAT_MP_AGENT_PASSWORD:?the password of the user agent}"

pipes=()
agents=()
# An agent serves for as long as the pipe to it is open: then it finishes what runs, returns the rest, and ends.
end() {
    trap - EXIT INT TERM
    for pipe in "${pipes[@]}"; do exec {pipe}>&-; done
    for agent in "${agents[@]}"; do wait "$agent" || true; done
}
trap end EXIT
trap 'exit 130' INT TERM

for host in "$@"; do
    ssh "$host" "mkdir -p '$(dirname "$copy")' && { test -x '$copy' || { cat >'$copy.part' && chmod +x '$copy.part' && mv '$copy.part' '$copy'; }; }" <"$program"
    exec {pipe}> >(
        for other in "${pipes[@]}"; do exec {other}>&-; done
        exec ssh "$host" "
            IFS= read -r TWAT_MP_AGENT_PASSWORD; export TWAT_MP_AGENT_PASSWORD
            exec 3<&0
            '$copy' --twat-mp-agent '$broker' --user agent --host '$host' ${AGENT_OPTIONS-} </dev/null 3<&- & agent=\$!
            { cat <&3 >/dev/null; kill \$agent 2>/dev/null; } &
            wait \$agent"
    )
    agents+=($!)
    pipes+=("$pipe")
    printf '%s\n' "$TWAT_MP_AGENT_PASSWORD" >&"$pipe" # not on a command line, which others can see
done
echo "${#agents[@]} agents; Ctrl-C ends them" >&2
wait "${agents[@]}"
