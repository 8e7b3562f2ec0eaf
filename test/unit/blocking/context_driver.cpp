// SPDX-License-Identifier: BSL-1.0
// Which thread runs the context of a blocking pool, where threads that only post may run what they post.
#include "blocking/context_driver.hpp"

#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <thread>

namespace asio = boost::asio;
using namespace twat::mp::detail;

namespace {

struct fixture
{
    std::shared_ptr<int> owner = std::make_shared<int>();
    std::atomic<bool> calls_only{true};
    context_driver driver;
    asio::executor_work_guard<asio::io_context::executor_type> outstanding{driver.context().get_executor()};
    std::thread kept;

    fixture()
    {
        driver.let_posting_threads_run(owner, [this] { return calls_only.load(); });
        driver.set_armed(false);
        kept = std::thread([this] { driver.serve(); });
    }
    ~fixture()
    {
        outstanding.reset();
        driver.end();
        kept.join();
    }

    /// Posts as a pool does, and returns in which thread that ran.
    std::thread::id post()
    {
        std::promise<std::thread::id> ran;
        auto where = ran.get_future();
        {
            posting_turn turn;
            turn.take(driver);
            driver.posting();
            asio::post(driver.context(), [this, &ran] {
                driver.arrived();
                ran.set_value(std::this_thread::get_id());
            });
            driver.posted();
        }
        return where.get();
    }
    const std::thread::id here = std::this_thread::get_id();
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_context_driver)

BOOST_FIXTURE_TEST_CASE(a_thread_that_posts_a_call_runs_it, fixture)
{
    for (int i = 0; i < 100; ++i)
        BOOST_TEST((post() == here));
}

BOOST_FIXTURE_TEST_CASE(what_may_run_code_of_the_user_goes_to_the_kept_thread, fixture)
{
    calls_only = false;
    BOOST_TEST((post() == kept.get_id()));
}

BOOST_FIXTURE_TEST_CASE(a_context_on_which_something_is_waited_for_is_left_to_the_kept_thread, fixture)
{
    driver.set_armed(true);
    post(); // from here on the kept thread has the turn, or is about to
    BOOST_TEST((post() == kept.get_id()));
}

BOOST_FIXTURE_TEST_CASE(a_driver_whose_owner_is_gone_gives_no_turn, fixture)
{
    owner.reset();
    BOOST_TEST((post() == kept.get_id()));
}

BOOST_FIXTURE_TEST_CASE(in_a_handler_no_turn_is_taken, fixture)
{
    std::promise<bool> taken;
    {
        posting_turn turn;
        turn.take(driver);
        driver.posting();
        asio::post(driver.context(), [&] {
            driver.arrived();
            taken.set_value(driver.take_turn() != nullptr);
        });
        driver.posted();
    }
    BOOST_TEST(!taken.get_future().get());
}

BOOST_FIXTURE_TEST_CASE(a_thread_with_the_turn_need_not_post_what_it_runs, fixture)
{
    BOOST_TEST(!driver.may_run_here());
    {
        posting_turn turn;
        turn.take(driver);
        BOOST_TEST(driver.may_run_here());
        BOOST_TEST(!driver.runs_here());
        int ran = 0;
        driver.run_here([&] {
            ++ran;
            BOOST_TEST(driver.runs_here());
            BOOST_TEST(!driver.may_run_here()); // in the middle of a step there is no other
        });
        BOOST_TEST(ran == 1);
    }
    BOOST_TEST(!driver.may_run_here());
}

BOOST_FIXTURE_TEST_CASE(what_was_posted_is_not_overtaken, fixture)
{
    std::promise<void> ran;
    {
        posting_turn turn;
        turn.take(driver);
        driver.posting();
        BOOST_TEST(!driver.may_run_here());
        asio::post(driver.context(), [&] {
            driver.arrived();
            ran.set_value();
        });
        driver.posted();
        BOOST_TEST(!driver.may_run_here());
    }
    ran.get_future().get();
}

BOOST_FIXTURE_TEST_CASE(what_may_run_code_of_the_user_is_posted, fixture)
{
    posting_turn turn;
    turn.take(driver);
    calls_only = false;
    BOOST_TEST(!driver.may_run_here());
}

BOOST_FIXTURE_TEST_CASE(a_thread_that_waits_may_run_its_call_at_once, fixture)
{
    blocking_wait done;
    bool could = false;
    driver.wait(done, [&] {
        could = driver.may_run_here();
        done.finish();
    });
    BOOST_TEST(could);
    BOOST_TEST(!driver.may_run_here());
}

BOOST_AUTO_TEST_SUITE_END()
