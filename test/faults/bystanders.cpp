// SPDX-License-Identifier: BSL-1.0
// A server whose tasks crash: what that costs the clients whose tasks do not.
//
// TWAT_MP_CLIENTS and TWAT_MP_REQUESTS make it a longer run.
#include <twat/mp.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>

#include "census.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

int setting(const char* name, int otherwise)
{
    const char* const text = std::getenv(name);
    return text ? std::atoi(text) : otherwise;
}

/// What a request asks for; a negative number crashes its worker.
int answer(int number)
{
    std::this_thread::sleep_for(1ms);
    if (number < 0)
        std::_Exit(3);
    return 2 * number;
}

/// One number a line, answered by its double, or by the first word of what went wrong.
class line_server
{
public:
    explicit line_server(const pool_options& options) : pool_(context_, options)
    {
        asio::co_spawn(context_, accept(), asio::detached);
    }

    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    asio::io_context& context() { return context_; }
    async_multi_pool& pool() { return pool_; }

private:
    asio::awaitable<void> accept()
    {
        for (;;) {
            auto [ec, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
            if (ec)
                co_return;
            asio::co_spawn(context_, talk(std::move(socket)), asio::detached);
        }
    }

    asio::awaitable<void> talk(tcp::socket socket)
    {
        std::string line;
        for (;;) {
            auto [ec, size] = co_await asio::async_read_until(socket, asio::dynamic_buffer(line), '\n',
                                                              asio::as_tuple(asio::use_awaitable));
            if (ec)
                co_return;
            const int number = std::stoi(line);
            line.erase(0, size);
            std::string reply;
            try {
                reply = std::to_string(co_await pool_.apply(answer, number, bind_to_peer(socket, asio::use_awaitable)));
            }
            catch (const worker_died&) {
                reply = "died";
            }
            catch (const boost::system::system_error& e) {
                reply = e.code() == asio::error::operation_aborted ? "aborted" : e.what();
            }
            reply += '\n';
            co_await asio::async_write(socket, asio::buffer(reply), asio::as_tuple(asio::use_awaitable));
        }
    }

    asio::io_context context_{1};
    tcp::acceptor acceptor_{context_, {asio::ip::address_v4::loopback(), 0}};
    async_multi_pool pool_;
};

/// Sends its requests one after the other and counts the replies.
asio::awaitable<void> run_client(std::uint16_t port, int number, int requests, std::map<std::string, int>& replies)
{
    tcp::socket socket(co_await asio::this_coro::executor);
    co_await socket.async_connect({asio::ip::address_v4::loopback(), port}, asio::use_awaitable);
    const std::string request = std::to_string(number) + '\n', right = std::to_string(2 * number);
    std::string line;
    for (int i = 0; i != requests; ++i) {
        co_await asio::async_write(socket, asio::buffer(request), asio::use_awaitable);
        const std::size_t size =
            co_await asio::async_read_until(socket, asio::dynamic_buffer(line), '\n', asio::use_awaitable);
        const std::string reply = line.substr(0, size - 1);
        ++replies[reply == right ? "right" : reply];
        line.erase(0, size);
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_bystanders)

BOOST_FIXTURE_TEST_CASE(crashes_do_not_cancel_other_clients, census_fixture)
{
    const int clients = setting("TWAT_MP_CLIENTS", 300), requests = setting("TWAT_MP_REQUESTS", 8);
    constexpr int poisoned = 16;
    pool_options options;
    options.nodes = 4;
    options.start_timeout = 60s;
    options.restarts.count = 1'000'000;
    line_server server(options);
    std::map<std::string, int> innocent, guilty;
    std::thread others([&, port = server.port()] {
        asio::io_context context;
        for (int i = 0; i != clients; ++i) {
            const bool crashes = i * poisoned / clients != (i + 1) * poisoned / clients;
            asio::co_spawn(context, run_client(port, crashes ? -1 : i, requests, crashes ? guilty : innocent),
                           asio::detached);
        }
        context.run();
        asio::post(server.context(), [&server] { server.context().stop(); });
    });
    server.context().run();
    others.join();
    for (const auto& [reply, count] : innocent)
        BOOST_TEST_MESSAGE("innocent: " << count << " " << reply);
    for (const auto& [reply, count] : guilty)
        BOOST_TEST_MESSAGE("guilty: " << count << " " << reply);
    BOOST_TEST(innocent["aborted"] == 0);
    BOOST_TEST(innocent["right"] == (clients - poisoned) * requests);
    BOOST_TEST(guilty["died"] == poisoned * requests);
    BOOST_TEST(server.pool().stats().died == std::size_t(poisoned * requests));
}

BOOST_AUTO_TEST_SUITE_END()
