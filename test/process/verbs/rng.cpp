// SPDX-License-Identifier: BSL-1.0
#include "blocking_pools.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>

#include <twat/mp/inline_pool.hpp>
#include <twat/mp/philox.hpp>

#include "io_context_fixture.hpp"

#include <unistd.h>

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;
using boost::test_tools::per_element;

namespace {

using numbers_of_a_task = std::vector<std::uint32_t>;
using all_blocking_pools = boost::mp11::mp_list<thread_pool, process_pool, inline_pool, inline_process_pool>;

constexpr std::uint64_t seed = 0x1234'5678'9abc'def0;

numbers_of_a_task draw(int)
{
    const std::uint32_t first = this_task::rng()();
    return {first, this_task::rng()(), this_task::rng()()};
}

numbers_of_a_task expected(std::uint64_t index, std::uint64_t seed = ::seed)
{
    philox4x32 random(seed, index);
    const std::uint32_t first = random(), second = random();
    return {first, second, random()};
}

std::vector<numbers_of_a_task> expected_of(std::size_t count)
{
    std::vector<numbers_of_a_task> all;
    for (std::size_t i = 0; i != count; ++i)
        all.push_back(expected(i));
    return all;
}

std::uint32_t draw_one(int) { return this_task::rng()(); }

/// Draws while others that run in the same worker do.
asio::awaitable<numbers_of_a_task> draw_between_waits(int)
{
    numbers_of_a_task drawn;
    for (int i = 0; i != 3; ++i) {
        asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
        co_await timer.async_wait(asio::use_awaitable);
        drawn.push_back(this_task::rng()());
    }
    co_return drawn;
}

numbers_of_a_task die_the_first_time(const std::string& mark)
{
    draw(0);
    if (!std::filesystem::exists(mark)) {
        std::ofstream(mark) << "";
        std::raise(SIGKILL);
    }
    return {this_task::rng()()};
}

double normal(int) { return std::normal_distribution<double>(0, 1)(this_task::rng()); }

std::vector<std::uint32_t> draw_nested(int)
{
    thread_pool inner(2);
    const std::uint32_t before = this_task::rng()();
    auto drawn = inner.with({.seed = 7}).map(draw_one, numbers(2));
    drawn.insert(drawn.begin(), before);
    drawn.push_back(this_task::rng()());
    return drawn;
}

bool has_none()
{
    try {
        this_task::rng();
        return false;
    }
    catch (const std::logic_error& e) {
        return std::string(e.what()).find("this_task::rng") != std::string::npos;
    }
}

bool a_thread_has_none()
{
    bool none = false;
    std::thread([&] { none = has_none(); }).join();
    return none;
}

struct set_when_none
{
    void operator()() const
    {
        if (!has_none())
            throw std::runtime_error("the initializer has random numbers of no task");
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_task_rng)

BOOST_AUTO_TEST_CASE_TEMPLATE(numbers_depend_on_seed_and_index_alone, Pool, all_blocking_pools)
{
    const auto inputs = numbers(500);
    const auto wanted = expected_of(inputs.size());
    for (const std::size_t nodes : {1u, 3u})
        for (const std::size_t chunk_size : {0u, 1u, 7u, 500u}) {
            Pool pool([&] {
                pool_options options;
                options.nodes = nodes;
                return options;
            }());
            BOOST_TEST((pool.with({.chunk_size = chunk_size, .seed = seed}).map(draw, inputs) == wanted));
        }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(all_verbs_have_them, Pool, all_blocking_pools)
{
    Pool pool;
    auto seeded = pool.with({.seed = seed});
    const auto inputs = numbers(100);
    BOOST_TEST(seeded.apply(draw, 1) == expected(0), per_element());
    BOOST_TEST((pool.map(draw, numbers(2)).at(1) == expected(1, 0)));
    std::size_t at = 0;
    for (const auto& drawn : seeded.imap(draw, inputs))
        BOOST_TEST(drawn == expected(at++), per_element());
    std::vector<std::uint32_t> firsts;
    for (std::size_t i = 0; i != inputs.size(); ++i)
        firsts.push_back(expected(i)[0]);
    // What is reduced is cut into blocks by the number of workers and by chunks.
    for (const std::size_t chunk_size : {0u, 1u, 9u}) {
        auto cut = pool.with({.chunk_size = chunk_size, .seed = seed});
        BOOST_TEST(cut.reduce([](int) { return std::vector<std::uint32_t>{this_task::rng()()}; },
                              [](std::vector<std::uint32_t> a, const std::vector<std::uint32_t>& b) {
                                  a.insert(a.end(), b.begin(), b.end());
                                  return a;
                              },
                              std::vector<std::uint32_t>(), inputs) == firsts,
                   per_element());
        BOOST_TEST(
            cut.filter([](int x) { return this_task::index() == std::uint64_t(x) && this_task::rng()() % 2 == 0; },
                       inputs)
                .size() == std::size_t(std::ranges::count_if(firsts, [](std::uint32_t x) { return x % 2 == 0; })));
        cut.for_each(
            [](int x) {
                return this_task::index() == std::uint64_t(x) ? void() : throw std::logic_error("another index");
            },
            inputs);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(they_serve_distributions, Pool, all_blocking_pools)
{
    Pool pool;
    const auto drawn = pool.with({.seed = seed}).map(normal, numbers(3));
    for (std::size_t i = 0; i != drawn.size(); ++i) {
        philox4x32 random(seed, i);
        BOOST_TEST(drawn[i] == std::normal_distribution<double>(0, 1)(random));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_coroutine_keeps_its_own_beside_others, Pool, all_blocking_pools)
{
    Pool pool;
    BOOST_TEST((pool.with({.seed = seed}).map(draw_between_waits, numbers(40)) == expected_of(40)));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(awaitable_pools_have_them, Pool, awaitable_pools, io_context_fixture)
{
    const auto inputs = numbers(50);
    this->run_coro([&]() -> asio::awaitable<void> {
        Pool pool(this->ctx, 2);
        auto seeded = pool.with({.seed = seed});
        const auto plain = co_await seeded.map(draw, inputs);
        BOOST_TEST((plain == expected_of(50)));
        const auto coroutines = co_await seeded.map(draw_between_waits, inputs);
        BOOST_TEST((coroutines == expected_of(50)));
        const auto one = co_await seeded.apply(draw, 1);
        BOOST_TEST(one == expected(0), per_element());
        co_await pool.join();
    });
}

BOOST_AUTO_TEST_CASE(a_task_that_runs_again_has_the_same_numbers)
{
    const auto mark = std::filesystem::temp_directory_path() / ("twat_mp_rng_" + std::to_string(::getpid()));
    process_pool pool(1);
    const auto drawn = pool.with({.retries = 1, .seed = seed}).apply(die_the_first_time, mark.string());
    BOOST_TEST(std::filesystem::remove(mark));
    philox4x32 random(seed, 0);
    random.discard(3);
    BOOST_TEST(drawn == numbers_of_a_task{random()}, per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(operations_of_tasks_have_their_own_seed, Pool, all_blocking_pools)
{
    Pool pool;
    const auto drawn = pool.with({.seed = seed}).map(draw_nested, numbers(2)).at(1);
    const auto outer = expected(1);
    BOOST_TEST(drawn == (std::vector<std::uint32_t>{outer[0], expected(0, 7)[0], expected(1, 7)[0], outer[1]}),
               per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(outside_tasks_there_are_none, Pool, all_blocking_pools)
{
    BOOST_TEST(has_none());
    BOOST_TEST(this_task::index() == 0u);
    Pool pool([] {
        pool_options options;
        options.nodes = 1;
        options.initializer = task(set_when_none());
        return options;
    }());
    BOOST_TEST(pool.apply(a_thread_has_none));
}

BOOST_AUTO_TEST_SUITE_END()
