// SPDX-License-Identifier: BSL-1.0
// What the how-to pages for servers show, run once.
#include <twat/mp.hpp>

#include <boost/asio.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace mp = twat::mp;
using namespace std::chrono_literals;

struct response
{
    int status = 0;
    std::string body;
};

std::string decode_picture(std::string upload)
{
    if (upload == "bomb")
        std::abort();
    if (upload == "broken")
        throw std::invalid_argument("this is no picture");
    return "a picture of " + upload;
}

// tag::poisoned[]
// tag::limits[]
mp::pool_options limits()
{
    mp::pool_options options;
    options.max_pending = 64;                                // what waits beyond that is refused, not piled up
    options.max_memory_per_child = std::size_t(512) << 20;   // a picture that unpacks to gigabytes: std::bad_alloc in its task
    options.child_stderr = mp::error_output::capture;        // what the decoder writes before it dies is part of the error
    return options;
}
// end::limits[]

asio::awaitable<response> upload(mp::async_multi_pool& pool, std::string bytes)
{
    try {
        std::string picture = co_await pool.with({.timeout = 5s}).apply(decode_picture, bytes);
        co_return response{200, std::move(picture)};
    } catch (const mp::worker_died& e) {
        std::clog << "upload killed its worker: " << e.what() << '\n' << e.stderr_tail();
        co_return response{422, "this file cannot be read"};
    } catch (const mp::error& e) {
        const bool late = e.code() == mp::errc::task_timed_out;
        co_return response{late ? 422 : 503, e.what()}; // queue_full, pool_broken: come back later
    } catch (const std::exception& e) {
        co_return response{400, e.what()}; // what decode_picture threw
    }
}
// end::poisoned[]

// tag::deadline[]
std::string render(std::string page) // in a worker
{
    const mp::duration left = mp::this_task::remaining();
    return page + (left < 1s ? ", small" : ", whole"); // choose what can be done in the time that is left
}

asio::awaitable<std::string> render_until(mp::async_multi_pool& pool, std::string page, std::chrono::steady_clock::time_point due)
{
    mp::call_options options;
    options.deadline = due - std::chrono::steady_clock::now(); // waiting, running and coming back: all of it
    options.queue_timeout = options.deadline / 2;              // not even begun by then: errc::queue_timed_out, and it never runs
    co_return co_await pool.with(options).apply(render, page);
}
// end::deadline[]

// tag::hedge[]
asio::awaitable<std::string> render_quickly(mp::async_multi_pool& pool, std::string page)
{
    mp::call_options options;
    options.hedge_after = mp::percentile{95}; // slower than 95 of 100 before it: begun once more elsewhere, the first answer wins
    co_return co_await pool.with(options).apply(render, page);
}
// end::hedge[]

// tag::streaming[]
std::string row(int number) { return "row " + std::to_string(number) + "\n"; }

template <class Socket>
asio::awaitable<void> send_rows(mp::async_multi_pool& pool, Socket& client, std::vector<int> numbers)
{
    mp::call_options options;
    options.window = 32; // at most so many rows are made ahead of a client that reads slowly
    auto rows = pool.with(options).imap(row, numbers);
    while (auto text = co_await rows.next())
        co_await asio::async_write(client, asio::buffer(*text), asio::use_awaitable);
} // a client that hangs up makes async_write throw; the stream is destroyed, and with it what has not begun
// end::streaming[]

// tag::shutdown[]
asio::awaitable<void> stop_on_signal(mp::async_multi_pool& pool, std::chrono::seconds patience)
{
    asio::signal_set signals(co_await asio::this_coro::executor, SIGINT, SIGTERM);
    co_await signals.async_wait(asio::use_awaitable);
    const mp::drain_report report = co_await pool.drain(patience);
    std::clog << "finished " << report.finished << ", gave up " << report.terminated << '\n';
}
// end::shutdown[]

// tag::progress[]
int step(int x) { return x + 1; }

asio::awaitable<std::vector<int>> all_steps(mp::async_multi_pool& pool, std::vector<int> xs)
{
    auto tell = [](const mp::progress& now) { // on the pool's strand: must be quick
        if (now.total && now.done == *now.total)
            std::clog << now.done << " of " << *now.total << ", " << now.failed << " failed\n";
    };
    co_return co_await pool.with({}).on_progress(tell).map(step, xs);
}
// end::progress[]

void check(bool good)
{
    if (!good)
        std::abort();
}

asio::awaitable<void> run()
{
    const auto executor = co_await asio::this_coro::executor;
    const mp::pool_options options = limits();
    mp::async_multi_pool pool(executor, options);
    std::string text = "cats";
    check((co_await upload(pool, text)).status == 200);
    text = "bomb";
    check((co_await upload(pool, text)).status == 422);
    text = "broken";
    check((co_await upload(pool, text)).status == 400);

    text = "home";
    check(co_await render_until(pool, text, std::chrono::steady_clock::now() + 1h) == "home, whole");
    check(co_await render_quickly(pool, text) == "home, whole");

    asio::local::stream_protocol::socket here(executor), there(executor);
    asio::local::connect_pair(here, there);
    const std::vector<int> numbers{1, 2, 3};
    co_await send_rows(pool, here, numbers);
    here.close();
    std::string received;
    boost::system::error_code end;
    co_await asio::async_read(there, asio::dynamic_buffer(received), asio::redirect_error(asio::use_awaitable, end));
    check(received == "row 1\nrow 2\nrow 3\n");

    check((co_await all_steps(pool, numbers)).back() == 4);
    std::raise(SIGTERM);
}

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    asio::io_context context;
    mp::async_multi_pool pool(context, 1);
    auto end = [](std::exception_ptr e) {
        if (e)
            std::rethrow_exception(e);
    };
    co_spawn(context, stop_on_signal(pool, 10s), end);
    co_spawn(context, run(), end);
    context.run();
    std::cout << "ok\n";
}
