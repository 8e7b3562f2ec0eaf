// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_LOOP_LAG_HPP
#define OFFLOAD_LOOP_LAG_HPP

#include <twat/mp/histogram.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>

namespace offload {

namespace asio = boost::asio;
namespace mp = twat::mp;

/// How late the event loop is, by a timer that should ring every 20 ms.
class loop_lag
{
public:
    explicit loop_lag(const asio::any_io_executor& executor) : timer_(executor) {}

    void start()
    {
        timer_.expires_after(std::chrono::milliseconds(20));
        timer_.async_wait([this](boost::system::error_code ec) {
            if (ec || stopped_)
                return;
            measured_.record(std::chrono::steady_clock::now() - timer_.expiry());
            start();
        });
    }
    void stop()
    {
        stopped_ = true; // the timer may have rung already, and its handler be on its way
        timer_.cancel();
    }

    const mp::histogram& measured() const { return measured_; }

private:
    asio::steady_timer timer_;
    bool stopped_ = false;
    mp::histogram measured_;
};

} // namespace offload

#endif
