// SPDX-License-Identifier: BSL-1.0
#include "worker/work.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "chaos/faults.hpp"
#include "os/fork_mark.hpp"
#include "shm/claim.hpp"
#include "time/saturating.hpp"
#include "wire/exception.hpp"
#include "worker/task_memory.hpp"

namespace twat::mp::detail {
namespace {

constexpr std::uint32_t most_claimed = 16;
/// Tasks that take longer are claimed one at a time: the parent could not take back those that wait behind one.
constexpr duration short_task = std::chrono::microseconds(10);
constexpr std::size_t kept_result_capacity = std::size_t(4) << 20;

/// Calls the function; whether it returned. `result` holds its value or the encoded exception.
bool call(const work_environment& environment, const received_work& work, std::span<const std::byte> arguments,
          encoder& result, known_memory& known)
{
    if (result.buffer().is_lent() || result.buffer().capacity() > kept_result_capacity || !result.buffer().memory())
        result.buffer() = byte_buffer(environment.outcomes.arena());
    result.buffer().clear();
    prepare_result(result, work, known);
    known.clear();
    if (result.sent())
        result.sent()->clear();
    const known_function& function = *work.function;
    std::exception_ptr error = function.error;
    if (!error) {
        try {
            result.set_limit(environment.max_message_size);
            decoder in(arguments);
            in.note_memory_in(&known);
            function.function->call(in, result);
            return true;
        }
        catch (...) {
            error = std::current_exception();
        }
    }
    encode_failure(result, error, function, arguments, environment.max_message_size);
    return false;
}

} // namespace

void prepare_result(encoder& result, const received_work& work, const known_memory& known) noexcept
{
    result.allow(work.message.keeps_bytes ? travellers::none : travellers::all);
    result.set_known_memory(&known);
}

task_fate fate_of(const work_environment& environment, const received_work& work, std::uint32_t position) noexcept
{
    return environment.chaos->of_task(work.message.op, work.message.first + position, work.message.attempt);
}

time_point end_of_task(const received_work& work, time_point begun) noexcept
{
    if (work.message.timeout <= duration::zero())
        return work.deadline;
    return std::min(work.deadline, saturating_add(begun, work.message.timeout));
}

void encode_failure(encoder& to, const std::exception_ptr& error, const known_function& function,
                    std::span<const std::byte> arguments, std::size_t max_message_size) noexcept
{
    const task_memory::exemption exempt;
    std::string input;
    if (function.function) {
        try {
            input = function.function->describe(decoder(arguments));
        }
        catch (...) { // it is only for the message
        }
    }
    to.buffer().clear();
    if (to.sent())
        to.sent()->clear();
    to.set_limit(failure_limit(max_message_size));
    encode_exception(to, error, {input});
}

void mark_begin(chunk_slot& slot, const received_work& work, std::uint32_t position, time_point now) noexcept
{
    if (work.message.timeout > duration::zero())
        slot.begun_at.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    slot.step.store(static_cast<std::uint8_t>(life_phase::decode), std::memory_order_relaxed);
    slot.mark.store(pack(mark_state{chunk_tag(work.id), position}), std::memory_order_release);
}

void tell_usage(outcome_writer::of_chunk& outcomes, std::uint32_t position, task_usage used, std::size_t in,
                std::size_t out)
{
    used.bytes_in = in;
    used.bytes_out = out;
    outcomes.write(record_kind::used, position, std::as_bytes(std::span(&used, 1)));
}

void run_plain_chunk(const work_environment& environment, const received_work& work, encoder& result)
{
    const task_memory::scope limited;
    chunk_slot& slot = environment.page.slot(work.message.slot);
    outcome_writer::of_chunk outcomes(environment.outcomes, work.id);
    const std::uint32_t tag = chunk_tag(work.id);
    const bool timed = work.message.timeout > duration::zero();
    task_meter meter;
    known_memory known;
    result.set_step_word(&slot.step);
    const time_point start = clock::now();
    time_point now = start;
    slot.begun_at.store(0, std::memory_order_relaxed);
    slot.since.store(start.time_since_epoch().count(), std::memory_order_release);
    environment.context.deadline = work.deadline;
    environment.context.task = {.chunk = work.id,
                                .first = work.message.first,
                                .seed = work.message.seed,
                                .operation = work.message.op,
                                .reports = work.message.reports,
                                .trace = &work.message.trace_parent};
    for (std::uint32_t wanted = 1;;) {
        // Tasks that are claimed together are too short to be told apart by a stop request.
        environment.context.stop =
            &environment.desk.begin(work.id, slot, std::exchange(environment.context.stop_asked_for, false));
        const claimed_tasks claimed = claim_tasks(slot.claim, tag, work.message.count, wanted);
        if (claimed.count == 0)
            break;
        if (timed && claimed.begin != 0)
            now = clock::now(); // the task before may have waited for room for its outcome
        const time_point begun = now;
        const std::uint32_t end = claimed.begin + claimed.count;
        for (std::uint32_t position = claimed.begin; position != end; ++position) {
            mark_begin(slot, work, position, now);
            environment.context.deadline = end_of_task(work, now);
            environment.context.task.first = work.message.first + position;
            const task_fate fate = environment.chaos ? fate_of(environment, work, position) : task_fate{};
            if (environment.chaos)
                before_task(fate);
            if (work.message.measured)
                meter.begin_next();
            const bool returned = call(environment, work, work.arguments[position], result, known);
            if (work.message.measured)
                tell_usage(outcomes, position, meter.end(), work.arguments[position].size(), result.bytes().size());
            if (environment.chaos)
                after_task(fate, [&] { return environment.context.stop->stop_requested(); });
            leave_if_copy();
            // Not for each task, since a look at the clock can cost more than one. Tasks with a timeout are claimed one by one. And before the
            // outcome is published, as it may be the last: who reads it reads this too.
            if (position + 1 == end) {
                now = clock::now();
                slot.until.store(now.time_since_epoch().count(), std::memory_order_release);
            }
            outcomes.write(returned ? record_kind::value : record_kind::failure, position, result.bytes(),
                           result.sent());
            if (result.sent() && !result.sent()->empty())
                result.sent()->clear();
            environment.outcomes.tell_if_much();
        }
        environment.memory.look(now);
        // By a new look at the clock: whoever is not told now has been published before the parent looks at the ring, which it does once.
        environment.outcomes.tell_if_late(clock::now());
        wanted = timed || now - begun > short_task * claimed.count ? 1 : std::min(wanted * 2, most_claimed);
    }
    result.set_step_word(nullptr);
    result.set_known_memory(nullptr);
    if (result.buffer().is_lent())
        result.buffer() = byte_buffer();
    environment.desk.end();
    environment.context.stop = nullptr;
    environment.context.task = {};
    environment.context.deadline = time_point::max();
    slot.mark.store(0, std::memory_order_release);
    outcomes.end(now - start);
}

} // namespace twat::mp::detail
