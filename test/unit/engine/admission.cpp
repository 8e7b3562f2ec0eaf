// SPDX-License-Identifier: BSL-1.0
#include "engine/admission.hpp"

#include <boost/test/unit_test.hpp>

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "fakes.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;
using detail::admission;
using detail::operation_state;
using detail::standing;
using detail::tenant_state;
using verdict = detail::admission::verdict;

namespace {

std::string_view name(verdict v)
{
    switch (v) {
    case verdict::in: return "in";
    case verdict::waits: return "waits";
    case verdict::tenant_full: return "tenant full";
    case verdict::pool_full: return "pool full";
    }
    return "?";
}

struct fixture
{
    std::deque<tenant_state> tenants;
    std::deque<operation_state> operations;
    std::optional<admission> door;

    tenant_state& tenant(tenant_options options = {})
    {
        tenants.emplace_back().options = options;
        return tenants.back();
    }
    operation_state& operation(tenant_state& of, std::size_t bytes = 0)
    {
        operation_state& op = operations.emplace_back();
        op.tenant = &of;
        op.waiting_bytes = bytes;
        return op;
    }
    /// Comes while there are so many free places.
    operation_state& comes(tenant_state& of, std::size_t places, verdict expected, std::size_t bytes = 0)
    {
        operation_state& op = operation(of, bytes);
        BOOST_TEST(name(door->enter(op, places)) == name(expected));
        return op;
    }

    ~fixture()
    {
        for (operation_state& op : operations)
            door->leave(op);
        BOOST_TEST(door->inside() == 0u);
        BOOST_TEST(door->outside() == 0u);
        BOOST_TEST(door->bytes() == 0u);
        for (const tenant_state& t : tenants)
            BOOST_TEST(t.pending == 0u);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_admission)

BOOST_AUTO_TEST_CASE(whoever_finds_no_room_is_refused_or_waits)
{
    constexpr struct
    {
        std::size_t max_pending, max_bytes, places, inside, bytes_each, bytes;
        bool fits;
    } table[] = {
        {0, 0, 0, 100, 50, 1000, true}, // no bounds
        {2, 0, 0, 1, 0, 0, true},       {2, 0, 0, 2, 0, 0, false},
        {2, 0, 1, 2, 0, 0, true}, // one of them begins at once
        {2, 0, 1, 3, 0, 0, false},      {0, 100, 0, 1, 60, 40, true},
        {0, 100, 0, 1, 60, 41, false},  {0, 100, 2, 1, 60, 1000, true}, // begins at once, however large it is
        {0, 100, 0, 0, 0, 101, false},  {2, 100, 0, 2, 10, 10, false},  // both bounds hold
        {3, 100, 0, 2, 50, 1, false},
    };
    for (const auto& row : table)
        for (const overflow on : {overflow::fail, overflow::wait}) {
            fixture f;
            f.door.emplace(admission::bounds{
                .max_pending = row.max_pending, .max_pending_bytes = row.max_bytes, .on_overflow = on});
            tenant_state& t = f.tenant();
            for (std::size_t i = 0; i != row.inside; ++i)
                f.comes(t, 1000, verdict::in, row.bytes_each);
            f.comes(t, row.places,
                    row.fits               ? verdict::in
                    : on == overflow::fail ? verdict::pool_full
                                           : verdict::waits,
                    row.bytes);
            BOOST_TEST(f.door->inside() == row.inside + row.fits);
            BOOST_TEST(f.door->outside() == (!row.fits && on == overflow::wait ? 1u : 0u));
            BOOST_TEST(f.door->bytes() == row.inside * row.bytes_each + (row.fits ? row.bytes : 0));
        }
}

BOOST_AUTO_TEST_CASE(a_tenant_has_a_bound_of_its_own)
{
    constexpr struct
    {
        std::size_t max_pending, max_running, running, places, inside;
        bool fits;
    } table[] = {
        {0, 0, 0, 0, 9, true},  {1, 0, 0, 0, 0, true},
        {1, 0, 0, 0, 1, false}, {1, 0, 0, 2, 2, true},  // there are workers for two of them
        {1, 0, 0, 2, 3, false}, {1, 1, 0, 2, 2, false}, // of which it may have one only
        {1, 3, 2, 9, 1, true},  {1, 3, 3, 9, 1, false}, // and it has all of its own
    };
    for (const auto& row : table) {
        fixture f;
        f.door.emplace(admission::bounds{.on_overflow = overflow::fail});
        tenant_state& other = f.tenant();
        tenant_state& t = f.tenant();
        for (std::size_t i = 0; i != row.inside; ++i)
            f.comes(t, 0, verdict::in);
        t.options.max_pending = row.max_pending;
        t.options.max_running = row.max_running;
        t.running = row.running;
        f.comes(t, row.places, row.fits ? verdict::in : verdict::tenant_full);
        f.comes(other, 0, verdict::in);
    }
}

BOOST_FIXTURE_TEST_CASE(those_that_wait_come_in_by_priority_and_then_in_the_order_of_arrival, fixture)
{
    door.emplace(admission::bounds{.max_pending = 1, .on_overflow = overflow::wait});
    tenant_state& t = tenant();
    operation_state& inside = comes(t, 0, verdict::in);
    operation_state& first = comes(t, 0, verdict::waits);
    operation_state& second = comes(t, 0, verdict::waits);
    operation_state& urgent = operation(t);
    urgent.prio = priority::high;
    BOOST_TEST(name(door->enter(urgent, 0)) == "waits");
    // One that comes later does not pass those that wait, though there is room now.
    door->leave(inside);
    operation_state& last = comes(t, 0, verdict::waits);
    BOOST_TEST(door->next(0) == &urgent);
    BOOST_TEST(door->next(0) == nullptr);
    door->leave(urgent);
    door->leave(second); // has given up
    BOOST_TEST(door->next(0) == &first);
    BOOST_TEST(door->next(1) == &last);
    BOOST_TEST(door->next(1) == nullptr);
}

BOOST_FIXTURE_TEST_CASE(who_has_room_among_its_own_still_needs_room_in_the_pool, fixture)
{
    door.emplace(admission::bounds{.max_pending = 1, .on_overflow = overflow::wait});
    tenant_state& narrow = tenant({.max_pending = 1});
    tenant_state& other = tenant();
    operation_state& mine = comes(narrow, 0, verdict::in);
    operation_state& held_up = comes(narrow, 0, verdict::waits);
    operation_state& theirs = comes(other, 0, verdict::waits);
    BOOST_TEST((held_up.stands == standing::held_up));
    BOOST_TEST((theirs.stands == standing::outside));
    BOOST_TEST(door->outside() == 2u);
    door->leave(mine);
    BOOST_TEST(door->next(0) == &theirs); // which stood in the pool's line before
    BOOST_TEST((held_up.stands == standing::outside));
    BOOST_TEST(door->next(0) == nullptr);
    door->leave(theirs);
    BOOST_TEST(door->next(0) == &held_up);
}

BOOST_FIXTURE_TEST_CASE(a_wider_bound_lets_those_in_that_wait_for_it, fixture)
{
    door.emplace(admission::bounds{.on_overflow = overflow::wait});
    tenant_state& t = tenant({.max_pending = 1});
    comes(t, 0, verdict::in);
    operation_state& waits = comes(t, 0, verdict::waits);
    BOOST_TEST(door->next(0) == nullptr);
    t.options.max_pending = 2;
    door->look_at(t);
    BOOST_TEST(door->next(0) == &waits);
    BOOST_TEST(door->next(0) == nullptr);
}

BOOST_FIXTURE_TEST_CASE(what_a_task_of_the_pool_asks_for_comes_in_whatever_waits, fixture)
{
    door.emplace(admission::bounds{.max_pending = 1, .on_overflow = overflow::fail});
    tenant_state& t = tenant({.max_pending = 1});
    comes(t, 0, verdict::in);
    operation_state& nested = operation(t);
    nested.nested = true;
    BOOST_TEST(name(door->enter(nested, 0)) == "in");
    BOOST_TEST(door->inside() == 2u);
    comes(t, 0, verdict::tenant_full);
}

BOOST_FIXTURE_TEST_CASE(what_never_came_in_does_not_count_when_it_ends, fixture)
{
    door.emplace(admission::bounds{.max_pending_bytes = 100, .on_overflow = overflow::fail});
    tenant_state& t = tenant();
    comes(t, 0, verdict::in, 60);
    operation_state& refused = comes(t, 0, verdict::pool_full, 60);
    operation_state& ended_before = operation(t, 30);
    door->leave(refused);
    door->leave(ended_before);
    BOOST_TEST(door->bytes() == 60u);
    BOOST_TEST(door->inside() == 1u);
}

BOOST_FIXTURE_TEST_CASE(only_what_has_not_begun_is_refused_for_its_wait, fixture)
{
    door.emplace(admission::bounds{.shed = {.target = 5ms, .interval = 100ms}});
    tenant_state& t = tenant();
    BOOST_TEST(door->may_shed(operation(t)));
    operation_state& op = operation(t);
    op.nested = true;
    BOOST_TEST(!door->may_shed(op));
    for (bool operation_state::*had : {&operation_state::begun, &operation_state::died, &operation_state::retried}) {
        operation_state& other = operation(t);
        other.*had = true;
        BOOST_TEST(!door->may_shed(other));
    }
    operation_state& held = operation(t);
    held.held_chunks = 1;
    BOOST_TEST(!door->may_shed(held));
    operation_state& done = operation(t);
    done.done = 1;
    BOOST_TEST(!door->may_shed(done));

    door.emplace(admission::bounds{});
    BOOST_TEST(!door->may_shed(operation(t)));
}

BOOST_AUTO_TEST_SUITE_END()
