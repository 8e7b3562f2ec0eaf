// SPDX-License-Identifier: BSL-1.0
// W9: how late a 1 ms timer on the program's own loop is while a pool works for it there.
#include <twat/mp/async_pool.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <stdexcept>

#include "child.hpp"
#include "families.hpp"
#include "faults.hpp"
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

/// Any pool of theirs: tasks are posted to it, and what they give to the loop.
measured beside_thread_pool(const effort& how)
{
    asio::io_context context(1);
    asio::thread_pool pool(2);
    const auto in = numbers(10'000);
    std::vector<std::int64_t> out(in.size());
    std::size_t maps = 0;
    auto load = [&](auto over) -> asio::awaitable<void> {
        asio::steady_timer done(context);
        for (; !over(); ++maps) {
            constexpr std::size_t block = 500;
            std::size_t left = in.size() / block;
            done.expires_at(asio::steady_timer::time_point::max());
            for (std::size_t from = 0; from < in.size(); from += block)
                asio::post(pool, [&, from] {
                    for (std::size_t i = from; i < from + block; ++i)
                        out[i] = equal_task(in[i]);
                    asio::post(context, [&] {
                        if (--left == 0)
                            done.cancel();
                    });
                });
            boost::system::error_code ignored;
            co_await done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        }
    };
    measured m = lateness(how, context, load);
    m.more.emplace_back("tasks", static_cast<double>(maps * in.size()));
    return m;
}

/// @tparam nice As `pool_options::nice`.
template <class Pool, int nice = -1>
measured while_computing(const effort& how)
{
    asio::io_context context(1);
    mp::pool_options options;
    options.nodes = 2;
    options.nice = nice;
    Pool pool(context, options);
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

template <class Pool, int nice = -1>
measured while_results_arrive(const effort& how)
{
    asio::io_context context(1);
    mp::pool_options options;
    options.nodes = 2;
    options.nice = nice;
    Pool pool(context, options);
    std::size_t results = 0;
    double faults = page_faults();
    auto load = [&](auto over) -> asio::awaitable<void> {
        const auto in = numbers(16);
        while (!over()) {
            const std::vector<std::vector<char>> out = co_await pool.map(one_mebibyte, in);
            if (out.back().back() != 15)
                throw std::runtime_error("a result is wrong");
            if (results == 0)
                faults = page_faults(); // the first ones make room for the others
            results += out.size();
        }
    };
    measured m = lateness(how, context, load);
    m.more.emplace_back("results", static_cast<double>(results));
    m.more.emplace_back("faults_an_item", (page_faults() - faults) / static_cast<double>(results));
    return m;
}

std::int64_t measure(const std::vector<char>& value) { return static_cast<std::int64_t>(value.size()); }

template <class Pool>
measured while_arguments_leave(const effort& how)
{
    asio::io_context context(1);
    Pool pool(context, 2);
    std::size_t sent = 0;
    const std::vector<std::vector<char>> values(16, one_mebibyte(1));
    auto load = [&](auto over) -> asio::awaitable<void> {
        while (!over()) {
            const std::vector<std::int64_t> out = co_await pool.map(measure, values);
            if (out.back() != 1 << 20)
                throw std::runtime_error("a result is wrong");
            sent += out.size();
        }
    };
    measured m = lateness(how, context, load);
    m.more.emplace_back("arguments", static_cast<double>(sent));
    return m;
}

/// As many calls as that wait or run at any moment; each that ends is followed by another one.
template <class Pool>
measured while_calls_wait(const effort& how)
{
    asio::io_context context(1);
    Pool pool(context, 2);
    std::size_t calls = 0;
    const int at_once = how.of(10'000, 1'000);
    auto load = [&](auto over) -> asio::awaitable<void> {
        co_await pool.start();
        int left = at_once;
        auto again = [&](auto self, std::int64_t i) -> void {
            pool.apply(equal_task, i, [&, self, i](std::exception_ptr error, std::int64_t) {
                ++calls;
                if (error || over())
                    --left;
                else
                    self(self, i + 1);
            });
        };
        asio::steady_timer timer(context);
        for (int i = 0; i < at_once; ++i) {
            again(again, i);
            if (i % 50 == 0) { // making all of them at once would be the bench's own delay
                timer.expires_after(std::chrono::microseconds(100));
                co_await timer.async_wait(asio::use_awaitable);
            }
        }
        while (left != 0) {
            timer.expires_after(std::chrono::milliseconds(5));
            co_await timer.async_wait(asio::use_awaitable);
        }
    };
    measured m = lateness(how, context, load);
    m.more.emplace_back("calls", static_cast<double>(calls));
    return m;
}

/// Far more workers than processors, all with short tasks.
template <class Pool>
measured beside_many_workers(const effort& how)
{
    asio::io_context context(1);
    Pool pool(context, how.of<std::size_t>(256, 16));
    bool ready = false;
    asio::co_spawn(context, pool.start(), [&](std::exception_ptr) { ready = true; });
    while (!ready)
        context.run_one();
    context.restart();
    const auto in = numbers(10'000);
    std::size_t maps = 0;
    auto load = [&](auto over) -> asio::awaitable<void> {
        for (; !over(); ++maps) {
            const std::vector<std::int64_t> out = co_await pool.map(equal_task, in);
            if (out.size() != in.size())
                throw std::runtime_error("results are missing");
        }
    };
    measured m = lateness(how, context, load);
    m.more.emplace_back("tasks", static_cast<double>(maps * in.size()));
    return m;
}

} // namespace

void add_w9(registry& rows)
{
    const std::string busy = "two busy processes, no pool";
    rows.add({"w9", "idle machine", role::floor, idle_loop});
    rows.add({"w9", busy, role::floor, two_busy_processes});

    const std::string threads = "asio::thread_pool";
    rows.add({"w9", threads, role::peer, beside_thread_pool});
    rows.add({"w9", "async_multi_pool", role::ours, while_computing<mp::async_multi_pool>, threads, 1.5});
    rows.add({"w9", "async_thread_pool", role::ours, while_computing<mp::async_thread_pool>, threads, 1.5});
    rows.add({"w9", "async_multi_pool, nice 0", role::ours, while_computing<mp::async_multi_pool, 0>});
    rows.add({"w9", "async_thread_pool, nice 0", role::ours, while_computing<mp::async_thread_pool, 0>});

    rows.add({"w9-arrivals", busy, role::floor, two_busy_processes});
    rows.add({"w9-arrivals", "async_multi_pool", role::ours, while_results_arrive<mp::async_multi_pool>, busy, 3});
    rows.add({"w9-arrivals", "async_multi_pool, nice 0", role::ours, while_results_arrive<mp::async_multi_pool, 0>});

    rows.add({"w9-departures", busy, role::floor, two_busy_processes});
    rows.add({"w9-departures", "async_multi_pool", role::ours, while_arguments_leave<mp::async_multi_pool>, busy, 3});

    rows.add({"w9-backlog", busy, role::floor, two_busy_processes});
    rows.add({"w9-backlog", "async_multi_pool", role::ours, while_calls_wait<mp::async_multi_pool>, busy, 3});
    rows.add({"w9-backlog", "async_thread_pool", role::ours, while_calls_wait<mp::async_thread_pool>, busy, 3});

    rows.add({"w9-workers", busy, role::floor, two_busy_processes});
    rows.add({"w9-workers", "async_multi_pool", role::ours, beside_many_workers<mp::async_multi_pool>, busy, 3});
}

} // namespace bench
