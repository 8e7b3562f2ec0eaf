// SPDX-License-Identifier: BSL-1.0
// A server whose conversations go to worker processes and come back. It accepts, reads the first line, and hands whoever wants something
// calculated, with the socket and all that was read, to a coroutine in a worker. That one answers by itself until a line comes that is for the
// server, and hands the conversation back. A client that crashes its worker ends its own conversation and those beside it there, nothing more.
//
//   conversations PORT      serves until Ctrl-C; try  nc localhost PORT  with: status, square 12, primes 100000, crash, bye
//   conversations           serves some clients of its own, and shows what they get
#include <twat/mp.hpp>

#include <boost/asio.hpp>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <utility>

namespace asio = boost::asio;
namespace mp = twat::mp;
using asio::ip::tcp;

namespace {

// The socket, and what was read from it and not yet used: a client may send the next line before it has the answer to the last.
using conversation = mp::connection<tcp::socket>;

/// The next line of the client; nothing when it has hung up.
asio::awaitable<std::optional<std::string>> next_line(conversation& with)
{
    boost::system::error_code error;
    const std::size_t size = co_await asio::async_read_until(with.socket, asio::dynamic_buffer(with.received), '\n',
                                                             asio::redirect_error(asio::use_awaitable, error));
    if (error)
        co_return std::nullopt;
    std::string line = with.received.substr(0, size - 1);
    with.received.erase(0, size);
    co_return line;
}

asio::awaitable<void> say(conversation& to, std::string text)
{
    text += '\n';
    boost::system::error_code gone; // is seen by the next read
    co_await asio::async_write(to.socket, asio::buffer(text), asio::redirect_error(asio::use_awaitable, gone));
}

bool is_for_a_worker(const std::string& line)
{
    return line.starts_with("square ") || line.starts_with("primes ") || line == "crash";
}

std::uint64_t calculate(const std::string& line)
{
    if (line == "crash")
        std::abort();
    const std::uint64_t n = std::strtoull(line.c_str() + 7, nullptr, 10);
    if (line.starts_with("square "))
        return n * n;
    std::uint64_t primes = 0;
    for (std::uint64_t candidate = 2; candidate <= n; ++candidate) {
        std::uint64_t factor = 2;
        while (factor * factor <= candidate && candidate % factor != 0)
            ++factor;
        primes += factor * factor > candidate;
    }
    return primes;
}

/// In a worker: the conversation, until it is over (nothing is returned) or a line comes that is for the server.
asio::awaitable<std::optional<conversation>> converse_in_a_worker(conversation client)
{
    while (const std::optional<std::string> line = co_await next_line(client)) {
        if (!is_for_a_worker(*line)) {
            client.received.insert(0, *line + '\n');
            co_return std::move(client);
        }
        std::string answer = "worker: " + std::to_string(calculate(*line));
        co_await say(client, std::move(answer));
    }
    co_return std::nullopt;
}

struct counts
{
    int conversations = 0, handed_over = 0, came_back = 0;
};

/// In the server: hands the conversation over with the line that came first. False if it is over.
asio::awaitable<bool> hand_over(mp::async_multi_pool& pool, conversation& client, std::string line, counts& so_far)
{
    client.received.insert(0, line + '\n');
    std::optional<conversation> back;
    bool refused = false;
    ++so_far.handed_over;
    try {
        back = co_await pool.apply(converse_in_a_worker, std::move(client));
        so_far.came_back += back.has_value();
    }
    catch (const mp::worker_died& e) {
        std::clog << "a conversation has killed its worker: " << e.what() << '\n';
    }
    catch (const mp::error& e) { // too many wait, say: no worker had it, so it is here again
        std::clog << "a conversation was refused: " << e.what() << '\n';
        back = mp::reclaim<conversation>(e);
        refused = true;
    }
    if (!back)
        co_return false;
    client = std::move(*back);
    if (refused) {
        client.received.erase(0, line.size() + 1);
        std::string busy = "server: busy, ask again";
        co_await say(client, std::move(busy));
    }
    co_return true;
}

asio::awaitable<void> converse(mp::async_multi_pool& pool, tcp::socket accepted, counts& so_far)
{
    ++so_far.conversations;
    conversation client{std::move(accepted)};
    while (const std::optional<std::string> line = co_await next_line(client)) {
        if (is_for_a_worker(*line)) {
            const bool goes_on = co_await hand_over(pool, client, *line, so_far);
            if (!goes_on)
                co_return;
            continue;
        }
        if (*line == "bye")
            co_return;
        std::string answer = *line == "status" ? "server: " + std::to_string(so_far.conversations) +
                                                     " conversations, " + std::to_string(so_far.handed_over) +
                                                     " handed over, " + std::to_string(so_far.came_back) + " came back"
                                               : "server: status, square N, primes N, crash or bye";
        co_await say(client, std::move(answer));
    }
}

asio::awaitable<void> serve(tcp::acceptor& acceptor, mp::async_multi_pool& pool, counts& so_far)
{
    for (;;) {
        boost::system::error_code closed;
        tcp::socket accepted = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, closed));
        if (closed)
            co_return;
        co_spawn(acceptor.get_executor(), converse(pool, std::move(accepted), so_far), asio::detached);
    }
}

/// A client of ours: sends all at once, and shows what comes until the server hangs up.
asio::awaitable<void> ask(tcp::endpoint server, std::string lines)
{
    tcp::socket socket(co_await asio::this_coro::executor);
    co_await socket.async_connect(server, asio::use_awaitable);
    co_await asio::async_write(socket, asio::buffer(lines), asio::use_awaitable);
    std::string answers;
    boost::system::error_code end;
    co_await asio::async_read(socket, asio::dynamic_buffer(answers), asio::redirect_error(asio::use_awaitable, end));
    std::cout << answers << "--\n";
}

asio::awaitable<void> show(tcp::acceptor& acceptor, mp::async_multi_pool& pool)
{
    const tcp::endpoint server = acceptor.local_endpoint();
    std::string all_kinds = "status\nsquare 12\nprimes 1000\nstatus\nsquare 3\nbye\n";
    co_await ask(server, std::move(all_kinds));
    std::string deadly = "square 4\ncrash\n";
    co_await ask(server, std::move(deadly));
    std::string after = "primes 100\nstatus\nbye\n";
    co_await ask(server, std::move(after));
    acceptor.close();
    co_await pool.join();
}

} // namespace

int main(int argc, char** argv)
try {
    mp::run_if_worker(argc, argv);
    asio::io_context context;
    const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0);
    tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), port));
    mp::pool_options options;
    options.nodes = 2;
    options.child_concurrency =
        1000; // conversations at once in one worker: they wait for their clients nearly all the time
    options.max_pending = 100;
    mp::async_multi_pool pool(context, options);
    counts so_far;
    const auto rethrow = [](std::exception_ptr error) {
        if (error)
            std::rethrow_exception(error);
    };
    asio::signal_set signals(context);
    co_spawn(context, serve(acceptor, pool, so_far), rethrow);
    if (argc > 1) {
        signals.add(SIGINT);
        signals.async_wait([&](boost::system::error_code, int) {
            acceptor.close();
            pool.terminate();
            context.stop();
        });
    } else {
        co_spawn(context, show(acceptor, pool), rethrow);
    }
    context.run();
}
catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
}
