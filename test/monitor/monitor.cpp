// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/monitor.hpp>

#include <twat/mp.hpp>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdlib>
#include <future>
#include <optional>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "monitor/access.hpp"
#include "monitor/json.hpp"
#include "monitor/request_target.hpp"

using namespace twat::mp;
using detail::access;

namespace {

int square(int x) { return x * x; }
int refuse(int x) { throw std::invalid_argument("no " + std::to_string(x)); }

/// A monitor whose loop runs in a thread.
struct running
{
    explicit running(monitor_options options = {.port = 0}) : shown(context, options), thread([this] { context.run(); })
    {}
    ~running()
    {
        shown.stop();
        thread.join();
    }

    /// Status and all of the answer.
    std::string get(const std::string& target, const std::string& headers = "Host: localhost\r\n",
                    const std::string& verb = "GET")
    {
        asio::io_context io;
        asio::ip::tcp::socket socket(io);
        socket.connect({asio::ip::make_address("127.0.0.1"), shown.port()});
        asio::write(socket,
                    asio::buffer(verb + " " + target + " HTTP/1.1\r\n" + headers + "Connection: close\r\n\r\n"));
        std::string answer;
        boost::system::error_code ec;
        asio::read(socket, asio::dynamic_buffer(answer), ec);
        return answer;
    }

    asio::io_context context;
    monitor shown;
    std::thread thread;
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

BOOST_AUTO_TEST_SUITE(test_monitor)

BOOST_AUTO_TEST_CASE(who_may_read_it)
{
    const std::string secret = "0123456789abcdef";
    const auto judge = [](detail::request_origin from, std::string_view token, bool loopback) {
        return detail::judge_request(from, token, loopback);
    };
    BOOST_TEST((judge({.host = "127.0.0.1:8090"}, "", true) == access::granted));
    BOOST_TEST((judge({.host = "localhost"}, "", true) == access::granted));
    BOOST_TEST((judge({.host = "[::1]:8090"}, "", true) == access::granted));
    BOOST_TEST((judge({.host = "evil.example"}, "", true) == access::wrong_host));
    BOOST_TEST((judge({.host = "127.0.0.1.evil.example"}, "", true) == access::wrong_host));
    BOOST_TEST((judge({.host = ""}, "", true) == access::wrong_host));
    BOOST_TEST((judge({.host = "localhost:1", .origin = "http://localhost:1"}, "", true) == access::granted));
    BOOST_TEST((judge({.host = "localhost:1", .origin = "http://evil.example"}, "", true) == access::wrong_origin));
    BOOST_TEST((judge({.host = "localhost:1", .origin = "null"}, "", true) == access::wrong_origin));
    BOOST_TEST((judge({.host = "host.example"}, secret, false) == access::no_token));
    BOOST_TEST((judge({.host = "host.example", .authorization = "Bearer 0123456789abcdeF"}, secret, false) ==
                access::no_token));
    BOOST_TEST((judge({.host = "host.example", .authorization = "Bearer 0123456789abcdef"}, secret, false) ==
                access::granted));
    BOOST_TEST((judge({.host = "host.example", .token = "0123456789abcdef"}, secret, false) == access::granted));
}

BOOST_AUTO_TEST_CASE(bad_options_are_refused_by_their_member)
{
    asio::io_context context;
    const auto refused = [&](monitor_options options, const char* member) {
        BOOST_CHECK_EXCEPTION(monitor(context, options), std::invalid_argument,
                              [&](const std::invalid_argument& e) { return has(e.what(), member); });
    };
    refused({.address = "here"}, "monitor_options::address");
    refused({.address = "0.0.0.0", .port = 0}, "monitor_options::token");
    refused({.address = "::", .port = 0}, "monitor_options::token");
    refused({.port = 0, .token = "short"}, "monitor_options::token");
}

BOOST_AUTO_TEST_CASE(pools_are_shown)
{
    thread_pool pool(pool_options{.nodes = 2, .measure_usage = true});
    pool.with({.label = "a \"label\"\n<b>"}).map(square, std::vector<int>{1, 2, 3});
    running server;
    server.shown.watch("thumb\"nails", pool);
    const std::string json = server.get("/pools.json");
    BOOST_TEST(has(json, "200 OK"));
    BOOST_TEST(has(json, "\"name\":\"thumb\\\"nails\""));
    BOOST_TEST(has(json, "\"done\":3"));
    BOOST_TEST(has(json, "a \\\"label\\\"\\u000a\\u003cb>"));
    BOOST_TEST(has(server.get("/"), "<!doctype html>"));
    BOOST_TEST(has(server.get("/healthz"), "200 OK"));
    pool.start();
    BOOST_TEST(has(server.get("/readyz"), "200 OK"));
    BOOST_TEST(has(server.get("/nothing"), "404"));
    BOOST_TEST(has(server.get("/", "Host: localhost\r\n", "DELETE"), "405"));
    BOOST_TEST(has(server.get("/", "Host: evil.example\r\n"), "403"));
    server.shown.unwatch("thumb\"nails");
    BOOST_TEST(has(server.get("/pools.json"), "{\"pools\":[]}"));
}

BOOST_AUTO_TEST_CASE(metrics_are_what_prometheus_reads)
{
    thread_pool pool(pool_options{.nodes = 1, .measure_usage = true});
    pool.set_tenant({3}, {});
    pool.with({.tenant = {3}, .label = "back\\slash \"quoted\"\nline"}).map(square, std::vector<int>{1, 2, 3});
    running server;
    server.shown.watch("one", pool);
    server.shown.watch("two", pool);
    const std::string answer = server.get("/metrics");
    const std::string text = answer.substr(answer.find("\r\n\r\n") + 4);
    const std::regex line(R"re([a-z_]+\{[a-z_]+="([^"\\]|\\.)*"(,[a-z_]+="([^"\\]|\\.)*")*\} [-+0-9.e]+)re");
    const std::regex comment(R"re(# (HELP|TYPE) [a-z_]+ .+)re");
    std::istringstream lines(text);
    std::size_t values = 0;
    for (std::string each; std::getline(lines, each);)
        if (each.starts_with('#'))
            BOOST_TEST(std::regex_match(each, comment), each);
        else
            BOOST_TEST((++values, std::regex_match(each, line)), each);
    BOOST_TEST(values > 60u);
    BOOST_TEST(has(text, "twat_mp_tasks_total{pool=\"one\",outcome=\"done\"} 3"));
    BOOST_TEST(has(text, "twat_mp_tenant_cpu_seconds_total{pool=\"two\",tenant=\"3\"}"));
}

BOOST_AUTO_TEST_CASE(a_token_opens_it)
{
    running server({.port = 0, .token = "0123456789abcdef"});
    BOOST_TEST(has(server.get("/metrics"), "401"));
    BOOST_TEST(has(server.get("/healthz"), "200 OK"));
    BOOST_TEST(has(server.get("/metrics", "Host: localhost\r\nAuthorization: Bearer 0123456789abcdef\r\n"), "200 OK"));
    BOOST_TEST(has(server.get("/?token=0123456789abcdef"), "200 OK"));
}

BOOST_AUTO_TEST_CASE(a_frame_has_workers_and_failures)
{
    thread_pool pool(2);
    running server;
    server.shown.watch("pool", pool);
    pool.map(square, std::vector<int>{1, 2, 3});
    BOOST_CHECK_THROW(pool.with({.tenant = {7}, .label = "refuses"}).apply(refuse, 5), std::invalid_argument);
    const std::string frame = server.get("/frame.json");
    BOOST_TEST(has(frame, "\"done\":3"));
    BOOST_TEST(has(frame, "\"workers\":[[0,0,1,0,"));
    BOOST_TEST(has(frame, R"("how":"threw","label":"refuses","tenant":7,"task":0,"worker":)"));
    BOOST_TEST(has(frame, "\"what\":\"no 5\",\"parcel\":0"));
    const std::string report = server.get("/report?pool=pool&id=1");
    BOOST_TEST(has(report, "\"what\":\"no 5\""));
    BOOST_TEST(has(report, "invalid_argument"));
    BOOST_TEST(has(server.get("/report?pool=pool&id=2"), "404"));
    BOOST_TEST(has(server.get("/report?pool=none&id=1"), "404"));
}

BOOST_AUTO_TEST_CASE(a_pool_that_works_already_is_shown)
{
    thread_pool pool(1);
    std::promise<void> begun, go;
    const auto wait = [&](int x) {
        begun.set_value();
        go.get_future().wait();
        return x;
    };
    auto result = pool.with({.label = "long"}).submit(wait, 1);
    begun.get_future().wait();
    running server;
    server.shown.watch("pool", pool);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!has(server.get("/frame.json"), "[[0,0,1,1,\"long\",") && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    BOOST_TEST(has(server.get("/frame.json"), "[[0,0,1,1,\"long\","));
    go.set_value();
    BOOST_TEST(result.get() == 1);
}

BOOST_AUTO_TEST_CASE(an_inline_pool_has_a_lane_of_who_calls_it)
{
    const auto shows = [](running& by, const std::string& part) { // frames are made some times a second
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (!has(by.get("/frame.json"), part) && std::chrono::steady_clock::now() < end)
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        return has(by.get("/frame.json"), part);
    };
    inline_pool pool;
    running server;
    server.shown.watch("pool", pool);
    BOOST_TEST(shows(server, "\"workers\":[[0,0,1,0,"));
    BOOST_TEST(has(server.get("/readyz"), "200 OK"));
    running late;
    const auto look = [&](int x) {
        BOOST_TEST(shows(server, "[[0,0,1,1,\"looks\","));
        late.shown.watch("pool", pool); // who comes later is told what runs
        BOOST_TEST(shows(late, "[[0,0,1,1,\"looks\","));
        return x;
    };
    BOOST_TEST(pool.with({.tenant = {7}, .label = "looks"}).apply(look, 5) == 5);
    BOOST_CHECK_THROW(pool.with({.label = "refuses"}).apply(refuse, 5), std::invalid_argument);
    BOOST_TEST(shows(server, "[[0,0,1,0,\"refuses\""));
    BOOST_TEST(shows(server, R"("how":"threw","label":"refuses","tenant":0,"task":0,"worker":0)"));
    BOOST_TEST(has(server.get("/report?pool=pool&id=1"), "\"what\":\"no 5\""));
    BOOST_TEST(pool.stats().run_time.count() == 2u);
    pool.join();
    BOOST_TEST(shows(server, "[[0,0,0,0,"));
    BOOST_TEST(has(server.get("/readyz"), "503"));
}

BOOST_AUTO_TEST_CASE(an_inline_pool_on_a_loop_is_shown_once_it_is_ready)
{
    asio::io_context context;
    any_async_pool pool(context, "inline", pool_options{.initializer = task(+[] {})});
    running server;
    server.shown.watch("pool", pool);
    BOOST_TEST(has(server.get("/readyz"), "503"));
    auto squares = pool.map(square, std::vector<int>{1, 2, 3}, asio::use_future);
    context.run();
    BOOST_TEST(squares.get().size() == 3u);
    BOOST_TEST(has(server.get("/readyz"), "200 OK"));
    BOOST_TEST(has(server.get("/frame.json"), "\"workers\":[[0,0,1,0,"));
}

BOOST_AUTO_TEST_CASE(viewers_may_do_what_is_allowed)
{
    thread_pool pool(1);
    running reads;
    reads.shown.watch("pool", pool);
    const std::string host = "Host: localhost\r\nContent-Length: 0\r\n";
    BOOST_TEST(has(reads.get("/dump?pool=pool", host, "POST"), "403"));
    BOOST_TEST(has(reads.get("/record?pool=pool", host, "POST"), "403"));
    BOOST_TEST(has(reads.get("/parcel?pool=pool&id=1"), "403"));
    BOOST_TEST(has(reads.get("/frame.json"), "\"can\":[]"));
    running dumps({.port = 0, .dumps = true});
    dumps.shown.watch("pool", pool);
    BOOST_TEST(has(dumps.get("/dump?pool=pool", host, "POST"), "no worker is busy"));
    BOOST_TEST(has(dumps.get("/dump?pool=none", host, "POST"), "404"));
    BOOST_TEST(has(dumps.get("/dump?pool=pool"), "404"));
    BOOST_TEST(has(dumps.get("/dump?pool=pool", host + "Origin: http://evil.example\r\n", "POST"), "403"));
    BOOST_TEST(has(dumps.get("/frame.json"), "\"can\":[\"dump\"]"));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_recorded_is_said_to_the_client)
{
    struct no_temporary_folder
    {
        no_temporary_folder() { ::setenv("TMPDIR", "/does/not/exist", 1); }
        ~no_temporary_folder() { before ? ::setenv("TMPDIR", before->c_str(), 1) : ::unsetenv("TMPDIR"); }
        std::optional<std::string> before =
            std::getenv("TMPDIR") ? std::optional<std::string>(std::getenv("TMPDIR")) : std::nullopt;
    };
    thread_pool pool(1);
    const no_temporary_folder without;
    running server({.port = 0, .records = true});
    server.shown.watch("pool", pool);
    const std::string answer = server.get("/record?pool=pool", "Host: localhost\r\nContent-Length: 0\r\n", "POST");
    BOOST_TEST(has(answer, "500"), answer);
    BOOST_TEST(has(answer, "temp_directory_path"), answer);
    BOOST_TEST(has(server.get("/frame.json"), "\"recording\":false"));
}

BOOST_AUTO_TEST_CASE(a_monitor_ends_while_a_client_waits)
{
    asio::io_context io;
    asio::ip::tcp::socket socket(io);
    thread_pool pool(1);
    {
        running server({.port = 0, .records = true});
        server.shown.watch("pool", pool);
        socket.connect({asio::ip::make_address("127.0.0.1"), server.shown.port()});
        const std::string request = "POST /record?pool=pool HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
        asio::write(socket, asio::buffer(request));
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (!has(server.get("/frame.json"), "\"recording\":true") && std::chrono::steady_clock::now() < end)
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        BOOST_TEST(has(server.get("/record?pool=pool", "Host: localhost\r\nContent-Length: 0\r\n", "POST"), "409"));
    }
    std::string answer;
    boost::system::error_code ec;
    asio::read(socket, asio::dynamic_buffer(answer), ec);
    BOOST_TEST(answer.empty());
}

BOOST_AUTO_TEST_CASE(texts_become_json)
{
    BOOST_TEST(detail::json_text("plain") == "\"plain\"");
    BOOST_TEST(detail::json_text("a\"b\\\n<") == "\"a\\\"b\\\\\\u000a\\u003c\"");
    BOOST_TEST(detail::json_text("gr\xc3\xb6\xc3\x9f\x65") == "\"gr\xc3\xb6\xc3\x9f\x65\"");
    BOOST_TEST(detail::json_text("\xf6\xc3") == "\"\\u00f6\\u00c3\"");
    BOOST_TEST(detail::json_text("\xed\xa0\x80") == "\"\\u00ed\\u00a0\\u0080\""); // half of a surrogate pair
    BOOST_TEST(detail::json_list('[').close() == "[]");
    BOOST_TEST(detail::json_list('{').add("a", std::size_t(1)).add("b", detail::json_text("")).close() ==
               R"({"a":1,"b":""})");
}

BOOST_AUTO_TEST_CASE(queries_are_read)
{
    const detail::request_target target("/report?pool=a%20b%26+c&id=7&empty=&x");
    BOOST_TEST(target.path == "/report");
    BOOST_TEST(target.value("pool") == "a b& c");
    BOOST_TEST(target.number("id") == 7u);
    BOOST_TEST(target.value("empty") == "");
    BOOST_TEST(target.value("x") == "");
    BOOST_TEST(target.number("pool") == 0u);
    BOOST_TEST(detail::request_target("/").query == "");
    BOOST_TEST(detail::request_target("/?a=%zz%4").value("a") == "%zz%4");
    BOOST_TEST(detail::request_target("/?a=%2").value("a") == "%2");
}

BOOST_AUTO_TEST_CASE(long_requests_are_not_read)
{
    running server;
    BOOST_TEST(!has(server.get("/", "Host: localhost\r\nX: " + std::string(20000, 'x') + "\r\n"), "200 OK"));
}

BOOST_AUTO_TEST_SUITE_END()
