// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_TASK_LIST_HPP
#define TWAT_MP_SRC_PROCESS_TASK_LIST_HPP

#include <string>
#include <vector>

#include <twat/mp/pool_dump.hpp>

#include "process/held_chunks.hpp"

namespace twat::mp::detail {

/// The tasks that a worker has begun and not finished.
std::vector<dumped_task> list_tasks(const held_chunks& held, time_point now);

/// The same in words: "runs task 4 (calling the function)", or of coroutines: "the event loop waits; suspended: task 4 for 2.1 s, task 7 for 0.3 s".
std::string describe_tasks(const held_chunks& held, time_point now);

} // namespace twat::mp::detail

#endif
