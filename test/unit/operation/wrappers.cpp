// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/wrappers.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>
#include <future>
#include <memory>
#include <stdexcept>
#include <vector>

using namespace twat::mp;
using boost::test_tools::per_element;

namespace {

int twice(int x) { return 2 * x; }
int fail(int) { throw std::domain_error("no"); }

struct fixture
{
    thread_pool pool{2};
    const std::vector<int> inputs{3, 1, 2};
    const std::vector<int> doubled{6, 2, 4};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_wrappers, fixture)

BOOST_AUTO_TEST_CASE(pmap_maps)
{
    const auto f = pmap(twice, pool);
    BOOST_TEST(f(inputs) == doubled, per_element());
    BOOST_TEST(f(std::vector<int>{5}) == std::vector<int>{10}, per_element());
    BOOST_TEST(pmap(std::plus<>(), pool)(inputs, inputs) == doubled, per_element());
    BOOST_CHECK_THROW(pmap(fail, pool)(inputs), std::domain_error);
}

BOOST_AUTO_TEST_CASE(a_wrapper_can_be_copied_and_owns_its_function)
{
    auto add_one = [n = std::make_shared<int>(1)](int x) { return x + *n; };
    auto wrapped = pmap(std::move(add_one), pool);
    auto first = std::make_unique<decltype(wrapped)>(std::move(wrapped));
    const auto copy = *first;
    first.reset();
    BOOST_TEST(copy(inputs) == (std::vector<int>{4, 2, 3}), per_element());
}

BOOST_AUTO_TEST_CASE(imap_gives_a_range)
{
    const auto f = imap(twice, pool);
    std::vector<int> seen;
    for (int x : f(inputs))
        seen.push_back(x);
    BOOST_TEST(seen == doubled, per_element());
}

BOOST_AUTO_TEST_CASE(amap_gives_results_later)
{
    const auto f = amap(twice, pool);
    auto got = f(inputs);
    BOOST_TEST(got.valid());
    got.wait();
    BOOST_TEST((got.wait_for(std::chrono::seconds(0)) == std::future_status::ready));
    BOOST_TEST(got.get() == doubled, per_element());
    BOOST_TEST(!got.valid());

    auto iterated = f(inputs);
    std::vector<int> seen;
    for (int x : iterated)
        seen.push_back(x);
    BOOST_TEST(seen == doubled, per_element());
    BOOST_TEST(iterated.valid());
    iterated.wait();
    BOOST_TEST(iterated.get() == doubled, per_element());

    auto failed = amap(fail, pool)(inputs);
    BOOST_CHECK_THROW(failed.get(), std::domain_error);
    BOOST_TEST(!failed.valid());

    auto nothing = amap([](int) {}, pool)(inputs);
    nothing.get();
    BOOST_TEST(!nothing.valid());

    auto moved = amap([](int x) { return std::make_unique<int>(x); }, pool)(inputs);
    BOOST_TEST(*moved.get().front() == 3);
}

BOOST_AUTO_TEST_CASE(apmap_is_awaitable)
{
    asio::io_context context;
    async_thread_pool workers(context, 2);
    const auto f = apmap([](int x) -> asio::awaitable<int> { co_return 2 * x; }, workers);
    auto program = [&]() -> asio::awaitable<std::vector<int>> { co_return co_await f(inputs); };
    auto result = asio::co_spawn(context, program(), asio::use_future);
    auto other = f(inputs, asio::use_future);
    context.run();
    BOOST_TEST(result.get() == doubled, per_element());
    BOOST_TEST(other.get() == doubled, per_element());
}

// The default pools are of processes: see test/process.
static_assert(std::is_same_v<decltype(pmap(twice)(std::vector<int>())), std::vector<int>>);
static_assert(std::is_same_v<decltype(imap(twice)(std::vector<int>())), result_range<int>>);
static_assert(std::is_same_v<decltype(amap(twice)(std::vector<int>())), later<std::vector<int>>>);
static_assert(std::is_same_v<decltype(apmap(twice)(std::vector<int>())), asio::awaitable<std::vector<int>>>);

BOOST_AUTO_TEST_SUITE_END()
