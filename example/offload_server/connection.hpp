// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_CONNECTION_HPP
#define OFFLOAD_CONNECTION_HPP

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <string_view>

#include "http_server.hpp"
#include "request.hpp"

namespace offload {

struct route;

/** A client: its requests one after the other, also where it sends the next ones before it has an answer. */
class connection : public std::enable_shared_from_this<connection>
{
public:
    connection(http_server& server, tcp::socket socket);
    ~connection();
    connection(const connection&) = delete;

    asio::awaitable<void> run();

    /// A request has started to arrive and is not answered.
    bool busy() const { return busy_; }
    /// A request that is not complete gets the answer 503 now.
    void stop_reading()
    {
        if (reading_)
            give_up(503);
    }
    void close();

    // For the routes that write their answer piece by piece.

    http_server& server() { return server_; }
    tcp::socket& socket() { return socket_; }
    bool http_1_1() const { return version_ >= 11; }
    /// The next request may follow on this connection.
    bool kept() const;
    /// Nobody waits for this request's end when the server stops.
    void not_busy() { busy_ = false; }
    void count(std::string_view route, unsigned status);
    asio::awaitable<void> send_head(http::response_header<> head, bool keep_alive);
    /// Writes all of it; the client may take `client_timeout` for it.
    template <class Buffers>
    asio::awaitable<void> write(Buffers buffers)
    {
        within(server_.options().client_timeout);
        const std::size_t n = co_await asio::async_write(socket_, buffers, asio::use_awaitable);
        at_leisure();
        server_.counted().transferred(0, n);
    }

private:
    asio::awaitable<bool> one_request();
    asio::awaitable<bool> serve(request& r);
    asio::awaitable<bool> refuse(boost::system::error_code ec);
    asio::awaitable<bool> refuse(answer a);
    asio::awaitable<bool> send(answer a, std::string_view route, bool head = false);
    asio::awaitable<void> linger();

    // What is read or written must be over within some time; else it is cancelled, and `late_` has the status for it.
    void within(std::chrono::milliseconds time);
    void at_leisure();
    void give_up(unsigned status);

    http_server& server_;
    tcp::socket socket_;
    boost::beast::flat_buffer buffer_;
    asio::steady_timer timer_;
    std::uint64_t turn_ = 0; // which use of the timer it is: its handler may be queued when the next one begins
    unsigned late_ = 0;
    bool busy_ = false, reading_ = false;
    unsigned version_ = 11;
    bool keep_alive_ = false;
    std::chrono::steady_clock::time_point began_{};
};

} // namespace offload

#endif
