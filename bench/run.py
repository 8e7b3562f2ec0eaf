#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Runs every contestant in turn, again and again, and reports what it found. Called by tools/bench.

Machines are noisy, so a round runs each row once, and a ratio is taken within a round: what slows one down for a while slows
the others too.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import random
import resource
import shutil
import subprocess
import sys
import time

import call_budget
import chart
import report

HERE = pathlib.Path(__file__).resolve().parent
ROW_TIMEOUT = 300  # seconds; no row comes near it


class Program:
    """A program that lists rows and runs one of them."""

    def __init__(self, command):
        self.command = [str(part) for part in command]

    def list(self):
        output = subprocess.run(self.command + ["--list"], check=True, capture_output=True, text=True).stdout
        return [json.loads(line) for line in output.splitlines()]

    def run(self, workload, row, quick):
        command = self.command + (["--quick"] if quick else []) + [workload, row]
        done = subprocess.run(command, capture_output=True, text=True, timeout=ROW_TIMEOUT)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip() or f"exit status {done.returncode}")
        return json.loads(done.stdout)


class Compressors:
    """W10, whole programs: the time from the start of each to its end."""

    def __init__(self, pgzip, folder):
        self.pgzip = pgzip
        self.folder = folder
        self.input = None
        self.rows = {
            "pigz -p 2": ["pigz", "-p", "2", "-c"],
            "pgzip, 2 worker processes": [pgzip, "-q", "-p", "2", "-c"],
            "pgzip, 2 threads": [pgzip, "-q", "--threads", "-p", "2", "-c"],
            "pgzip, 1 worker process": [pgzip, "-q", "-p", "1", "-c"],
        }

    def list(self):
        if not shutil.which("pigz"):
            return [{"skipped": "pigz: not installed (Debian: pigz); w10 is left out"}]
        if not self.pgzip.exists():
            return [{"skipped": "pgzip: not built (zlib1g-dev, libdeflate-dev?); w10 is left out"}]
        goals = {"pgzip, 2 worker processes": 1.5, "pgzip, 2 threads": 1.5}
        return [{"row": name, "workload": "w10", "role": "peer" if name.startswith("pigz") else "ours",
                 "baseline": "" if name.startswith("pigz") else "pigz -p 2", "goal": goals.get(name, 0)}
                for name in self.rows]

    def run(self, workload, row, quick):
        megabytes = 20 if quick else 200
        path = self.make_input(megabytes)
        begin = time.perf_counter()
        subprocess.run([str(part) for part in self.rows[row]] + [str(path)], check=True, stdout=subprocess.DEVNULL,
                       timeout=ROW_TIMEOUT)
        return {"workload": workload, "row": row, "value": megabytes / (time.perf_counter() - begin)}

    def make_input(self, megabytes):
        """Text of made-up words, the same each time, that shrinks to about a third."""
        path = self.folder / f"text-{megabytes}.txt"
        if path.exists() and path.stat().st_size == megabytes * 1_000_000:
            return path
        dice = random.Random(1)
        words = ["".join(dice.choices("etaoinshrdlucmfw", k=dice.randint(2, 9))) for _ in range(5000)]
        # Pieces lie further apart than gzip looks back, so that repeating them does not help it.
        pieces = [" ".join(dice.choices(words, k=200_000)).encode()[:1_000_000] for _ in range(4)]
        with open(path, "wb") as file:
            for _ in range(megabytes):
                file.write(pieces[dice.randrange(4)].ljust(1_000_000))
        return path


def busy_seconds():
    """Processor time that the whole machine has used, and that this process and its children have."""
    with open("/proc/stat") as file:
        fields = [int(field) for field in file.readline().split()[1:9]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields
    own = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    ticks = os.sysconf("SC_CLK_TCK")
    return ((user + nice + system + irq + softirq + steal) / ticks,
            sum(usage.ru_utime + usage.ru_stime for usage in own))


class Noise:
    """How much of the machine others used meanwhile."""

    def __init__(self):
        self.begin = time.time()
        self.all, self.own = busy_seconds()

    def share(self):
        all_now, own_now = busy_seconds()
        used_by_others = (all_now - self.all) - (own_now - self.own)
        available = (time.time() - self.begin) * os.cpu_count()
        return max(0.0, used_by_others / available)


def processor():
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def commit():
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def collect(contestants, wanted):
    """Workloads by id, each with its rows; and what is left out."""
    workloads, skipped = {}, []
    for program in contestants:
        for line in program.list():
            if "skipped" in line:
                skipped.append(line["skipped"])
            elif "title" in line:
                workloads.setdefault(line["workload"], {**line, "rows": []})
            elif line["workload"] in workloads:
                workloads[line["workload"]]["rows"].append({**line, "values": [], "more": [], "program": program})
    if wanted:
        unknown = [name for name in wanted if not any(matches(key, name) for key in workloads)]
        if unknown:
            sys.exit(f"no such workload: {', '.join(unknown)}; there are {', '.join(workloads)}")
        workloads = {key: w for key, w in workloads.items() if any(matches(key, name) for name in wanted)}
    return {key: w for key, w in workloads.items() if w["rows"]}, skipped


def matches(key, name):
    """`w2` means `w2-chunk-1` too."""
    return key == name or key.startswith(name + "-")


def run_round(workloads, number, quick):
    for key, workload in workloads.items():
        for row in workload["rows"]:
            show(f"[{number}] {key}: {row['row']}")
            try:
                result = row["program"].run(key, row["row"], quick)
                row["values"].append(result.pop("value"))
                row["more"].append({k: v for k, v in result.items() if k not in ("workload", "row")})
            except (RuntimeError, OSError, ValueError, subprocess.SubprocessError) as error:
                # The round has no value here; None keeps the rounds of the rows side by side.
                row["values"].append(None)
                row["failure"] = str(error)
    show("")


def show(line):
    """Tells a terminal what is being done."""
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--minutes", type=float, default=17, help="start no round that would end later")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--doc", type=pathlib.Path, help="folder of performance.md, which is filled in")
    parser.add_argument("workloads", nargs="*")
    arguments = parser.parse_args()

    build = arguments.build.resolve()
    contestants = [
        Program([build / "bench/bench"]),
        Program([build / "bench/bench_peers"]),
        *([Program([build / "bench/bench_cluster"])] if (build / "bench/bench_cluster").exists() else []),
        Program([sys.executable, HERE / "peers/python.py"]),
        Compressors(build / "example/pgzip/pgzip", build),
    ]
    workloads, skipped = collect(contestants, arguments.workloads)
    if not (build / "bench/bench_cluster").exists():
        skipped.append("nats.c: not found (Debian: libnats-dev); w12 is left out")
    for line in skipped:
        print(f"skipped: {line}")

    noise = Noise()
    rounds = arguments.rounds or (1 if arguments.quick else 5)
    begin = time.monotonic()
    done = 0
    while done < rounds:
        took = time.monotonic() - begin
        if done > 0 and took * (done + 1) / done > arguments.minutes * 60:
            break
        run_round(workloads, done + 1, arguments.quick)
        done += 1

    budget = None
    if arguments.doc:
        budget, why_not = call_budget.table(build / "bench/bench")
        if why_not:
            skipped.append(why_not)
            print(f"skipped: {why_not}")

    found = {
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "machine": f"{os.cpu_count()} x {processor()}, Linux {platform.release()}",
        "quick": arguments.quick,
        "rounds": done,
        "minutes": round((time.monotonic() - begin) / 60, 1),
        "others": round(noise.share(), 3),
        "skipped": skipped,
        "budget": budget,
        "workloads": list(workloads.values()),
    }
    for workload in found["workloads"]:
        for row in workload["rows"]:
            del row["program"]
    report.add_statistics(found)
    print(report.as_text(found))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")
    if arguments.doc:
        report.fill(arguments.doc / "performance.md", found)
        (arguments.doc / "performance.svg").write_text(chart.draw(found))
    failed = [f"{w['workload']}: {r['row']}: {r['failure']}" for w in found["workloads"] for r in w["rows"] if "failure" in r]
    for line in failed:
        print(f"failed: {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
