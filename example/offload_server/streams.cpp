// SPDX-License-Identifier: BSL-1.0
// Answers whose length is not known when they begin.
#include "routes.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/chunk_encode.hpp>

#include <string>
#include <utility>

namespace offload {

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
        co_await e.work.primes(caller_of(e), upto, sink);
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

} // namespace offload
