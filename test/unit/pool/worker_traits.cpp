// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/workers.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include <twat/mp/async_pool.hpp>
#include <twat/mp/multi_pool.hpp>
#include <twat/mp/with_pool.hpp>
#include <twat/mp/worker.hpp>

#include <twat/mp/detail/operation/backend_factory.hpp>
#include <twat/mp/detail/operation/check_options.hpp>

#include "backend/worker_set.hpp"

using namespace twat::mp;

namespace {

/// What another library has in the place of `pool_options`.
struct crew_options
{
    std::size_t hands = 2;
    task greeting{};
};

class crew_factory final : public detail::backend_factory
{
public:
    explicit crew_factory(const crew_options& given)
        : backend_factory(pool_options{.nodes = given.hands, .initializer = given.greeting})
    {
        if (given.hands == 0)
            detail::refuse_option("crew_options::hands", "is 0: nobody would work");
    }

    std::size_t count_nodes(std::size_t wanted, const char* name) const override
    {
        if (wanted > 100)
            detail::refuse_option(name, "is more than 100");
        return wanted;
    }

    std::unique_ptr<detail::worker_set> make(const detail::backend_site& site) const override
    {
        return detail::make_thread_workers(site.strand, site.link, options(), site.events);
    }
};

/// Known to nothing in the library.
struct crew_workers
{
    using options = crew_options;
    static constexpr bool encodes = false;
    static std::shared_ptr<const detail::backend_factory> make(crew_options given)
    {
        return std::make_shared<const crew_factory>(given);
    }
};

static_assert(worker_traits<crew_workers> && worker_traits<process_workers> && worker_traits<thread_workers>);
static_assert(!worker_traits<int> && !worker_traits<crew_options>);
static_assert(std::is_constructible_v<multi_pool<crew_workers>, crew_options>);
static_assert(!std::is_constructible_v<multi_pool<crew_workers>, std::size_t>, "these options have no nodes");
static_assert(!std::is_constructible_v<multi_pool<crew_workers>, pool_options>);
static_assert(std::is_constructible_v<basic_async_pool<crew_workers>, boost::asio::io_context&, crew_options>);
static_assert(!std::is_constructible_v<basic_async_pool<crew_workers>, boost::asio::io_context&, std::size_t>);

bool names(const std::invalid_argument& error, const char* member)
{
    return std::string(error.what()).find(member) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_worker_traits)

BOOST_AUTO_TEST_CASE(a_blocking_pool_has_workers_that_the_library_does_not_know)
{
    std::atomic<int> greeted{0};
    multi_pool<crew_workers> pool(crew_options{.hands = 3, .greeting = task([&greeted] { ++greeted; })});
    BOOST_TEST(pool.nodes() == 3u);
    pool.start();
    BOOST_TEST(greeted == 3);
    std::vector<int> inputs(100);
    std::iota(inputs.begin(), inputs.end(), 0);
    const int* const first = inputs.data();
    const auto same = pool.map([first](const int& i) { return &i == first + i; }, inputs); // in place: no copies
    BOOST_TEST((same == std::vector<bool>(100, true)));
    pool.restart();
    BOOST_TEST(pool.apply([] { return 7; }) == 7);
    BOOST_TEST(greeted >= 4);
}

BOOST_AUTO_TEST_CASE(so_has_an_awaitable_one_and_with_pool)
{
    boost::asio::io_context context;
    basic_async_pool<crew_workers> pool(context);
    auto sum = pool.reduce([](int i) { return 2 * i; }, std::plus<int>(), 0, std::vector<int>{1, 2, 3},
                           boost::asio::use_future);
    context.run();
    BOOST_TEST(sum.get() == 12);

    context.restart();
    crew_options options{.hands = 4};
    auto body = [](basic_async_pool<crew_workers>& made) -> boost::asio::awaitable<std::size_t> {
        co_return made.nodes();
    };
    auto nodes = boost::asio::co_spawn(context, with_pool<crew_workers>(options, body), boost::asio::use_future);
    context.run();
    BOOST_TEST(nodes.get() == 4u);
}

BOOST_AUTO_TEST_CASE(a_bad_option_names_the_member_of_the_options_that_were_given)
{
    const crew_options none{.hands = 0};
    BOOST_CHECK_EXCEPTION(multi_pool<crew_workers>{none}, std::invalid_argument,
                          [](const std::invalid_argument& error) { return names(error, "crew_options::hands"); });
    multi_pool<crew_workers> pool;
    BOOST_CHECK_EXCEPTION(pool.resize(101), std::invalid_argument,
                          [](const std::invalid_argument& error) { return names(error, "resize"); });
}

BOOST_AUTO_TEST_SUITE_END()
