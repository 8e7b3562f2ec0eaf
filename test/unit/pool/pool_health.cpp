// SPDX-License-Identifier: BSL-1.0
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <stdexcept>

#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/error.hpp>

#include "pool/pool_health.hpp"

using namespace twat::mp;
using namespace twat::mp::detail;

BOOST_AUTO_TEST_SUITE(test_pool_health)

/// The code of an exception; that of no error if it has none.
boost::system::error_code code(const std::exception_ptr& error)
{
    try {
        std::rethrow_exception(error);
    }
    catch (const boost::system::system_error& e) {
        return e.code();
    }
    catch (...) {
        return {};
    }
}

std::exception_ptr no_database() { return std::make_exception_ptr(std::runtime_error("no database")); }

/// Starts of a worker, which succeed or not.
struct starts
{
    bool succeed = true;
    int tried = 0;
    bool operator()() { return ++tried, succeed; }
};

BOOST_AUTO_TEST_CASE(a_new_pool_is_not_broken)
{
    const pool_health health;
    BOOST_TEST(!health.broken());
    BOOST_TEST(!health.trying());
}

BOOST_AUTO_TEST_CASE(calls_get_pool_broken_with_the_cause_nested)
{
    pool_health health;
    health.broke(no_database, false);
    BOOST_TEST(health.broken());
    BOOST_TEST((code(health.error()) == errc::pool_broken));
    BOOST_CHECK_THROW(std::rethrow_exception(health.why()()), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_cause_that_says_so_itself_is_told_as_it_is)
{
    for (const errc known : {errc::pool_broken, errc::no_agents, errc::broker_failed}) {
        pool_health health;
        health.broke([known] { return make_error(known); }, false);
        BOOST_TEST((code(health.error()) == known));
    }
}

BOOST_AUTO_TEST_CASE(what_cannot_mend_is_told_as_it_is_and_not_tried)
{
    pool_health health;
    health.broke(no_database, true);
    BOOST_CHECK_THROW(std::rethrow_exception(health.error()), std::runtime_error);
    starts start;
    BOOST_TEST(!health.try_again(false, std::ref(start)));
    BOOST_TEST(start.tried == 0);
}

BOOST_AUTO_TEST_CASE(one_call_waits_for_a_trial_and_the_others_fail)
{
    pool_health health;
    health.broke(no_database, false);
    starts start;
    BOOST_TEST(health.try_again(false, std::ref(start)));
    BOOST_TEST(health.trying());
    BOOST_TEST(!health.try_again(true, std::ref(start)));
    BOOST_TEST(start.tried == 1);
}

BOOST_AUTO_TEST_CASE(a_trial_that_nobody_awaits_any_more_is_the_next_call_s)
{
    pool_health health;
    health.broke(no_database, false);
    starts start;
    BOOST_TEST(health.try_again(false, std::ref(start)));
    BOOST_TEST(health.try_again(false, std::ref(start)));
}

BOOST_AUTO_TEST_CASE(no_trial_begins_in_the_pause_after_the_last_one)
{
    pool_health health;
    health.broke(no_database, false);
    starts start{.succeed = false};
    BOOST_TEST(!health.try_again(false, std::ref(start)));
    BOOST_TEST(!health.trying());
    BOOST_TEST(start.tried == 1);
}

BOOST_AUTO_TEST_CASE(a_trial_ends_with_the_pool_mended_or_broken_again)
{
    pool_health health;
    health.broke(no_database, false);
    starts start;
    health.try_again(false, std::ref(start));
    health.broke(no_database, false);
    BOOST_TEST(health.broken());
    BOOST_TEST(!health.trying());
    health.try_again(false, std::ref(start));
    health.mended();
    BOOST_TEST(!health.broken());
    BOOST_TEST(!health.trying());
}

BOOST_AUTO_TEST_SUITE_END()
