// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/error.hpp>
#include <twat/mp/multi_pool.hpp>

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace twat::mp;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_spin)

namespace {

int twice(int x)
{
    if (x < 0)
        throw std::domain_error("negative");
    return 2 * x;
}

int pid_of(int) { return ::getpid(); }

/// As in /proc: R runs, S sleeps.
char state_of(int pid)
{
    std::string text;
    std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), text);
    const auto behind_name = text.rfind(')');
    return behind_name == text.npos ? '?' : text.at(behind_name + 2);
}

pool_options spinning(std::size_t nodes, duration spin)
{
    pool_options options;
    options.nodes = nodes;
    options.spin = spin;
    return options;
}

} // namespace

BOOST_AUTO_TEST_CASE(calls_are_answered_as_ever)
{
    process_pool pool(spinning(3, 200us));
    for (int i = 0; i < 500; ++i) {
        BOOST_TEST(pool.apply(&twice, i) == 2 * i);
        if (i % 50 == 0)
            std::this_thread::sleep_for(1ms); // now and then longer than anybody spins
    }
    BOOST_CHECK_THROW(pool.apply(&twice, -1), std::domain_error);
    BOOST_TEST(pool.map(&twice, std::vector<int>{1, 2, 3}) == (std::vector<int>{2, 4, 6}));
}

BOOST_AUTO_TEST_CASE(an_idle_worker_sleeps)
{
    process_pool pool(spinning(1, 10ms));
    const int pid = pool.apply(&pid_of, 0);
    char state = state_of(pid);
    for (int i = 0; i < 3000 && state != 'S'; ++i) {
        std::this_thread::sleep_for(10ms);
        state = state_of(pid);
    }
    BOOST_TEST(state == 'S');
    BOOST_TEST(pool.apply(&pid_of, 0) == pid);
}

BOOST_AUTO_TEST_CASE(a_pool_that_spins_can_be_terminated)
{
    process_pool pool(spinning(2, 1h));
    BOOST_TEST(pool.apply(&twice, 4) == 8);
    pool.terminate();
    BOOST_CHECK_THROW(pool.apply(&twice, 4), error);
}

BOOST_AUTO_TEST_SUITE_END()
