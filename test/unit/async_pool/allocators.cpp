// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/detail/completion/kept_handler.hpp>

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <twat/mp/async_pool.hpp>

#include "fake_fixture.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
namespace asio = boost::asio;

namespace {

int twice(int x) { return 2 * x; }
void nothing(int) {}

struct counts
{
    std::size_t allocations = 0, live = 0;
};

/// Counts what it gives out. Must not be used once `to` is gone.
template <class T>
struct counting_allocator
{
    using value_type = T;
    counts* to;

    explicit counting_allocator(counts& c) : to(&c) {}
    template <class U>
    counting_allocator(const counting_allocator<U>& other) noexcept : to(other.to)
    {}

    T* allocate(std::size_t n)
    {
        ++to->allocations;
        ++to->live;
        return static_cast<T*>(::operator new(n * sizeof(T)));
    }
    void deallocate(T* p, std::size_t) noexcept
    {
        --to->live;
        ::operator delete(p);
    }
    template <class U>
    bool operator==(const counting_allocator<U>& other) const noexcept
    {
        return to == other.to;
    }
};

/// A handler that counts its memory, and notes whether that was given back when it was called.
struct allocating_fixture : fake_fixture
{
    counts memory;
    std::optional<std::size_t> live_at_call;
    std::exception_ptr error;

    auto handler()
    {
        auto note = [this](std::exception_ptr e, const auto&...) {
            live_at_call = memory.live;
            error = std::move(e);
        };
        return asio::bind_allocator(counting_allocator<std::byte>(memory), note);
    }

    void check()
    {
        BOOST_TEST(memory.allocations > 0u);
        BOOST_TEST(memory.live == 0u);
        BOOST_REQUIRE(live_at_call.has_value());
        BOOST_TEST(*live_at_call == 0u); // the handler may end what the memory came from
        live_at_call.reset();
        memory.allocations = 0;
    }
};

struct held_fixture : allocating_fixture
{
    held_fixture() { core->hold = true; }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_allocators)

BOOST_FIXTURE_TEST_CASE(calls_use_the_handlers_allocator, allocating_fixture)
{
    pool.apply(twice, 4, handler());
    run();
    check();
    pool.apply(nothing, 4, handler());
    run();
    check();
    pool.map(twice, std::vector<int>{1, 2, 3}, handler());
    run();
    check();
    pool.try_map(twice, std::vector<int>{1, 2, 3}, handler());
    run();
    check();
}

BOOST_FIXTURE_TEST_CASE(start_and_join_use_it, allocating_fixture)
{
    pool.start(handler());
    run();
    check();
    pool.join(handler());
    run();
    check();
}

BOOST_FIXTURE_TEST_CASE(reads_of_streams_use_it, allocating_fixture)
{
    auto stream = pool.imap(twice, std::vector<int>{1});
    stream.next(handler());
    run();
    check();
    stream.next(handler());
    run();
    check(); // its end
    result_stream<int> empty;
    empty.next(asio::bind_executor(ctx.get_executor(), handler()));
    run();
    check();
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_call_gives_its_memory_back, held_fixture)
{
    asio::cancellation_signal signal;
    pool.apply(twice, 4, asio::bind_cancellation_slot(signal.slot(), handler()));
    ctx.poll();
    BOOST_TEST(memory.live > 0u);
    signal.emit(asio::cancellation_type::terminal);
    run();
    BOOST_TEST(!!error);
    check();
}

BOOST_FIXTURE_TEST_CASE(a_call_that_is_refused_gives_its_memory_back, allocating_fixture)
{
    core->refusal = std::make_exception_ptr(std::logic_error("forked"));
    pool.apply(twice, 4, handler());
    run();
    BOOST_TEST(!!error);
    check();
}

BOOST_AUTO_TEST_CASE(a_context_that_is_destroyed_gives_the_memory_back)
{
    counts memory;
    bool called = false;
    const auto handler = [&] {
        return asio::bind_allocator(counting_allocator<std::byte>(memory),
                                    [&](std::exception_ptr, const auto&...) { called = true; });
    };
    auto ctx = std::make_unique<asio::io_context>();
    async_thread_pool pool(*ctx, 1);
    pool.apply(twice, 4, handler());
    pool.start(handler());
    auto stream = pool.imap(twice, std::vector<int>{1});
    stream.next(handler());
    BOOST_TEST(memory.live > 0u);
    ctx.reset();
    stream = {};
    BOOST_TEST(memory.live == 0u);
    BOOST_TEST(!called);
}

BOOST_AUTO_TEST_CASE(a_pool_on_a_concrete_executor_posts_with_it)
{
    // asio::any_io_executor hides the allocator from the context; this one does not.
    counts memory;
    asio::io_context ctx;
    basic_async_pool<thread_workers, asio::io_context::executor_type> pool(ctx.get_executor(), 1);
    std::size_t live_at_call = 1, result = 0;
    pool.apply(twice, 4,
               asio::bind_allocator(counting_allocator<std::byte>(memory), [&](std::exception_ptr, int value) {
                   live_at_call = memory.live;
                   result = static_cast<std::size_t>(value);
               }));
    ctx.run();
    BOOST_TEST(result == 8u);
    BOOST_TEST(memory.allocations >= 2u);
    BOOST_TEST(live_at_call == 0u);
}

BOOST_AUTO_TEST_CASE(a_handler_without_an_allocator_is_kept_in_place)
{
    const auto handler = [](std::exception_ptr) {};
    using kept = detail::kept_handler<decltype(handler), asio::any_io_executor>;
    static_assert(sizeof(kept) == sizeof(detail::pending_handler<decltype(handler), asio::any_io_executor>));
}

BOOST_AUTO_TEST_SUITE_END()
