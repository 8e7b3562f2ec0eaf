// SPDX-License-Identifier: BSL-1.0
// A server of one line per request. The work runs in worker processes, so a request that crashes costs one answer.
// tag::server[]
#include <twat/mp.hpp>

#include <boost/asio.hpp>

#include <chrono>
#include <iostream>
#include <string>

namespace asio = boost::asio;
namespace mp = twat::mp;
using asio::ip::tcp;
using namespace std::chrono_literals;

std::string answer(std::string request) // runs in a worker process
{
    if (request == "crash")
        *static_cast<volatile int*>(nullptr) = 1;
    while (request == "hang") {}
    return {request.rbegin(), request.rend()};
}

asio::awaitable<void> serve(tcp::socket client, mp::async_multi_pool& pool)
{
    std::string text;
    for (;;) {
        const std::size_t size = co_await asio::async_read_until(client, asio::dynamic_buffer(text), '\n', asio::use_awaitable);
        const std::string request = text.substr(0, size - 1);
        text.erase(0, size);
        std::string reply;
        try {
            reply = co_await pool.with({.timeout = 2s}).apply(answer, request, mp::bind_to_peer(client));
        } catch (const mp::error& e) { // the worker died, or took too long; the server goes on
            reply = std::string("error: ") + e.what();
        }
        co_await asio::async_write(client, asio::buffer(reply += '\n'), asio::use_awaitable);
    }
}

asio::awaitable<void> listen(tcp::acceptor acceptor, mp::async_multi_pool& pool)
{
    for (;;) {
        tcp::socket client = co_await acceptor.async_accept(asio::use_awaitable);
        co_spawn(acceptor.get_executor(), serve(std::move(client), pool), asio::detached);
    }
}

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv); // the workers are this program, started again
    asio::io_context context;
    mp::async_multi_pool pool(context);
    // end::server[]
    // What follows stands for nc in the test: three requests, of which the second crashes its worker.
    if (argc < 2) {
        tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
        const tcp::endpoint where = acceptor.local_endpoint();
        co_spawn(context, listen(std::move(acceptor), pool), asio::detached);
        auto client = [&]() -> asio::awaitable<void> {
            tcp::socket server(context);
            co_await server.async_connect(where, asio::use_awaitable);
            for (const char* text : {"one\n", "crash\n", "three\n"}) {
                const std::string request = text;
                co_await asio::async_write(server, asio::buffer(request), asio::use_awaitable);
                std::string reply;
                co_await asio::async_read_until(server, asio::dynamic_buffer(reply), '\n', asio::use_awaitable);
                std::cout << (reply.starts_with("error") ? "an error\n" : reply);
            }
            context.stop();
        };
        co_spawn(context, client, asio::detached);
        context.run();
        return 0;
    }
    // tag::server[]
    co_spawn(context, listen(tcp::acceptor(context, {tcp::v4(), 7777}), pool), asio::detached);
    context.run();
}
// end::server[]
