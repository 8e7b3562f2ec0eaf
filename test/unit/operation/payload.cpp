// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/detail/operation/payload.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include <twat/mp/codec.hpp>
#include <twat/mp/shared_vector.hpp>

using namespace twat::mp;
using namespace twat::mp::detail;
using boost::test_tools::per_element;

BOOST_AUTO_TEST_SUITE(test_operation_payload)

namespace {

/// Tasks of different sizes, each with a block of its own.
struct fixture
{
    fixture()
    {
        for (std::size_t i = 0; i < 4; ++i) {
            blocks.emplace_back(1);
            blocks.back()[0] = static_cast<int>(i);
            tasks.writer().write(std::string(i, 'x'));
            tasks.writer().write(blocks.back());
            tasks.end_task();
        }
    }

    /// What the tasks refer to, if it is there: once the arrays are gone, only what goes along keeps it.
    std::vector<int> values_of(const payload& from)
    {
        blocks.clear();
        const auto& all = static_cast<const encoded_payload&>(from);
        std::vector<int> found;
        for (std::size_t i = 0; i != all.size(); ++i) {
            decoder in(all[i]);
            in.read<std::string>();
            found.push_back(in.read<shared_vector<int>>()[0]);
        }
        return found;
    }

    encoded_payload tasks;
    std::vector<shared_vector<int>> blocks;
};

} // namespace

BOOST_FIXTURE_TEST_CASE(each_part_keeps_its_memory, fixture)
{
    const auto tail = tasks.split(1);
    const auto copy = tail->copy(1), again = tail->extract(2);
    BOOST_TEST(values_of(tasks) == (std::vector<int>{0}), per_element());
    BOOST_TEST(values_of(*copy) == (std::vector<int>{2}), per_element());
    BOOST_TEST(values_of(*again) == (std::vector<int>{3}), per_element());
    BOOST_TEST(values_of(*tail) == (std::vector<int>{1, 2, 3}), per_element());
    BOOST_TEST(static_cast<const encoded_payload&>(*copy).sent()->size() == 1u);
    BOOST_TEST(tasks.sent()->size() == 1u);
}

// A message has each of them once.
BOOST_FIXTURE_TEST_CASE(blocks_count_once_however_many_tasks_have_them, fixture)
{
    encoded_payload pairs;
    BOOST_TEST(pairs.descriptors() == 0u);
    for (int i = 0; i < 10; ++i) {
        pairs.writer().write(blocks[0]);
        pairs.writer().write(blocks[1]);
        pairs.end_task();
    }
    BOOST_TEST(pairs.descriptors() == 2u);
    BOOST_TEST(tasks.descriptors() == 4u);
}

BOOST_FIXTURE_TEST_CASE(tasks_are_appended_with_their_memory, fixture)
{
    const auto tail = tasks.split(2);
    tasks.split(1);
    tasks.append(static_cast<const encoded_payload&>(*tail));
    BOOST_TEST(static_cast<const encoded_payload&>(*tasks.extract(1)).sent()->size() == 1u);
    BOOST_TEST(values_of(tasks) == (std::vector<int>{0, 2, 3}), per_element());
}

BOOST_FIXTURE_TEST_CASE(one_that_is_dropped_lets_go_of_its_memory, fixture)
{
    tasks.writer().write(blocks[0]);
    tasks.drop_task();
    BOOST_TEST(tasks.sent()->size() == 4u);
    tasks.forget_sent(); // which is for descriptors
    BOOST_TEST(values_of(tasks).size() == 4u);
}

BOOST_AUTO_TEST_SUITE_END()
