// SPDX-License-Identifier: BSL-1.0
#include "engine/accounts.hpp"

#include <boost/test/unit_test.hpp>

#include "held_chunks.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;
using detail::accounts;

namespace {

struct fixture
{
    detail::tenant_board board;
    held_chunks held;
    accounts books{board, 4};

    tenant_state& tenant(std::uint64_t id, tenant_options options = {}) { return books.set(tenant_id{id}, options); }
    operation_state& operation(tenant_state& of, bool coroutine = false)
    {
        operation_state& op = held.operation({.coroutine = coroutine});
        op.tenant = &of;
        books.turns().push_back(op, op.place());
        return op;
    }
    /// A worker gets its next tasks.
    given_chunk& give(operation_state& op, std::size_t tasks = 1)
    {
        books.turns().remove(op, op.place());
        given_chunk& given = held.give(held.worker(), op, tasks);
        books.charge(given);
        books.turns().push_back(op, op.place());
        return given;
    }
    operation_state* next() { return books.turns().front(priority::normal); }

    ~fixture()
    {
        for (operation_state& op : held.operations)
            books.turns().remove(op, op.place());
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_accounts)

BOOST_AUTO_TEST_CASE(what_a_chunk_is_charged_with)
{
    struct row
    {
        const char* what;
        std::size_t tasks;
        duration own, tenants, anybodys; // of one task, as far as it was measured
        bool coroutine;
        double expected;
    };
    constexpr row table[] = {
        {"what its own tasks took", 2, 5us, 7us, 9us, false, 10'000},
        {"or its tenant's", 2, 0us, 7us, 0us, false, 14'000},
        {"or anybody's", 2, 0us, 0us, 9us, false, 18'000},
        {"or a guess", 2, 0us, 0us, 0us, false, 2'000},
        {"no less than something", 3, 1ns, 0us, 0us, false, 300},
        {"coroutines share their worker", 1, 40us, 0us, 0us, true, 10'000},
    };
    for (const row& r : table)
        BOOST_TEST_CONTEXT(r.what)
        {
            fixture f;
            if (r.anybodys != 0us)
                f.books.settle(f.give(f.operation(f.tenant(9))), r.anybodys, 1);
            tenant_state& tenant = f.tenant(1);
            if (r.tenants != 0us)
                f.books.settle(f.give(f.operation(tenant)), r.tenants, 1);
            operation_state& op = f.operation(tenant, r.coroutine);
            if (r.own != 0us)
                op.sizes.measured(1, r.own);
            BOOST_TEST(f.give(op, r.tasks).charged == r.expected);
        }
}

BOOST_AUTO_TEST_CASE(whoever_had_less_for_its_weight_is_next)
{
    fixture f;
    auto& light = f.operation(f.tenant(1, {.weight = 1}));
    auto& heavy = f.operation(f.tenant(2, {.weight = 3}));
    light.sizes.measured(1, 1ms);
    heavy.sizes.measured(1, 1ms);
    std::size_t of_light = 0, of_heavy = 0;
    for (int i = 0; i != 40; ++i) {
        operation_state& op = *f.next();
        ++(&op == &light ? of_light : of_heavy);
        f.books.settle(f.give(op), 1ms, 1);
    }
    BOOST_TEST(of_light == 10u);
    BOOST_TEST(of_heavy == 30u);
}

BOOST_AUTO_TEST_CASE(what_was_taken_back_is_not_paid_for)
{
    fixture f;
    auto& op = f.operation(f.tenant(1));
    op.sizes.measured(1, 1us);
    given_chunk& given = f.give(op, 10);
    f.books.refund(given, 4);
    BOOST_TEST(given.charged == 6'000);
    f.books.settle(given, 6us, 6);
    f.books.refund(given, 6); // it is settled
    BOOST_TEST(given.charged == 6'000);
}

BOOST_AUTO_TEST_CASE(who_runs_as_much_as_it_may_gets_no_turns)
{
    fixture f;
    auto& bound = f.operation(f.tenant(1, {.max_running = 2}));
    BOOST_TEST(f.next() == &bound);
    given_chunk& first = f.give(bound);
    BOOST_TEST(f.next() == &bound);
    given_chunk& second = f.give(bound);
    BOOST_TEST(!f.next());
    BOOST_TEST(f.books.no_longer_runs(first));
    BOOST_TEST(f.next() == &bound);
    BOOST_TEST(!f.books.settle(first, 1ms, 1)); // counted already
    BOOST_TEST(!f.books.settle(second, 1ms, 1));
    BOOST_TEST(bound.tenant->running == 0u);
    BOOST_TEST(bound.tenant->chunks == 0u);
    f.give(bound);
    f.give(bound);
    f.tenant(1, {.max_running = 3});
    BOOST_TEST(f.next() == &bound);
}

BOOST_AUTO_TEST_SUITE_END()
