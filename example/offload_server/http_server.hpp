// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_HTTP_SERVER_HPP
#define OFFLOAD_HTTP_SERVER_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <string>
#include <unordered_set>

#include "loop_lag.hpp"
#include "metrics.hpp"
#include "settings.hpp"
#include "work.hpp"

namespace offload {

class connection;

/** Listens, and has a coroutine for each connection. All on one thread. */
class http_server
{
public:
    /// @throws boost::system::system_error, if it cannot listen.
    http_server(const asio::any_io_executor& executor, const settings& s, workshop& work, const loop_lag& lag,
                std::string monitor_url);

    /// "http://127.0.0.1:8080/"
    std::string url() const;

    asio::awaitable<void> accept();

    /** Takes no more connections, closes those that have no request, and waits until the others are answered, but not longer than
        `stop_timeout`: then what is not done is given up, and its clients get the answer 503.
    */
    asio::awaitable<void> stop();
    /// What `stop` waits for is given up now.
    void hurry();

    const settings& options() const { return settings_; }
    workshop& work() { return work_; }
    const loop_lag& lag() { return lag_; }
    const std::string& monitor_url() const { return monitor_url_; }
    metrics& counted() { return metrics_; }
    bool stopping() const { return stopping_; }

    // Connections announce themselves.
    void arrived(connection& c);
    void left(connection& c);

private:
    asio::awaitable<void> wait_for_connections(std::chrono::steady_clock::time_point until);
    void close_idle();
    void out_of_descriptors();

    const settings& settings_;
    workshop& work_;
    const loop_lag& lag_;
    const std::string monitor_url_;
    metrics metrics_;
    tcp::acceptor acceptor_;
    asio::steady_timer patience_;
    bool stopping_ = false, hurried_ = false, told_ = false;
    std::unordered_set<connection*> connections_;
};

} // namespace offload

#endif
