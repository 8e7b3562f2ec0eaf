// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/loop_guard.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include <unistd.h>

#include "observe/loop_judge.hpp"
#include "os/symbols.hpp"
#include "sanitizers.hpp"

using namespace twat::mp;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace guard_test {

std::atomic<bool> told{false};

bool eventually(const std::atomic<bool>& that)
{
    for (int i = 0; i < 6000 && !that; ++i)
        std::this_thread::sleep_for(10ms);
    return that;
}

[[gnu::noinline]] void block_the_loop()
{
    for (int i = 0; i < 6000 && !told; ++i)
        std::this_thread::sleep_for(10ms);
}

} // namespace guard_test

BOOST_AUTO_TEST_SUITE(test_loop_guard)

BOOST_AUTO_TEST_CASE(a_late_beat_is_asked_about_once)
{
    using verdict = detail::loop_judge::verdict;
    const auto start = std::chrono::steady_clock::now();
    detail::loop_judge judge(100ms, start);
    struct
    {
        std::chrono::milliseconds at;
        std::uint64_t beats;
        verdict expected;
    } const looks[] = {
        {0ms, 0, verdict::beat},                                                         // the first
        {50ms, 1, verdict::beat},                                                        // it came to it
        {100ms, 1, verdict::wait},                                                       // and not to the next, yet
        {150ms, 1, verdict::ask},  {200ms, 1, verdict::wait},                            // was asked
        {250ms, 2, verdict::beat}, {300ms, 2, verdict::wait}, {600ms, 2, verdict::wait}, // late itself
        {650ms, 2, verdict::ask},
    };
    for (const auto& look : looks) {
        const verdict found = judge.look(start + look.at, look.beats);
        BOOST_TEST((found == look.expected), look.at.count() << " ms: " << static_cast<int>(found));
        if (found == verdict::ask)
            BOOST_TEST(
                (judge.asked(look.at < 400ms, look.beats) == (look.at < 400ms ? verdict::report : verdict::wait)));
    }
}

BOOST_AUTO_TEST_CASE(a_handler_that_blocks_is_told_of_with_its_stack)
{
    using namespace guard_test;
    if (TWAT_MP_TEST_TSAN)
        return; // it holds signals back
    told = false;
    asio::io_context context;
    const auto work = asio::make_work_guard(context);
    std::optional<loop_stall> stall;
    int calls = 0;
    {
        const loop_guard guard(context, 20ms, [&](const loop_stall& found) {
            ++calls;
            stall = found;
            told = true;
        });
        context.run_for(100ms); // so that the thread is known
        asio::post(context, [] { block_the_loop(); });
        for (int i = 0; i < 1000 && !told; ++i)
            context.run_for(20ms);
    }
    BOOST_REQUIRE(stall);
    BOOST_TEST(calls >= 1);
    BOOST_TEST(stall->lasted.count() >= std::chrono::nanoseconds(20ms).count());
    BOOST_TEST(stall->thread == ::gettid());
    if (detail::can_look_up() && !stall->stack.frames().empty())
        BOOST_TEST(
            std::ranges::any_of(stall->stack.frames(),
                                [](const auto& f) { return f.function.find("block_the_loop") != std::string::npos; }),
            stall->stack.to_string());
}

BOOST_AUTO_TEST_CASE(the_very_first_handler_may_be_the_one_that_blocks)
{
    if (TWAT_MP_TEST_TSAN)
        return; // it holds signals back
    using guard_test::eventually;
    guard_test::told = false;
    std::atomic<bool> held{false}, begun{false};
    asio::io_context other, context;
    // Keeps the library's thread, which would tell the loop to say who runs it, until the handler has begun.
    const loop_guard keeper(other, 5ms, [&](const loop_stall&) {
        held = true;
        eventually(begun);
    });
    std::jthread runs_other([&] {
        const auto work = asio::make_work_guard(other);
        other.run_for(100ms); // so that the thread is known
        asio::post(other, [&] { eventually(held); });
        other.run_for(20ms);
    });
    BOOST_TEST(eventually(held));
    const loop_guard guard(context, 20ms, [&](const loop_stall&) { guard_test::told = true; });
    asio::post(context, [&] {
        begun = true;
        guard_test::block_the_loop();
    });
    context.run();
    BOOST_TEST(guard_test::told);
}

BOOST_AUTO_TEST_CASE(a_loop_that_nobody_runs_is_no_stall)
{
    asio::io_context context;
    std::atomic<int> calls{0};
    {
        const loop_guard guard(context, 5ms, [&](const loop_stall&) { ++calls; });
        std::this_thread::sleep_for(100ms);
        context.run(); // ends: the guard is no work
        std::this_thread::sleep_for(100ms);
    }
    BOOST_TEST(calls == 0);
}

BOOST_AUTO_TEST_CASE(the_context_may_be_destroyed_first)
{
    auto context = std::make_unique<asio::io_context>();
    const loop_guard guard(*context, 5ms, [](const loop_stall&) {});
    const loop_guard other(*context, 5ms, [](const loop_stall&) {});
    context->run_for(50ms);
    context.reset();
    std::this_thread::sleep_for(50ms);
}

BOOST_AUTO_TEST_CASE(a_limit_of_nothing_is_refused)
{
    asio::io_context context;
    BOOST_CHECK_THROW(loop_guard(context, 0ns, [](const loop_stall&) {}), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
