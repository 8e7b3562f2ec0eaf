// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_HTTP_SERVER_HPP
#define OFFLOAD_HTTP_SERVER_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <string>
#include <string_view>
#include <unordered_set>

#include "live.hpp"
#include "metrics.hpp"
#include "settings.hpp"
#include "work.hpp"

namespace offload {

class connection;

/// What `/` answers: HTML with all that belongs to it.
extern const std::string_view page;

/** Listens, and has a coroutine for each connection. All on one thread. */
class http_server
{
public:
    /// @throws boost::system::system_error, if it cannot listen.
    http_server(const asio::any_io_executor& executor, const settings& s, workshop& work, live& feed);

    /// "http://127.0.0.1:8080/"
    std::string url() const;

    asio::awaitable<void> accept();

    /** Takes no more connections, closes those that have no request, and waits until the others are answered, but not longer than
        `stop_timeout`: then they are cut off.
    */
    asio::awaitable<void> stop();
    /// What `stop` waits for is cut off now.
    void hurry() { patience_.cancel(); }

private:
    friend class connection;

    const settings& settings_;
    workshop& work_;
    live& feed_;
    metrics metrics_;
    tcp::acceptor acceptor_;
    asio::steady_timer patience_;
    bool stopping_ = false;
    std::unordered_set<connection*> connections_;
};

} // namespace offload

#endif
