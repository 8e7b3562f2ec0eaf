// SPDX-License-Identifier: BSL-1.0
// Faults that a pool makes by itself.
#include <twat/mp.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <algorithm>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace twat::mp;
using namespace std::chrono_literals;

namespace {

int square(int i) { return i * i; }

int nap(int i)
{
    std::this_thread::sleep_for(1ms);
    return i;
}

asio::awaitable<int> coroutine(int i)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
    co_await timer.async_wait(asio::use_awaitable);
    co_return i;
}

std::vector<int> numbers(int n)
{
    std::vector<int> all(static_cast<std::size_t>(n));
    std::iota(all.begin(), all.end(), 0);
    return all;
}

/// The tasks that died.
template <class F>
std::set<std::size_t> died(const pool_options& options, F f, int n)
{
    process_pool pool(options);
    const auto results = pool.try_map(f, numbers(n));
    std::set<std::size_t> failed;
    for (std::size_t i = 0; i != results.size(); ++i) {
        if (results[i].has_value())
            continue;
        failed.insert(i);
        try {
            std::rethrow_exception(results[i].error());
        }
        catch (const worker_died& e) {
            BOOST_TEST(e.signal() == SIGKILL);
            BOOST_TEST(e.task_index() == i);
        }
    }
    pool.join(); // counters may lag behind a result
    BOOST_TEST(pool.stats().chaos.kills == failed.size());
    BOOST_TEST(pool.stats().died == failed.size());
    return failed;
}

/// As long as it lives, an environment variable has a value.
class variable
{
public:
    variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
    variable(const variable&) = delete;
    variable& operator=(const variable&) = delete;
    ~variable() { ::unsetenv(name_); }

private:
    const char* name_;
};

/// What is written to the standard error as long as it lives.
class captured_errors
{
public:
    captured_errors()
    {
        if (::pipe(ends_) != 0)
            throw std::runtime_error("pipe");
        before_ = ::dup(2);
        ::dup2(ends_[1], 2);
    }
    captured_errors(const captured_errors&) = delete;
    captured_errors& operator=(const captured_errors&) = delete;
    ~captured_errors() { text(); }

    std::string text()
    {
        if (before_ >= 0) {
            ::dup2(before_, 2);
            ::close(before_);
            ::close(ends_[1]);
            before_ = -1;
            char bytes[4096];
            for (ssize_t n; (n = ::read(ends_[0], bytes, sizeof bytes)) > 0;)
                text_.append(bytes, static_cast<std::size_t>(n));
            ::close(ends_[0]);
        }
        return text_;
    }

private:
    int ends_[2];
    int before_;
    std::string text_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_chaos)

BOOST_AUTO_TEST_CASE(the_same_tasks_die_whatever_the_number_of_workers)
{
    const chaos_options chaos{.seed = 7, .kill = 0.1};
    const auto once = died({.nodes = 2, .chaos = chaos}, nap, 150);
    BOOST_TEST(once.size() > 2);
    BOOST_TEST(once.size() < 50);
    BOOST_TEST(once == died({.nodes = 1, .chaos = chaos}, nap, 150), boost::test_tools::per_element());
    BOOST_TEST(once == died({.nodes = 3, .chaos = chaos}, square, 150), boost::test_tools::per_element());
    BOOST_TEST((once != died({.nodes = 2, .chaos = {.seed = 8, .kill = 0.1}}, square, 150)));
}

BOOST_AUTO_TEST_CASE(coroutine_tasks_die_too)
{
    const auto failed = died({.nodes = 2, .child_concurrency = 1, .chaos = {.seed = 7, .kill = 0.1}}, coroutine, 100);
    BOOST_TEST(!failed.empty());
}

BOOST_AUTO_TEST_CASE(retries_make_up_for_it)
{
    process_pool pool({.nodes = 2, .chaos = {.seed = 7, .kill = 0.2}});
    const auto results = pool.with({.retries = 20}).map(nap, numbers(100));
    BOOST_TEST(results == numbers(100), boost::test_tools::per_element());
    BOOST_TEST(pool.stats().chaos.kills > 5);
    BOOST_TEST(pool.stats().failed == 0);
}

BOOST_AUTO_TEST_CASE(late_results_meet_timeouts)
{
    process_pool pool({.nodes = 2, .chaos = {.delay = {0.5, 300s}}});
    const auto results = pool.with({.timeout = 300ms}).try_map(square, numbers(12));
    std::size_t late = 0;
    for (const auto& r : results)
        if (!r.has_value() && ++late)
            BOOST_TEST((code_of(r.error()) == errc::task_timed_out));
    BOOST_TEST(late != 0);
    BOOST_TEST(late != results.size());
}

BOOST_AUTO_TEST_CASE(late_results_are_counted)
{
    process_pool processes({.nodes = 2, .chaos = {.seed = 5, .delay = {0.3, 1ms}}});
    thread_pool threads({.nodes = 2, .chaos = {.seed = 5, .delay = {0.3, 1ms}}});
    for (const auto& f : {square, nap}) {
        BOOST_TEST(processes.map(f, numbers(60)).size() == 60);
        BOOST_TEST(threads.map(f, numbers(60)).size() == 60);
    }
    BOOST_TEST(processes.map(coroutine, numbers(60)).size() == 60);
    BOOST_TEST(threads.map(coroutine, numbers(60)).size() == 60);
    BOOST_TEST(processes.stats().chaos.delays > 20);
    BOOST_TEST(processes.stats().chaos.delays < 100);
    BOOST_TEST(processes.stats().chaos.delays == threads.stats().chaos.delays);
}

BOOST_AUTO_TEST_CASE(slow_starts_meet_the_start_timeout)
{
    process_pool patient({.nodes = 2, .chaos = {.slow_start = 100ms}});
    const auto began = std::chrono::steady_clock::now();
    patient.start();
    BOOST_TEST((std::chrono::steady_clock::now() - began >= 100ms));
    BOOST_TEST(patient.stats().chaos.slow_starts >= 2);
    thread_pool threads({.nodes = 2, .chaos = {.slow_start = 50ms}});
    threads.start();
    BOOST_TEST(threads.stats().chaos.slow_starts == 2);
    process_pool hasty({.nodes = 1, .restarts = {.count = 1}, .start_timeout = 100ms, .chaos = {.slow_start = 600s}});
    BOOST_CHECK_EXCEPTION(hasty.start(), std::exception, [](const std::exception&) {
        return code_of(std::current_exception()) == errc::pool_broken ||
               code_of(std::current_exception()) == errc::worker_start_failed;
    });
}

BOOST_AUTO_TEST_CASE(refusals_are_queue_full)
{
    thread_pool pool({.nodes = 1, .chaos = {.seed = 1, .refuse = 0.4}});
    std::string pattern;
    for (int i = 0; i != 50; ++i) {
        try {
            pattern += pool.apply(square, i) == i * i ? '.' : '?';
        }
        catch (const error& e) {
            BOOST_TEST((e.code() == errc::queue_full));
            pattern += 'x';
        }
    }
    const auto refused = static_cast<std::size_t>(std::count(pattern.begin(), pattern.end(), 'x'));
    BOOST_TEST(refused > 5);
    BOOST_TEST(refused < 45);
    BOOST_TEST(pool.stats().chaos.refusals == refused);
    BOOST_TEST(pool.stats().refused == refused);
}

BOOST_AUTO_TEST_CASE(the_environment_is_for_pools_without_chaos_of_their_own)
{
    const variable set("TWAT_MP_CHAOS", "seed=7,kill=1,refuse=1");
    thread_pool threads(1);
    BOOST_CHECK_EXCEPTION(threads.apply(square, 2), error, [](const error& e) { return e.code() == errc::queue_full; });
    thread_pool own({.nodes = 1, .chaos = {.delay = 1ms}});
    BOOST_TEST(own.apply(square, 2) == 4);
}

BOOST_AUTO_TEST_CASE(a_bad_variable_is_refused_by_its_name)
{
    const variable set("TWAT_MP_CHAOS", "kill=often");
    BOOST_CHECK_EXCEPTION(process_pool(1), std::invalid_argument, [](const std::invalid_argument& e) {
        const std::string what = e.what();
        return what.find("TWAT_MP_CHAOS") != std::string::npos && what.find("kill") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(a_bad_option_is_refused_by_its_member)
{
    const auto refused = [](auto make, const char* member) {
        BOOST_CHECK_EXCEPTION(make(), std::invalid_argument, [&](const std::invalid_argument& e) {
            return std::string(e.what()).find(member) != std::string::npos;
        });
    };
    refused([] { process_pool pool({.chaos = {.kill = 1.5}}); }, "chaos.kill");
    refused([] { process_pool pool({.chaos = {.slow_start = -1ms}}); }, "chaos.slow_start.time");
    refused([] { process_pool pool({.chaos = {.delay = {-1, 1ms}}}); }, "chaos.delay.probability");
    refused([] { thread_pool pool({.chaos = {.refuse = 2}}); }, "chaos.refuse");
    refused([] { thread_pool pool({.chaos = {.kill = 0.5}}); }, "chaos.kill");
}

BOOST_AUTO_TEST_CASE(it_says_so)
{
    captured_errors errors;
    {
        process_pool pool({.nodes = 1, .chaos = {.seed = 7, .delay = {0.25, 1ms}}});
        pool.start();
    }
    const std::string text = errors.text();
    BOOST_TEST(text.find("seed=7,delay=0.25:1ms") != std::string::npos);
    BOOST_TEST(text.find("pool_options::chaos") != std::string::npos);
    captured_errors silence;
    {
        process_pool pool(1);
        pool.start();
    }
    BOOST_TEST(silence.text().empty());
}

BOOST_AUTO_TEST_SUITE_END()
