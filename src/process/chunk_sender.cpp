// SPDX-License-Identifier: BSL-1.0
#include "process/chunk_sender.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "time/saturating.hpp"
#include "wire/messages.hpp"

namespace twat::mp::detail {
namespace {

/// Arguments up to this are copied into one buffer with what goes before and behind them.
constexpr std::size_t copied_bytes = 4096;

} // namespace

void chunk_sender::queue(const chunk& work, const process_chunk& held, time_point now)
{
    queue_function(work);
    const auto& tasks = static_cast<const encoded_payload&>(*work.tasks);
    chunk_message message;
    message.op = work.op_id;
    message.first = work.first;
    message.attempt = work.attempt;
    message.timeout = work.timeout;
    message.seed = work.seed;
    message.reports = work.reports;
    message.measured = work.measured;
    if (work.op)
        message.trace_parent = work.op->traits().options.trace_parent;
    if (work.deadline != time_point::max())
        message.remaining = saturating_subtract(work.deadline, now);
    message.count = held.count;
    message.slot = held.slot;
    message.coroutine = work.coroutine;
    message.arguments = place_arguments(tasks, work.id);
    message.keeps_bytes = work.op && work.op->traits().keeps_bytes;
    if (const attachments* const sent = tasks.sent(); sent && !sent->empty()) {
        channel_.queue_attached({frame_type::attached, 0, work.id, 0}, descriptors_of(*sent));
        channel_.queue_attached({frame_type::memory, 0, work.id, 0}, memory_of(*sent));
    }
    byte_buffer& to = channel_.tail();
    write_chunk_start(to, work.id, message, tasks);
    if (message.arguments)
        return;
    if (tasks.bytes().size() <= copied_bytes)
        to.append(tasks.bytes().data(), tasks.bytes().size());
    else
        channel_.queue_reference(tasks.bytes(), work.shared_from_this());
}

// They were written into the arena, or are put there now. Those for which there is no room travel on the socket, as small ones do.
std::optional<arena_place> chunk_sender::place_arguments(const encoded_payload& tasks, chunk_id id)
{
    if (page_.arguments_refused().load(std::memory_order_relaxed))
        return std::nullopt;
    if (tasks.buffer().is_lent() && tasks.buffer().memory() == arguments_)
        return arguments_->commit(tasks.bytes());
    byte_buffer copy(arguments_);
    if (tasks.bytes().size() < byte_buffer::lending_size || !copy.lend(tasks.bytes().size()))
        return std::nullopt;
    copy.append(tasks.bytes().data(), tasks.bytes().size());
    const arena_place place = arguments_->commit(copy.bytes());
    held_.keep(id, std::move(copy));
    return place;
}

void chunk_sender::queue_function(const chunk& work)
{
    const auto [entry, is_new] = functions_.try_emplace(work.op_id, work.function);
    if (!is_new)
        return;
    const std::span<const std::byte> bytes =
        work.function ? work.function->bytes.bytes() : std::span<const std::byte>();
    if (work.function)
        channel_.queue_attached({frame_type::memory, frame_flag_function, work.op_id, 0},
                                memory_of(work.function->sent));
    if (bytes.size() <= copied_bytes)
        channel_.queue({frame_type::function, 0, work.op_id, 0}, bytes);
    else {
        std::byte header[frame_header_size];
        write_frame_header(header, {frame_type::function, 0, work.op_id, bytes.size()});
        channel_.tail().append(header, sizeof header);
        channel_.queue_reference(bytes, work.function);
    }
    if (functions_.size() >= sweep_functions_at_)
        forget_old_functions();
}

// The engine lets go of an operation's function when the operation is over.
void chunk_sender::forget_old_functions()
{
    std::erase_if(functions_, [this](const auto& entry) {
        if (!entry.second.expired())
            return false;
        channel_.queue({frame_type::forget, 0, entry.first, 0});
        return true;
    });
    sweep_functions_at_ = std::max<std::size_t>(16, 2 * functions_.size());
}

} // namespace twat::mp::detail
