#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""W14: what a program that uses the library costs the compiler, beside one that uses Asio alone. Called by tools/bench.

    bench/w14_compile.py [--quick]

Processor time and memory of g++ (or $CXX), the least of three rounds; --quick takes one. The processor time of a compiler depends on
what else the machine does, so the rounds take turns, and the ratios are what counts.
"""
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
COMPILER = shlex.split(os.environ.get("CXX", "g++")) + ["-std=c++20", f"-I{TOP / 'include'}"]

ASIO = """
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iostream>
#include <vector>
namespace asio = boost::asio;
long fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
asio::awaitable<void> run()
{
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(1));
    co_await timer.async_wait(asio::use_awaitable);
    std::vector<int> inputs{20, 21, 22, 23};
    for (int x : inputs)
        std::cout << fibonacci(x) << '\\n';
}
int main()
{
    asio::io_context context;
    asio::co_spawn(context, run(), [](std::exception_ptr e) { if (e) std::rethrow_exception(e); });
    context.run();
}
"""
MORE_SITES = 4
CALLS = {
    "map": "n += (co_await pool.map([](int x) {{ return x + {0}; }}, xs)).size();",
    "apply": "n += co_await pool.apply([](int x) {{ return x + {0}; }}, 1);",
}


def sites(call, count):
    body = "\n".join("    " + CALLS[call].format(i) for i in range(count))
    return ("#include <twat/mp.hpp>\n#include <vector>\n"
            "boost::asio::awaitable<std::size_t> run(twat::mp::async_process_pool& pool, std::vector<int> xs)\n"
            "{\n    std::size_t n = 0;\n" + body + "\n    co_return n;\n}\n")


def compile_once(folder, name, text, level):
    """Seconds of processor time, and MB."""
    source = folder / f"{name}.cpp"
    source.write_text(text)
    process = subprocess.Popen(COMPILER + [level, "-c", str(source), "-o", str(folder / "o.o")])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{name} does not compile")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    readme = (TOP / "example/1_tutorial/01_coroutine.cpp").read_text()
    programs = {
        "asio": (ASIO, "-O2"),
        "readme": (readme, "-O2"),
        "whole": (re.sub(r"(#include <twat/.*>\n)+", "#include <twat/mp.hpp>\n", readme), "-O2"),
    }
    for call in CALLS:
        for count in (1, 1 + MORE_SITES):
            programs[f"{call}_{count}"] = (sites(call, count), "-O1")
    best = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(1 if "--quick" in sys.argv[1:] else 3):
            for name, (text, level) in programs.items():
                seconds, memory = compile_once(pathlib.Path(folder), name, text, level)
                before = best.get(name, (seconds, memory))
                best[name] = (min(seconds, before[0]), min(memory, before[1]))
    print("W14: processor time and memory of the compiler")
    for name, title in (("asio", "Asio alone, a coroutine and a timer, -O2"), ("readme", "README's first program, -O2"),
                        ("whole", "the same with <twat/mp.hpp>, -O2")):
        ratio = [ours / floor for ours, floor in zip(best[name], best["asio"])]
        print(f"  {title:44} {best[name][0]:6.2f} s {best[name][1]:5.0f} MB   {ratio[0]:4.2f}   {ratio[1]:4.2f} of Asio alone (aim: 1.5)")
    for call, aim in (("map", 0.25), ("apply", 0.15)):
        each = (best[f"{call}_{1 + MORE_SITES}"][0] - best[f"{call}_1"][0]) / MORE_SITES
        print(f"  {f'a further call site of {call}, -O1 (aim: {aim})':44} {each:6.2f} s")


main()
