// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "chaos/plan.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <vector>

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_chaos_plan)

namespace {

constexpr std::uint64_t many = 20'000;

double part(std::size_t hits) { return static_cast<double>(hits) / static_cast<double>(many); }

} // namespace

BOOST_AUTO_TEST_CASE(nothing_happens_by_default)
{
    const chaos_plan plan;
    for (std::uint64_t i = 0; i != 1000; ++i) {
        BOOST_TEST(!plan.refuses(i));
        BOOST_TEST((plan.slow_start(i) == 0ns));
        BOOST_TEST((plan.of_task(i, i, 0).kill == kill_moment::never));
        BOOST_TEST((plan.of_task(i, i, 0).late == 0ns));
    }
}

BOOST_AUTO_TEST_CASE(certain_means_always)
{
    const chaos_plan plan(chaos_options{.seed = 3, .kill = 1, .slow_start = 2ms, .delay = 3ms, .refuse = 1});
    for (std::uint64_t i = 0; i != 1000; ++i) {
        BOOST_TEST(plan.refuses(i));
        BOOST_TEST((plan.slow_start(i) == 2ms));
        BOOST_TEST((plan.of_task(1, i, 0).kill != kill_moment::never));
        BOOST_TEST((plan.of_task(1, i, 0).late == 3ms));
    }
}

BOOST_AUTO_TEST_CASE(as_often_as_asked_for)
{
    const chaos_plan plan(
        chaos_options{.seed = 7, .kill = 0.1, .slow_start = {0.2, 1ms}, .delay = {0.05, 1ms}, .refuse = 0.3});
    std::array<std::size_t, 4> moments{};
    std::size_t refused = 0, slow = 0, late = 0, both = 0;
    for (std::uint64_t i = 0; i != many; ++i) {
        refused += plan.refuses(i);
        slow += plan.slow_start(i) != 0ns;
        const task_fate fate = plan.of_task(1, i, 0);
        ++moments[static_cast<std::size_t>(fate.kill)];
        late += fate.late != 0ns;
        both += fate.kill != kill_moment::never && fate.late != 0ns;
        BOOST_TEST((fate.after >= 0ns && fate.after < 5ms));
    }
    constexpr double around = 0.015;
    BOOST_TEST(std::abs(part(refused) - 0.3) < around);
    BOOST_TEST(std::abs(part(slow) - 0.2) < around);
    BOOST_TEST(std::abs(part(late) - 0.05) < around);
    BOOST_TEST(std::abs(part(both) - 0.005) < around); // one does not follow from the other
    for (std::size_t moment = 1; moment != moments.size(); ++moment)
        BOOST_TEST(std::abs(part(moments[moment]) - 0.1 / 3) < around);
}

BOOST_AUTO_TEST_CASE(a_decision_depends_on_seed_operation_index_and_attempt)
{
    const auto fates = [](std::uint64_t seed, std::uint64_t op, std::uint64_t attempt) {
        const chaos_plan plan(chaos_options{.seed = seed, .kill = 0.5});
        std::vector<int> all;
        for (std::uint64_t i = 0; i != 200; ++i)
            all.push_back(static_cast<int>(plan.of_task(op, i, attempt).kill));
        return all;
    };
    const auto one = fates(1, 1, 0);
    BOOST_TEST(one == fates(1, 1, 0), boost::test_tools::per_element());
    BOOST_TEST((one != fates(2, 1, 0)));
    BOOST_TEST((one != fates(1, 2, 0)));
    BOOST_TEST((one != fates(1, 1, 1)));
    // Not the same dice in another order either.
    BOOST_TEST((chaos_plan(chaos_options{.seed = 1, .kill = 0.5}).of_task(5, 6, 0).after !=
                    chaos_plan(chaos_options{.seed = 1, .kill = 0.5}).of_task(6, 5, 0).after ||
                fates(1, 5, 0) != fates(1, 6, 0)));
}

BOOST_AUTO_TEST_SUITE_END()
