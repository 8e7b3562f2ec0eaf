// SPDX-License-Identifier: BSL-1.0
// Tasks that fork their worker and return in both processes.
#include <twat/mp.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace twat::mp;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

constexpr int forks = 7; // at this input

int fork_and_return(int x)
{
    if (x % 10 == forks && ::fork() == 0)
        return -1;
    return x;
}

int fork_and_throw(int x)
{
    if (x % 10 == forks && ::fork() == 0)
        throw std::runtime_error("from the copy");
    return x;
}

/// Returns late in the copy, when the worker is at other tasks, and much.
std::string fork_and_return_later(int x)
{
    std::string large(200'000, static_cast<char>('a' + x % 10));
    if (x % 10 == forks && ::fork() == 0) {
        std::this_thread::sleep_for(20ms);
        return std::string(200'000, '?');
    }
    return large;
}

/// What the C library is not told of.
int clone_and_return(int x)
{
    if (x % 10 == forks && ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr) == 0)
        return -1;
    return x;
}

asio::awaitable<int> fork_and_go_on(int x)
{
    asio::steady_timer timer(co_await asio::this_coro::executor);
    timer.expires_after(1ms);
    co_await timer.async_wait(asio::use_awaitable);
    const bool copy = x % 10 == forks && ::fork() == 0;
    timer.expires_after(1ms);
    co_await timer.async_wait(asio::use_awaitable);
    co_return copy ? -1 : x;
}

template <class F>
void check(F f)
{
    process_pool pool(2);
    std::vector<int> inputs(200);
    std::iota(inputs.begin(), inputs.end(), 0);
    const auto results = pool.try_map(f, inputs);
    BOOST_TEST_REQUIRE(results.size() == inputs.size());
    for (int x : inputs)
        BOOST_TEST((results[static_cast<std::size_t>(x)].has_value() && *results[static_cast<std::size_t>(x)] == x));
    BOOST_TEST(pool.stats().died == 0u);
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_forks)

BOOST_AUTO_TEST_CASE(the_copy_of_a_worker_gives_no_result) { check(fork_and_return); }

BOOST_AUTO_TEST_CASE(and_no_exception) { check(fork_and_throw); }

BOOST_AUTO_TEST_CASE(nor_one_that_no_fork_handler_saw) { check(clone_and_return); }

BOOST_AUTO_TEST_CASE(nor_does_it_resume_coroutines) { check(fork_and_go_on); }

BOOST_AUTO_TEST_CASE(a_copy_that_returns_late_writes_nothing_into_shared_memory)
{
    process_pool pool(1);
    std::vector<int> inputs(100);
    std::iota(inputs.begin(), inputs.end(), 0);
    const auto results = pool.try_map(fork_and_return_later, inputs);
    for (int x : inputs) {
        const auto& result = results[static_cast<std::size_t>(x)];
        BOOST_TEST((result.has_value() && *result == std::string(200'000, static_cast<char>('a' + x % 10))));
    }
    BOOST_TEST(pool.stats().died == 0u);
}

BOOST_AUTO_TEST_CASE(an_initializer_that_forks_starts_one_worker)
{
    pool_options options;
    options.nodes = 1;
    options.initializer = task([] { ::fork(); });
    process_pool pool(options);
    BOOST_TEST(pool.apply(fork_and_return, 1) == 1);
    BOOST_TEST(pool.stats().died == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
