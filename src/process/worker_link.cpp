// SPDX-License-Identifier: BSL-1.0
#include "process/worker_link.hpp"

#include <twat/mp/error.hpp>

#include <utility>

namespace twat::mp::detail {
namespace {

/// Read before the next look at the clock: less than what a turn may take.
constexpr std::size_t most_read = std::size_t(128) << 10;
/// Outcomes taken before the next look. Few cost more than 100 ns.
constexpr unsigned most_taken = 64;
/// Left in the socket of a dead worker; more than its buffer holds, unless somebody else goes on writing.
constexpr std::size_t most_left_behind = std::size_t(8) << 20;

bool is_over(time_point until) { return until != time_point::max() && clock::now() >= until; }

} // namespace

worker_link::worker_link(link_user& user, unique_descriptor socket, const shared_page& page, std::uint64_t frame_limit)
    : user_(user), socket_fd_(std::move(socket)), channel_(socket_fd_.get(), frame_limit), ring_(page)
{}

void worker_link::open(const pool_strand& strand)
{
    socket_.emplace(strand, socket_fd_.get());
    socket_fd_.release();
}

void worker_link::close() noexcept
{
    socket_.reset();
    socket_fd_.reset();
}

void worker_link::wait(bool to_read, bool to_write, const std::shared_ptr<link_user>& keep)
{
    if ((reading_ && !to_read) || (writing_ && !to_write)) {
        boost::system::error_code ignored;
        socket_->cancel(ignored); // the user is told, and comes here again
    }
    // Either wait may complete for no reason (see os/readiness.hpp): then `receive` or `send` finds nothing to do, and the wait is armed again.
    if (to_read && !reading_) {
        reading_ = true;
        socket_->async_wait(descriptor::wait_read, [this, keep](const boost::system::error_code& ec) {
            reading_ = false;
            keep->on_readable(ec);
        });
    }
    if (to_write && !writing_) {
        writing_ = true;
        socket_->async_wait(descriptor::wait_write, [this, keep](const boost::system::error_code& ec) {
            writing_ = false;
            keep->on_writable(ec);
        });
    }
}

bool worker_link::send()
{
    const auto progress = channel_.send();
    blocked_ = progress == worker_channel::progress::blocked;
    return progress != worker_channel::progress::closed;
}

worker_link::result worker_link::read(time_point until)
{
    if (has_rest() && !take_arrivals(until)) // before there is room for more
        return result::later;
    for (;;) {
        const auto progress = channel_.receive(most_read);
        const bool all = take_arrivals(until);
        if (!user_.connected())
            return result::all;
        if (!all)
            return result::later;
        if (progress == worker_channel::progress::closed)
            return result::closed;
        if (progress == worker_channel::progress::done)
            return result::all;
        if (is_over(until))
            return result::later;
    }
}

bool worker_link::look(time_point until, bool& found)
{
    found = ring_.holds_any();
    return take_ring(until);
}

void worker_link::take_published() noexcept
{
    try {
        rest_ = {};
        take_ring(time_point::max());
    }
    catch (const error&) { // the ring itself may be malformed
    }
}

void worker_link::drain()
{
    std::size_t turns = 0;
    take_arrivals(time_point::max());
    for (auto progress = worker_channel::progress::more; progress == worker_channel::progress::more; ++turns) {
        if (!user_.listens())
            return;
        progress =
            turns * (64 * 1024) < most_left_behind ? channel_.receive(most_read) : worker_channel::progress::closed;
        take_arrivals(time_point::max());
    }
}

// False: the time was up before all was taken.
bool worker_link::take_arrivals(time_point until)
{
    user_.heard();
    if (!take_ring(until))
        return false;
    while (user_.listens()) {
        const auto arrived = channel_.next();
        if (!arrived)
            return true;
        user_.take(*arrived);
    }
    return true;
}

bool worker_link::take_ring(time_point until)
{
    unsigned taken = 0;
    // What an earlier turn has left, and then what was published since. Not on and on: the worker may be as fast.
    for (bool drained = false; user_.listens(); drained = true) {
        while (user_.listens()) {
            const auto what = records_.next(rest_);
            if (!what)
                break;
            user_.take(*what);
            if (++taken == most_taken) {
                taken = 0;
                if (has_rest() && is_over(until))
                    return false;
            }
        }
        if (drained || !user_.listens())
            return true;
        drained_.clear();
        rest_ = {};
        ring_.drain(drained_);
        rest_ = drained_.bytes();
    }
    return true;
}

} // namespace twat::mp::detail
