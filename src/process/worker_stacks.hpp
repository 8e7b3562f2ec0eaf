// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_WORKER_STACKS_HPP
#define TWAT_MP_SRC_PROCESS_WORKER_STACKS_HPP

#include <memory>

#include <twat/mp/stacktrace.hpp>

#include "shm/stack_area.hpp"

namespace twat::mp::detail {

/** The stacks of one worker process, as its parent sees them. */
class worker_stacks
{
public:
    explicit worker_stacks(stack_area area) noexcept : area_(std::move(area)) {}

    /// Of a worker that died of this signal: where that came. Empty if it left nothing.
    stacktrace crash(int signal) const;

private:
    stack_area area_;
};

} // namespace twat::mp::detail

#endif
