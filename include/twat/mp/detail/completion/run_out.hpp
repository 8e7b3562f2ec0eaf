// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_COMPLETION_RUN_OUT_HPP
#define TWAT_MP_DETAIL_COMPLETION_RUN_OUT_HPP

#include <boost/asio/io_context.hpp>

#include <chrono>

namespace twat::mp::detail {

/** Runs what is left on a loop that is about to be destroyed, until nothing is outstanding there, or for 100 ms.

    A thread that completes an operation for a coroutine of this loop (say, of a socket of another `io_context`) queues the resumption here, and the
    coroutine may have ended before that thread has left the loop. It holds outstanding work until then; only after that may the loop go.
    What a handler throws is lost, as nobody waits for it any more.
*/
inline void run_out(boost::asio::io_context& loop) noexcept
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
    for (;;) {
        try {
            loop.run_until(end);
            return;
        }
        catch (...) {
        }
    }
}

} // namespace twat::mp::detail

#endif
