// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_WORKER_MEMORY_HPP
#define TWAT_MP_SRC_PROCESS_WORKER_MEMORY_HPP

#include <boost/system/error_code.hpp>

#include <cstddef>

#include "os/descriptor.hpp"
#include "shm/arena.hpp"
#include "shm/shared_page.hpp"
#include "shm/stack_area.hpp"

namespace twat::mp::detail {

/// Chunks of plain tasks that a worker process can hold.
inline constexpr std::size_t most_plain_chunks = 32;

/** The memory that a worker is going to share with this process, mapped here. */
struct worker_memory
{
    unique_descriptor file; ///< For the worker.
    shared_page page;
    stack_area stacks;                ///< Empty if there is no room for it.
    arena_mapping arguments, results; ///< Empty if there is no room for them: values then travel through the socket.
};

/** Makes it, no larger than the limits of this process let it be.

    @param nodes, child_concurrency As in the pool's options: how many of them there will be, and coroutine tasks in each.
    @param ec Why there is none. May throw too.
*/
worker_memory make_worker_memory(std::size_t nodes, std::size_t child_concurrency, boost::system::error_code& ec);

} // namespace twat::mp::detail

#endif
