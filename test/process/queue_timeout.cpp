// SPDX-License-Identifier: BSL-1.0
// call_options::queue_timeout and pool_stats::refused on real workers. What the engine decides is in test/unit/engine/queue_timeout.cpp.
#include <twat/mp/async_pool.hpp>
#include <twat/mp/error.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/mp11/list.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <exception>
#include <thread>

using namespace twat::mp;
using namespace std::chrono_literals;

namespace {

int hold(int milliseconds)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    return milliseconds;
}

using pools = boost::mp11::mp_list<async_multi_pool, async_thread_pool>;

struct answer
{
    bool came = false;
    boost::system::error_code code{};

    void operator()(std::exception_ptr error)
    {
        came = true;
        try {
            if (error)
                std::rethrow_exception(error);
        }
        catch (const boost::system::system_error& e) {
            code = e.code();
        }
    }
};

template <class Pool>
void call(Pool& pool, call_options options, int milliseconds, answer& into)
{
    pool.with(options).apply(hold, milliseconds, [&into](std::exception_ptr error, int) { into(error); });
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_queue_timeout_of_pools)

BOOST_AUTO_TEST_CASE_TEMPLATE(calls_that_wait_too_long_end_and_never_run, Pool, pools)
{
    boost::asio::io_context context;
    Pool pool(context, 1);
    answer started, holder, behind, waits, patient;
    pool.start([&](std::exception_ptr error) { started(error); });
    context.run();
    context.restart();
    call(pool, {.queue_timeout = 1h}, 400, holder);
    call(pool, {.queue_timeout = 20ms}, 1, behind); // the worker may have it already
    call(pool, {.queue_timeout = 20ms}, 1, waits);
    call(pool, {.queue_timeout = 1h}, 1, patient);
    context.run();
    BOOST_TEST(holder.came);
    BOOST_TEST(!holder.code);
    BOOST_TEST(behind.code == make_error_code(errc::queue_timed_out));
    BOOST_TEST(waits.code == make_error_code(errc::queue_timed_out));
    BOOST_TEST(patient.came);
    BOOST_TEST(!patient.code);
    BOOST_TEST(pool.stats().done == 2u);
    BOOST_TEST(pool.stats().pending == 0u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(calls_that_wait_for_room_time_out_there, Pool, pools)
{
    boost::asio::io_context context;
    pool_options options;
    options.nodes = 1;
    options.max_pending = 1;
    options.on_overflow = overflow::wait;
    Pool pool(context, options);
    answer holder, inside, outside, last;
    call(pool, {}, 400, holder);
    call(pool, {}, 1, inside);
    call(pool, {.queue_timeout = 20ms}, 1, outside);
    call(pool, {}, 1, last);
    context.run();
    BOOST_TEST(outside.code == make_error_code(errc::queue_timed_out));
    BOOST_TEST(last.came);
    BOOST_TEST(!last.code);
    BOOST_TEST(pool.stats().done == 3u);
    BOOST_TEST(pool.stats().refused == 0u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(calls_that_find_no_room_are_counted, Pool, pools)
{
    boost::asio::io_context context;
    pool_options options;
    options.nodes = 1;
    options.max_pending = 1;
    Pool pool(context, options);
    answer answers[4];
    for (answer& a : answers)
        call(pool, {}, 1, a);
    context.run();
    BOOST_TEST(answers[3].code == make_error_code(errc::queue_full));
    BOOST_TEST(pool.stats().refused == 2u);
    BOOST_TEST(pool.stats().done == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
