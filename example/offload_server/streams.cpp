// SPDX-License-Identifier: BSL-1.0
// Answers whose length is not known when they begin.
#include "routes.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/chunk_encode.hpp>

#include <string>
#include <utility>

#include "json.hpp"

namespace offload {

using namespace std::chrono_literals;

/// In chunks. An old client gets them without marks and sees the end of the connection.
asio::awaitable<bool> stream_primes(exchange& e)
{
    connection& client = e.client;
    const auto upto = e.t.number("upto", 1'000'000, 0, 1'000'000'000);
    const bool chunked = client.http_1_1(), keep_alive = chunked && client.kept();
    bool started = false;
    const auto start = [&]() -> asio::awaitable<void> {
        started = true;
        http::response_header<> head;
        head.result(http::status::ok);
        head.set(http::field::content_type, "text/plain");
        if (chunked)
            head.set(http::field::transfer_encoding, "chunked");
        co_await client.send_head(std::move(head), keep_alive);
    };
    workshop::text_sink sink = [&](const std::string& text) -> asio::awaitable<void> {
        if (!started)
            co_await start();
        if (text.empty())
            co_return;
        if (chunked) {
            auto chunk = http::make_chunk(asio::buffer(text));
            co_await client.write(std::move(chunk));
        } else
            co_await client.write(asio::buffer(text));
    };
    std::exception_ptr error;
    try {
        co_await e.work.primes(client.socket(), upto, sink);
        if (!started)
            co_await start();
        if (chunked) {
            auto last = http::make_chunk_last();
            co_await client.write(std::move(last));
        }
    }
    catch (...) {
        error = std::current_exception();
    }
    if (error && !started)
        std::rethrow_exception(error); // an answer can still tell
    // Behind the first piece the only way to say that something went wrong is not to end the answer.
    client.count("/primes", !error ? 200 : explain(error).hung_up ? 499 : 500);
    co_return !error && keep_alive;
}

/// Server-sent events: all that happens, ten times a second, until somebody hangs up.
asio::awaitable<bool> stream_events(exchange& e)
{
    connection& client = e.client;
    http_server& server = client.server();
    live& feed = server.feed();
    client.not_busy(); // nothing to wait for when the server stops
    client.count("/events", 200);
    http::response_header<> head;
    head.result(http::status::ok);
    head.set(http::field::content_type, "text/event-stream");
    try {
        co_await client.send_head(std::move(head), false);
        std::uint64_t position = feed.end();
        std::string events = feed.present();
        asio::steady_timer pause(client.socket().get_executor());
        while (!server.stopping()) {
            const std::string text = "data: " +
                                     json_object()
                                         .add("now", feed.now())
                                         .add("mode", name_of(e.work.where()))
                                         .add_raw("figures", server.counted().figures(e.work))
                                         .add_raw("events", events)
                                         .text() +
                                     "\n\n";
            co_await client.write(asio::buffer(text));
            pause.expires_after(100ms);
            co_await pause.async_wait(asio::use_awaitable);
            events = feed.since(position);
        }
    }
    catch (const boost::system::system_error&) {
        // It hung up, or does not read.
    }
    co_return false;
}

} // namespace offload
