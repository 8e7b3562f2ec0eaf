// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DRAIN_REPORT_HPP
#define TWAT_MP_DRAIN_REPORT_HPP

#include <cstddef>

#include <twat/mp/config.hpp>
#include <twat/mp/options.hpp>

namespace twat::mp {

/** How a pool came to its end in `drain`: what a server writes to its log when it shuts down.

    An operation counts where it ended between the call of `drain` and its completion. A stream whose length is not known has no end of its own:
    it counts as finished when its reader has been given what was handed out.
*/
struct drain_report
{
    bool in_time = false; ///< Every operation ended by itself; none was terminated, by this call or by another.
    /// Operations that ended by themselves, those that failed or were cancelled among them.
    std::size_t finished = 0;
    /// Operations that the pool ended: with `errc::pool_terminated`, or because it broke or was destroyed.
    std::size_t terminated = 0;
    std::size_t tasks = 0; ///< Tasks that ended with a value or an error.
    duration took{};       ///< From the call until the workers had ended.
};

} // namespace twat::mp

#endif
