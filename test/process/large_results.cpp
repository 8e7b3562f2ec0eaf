// SPDX-License-Identifier: BSL-1.0
// Large results beside a loop: decoded on a thread of the library, told of in their order, whatever becomes of pool, worker and context.
#include <twat/mp.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <future>
#include <memory>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "io_context_fixture.hpp"
#include "sanitizers.hpp"

namespace mp = twat::mp;
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// Holds the decoding of values that ask for it.
struct gate
{
    std::atomic<int> arrived{0}, left{0};
    std::atomic<bool> open{true};

    void pass()
    {
        ++arrived;
        open.wait(false);
        ++left;
        left.notify_all();
    }
    void shut() { open = false; }
    void let_go()
    {
        open = true;
        open.notify_all();
    }
    static void await(const std::atomic<int>& count, int least)
    {
        for (int now = count; now < least; now = count)
            count.wait(now);
    }
};

gate the_gate;

/// A value that knows where it was decoded.
struct blob
{
    int number = 0;
    std::string bytes;
    std::thread::id decoded_in{};
};

enum { held = -1, unreadable = -2 }; // numbers with a meaning for the codec

constexpr std::size_t large = 200'000;

blob make(int number)
{
    return {number,
            std::string(number % 2 == 0 || number < 0 ? large : 10, static_cast<char>('a' + (number + 2) % 20)),
            {}};
}

bool is_sound(const blob& value, int number) { return value.number == number && value.bytes == make(number).bytes; }

/// Large, then dead.
blob make_or_die(int number)
{
    if (number == 1)
        ::_exit(3);
    return make(number == 0 ? int(held) : number);
}

} // namespace

template <>
struct twat::mp::codec<blob>
{
    static void encode(encoder& out, const blob& value)
    {
        out.write(value.number);
        out.write(value.bytes);
    }
    static blob decode(decoder& in)
    {
        blob value{in.read<int>(), in.read<std::string>(), std::this_thread::get_id()};
        if (value.number == held)
            the_gate.pass();
        if (value.number == unreadable)
            throw std::range_error("unreadable");
        return value;
    }
};

BOOST_AUTO_TEST_SUITE(test_large_results)

struct fixture : mp::test::io_context_fixture
{
    fixture() { the_gate.arrived = the_gate.left = 0; }
    ~fixture() { the_gate.let_go(); }

    std::optional<mp::async_multi_pool> pool{std::in_place, ctx, 2};
};

BOOST_FIXTURE_TEST_CASE(a_large_one_is_not_decoded_on_the_loop, fixture)
{
    auto big = pool->apply(make, 0, asio::use_future);
    auto little = pool->apply(make, 1, asio::use_future);
    run();
    const blob first = big.get(), second = little.get();
    BOOST_TEST(is_sound(first, 0));
    BOOST_TEST((first.decoded_in != std::this_thread::get_id()));
    BOOST_TEST(is_sound(second, 1));
    BOOST_TEST((second.decoded_in == std::this_thread::get_id()));
}

BOOST_FIXTURE_TEST_CASE(all_arrive_in_their_order_small_ones_between_large_ones, fixture)
{
    std::vector<int> numbers(200);
    std::iota(numbers.begin(), numbers.end(), 0);
    run_coro([&]() -> asio::awaitable<void> {
        const std::vector<blob> all = co_await pool->map(make, numbers);
        BOOST_TEST_REQUIRE(all.size() == numbers.size());
        for (int i : numbers)
            BOOST_TEST(is_sound(all[static_cast<std::size_t>(i)], i));

        auto stream = pool->imap(make, numbers);
        for (int i : numbers) {
            const std::optional<blob> next = co_await stream.next();
            BOOST_TEST((next && is_sound(*next, i)));
        }
        BOOST_TEST(!co_await stream.next());

        const auto unordered = co_await pool->with({.chunk_size = 7}).try_map(make, numbers);
        for (int i : numbers)
            BOOST_TEST(is_sound(unordered[static_cast<std::size_t>(i)].value(), i));
    });
}

BOOST_FIXTURE_TEST_CASE(what_its_codec_throws_is_its_tasks_error, fixture)
{
    const std::vector<int> numbers{0, 1, unreadable, 3, 4};
    run_coro([&]() -> asio::awaitable<void> {
        const auto results = co_await pool->with({.chunk_size = 5}).try_map(make, numbers);
        for (std::size_t i : {0u, 1u, 3u, 4u})
            BOOST_TEST(is_sound(results[i].value(), numbers[i]));
        BOOST_TEST(mp::task_index(results[2].error()).value() == 2u);
        BOOST_CHECK_THROW(std::rethrow_exception(results[2].error()), std::range_error);
        bool thrown = false;
        try {
            co_await pool->map(make, numbers);
        }
        catch (const std::range_error&) {
            thrown = true;
        }
        BOOST_TEST(thrown);
    });
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_operation_does_not_wait_for_it, fixture)
{
    the_gate.shut();
    asio::cancellation_signal cancel;
    std::exception_ptr error;
    bool done = false;
    pool->apply(make, int(held), asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e, blob) {
                    error = e;
                    done = true;
                }));
    while (the_gate.arrived == 0)
        ctx.run_one_for(1ms);
    cancel.emit(asio::cancellation_type::terminal);
    while (!done)
        ctx.run_one_for(1s);
    BOOST_TEST((mp::task_index(error) || error)); // aborted
    BOOST_TEST(the_gate.left == 0);
    the_gate.let_go();
    auto next = pool->apply(make, 2, asio::use_future);
    run();
    BOOST_TEST(is_sound(next.get(), 2));
}

BOOST_FIXTURE_TEST_CASE(its_worker_may_die_meanwhile, fixture)
{
    the_gate.shut();
    const std::vector<int> numbers{0, 1, 2};
    auto results = pool->with({.chunk_size = 3}).try_map(make_or_die, numbers, asio::use_future);
    while (the_gate.arrived == 0)
        ctx.run_one_for(1ms);
    ctx.run_for(50ms); // the death arrives before the value is there
    BOOST_TEST((results.wait_for(0s) == std::future_status::timeout));
    the_gate.let_go();
    run();
    const auto found = results.get();
    BOOST_TEST(is_sound(found[0].value(), held));
    BOOST_CHECK_THROW(std::rethrow_exception(found[1].error()), mp::worker_died);
    BOOST_TEST(is_sound(found[2].value(), 2));
}

BOOST_FIXTURE_TEST_CASE(its_pool_may_be_terminated_meanwhile, fixture)
{
    the_gate.shut();
    auto result = pool->apply(make, int(held), asio::use_future);
    while (the_gate.arrived == 0)
        ctx.run_one_for(1ms);
    pool->terminate();
    run();
    BOOST_CHECK_EXCEPTION(result.get(), mp::error,
                          [](const mp::error& e) { return e.code() == mp::errc::pool_terminated; });
    the_gate.let_go();
    gate::await(the_gate.left, 1);
    run();
}

BOOST_AUTO_TEST_CASE(pool_and_context_may_go_meanwhile)
{
    the_gate.arrived = the_gate.left = 0;
    the_gate.shut();
    bool called = false;
    {
        asio::io_context context;
        mp::async_multi_pool pool(context, 1);
        // Two of them, so that one has not begun.
        const std::vector<int> numbers{held, held};
        pool.with({.chunk_size = 2}).map(make, numbers, [&](std::exception_ptr, std::vector<blob>) { called = true; });
        while (the_gate.arrived == 0)
            context.run_one_for(1ms);
    }
    BOOST_TEST(!called);
    the_gate.let_go();
    gate::await(the_gate.left, 1);
    // The thread goes on for the next one.
    asio::io_context context;
    mp::async_multi_pool pool(context, 1);
    auto next = pool.apply(make, 0, asio::use_future);
    context.run();
    BOOST_TEST(is_sound(next.get(), 0));
    BOOST_TEST(the_gate.arrived == 1);
}

#if !TWAT_MP_TEST_TSAN // which cannot make threads in a fork
BOOST_FIXTURE_TEST_CASE(a_fork_of_the_program_decodes_its_own, fixture)
{
    auto before = pool->apply(make, 0, asio::use_future);
    run();
    BOOST_TEST(is_sound(before.get(), 0));
    const pid_t copy = ::fork();
    if (copy == 0) {
        asio::io_context context;
        mp::async_multi_pool own(context, 1);
        int status = 2; // not a future: it would wait for a thread of Asio's that is not here
        own.apply(make, 0, [&](std::exception_ptr error, blob value) {
            status = !error && is_sound(value, 0) && value.decoded_in != std::this_thread::get_id() ? 0 : 1;
        });
        context.run_for(60s);
        ::_exit(status);
    }
    int status = -1;
    BOOST_TEST(::waitpid(copy, &status, 0) == copy);
    BOOST_TEST(status == 0);
    auto after = pool->apply(make, 2, asio::use_future);
    run();
    BOOST_TEST(is_sound(after.get(), 2));
}
#endif

namespace {

blob make_twice_as_long(int number)
{
    blob made = make(number);
    made.bytes += made.bytes;
    return made;
}

} // namespace

BOOST_FIXTURE_TEST_CASE(a_blocking_pool_decodes_where_it_waits, fixture)
{
    mp::process_pool blocking(1);
    const blob value = blocking.apply(make_twice_as_long, 0);
    BOOST_TEST(value.bytes.size() == 2 * large);
}

std::vector<int> many_numbers(int count) { return std::vector<int>(static_cast<std::size_t>(count), count); }

BOOST_FIXTURE_TEST_CASE(values_of_several_large_pages_arrive_whole, fixture)
{
    for (const int count : {1, 500'000, 1'500'000, 3'000'001}) {
        auto result = pool->apply(many_numbers, count, asio::use_future);
        run();
        BOOST_TEST((result.get() == many_numbers(count)));
    }
    std::string text(5'000'001, 'x');
    auto echo = pool->apply([](std::string value) { return value; }, text, asio::use_future);
    run();
    BOOST_TEST((echo.get() == text));
}

BOOST_FIXTURE_TEST_CASE(others_on_the_loop_get_their_turns_between_many_outcomes, fixture)
{
    std::vector<int> numbers(200'000);
    std::iota(numbers.begin(), numbers.end(), 0);
    auto all = pool->with({.chunk_size = 1}).try_map([](int x) { return x + 1; }, numbers, asio::use_future);
    run();
    const auto found = all.get();
    for (std::size_t i = 0; i < numbers.size(); ++i)
        if (found[i].value() != numbers[i] + 1)
            BOOST_FAIL("a result is wrong: " << i);
}

BOOST_AUTO_TEST_SUITE_END()
