// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/cluster.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include <twat/mp/exceptions.hpp>
#include <twat/mp/portable.hpp>
#include <twat/mp/shared_span.hpp>
#include <twat/mp/unique_fd.hpp>

#include "broker.hpp"
#include "cluster/names.hpp"

namespace twat::mp::test {
namespace {

using namespace std::chrono_literals;

int one() { return 1; }

int descriptor_of(unique_fd fd) { return fd.get(); }
template <int Seconds>
std::size_t slow_size_for(const std::string& text)
{
    std::this_thread::sleep_for(std::chrono::seconds(Seconds));
    return text.size();
}
std::size_t slow_size(const std::string& text)
{
    std::this_thread::sleep_for(10ms);
    return text.size();
}
unique_fd duplicate(int fd) { return unique_fd(::dup(fd)); }
std::size_t size_of(shared_span<const int> all) { return all.size(); }
std::size_t size_beside(const shared_span<const int>& all, int) { return all.size(); }
shared_vector<int> zeroes(int size) { return shared_vector<int>(static_cast<std::size_t>(size)); }

/// What a call throws, which has to have this code.
std::string message_of(cluster_pool& pool, errc expected)
{
    try {
        pool.apply(one);
        return "no exception";
    }
    catch (const error& e) {
        BOOST_TEST((e.code() == expected), e.what());
        return e.what();
    }
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// C9
BOOST_AUTO_TEST_SUITE(test_cluster_errors)

BOOST_AUTO_TEST_CASE(an_address_where_nobody_answers)
{
    const std::string url = "nats://127.0.0.1:" + std::to_string(free_port());
    cluster_pool pool(cluster_options{.url = url});
    const std::string what = message_of(pool, errc::broker_failed);
    BOOST_TEST(contains(what, url), what);
    BOOST_TEST(contains(what, "is nats-server running there"), what);
}

BOOST_AUTO_TEST_CASE(a_broker_without_jetstream)
{
    const broker server(broker::jetstream::off);
    cluster_pool pool(cluster_options{.url = server.url()});
    const std::string what = message_of(pool, errc::broker_failed);
    BOOST_TEST(contains(what, "nats-server -js"), what);
}

BOOST_AUTO_TEST_CASE(a_broker_that_goes_away_for_good_ends_what_runs_and_what_waits)
{
    broker server;
    const started_program agent = start_agent(server.url(), 2);
    cluster_pool pool(cluster_options{.url = server.url(), .lease = 1s, .wait_for_agents = 2s});
    pool.start();
    auto running = pool.with({.chunk_size = 1}).amap(slow_size_for<60>, std::vector<std::string>(10, "x"));
    BOOST_TEST_REQUIRE(becomes_true([&] { return pool.stats().running != 0; }));
    server.kill();
    BOOST_CHECK_EXCEPTION(running.get(), error, [&](const error& e) {
        BOOST_TEST_MESSAGE(e.what());
        return (e.code() == errc::host_lost || e.code() == errc::broker_failed) && contains(e.what(), server.url());
    });
    BOOST_TEST(contains(message_of(pool, errc::broker_failed), server.url()));
    BOOST_CHECK_THROW(pool.with({.retry = {.attempts = 2, .backoff = 300ms}}).apply(one), error);
    server.start();
    BOOST_TEST(becomes_true([&] {
        try {
            return pool.apply(one) == 1;
        }
        catch (const error&) {
            return false;
        }
    }));
}

BOOST_AUTO_TEST_CASE(a_broker_that_went_before_the_first_call)
{
    broker server;
    const started_program agent = start_agent(server.url(), 1);
    asio::io_context context;
    async_cluster_pool pool(context, cluster_options{.url = server.url(), .lease = 1s, .wait_for_agents = 2s});
    std::this_thread::sleep_for(1500ms); // it has its connection by now, and heard of the agent
    server.kill();
    std::this_thread::sleep_for(500ms);
    std::exception_ptr thrown;
    pool.apply(one, [&](std::exception_ptr e, int) { thrown = e; });
    context.run_for(60s);
    BOOST_TEST((code_of(thrown) == errc::broker_failed));
}

// nats-server 2.9 answers everything but JetStream then, and can only be killed.
BOOST_AUTO_TEST_CASE(a_disk_that_fills_up)
{
    if (!broker::can_mount()) {
        BOOST_TEST_MESSAGE("not tested: this takes root, for a small disk");
        return;
    }
    const broker server(broker::jetstream::on, {}, "256k");
    const started_program agent = start_agent(server.url(), 2);
    cluster_pool pool(cluster_options{.url = server.url(), .lease = 500ms, .wait_for_agents = 3s});
    BOOST_TEST(pool.apply(one) == 1);
    const std::vector<std::string> texts(100, std::string(30'000, 'x')); // many more than find room
    BOOST_CHECK_EXCEPTION(pool.with({.chunk_size = 1}).map(slow_size, texts), error, [&](const error& e) {
        BOOST_TEST_MESSAGE(e.what());
        return e.code() == errc::broker_failed || e.code() == errc::host_lost; // nobody can tell who hears whom then
    });
}

BOOST_AUTO_TEST_CASE(a_wrong_password)
{
    const broker server(broker::jetstream::on, "authorization { user: twat, password: right }");
    cluster_options options{.url = server.url()};
    options.credentials.user = "twat";
    options.credentials.password = "wrong";
    cluster_pool pool(options);
    const std::string what = message_of(pool, errc::broker_failed);
    BOOST_TEST(contains(what, "refuses the user 'twat'"), what);

    options.credentials.password = "right";
    const started_program agent({"/proc/self/exe", "--twat-mp-agent", server.url(), "--nodes", "1", "--user", "twat"},
                                "/dev/stderr", {{"TWAT_MP_AGENT_PASSWORD", "right"}});
    cluster_pool good(options);
    BOOST_TEST(good.apply(one) == 1);
}

BOOST_AUTO_TEST_CASE(an_agent_that_cannot_use_its_broker_ends_and_says_why)
{
    const std::string log =
        (std::filesystem::temp_directory_path() / ("twat-mp-agent-log-" + std::to_string(::getpid()))).string();
    started_program agent = start_agent("nats://127.0.0.1:" + std::to_string(free_port()), 1, {}, log);
    BOOST_TEST(agent.wait() == 1);
    std::ifstream in(log);
    const std::string said{std::istreambuf_iterator<char>(in), {}};
    BOOST_TEST(contains(said, "no broker answers at"), said);
    std::filesystem::remove(log);
    started_program bad = start_agent("nats://127.0.0.1:1", 1, {"--nonsense", "1"});
    BOOST_TEST(bad.wait() == 2);
}

BOOST_AUTO_TEST_CASE(nobody_serves)
{
    const broker server;
    cluster_options options{.url = server.url(), .wait_for_agents = 500ms};
    cluster_pool pool(options);
    const std::string what = message_of(pool, errc::no_agents);
    BOOST_TEST(contains(what, "--twat-mp-agent " + server.url()), what);

    // One that comes later mends it.
    const started_program agent = start_agent(server.url(), 1);
    BOOST_TEST(becomes_true([&] {
        try {
            return pool.apply(one) == 1;
        }
        catch (const error&) {
            return false;
        }
    }));
}

BOOST_AUTO_TEST_CASE(other_groups_never_meet)
{
    const broker server;
    const started_program agent = start_agent(server.url(), 1, {"--group", "others"});
    cluster_pool pool(cluster_options{.url = server.url(), .wait_for_agents = 500ms});
    message_of(pool, errc::no_agents);
    cluster_pool same(cluster_options{.url = server.url(), .group = "others"});
    BOOST_TEST(same.apply(one) == 1);
}

BOOST_AUTO_TEST_CASE(bad_options_are_refused_by_name)
{
    const auto refused = [](cluster_options options) {
        try {
            cluster_pool pool(std::move(options));
        }
        catch (const std::invalid_argument& e) {
            return std::string(e.what());
        }
        return std::string("accepted");
    };
    BOOST_TEST(contains(refused({.url = ""}), "cluster_options::url"));
    BOOST_TEST(contains(refused({.lease = 1ms}), "cluster_options::lease"));
    BOOST_TEST(contains(refused({.wait_for_agents = -1s}), "cluster_options::wait_for_agents"));
    BOOST_TEST(contains(refused({.replicas = 2}), "cluster_options::replicas"));
    int captured = 1;
    BOOST_TEST(
        contains(refused({.initializer = task([&captured] { return captured; })}), "cluster_options::initializer"));
}

BOOST_AUTO_TEST_CASE(a_descriptor_is_refused_by_name)
{
    const broker server;
    const started_program agent = start_agent(server.url(), 1);
    cluster_pool pool(cluster_options{.url = server.url()});
    try {
        pool.apply(descriptor_of, unique_fd(::dup(1)));
        BOOST_ERROR("no exception");
    }
    catch (const error& e) {
        BOOST_TEST((e.code() == errc::encode_failed), e.what());
        BOOST_TEST(contains(e.what(), "descriptor"), e.what());
        BOOST_TEST(contains(e.what(), "another host"), e.what());
    }
    BOOST_TEST(pool.apply(descriptor_of, unique_fd()) == -1); // none is nothing to send
    BOOST_CHECK_EXCEPTION(pool.apply(duplicate, 1), error, [](const error& e) {
        return e.code() == errc::encode_failed && contains(e.what(), "on the same machine");
    });
    BOOST_TEST(pool.apply(duplicate, -1).get() == -1);
}

BOOST_AUTO_TEST_CASE(shared_memory_is_refused_by_name_and_comes_back_as_a_copy)
{
    const broker server;
    const started_program agent = start_agent(server.url(), 1);
    cluster_pool pool(cluster_options{.url = server.url()});
    const auto refuses = [](const auto& call) {
        try {
            call();
            return std::string("no exception");
        }
        catch (const error& e) {
            BOOST_TEST((e.code() == errc::encode_failed), e.what());
            return std::string(e.what());
        }
    };
    const shared_vector<int> values(10);
    const shared_span<const int> all(values);
    BOOST_TEST(contains(refuses([&] { pool.apply(size_of, all); }), "shared_vector"));
    BOOST_TEST(contains(refuses([&] { pool.apply(partial(size_beside, all), 1); }), "shared_vector"));
    BOOST_CHECK_THROW(cluster_pool(cluster_options{.url = server.url(), .initializer = task(size_of, all)}),
                      std::invalid_argument);
    const shared_vector<int> made = pool.apply(zeroes, 1000);
    BOOST_TEST(made.size() == 1000u);
}

BOOST_AUTO_TEST_CASE(messages_show_no_password)
{
    const std::pair<const char*, const char*> table[] = {
        {"nats://host:4222", "nats://host:4222"},
        {"nats://me:secret@host:4222", "nats://host:4222"},
        {"tls://token@a,nats://me:p@ss@b:1", "tls://a,nats://b:1"},
        {"me:secret@host", "host"},
        {"", ""},
    };
    for (const auto& [url, shown] : table)
        BOOST_TEST(detail::cluster::without_secrets(url) == shown);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace twat::mp::test
