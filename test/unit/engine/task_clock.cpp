// SPDX-License-Identifier: BSL-1.0
#include "engine/task_clock.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>

#include "held_chunks.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;
using detail::task_clock;
using detail::time_point;

namespace {

struct fixture : held_chunks
{
    task_clock clock{200ms};
    operation_state& op = operation();

    given_chunk& give(std::size_t tasks = 3)
    {
        given_chunk& given = held_chunks::give(worker(), op, tasks);
        given.work->timeout = 10ms;
        return given;
    }
    void disown(given_chunk& held)
    {
        op.held.erase(op.held.iterator_to(held));
        held.owner = nullptr;
        clock.disowned(held);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_task_clock)

BOOST_AUTO_TEST_CASE(which_task_is_late)
{
    using running = std::optional<backend::running_task>;
    struct row
    {
        const char* what;
        std::size_t settled, keep;
        std::optional<std::size_t> runs;
        duration for_so_long;
        std::optional<std::size_t> late;
        duration looks_again;
    };
    const row table[] = {
        {"nobody knows what runs", 0, 3, {}, 0ms, {}, 10ms},    {"it has time left", 0, 3, 0, 4ms, {}, 6ms},
        {"it has used its time", 0, 3, 0, 10ms, 0, 0ms},        {"a later one has", 1, 3, 2, 11ms, 2, 0ms},
        {"its outcome is on the way", 1, 3, 0, 11ms, {}, 10ms}, {"it was taken back", 0, 2, 2, 11ms, {}, 10ms},
    };
    for (const bool wanted : {true, false})
        for (const row& r : table)
            BOOST_TEST_CONTEXT(r.what)
            {
                fixture f;
                given_chunk& held = f.give();
                if (!wanted)
                    f.disown(held);
                held.settled = r.settled;
                held.keep = r.keep;
                const running now = r.runs ? running({*r.runs, f.now - r.for_so_long}) : std::nullopt;
                BOOST_TEST((f.clock.late_task(held, now, f.now) == r.late));
                BOOST_TEST((f.clock.next() == (r.late ? time_point::max() : f.now + r.looks_again)));
            }
}

BOOST_AUTO_TEST_CASE(a_task_that_nobody_waits_for_keeps_the_pool_awake)
{
    fixture f;
    given_chunk& held = f.give();
    f.clock.check_from(held, f.now);
    BOOST_TEST(!f.clock.keeps_awake());
    BOOST_TEST((f.clock.next_of_an_operation() == f.now + 10ms));
    f.disown(held);
    BOOST_TEST(f.clock.keeps_awake());
    BOOST_TEST((f.clock.next_of_an_operation() == time_point::max()));
    BOOST_TEST((f.clock.next() == f.now + 10ms));
    held.settled = held.keep; // it has returned
    f.clock.check_from(held, f.now);
    BOOST_TEST(!f.clock.keeps_awake());
    BOOST_TEST((f.clock.next() == time_point::max()));
}

BOOST_AUTO_TEST_CASE(due_checks_come_in_order)
{
    fixture f;
    given_chunk& first = f.give();
    given_chunk& second = f.give();
    f.clock.check_at(second, f.now + 2ms);
    f.clock.check_at(first, f.now + 1ms);
    BOOST_TEST(!f.clock.take_check(f.now));
    BOOST_TEST(f.clock.take_check(f.now + 2ms) == &first);
    BOOST_TEST(f.clock.take_check(f.now + 2ms) == &second);
    BOOST_TEST(!f.clock.take_check(f.now + 2ms));
}

BOOST_AUTO_TEST_CASE(the_grace_begins_once_and_ends_the_checks)
{
    fixture f;
    given_chunk& held = f.give();
    f.clock.check_from(held, f.now);
    f.clock.kill_after_grace(held, f.now);
    f.clock.kill_after_grace(held, f.now + 50ms); // asked once more
    BOOST_TEST((f.clock.next() == f.now + 200ms));
    BOOST_TEST(f.clock.keeps_awake());
    BOOST_TEST(!f.clock.take_overdue(f.now + 199ms).chunk);
    const auto late = f.clock.take_overdue(f.now + 250ms);
    BOOST_TEST(late.chunk == &held);
    BOOST_TEST((late.due == f.now + 200ms));
    BOOST_TEST(!f.clock.keeps_awake());
}

BOOST_AUTO_TEST_CASE(a_loop_that_comes_late_reads_first_and_looks_again_once)
{
    constexpr struct
    {
        duration late;
        bool again;
    } table[] = {{0ms, false}, {5ms, false}, {6ms, true}};
    for (const auto& row : table) {
        fixture f;
        given_chunk& held = f.give();
        f.clock.kill_after_grace(held, f.now);
        const time_point now = f.now + 200ms + row.late;
        auto late = f.clock.take_overdue(now);
        BOOST_TEST(f.clock.looks_again(held, late.due, now) == row.again);
        BOOST_TEST((f.clock.next() == (row.again ? now + 1ms : time_point::max())));
        if (!row.again)
            continue;
        late = f.clock.take_overdue(now + 1h);
        BOOST_TEST(!f.clock.looks_again(held, late.due, now + 1h));
    }
}

BOOST_AUTO_TEST_CASE(what_is_spared_or_forgotten_is_not_killed)
{
    fixture f;
    given_chunk& held = f.give();
    f.clock.kill_after_grace(held, f.now);
    f.clock.spare(held);
    BOOST_TEST((f.clock.next() == time_point::max()));
    f.clock.check_from(held, f.now);
    f.clock.prolong(held, f.now);
    BOOST_TEST((f.clock.next() == f.now + 10ms));
    f.clock.forget(held);
    BOOST_TEST((f.clock.next() == time_point::max()));
    BOOST_TEST(!f.clock.keeps_awake());
}

BOOST_AUTO_TEST_SUITE_END()
