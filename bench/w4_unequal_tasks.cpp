// SPDX-License-Identifier: BSL-1.0
// W4: a thousand tasks, ten of which cost a hundred times as much. How well a pool shares out what it cannot foresee.
#include <twat/mp/async_pool.hpp>
#include <twat/mp/multi_pool.hpp>

#include <array>

#include "awaited.hpp"
#include "families.hpp"
#include "frame_stream.hpp"
#include "shapes.hpp"

namespace bench {

namespace mp = twat::mp;

namespace {

constexpr std::size_t count = 1000;

/// Each task goes, in order, to the worker that is free first, and nothing costs anything but the tasks. Computed, not run.
measured greedy_schedule(const effort&)
{
    std::array<double, 2> busy_until{};
    double total = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const double cost = is_heavy(static_cast<std::int64_t>(i)) ? 100 : 1;
        *std::min_element(busy_until.begin(), busy_until.end()) += cost;
        total += cost;
    }
    return {total / (2 * *std::max_element(busy_until.begin(), busy_until.end())), {}};
}

measured stream(const effort& how)
{
    frame_stream workers(2, for_each_integer(unequal_task));
    return efficiency(how, count, unequal_task, [&](const std::vector<std::int64_t>& in) {
        std::vector<std::int64_t> out(in.size());
        map_integers(workers, in, out, 1, 2);
        return out;
    });
}

template <class Pool>
measured blocking(const effort& how)
{
    Pool pool(2);
    pool.start();
    return efficiency(how, count, unequal_task,
                      [&](const std::vector<std::int64_t>& in) { return pool.map(unequal_task, in); });
}

template <class Pool>
measured awaitable(const effort& how)
{
    awaited<Pool> loop(2);
    return efficiency(how, count, unequal_task, [&](const std::vector<std::int64_t>& in) {
        return loop.wait([&](Pool& pool) { return pool.map(unequal_task, in); });
    });
}

} // namespace

void add_w4(registry& rows)
{
    const std::string tbb = "oneTBB parallel_for";
    rows.add({"w4", "greedy schedule, computed", role::floor, greedy_schedule});
    rows.add({"w4", "socketpairs, a task a frame", role::floor, stream});
    rows.add({"w4", "process_pool", role::ours, blocking<mp::process_pool>, "", 0.92});
    rows.add({"w4", "async_multi_pool", role::ours, awaitable<mp::async_multi_pool>, "", 0.92});
    rows.add({"w4", "thread_pool", role::ours, blocking<mp::thread_pool>, tbb, 0.98});
    rows.add({"w4", "async_thread_pool", role::ours, awaitable<mp::async_thread_pool>, tbb, 0.98});
}

} // namespace bench
