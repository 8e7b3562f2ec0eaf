// SPDX-License-Identifier: BSL-1.0
#include "engine/listeners.hpp"

#include <boost/test/unit_test.hpp>

#include "held_chunks.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;
using detail::listeners;

BOOST_AUTO_TEST_SUITE(test_listeners)

BOOST_AUTO_TEST_CASE(somebody_looks_as_long_as_an_operation_wants_to_know)
{
    held_chunks f;
    listeners all;
    BOOST_TEST((all.next() == detail::time_point::max()));
    auto& first = f.operation();
    auto& second = f.operation();
    all.add(first, f.now);
    BOOST_TEST((all.next() == f.now + 100ms));
    all.add(second, f.now + 50ms);
    BOOST_TEST((all.next() == f.now + 100ms)); // not later for another one
    f.now += 100ms;
    all.looked(f.now);
    BOOST_TEST((all.next() == f.now + 100ms));
    all.remove(first);
    BOOST_TEST((all.next() == f.now + 100ms));
    all.remove(second);
    BOOST_TEST((all.next() == detail::time_point::max()));
    all.looked(f.now);
    BOOST_TEST((all.next() == detail::time_point::max()));
}

BOOST_AUTO_TEST_CASE(outcomes_do_not_make_every_batch_a_look)
{
    constexpr struct
    {
        bool last;
        duration since;
        bool looks;
    } table[] = {{false, 9ms, false}, {false, 10ms, true}, {true, 0ms, true}};
    for (const auto& row : table) {
        held_chunks f;
        listeners all;
        all.add(f.operation(), f.now);
        all.looked(f.now);
        BOOST_TEST(all.look_before_outcome(row.last, f.now + row.since) == row.looks);
    }
}

BOOST_AUTO_TEST_CASE(a_report_is_for_an_operation_that_still_wants_it)
{
    held_chunks f;
    listeners all;
    auto& op = f.operation();
    op.id = 7;
    all.add(op, f.now);
    BOOST_TEST(all.find(7) == &op);
    BOOST_TEST(!all.find(8));
    op.final_error = std::make_exception_ptr(1);
    BOOST_TEST(!all.find(7));
}

BOOST_AUTO_TEST_SUITE_END()
