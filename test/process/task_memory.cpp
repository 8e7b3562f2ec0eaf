// SPDX-License-Identifier: BSL-1.0
// pool_options::max_memory_per_child.
#include <twat/mp.hpp>

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include "sanitizers.hpp"

namespace mp = twat::mp;
namespace asio = boost::asio;

// Whose shadow memory is more than any limit.
#if !TWAT_MP_TEST_ASAN && !TWAT_MP_TEST_TSAN

BOOST_AUTO_TEST_SUITE(test_task_memory)

constexpr std::size_t mib = std::size_t(1) << 20;

struct fixture
{
    static mp::pool_options options()
    {
        mp::pool_options made;
        made.nodes = 1;
        made.max_memory_per_child = 200 * mib;
        return made;
    }
    mp::process_pool pool{options()};
};

std::size_t fill(std::size_t size) { return std::vector<char>(size, 'x').size(); }
int pid() { return ::getpid(); }

BOOST_FIXTURE_TEST_CASE(a_vector_that_is_too_large_is_bad_alloc_and_the_worker_lives, fixture)
{
    const int before = pool.apply(pid);
    for (int i = 0; i < 3; ++i)
        BOOST_CHECK_THROW(pool.apply(fill, 1000 * mib), std::bad_alloc);
    BOOST_TEST(pool.apply(fill, 100 * mib) == 100 * mib);
    BOOST_TEST(pool.apply(pid) == before);
}

std::vector<std::vector<char>> kept;

std::size_t keep(std::size_t size)
{
    kept.emplace_back(size, 'x');
    return kept.size();
}

BOOST_FIXTURE_TEST_CASE(what_tasks_have_kept_counts_and_leaves_the_worker_able_to_say_so, fixture)
{
    std::size_t last = 0;
    try {
        for (;;)
            last = pool.apply(keep, 10 * mib);
    }
    catch (const std::bad_alloc&) {
    }
    BOOST_TEST(last > 10u);
    BOOST_TEST(last <= 20u);
    try {
        for (;;)
            pool.apply(keep, std::size_t(1000)); // up to the brim
    }
    catch (const std::bad_alloc&) {
    }
    const std::string large(8 * mib, 'x');
    BOOST_CHECK_THROW(pool.apply([](std::string text) { return text + text; }, large), std::bad_alloc);
    BOOST_TEST(pool.stats().died == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_task_that_cannot_stand_it_ends_its_worker_which_says_why, fixture)
{
    try {
        pool.apply([](std::size_t size) noexcept { return std::vector<char>(size).size(); }, 1000 * mib);
        BOOST_ERROR("the task returned");
    }
    catch (const mp::worker_died& e) {
        BOOST_TEST((std::string(e.what()).find("pool_options::max_memory_per_child") != std::string::npos), e.what());
        BOOST_TEST((std::string(e.what()).find("209715200 bytes") != std::string::npos), e.what());
    }
    try { // as libraries of C do
        pool.apply([](std::size_t size) { return std::malloc(size) ? 1 : (std::abort(), 0); }, 1000 * mib);
        BOOST_ERROR("the task returned");
    }
    catch (const mp::worker_died& e) {
        BOOST_TEST(e.signal() == SIGABRT);
        BOOST_TEST(
            (std::string(e.what()).find("209715200 bytes by pool_options::max_memory_per_child") != std::string::npos),
            e.what());
    }
    try {
        pool.apply([] { ::kill(::getpid(), SIGKILL); });
        BOOST_ERROR("the task returned");
    }
    catch (const mp::worker_died& e) {
        BOOST_TEST((std::string(e.what()).find("max_memory") == std::string::npos), e.what());
    }
    BOOST_TEST(pool.apply(fill, mib) == mib);
}

asio::awaitable<std::size_t> fill_later(std::size_t size) { co_return fill(size); }

BOOST_FIXTURE_TEST_CASE(coroutine_tasks_have_it_too, fixture)
{
    BOOST_CHECK_THROW(pool.apply(fill_later, 1000 * mib), std::bad_alloc);
    BOOST_TEST(pool.apply(fill_later, mib) == mib);
    BOOST_TEST(pool.stats().died == 0u);
}

BOOST_FIXTURE_TEST_CASE(shared_memory_of_the_library_does_not_count, fixture)
{
    // A megabyte at a time in the worker's own memory, though a hundred of them lie in what is shared.
    const std::vector<std::string> large(100, std::string(mib, 'x'));
    const auto sizes = pool.map([](const std::string& text) { return text.size(); }, large);
    BOOST_TEST(sizes.size() == 100u);
    BOOST_TEST(pool.stats().died == 0u);
}

BOOST_AUTO_TEST_CASE(without_it_there_is_no_limit)
{
    mp::process_pool pool(1);
    const auto limit = [] {
        rlimit now{};
        ::getrlimit(RLIMIT_DATA, &now);
        return now.rlim_cur;
    };
    rlimit own{};
    ::getrlimit(RLIMIT_DATA, &own);
    BOOST_TEST(pool.apply(limit) == own.rlim_cur);
}

BOOST_AUTO_TEST_SUITE_END()

#endif
