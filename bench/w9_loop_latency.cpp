// SPDX-License-Identifier: BSL-1.0
// W9: how late a 1 ms timer on the program's own loop is while a pool works for it there.
#include <twat/mp/async_pool.hpp>

#include <atomic>
#include <deque>
#include <stdexcept>

#include "child.hpp"
#include "families.hpp"
#include "run_coroutine.hpp"
#include "shapes.hpp"
#include "ticker.hpp"

namespace bench {

namespace mp = twat::mp;

namespace {

std::vector<char> one_mebibyte(std::int64_t i) { return std::vector<char>(std::size_t(1) << 20, static_cast<char>(i)); }

measured idle_loop(const effort& how)
{
    asio::io_context context(1);
    return lateness(how, context, [](auto) -> asio::awaitable<void> { co_return; });
}

/// Two processes that only compute: what the system's scheduler does to the loop, without any pool.
measured two_busy_processes(const effort& how)
{
    std::deque<forked_child> busy;
    for (int i = 0; i < 2; ++i) {
        busy.emplace_back([] {
            for (std::int64_t k = 0;; ++k) {
                volatile std::int64_t result = equal_task(k);
                static_cast<void>(result);
            }
        });
    }
    const measured m = idle_loop(how);
    for (forked_child& child : busy)
        child.kill();
    return m;
}

template <class Pool>
measured while_computing(const effort& how)
{
    asio::io_context context(1);
    Pool pool(context, 2);
    const auto in = numbers(10'000);
    std::size_t maps = 0;
    auto load = [&](auto over) -> asio::awaitable<void> {
        for (; !over(); ++maps) {
            const std::vector<std::int64_t> out = co_await pool.map(equal_task, in);
            // On the loop that is measured: not more than this.
            if (out.size() != in.size() || out.back() != equal_task(in.back()))
                throw std::runtime_error("a result is wrong");
        }
    };
    measured m = lateness(how, context, load);
    m.more.emplace_back("tasks", static_cast<double>(maps * in.size()));
    return m;
}

template <class Pool>
measured while_results_arrive(const effort& how)
{
    asio::io_context context(1);
    Pool pool(context, 2);
    std::size_t results = 0;
    auto load = [&](auto over) -> asio::awaitable<void> {
        const auto in = numbers(16);
        while (!over()) {
            const std::vector<std::vector<char>> out = co_await pool.map(one_mebibyte, in);
            if (out.back().back() != 15)
                throw std::runtime_error("a result is wrong");
            results += out.size();
        }
    };
    measured m = lateness(how, context, load);
    m.more.emplace_back("results", static_cast<double>(results));
    return m;
}

} // namespace

void add_w9(registry& rows)
{
    const std::string busy = "two busy processes, no pool";
    rows.add({"w9", "idle machine", role::floor, idle_loop});
    rows.add({"w9", busy, role::floor, two_busy_processes});
    rows.add({"w9", "async_multi_pool", role::ours, while_computing<mp::async_multi_pool>, busy, 1.5});
    rows.add({"w9", "async_thread_pool", role::ours, while_computing<mp::async_thread_pool>, busy, 1.5});

    rows.add({"w9-arrivals", busy, role::floor, two_busy_processes});
    rows.add({"w9-arrivals", "async_multi_pool", role::ours, while_results_arrive<mp::async_multi_pool>, busy, 1.5});
}

} // namespace bench
