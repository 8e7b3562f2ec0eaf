// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/detail/operation/task_gate.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <set>
#include <thread>

using namespace twat::mp::detail;
namespace data = boost::unit_test::data;

namespace {

// With the fence of the system, where there is one, and without it.
std::set<bool> kinds() { return {false, task_gate::has_heavy_fence()}; }

} // namespace

BOOST_AUTO_TEST_SUITE(test_task_gate)

BOOST_DATA_TEST_CASE(lets_every_task_begin, data::make(kinds()), light)
{
    task_gate gate(3, light);
    BOOST_TEST(gate.begin(0));
    BOOST_TEST(gate.begin(1));
    BOOST_TEST(gate.begin(1)); // again
    BOOST_TEST(gate.begin(2));
    BOOST_TEST(!gate.begin(3));
    BOOST_TEST(gate.begun() == 3u);
    BOOST_TEST(gate.close().begun == 3u);
}

BOOST_DATA_TEST_CASE(what_was_not_begun_never_begins_once_it_is_closed, data::make(kinds()), light)
{
    task_gate gate(5, light);
    BOOST_TEST(gate.begin(0));
    BOOST_TEST(gate.begin(1));
    const auto closed = gate.close();
    BOOST_TEST(closed.begun == 2u);
    BOOST_TEST(closed.first);
    BOOST_TEST(gate.begin(1));
    BOOST_TEST(!gate.begin(2));
    BOOST_TEST(gate.begun() == 2u);
    BOOST_TEST(gate.close().begun == 2u);
    BOOST_TEST(!gate.close().first);
}

// The thread and the one that closes must agree about every task, whenever they meet.
BOOST_DATA_TEST_CASE(both_sides_agree, data::make(kinds()), light)
{
    constexpr std::size_t count = 400;
    std::size_t stopped_early = 0;
    for (std::size_t round = 0; round < 300; ++round) {
        task_gate gate(count, light);
        std::atomic<bool> under_way = false;
        std::size_t begun = 0;
        std::thread worker([&] {
            under_way = true;
            while (gate.begin(begun))
                ++begun;
        });
        while (!under_way) {
        }
        while (gate.begun() < round && gate.begun() < count - 1) {
        }
        const std::size_t told = gate.close().begun;
        worker.join();
        BOOST_TEST(begun == told);
        stopped_early += told < count;
    }
    BOOST_TEST_MESSAGE("closed before the end: " << stopped_early);
}

BOOST_AUTO_TEST_SUITE_END()
