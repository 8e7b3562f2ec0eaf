// SPDX-License-Identifier: BSL-1.0
// The end of all operations at once: what runs is stopped at once, what waits ends in turns.
#include "engine/engine.hpp"

#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

#include "fakes.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;

namespace {

constexpr std::size_t most_in_a_turn = 100;

struct fixture : engine_fixture
{
    std::vector<std::shared_ptr<fake_operation>> calls;
    std::vector<const fake_operation*> ended;

    explicit fixture(engine::settings s = {.nodes = 2}) : engine_fixture(s) { with_workers(2); }

    void add_calls(std::size_t count, call_options options = {})
    {
        for (std::size_t i = 0; i < count; ++i) {
            calls.push_back(std::make_shared<fake_operation>(1, operation_traits{.options = options, .total = 1}));
            calls.back()->finish_line = &ended;
            core->add(calls.back());
        }
        core->decide();
    }

    void end_all()
    {
        core->stop_all([] { return make_error(errc::pool_terminated); });
        core->decide();
    }

    void turn()
    {
        BOOST_TEST_REQUIRE((core->next_wake() <= now)); // wants to be called again, without an end of time between
        core->tick();
        core->decide();
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_ending)

BOOST_FIXTURE_TEST_CASE(a_turn_ends_a_bounded_number, fixture)
{
    add_calls(10'000);
    begin(1);
    begin(2);
    end_all();
    std::size_t turns = 1;
    for (std::size_t before = 0; ended.size() < calls.size(); ++turns) {
        BOOST_TEST_REQUIRE(ended.size() > before);
        BOOST_TEST_REQUIRE(ended.size() - before <= most_in_a_turn);
        before = ended.size();
        turn();
    }
    BOOST_TEST(turns >= 100u);
    BOOST_TEST(core->ended().terminated == 10'000u);
    for (std::size_t i = 0; i < calls.size(); ++i) {
        BOOST_TEST_REQUIRE(ended[i] == calls[i].get()); // in the order in which they came
        BOOST_TEST_REQUIRE(calls[i]->error_text() == make_error_code(errc::pool_terminated).message());
    }
    BOOST_TEST(core->stats().pending == 0u);
}

BOOST_FIXTURE_TEST_CASE(what_runs_is_stopped_in_the_first_turn_and_nothing_begins, fixture)
{
    workers.able.can_kill = false; // threads
    add_calls(1000);
    auto last = add(1);
    begin(1);
    begin(2);
    end_all();
    BOOST_TEST(first(1).cancelled);
    BOOST_TEST(first(2).cancelled);
    finish(1);
    finish(2);
    while (!last->completed)
        turn();
    BOOST_TEST(workers.executed.size() == 2u);
    BOOST_TEST(ended.size() == calls.size());
    run();
    BOOST_TEST(workers.executed.size() == 2u);
    BOOST_TEST(!core->active());
}

BOOST_FIXTURE_TEST_CASE(a_call_that_is_cancelled_meanwhile_ends_once, fixture)
{
    add_calls(1000);
    end_all();
    core->cancel(*calls.back(), asio::cancellation_type::terminal);
    core->cancel(*calls.front(), asio::cancellation_type::terminal);
    core->decide();
    BOOST_TEST(calls.back()->error_text() == make_error_code(errc::pool_terminated).message());
    while (ended.size() < calls.size())
        turn();
    BOOST_TEST(std::set<const fake_operation*>(ended.begin(), ended.end()).size() == calls.size());
}

BOOST_FIXTURE_TEST_CASE(the_first_reason_holds, fixture)
{
    add_calls(1000);
    end_all();
    core->stop_all([] { return make_error(errc::pool_closed); });
    core->decide();
    while (ended.size() < calls.size())
        turn();
    for (const auto& call : calls)
        BOOST_TEST_REQUIRE(call->error_text() == make_error_code(errc::pool_terminated).message());
}

BOOST_AUTO_TEST_CASE(what_waits_for_room_ends_too)
{
    fixture f({.nodes = 2, .max_pending = 3, .on_overflow = overflow::wait});
    f.core->set_tenant({1}, {.max_pending = 2});
    f.add_calls(500);
    f.add_calls(500, {.tenant = {1}});
    f.end_all();
    while (f.ended.size() < f.calls.size())
        f.turn();
    BOOST_TEST(f.core->stats().waiting == 0u);
    BOOST_TEST(f.core->ended().terminated == 1000u);
}

BOOST_FIXTURE_TEST_CASE(the_engine_may_go_in_the_midst_of_it, fixture)
{
    add_calls(1000);
    end_all();
    core.reset();
    BOOST_TEST(ended.size() < calls.size());
    BOOST_TEST(calls.back().use_count() == 1); // dropped uncalled
}

BOOST_AUTO_TEST_SUITE_END()
