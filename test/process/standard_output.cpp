// SPDX-License-Identifier: BSL-1.0
// What tasks write to a standard output that is no terminal.
#include <twat/mp.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

namespace mp = twat::mp;
namespace asio = boost::asio;

BOOST_AUTO_TEST_SUITE(test_standard_output)

/// A file in the place of standard output, for workers that are started meanwhile.
class redirected
{
public:
    redirected()
    {
        std::fflush(stdout);
        std::cout.flush();
        const int file = ::mkstemp(name_);
        ::dup2(file, 1);
        ::close(file);
    }
    ~redirected()
    {
        restore();
        ::unlink(name_);
    }
    void restore()
    {
        if (before_ < 0)
            return;
        ::dup2(before_, 1);
        ::close(before_);
        before_ = -1;
    }
    std::string text() const
    {
        std::ifstream file(name_);
        return {std::istreambuf_iterator<char>(file), {}};
    }

private:
    char name_[32] = "/tmp/twat_mp_output_XXXXXX";
    int before_ = ::dup(1);
};

struct fixture
{
    redirected output;
    std::unique_ptr<mp::process_pool> pool;

    fixture()
    {
        mp::pool_options options;
        options.nodes = 1;
        pool = std::make_unique<mp::process_pool>(options);
        pool->start();
        output.restore();
    }
};

int print(int x)
{
    std::printf("task %d\n", x);
    return x;
}

BOOST_FIXTURE_TEST_CASE(what_a_task_prints_is_there_when_its_result_is, fixture)
{
    BOOST_TEST(pool->apply(print, 1) == 1);
    BOOST_TEST(output.text() == "task 1\n");
    BOOST_TEST(pool->map(print, std::vector{2, 3}).size() == 2u);
    BOOST_TEST(output.text() == "task 1\ntask 2\ntask 3\n");
}

BOOST_FIXTURE_TEST_CASE(it_need_be_no_whole_line, fixture)
{
    pool->apply([] { std::cout << "half "; });
    BOOST_TEST(output.text() == "half ");
}

BOOST_FIXTURE_TEST_CASE(what_a_task_prints_that_fails_is_there, fixture)
{
    BOOST_CHECK_THROW(pool->apply([] {
        std::cout << "then it threw\n";
        throw std::runtime_error("x");
    }),
                      std::runtime_error);
    BOOST_TEST(output.text() == "then it threw\n");
}

BOOST_FIXTURE_TEST_CASE(a_stream_that_does_not_go_through_c_is_no_exception, fixture)
{
    pool->apply([] { std::ios::sync_with_stdio(false); });
    pool->apply([] { std::cout << "a\n"; });
    BOOST_TEST(output.text() == "a\n");
}

asio::awaitable<int> print_later(int x)
{
    std::printf("coroutine %d\n", x);
    co_return x;
}

BOOST_FIXTURE_TEST_CASE(what_a_coroutine_prints_is_there_when_its_result_is, fixture)
{
    BOOST_TEST(pool->apply(print_later, 1) == 1);
    BOOST_TEST(output.text() == "coroutine 1\n");
}

BOOST_FIXTURE_TEST_CASE(what_finished_tasks_printed_survives_a_crash_behind_them, fixture)
{
    const auto results = pool->with({.chunk_size = 4})
                             .try_map(
                                 [](int x) {
                                     if (x == 3)
                                         std::abort();
                                     std::printf("%d ", x);
                                 },
                                 std::vector{0, 1, 2, 3});
    BOOST_TEST(results.at(2).has_value());
    BOOST_TEST(results.at(3).has_error());
    BOOST_TEST(output.text() == "0 1 2 ");
}

BOOST_AUTO_TEST_CASE(what_the_initializer_prints_is_there_when_the_worker_is_ready)
{
    redirected output;
    mp::pool_options options;
    options.nodes = 1;
    options.initializer = mp::task([] { std::printf("ready\n"); });
    mp::process_pool pool(options);
    pool.start();
    output.restore();
    BOOST_TEST(output.text() == "ready\n");
}

BOOST_AUTO_TEST_CASE(an_asynchronous_pool_that_leaves_its_scope_loses_no_output)
{
    redirected output;
    asio::io_context context;
    std::optional<mp::async_multi_pool> pool(std::in_place, context, 2);
    std::vector inputs{1, 2, 3};
    bool done = false;
    pool->map(print, inputs, [&](std::exception_ptr error, std::vector<int>) {
        done = !error;
        pool.reset();
    });
    context.run();
    output.restore();
    BOOST_TEST(done);
    for (const char* line : {"task 1\n", "task 2\n", "task 3\n"})
        BOOST_TEST((output.text().find(line) != std::string::npos));
}

BOOST_AUTO_TEST_SUITE_END()
