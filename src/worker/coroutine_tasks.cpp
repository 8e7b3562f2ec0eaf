// SPDX-License-Identifier: BSL-1.0
#include "worker/coroutine_tasks.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <stdexcept>
#include <utility>

#include "chaos/faults.hpp"
#include "chaos/pause.hpp"
#include "os/fork_mark.hpp"
#include "shm/claim.hpp"
#include "start/task_executor.hpp"

namespace twat::mp::detail {

struct coroutine_tasks::running
{
    received_work work;
    byte_buffer arguments; ///< The coroutine reads them when it starts, which may be later.
    encoder result;
    known_memory known;
    asio::cancellation_signal signal;
    coroutine_task* place = nullptr;
    task_meter meter;
    time_point begun{};
    bool abandoned = false;
    bool returned = false; ///< Its coroutine has: nothing refers to this any more.
};

coroutine_tasks::coroutine_tasks(const work_environment& environment) : environment_(environment) {}
coroutine_tasks::~coroutine_tasks() = default;

void coroutine_tasks::start(const received_work& work)
{
    auto owned = std::make_unique<running>();
    running& task = *owned;
    task.work = work;
    const auto arguments = work.arguments[0];
    task.arguments.append(arguments.data(), arguments.size());
    task.work.arguments = chunk_arguments(1, task.arguments.size(), {}, task.arguments.bytes());
    task.place = &places_.take(environment_.context);
    task.place->mark = pack(mark_state{chunk_tag(work.id), 0});
    task.place->running = {.chunk = work.id,
                           .first = work.message.first,
                           .seed = work.message.seed,
                           .operation = work.message.op,
                           .reports = work.message.reports,
                           .trace = &task.work.message.trace_parent};
    running_.emplace(work.id, std::move(owned));
    ++active_;

    const asio::any_io_executor executor = task_executor(environment_.io.get_executor(), *task.place);
    asio::co_spawn(executor, run(task),
                   asio::bind_cancellation_slot(task.signal.slot(), [&task](const std::exception_ptr& error) {
                       task.returned = true;
                       if (error)
                           std::rethrow_exception(error);
                   }));
}

asio::awaitable<void> coroutine_tasks::run(running& task)
{
    if (!begin(task)) {
        outcome_writer::of_chunk(environment_.outcomes, task.work.id).end(duration::zero());
        leave(task);
        co_return;
    }
    const task_fate fate = environment_.chaos ? fate_of(environment_, task.work, 0) : task_fate{};
    if (fate.kill == kill_moment::before)
        kill_self();
    std::exception_ptr error;
    try {
        const known_function& known = *task.work.function;
        if (known.error)
            std::rethrow_exception(known.error);
        if (!known.function->is_coroutine())
            throw std::logic_error("a plain function was sent as a coroutine");
        decoder in(task.arguments.bytes());
        in.note_memory_in(&task.known);
        co_await known.function->call_async(in, task.result);
    }
    catch (...) {
        error = std::current_exception();
    }
    if (fate.kill != kill_moment::never) // others run beside it: only here it is on the CPU for certain
        kill_self();
    if (fate.late > duration::zero())
        co_await pause(fate.late);
    finish(task, error);
}

bool coroutine_tasks::begin(running& task)
{
    chunk_slot& slot = environment_.page.slot(task.work.message.slot);
    if (claim_tasks(slot.claim, chunk_tag(task.work.id), 1, 1).count == 0)
        return false;
    task.begun = clock::now();
    task.result.set_limit(environment_.max_message_size);
    task.result.set_step_word(&slot.step);
    prepare_result(task.result, task.work, task.known);
    slot.begun_at.store(0, std::memory_order_relaxed);
    slot.since.store(task.begun.time_since_epoch().count(), std::memory_order_release);
    task.place->deadline = end_of_task(task.work, task.begun);
    mark_begin(slot, task.work, 0, task.begun);
    if (task.work.message.measured) {
        task.meter.begin();
        task.place->meter = &task.meter;
    }
    return true;
}

void coroutine_tasks::finish(running& task, const std::exception_ptr& error)
{
    leave_if_copy();
    if (error)
        encode_failure(task.result, error, *task.work.function, task.arguments.bytes(), environment_.max_message_size);
    const bool measured = std::exchange(task.place->meter, nullptr) != nullptr;
    const task_usage used = measured ? task.meter.end() : task_usage{};
    leave(task);
    const time_point now = clock::now();
    chunk_slot& slot = environment_.page.slot(task.work.message.slot);
    slot.until.store(now.time_since_epoch().count(), std::memory_order_release);
    environment_.memory.look(now);
    outcome_writer::of_chunk outcomes(environment_.outcomes, task.work.id);
    if (measured)
        tell_usage(outcomes, 0, used, task.arguments.size(), task.result.bytes().size());
    outcomes.write(error ? record_kind::failure : record_kind::value, 0, task.result.bytes(), task.result.sent());
    if (task.result.sent())
        task.result.sent()->clear();
    slot.mark.store(0, std::memory_order_release);
    outcomes.end(now - task.begun);
}

void coroutine_tasks::leave(running& task)
{
    const auto found = running_.find(task.work.id);
    ended_.push_back(std::move(found->second));
    running_.erase(found);
    if (!task.abandoned)
        --active_;
}

void coroutine_tasks::cancel(std::uint64_t chunk, bool abandoned)
{
    const auto found = running_.find(chunk);
    if (found == running_.end())
        return;
    running& task = *found->second;
    if (abandoned && !std::exchange(task.abandoned, true))
        --active_;
    // A coroutine that co_spawn was given begins in a later turn of the loop. What cancels it before that is ignored by some versions of
    // Asio, and others throw it out of run(): so it is cancelled in a turn behind that one.
    asio::post(environment_.io, [this, chunk] {
        const auto found = running_.find(chunk);
        if (found == running_.end())
            return;
        running& task = *found->second;
        run_on_cpu(*task.place, [&] {
            task.place->cancel();
            // Coroutines heed only terminal unless they ask for more.
            task.signal.emit(asio::cancellation_type::terminal); // may finish the task
        });
    });
}

void coroutine_tasks::bury() noexcept
{
    std::erase_if(ended_, [this](const std::unique_ptr<running>& task) {
        if (!task->returned)
            return false;
        places_.give_back(*task->place);
        return true;
    });
}

} // namespace twat::mp::detail
