// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_POOL_ALARM_HPP
#define TWAT_MP_SRC_POOL_ALARM_HPP

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <utility>

#include "backend/worker_set.hpp"
#include "os/off_loop_timer.hpp"

namespace twat::mp::detail {

/** When a pool looks at what has come due: by a timer on its strand, which is work on the context. On the strand. */
class alarm
{
public:
    explicit alarm(const pool_strand& strand) : strand_(strand), timer_(strand) {}

    bool is_set() const noexcept { return due_ != time_point::max(); }
    /// @param due `time_point::max()`: never.
    /// @param make Makes the handler, if one is needed: `void(error_code)`, which asks `rings` first.
    template <class MakeHandler>
    void set(time_point due, MakeHandler&& make)
    {
        if (due == time_point::max()) {
            if (std::exchange(due_, due) != due)
                timer_.cancel();
            return;
        }
        if (due_ <= due)
            return; // rings too early at worst, and is set again then
        due_ = due;
        timer_.expires_at(due);
        timer_.async_wait(asio::bind_executor(strand_, make()));
    }
    /// Whether the handler that was set for this moment is the one that counts. It is not set any more then.
    bool rings(time_point due) noexcept
    {
        if (due_ != due)
            return false;
        due_ = time_point::max();
        return true;
    }

private:
    pool_strand strand_;
    asio::steady_timer timer_;
    time_point due_ = time_point::max();
};

/** The same for a pool in which nothing is outstanding: no work on the context. Rings in a thread of the library. */
class idle_alarm
{
public:
    /// @param make Makes what is called in that thread, if it is needed: it comes to the strand and calls `rang`.
    template <class MakeHandler>
    void set(time_point due, MakeHandler&& make)
    {
        if (due == time_point::max()) {
            if (due_ != due)
                clear();
            return;
        }
        if (due_ <= due)
            return;
        try {
            timer_.set(due, make());
            due_ = due;
        }
        catch (...) {
            due_ = time_point::max(); // no memory, or no thread: it is tried again when something happens
        }
    }
    void clear() noexcept
    {
        due_ = time_point::max();
        timer_.clear();
    }
    /// Back on the strand: it is not set any more.
    void rang() noexcept { due_ = time_point::max(); }

private:
    off_loop_timer timer_;
    time_point due_ = time_point::max();
};

} // namespace twat::mp::detail

#endif
