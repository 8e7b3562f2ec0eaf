// SPDX-License-Identifier: BSL-1.0
// W11: how many workers one thread of the host can feed. They sleep instead of computing, so that two processors do for all.
#include <twat/mp/async_pool.hpp>

#include <sys/resource.h>

#include <string>
#include <thread>

#include "awaited.hpp"
#include "families.hpp"
#include "shapes.hpp"

namespace bench {

namespace mp = twat::mp;

namespace {

/// User and system time of this process, in seconds; not of its children.
double own_cpu_time()
{
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds_of = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

std::int64_t sleep_10_ms(std::int64_t x)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return 2 * x;
}

/// 1 us on the average, most of it asleep: a shorter sleep would cost the processor more than it lasts.
std::int64_t sleep_1_us(std::int64_t x)
{
    if (x % 2000 == 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return 2 * x;
}

measured cost(std::size_t workers, std::size_t tasks, std::size_t chunk_size, std::int64_t (*task)(std::int64_t))
{
    mp::pool_options options;
    options.nodes = workers;
    options.start_timeout = std::chrono::seconds(60); // hundreds of them start on two processors
    awaited<mp::async_multi_pool> loop(options);
    const auto in = numbers(tasks);
    std::vector<double> costs;
    for (int i = 0; i < 2; ++i) { // the first one lets the chunks find their size
        const double before = own_cpu_time();
        const std::vector<std::int64_t> out =
            loop.wait([&](mp::async_multi_pool& pool) { return pool.with({.chunk_size = chunk_size}).map(task, in); });
        costs.push_back(1e6 * (own_cpu_time() - before) / static_cast<double>(tasks));
        check(in, out, twice);
    }
    return {costs.back(), {{"first", costs.front()}}};
}

} // namespace

void add_w11(registry& rows)
{
    for (const std::size_t workers : {1, 2, 4, 8, 16, 64, 256}) {
        const std::string name = "async_multi_pool, workers: " + std::to_string(workers);
        rows.add({"w11", name, role::ours,
                  [=](const effort& how) {
                      return cost(workers, std::max(how.of<std::size_t>(100, 10), how.of<std::size_t>(40, 4) * workers),
                                  1, sleep_10_ms);
                  },
                  "", 5});
        rows.add({"w11-default", name, role::ours,
                  [=](const effort& how) {
                      return cost(workers,
                                  std::max<std::size_t>(how.of(200'000, 20'000), how.of(40'000, 4000) * workers), 0,
                                  sleep_1_us);
                  },
                  "", 0.1});
    }
}

} // namespace bench
