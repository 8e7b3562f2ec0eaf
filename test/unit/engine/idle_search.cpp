// SPDX-License-Identifier: BSL-1.0
#include "engine/idle_search.hpp"

#include <boost/test/unit_test.hpp>

#include "held_chunks.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;
using detail::idle_search;

namespace {

struct fixture : held_chunks
{
    idle_search search{4ms};

    idle_search::found look()
    {
        detail::ready_worker idle;
        return search.look_for(idle, workers, now);
    }
    bool begins()
    {
        search.begin_round();
        return search.begin_looks([this] { return now; });
    }
    void note(const given_chunk& given)
    {
        search.note_given(given, [this] { return now; });
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_idle_search)

BOOST_AUTO_TEST_CASE(what_may_be_taken)
{
    struct row
    {
        const char* what;
        std::size_t tasks;
        duration runs_for;
        void (*change)(given_chunk&);
        bool found;
    };
    const auto nothing = [](given_chunk&) {};
    const row table[] = {
        {"a task that runs", 1, 0ms, nothing, false},
        {"what stands behind it", 2, 0ms, nothing, true},
        {"one that its worker has surely not begun", 1, 100ms, nothing, true},
        {"one that was taken back already", 2, 0ms, [](given_chunk& h) { h.all_begun = true; }, false},
        {"one that was asked to stop", 2, 0ms, [](given_chunk& h) { h.cancelled = true; }, false},
        {"one that nobody wants", 2, 0ms, [](given_chunk& h) { h.owner->stopping = true; }, false},
        {"one of a worker that dies", 2, 0ms, [](given_chunk& h) { h.holder->dying = true; }, false},
        {"a coroutine", 2, 0ms, [](given_chunk& h) { h.work->coroutine = true; }, false},
        {"one whose tenant runs as much as it may", 2, 0ms,
         [](given_chunk& h) {
             h.owner->tenant->options.max_running = 1;
             h.owner->tenant->running = 1;
         },
         false},
    };
    for (const row& r : table)
        BOOST_TEST_CONTEXT(r.what)
        {
            fixture f;
            given_chunk& given = f.give(f.worker(), f.operation_of(1ms), r.tasks);
            r.change(given);
            f.now += r.runs_for;
            BOOST_TEST((f.look().from == &given) == r.found);
        }
}

BOOST_AUTO_TEST_CASE(what_would_be_begun_last_is_taken)
{
    fixture f;
    auto& op = f.operation_of(1ms);
    auto& slow = f.operation_of(20ms);
    f.give(f.worker(), op, 10);
    auto& victim = f.worker();
    f.give(victim, slow, 1);
    auto& last = f.give(victim, op, 2);
    const auto found = f.look();
    BOOST_TEST(found.victim == &victim);
    BOOST_TEST(found.from == &last);
}

BOOST_AUTO_TEST_CASE(what_will_be_through_at_once_is_left_where_it_is)
{
    fixture f;
    f.give(f.worker(), f.operation_of(10us), 5);
    f.search.begin_round();
    BOOST_TEST(!f.look().victim);
    BOOST_TEST((f.search.next() == f.now + 1ms)); // unless it takes longer
}

BOOST_AUTO_TEST_CASE(a_guest_gets_only_tasks_of_its_own_operation)
{
    fixture f;
    auto& own = f.operation_of(1ms);
    f.give(f.worker(), f.operation_of(50ms), 9);
    auto& wanted = f.give(f.worker(), own, 3);
    detail::ready_worker guest;
    guest.guest = true;
    guest.only = &own;
    BOOST_TEST(f.search.look_for(guest, f.workers, f.now).from == &wanted);
}

BOOST_AUTO_TEST_CASE(nobody_looks_before_there_can_be_something)
{
    fixture f;
    BOOST_TEST(!f.begins());
    BOOST_TEST((f.search.next() == detail::time_point::max()));
    f.search.note_change();
    BOOST_TEST(f.begins());
    BOOST_TEST(!f.begins()); // it has looked

    auto& worker = f.worker();
    auto& op = f.operation_of(1ms);
    f.note(f.give(worker, op, 1)); // that task may not begin for a while
    BOOST_TEST(!f.begins());
    BOOST_TEST((f.search.next() == f.now + detail::surely_begun));
    f.now += detail::surely_begun;
    BOOST_TEST(f.begins());
    BOOST_TEST(!f.begins());

    f.note(f.give(worker, op, 1)); // stands behind it
    BOOST_TEST(f.begins());

    op.next_index = 1; // a lone call
    f.note(f.give(f.worker(), op, 1));
    BOOST_TEST(!f.begins());
    BOOST_TEST((f.search.next() == detail::time_point::max()));
}

BOOST_AUTO_TEST_CASE(a_look_in_vain_says_when_to_look_again)
{
    fixture f;
    f.give(f.worker(), f.operation_of(1ms), 1);
    f.search.note_change();
    BOOST_TEST(f.begins());
    BOOST_TEST(!f.look().victim);
    f.search.end_looks();
    BOOST_TEST((f.search.next() == f.now + detail::surely_begun));
    BOOST_TEST(!f.begins());
    f.now += detail::surely_begun;
    BOOST_TEST(f.begins());
    BOOST_TEST(f.look().victim);
}

BOOST_AUTO_TEST_CASE(an_idle_worker_waits_for_an_answer_instead_of_asking_another)
{
    constexpr struct
    {
        bool awaited;
        std::size_t taken;
        bool looks_again;
    } table[] = {{true, 0, true}, {true, 1, false}, {false, 0, false}};
    for (const auto& row : table) {
        fixture f;
        given_chunk& from = f.give(f.worker(), f.operation_of(1ms), 5);
        if (row.awaited)
            f.search.await(from);
        BOOST_TEST(f.search.awaited() == std::size_t(row.awaited));
        BOOST_TEST(f.search.answered(from, row.taken) == row.awaited);
        BOOST_TEST(f.search.awaited() == 0u);
        BOOST_TEST(f.begins() == row.looks_again);
    }
}

BOOST_AUTO_TEST_SUITE_END()
