// SPDX-License-Identifier: BSL-1.0
// W3: ten thousand tasks of about 4 us. How much of two processors a pool makes use of.
#include <twat/mp/async_pool.hpp>
#include <twat/mp/multi_pool.hpp>

#include "awaited.hpp"
#include "child.hpp"
#include "families.hpp"
#include "frame_stream.hpp"
#include "shapes.hpp"

namespace bench {

namespace mp = twat::mp;

namespace {

constexpr std::size_t count = 10'000;

/// Two forked children, each with half of the tasks; with the fork and the wait for their end.
measured fork_and_split(const effort& how)
{
    const auto results = shared_array<std::int64_t>(count);
    return efficiency(how, count, equal_task, [&](const std::vector<std::int64_t>& in) {
        const auto half = [&](std::size_t begin, std::size_t end) {
            return [&in, results, begin, end] {
                for (std::size_t i = begin; i < end; ++i)
                    results[i] = equal_task(in[i]);
            };
        };
        {
            const forked_child first(half(0, count / 2));
            const forked_child second(half(count / 2, count));
        }
        return std::vector<std::int64_t>(results, results + count);
    });
}

measured stream(const effort& how)
{
    frame_stream workers(2, for_each_integer(equal_task));
    return efficiency(how, count, equal_task, [&](const std::vector<std::int64_t>& in) {
        std::vector<std::int64_t> out(in.size());
        map_integers(workers, in, out, 64, 2);
        return out;
    });
}

template <class Pool>
measured blocking(const effort& how)
{
    Pool pool(2);
    pool.start();
    return efficiency(how, count, equal_task,
                      [&](const std::vector<std::int64_t>& in) { return pool.map(equal_task, in); });
}

template <class Pool>
measured awaitable(const effort& how)
{
    awaited<Pool> loop(2);
    return efficiency(how, count, equal_task, [&](const std::vector<std::int64_t>& in) {
        return loop.wait([&](Pool& pool) { return pool.map(equal_task, in); });
    });
}

} // namespace

void add_w3(registry& rows)
{
    const std::string tbb = "oneTBB parallel_for";
    rows.add({"w3", "fork, two halves", role::floor, fork_and_split});
    rows.add({"w3", "socketpairs, chunks of 64", role::floor, stream});
    rows.add({"w3", "process_pool", role::ours, blocking<mp::process_pool>, "", 0.95});
    rows.add({"w3", "async_multi_pool", role::ours, awaitable<mp::async_multi_pool>, "", 0.95});
    rows.add({"w3", "thread_pool", role::ours, blocking<mp::thread_pool>, tbb, 0.98});
    rows.add({"w3", "async_thread_pool", role::ours, awaitable<mp::async_thread_pool>, tbb, 0.98});
}

} // namespace bench
