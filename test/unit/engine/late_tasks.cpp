// SPDX-License-Identifier: BSL-1.0
#include "engine/hedging.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

#include "held_chunks.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;
using detail::hedging;
using detail::run_end;
using detail::time_point;

namespace {

struct fixture : held_chunks
{
    hedging hedges{true};
    operation_state& op = operation(after(10ms));

    static operation_traits after(hedge_delay delay)
    {
        operation_traits traits;
        traits.options.hedge_after = delay;
        return traits;
    }
    given_chunk& give(std::size_t tasks = 1) { return held_chunks::give(worker(), op, tasks); }
    /// Those whose task gets its copy if there are so many workers for copies.
    std::vector<given_chunk*> served(std::size_t workers)
    {
        std::vector<given_chunk*> got;
        hedges.serve_late([&](given_chunk& held) {
            if (workers-- == 0)
                return false;
            held.list_hook<detail::late_tag>::unlink();
            got.push_back(&held);
            return true;
        });
        return got;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_late_tasks)

BOOST_AUTO_TEST_CASE(whose_tasks_may_have_a_second_run)
{
    held_chunks f;
    BOOST_TEST(!hedging(true).may_hedge(f.operation()));
    BOOST_TEST(hedging(true).may_hedge(f.operation(fixture::after(1ms))));
    BOOST_TEST(!hedging(false).may_hedge(f.operation(fixture::after(1ms))));
}

BOOST_AUTO_TEST_CASE(of_which_chunks_a_second_run_is_of_use)
{
    struct row
    {
        const char* what;
        void (*change)(given_chunk&);
        bool of_use;
    };
    const row table[] = {
        {"one that runs", [](given_chunk&) {}, true},
        {"one whose outcome is there", [](given_chunk& h) { h.settled = h.keep; }, false},
        {"one that was asked to stop", [](given_chunk& h) { h.cancelled = true; }, false},
        {"one of an operation that stops", [](given_chunk& h) { h.owner->stopping = true; }, false},
        {"one of an operation that has failed",
         [](given_chunk& h) { h.owner->final_error = std::make_exception_ptr(1); }, false},
        {"one whose worker dies", [](given_chunk& h) { h.holder->dying = true; }, false},
        {"one that has a second run", [](given_chunk& h) { h.twin = &h; }, false},
    };
    for (const row& r : table)
        BOOST_TEST_CONTEXT(r.what)
        {
            fixture f;
            given_chunk& held = f.give();
            r.change(held);
            BOOST_TEST(hedging::is_of_use(held) == r.of_use);
            held.twin = nullptr;
        }
}

BOOST_AUTO_TEST_CASE(a_task_is_looked_at_until_it_is_late)
{
    fixture f;
    given_chunk& held = f.give();
    f.hedges.watch_for(held);
    BOOST_TEST((f.hedges.next() == f.now + 10ms));
    BOOST_TEST(f.hedges.take_due(f.now + 10ms) == &held);
    const backend::running_task began_later{0, f.now + 3ms};
    BOOST_TEST(!f.hedges.late_task(held, began_later, f.now + 10ms).has_value());
    BOOST_TEST((f.hedges.next() == f.now + 13ms));
    BOOST_TEST(f.hedges.take_due(f.now + 13ms) == &held);
    BOOST_TEST((f.hedges.late_task(held, began_later, f.now + 13ms) == std::size_t(0)));
    BOOST_TEST((f.hedges.next() == time_point::max()));
}

BOOST_AUTO_TEST_CASE(late_tasks_wait_for_a_worker_that_has_nothing_else_to_do)
{
    struct row
    {
        const char* what;
        void (*change)(fixture&, given_chunk&);
        std::size_t workers;
        bool gets_one, waits_on;
    };
    const auto nothing = [](fixture&, given_chunk&) {};
    const row table[] = {
        {"there is one", nothing, 1, true, false},
        {"there is none", nothing, 0, false, true},
        {"its outcome has come", [](fixture&, given_chunk& h) { h.settled = 1; }, 1, false, false},
        {"it was asked to stop", [](fixture&, given_chunk& h) { h.cancelled = true; }, 1, false, false},
        {"its tenant runs as much as it may",
         [](fixture& f, given_chunk&) {
             f.tenants.front().options.max_running = 1;
             f.tenants.front().running = 1;
         },
         1, false, true},
    };
    for (const row& r : table)
        BOOST_TEST_CONTEXT(r.what)
        {
            fixture f;
            given_chunk& held = f.give();
            f.hedges.add_late(held, 0);
            r.change(f, held);
            BOOST_TEST(f.served(r.workers).size() == std::size_t(r.gets_one));
            BOOST_TEST(f.hedges.any_late() == r.waits_on);
        }
}

BOOST_AUTO_TEST_CASE(the_budget_bounds_copies)
{
    fixture f;
    given_chunk& first = f.give();
    given_chunk& second = f.give();
    given_chunk& copy = f.give();
    f.hedges.add_late(first, 0);
    f.hedges.add_late(second, 0);
    std::size_t copies = 0;
    const auto give = [&](given_chunk& held) {
        held.list_hook<detail::late_tag>::unlink();
        f.hedges.begin_race(held, copy);
        ++copies;
        return true;
    };
    f.hedges.serve_late(give);
    BOOST_TEST(copies == 1u); // the first one is for nothing
    f.hedges.count(39);
    f.hedges.serve_late(give);
    BOOST_TEST(copies == 1u);
    f.hedges.count(1); // one for twenty tasks
    f.hedges.serve_late(give);
    BOOST_TEST(copies == 2u);
    hedging::part(second, 0);
    first.twin = nullptr;
}

BOOST_AUTO_TEST_CASE(what_the_end_of_one_of_two_runs_means)
{
    constexpr struct
    {
        std::size_t position; // of the task that has ended; the first one has two runs
        run_end how;
        bool goes_on;
    } table[] = {
        {0, run_end::answered, false}, {0, run_end::threw, true}, {0, run_end::died, true},
        {1, run_end::threw, false},    {1, run_end::died, false},
    };
    for (const auto& row : table) {
        fixture f;
        given_chunk& held = f.give(2);
        given_chunk& copy = f.give();
        f.hedges.begin_race(held, copy);
        held.late_at = 0;
        BOOST_TEST(f.hedges.goes_on(held, row.position, row.how) == (row.goes_on ? &copy : nullptr));
        BOOST_TEST((held.twin == nullptr) == row.goes_on);
        BOOST_TEST((copy.twin == nullptr) == row.goes_on);
        BOOST_TEST((f.hedges.next() != time_point::max()) == row.goes_on); // it may be late by now
        hedging::part(held, 0);
    }
}

BOOST_AUTO_TEST_CASE(nothing_is_left_of_a_chunk_that_nobody_waits_for)
{
    fixture f;
    given_chunk& held = f.give();
    given_chunk& copy = f.give();
    f.hedges.watch_for(held);
    f.hedges.add_late(held, 0);
    f.hedges.begin_race(held, copy);
    f.hedges.disowned(held);
    BOOST_TEST((f.hedges.next() == time_point::max()));
    BOOST_TEST(!f.hedges.any_late());
    BOOST_TEST(!copy.twin);
}

BOOST_AUTO_TEST_SUITE_END()
