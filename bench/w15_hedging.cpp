// SPDX-License-Identifier: BSL-1.0
// W15: calls of which one in a hundred stalls for no reason of its own. What a second run (hedge_after) takes off the tail, and what it costs.
#include <twat/mp/multi_pool.hpp>
#include <twat/mp/worker.hpp>

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "clock.hpp"
#include "families.hpp"
#include "statistics.hpp"

namespace bench {

namespace mp = twat::mp;
using namespace std::chrono_literals;

namespace {

/// 1 ms; one run in a hundred takes 100 ms, unless it is stopped. That is the run's bad luck and not the task's: a second one may be quick.
std::int64_t may_stall(std::int64_t x)
{
    static thread_local std::minstd_rand random(static_cast<unsigned>(::gettid()));
    const auto until = clock::now() + (random() % 100 == 0 ? 100ms : 1ms);
    while (clock::now() < until && !mp::this_task::stop_token().stop_requested())
        std::this_thread::sleep_for(1ms);
    return x + 1;
}

/// One call at a time. The value is the 99.9th percentile in ms.
template <class Pool>
measured calls(const effort& how, const mp::hedge_delay& delay)
{
    mp::pool_options options;
    options.nodes = 4;
    Pool pool(options);
    pool.start();
    const auto hedged = pool.with({.hedge_after = delay});
    const std::int64_t warm = 100; // more than are needed to know a percentile
    const std::int64_t count = how.of(5000, 300);
    std::vector<double> times;
    std::size_t copies_before = 0;
    for (std::int64_t i = 0; i < warm + count; ++i) {
        if (i == warm)
            copies_before = pool.stats().hedged;
        std::int64_t result = 0;
        const double time = time_of([&] { result = hedged.apply(may_stall, i); });
        if (result != i + 1)
            throw std::runtime_error("a result is wrong");
        if (i >= warm)
            times.push_back(1e3 * time);
    }
    const auto copies = static_cast<double>(pool.stats().hedged - copies_before);
    return {quantile(times, 0.999),
            {{"p50", quantile(times, 0.5)},
             {"p99", quantile(times, 0.99)},
             {"extra_load_percent", 100 * copies / static_cast<double>(count)}}};
}

template <class Pool>
void add_calls(registry& rows, const std::string& pool)
{
    const auto add = [&](const std::string& name, const mp::hedge_delay& delay, const std::string& baseline) {
        rows.add({"w15", name, role::ours, [=](const effort& how) { return calls<Pool>(how, delay); }, baseline,
                  baseline.empty() ? 0 : 0.25});
    };
    add(pool, {}, "");
    add(pool + ", hedge_after = 5 ms", 5ms, pool);
    add(pool + ", hedge_after = percentile{95}", mp::percentile{95}, pool);
}

} // namespace

void add_w15(registry& rows)
{
    add_calls<mp::process_pool>(rows, "process_pool");
    add_calls<mp::thread_pool>(rows, "thread_pool");
}

} // namespace bench
