// SPDX-License-Identifier: BSL-1.0
// W7: imap over a million items that are made on demand. Time to the first result, memory, and speed beside map.
#include <twat/mp/async_pool.hpp>
#include <twat/mp/multi_pool.hpp>

#include <algorithm>
#include <atomic>
#include <ranges>
#include <stdexcept>

#include "awaited.hpp"
#include "families.hpp"
#include "memory.hpp"
#include "shapes.hpp"

namespace bench {

namespace mp = twat::mp;

namespace {

constexpr std::int64_t many = 1'000'000;

/// Whole numbers from 0, which count how many were drawn.
auto counted(std::int64_t count, std::atomic<std::int64_t>& drawn)
{
    return std::views::iota(std::int64_t(0), count) | std::views::transform([&drawn](std::int64_t i) {
               drawn.fetch_add(1, std::memory_order_relaxed);
               return i;
           });
}

void check_end(std::int64_t sum, std::int64_t count)
{
    if (sum != count * (count - 1))
        throw std::runtime_error("a result is wrong");
}

template <class Pool>
measured first_result(const effort& how)
{
    Pool pool(2);
    pool.start();
    std::vector<double> times;
    for (int i = 0; i < how.of(300, 30); ++i) {
        std::atomic<std::int64_t> drawn = 0;
        times.push_back(1e6 * time_of([&] {
                            auto results = pool.imap(twice, counted(many, drawn));
                            if (*results.begin() != 0)
                                throw std::runtime_error("a result is wrong");
                        }));
    }
    return {median(times), {}};
}

/// What the time to the first result is compared with: a call and its result, on the same kind of pool.
template <class Pool>
measured round_trip(const effort& how)
{
    Pool pool(2);
    pool.start();
    std::vector<double> times;
    for (std::int64_t i = 0; i < how.of(300, 30); ++i)
        times.push_back(1e6 * time_of([&] { pool.apply(twice, i); }));
    return {median(times), {}};
}

template <class Pool>
measured growth(const effort& how)
{
    const std::int64_t count = how.of(many, many / 10);
    Pool pool(2);
    pool.map(twice, numbers(100'000)); // warm: what any call leaves behind is not counted
    std::atomic<std::int64_t> drawn = 0;
    const std::size_t before = resident_memory();
    std::size_t peak = before;
    std::int64_t read = 0;
    std::int64_t ahead = 0;
    std::int64_t sum = 0;
    for (const std::int64_t x : pool.imap(twice, counted(count, drawn))) {
        sum += x;
        if (++read % 1024 == 0) {
            peak = std::max(peak, resident_memory());
            ahead = std::max(ahead, drawn.load(std::memory_order_relaxed) - read);
        }
    }
    check_end(sum, count);
    return {static_cast<double>(peak - before) / (1 << 20), {{"drawn_ahead", static_cast<double>(ahead)}}};
}

template <class Pool>
measured stream(const effort& how)
{
    const std::int64_t count = how.of(many, many / 10);
    Pool pool(2);
    pool.start();
    std::vector<double> times;
    for (int i = 0; i <= how.of(5, 2); ++i) {
        std::int64_t sum = 0;
        const double time = time_of([&] {
            for (const std::int64_t x : pool.imap(twice, std::views::iota(std::int64_t(0), count)))
                sum += x;
        });
        check_end(sum, count);
        if (i > 0)
            times.push_back(time * 1e9 / static_cast<double>(count));
    }
    return {median(times), {}};
}

template <class Pool>
measured awaited_stream(const effort& how)
{
    const std::int64_t count = how.of(many, many / 10);
    awaited<Pool> loop(2);
    std::vector<double> times;
    for (int i = 0; i <= how.of(5, 2); ++i) {
        const double time = time_of([&] {
            loop.wait([&](Pool& pool) -> asio::awaitable<void> {
                auto results = pool.imap(twice, std::views::iota(std::int64_t(0), count));
                std::int64_t sum = 0;
                while (auto x = co_await results.next())
                    sum += *x;
                check_end(sum, count);
            });
        });
        if (i > 0)
            times.push_back(time * 1e9 / static_cast<double>(count));
    }
    return {median(times), {}};
}

/// The same work by map, which reads the same kind of range.
template <class Pool>
measured map(const effort& how)
{
    const std::int64_t count = how.of(many, many / 10);
    Pool pool(2);
    pool.start();
    std::vector<double> times;
    for (int i = 0; i <= how.of(5, 2); ++i) {
        std::vector<std::int64_t> results;
        const double time = time_of([&] { results = pool.map(twice, std::views::iota(std::int64_t(0), count)); });
        if (results.size() != static_cast<std::size_t>(count) || results.back() != twice(count - 1))
            throw std::runtime_error("a result is wrong");
        if (i > 0)
            times.push_back(time * 1e9 / static_cast<double>(count));
    }
    return {median(times), {}};
}

} // namespace

void add_w7(registry& rows)
{
    const std::string call = "apply of process_pool";
    rows.add({"w7-first", call, role::floor, round_trip<mp::process_pool>});
    rows.add({"w7-first", "process_pool", role::ours, first_result<mp::process_pool>, call, 2});
    rows.add({"w7-first", "thread_pool", role::ours, first_result<mp::thread_pool>});

    rows.add({"w7-memory", "process_pool", role::ours, growth<mp::process_pool>, "", 1});
    rows.add({"w7-memory", "thread_pool", role::ours, growth<mp::thread_pool>, "", 1});

    const std::string processes = "map of process_pool";
    const std::string threads = "map of thread_pool";
    rows.add({"w7", processes, role::floor, map<mp::process_pool>});
    rows.add({"w7", threads, role::floor, map<mp::thread_pool>});
    rows.add({"w7", "process_pool", role::ours, stream<mp::process_pool>, processes, 1.11});
    rows.add({"w7", "async_multi_pool", role::ours, awaited_stream<mp::async_multi_pool>, processes, 1.11});
    rows.add({"w7", "thread_pool", role::ours, stream<mp::thread_pool>, threads, 1.11});
    rows.add({"w7", "async_thread_pool", role::ours, awaited_stream<mp::async_thread_pool>, threads, 1.11});
}

} // namespace bench
