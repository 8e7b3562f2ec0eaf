// SPDX-License-Identifier: BSL-1.0
// A pool with much that waits is terminated, destroyed, or loses its context: in turns, beside which others get theirs.
#include <twat/mp/async_pool.hpp>
#include <twat/mp/error.hpp>
#include <twat/mp/exceptions.hpp>
#include <twat/mp/multi_pool.hpp>
#include <twat/mp/worker.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

using namespace twat::mp;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t many = 5000;

int same(int x) { return x; }

void hold()
{
    while (!this_task::stop_token().stop_requested())
        std::this_thread::sleep_for(1ms);
}

template <class Pool>
struct fixture
{
    std::unique_ptr<asio::io_context> ctx = std::make_unique<asio::io_context>(1);
    std::unique_ptr<Pool> pool = std::make_unique<Pool>(*ctx, 1);
    std::size_t ended = 0;
    std::size_t otherwise = 0; // not with the error that was expected
    std::shared_ptr<int> handlers = std::make_shared<int>();

    explicit fixture(boost::system::error_code expected)
    {
        pool->start([](std::exception_ptr) {});
        ctx->run();
        ctx->restart();
        pool->apply(hold, [](std::exception_ptr) {});
        ctx->poll();
        for (std::size_t i = 0; i < many; ++i)
            pool->apply(same, 1, [this, expected, alive = handlers](std::exception_ptr error, int) {
                ++ended;
                otherwise += code_of(error) != expected;
            });
        ctx->poll();
        BOOST_TEST(ended == 0u);
    }

    /// How many had ended when something that was posted next gets its turn.
    std::size_t ended_beside()
    {
        std::size_t seen = many;
        asio::post(*ctx, [&] { asio::post(*ctx, [&] { seen = ended; }); });
        while (seen == many && ctx->run_one() != 0) {
        }
        return seen;
    }
};

template <class Pool>
void terminates_in_turns()
{
    fixture<Pool> f(make_error_code(errc::pool_terminated));
    f.pool->terminate();
    BOOST_TEST(f.ended_beside() < many / 2);
    f.ctx->run();
    BOOST_TEST(f.ended == many);
    BOOST_TEST(f.otherwise == 0u);
    BOOST_TEST(f.handlers.use_count() == 1);
}

template <class Pool>
void is_destroyed_in_turns()
{
    fixture<Pool> f(asio::error::operation_aborted);
    f.pool.reset();
    BOOST_TEST(f.ended_beside() < many / 2);
    f.ctx->run();
    BOOST_TEST(f.ended == many);
    BOOST_TEST(f.otherwise == 0u);
    BOOST_TEST(f.handlers.use_count() == 1);
}

template <class Pool>
void loses_its_context_in_the_midst(bool pool_first)
{
    fixture<Pool> f(make_error_code(errc::pool_terminated));
    f.pool->terminate();
    if (pool_first)
        f.pool.reset();
    f.ended_beside();
    BOOST_TEST(f.ended < many);
    f.ctx.reset();
    f.pool.reset();
    BOOST_TEST(f.ended < many);
    BOOST_TEST(f.otherwise == 0u);
    BOOST_TEST(f.handlers.use_count() == 1); // the others were destroyed uncalled
}

template <class Pool>
void ends_all_futures()
{
    std::vector<decltype(std::declval<Pool&>().submit(same, 1))> futures;
    {
        Pool pool(1);
        pool.start();
        auto held = pool.submit(hold);
        for (std::size_t i = 0; i < many; ++i)
            futures.push_back(pool.submit(same, 1));
        pool.terminate();
    }
    std::size_t terminated = 0;
    for (auto& future : futures)
        try {
            future.get();
        }
        catch (const twat::mp::error& e) {
            terminated += e.code() == errc::pool_terminated;
        }
    BOOST_TEST(terminated == many);
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_ending_of_pools)

BOOST_AUTO_TEST_CASE(processes_are_terminated_in_turns) { terminates_in_turns<async_multi_pool>(); }
BOOST_AUTO_TEST_CASE(threads_are_terminated_in_turns) { terminates_in_turns<async_thread_pool>(); }

BOOST_AUTO_TEST_CASE(a_pool_of_processes_is_destroyed_in_turns) { is_destroyed_in_turns<async_multi_pool>(); }
BOOST_AUTO_TEST_CASE(a_pool_of_threads_is_destroyed_in_turns) { is_destroyed_in_turns<async_thread_pool>(); }

BOOST_AUTO_TEST_CASE(a_context_may_go_in_the_midst_of_it)
{
    for (const bool pool_first : {false, true}) {
        loses_its_context_in_the_midst<async_multi_pool>(pool_first);
        loses_its_context_in_the_midst<async_thread_pool>(pool_first);
    }
}

BOOST_AUTO_TEST_CASE(futures_of_a_terminated_pool_are_all_answered)
{
    ends_all_futures<process_pool>();
    ends_all_futures<thread_pool>();
}

BOOST_AUTO_TEST_SUITE_END()
