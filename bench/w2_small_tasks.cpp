// SPDX-License-Identifier: BSL-1.0
// W2: many tasks that cost nothing. What a task costs when thousands travel together, and when each is a chunk of its own.
#include <twat/mp/async_pool.hpp>
#include <twat/mp/multi_pool.hpp>

#include <cstdint>
#include <functional>
#include <vector>

#include "awaited.hpp"
#include "families.hpp"
#include "frame_stream.hpp"
#include "shapes.hpp"

namespace bench {

namespace mp = twat::mp;

namespace {

constexpr std::size_t many = 1'000'000;
constexpr std::size_t single = 100'000; // with a chunk for each
constexpr double ns = 1e9;
constexpr double us = 1e6;

measured one_thread(const effort& how)
{
    return doubles(how, many, ns, [](const std::vector<std::int64_t>& in, std::vector<std::int64_t>& out) {
        for (std::size_t i = 0; i < in.size(); ++i)
            out[i] = twice(in[i]);
    });
}

template <std::size_t Count, std::size_t Chunk, std::uint32_t Window>
measured stream(const effort& how, double unit)
{
    frame_stream workers(2, for_each_integer(twice));
    return doubles(how, Count, unit, [&](const std::vector<std::int64_t>& in, std::vector<std::int64_t>& out) {
        map_integers(workers, in, out, Chunk, Window);
    });
}

template <class Pool>
measured blocking(const effort& how)
{
    Pool pool(2);
    pool.start();
    return doubles(how, many, ns, [&](const std::vector<std::int64_t>& in) { return pool.map(twice, in); });
}

template <class Pool>
measured blocking_chunk_1(const effort& how)
{
    Pool pool(2);
    pool.start();
    return doubles(how, single, us,
                   [&](const std::vector<std::int64_t>& in) { return pool.with({.chunk_size = 1}).map(twice, in); });
}

template <class Pool>
measured awaitable(const effort& how)
{
    awaited<Pool> loop(2);
    return doubles(how, many, ns, [&](const std::vector<std::int64_t>& in) {
        return loop.wait([&](Pool& pool) { return pool.map(twice, in); });
    });
}

template <class Pool>
measured awaitable_chunk_1(const effort& how)
{
    awaited<Pool> loop(2);
    return doubles(how, single, us, [&](const std::vector<std::int64_t>& in) {
        return loop.wait([&](Pool& pool) { return pool.with({.chunk_size = 1}).map(twice, in); });
    });
}

/// `twice` is called through its pointer here as in the pools, of which none may see through it.
measured one_loop(const effort& how)
{
    std::int64_t (*volatile function)(std::int64_t) = twice;
    return sums(how, [&](const std::vector<std::int64_t>& in) {
        const auto f = function;
        std::int64_t sum = 0;
        for (const std::int64_t x : in)
            sum += f(x);
        return sum;
    });
}

template <class Pool>
measured reduced(const effort& how)
{
    Pool pool(2);
    pool.start();
    return sums(how, [&](const std::vector<std::int64_t>& in) {
        return pool.reduce(twice, std::plus<>(), std::int64_t(0), in);
    });
}

/// What the pool adds to an element of the loop. Both in one process, so that the machine is the same for both.
measured over_one_loop(const effort& how)
{
    const double loop = one_loop(how).value;
    const double pool = reduced<mp::process_pool>(how).value;
    return {pool - loop, {{"loop", loop}, {"pool", pool}}};
}

} // namespace

void add_w2(registry& rows)
{
    const std::string floor = "socketpairs, 64 KiB a frame";
    rows.add({"w2", "one thread, no pool", role::floor, one_thread});
    rows.add({"w2", floor, role::floor, [](const effort& how) { return stream<many, 8192, 64>(how, ns); }});
    rows.add({"w2", "process_pool", role::ours, blocking<mp::process_pool>, floor, 1.3});
    rows.add({"w2", "async_multi_pool", role::ours, awaitable<mp::async_multi_pool>, floor, 1.3});
    rows.add({"w2", "thread_pool", role::ours, blocking<mp::thread_pool>, "oneTBB parallel_for", 1.1});
    rows.add({"w2", "async_thread_pool", role::ours, awaitable<mp::async_thread_pool>, "oneTBB parallel_for", 1.1});

    const std::string coalesced = "socketpairs, a frame a task, 64 deep";
    rows.add({"w2-chunk-1", coalesced, role::floor, [](const effort& how) { return stream<single, 1, 64>(how, us); }});
    rows.add({"w2-chunk-1", "socketpairs, a frame a task, 4096 deep", role::floor,
              [](const effort& how) { return stream<single, 1, 4096>(how, us); }});
    rows.add({"w2-chunk-1", "process_pool", role::ours, blocking_chunk_1<mp::process_pool>,
              "socketpairs, a frame a task, 4096 deep", 3});
    rows.add({"w2-chunk-1", "async_multi_pool", role::ours, awaitable_chunk_1<mp::async_multi_pool>,
              "socketpairs, a frame a task, 4096 deep", 3});
    rows.add({"w2-chunk-1", "thread_pool", role::ours, blocking_chunk_1<mp::thread_pool>,
              "oneTBB parallel_for, grain 1", 1.1});
    rows.add({"w2-chunk-1", "async_thread_pool", role::ours, awaitable_chunk_1<mp::async_thread_pool>,
              "oneTBB parallel_for, grain 1", 1.1});

    rows.add({"w2-reduce", "one thread, no pool", role::floor, one_loop});
    rows.add({"w2-reduce", "process_pool", role::ours, reduced<mp::process_pool>, "one thread, no pool"});
    rows.add({"w2-reduce-over", "process_pool", role::ours, over_one_loop, "", 2});
    rows.add({"w2-reduce", "thread_pool", role::ours, reduced<mp::thread_pool>, "oneTBB parallel_reduce", 1.5});
}

} // namespace bench
