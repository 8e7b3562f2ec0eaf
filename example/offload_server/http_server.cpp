// SPDX-License-Identifier: BSL-1.0
#include "http_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <iostream>
#include <memory>
#include <utility>

#include "connection.hpp"

namespace offload {

using namespace std::chrono_literals;
using boost::system::error_code;

namespace {

constexpr std::size_t most_connections = 4096;
constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

} // namespace

http_server::http_server(const asio::any_io_executor& executor, const settings& s, workshop& work, const loop_lag& lag,
                         std::string monitor_url)
    : settings_(s), work_(work), lag_(lag), monitor_url_(std::move(monitor_url)), acceptor_(executor),
      patience_(executor)
{
    for (unsigned short port = s.port;; ++port) {
        tcp::endpoint endpoint(s.address, port);
        acceptor_.open(endpoint.protocol());
        acceptor_.set_option(tcp::acceptor::reuse_address(true));
        error_code ec;
        acceptor_.bind(endpoint, ec);
        if (!ec)
            break;
        acceptor_.close();
        if (ec != asio::error::address_in_use || s.port_given || port >= s.port + 100)
            throw boost::system::system_error(ec, s.address.to_string() + " port " + std::to_string(port));
    }
    acceptor_.listen();
}

std::string http_server::url() const
{
    const auto endpoint = acceptor_.local_endpoint();
    const std::string host = endpoint.address().to_string();
    return "http://" + (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port()) +
           "/";
}

void http_server::arrived(connection& c)
{
    connections_.insert(&c);
    metrics_.connections = connections_.size();
}

void http_server::left(connection& c)
{
    connections_.erase(&c);
    metrics_.connections = connections_.size();
    if (stopping_ && connections_.empty())
        patience_.cancel();
}

asio::awaitable<void> http_server::accept()
{
    asio::steady_timer pause(acceptor_.get_executor());
    while (!stopping_) {
        auto [ec, socket] = co_await acceptor_.async_accept(no_throw);
        if (stopping_ || ec == asio::error::operation_aborted)
            co_return;
        if (ec) {
            if (ec == asio::error::no_descriptors || ec == boost::system::errc::too_many_files_open_in_system)
                out_of_descriptors();
            pause.expires_after(50ms); // some request will end
            co_await pause.async_wait(asio::use_awaitable);
            continue;
        }
        if (connections_.size() >= most_connections)
            continue; // and so closes it
        auto client = std::make_shared<connection>(*this, std::move(socket));
        // what it threw concerns its client alone
        asio::co_spawn(acceptor_.get_executor(), client->run(), [client](std::exception_ptr) {});
    }
}

/// Clients wait in the system's queue meanwhile. Connections that are only kept for a next request make room for them.
void http_server::out_of_descriptors()
{
    if (!std::exchange(told_, true))
        std::cerr << "offload_server: too many open files (see ulimit -n): idle connections are closed, new ones wait"
                  << std::endl;
    close_idle();
}

void http_server::close_idle()
{
    for (connection* c : connections_)
        if (!c->busy())
            c->close();
}

asio::awaitable<void> http_server::wait_for_connections(std::chrono::steady_clock::time_point until)
{
    if (connections_.empty())
        co_return;
    patience_.expires_at(until);
    co_await patience_.async_wait(no_throw);
}

asio::awaitable<void> http_server::stop()
{
    const auto limit = std::chrono::steady_clock::now() + settings_.stop_timeout;
    stopping_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    close_idle();
    co_await wait_for_connections(limit);
    const auto left =
        hurried_ ? 0ns : std::max<std::chrono::nanoseconds>(0ns, limit - std::chrono::steady_clock::now());
    co_await work_.drain(left); // what is no request's, too
    for (connection* c : connections_)
        c->stop_reading();
    co_await wait_for_connections(std::chrono::steady_clock::now() + 1s); // while they write that
    for (connection* c : connections_)
        c->close();
}

void http_server::hurry()
{
    hurried_ = true;
    patience_.cancel();
    work_.terminate();
}

} // namespace offload
