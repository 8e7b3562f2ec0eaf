// SPDX-License-Identifier: BSL-1.0
#include "blocking_pools.hpp"

#include <boost/exception/get_error_info.hpp>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <system_error>

#include <unistd.h>

#include <twat/mp/exceptions.hpp>
#include <twat/mp/inline_pool.hpp>
#include <twat/mp/retry.hpp>

#include "io_context_fixture.hpp"
#include "scratch_folder.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;
using boost::test_tools::per_element;

namespace {

using all_blocking_pools = boost::mp11::mp_list<thread_pool, process_pool, inline_pool, inline_process_pool>;

/// A folder in which tasks of all processes count how often they ran.
struct folder : scratch_folder
{
    folder() : scratch_folder("retry") {}

    std::vector<std::pair<std::string, int>> jobs(int count) const { return numbered_jobs(path.string(), count); }
};

int runs_of(const std::string& path, int task)
{
    std::ofstream(path + "/" + std::to_string(task), std::ios::app) << "x";
    return static_cast<int>(std::filesystem::file_size(path + "/" + std::to_string(task)));
}

/// Task `x` fails `x` times.
int fail_as_often(std::string path, int x)
{
    const int run = runs_of(path, x);
    path.clear(); // the next attempt has its own
    if (run <= x)
        throw std::runtime_error("attempt " + std::to_string(run));
    return 10 * x;
}

int fail_by_code(const std::string& path, int x)
{
    if (runs_of(path, x) == 1)
        throw std::system_error(
            std::make_error_code(x == 0 ? std::errc::connection_reset : std::errc::permission_denied));
    return x;
}

asio::awaitable<int> fail_later(std::string path, int x) { co_return fail_as_often(path, x); }

std::size_t attempts_of(const std::exception_ptr& error)
{
    try {
        std::rethrow_exception(error);
    }
    catch (const boost::exception& e) {
        const std::size_t* attempts = boost::get_error_info<errinfo_attempts>(e);
        return attempts ? *attempts : 0;
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_retry)

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_that_throw_are_run_again, Pool, all_blocking_pools)
{
    Pool pool;
    const std::vector<int> results{0, 10, 20};
    {
        folder f;
        BOOST_TEST(pool.with({.retry = {.attempts = 3}}).starmap(fail_as_often, f.jobs(3)) == results, per_element());
        BOOST_TEST(pool.stats().retried == 3u);
        BOOST_TEST(pool.stats().failed == 0u);
    }
    {
        folder f; // elements of its own, and coroutines
        BOOST_TEST(pool.with({.retry = {.attempts = 3, .backoff = 1ms}})
                           .starmap(fail_later, f.jobs(3) | std::views::take(3)) == results,
                   per_element());
    }
    folder f;
    BOOST_TEST(pool.with({.retry = {.attempts = 3}}).apply(fail_as_often, f.path.string(), 2) == 20);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_last_exception_arrives, Pool, all_blocking_pools)
{
    Pool pool;
    folder f;
    const auto results =
        pool.with({.chunk_size = 2, .retry = {.attempts = 2}})
            .try_map([](const std::pair<std::string, int>& job) { return fail_as_often(job.first, job.second); },
                     f.jobs(3));
    BOOST_TEST(*results.at(0) == 0);
    BOOST_TEST(*results.at(1) == 10);
    BOOST_TEST_REQUIRE(results.at(2).has_error());
    BOOST_TEST(what_of(results.at(2).error()) == "attempt 2");
    BOOST_TEST(attempts_of(results.at(2).error()) == 2u);
    BOOST_TEST((task_index(results.at(2).error()) == 2u));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_policy_says_which, Pool, all_blocking_pools)
{
    Pool pool;
    folder f;
    const auto by_code =
        pool.with({.retry = {.attempts = 5, .on = retry_on::transient}})
            .try_map([](const std::pair<std::string, int>& job) { return fail_by_code(job.first, job.second); },
                     f.jobs(2));
    BOOST_TEST(by_code.at(0).has_value());
    BOOST_TEST_REQUIRE(by_code.at(1).has_error());
    BOOST_TEST(attempts_of(by_code.at(1).error()) == 1u);
    folder g;
    const retry_on domain = retry_on::type<std::domain_error, std::out_of_range>();
    BOOST_CHECK_THROW(pool.with({.retry = {.attempts = 5, .on = domain}}).starmap(fail_as_often, g.jobs(2)),
                      std::runtime_error);
    BOOST_TEST(pool.with({.retry = {.attempts = 5, .on = retry_on::type<std::runtime_error>()}})
                   .starmap(fail_as_often, g.jobs(2))
                   .size() == 2u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(streams_and_parts_are_retried, Pool, all_blocking_pools)
{
    Pool pool;
    folder f;
    int sum = 0;
    for (const int x :
         pool.with({.retry = {.attempts = 4, .backoff = 1ms}})
             .imap([](const std::pair<std::string, int>& job) { return fail_as_often(job.first, job.second); },
                   f.jobs(4)))
        sum += x;
    BOOST_TEST(sum == 60);
    folder g;
    const auto jobs = g.jobs(3);
    BOOST_TEST(pool.with({.chunk_size = 1, .retry = {.attempts = 3}})
                   .reduce([](const std::pair<std::string, int>& job) { return fail_as_often(job.first, job.second); },
                           std::plus<>(), 0, jobs) == 30);
}

BOOST_AUTO_TEST_CASE(what_threads_cannot_copy_is_refused)
{
    thread_pool pool(1);
    const auto with_owner = [](std::unique_ptr<int> x) { return *x; };
    BOOST_TEST(pool.apply(with_owner, std::make_unique<int>(3)) == 3);
    BOOST_CHECK_EXCEPTION(pool.with({.retry = {.attempts = 2}}).apply(with_owner, std::make_unique<int>(3)),
                          std::invalid_argument, [](const std::invalid_argument& e) {
                              return std::string(e.what()).find("call_options::retry") != std::string::npos;
                          });
}

BOOST_AUTO_TEST_CASE(bad_policies_are_refused)
{
    thread_pool pool(1);
    const auto names = [](const char* member) {
        return [member](const std::invalid_argument& e) {
            return std::string(e.what()).find(member) != std::string::npos;
        };
    };
    BOOST_CHECK_EXCEPTION(pool.with({.retry = {.attempts = 0}}), std::invalid_argument, names("retry.attempts"));
    BOOST_CHECK_EXCEPTION(pool.with({.retry = {.backoff = -1ms}}), std::invalid_argument, names("retry.backoff"));
    BOOST_CHECK_EXCEPTION(pool.with({.retry = {.jitter = 2}}), std::invalid_argument, names("retry.jitter"));
    static_assert(std::is_trivially_destructible_v<call_options>);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(awaitable_pools_retry, Pool, awaitable_pools, io_context_fixture)
{
    this->run_coro([&]() -> asio::awaitable<void> {
        Pool pool(this->ctx, 2);
        folder f;
        auto patient = pool.with({.retry = {.attempts = 3, .backoff = 1ms}});
        const auto jobs = f.jobs(3);
        const auto results = co_await patient.starmap(fail_as_often, jobs);
        BOOST_TEST(results == (std::vector<int>{0, 10, 20}), per_element());
        co_await pool.join();
    });
}

BOOST_AUTO_TEST_SUITE_END()
