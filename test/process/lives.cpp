// SPDX-License-Identifier: BSL-1.0
// What deaths of workers do to a pool: in a task nothing, outside of tasks they break it for a while.
#include <twat/mp.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

using namespace twat::mp;
using namespace std::chrono_literals;

namespace {

int crash_at_666(int x)
{
    if (x == 666)
        std::abort();
    return x;
}

int named(int x) { return 3 * x; }

/// A file in a folder of its own.
class switch_file
{
public:
    switch_file()
    {
        std::string name = (std::filesystem::temp_directory_path() / "twat-mp-XXXXXX").string();
        if (!::mkdtemp(name.data()))
            throw std::runtime_error("no temporary folder");
        folder_ = name;
    }
    ~switch_file() { std::filesystem::remove_all(folder_); }

    std::string path() const { return folder_ / "file"; }
    void set() const { std::ofstream{path()}; }
    void unset() const { std::filesystem::remove(path()); }

private:
    std::filesystem::path folder_;
};

void initialize_unless(const std::string& file)
{
    if (std::filesystem::exists(file))
        throw std::runtime_error("no database");
}

int break_at_1(const std::string& file, int x)
{
    if (x == 1) {
        std::ofstream{file};
        std::abort();
    }
    return x;
}

/// The codes of an exception and what it nests, outermost first.
std::vector<boost::system::error_code> codes_of(const std::exception_ptr& error)
{
    try {
        std::rethrow_exception(error);
    }
    catch (const std::exception& e) {
        std::vector<boost::system::error_code> codes;
        if (const auto* coded = dynamic_cast<const boost::system::system_error*>(&e))
            codes.push_back(coded->code());
        try {
            std::rethrow_if_nested(e);
        }
        catch (...) {
            const auto inner = codes_of(std::current_exception());
            codes.insert(codes.end(), inner.begin(), inner.end());
        }
        return codes;
    }
}

template <class Call>
std::vector<boost::system::error_code> codes_of(Call call)
{
    try {
        call();
    }
    catch (...) {
        return codes_of(std::current_exception());
    }
    return {};
}

bool is_death(const std::exception_ptr& error)
{
    const auto codes = codes_of(error);
    return !codes.empty() && codes.front() == errc::worker_died;
}

/// Calls until that works. Returns how often it did not.
std::size_t await_mending(process_pool& pool)
{
    for (std::size_t failed = 0;; ++failed) {
        const auto codes = codes_of([&] { BOOST_TEST(pool.apply(crash_at_666, 5) == 5); });
        if (codes.empty())
            return failed;
        BOOST_TEST((codes.front() == errc::pool_broken));
        if (failed == 3000)
            throw std::runtime_error("the pool does not mend");
        std::this_thread::sleep_for(20ms);
    }
}

} // namespace

TWAT_MP_REGISTER(named)

BOOST_AUTO_TEST_SUITE(test_lives)

BOOST_AUTO_TEST_CASE(every_task_but_those_that_crash_has_its_value)
{
    process_pool pool(2);
    std::vector<int> inputs;
    for (int i = 0; i < 8; ++i)
        inputs.insert(inputs.end(), {i, 666});
    const auto results = pool.try_map(crash_at_666, inputs);
    BOOST_TEST_REQUIRE(results.size() == 16u);
    for (std::size_t i = 0; i < 16; ++i)
        if (i % 2 == 0)
            BOOST_TEST((results[i].has_value() && *results[i] == static_cast<int>(i / 2)));
        else
            BOOST_TEST((results[i].has_error() && is_death(results[i].error())));
}

BOOST_AUTO_TEST_CASE(no_number_of_deaths_in_tasks_breaks_a_pool)
{
    process_pool pool(2);
    for (int i = 0; i < 100; ++i)
        BOOST_TEST((codes_of([&] { pool.apply(crash_at_666, 666); }).front() == errc::worker_died));
    BOOST_TEST(pool.apply(crash_at_666, 5) == 5);
    BOOST_TEST(pool.stats().died == 100u);
    BOOST_TEST(pool.stats().lost == 100u);
}

BOOST_AUTO_TEST_CASE(nor_do_workers_that_are_killed_because_of_their_task)
{
    pool_options options;
    options.nodes = 1;
    options.restarts.count = 1;
    options.cancel_grace = 1ms;
    process_pool pool(options);
    for (int i = 0; i < 8; ++i) {
        const auto codes = codes_of([&] {
            pool.with({.timeout = 5ms})
                .apply(
                    [](int) {
                        for (;;)
                            ::pause();
                    },
                    1);
        });
        BOOST_TEST((codes.front() == errc::task_timed_out));
    }
    BOOST_TEST(pool.apply(crash_at_666, 5) == 5);
}

BOOST_AUTO_TEST_CASE(a_pool_whose_initializer_fails_for_a_while_is_broken_for_a_while)
{
    const switch_file down;
    down.set();
    pool_options options;
    options.nodes = 2;
    options.initializer = task(initialize_unless, down.path());
    process_pool pool(options);
    // Those who wait for the workers get the failure itself, those who come later learn that the pool is broken.
    BOOST_TEST((codes_of([&] { pool.start(); }).front() == errc::initializer_failed));
    const auto codes = codes_of([&] { pool.apply(crash_at_666, 5); });
    BOOST_TEST_REQUIRE(codes.size() == 2u);
    BOOST_TEST((codes[0] == errc::pool_broken));
    BOOST_TEST((codes[1] == errc::initializer_failed));
    std::this_thread::sleep_for(1s);
    BOOST_TEST((codes_of([&] { pool.apply(crash_at_666, 5); }).front() == errc::pool_broken)); // it was tried again
    BOOST_TEST(pool.stats().restarts >= 1u);
    down.unset();
    BOOST_TEST(await_mending(pool) >= 1u); // the pause is not over
    pool.start();
    BOOST_TEST(pool.stats().ready == 2u);
}

BOOST_AUTO_TEST_CASE(a_broken_pool_that_nobody_calls_is_no_work)
{
    const switch_file down;
    down.set();
    pool_options options;
    options.nodes = 2;
    options.initializer = task(initialize_unless, down.path());
    boost::asio::io_context context;
    async_multi_pool pool(context, options);
    const auto call = [&] {
        std::exception_ptr error;
        int value = 0;
        pool.apply(crash_at_666, 5, [&](std::exception_ptr e, int v) { error = e, value = v; });
        context.restart();
        context.run(); // returns
        return error ? -1 : value;
    };
    BOOST_TEST(call() == -1);
    down.unset();
    BOOST_TEST(call() == -1);
    std::this_thread::sleep_for(1s);
    BOOST_TEST(call() == 5);
}

BOOST_AUTO_TEST_CASE(a_program_that_was_missing_may_come)
{
    const switch_file program;
    pool_options options;
    options.nodes = 1;
    options.executable = program.path();
    process_pool pool(options);
    BOOST_TEST((codes_of([&] { pool.apply(named, 5); }).front() == errc::worker_start_failed));
    std::filesystem::copy_file("/proc/self/exe", program.path());
    std::this_thread::sleep_for(1s);
    BOOST_TEST(pool.apply(named, 5) == 15);
}

BOOST_AUTO_TEST_CASE(what_has_an_outcome_keeps_it_when_the_pool_breaks)
{
    const switch_file down;
    pool_options options;
    options.nodes = 1;
    options.restarts.count = 1;
    options.initializer = task(initialize_unless, down.path());
    process_pool pool(options);
    const auto f = partial(break_at_1, down.path());
    const auto results = pool.with({.chunk_size = 1}).try_map(f, std::vector<int>{0, 1, 2, 3});
    BOOST_TEST_REQUIRE(results.size() == 4u);
    BOOST_TEST((results[0].has_value() && *results[0] == 0));
    BOOST_TEST((results[1].has_error() && is_death(results[1].error())));
    for (std::size_t i : {2, 3}) {
        BOOST_TEST_REQUIRE(results[i].has_error());
        BOOST_TEST((codes_of(results[i].error()).front() == errc::initializer_failed));
        BOOST_TEST((task_index(results[i].error()) == i));
    }
}

BOOST_AUTO_TEST_CASE(a_stream_gives_what_there_is_before_it_tells_of_the_break)
{
    const switch_file down;
    pool_options options;
    options.nodes = 1;
    options.restarts.count = 1;
    options.initializer = task(initialize_unless, down.path());
    process_pool pool(options);
    const auto f = partial(break_at_1, down.path());
    auto stream = pool.with({.chunk_size = 1}).imap(f, std::vector<int>{0, 1, 2, 3});
    auto at = stream.begin();
    BOOST_TEST(*at == 0);
    BOOST_TEST((codes_of([&] { ++at; }).front() == errc::worker_died));
    BOOST_TEST((codes_of([&] { at = stream.begin(); }).front() == errc::initializer_failed));
    BOOST_TEST((stream.begin() == stream.end()));
}

BOOST_AUTO_TEST_SUITE_END()
