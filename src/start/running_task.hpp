// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_START_RUNNING_TASK_HPP
#define TWAT_MP_SRC_START_RUNNING_TASK_HPP

#include <twat/mp/detail/operation/block_scope.hpp>
#include <twat/mp/detail/operation/task_gate.hpp>
#include <twat/mp/philox.hpp>
#include <twat/mp/trace_context.hpp>

#include <cstdint>
#include <optional>

namespace twat::mp::detail {

/** Which task runs.

    Threads do not note each task that they begin, since a task can be as short as a nanosecond: they begin it through a gate, which knows. In
    the same way a block knows at which of its elements a worker is.
*/
struct running_task
{
    std::uint64_t chunk = 0; ///< 0: none runs.
    std::uint64_t first = 0; ///< Its index; with a gate, that of its chunk's first task.
    std::uint64_t seed = 0;  ///< `call_options::seed`.
    std::uint64_t operation = 0;
    bool reports = false; ///< Somebody wants to know what it reports.
    const task_gate* gate = nullptr;
    const trace_context* trace = nullptr; ///< `call_options::trace_parent`; null: none.
    const block_place* block = nullptr;

    std::uint64_t index() const noexcept
    {
        if (block)
            return block->first + *block->done;
        return gate ? first + gate->begun() - 1 : first;
    }
};

/** The random numbers of the task that runs, made when it asks for them. */
class task_random
{
public:
    philox4x32& of(const running_task& task) noexcept
    {
        const std::uint64_t index = task.index();
        if (chunk_ != task.chunk || index_ != index) {
            generator_ = philox4x32(task.seed, index);
            chunk_ = task.chunk;
            index_ = index;
        }
        return generator_;
    }

private:
    philox4x32 generator_;
    /// Whose they are. No chunk is run twice: a task that is run again begins with the first number.
    std::uint64_t chunk_ = 0, index_ = 0;
};

} // namespace twat::mp::detail

#endif
