# SPDX-License-Identifier: BSL-1.0
"""Where the time of one trivial call (W1) goes: samples of `perf`, by process and by part.

Each sample of the processor's time is counted for the function that ran then, without its callers. What no processor spent is
the time in which one side sleeps and the other has not been woken yet; where both sides run at once, it is less by that much.
"""
import collections
import json
import pathlib
import re
import shutil
import subprocess
import tempfile

ROWS = {"socketpair": "socketpair, Asio in the parent", "`process_pool`": "process_pool", "`async_multi_pool`": "async_multi_pool",
        "`process_pool`, spin": "process_pool, spin 50 us"}
FREQUENCY = 10_000  # samples a second
CALLS = 21_000      # of `round_trips` in shapes.hpp, with the warm-up
REPEATS = 5

HERE, THERE = "the program", "the child"
NOBODY = "neither: asleep or being woken"
# The first that matches the function's name or its file.
PARTS = [
    ("kernel: reading, writing, waiting, waking", r"\[kernel|\[vdso|\[hypervisor"),
    ("kernel: reading, writing, waiting, waking", r"^(__GI_)?_*(libc_)?(recv|send|read|write|epoll_\w+|sendmsg|recvmsg|pthread_(en|dis)able_asynccancel|futex\w*)\b"),
    ("allocation", r"^(_*int_(free|malloc|realloc)|_*libc_(free|malloc)|malloc\w*|cfree|free|realloc|tcache\w*|operator (new|delete)|unlink_chunk)"),
    ("locks", r"pthread_(mutex|cond|rwlock)|lll_(un)?lock|_Sp_counted"),
    ("Asio", r"^(void |bool |auto )?boost::asio::"),
    ("values as bytes", r"twat::mp::(detail::)?(encoder|decoder|codec|builtin_codec|byte_buffer|encoded_payload|write_raw|read_raw)"),
    ("the wire: frames, slots, the ring", r"twat::mp::detail::(frame|shared_page|result_ring|argument_arena|arena|held|channel|outcomes|messages|socket_channel)"),
    ("pool and engine", r"twat::mp::"),
]
OTHER = "else (libc, the loop that calls)"


def part_of(symbol, file):
    for part, pattern in PARTS:
        if re.search(pattern, symbol) or re.search(pattern, file):
            return part
    return OTHER


def measure_once(bench, row, folder):
    """Microseconds a call by (side, part), and the median time of a call."""
    data = folder / "perf.data"
    command = ["perf", "record", "-q", "-e", "cpu-clock", "-F", str(FREQUENCY), "-o", data, "--", bench, "w1", row]
    done = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True)
    median = json.loads(done.stdout)["value"]
    script = subprocess.run(["perf", "script", "-i", str(data), "-F", "pid,ip,sym,dso"], check=True, capture_output=True, text=True)
    counts = collections.Counter()
    host = None
    for line in script.stdout.splitlines():
        found = re.match(r"\s*(\d+)\s+[0-9a-f]+ (.*) \((.*)\)$", line)
        if not found:
            continue
        pid, symbol, file = found.groups()
        host = host or pid  # the first sample is of the program itself: it starts the others
        counts[HERE if pid == host else THERE, part_of(symbol, file)] += 1
    return {key: count * 1e6 / FREQUENCY / CALLS for key, count in counts.items()}, median


def measure(bench):
    """By column: the middle one of some runs, as {(side, part): us}, with the whole of a call under "call"."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for column, row in ROWS.items():
            runs = sorted((measure_once(bench, row, pathlib.Path(folder)) for _ in range(REPEATS)), key=lambda run: run[1])
            parts, median = runs[len(runs) // 2]
            found[column] = {**parts, (NOBODY, ""): median - sum(parts.values()), "call": median}
    return found


def as_markdown(found):
    columns = list(found)
    lines = ["| | us of a call | " + " | ".join(columns) + " |", "|---|---|" + "---|" * len(columns)]
    names = list(dict.fromkeys(part for part, _ in PARTS)) + [OTHER]
    keys = [(side, part) for side in (HERE, THERE) for part in names] + [(NOBODY, "")]
    for side, part in keys:
        values = [found[column].get((side, part), 0.0) for column in columns]
        if any(abs(value) >= 0.05 for value in values):
            lines.append(f"| {side} | {part} | " + " | ".join(f"{value:.1f}" for value in values) + " |")
    lines.append("| **a call** | median | " + " | ".join(f"**{found[column]['call']:.1f}**" for column in columns) + " |")
    return "\n".join(lines)


def table(bench):
    """The table, or why there is none."""
    if not shutil.which("perf"):
        return None, "perf: not installed (Debian: linux-perf); the budget of a call is left out"
    try:
        return as_markdown(measure(bench)), None
    except (subprocess.CalledProcessError, ValueError) as error:
        return None, f"perf: {getattr(error, 'stderr', '') or error}; the budget of a call is left out"


if __name__ == "__main__":
    import sys
    print(*(line for line in table(sys.argv[1]) if line))
