// SPDX-License-Identifier: BSL-1.0
// W13: what a call costs the loop when a thousand others wait, and when a million do.
#include <twat/mp/async_pool.hpp>
#include <twat/mp/multi_pool.hpp>
#include <twat/mp/worker.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <time.h>

#include <deque>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "families.hpp"
#include "memory.hpp"
#include "shapes.hpp"

namespace bench {

namespace asio = boost::asio;
namespace mp = twat::mp;
using namespace std::chrono_literals;

namespace {

/** Processor time that `f()` takes in the calling thread, in seconds.

    What waits costs the loop that the pool runs on. How long the workers take, and what else the machine does, is not the question.
*/
template <class F>
double loop_time_of(F&& f)
{
    const auto now = [] {
        timespec t{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
    };
    const double begin = now();
    std::forward<F>(f)();
    return now() - begin;
}

/// Keeps its worker busy until it is stopped.
void hold()
{
    while (!mp::this_task::stop_token().stop_requested())
        std::this_thread::sleep_for(1ms);
}

/// So many calls that wait for two workers, on a loop that the measurement drives.
template <class Pool>
class backlog
{
public:
    explicit backlog(bool holds, std::size_t max_pending = 0)
    {
        mp::pool_options options;
        options.nodes = 2;
        options.max_pending = max_pending;
        options.on_overflow = mp::overflow::wait;
        pool_ = std::make_unique<Pool>(context_, options);
        pool_->start([](std::exception_ptr) {});
        run();
        if (holds)
            for (int i = 0; i < 2; ++i)
                pool_->with({.prio = mp::priority::high}).apply(hold, [](std::exception_ptr) {});
    }

    void add(std::size_t count, mp::call_options options)
    {
        for (std::size_t i = 0; i < count; ++i)
            pool_->with(options).apply(twice, static_cast<std::int64_t>(i),
                                       [this](std::exception_ptr, std::int64_t) { ++ended_; });
        wanted_ += count;
        context_.poll(); // they wait now
    }

    /// The same, of so many tenants in turn.
    void add_of_tenants(std::size_t count, std::size_t tenants)
    {
        for (std::size_t i = 0; i < count; ++i)
            pool_->with({.tenant = {1 + i % tenants}})
                .apply(twice, static_cast<std::int64_t>(i), [this](std::exception_ptr, std::int64_t) { ++ended_; });
        wanted_ += count;
        context_.poll();
    }

    void add_cancellable(std::size_t count, mp::call_options options)
    {
        for (std::size_t i = 0; i < count; ++i)
            pool_->with(options).apply(
                twice, static_cast<std::int64_t>(i),
                asio::bind_cancellation_slot(signals_.emplace_back().slot(),
                                             [this](std::exception_ptr, std::int64_t) { ++ended_; }));
        wanted_ += count;
        context_.poll();
    }

    void run()
    {
        context_.restart();
        context_.run();
    }

    /// Runs the loop until the calls have ended, though the workers are held.
    void run_until_ended()
    {
        context_.restart();
        while (ended_ < wanted_ && context_.run_one() != 0) {
        }
    }

    void check() const
    {
        if (ended_ != wanted_)
            throw std::runtime_error("calls are missing");
    }

    Pool& pool() noexcept { return *pool_; }
    void destroy_pool() { pool_.reset(); }
    std::deque<asio::cancellation_signal>& signals() noexcept { return signals_; }

private:
    asio::io_context context_{1};
    std::deque<asio::cancellation_signal> signals_;
    std::unique_ptr<Pool> pool_;
    std::size_t ended_ = 0, wanted_ = 0;
};

/// The value is how many times as much a call costs when most wait as when a thousand do; `cost(count)` gives seconds for all.
template <class Cost>
measured growth(const effort& how, Cost cost)
{
    constexpr std::size_t least = 1000;
    measured found;
    std::vector<double> first;
    cost(least); // warms up
    for (std::size_t count = least; count <= how.of<std::size_t>(1'000'000, 100'000); count *= 10) {
        std::vector<double> times;
        const std::size_t rounds = std::max<std::size_t>(1, how.of<std::size_t>(30'000, 10'000) / count);
        for (std::size_t i = 0; i < rounds; ++i)
            times.push_back(1e6 * cost(count) / static_cast<double>(count));
        const double each = median(times);
        if (count == least)
            first.push_back(each);
        found.value = each / first.front();
        found.more.emplace_back("us_" + std::to_string(count), each);
    }
    return found;
}

template <class Pool>
measured calls(const effort& how, mp::call_options options, std::size_t max_pending = 0)
{
    std::size_t bytes = 0;
    measured found = growth(how, [&](std::size_t count) {
        backlog<Pool> calls(false, max_pending);
        const std::size_t before = resident_memory();
        const double time = loop_time_of([&] {
            calls.add(count, options);
            bytes = (resident_memory() - before) / count; // of the last and largest
            calls.run();
        });
        calls.check();
        return time;
    });
    found.more.emplace_back("bytes", static_cast<double>(bytes));
    return found;
}

/// The value is how many times as much a call costs when as many calls are of ten thousand tenants as when they are of one.
template <class Pool>
measured of_tenants(const effort& how)
{
    const std::size_t count = how.of<std::size_t>(100'000, 20'000);
    const auto cost = [count](std::size_t tenants) {
        backlog<Pool> calls(false);
        const double time = loop_time_of([&] {
            calls.add_of_tenants(count, tenants);
            calls.run();
        });
        calls.check();
        return 1e6 * time / static_cast<double>(count);
    };
    measured found;
    cost(1); // warms up
    double of_one = 0;
    for (const std::size_t tenants : {1u, 100u, 10'000u}) {
        std::vector<double> times;
        for (int i = 0; i < how.of(7, 3); ++i)
            times.push_back(cost(tenants));
        const double each = median(times);
        if (tenants == 1)
            of_one = each;
        found.value = each / of_one;
        found.more.emplace_back("us_" + std::to_string(tenants), each);
    }
    return found;
}

template <class Pool>
measured terminated(const effort& how)
{
    return growth(how, [&](std::size_t count) {
        backlog<Pool> calls(true);
        calls.add(count, {});
        const double time = loop_time_of([&] {
            calls.pool().terminate();
            calls.run();
        });
        calls.check();
        return time;
    });
}

template <class Pool>
measured destroyed(const effort& how)
{
    return growth(how, [&](std::size_t count) {
        backlog<Pool> calls(true);
        calls.add(count, {});
        const double time = loop_time_of([&] {
            calls.destroy_pool();
            calls.run();
        });
        calls.check();
        return time;
    });
}

/// One after the other, the last one first.
template <class Pool>
measured cancelled(const effort& how, std::size_t max_pending = 0)
{
    return growth(how, [&](std::size_t count) {
        backlog<Pool> calls(true, max_pending);
        calls.add_cancellable(count, {});
        const double time = loop_time_of([&] {
            for (auto signal = calls.signals().rbegin(); signal != calls.signals().rend(); ++signal)
                signal->emit(asio::cancellation_type::terminal);
            calls.run_until_ended();
        });
        calls.check();
        calls.pool().terminate();
        calls.run();
        return time;
    });
}

/// The time of all is over at one moment.
template <class Pool>
measured expired(const effort& how, bool queue_timeout)
{
    return growth(how, [&](std::size_t count) {
        backlog<Pool> calls(true);
        const mp::duration limit = 2us * count + 20ms;
        calls.add(count,
                  queue_timeout ? mp::call_options{.queue_timeout = limit} : mp::call_options{.deadline = limit});
        std::this_thread::sleep_until(clock::now() + limit);
        const double time = loop_time_of([&] { calls.run_until_ended(); });
        calls.check();
        calls.pool().terminate();
        calls.run();
        return time;
    });
}

measured submitted(const effort& how)
{
    mp::thread_pool pool(2);
    pool.start();
    return round_trips(how, [&](std::int64_t i) { return pool.submit(increment, i).get(); });
}

/// What `submit` is measured against.
measured posted(const effort& how)
{
    asio::thread_pool pool(2);
    return round_trips(how, [&](std::int64_t i) {
        std::promise<std::int64_t> promise;
        auto future = promise.get_future();
        asio::post(pool, [promise = std::move(promise), i]() mutable { promise.set_value(increment(i)); });
        return future.get();
    });
}

/// Many at once, then all of their futures.
template <class Submit>
measured at_once(const effort& how, Submit submit)
{
    std::vector<double> times;
    for (int i = 0; i <= how.of(20, 5); ++i) {
        constexpr std::int64_t count = 10'000;
        std::vector<std::future<std::int64_t>> futures;
        futures.reserve(count);
        const double time = time_of([&] {
            for (std::int64_t k = 0; k < count; ++k)
                futures.push_back(submit(k));
            for (auto& future : futures)
                future.get();
        });
        if (i > 0)
            times.push_back(1e6 * time / static_cast<double>(count));
    }
    return {median(times), {}};
}

measured submitted_at_once(const effort& how)
{
    mp::thread_pool pool(2);
    pool.start();
    return at_once(how, [&](std::int64_t i) { return pool.submit(increment, i); });
}

measured posted_at_once(const effort& how)
{
    asio::thread_pool pool(2);
    return at_once(how, [&](std::int64_t i) {
        std::promise<std::int64_t> promise;
        auto future = promise.get_future();
        asio::post(pool, [promise = std::move(promise), i]() mutable { promise.set_value(increment(i)); });
        return future;
    });
}

template <class Pool>
void add_backlog(registry& rows, const std::string& pool)
{
    const auto add = [&](const char* name, std::function<measured(const effort&)> run) {
        rows.add({"w13", pool + ", " + name, role::ours, std::move(run), "", 1.5});
    };
    constexpr std::size_t few = 16;
    add("apply", [](const effort& how) { return calls<Pool>(how, {}); });
    add("deadline", [](const effort& how) { return calls<Pool>(how, {.deadline = 1h}); });
    add("queue_timeout", [](const effort& how) { return calls<Pool>(how, {.queue_timeout = 1h}); });
    add("overflow::wait", [](const effort& how) { return calls<Pool>(how, {}, few); });
    add("deadlines pass", [](const effort& how) { return expired<Pool>(how, false); });
    add("queue_timeouts pass", [](const effort& how) { return expired<Pool>(how, true); });
    add("cancel each", [](const effort& how) { return cancelled<Pool>(how); });
    add("cancel each, overflow::wait", [](const effort& how) { return cancelled<Pool>(how, few); });
    add("terminate", [](const effort& how) { return terminated<Pool>(how); });
    add("destruction", [](const effort& how) { return destroyed<Pool>(how); });
    add("10^4 tenants", [](const effort& how) { return of_tenants<Pool>(how); });
}

} // namespace

void add_w13(registry& rows)
{
    add_backlog<mp::async_multi_pool>(rows, "async_multi_pool");
    add_backlog<mp::async_thread_pool>(rows, "async_thread_pool");
    const std::string post = "asio::thread_pool, post and future";
    rows.add({"w13-submit", post, role::floor, posted});
    rows.add({"w13-submit", "thread_pool::submit", role::ours, submitted, post, 2});
    rows.add({"w13-submit-many", post, role::floor, posted_at_once});
    rows.add({"w13-submit-many", "thread_pool::submit", role::ours, submitted_at_once, post, 2});
}

} // namespace bench
