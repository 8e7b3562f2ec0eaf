// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/cluster/use_cluster.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <twat/mp/any_pool.hpp>
#include <twat/mp/backends.hpp>
#include <twat/mp/error.hpp>

#include "broker.hpp"
#include "run_log.hpp"

namespace twat::mp::test {
namespace {

using namespace std::chrono_literals;

int triple(int x) { return 3 * x; }

std::string host_of(int)
{
    const char* const host = std::getenv("TEST_HOST");
    return host ? host : "none";
}

int initial = 0;
void set_initial(int value) { initial = value; }
int get_initial(int) { return initial; }

auto names(const char* member)
{
    return [member](const std::invalid_argument& e) { return std::string(e.what()).find(member) != std::string::npos; };
}

/// An agent on a host of a name of its own.
struct one_host
{
    broker server;
    started_program agent;

    explicit one_host(const std::string& name) : agent(start_agent_on(name, server.url(), 2)) {}
};

asio::awaitable<std::vector<int>> triples(any_async_pool& pool)
{
    const std::vector<int> inputs{1, 2, 3};
    co_return co_await pool.map(triple, inputs);
}

BOOST_AUTO_TEST_SUITE(test_cluster_any_pool)

BOOST_AUTO_TEST_CASE(a_pool_of_any_kind_runs_on_the_cluster)
{
    const one_host there("there");
    use_cluster({.url = there.server.url()});
    const auto known = backends();
    BOOST_TEST((std::find(known.begin(), known.end(), "cluster") != known.end()));

    any_pool pool("cluster");
    BOOST_TEST(pool.apply(host_of, 0) == "there");
    const std::vector<int> all = pool.map(triple, numbers(100));
    BOOST_REQUIRE(all.size() == 100u);
    BOOST_TEST(all[99] == 297);
    BOOST_TEST(pool.nodes() == 2u);
}

BOOST_AUTO_TEST_CASE(so_does_one_with_awaitable_operations)
{
    const one_host there("there");
    use_cluster({.url = there.server.url()});
    asio::io_context context;
    any_async_pool pool(context, "cluster");
    auto result = asio::co_spawn(context, triples(pool), asio::use_future);
    context.run();
    BOOST_TEST(result.get() == (std::vector<int>{3, 6, 9}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(another_call_holds_for_later_pools)
{
    const one_host first("first"), second("second");
    use_cluster({.url = first.server.url()});
    any_pool earlier("cluster");
    use_cluster({.url = second.server.url()});
    any_pool later("cluster");
    BOOST_TEST(earlier.apply(host_of, 0) == "first");
    BOOST_TEST(later.apply(host_of, 0) == "second");
}

BOOST_AUTO_TEST_CASE(options_of_the_pool_go_before_those_of_the_cluster)
{
    const one_host there("there");
    use_cluster({.url = there.server.url(), .initializer = task(set_initial, 1), .max_message_size = 1u << 20});
    any_pool plain("cluster");
    BOOST_TEST(plain.apply(get_initial, 0) == 1);
    pool_options options;
    options.initializer = task(set_initial, 2);
    options.max_message_size = 4096;
    any_pool pool("cluster", options);
    BOOST_TEST(pool.apply(get_initial, 0) == 2);
    try {
        pool.apply([](const std::string& text) { return static_cast<int>(text.size()); }, std::string(10'000, 'x'));
        BOOST_ERROR("no exception");
    }
    catch (const error& e) {
        BOOST_TEST((e.code() == errc::message_too_large), e.what());
    }
}

// Needs no broker: constructors connect to nothing.
BOOST_AUTO_TEST_CASE(what_cannot_hold_on_other_hosts_is_refused_by_name)
{
    use_cluster();
    const std::vector<std::pair<const char*, std::function<void(pool_options&)>>> cases{
        {"pool_options::nodes", [](pool_options& o) { o.nodes = 2; }},
        {"pool_options::min_nodes", [](pool_options& o) { o.min_nodes = 0; }},
        {"pool_options::idle_timeout", [](pool_options& o) { o.idle_timeout = 1s; }},
        {"pool_options::state", [](pool_options& o) { o.state = worker_state<int>(triple, 1); }},
        {"pool_options::parcels", [](pool_options& o) { o.parcels.directory = "/tmp"; }},
        {"pool_options::max_tasks_per_child", [](pool_options& o) { o.max_tasks_per_child = 1; }},
        {"pool_options::max_memory_per_child", [](pool_options& o) { o.max_memory_per_child = 1u << 30; }},
        {"pool_options::max_rss_per_child", [](pool_options& o) { o.max_rss_per_child = 1u << 30; }},
        {"pool_options::max_age_per_child", [](pool_options& o) { o.max_age_per_child = 1h; }},
        {"pool_options::recycle_jitter", [](pool_options& o) { o.recycle_jitter = 0; }},
        {"pool_options::max_pending_bytes", [](pool_options& o) { o.max_pending_bytes = 1; }},
        {"pool_options::on_overflow", [](pool_options& o) { o.on_overflow = overflow::wait; }},
        {"pool_options::shed", [](pool_options& o) { o.shed.target = 5ms; }},
        {"pool_options::restarts", [](pool_options& o) { o.restarts.count = 1; }},
        {"pool_options::start_timeout", [](pool_options& o) { o.start_timeout = 1s; }},
        {"pool_options::stop_grace", [](pool_options& o) { o.stop_grace = 1s; }},
        {"pool_options::cancel_grace", [](pool_options& o) { o.cancel_grace = 1s; }},
        {"pool_options::spin", [](pool_options& o) { o.spin = 50us; }},
        {"pool_options::nice", [](pool_options& o) { o.nice = 1; }},
        {"pool_options::executable", [](pool_options& o) { o.executable = "/bin/true"; }},
        {"pool_options::child_stderr", [](pool_options& o) { o.child_stderr = error_output::discard; }},
        {"pool_options::measure_usage", [](pool_options& o) { o.measure_usage = true; }},
        {"pool_options::chaos", [](pool_options& o) { o.chaos.refuse = 0.5; }},
    };
    for (const auto& [member, set] : cases) {
        pool_options options;
        set(options);
        BOOST_CHECK_EXCEPTION(any_pool("cluster", options), std::invalid_argument, names(member));
    }
    BOOST_CHECK_EXCEPTION(use_cluster({.url = ""}), std::invalid_argument, names("cluster_options::url"));
    BOOST_CHECK_EXCEPTION(use_cluster({.lease = 1ms}), std::invalid_argument, names("cluster_options::lease"));
    BOOST_CHECK_NO_THROW(any_pool("cluster")); // what was refused has changed nothing
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace twat::mp::test
