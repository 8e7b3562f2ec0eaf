// SPDX-License-Identifier: BSL-1.0
#include "engine/handout.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

#include "held_chunks.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;
using detail::handout;
using detail::takers;

namespace {

struct fixture : held_chunks
{
    capabilities can{.chunks_per_worker = 4, .chunks_ahead = 2};
    handout hands{can, {.child_concurrency = 3, .max_tasks_per_child = 10}};

    /// Who is given a chunk of one task, as long as anybody takes one; 0: it was offered one and there was none for it.
    std::vector<worker_id> round(std::size_t chunks, operation_state& op)
    {
        std::vector<worker_id> order;
        for (const auto& w : workers)
            hands.consider(*w);
        hands.place_considered();
        handout::round turns(hands);
        while (ready_worker* const next = turns.next()) {
            const bool given = chunks != 0 && hands.can_take(*next);
            if (given) {
                --chunks;
                give(*next, op, 1);
            }
            order.push_back(given ? next->id : 0);
            turns.served(given);
        }
        return order;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_handout)

BOOST_AUTO_TEST_CASE(who_can_take_a_chunk)
{
    struct row
    {
        const char* what;
        std::size_t chunks;
        duration each; // zero: nobody knows
        bool coroutines;
        void (*change)(ready_worker&);
        bool can;
    };
    const auto nothing = [](ready_worker&) {};
    const row table[] = {
        {"an idle one", 0, 0ms, false, nothing, true},
        {"one that has one to go on with", 1, 0ms, false, nothing, true},
        {"one that holds enough", 2, 0ms, false, nothing, false},
        {"one whose chunks are short", 3, 10us, false, nothing, true},
        {"one whose chunks are long", 3, 1ms, false, nothing, false},
        {"one that holds as many as it can", 4, 10us, false, nothing, false},
        {"one whose second was taken back whole", 2, 0ms, false, [](ready_worker& w) { w.held.back().keep = 0; }, true},
        {"one with room for a coroutine", 2, 0ms, true, nothing, true},
        {"one with as many coroutines as it may have", 3, 0ms, true, nothing, false},
        {"one that dies", 0, 0ms, false, [](ready_worker& w) { w.dying = true; }, false},
        {"one that retires", 0, 0ms, false, [](ready_worker& w) { w.retiring = true; }, false},
        {"one that was given all that it may have", 0, 0ms, false, [](ready_worker& w) { w.given = 10; }, false},
        {"one that may have one more", 0, 0ms, false, [](ready_worker& w) { w.given = 9; }, true},
        {"a guest that is busy", 1, 0ms, false, [](ready_worker& w) { w.guest = true; }, false},
        {"a guest, however much it was given", 0, 0ms, false,
         [](ready_worker& w) {
             w.guest = true;
             w.given = 10;
         },
         true},
        {"one whose task was asked to stop", 1, 0ms, false, [](ready_worker& w) { w.held.front().cancelled = true; },
         false},
    };
    for (const row& r : table)
        BOOST_TEST_CONTEXT(r.what)
        {
            fixture f;
            operation_traits traits;
            traits.coroutine = r.coroutines;
            auto& op = r.each == 0ms ? f.operation(traits) : f.operation_of(r.each, traits);
            auto& worker = f.worker();
            for (std::size_t i = 0; i != r.chunks; ++i)
                f.give(worker, op, 1);
            r.change(worker);
            BOOST_TEST(f.hands.can_take(worker) == r.can);
        }
}

BOOST_AUTO_TEST_CASE(nobody_gets_a_second_chunk_while_another_is_idle)
{
    fixture f;
    auto& op = f.operation();
    for (int i = 0; i != 3; ++i)
        f.worker();
    f.give(*f.workers[0], op, 1);
    const std::vector<worker_id> expected{2, 3, 1, 2, 0};
    BOOST_TEST(f.round(4, op) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_there_is_nothing_of_is_offered_to_one_of_each_kind)
{
    fixture f;
    auto& op = f.operation();
    auto& coroutine = f.operation({.coroutine = true});
    for (int i = 0; i != 6; ++i)
        f.worker();
    f.give(*f.workers[2], op, 1);
    f.give(*f.workers[3], op, 1);
    f.give(*f.workers[4], coroutine, 1);
    f.give(*f.workers[5], coroutine, 1);
    BOOST_TEST(f.round(0, op).size() == 3u);
}

BOOST_AUTO_TEST_CASE(guests_stand_apart)
{
    fixture f;
    auto& guest = f.worker();
    guest.guest = true;
    BOOST_TEST(f.round(1, f.operation()).empty());
    BOOST_TEST(f.hands.first(takers::guest) == &guest);
    BOOST_TEST(!f.hands.after(takers::guest, guest));
    f.hands.remove(guest);
    BOOST_TEST(!f.hands.first(takers::guest));
}

BOOST_AUTO_TEST_CASE(a_copy_keeps_no_other_task_waiting)
{
    constexpr struct
    {
        bool coroutine, other_idle, drains, found;
    } table[] = {
        {false, true, false, true},
        {false, false, false, false}, // it would wait behind what that one runs
        {false, true, true, false},   // another operation waits for it to run empty
        {true, false, false, true},   // coroutines run beside each other
    };
    for (const auto& row : table) {
        fixture f;
        auto& op = f.operation({.coroutine = row.coroutine});
        auto& holder = f.worker();
        auto& other = f.worker();
        given_chunk& late = f.give(holder, op, 1);
        if (!row.other_idle)
            f.give(other, op, 1);
        if (row.drains)
            other.drains_for = &op;
        f.hands.place(holder);
        f.hands.place(other);
        BOOST_TEST(f.hands.for_copy(late) == (row.found ? &other : nullptr));
    }
}

BOOST_AUTO_TEST_SUITE_END()
