// SPDX-License-Identifier: BSL-1.0
#include "engine/operation_table.hpp"

#include <boost/test/unit_test.hpp>

#include "fakes.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;
using detail::operation_table;

namespace {

struct table_fixture
{
    operation_table table;
    time_point now{std::chrono::hours(1)};

    operation_state& add(operation_traits traits = {}, time_point deadline = time_point::max(),
                         time_point begin_by = time_point::max())
    {
        auto state = std::make_unique<operation_state>();
        state->op = std::make_shared<fake_operation>(1, traits);
        state->deadline = deadline;
        state->begin_by = begin_by;
        return table.add(std::move(state));
    }
    std::vector<std::uint64_t> left()
    {
        std::vector<std::uint64_t> ids;
        for (const operation_state& op : table)
            ids.push_back(op.id);
        return ids;
    }
};

operation_traits stream()
{
    operation_traits traits;
    traits.stream = true;
    return traits;
}

operation_traits call()
{
    operation_traits traits;
    traits.call = true;
    return traits;
}

using ids = std::vector<std::uint64_t>;

} // namespace

BOOST_AUTO_TEST_SUITE(test_operation_table)

BOOST_AUTO_TEST_CASE(operations_are_numbered_and_found)
{
    table_fixture f;
    operation_table other;
    BOOST_TEST(f.table.empty());
    operation_state& first = f.add();
    operation_state& second = f.add();
    BOOST_TEST(first.id == 1u);
    BOOST_TEST(second.id == 2u);
    BOOST_TEST(f.table.size() == 2u);
    BOOST_TEST(f.table.find(*second.op) == &second);
    BOOST_TEST(!other.find(*second.op)); // the one of another engine
    const std::shared_ptr<operation> op = first.op;
    f.table.take(first);
    BOOST_TEST(!f.table.find(*op));
    BOOST_TEST(f.table.size() == 1u);
    BOOST_TEST(f.add().id == 3u); // no number comes twice
}

BOOST_AUTO_TEST_CASE(the_table_lets_go_of_what_is_left)
{
    std::shared_ptr<operation> op;
    {
        table_fixture f;
        op = f.add().op;
        operation_state& forced = f.add();
        f.table.end_by_force(forced);
        f.table.touch(forced);
    }
    BOOST_TEST(!op->known_as());
    BOOST_TEST(op.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(counts_how_operations_end)
{
    constexpr struct
    {
        const char* what;
        bool call, forced, has_error;
        std::size_t finished, terminated;
        std::uint64_t others;
    } rows[] = {
        {"a call that ends by itself", true, false, false, 1, 0, 0},
        {"a map that ends by itself", false, false, false, 1, 0, 1},
        {"a map that is ended by force", false, true, false, 0, 1, 1},
        {"a call that is ended by force", true, true, false, 0, 1, 0},
        {"one that had failed before", true, true, true, 1, 0, 0},
    };
    for (const auto& row : rows)
        BOOST_TEST_CONTEXT(row.what)
        {
            table_fixture f;
            operation_state& op = f.add(row.call ? call() : operation_traits{});
            if (row.has_error)
                op.final_error = std::make_exception_ptr(std::runtime_error("failed"));
            if (row.forced)
                f.table.end_by_force(op);
            f.table.take(op);
            BOOST_TEST(f.table.ended().finished == row.finished);
            BOOST_TEST(f.table.ended().terminated == row.terminated);
            BOOST_TEST(f.table.others_ended() == row.others);
        }
    table_fixture f;
    f.table.count_refused(call());
    BOOST_TEST(f.table.others_ended() == 0u);
    f.table.count_refused({});
    BOOST_TEST(f.table.others_ended() == 1u);
    BOOST_TEST(f.table.ended().finished == 0u);
}

BOOST_AUTO_TEST_CASE(those_that_end_by_force_are_come_to_once)
{
    table_fixture f;
    f.add();
    operation_state& second = f.add();
    f.add();
    f.table.end_by_force(second);
    BOOST_TEST(f.left() == (ids{1, 3}), boost::test_tools::per_element());
    BOOST_TEST(f.table.size() == 3u);
    while (operation_state* const op = f.table.first())
        f.table.end_by_force(*op);
    BOOST_TEST(f.table.all_end_by_force());
    BOOST_TEST(f.table.size() == 3u); // they are not over yet
    f.table.take(second);
    BOOST_TEST(f.table.size() == 2u);
}

BOOST_AUTO_TEST_CASE(operations_are_looked_at_in_the_order_in_which_they_were_touched)
{
    table_fixture f;
    operation_state& first = f.add();
    operation_state& second = f.add();
    operation_state& third = f.add();
    BOOST_TEST(!f.table.any_touched());
    f.table.touch(third);
    f.table.touch(first);
    f.table.touch(third); // stands there already
    f.table.touch(second);
    f.table.take(second); // over: nobody looks at it
    BOOST_TEST(f.table.take_touched() == &third);
    f.table.touch(third); // again, behind the others
    BOOST_TEST(f.table.take_touched() == &first);
    BOOST_TEST(f.table.take_touched() == &third);
    BOOST_TEST(!f.table.take_touched());
}

BOOST_AUTO_TEST_CASE(a_stream_rests_until_something_happens)
{
    constexpr struct
    {
        const char* what;
        void (*change)(operation_table&, operation_state&);
        bool all_rest;
    } rows[] = {
        {"nothing", [](operation_table&, operation_state&) {}, true},
        {"it rests already", [](operation_table& t, operation_state& op) { t.rest(op); }, true},
        {"its reader wants more", [](operation_table& t, operation_state& op) { t.wake(op); }, false},
        {"it is touched", [](operation_table& t, operation_state& op) { t.touch(op); }, false},
        {"it is over", [](operation_table& t, operation_state& op) { t.take(op); }, true},
    };
    for (const auto& row : rows)
        BOOST_TEST_CONTEXT(row.what)
        {
            table_fixture f;
            operation_state& first = f.add(stream());
            operation_state& second = f.add(stream());
            BOOST_TEST(!f.table.all_rest());
            f.table.rest(first);
            BOOST_TEST(!f.table.all_rest());
            f.table.rest(second);
            BOOST_TEST(f.table.all_rest());
            row.change(f.table, first);
            BOOST_TEST(f.table.all_rest() == row.all_rest);
        }
}

BOOST_AUTO_TEST_CASE(limits_come_due)
{
    table_fixture f;
    BOOST_TEST((f.table.next_limit() == time_point::max()));
    f.add();
    BOOST_TEST((f.table.next_limit() == time_point::max()));
    operation_state& late = f.add({}, f.now + 3s);
    operation_state& waits = f.add({}, f.now + 5s, f.now + 1s); // to have begun before its deadline
    BOOST_TEST((f.table.next_limit() == f.now + 1s));
    BOOST_TEST(!f.table.take_late(f.now));
    BOOST_TEST(f.table.take_late(f.now + 1s) == &waits);
    BOOST_TEST(!f.table.take_late(f.now + 1s));
    f.table.expect_deadline(waits);
    BOOST_TEST(f.table.take_late(f.now + 9s) == &late);
    BOOST_TEST((f.table.next_limit() == f.now + 5s));
    f.table.take(waits);
    BOOST_TEST((f.table.next_limit() == time_point::max()));
}

BOOST_AUTO_TEST_SUITE_END()
