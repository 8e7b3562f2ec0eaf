// SPDX-License-Identifier: BSL-1.0
// Pools that are destroyed at every bad moment and from every bad place: each operation completes once, or is dropped with its context,
// and nothing is left.
//
// TWAT_MP_DESTRUCTIONS says how often each order is tried.
#include <twat/mp.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <thread>

#include <unistd.h>

#include "census.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace bdata = boost::unit_test::data;

namespace {

int linger(int i)
{
    std::this_thread::sleep_for(std::chrono::microseconds(i % 4 * 300));
    return i;
}

int repetitions()
{
    const char* const text = std::getenv("TWAT_MP_DESTRUCTIONS");
    return text ? std::atoi(text) : 4;
}

/// A pool with operations outstanding, each of which has a handler that says when it ran and when it was dropped.
template <class Pool>
struct scene
{
    std::optional<asio::io_context> context{std::in_place};
    std::unique_ptr<Pool> pool;
    asio::cancellation_signal cancel;
    std::atomic<int> begun = 0, completed = 0, destroyed = 0;
    std::function<void()> at_first; ///< In the first handler that runs.
    std::function<void(const pool_event&)> at_event;

    explicit scene(int round)
    {
        pool_options options;
        options.nodes = 2;
        options.start_timeout = 60s;
        options.stop_grace = 50ms;
        options.restarts.count = 1000;
        options.on_event = [this](const pool_event& event) {
            if (at_event)
                at_event(event);
        };
        pool = std::make_unique<Pool>(*context, options);
        round_ = round;
    }

    /// One that counts its end, whether it is called or not.
    struct handler
    {
        struct life
        {
            scene& in;
            std::atomic<int> calls = 0;
            explicit life(scene& s) : in(s) { ++in.begun; }
            ~life()
            {
                if (calls > 1)
                    BOOST_ERROR("an operation completed " << calls << " times");
                ++in.destroyed;
            }
        };

        std::shared_ptr<life> one;
        explicit handler(scene& s) : one(std::make_shared<life>(s)) {}

        template <class... Args>
        void operator()(Args&&...) const
        {
            ++one->calls;
            ++one->in.completed;
            if (one->in.at_first)
                std::exchange(one->in.at_first, nullptr)();
        }
    };

    void begin_operations()
    {
        const auto numbers = std::views::iota(0, 50);
        for (int i = 0; i != 4; ++i)
            pool->apply(linger, i, handler(*this));
        pool->map(linger, numbers, handler(*this));
        pool->map(linger, numbers, asio::bind_cancellation_slot(cancel.slot(), handler(*this)));
        stream.emplace(pool->imap(linger, numbers));
        stream->next(handler(*this));
    }

    std::optional<result_stream<int>> stream;

    void run() { context->run(); }

    /// Runs for a while that differs from round to round.
    void run_a_little() { context->run_for(std::chrono::microseconds(round_ % 16 * 700)); }

    void check(bool all_called = true)
    {
        stream.reset();
        if (context) {
            context->restart();
            context->run();
        }
        pool.reset();
        context.reset();
        BOOST_TEST(destroyed == begun);
        if (all_called)
            BOOST_TEST(completed == begun);
        else
            BOOST_TEST(completed <= begun);
    }

private:
    int round_ = 0;
};

enum class order {
    from_a_handler,
    from_an_event,
    from_progress,
    from_a_cancellation,
    while_starting,
    while_busy,
    after_close,
    while_joining,
    after_terminate,
    from_another_thread,
    after_the_context_was_stopped,
    after_the_context_died,
    before_the_stream,
    as_a_worker_dies,
};

constexpr std::array orders{order::from_a_handler,
                            order::from_an_event,
                            order::from_progress,
                            order::from_a_cancellation,
                            order::while_starting,
                            order::while_busy,
                            order::after_close,
                            order::while_joining,
                            order::after_terminate,
                            order::from_another_thread,
                            order::after_the_context_was_stopped,
                            order::after_the_context_died,
                            order::before_the_stream,
                            order::as_a_worker_dies};

std::ostream& operator<<(std::ostream& os, order o)
{
    static constexpr const char* names[] = {"from_a_handler",
                                            "from_an_event",
                                            "from_progress",
                                            "from_a_cancellation",
                                            "while_starting",
                                            "while_busy",
                                            "after_close",
                                            "while_joining",
                                            "after_terminate",
                                            "from_another_thread",
                                            "after_the_context_was_stopped",
                                            "after_the_context_died",
                                            "before_the_stream",
                                            "as_a_worker_dies"};
    return os << names[static_cast<int>(o)];
}

template <class Pool>
void destroy(order when, int round)
{
    scene<Pool> s(round);
    using handler = typename scene<Pool>::handler;
    const auto destroy = [&s] { s.pool.reset(); };
    switch (when) {
    case order::from_a_handler:
        s.at_first = destroy;
        s.begin_operations();
        s.run();
        return s.check();
    case order::from_an_event:
        s.at_event = [destroy, skip = round % 4](const pool_event&) mutable {
            if (skip-- == 0)
                destroy();
        };
        s.begin_operations();
        s.run();
        return s.check();
    case order::from_progress: {
        std::function<void(const progress&)> report = [destroy, round](const progress& p) {
            if (p.done >= static_cast<std::size_t>(round % 16))
                destroy();
        };
        call_options chunks;
        chunks.chunk_size = 3;
        s.pool->with(chunks).on_progress(std::ref(report)).map(linger, std::views::iota(0, 30), handler(s));
        s.begin_operations();
        s.run();
        return s.check();
    }
    case order::from_a_cancellation:
        s.begin_operations();
        s.run_a_little();
        asio::post(*s.context, [&s, destroy] {
            s.cancel.emit(asio::cancellation_type::terminal);
            destroy();
        });
        s.run();
        return s.check();
    case order::while_starting:
        s.pool->start(handler(s));
        s.begin_operations();
        s.context->poll();
        destroy();
        s.run();
        return s.check();
    case order::while_busy:
        s.begin_operations();
        s.run_a_little();
        destroy();
        s.context->restart();
        s.run();
        return s.check();
    case order::after_close:
        s.begin_operations();
        s.run_a_little();
        s.pool->close();
        s.context->restart();
        s.context->poll();
        destroy();
        s.context->restart();
        s.run();
        return s.check();
    case order::while_joining:
        s.begin_operations();
        s.run_a_little();
        s.pool->join(handler(s));
        s.context->restart();
        s.run_a_little();
        destroy();
        s.context->restart();
        s.run();
        return s.check();
    case order::after_terminate:
        s.begin_operations();
        s.run_a_little();
        s.pool->terminate();
        destroy();
        s.context->restart();
        s.run();
        return s.check();
    case order::from_another_thread: {
        auto work = asio::make_work_guard(*s.context);
        std::thread other([&s] { s.run(); });
        std::thread third([&s] { s.run(); });
        s.begin_operations();
        std::this_thread::sleep_for(std::chrono::microseconds(round % 16 * 700));
        destroy();
        work.reset();
        other.join();
        third.join();
        return s.check();
    }
    case order::after_the_context_was_stopped:
        s.begin_operations();
        s.run_a_little();
        s.context->stop();
        destroy();
        s.stream.reset();
        s.context.reset(); // the handlers are dropped with it
        return s.check(false);
    case order::after_the_context_died:
        s.begin_operations();
        s.run_a_little();
        s.context.reset();
        destroy();
        return s.check(false);
    case order::before_the_stream: {
        s.begin_operations();
        s.run_a_little();
        destroy();
        s.context->restart();
        s.run();
        for (int i = 0; i != 3; ++i) {
            s.stream->next(handler(s));
            s.context->restart();
            s.run();
        }
        return s.check();
    }
    case order::as_a_worker_dies:
        s.at_event = [](const pool_event& event) {
            if (event.what == pool_event::worker_ready && event.pid > 0)
                ::kill(event.pid, SIGKILL);
        };
        s.begin_operations();
        s.run_a_little();
        destroy();
        s.context->restart();
        s.run();
        return s.check();
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_destruction)

BOOST_DATA_TEST_CASE_F(census_fixture, a_pool_of_processes_may_be_destroyed, bdata::make(orders), when)
{
    for (int round = 0; round != repetitions(); ++round)
        destroy<async_multi_pool>(when, round);
}

BOOST_DATA_TEST_CASE_F(census_fixture, a_pool_of_threads_may_be_destroyed, bdata::make(orders), when)
{
    for (int round = 0; round != repetitions(); ++round)
        destroy<async_thread_pool>(when, round);
}

BOOST_AUTO_TEST_SUITE_END()
