#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Python's own pools at the same work; called as the C++ programs are: --list, or [--quick] WORKLOAD ROW.

The best chunk size of each pool is given by hand; the pools of this library find theirs.
"""
import concurrent.futures
import json
import multiprocessing
import statistics
import sys
import time

LARGE = 64 << 20
BLOCK = 64 << 10
BLOCKS = 1000
HEAVY = {49, 74, 96, 154, 331, 404, 548, 666, 840, 970}  # as in tasks.hpp


def increment(x):
    return x + 1


def twice(x):
    return 2 * x


def echo(value):
    return value


def steps(x, count):
    result = x
    for _ in range(count):
        result = (result * x + x) % 10000
    return result


def equal_task(x):
    return steps(x, 1000)


def unequal_task(i):
    # A tenth of the steps of the C++ tasks: efficiency is a ratio within one language, and this one is slower.
    return steps(i + 2, 100_000 if i in HEAVY else 1000)


def time_of(call):
    begin = time.perf_counter()
    result = call()
    return time.perf_counter() - begin, result


class Pool:
    """multiprocessing.Pool"""

    def __init__(self):
        self.pool = multiprocessing.Pool(2)

    def apply(self, f, x):
        return self.pool.apply(f, (x,))

    def map(self, f, xs, chunk):
        return self.pool.map(f, xs, chunksize=chunk)

    def close(self):
        self.pool.close()
        self.pool.join()


class Executor:
    """concurrent.futures.ProcessPoolExecutor"""

    def __init__(self):
        self.pool = concurrent.futures.ProcessPoolExecutor(2)

    def apply(self, f, x):
        return self.pool.submit(f, x).result()

    def map(self, f, xs, chunk):
        return list(self.pool.map(f, xs, chunksize=chunk))

    def close(self):
        self.pool.shutdown()


def with_pool(make, body):
    pool = make()
    try:
        pool.apply(increment, 1)
        return body(pool)
    finally:
        pool.close()


def round_trips(make, quick):
    def body(pool):
        times = []
        for i in range(300 if quick else 3300):
            took, result = time_of(lambda: pool.apply(increment, i))
            assert result == i + 1
            if i >= (30 if quick else 300):
                times.append(took * 1e6)
        return {"value": statistics.median(times), "p99": statistics.quantiles(times, n=100)[98]}
    return with_pool(make, body)


def doubles(make, quick, count, chunk, unit):
    xs = list(range(count // 10 if quick else count))
    chunk = max(1, chunk // 10) if quick else chunk

    def body(pool):
        times = []
        for _ in range(1 if quick else 3):
            took, result = time_of(lambda: pool.map(twice, xs, chunk))
            assert result[-1] == 2 * xs[-1]
            times.append(took * unit / len(xs))
        return {"value": statistics.median(times)}
    return with_pool(make, body)


def efficiency(make, quick, count, task, chunk):
    xs = list(range(count // 10 if quick else count))

    def body(pool):
        found = []
        for _ in range(1 if quick else 2):
            serial, alone = time_of(lambda: [task(x) for x in xs])
            parallel, result = time_of(lambda: pool.map(task, xs, chunk))
            assert result == alone
            found.append(serial / (2 * parallel))
        return {"value": statistics.median(found)}
    return with_pool(make, body)


def large_value(make, quick):
    value = b"\1" * LARGE

    def body(pool):
        rates = [2 * LARGE / time_of(lambda: pool.apply(echo, value))[0] / 1e9 for _ in range(1 if quick else 3)]
        return {"value": statistics.median(rates)}
    return with_pool(make, body)


def many_values(make, quick):
    values = [b"\1" * BLOCK] * (BLOCKS // 10 if quick else BLOCKS)

    def body(pool):
        rates = [2 * BLOCK * len(values) / time_of(lambda: pool.map(echo, values, 1))[0] / 1e9
                 for _ in range(1 if quick else 3)]
        return {"value": statistics.median(rates)}
    return with_pool(make, body)


def life(make, quick, part):
    times = {"start": [], "stop": []}
    for _ in range(2 if quick else 5):
        took, pool = time_of(lambda: started(make))
        times["start"].append(took * 1e3)
        times["stop"].append(time_of(pool.close)[0] * 1e3)
    return {"value": statistics.median(times[part])}


def started(make):
    pool = make()
    pool.apply(increment, 1)
    return pool


def rows():
    for make, name in ((Pool, "Python multiprocessing.Pool"), (Executor, "Python ProcessPoolExecutor")):
        yield "w1", name, lambda quick, make=make: round_trips(make, quick)
        yield "w2", name, lambda quick, make=make: doubles(make, quick, 1_000_000, 125_000, 1e9)
        yield "w2-chunk-1", name, lambda quick, make=make: doubles(make, quick, 20_000, 1, 1e6)
        yield "w3", name, lambda quick, make=make: efficiency(make, quick, 10_000, equal_task, 100)
        yield "w4", name, lambda quick, make=make: efficiency(make, quick, 1000, unequal_task, 5)
        yield "w5", name, lambda quick, make=make: large_value(make, quick)
        yield "w5-many", name, lambda quick, make=make: many_values(make, quick)
        yield "w6", name + ", fork", lambda quick, make=make: life(make, quick, "start")
        yield "w6-stop", name + ", fork", lambda quick, make=make: life(make, quick, "stop")


def main(arguments):
    if arguments == ["--list"]:
        for workload, name, _ in rows():
            print(json.dumps({"row": name, "workload": workload, "role": "peer", "baseline": "", "goal": 0}))
        return 0
    quick = arguments[:1] == ["--quick"]
    wanted = tuple(arguments[1:] if quick else arguments)
    for workload, name, run in rows():
        if (workload, name) == wanted:
            print(json.dumps({"workload": workload, "row": name, **run(quick)}))
            return 0
    print("no such row", file=sys.stderr)
    return 2


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    sys.exit(main(sys.argv[1:]))
