// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_WORKER_WORK_HPP
#define TWAT_MP_SRC_WORKER_WORK_HPP

#include <twat/mp/decoder.hpp>
#include <twat/mp/encoder.hpp>

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "chaos/plan.hpp"
#include "usage/task_meter.hpp"
#include "wire/messages.hpp"
#include "worker/functions.hpp"
#include "worker/memory_probe.hpp"
#include "worker/outcomes.hpp"
#include "worker/stop_desk.hpp"
#include "start/worker_context.hpp"

namespace twat::mp::detail {

/// What tasks are run with.
struct work_environment
{
    asio::io_context& io;
    worker_context& context; ///< What `this_worker` and `this_task` answer from.
    const shared_page& page;
    outcome_writer& outcomes;
    stop_desk& desk;
    memory_probe& memory;
    std::size_t max_message_size = 0;
    std::optional<chaos_plan> chaos{}; ///< Faults that are made on purpose.
};

/// A chunk that arrived.
struct received_work
{
    std::uint64_t id = 0;
    chunk_message message;
    chunk_arguments arguments; ///< Refers to the bytes that arrived.
    std::shared_ptr<const known_function> function;
    time_point deadline = time_point::max(); ///< Of the operation.
};

/// Exceptions are sent also where results may hardly be longer than nothing.
constexpr std::size_t failure_limit(std::size_t max_message_size) noexcept
{
    return max_message_size < (std::size_t(1) << 20) ? std::size_t(1) << 20 : max_message_size;
}

/// Keys of the shared memory in a task's arguments: its parent has that as long as the task has no outcome, and need not be sent it.
using known_memory = std::vector<std::uint64_t>;

/// What may go along with a result.
void prepare_result(encoder& result, const received_work& work, const known_memory& known) noexcept;

/// Puts the encoded exception in the place of what is in `to`.
void encode_failure(encoder& to, const std::exception_ptr& error, const known_function& function,
                    std::span<const std::byte> arguments, std::size_t max_message_size) noexcept;

/// What happens to a task on purpose.
task_fate fate_of(const work_environment& environment, const received_work& work, std::uint32_t position) noexcept;

/// When a task that begins now has to be done: the least of its timeout and the operation's deadline.
time_point end_of_task(const received_work& work, time_point begun) noexcept;

/// Says in the chunk's slot that the task at `position` begins.
void mark_begin(chunk_slot& slot, const received_work& work, std::uint32_t position, time_point now) noexcept;

/// Tells what a task used; its outcome follows.
void tell_usage(outcome_writer::of_chunk& outcomes, std::uint32_t position, task_usage used, std::size_t in,
                std::size_t out);

/// Runs a chunk of plain tasks, as far as it is not recalled meanwhile, in the calling thread.
void run_plain_chunk(const work_environment& environment, const received_work& work, encoder& result);

} // namespace twat::mp::detail

#endif
