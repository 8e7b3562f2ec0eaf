// SPDX-License-Identifier: BSL-1.0
// What the how-to page for descriptors and sockets shows, run once.
#include <twat/mp.hpp>

#include <boost/asio.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace asio = boost::asio;
namespace mp = twat::mp;
using asio::ip::tcp;
using namespace std::chrono_literals;

void check(bool good)
{
    if (!good)
        std::abort();
}

// tag::file[]
int count_lines(mp::unique_fd file) // in a worker, which has a descriptor of its own for the same open file
{
    int lines = 0;
    char block[4096];
    for (ssize_t n; (n = ::read(file.get(), block, sizeof block)) > 0;)
        for (ssize_t i = 0; i < n; ++i)
            lines += block[i] == '\n';
    return lines;
}

int lines_of(mp::process_pool& pool, const char* path)
{
    mp::unique_fd file(::open(path, O_RDONLY | O_CLOEXEC)); // opened with the rights of this process, which the worker need not have
    if (!file)
        throw std::runtime_error(std::string("cannot open ") + path);
    return pool.apply(count_lines, std::move(file));
}
// end::file[]

// tag::conversation[]
using conversation = mp::connection<tcp::socket>; // the socket, and what was read from it and not yet used

/// In a worker: answers lines until one has to be handled by the parent. Then it returns the conversation, with that line.
asio::awaitable<std::optional<conversation>> shout(conversation client)
{
    for (;;) {
        const std::size_t size = co_await asio::async_read_until(client.socket, asio::dynamic_buffer(client.received),
                                                                 '\n', asio::use_awaitable);
        if (client.received.starts_with("bye"))
            co_return std::nullopt; // closed here and, as the task has ended, in the parent
        if (!client.received.starts_with("shout "))
            co_return std::move(client);
        const std::string answer = client.received.substr(6, size - 7) + "!\n";
        client.received.erase(0, size);
        co_await asio::async_write(client.socket, asio::buffer(answer), asio::use_awaitable);
    }
}

asio::awaitable<void> serve(mp::async_multi_pool& pool, tcp::socket accepted)
{
    conversation begun{std::move(accepted)};
    co_await asio::async_read_until(begun.socket, asio::dynamic_buffer(begun.received), '\n', asio::use_awaitable);
    std::optional<conversation> back = co_await pool.apply(shout, std::move(begun)); // this coroutine has it no longer
    if (!back)
        co_return;
    const std::string answer = "back in the parent: " + back->received;
    co_await asio::async_write(back->socket, asio::buffer(answer), asio::use_awaitable);
}
// end::conversation[]

// tag::refused[]
asio::awaitable<void> serve_or_refuse(mp::async_multi_pool& pool, tcp::socket accepted)
{
    std::optional<conversation> back;
    try {
        conversation begun{std::move(accepted)};
        co_await pool.apply(shout, std::move(begun));
    }
    catch (const mp::error& e) {
        if (e.code() != mp::errc::queue_full)
            throw;
        back = mp::reclaim<conversation>(e); // no worker had it: here it is again
    }
    if (back)
        co_await asio::async_write(back->socket, asio::buffer("busy\n", 5), asio::use_awaitable);
}
// end::refused[]

void nap() { ::usleep(500'000); }

asio::awaitable<std::string> ask(tcp::acceptor& acceptor, std::string text)
{
    tcp::socket client(acceptor.get_executor());
    co_await client.async_connect(acceptor.local_endpoint(), asio::use_awaitable);
    co_await asio::async_write(client, asio::buffer(text), asio::use_awaitable);
    std::string answers;
    boost::system::error_code until_end;
    co_await asio::async_read(client, asio::dynamic_buffer(answers),
                              asio::redirect_error(asio::use_awaitable, until_end));
    co_return answers;
}

template <class Serve>
asio::awaitable<void> accept_one(mp::async_multi_pool& pool, tcp::acceptor& acceptor, Serve serve_one)
{
    tcp::socket accepted = co_await acceptor.async_accept(asio::use_awaitable);
    co_await serve_one(pool, std::move(accepted));
}

asio::awaitable<void> wait_until_pending(mp::async_multi_pool& pool, std::size_t busy, std::size_t pending)
{
    asio::steady_timer timer(co_await asio::this_coro::executor);
    while (pool.stats().busy != busy || pool.stats().pending != pending) {
        timer.expires_after(1ms);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

asio::awaitable<void> conversations(asio::io_context& context)
{
    tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    mp::pool_options options;
    options.nodes = 1;
    options.max_pending = 1;
    mp::async_multi_pool pool(context, options);
    co_await pool.start();

    asio::co_spawn(context, accept_one(pool, acceptor, serve), asio::detached);
    std::cout << co_await ask(acceptor, "shout one\nshout two\nstatus\n");

    pool.apply(nap, asio::detached); // runs
    co_await wait_until_pending(pool, 1, 0);
    pool.apply(nap, asio::detached); // waits
    co_await wait_until_pending(pool, 1, 1);
    asio::co_spawn(context, accept_one(pool, acceptor, serve_or_refuse), asio::detached);
    std::cout << co_await ask(acceptor, "shout three\n");
    co_await pool.join();
}

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    {
        mp::process_pool pool(1);
        check(lines_of(pool, "/proc/self/status") > 10);
    }
    asio::io_context context;
    asio::co_spawn(context, conversations(context), [](std::exception_ptr error) {
        if (error)
            std::rethrow_exception(error);
    });
    context.run();
}
