// SPDX-License-Identifier: BSL-1.0
#include "blocking_pools.hpp"

#include <boost/asio/use_awaitable.hpp>
#include <boost/exception/get_error_info.hpp>

#include <csignal>
#include <cstdint>
#include <forward_list>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <ranges>
#include <sstream>
#include <stdexcept>
#include <stop_token>
#include <string>

#include <twat/mp/chunked.hpp>
#include <twat/mp/error.hpp>
#include <twat/mp/exceptions.hpp>
#include <twat/mp/worker_died.hpp>

#include "io_context_fixture.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using boost::test_tools::per_element;

namespace {

long wide(int x) { return x; }
long wide_product(int x, int y) { return long(x) * y; }
double inverse(int x) { return 1.0 / (x + 1); }
bool is_odd(int x) { return x % 2 != 0; }
int no_7777(int x) { return x == 7777 ? throw std::domain_error("not this one") : x; }
int die_at_7777(int x)
{
    if (x == 7777)
        std::raise(SIGKILL);
    return x;
}
std::string text(int x) { return std::to_string(x) + ","; }
std::map<std::string, int> count(const std::string& word) { return {{word, 1}}; }
std::map<std::string, int> merge(std::map<std::string, int> a, const std::map<std::string, int>& b)
{
    for (const auto& [word, n] : b)
        a[word] += n;
    return a;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_reduce)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_range_is_reduced, Pool, blocking_pools)
{
    Pool pool(2);
    const auto inputs = numbers(10000);
    BOOST_TEST(pool.reduce(wide, std::plus<>(), 0L, inputs) == 49995000L);
    BOOST_TEST(pool.reduce(wide, std::plus<>(), 7L, std::vector<int>()) == 7L);
    BOOST_TEST(pool.reduce(wide, std::plus<>(), 7L, std::vector<int>{5}) == 12L);
    BOOST_TEST(pool.reduce(wide, std::plus<>(), 0L, std::views::iota(0, 10000)) == 49995000L);
    BOOST_TEST(pool.reduce(wide, std::plus<>(), 0L, std::list<int>(inputs.begin(), inputs.end())) == 49995000L);
    BOOST_TEST(pool.reduce(wide, std::plus<>(), 0L, std::forward_list<int>(inputs.begin(), inputs.end())) == 49995000L);
    BOOST_TEST(pool.reduce([](int x, long y) { return x * y; }, std::plus<>(), 0L, inputs, std::views::iota(0L)) ==
               333283335000L);
    BOOST_TEST(pool.transform_reduce(inputs, 0L, std::plus<>(), wide) == 49995000L);
    // Of two ranges it is an inner product; a range may also be what others are reduced to.
    BOOST_TEST(pool.transform_reduce(inputs, std::views::iota(0L), 0L, std::plus<>(),
                                     [](int x, long y) { return x * y; }) == 333283335000L);
    std::stop_source never;
    BOOST_TEST(pool.transform_reduce(
                   inputs, inputs, 0L, std::plus<>(), [](int x, int y) { return long(x) * y; }, never.get_token()) ==
               333283335000L);
    BOOST_TEST(pool.transform_reduce(numbers(3), std::string(), std::plus<>(), text) == "0,1,2,");
    BOOST_TEST(pool.transform_reduce(numbers(3), std::string(), std::plus<>(), text, never.get_token()) == "0,1,2,");
    const std::vector<bool> bits{true, false, true};
    BOOST_TEST(pool.reduce([](bool b) { return int(b); }, std::plus<>(), 0, bits) == 2);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_range_whose_end_is_not_known_is_reduced, Pool, blocking_pools)
{
    Pool pool(2);
    std::string digits;
    for (int i = 0; i < 5000; ++i)
        digits += std::to_string(i) + ' ';
    std::istringstream in(digits);
    BOOST_TEST(pool.reduce(wide, std::plus<>(), 0L, std::views::istream<int>(in)) == 12497500L);
    const auto inputs = numbers(1000);
    BOOST_TEST(pool.reduce(wide, std::plus<>(), 0L, inputs | std::views::filter(is_odd)) == 250000L);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_order_is_kept, Pool, blocking_pools)
{
    Pool pool(2);
    std::string expected = "begin,";
    for (int i = 0; i < 3000; ++i)
        expected += text(i);
    BOOST_TEST(pool.reduce(text, std::plus<>(), std::string("begin,"), numbers(3000)) == expected);
    BOOST_TEST(pool.with({.chunk_size = 7}).reduce(text, std::plus<>(), "begin,", numbers(3000)) == expected);
    auto words = pool.reduce(count, merge, std::map<std::string, int>(), std::vector<std::string>{"a", "b", "a"});
    BOOST_TEST((words == std::map<std::string, int>{{"a", 2}, {"b", 1}}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(rounding_does_not_depend_on_the_workers, Pool, blocking_pools)
{
    const auto inputs = numbers(50000);
    const auto sum = [&](std::size_t nodes) {
        Pool pool(nodes);
        return pool.with({.deterministic = true}).reduce(inverse, std::plus<>(), 0.0, inputs);
    };
    const double one = sum(1);
    BOOST_TEST(one == sum(2), boost::test_tools::tolerance(0.0));
    BOOST_TEST(one == sum(3), boost::test_tools::tolerance(0.0));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(failures_tell_their_element, Pool, blocking_pools)
{
    Pool pool(2);
    const auto inputs = numbers(20000);
    const auto at_7777 = [](const std::domain_error& e) {
        const auto* input = boost::get_error_info<errinfo_input>(dynamic_cast<const boost::exception&>(e));
        return e.what() == std::string("not this one") && task_index(std::current_exception()) == 7777u && input &&
               *input == "7777";
    };
    BOOST_CHECK_EXCEPTION(pool.reduce(no_7777, std::plus<>(), 0, inputs), std::domain_error, at_7777);
    BOOST_CHECK_EXCEPTION(pool.for_each(no_7777, inputs), std::domain_error, at_7777);
    BOOST_CHECK_EXCEPTION(pool.filter([](int x) { return no_7777(x) > 3; }, inputs), std::domain_error, at_7777);
    BOOST_CHECK_THROW(pool.reduce(
                          wide, [](long, long) -> long { throw std::range_error("op"); }, 0L, inputs),
                      std::range_error);
    BOOST_TEST(pool.reduce(wide, std::plus<>(), 0L, inputs) == 199990000L);
}

BOOST_AUTO_TEST_CASE(a_death_tells_the_part)
{
    process_pool pool(2);
    const auto in_its_part = [](const worker_died&) {
        const auto index = task_index(std::current_exception());
        return index && *index <= 7777 && *index + 100 > 7777;
    };
    BOOST_CHECK_EXCEPTION(pool.with({.chunk_size = 100}).reduce(die_at_7777, std::plus<>(), 0, numbers(10000)),
                          worker_died, in_its_part);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(elements_are_filtered, Pool, blocking_pools)
{
    Pool pool(2);
    const auto odd = pool.filter(is_odd, numbers(5000));
    BOOST_TEST_REQUIRE(odd.size() == 2500u);
    for (int i = 0; i < 2500; ++i)
        BOOST_TEST_REQUIRE(odd[i] == 2 * i + 1);
    const std::vector<std::string> words{"a", "long", "word"};
    BOOST_TEST(pool.filter([](const std::string& word) { return word.size() > 1; }, words) ==
                   (std::vector<std::string>{"long", "word"}),
               per_element());
    BOOST_TEST(words[1] == "long");
    std::vector<std::unique_ptr<int>> boxes;
    boxes.push_back(std::make_unique<int>(1));
    if constexpr (std::is_same_v<Pool, process_pool>) // threads share what an lvalue or a container has
        BOOST_TEST(pool.filter([](const std::unique_ptr<int>& box) { return *box == 1; }, std::move(boxes)).size() ==
                   1u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_is_called_and_progress_counts_elements, Pool, blocking_pools)
{
    Pool pool(2);
    progress last;
    const auto note = [&](const progress& now) { last = now; };
    pool.on_progress(note).for_each(twice, numbers(1000));
    BOOST_TEST(last.done == 1000u);
    BOOST_TEST((last.total == 1000u));
    std::stop_source source;
    std::jthread stopper([&] {
        await_running_task(pool);
        source.request_stop();
    });
    BOOST_CHECK_EXCEPTION(pool.for_each(until_stopped, numbers(100), source.get_token()), boost::system::system_error,
                          is_aborted);
}

BOOST_AUTO_TEST_CASE(threads_use_the_elements_where_they_are)
{
    thread_pool pool(2);
    std::vector<int> values(1000, 1);
    const int* const first = values.data();
    pool.for_each([&](const int& x) { BOOST_ASSERT(&x >= first && &x < first + 1000); }, values);
    std::atomic<int> calls{0};
    pool.for_each([&](const int&) { ++calls; }, std::list<int>(values.begin(), values.end()));
    BOOST_TEST(calls == 1000);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(awaitable_pools_reduce_too, Pool, awaitable_pools)
{
    io_context_fixture loop;
    Pool pool(loop.ctx, 2);
    loop.run_coro([&]() -> asio::awaitable<void> {
        const auto inputs = numbers(10000);
        const long sum = co_await pool.reduce(wide, std::plus<>(), 0L, inputs);
        BOOST_TEST(sum == 49995000L);
        auto handle = pool.with({.deterministic = true});
        const long same = co_await handle.transform_reduce(inputs, 0L, std::plus<>(), wide, asio::use_awaitable);
        const long product = co_await handle.transform_reduce(inputs, inputs, 0L, std::plus<>(), wide_product);
        BOOST_TEST(product == 333283335000L);
        BOOST_TEST(same == 49995000L);
        const auto odd = co_await pool.filter(is_odd, inputs);
        BOOST_TEST(odd.size() == 5000u);
        co_await pool.for_each(twice, inputs);
    });
    long sum = 0;
    pool.reduce(wide, std::plus<>(), 0L, numbers(10), [&](std::exception_ptr, long value) { sum = value; });
    loop.run();
    BOOST_TEST(sum == 45);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(chunks_are_vectors, Pool, blocking_pools)
{
    Pool pool(2);
    const auto inputs = numbers(10);
    const auto sizes = pool.map([](const std::vector<int>& part) { return int(part.size()); }, chunked(inputs, 4));
    BOOST_TEST(sizes == (std::vector<int>{4, 4, 2}), per_element());
    BOOST_TEST(chunked(inputs, 4).size() == 3u);
    BOOST_TEST(pool.map([](const std::vector<int>&) { return 1; }, chunked(std::vector<int>(), 4)).empty());
    auto odd = inputs | std::views::filter(is_odd);
    auto parts = chunked(odd, 2);
    std::size_t count = 0;
    for (const auto part : parts)
        count += part.size();
    BOOST_TEST(count == 5u);
    BOOST_CHECK_THROW(chunked(inputs, 0), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
