// SPDX-License-Identifier: BSL-1.0
#include "engine/backlog.hpp"

#include <boost/test/unit_test.hpp>

#include "held_chunks.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;
using detail::backlog;

namespace {

operation_traits of(priority prio, bool coroutine = false)
{
    operation_traits traits;
    traits.options.prio = prio;
    traits.coroutine = coroutine;
    return traits;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_backlog)

BOOST_AUTO_TEST_CASE(counts_what_is_less_urgent)
{
    constexpr struct
    {
        priority held, coming;
        bool below;
    } table[] = {
        {priority::low, priority::low, false},     {priority::low, priority::normal, true},
        {priority::low, priority::high, true},     {priority::normal, priority::low, false},
        {priority::normal, priority::high, true},  {priority::normal, priority::normal, false},
        {priority::high, priority::normal, false}, {priority::high, priority::high, false},
    };
    for (const auto& row : table) {
        held_chunks f;
        backlog b;
        auto& op = f.operation(of(row.held));
        given_chunk& given = f.give(f.worker(), op, 2);
        b.add(given);
        BOOST_TEST(b.holds_below(row.coming) == row.below);
        BOOST_TEST(b.holds_parts(row.held));
        b.remove(given, op);
        BOOST_TEST(!b.holds_below(row.coming));
        BOOST_TEST(!b.holds_parts(row.held));
    }
}

BOOST_AUTO_TEST_CASE(the_least_urgent_gives_back_first)
{
    held_chunks f;
    f.give(f.worker(), f.operation(of(priority::high)), 2);
    f.give(f.worker(), f.operation(of(priority::normal)), 2);
    auto& low = f.worker();
    f.give(low, f.operation(of(priority::low)), 2);
    BOOST_TEST(backlog::who_holds_below(priority::high, f.workers) == &low);
    BOOST_TEST(backlog::who_holds_below(priority::normal, f.workers) == &low);
    BOOST_TEST(!backlog::who_holds_below(priority::low, f.workers));
    low.retiring = true; // it would not get the chunk that has come
    BOOST_TEST(backlog::who_holds_below(priority::high, f.workers) == f.workers[1].get());
}

BOOST_AUTO_TEST_CASE(what_steps_back_for_an_equal)
{
    struct row
    {
        const char* what;
        std::size_t tasks;
        duration each;
        void (*change)(given_chunk&);
        bool steps_back;
    };
    const auto nothing = [](given_chunk&) {};
    const row table[] = {
        {"a long part of more", 10, 1ms, nothing, true},
        {"what is through soon", 10, 100us, nothing, false},
        {"its only task", 1, 50ms, nothing, false},
        {"what was taken back", 10, 1ms, [](given_chunk& h) { h.all_begun = true; }, false},
        {"one that stepped back already", 10, 1ms, [](given_chunk& h) { h.owner->yielded = true; }, false},
        {"one of another priority", 10, 1ms, [](given_chunk& h) { h.owner->prio = priority::high; }, false},
        {"one whose worker is a guest", 10, 1ms, [](given_chunk& h) { h.holder->guest = true; }, false},
        {"one whose worker dies", 10, 1ms, [](given_chunk& h) { h.holder->dying = true; }, false},
        {"a coroutine", 10, 1ms, [](given_chunk& h) { h.work->coroutine = true; }, false},
    };
    for (const row& r : table)
        BOOST_TEST_CONTEXT(r.what)
        {
            held_chunks f;
            auto& coming = f.operation();
            auto& worker = f.worker();
            r.change(f.give(worker, f.operation_of(r.each), r.tasks));
            BOOST_TEST(backlog::who_steps_back(coming, f.workers, f.now) == (r.steps_back ? &worker : nullptr));
        }
}

BOOST_AUTO_TEST_CASE(nobody_steps_back_where_another_worker_is_free_sooner)
{
    held_chunks f;
    auto& coming = f.operation();
    f.give(f.worker(), f.operation_of(1ms), 20);
    f.give(f.worker(), f.operation_of(10ms), 1);
    BOOST_TEST(!backlog::who_steps_back(coming, f.workers, f.now));
    f.give(*f.workers[1], f.operation_of(20ms), 1);
    BOOST_TEST(backlog::who_steps_back(coming, f.workers, f.now) == f.workers[0].get());
}

BOOST_AUTO_TEST_CASE(remembers_who_was_alone_until_another_comes_or_it_is_over)
{
    held_chunks f;
    backlog b;
    auto& op = f.operation();
    b.note_alone(op);
    b.forget(f.operation());
    BOOST_TEST(b.no_longer_alone() == &op);
    BOOST_TEST(!b.no_longer_alone());
    b.note_alone(op);
    b.forget(op);
    BOOST_TEST(!b.no_longer_alone());
}

BOOST_AUTO_TEST_SUITE_END()
