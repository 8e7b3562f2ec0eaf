// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_BACKEND_CAPABILITIES_HPP
#define TWAT_MP_SRC_BACKEND_CAPABILITIES_HPP

#include <chrono>
#include <cstddef>

#include <twat/mp/options.hpp>

namespace twat::mp::detail {

/** What workers can do, and what suits them. Does not change in the life of a pool.

    The defaults suit child processes: a round trip takes some 10 us. Where it takes a millisecond, a chunk should hold 10 ms of work or more, and
    a worker some more chunks than the one that it runs.
*/
struct capabilities
{
    bool encodes = false; ///< Functions, arguments and results are bytes. As the traits say.
    bool by_name = false; ///< The workers are another program: functions are found by name.
    bool local = false;   ///< They share this address space: what one has not begun costs nothing to take back.
    /// Workers are started, replaced and ended as the pool decides. Otherwise they come and go by themselves.
    bool launches = true;
    /// Workers stand for those of several hosts. A chunk waits until one of these takes it, and `chunk_taken` says which.
    bool hosts = false;
    /// A worker that does not stop can be killed. If not, operations wait for their running tasks.
    bool can_kill = false;

    /// Chunks of plain tasks that a worker can hold. (Of coroutines: `child_concurrency`.)
    std::size_t chunks_per_worker = 32;
    /// That it should hold, so that it never waits for the next one; more while all are short. The running one counts.
    std::size_t chunks_ahead = 2;
    std::size_t chunk_bytes = std::size_t(1) << 20; ///< Arguments in one chunk, unless one task alone has more.
    std::size_t chunk_items = 65536;                ///< Tasks in one chunk, unless the call asks for more.
    /// How long a worker should be busy with a chunk: many times what it costs to send one.
    duration chunk_aim = std::chrono::milliseconds(4);
};

} // namespace twat::mp::detail

#endif
