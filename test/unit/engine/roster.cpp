// SPDX-License-Identifier: BSL-1.0
#include "engine/roster.hpp"

#include <boost/test/unit_test.hpp>

#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace std::chrono_literals;

namespace {

using actions = std::vector<roster::action>;

roster::action launch(worker_id worker, std::size_t node)
{
    return {.what = roster::action::launch, .worker = worker, .node = node};
}
roster::action end(worker_id worker, std::size_t node, end_mode how)
{
    return {.what = roster::action::end, .worker = worker, .node = node, .how = how};
}
const roster::action breaks{.what = roster::action::broken};

worker_loss failed_start()
{
    worker_loss loss;
    loss.cause = [] { return std::make_exception_ptr(std::runtime_error("failed")); };
    return loss;
}

template <class Change>
worker_loss loss_with(Change change)
{
    worker_loss loss = failed_start();
    change(loss);
    return loss;
}

const worker_loss died_idle = failed_start();
const worker_loss died_in_task = loss_with([](worker_loss& loss) { loss.in_task = true; });
const worker_loss as_asked = loss_with([](worker_loss& loss) { loss.expected = true; });

struct fixture
{
    time_point now{std::chrono::hours(1)};
    roster r;

    explicit fixture(roster::settings s = {.nodes = 2}) : r(s) {}

    actions start()
    {
        r.start(now);
        return r.take_actions();
    }
    /// Starts it, and all get ready.
    void start_all()
    {
        for (const roster::action& a : start())
            r.ready(a.worker, now);
        BOOST_TEST(r.take_actions().empty());
    }
    actions gone(worker_id worker, const worker_loss& loss)
    {
        r.gone(worker, loss, now);
        return r.take_actions();
    }
    actions tick()
    {
        r.tick(now, [](worker_id) { return std::optional<duration>(); });
        return r.take_actions();
    }
    std::string cause() const
    {
        try {
            std::rethrow_exception(r.why_broken().cause());
        }
        catch (const std::exception& e) {
            return e.what();
        }
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_roster)

BOOST_AUTO_TEST_CASE(nobody_works_before_the_start)
{
    fixture f;
    BOOST_TEST(f.r.take_actions().empty());
    BOOST_TEST((f.start() == actions{launch(1, 0), launch(2, 1)}));
    BOOST_TEST(f.start().empty()); // once
}

BOOST_AUTO_TEST_CASE(starts_take_turns)
{
    fixture f({.nodes = 3, .starts_at_once = 1});
    BOOST_TEST((f.start() == actions{launch(1, 0)}));
    f.r.ready(1, f.now);
    BOOST_TEST((f.r.take_actions() == actions{launch(2, 1)}));
    BOOST_TEST((f.gone(2, failed_start()) == actions{launch(3, 2)}));
}

BOOST_AUTO_TEST_CASE(a_worker_that_died_in_a_task_is_replaced_at_once_however_often)
{
    fixture f({.nodes = 1, .restarts = {.count = 1}});
    f.start_all();
    for (worker_id worker = 1; worker != 100; ++worker) {
        BOOST_TEST((f.gone(worker, died_in_task) == actions{launch(worker + 1, 0)}));
        f.r.ready(worker + 1, f.now);
    }
    BOOST_TEST(f.r.died() == 99u);
    BOOST_TEST(f.r.restarts() == 99u);
}

BOOST_AUTO_TEST_CASE(a_worker_that_died_idle_is_replaced_at_once_until_the_budget_is_used_up)
{
    fixture f({.nodes = 2, .restarts = {.count = 1}});
    f.start_all();
    BOOST_TEST((f.gone(1, died_idle) == actions{launch(3, 0)}));
    BOOST_TEST((f.gone(2, died_idle) == actions{breaks, end(3, 0, end_mode::now)}));
    BOOST_TEST(f.cause().find("more than 1 workers died outside of tasks") != std::string::npos);
    BOOST_TEST(f.gone(3, as_asked).empty());
}

BOOST_AUTO_TEST_CASE(a_start_that_failed_is_made_again_after_a_pause)
{
    fixture f({.nodes = 1});
    f.start();
    BOOST_TEST(f.gone(1, failed_start()).empty());
    BOOST_TEST((f.r.next_due() == f.now + 10ms));
    f.now += 10ms;
    BOOST_TEST((f.tick() == actions{launch(2, 0)}));
}

BOOST_AUTO_TEST_CASE(a_node_whose_starts_all_fail_does_not_break_a_pool_that_works)
{
    fixture f({.nodes = 2, .restarts = {.count = 3}});
    f.start();
    f.r.ready(1, f.now);
    worker_id last = 2;
    duration pause{}, longest{};
    for (int failures = 1; failures != 100; ++failures) {
        BOOST_TEST(f.gone(last, failed_start()).empty());
        BOOST_TEST(!f.r.broken());
        BOOST_TEST(!!f.r.why_incomplete() == (failures >= 3)); // those who wait for all learn of it
        pause = f.r.next_due() - f.now;
        longest = std::max(longest, pause);
        f.now += pause;
        BOOST_TEST((f.tick() == actions{launch(++last, 1)}));
    }
    BOOST_TEST((longest > 40s && longest < 80s));
    f.r.ready(last, f.now);
    BOOST_TEST(!f.r.why_incomplete());
}

BOOST_AUTO_TEST_CASE(a_start_has_its_time_from_when_it_runs)
{
    fixture f({.nodes = 1, .start_timeout = 5s});
    f.start();
    f.now += 4s;
    f.r.started(1, f.now);
    f.now += 4s;
    BOOST_TEST(!f.r.judges(f.now));
    BOOST_TEST(f.tick().empty());
    f.now += 1s;
    BOOST_TEST(f.r.judges(f.now));
    BOOST_TEST((f.tick() == actions{end(1, 0, end_mode::late)}));
    BOOST_TEST(f.tick().empty()); // once
}

BOOST_AUTO_TEST_CASE(a_loop_that_was_away_judges_no_start_at_once)
{
    fixture f({.nodes = 1, .start_timeout = 5s});
    f.start();
    f.now += 6s;
    BOOST_TEST(f.tick().empty());
    f.now += 6s;
    BOOST_TEST((f.tick() == actions{end(1, 0, end_mode::late)}));
}

BOOST_AUTO_TEST_CASE(a_thread_that_is_stuck_keeps_its_node_and_may_be_ready_yet)
{
    fixture f({.nodes = 2, .can_kill = false});
    f.start();
    f.r.ready(1, f.now);
    worker_loss stuck = failed_start();
    stuck.stuck = true;
    BOOST_TEST(f.gone(2, stuck).empty());
    BOOST_TEST(!f.r.broken());
    BOOST_TEST(!!f.r.why_incomplete());
    f.now += 60s;
    BOOST_TEST(f.tick().empty());
    BOOST_TEST(f.r.ready(2, f.now).takes_work);
    BOOST_TEST(!f.r.why_incomplete());
}

BOOST_AUTO_TEST_CASE(threads_that_are_all_stuck_break_the_pool_and_one_that_comes_through_mends_it)
{
    fixture f({.nodes = 2, .can_kill = false});
    f.start();
    worker_loss stuck = failed_start();
    stuck.stuck = true;
    BOOST_TEST((f.gone(1, stuck) == actions{breaks})); // they cannot be ended
    f.now += 1s;
    BOOST_TEST(f.r.try_again(f.now)); // they are waited for
    BOOST_TEST(f.r.take_actions().empty());
    BOOST_TEST(f.r.ready(2, f.now).mends);
    BOOST_TEST(!f.r.broken());
}

BOOST_AUTO_TEST_CASE(a_broken_pool_tries_one_worker_and_starts_the_others_when_it_is_ready)
{
    fixture f({.nodes = 3});
    f.start();
    worker_loss hopeless = failed_start();
    hopeless.fails_again = true;
    BOOST_TEST((f.gone(2, hopeless) == actions{breaks, end(1, 0, end_mode::now), end(3, 2, end_mode::now)}));
    BOOST_TEST(f.cause() == "failed");
    BOOST_TEST(!f.r.why_broken().for_good);
    BOOST_TEST(!f.r.try_again(f.now)); // too soon
    f.now += 1s;
    BOOST_TEST(f.r.try_again(f.now));
    BOOST_TEST((f.r.take_actions() == actions{launch(4, 0)}));
    BOOST_TEST(f.r.try_again(f.now)); // it is under way
    BOOST_TEST(f.r.take_actions().empty());
    BOOST_TEST(!f.r.ready(1, f.now).takes_work); // it is about to end
    BOOST_TEST(f.r.ready(4, f.now).mends);
    BOOST_TEST((f.r.take_actions() == actions{launch(5, 1), launch(6, 2)}));
}

BOOST_AUTO_TEST_CASE(a_successor_is_started_once_and_its_predecessor_learns_of_it)
{
    fixture f({.nodes = 1});
    f.start_all();
    f.r.succeed(1, f.now);
    f.r.succeed(1, f.now);
    BOOST_TEST((f.r.take_actions() == actions{launch(2, 0)}));
    BOOST_TEST((f.r.ready(2, f.now).predecessors == std::vector<worker_id>{1}));
    f.r.leave(1, f.now);
    BOOST_TEST((f.r.take_actions() == actions{end(1, 0, end_mode::in_order)}));
    BOOST_TEST(f.gone(1, as_asked).empty());
    BOOST_TEST(f.r.died() == 0u);
    BOOST_TEST(f.r.restarts() == 1u);
}

BOOST_AUTO_TEST_CASE(a_worker_that_dies_while_its_successor_starts_is_replaced_by_it)
{
    fixture f({.nodes = 1});
    f.start_all();
    f.r.succeed(1, f.now);
    BOOST_TEST((f.r.take_actions() == actions{launch(2, 0)}));
    BOOST_TEST(f.gone(1, died_in_task).empty());
    BOOST_TEST(f.r.ready(2, f.now).predecessors.empty());
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_killed_is_replaced_before_it_is_gone)
{
    fixture f({.nodes = 1});
    f.start_all();
    f.r.replace(1, f.now);
    BOOST_TEST((f.r.take_actions() == actions{end(1, 0, end_mode::now), launch(2, 0)}));
    BOOST_TEST(f.gone(1, as_asked).empty());
}

BOOST_AUTO_TEST_CASE(nothing_is_started_after_the_close)
{
    fixture f({.nodes = 2});
    f.start_all();
    f.r.close();
    BOOST_TEST(f.gone(1, died_idle).empty());
    BOOST_TEST((f.r.next_due() == time_point::max()));
}

BOOST_AUTO_TEST_CASE(a_worker_that_came_by_itself_has_a_node)
{
    fixture f({.nodes = 2});
    BOOST_TEST(f.r.ready(7, f.now).takes_work);
    f.r.succeed(7, f.now);
    BOOST_TEST((f.r.take_actions() == actions{launch(8, 0)}));
}

// ---------------------------------------------------------------- how many

BOOST_AUTO_TEST_CASE(more_than_the_kept_nodes_are_wanted_only_when_somebody_says_so)
{
    fixture f({.nodes = 4, .min_nodes = 1, .idle_timeout = 1s});
    f.start_all();
    BOOST_TEST(f.r.wanted() == 1u);
    BOOST_TEST(f.r.may_grow());
    f.r.grow(2, f.now);
    BOOST_TEST((f.r.take_actions() == actions{launch(2, 1), launch(3, 2)}));
    BOOST_TEST(f.r.coming() == 2u);
    f.r.ready(2, f.now);
    BOOST_TEST(f.r.coming() == 1u);
    f.r.grow(9, f.now);
    BOOST_TEST((f.r.take_actions() == actions{launch(4, 3)}));
    BOOST_TEST(!f.r.may_grow());
}

BOOST_AUTO_TEST_CASE(a_retired_worker_is_not_replaced)
{
    fixture f({.nodes = 2, .min_nodes = 1, .idle_timeout = 1s});
    f.start_all();
    BOOST_TEST(!f.r.may_shrink());
    f.r.grow(1, f.now);
    f.r.take_actions();
    f.r.ready(2, f.now);
    BOOST_TEST(f.r.may_shrink());
    f.r.retire(1, f.now); // whichever was idle
    BOOST_TEST((f.r.take_actions() == actions{end(1, 0, end_mode::in_order)}));
    BOOST_TEST(f.gone(1, as_asked).empty());
    BOOST_TEST(!f.r.may_shrink());
    f.r.grow(1, f.now);
    BOOST_TEST((f.r.take_actions() == actions{launch(3, 0)}));
    BOOST_TEST(f.r.restarts() == 0u); // it takes nobody's place
}

BOOST_AUTO_TEST_CASE(a_pool_may_keep_nobody)
{
    fixture f({.nodes = 2, .min_nodes = 0, .idle_timeout = 1s});
    BOOST_TEST(f.start().empty());
    f.r.grow(1, f.now);
    BOOST_TEST((f.r.take_actions() == actions{launch(1, 0)}));
    f.r.ready(1, f.now);
    f.r.retire(1, f.now);
    BOOST_TEST(f.r.wanted() == 0u);
}

BOOST_AUTO_TEST_CASE(a_worker_that_dies_is_replaced_as_long_as_its_node_is_wanted)
{
    fixture f({.nodes = 2, .min_nodes = 0, .idle_timeout = 1s});
    f.start();
    f.r.grow(1, f.now);
    f.r.take_actions();
    f.r.ready(1, f.now);
    BOOST_TEST((f.gone(1, died_in_task) == actions{launch(2, 0)}));
}

BOOST_AUTO_TEST_CASE(only_wanted_nodes_count_for_a_failing_initializer)
{
    fixture f({.nodes = 8, .min_nodes = 1});
    f.start();
    worker_loss threw = failed_start();
    threw.initializer_threw = true;
    BOOST_TEST((f.gone(1, threw) == actions{breaks}));
}

BOOST_AUTO_TEST_CASE(a_pool_that_grows_again_soon_waits_for_longer_before_it_shrinks)
{
    fixture f({.nodes = 2, .min_nodes = 1, .idle_timeout = 1s});
    f.start_all();
    worker_id last = 1;
    const auto grow_and_shrink = [&] {
        f.r.grow(1, f.now);
        f.r.take_actions();
        f.r.ready(++last, f.now);
        const duration limit = f.r.idle_limit();
        f.r.retire(last, f.now);
        f.r.take_actions();
        f.gone(last, as_asked);
        return limit;
    };
    for (const duration expected : {1s, 2s, 4s, 8s, 10s, 10s}) {
        BOOST_TEST((grow_and_shrink() == expected));
        f.now += 5s;
    }
    f.now += 10s;
    BOOST_TEST((grow_and_shrink() == 1s));
}

BOOST_AUTO_TEST_CASE(a_pool_that_is_made_larger_starts_the_workers_that_it_keeps)
{
    fixture f({.nodes = 1});
    f.start_all();
    BOOST_TEST(f.r.resize(3, f.now).empty());
    BOOST_TEST((f.r.take_actions() == actions{launch(2, 1), launch(3, 2)}));
}

BOOST_AUTO_TEST_CASE(a_pool_that_is_made_smaller_lets_its_last_nodes_go)
{
    fixture f({.nodes = 4});
    const actions started = f.start();
    for (const worker_id worker : {1, 2, 3})
        f.r.ready(worker, f.now);
    BOOST_TEST((f.r.resize(1, f.now) == std::vector<worker_id>{2, 3}));
    BOOST_TEST((f.r.take_actions() == actions{end(4, 3, end_mode::now)})); // it has nothing to do yet
    BOOST_TEST(f.gone(2, died_in_task).empty());
    f.r.succeed(3, f.now);
    BOOST_TEST(f.r.take_actions().empty());
    f.r.retire(3, f.now);
    BOOST_TEST((f.r.take_actions() == actions{end(3, 2, end_mode::in_order)}));
    BOOST_TEST(f.r.wanted() == 1u);
}

BOOST_AUTO_TEST_CASE(a_node_that_is_there_again_gets_another_worker_beside_the_one_that_leaves)
{
    fixture f({.nodes = 2});
    f.start_all();
    BOOST_TEST((f.r.resize(1, f.now) == std::vector<worker_id>{2}));
    f.r.resize(2, f.now);
    BOOST_TEST((f.r.take_actions() == actions{launch(3, 1)}));
    f.r.retire(2, f.now);
    BOOST_TEST((f.r.take_actions() == actions{end(2, 1, end_mode::in_order)}));
    BOOST_TEST(f.r.wanted() == 2u);
}

BOOST_AUTO_TEST_CASE(the_time_of_a_start_is_learned)
{
    fixture f({.nodes = 1});
    BOOST_TEST((f.r.start_time() == 20ms));
    f.start();
    for (worker_id worker = 1; worker != 40; ++worker) {
        f.now += 100ms;
        f.r.ready(worker, f.now);
        f.gone(worker, died_in_task);
    }
    BOOST_TEST((f.r.start_time() > 95ms && f.r.start_time() < 105ms));
    f.r.look_away();
    f.now += 1h;
    f.r.ready(40, f.now);
    BOOST_TEST((f.r.start_time() < 105ms));
}

BOOST_AUTO_TEST_SUITE_END()
