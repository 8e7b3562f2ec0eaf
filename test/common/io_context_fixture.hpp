// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_COMMON_IO_CONTEXT_FIXTURE_HPP
#define TWAT_MP_TEST_COMMON_IO_CONTEXT_FIXTURE_HPP

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <exception>
#include <utility>

namespace twat::mp::test {

/** A context on which a test runs coroutines. Each run must use up its work: what keeps the loop going is a fault. */
struct io_context_fixture
{
    boost::asio::io_context ctx;

    /// Runs the context until it has no work. The limit only turns a hang into a failure.
    void run()
    {
        ctx.restart();
        ctx.run_for(std::chrono::seconds(100));
        BOOST_TEST_REQUIRE(ctx.stopped(), "the context did not run out of work");
    }

    /// Runs a coroutine to its end and rethrows what it threw.
    template <class F>
    void run_coro(F coroutine)
    {
        bool done = false;
        std::exception_ptr error;
        boost::asio::co_spawn(ctx, coroutine(), [&](std::exception_ptr e) {
            error = std::move(e);
            done = true;
        });
        run();
        BOOST_TEST_REQUIRE(done, "the coroutine did not end");
        if (error)
            std::rethrow_exception(error);
    }
};

} // namespace twat::mp::test

#endif
