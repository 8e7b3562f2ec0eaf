// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_CODEL_HPP
#define TWAT_MP_SRC_ENGINE_CODEL_HPP

#include <twat/mp/tenant.hpp>

#include "backend/chunk.hpp"

namespace twat::mp::detail {

/** Decides which of those that wait are refused, by how long they have waited.

    The controlled delay of Nichols and Jacobson ("Controlling Queue Delay", ACM Queue 10(5), 2012; RFC 8289). A queue that absorbs a burst is
    good, one that never empties only makes everybody late. So what counts is the least wait: when all that leave the line during an `interval`
    have waited for longer than `target`, one is refused, then others in ever shorter distances, interval / sqrt(count), until one has waited for
    less than `target`.

    Senders of TCP slow down when a packet is dropped; callers often do not. Therefore, while it refuses, also whoever has waited for longer
    than an interval is refused (as in B. Maurer, "Fail at Scale", ACM Queue 13(8), 2015): those that are served were not long in line, however
    many there are.
*/
class codel
{
public:
    /** One leaves the line. Returns whether it is refused.

        @param limits Neither is zero.
        @param waited For how long it stood there.
        @param last Nobody stands behind it: then the line is not too long.
    */
    bool refuses(const load_shedding& limits, time_point now, duration waited, bool last) noexcept;

private:
    bool is_above(const load_shedding& limits, time_point now, duration waited, bool last) noexcept;
    time_point next_after(time_point from, duration interval) const noexcept;

    // when waits were too long for an interval; max: the last one was not
    time_point above_until_ = time_point::max();
    time_point next_{};            // when the next one is refused
    std::uint32_t count_ = 0;      // refused since it began to refuse
    std::uint32_t last_count_ = 0; // and when it began
    bool refusing_ = false;
};

} // namespace twat::mp::detail

#endif
