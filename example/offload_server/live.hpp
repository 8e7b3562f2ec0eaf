// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_LIVE_HPP
#define OFFLOAD_LIVE_HPP

#include <twat/mp/histogram.hpp>
#include <twat/mp/trace_event.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "settings.hpp"

namespace offload {

namespace asio = boost::asio;
namespace mp = twat::mp;

/** What goes on just now, for the page: what the workers begin and end, and how late the event loop is.

    Kept as JSON, an element for each event, and forgotten after a while. Each reader has a number of how far it has read.
*/
class live
{
public:
    explicit live(const asio::any_io_executor& executor) : timer_(executor) {}

    /// Begins to measure the loop, by a timer that should ring every 20 ms.
    void start();
    void stop()
    {
        stopped_ = true; // the timer may have rung already, and its handler be on its way
        timer_.cancel();
    }

    /// Milliseconds since the server began; the page's clock.
    double now() const { return at(clock::now()); }

    void add(mode where, const mp::trace_event& event);

    /// The position behind all that happened so far.
    std::uint64_t end() const { return next_; }
    /// `[event,event,...]`, all from `position` on, which is moved behind them.
    std::string since(std::uint64_t& position) const;
    /// The same for what a new reader has to know: the workers, and what they run now.
    std::string present() const;

    /// Child processes that take tasks, by their node; what they run, if anything, decides which comes first.
    int some_process() const;
    bool has_process(int pid) const;

    const mp::histogram& lag() const { return lag_; }

private:
    using clock = std::chrono::steady_clock;

    double at(clock::time_point when) const { return std::chrono::duration<double, std::milli>(when - begun_).count(); }
    std::string text(mode where, const mp::trace_event& event) const;
    void push(std::string item);
    void measure();

    const clock::time_point begun_ = clock::now();
    asio::steady_timer timer_;
    bool stopped_ = false;
    mp::histogram lag_;
    std::deque<std::string> items_;
    std::uint64_t next_ = 0; // number of the next item; the last one in items_ has next_ - 1
    std::map<std::pair<mode, std::size_t>, mp::trace_event> workers_;
    std::map<std::pair<mode, std::uint64_t>, mp::trace_event> running_;
};

} // namespace offload

#endif
