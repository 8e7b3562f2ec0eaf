// SPDX-License-Identifier: BSL-1.0
#include "worker/coroutine_tasks.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <stdexcept>
#include <utility>

#include "os/fork_mark.hpp"
#include "shm/claim.hpp"
#include "start/task_executor.hpp"

namespace twat::mp::detail {

struct coroutine_tasks::running
{
    received_work work;
    byte_buffer arguments; ///< The coroutine reads them when it starts, which may be later.
    encoder result;
    asio::cancellation_signal signal;
    coroutine_task* place = nullptr;
    time_point begun{};
    bool abandoned = false;
};

coroutine_tasks::coroutine_tasks(const work_environment& environment) : environment_(environment) {}
coroutine_tasks::~coroutine_tasks() = default;

void coroutine_tasks::start(const received_work& work)
{
    chunk_slot& slot = environment_.page.slot(work.message.slot);
    if (claim_tasks(slot.claim, chunk_tag(work.id), 1, 1).count == 0) {
        outcome_writer::of_chunk(environment_.outcomes, work.id).end(duration::zero());
        return;
    }
    auto owned = std::make_unique<running>();
    running& task = *owned;
    task.work = work;
    task.begun = clock::now();
    const auto arguments = work.arguments[0];
    task.arguments.append(arguments.data(), arguments.size());
    task.work.arguments = chunk_arguments(1, task.arguments.size(), {}, task.arguments.bytes());
    task.result.set_limit(environment_.max_message_size);
    task.result.set_step_word(&slot.step);
    slot.begun_at.store(0, std::memory_order_relaxed);
    slot.since.store(task.begun.time_since_epoch().count(), std::memory_order_release);
    task.place = &places_.take(environment_.context);
    task.place->mark = pack(mark_state{chunk_tag(work.id), 0});
    task.place->deadline = end_of_task(work, task.begun);
    mark_begin(slot, work, 0, task.begun);
    running_.emplace(work.id, std::move(owned));
    ++active_;

    run_on_cpu(*task.place, [&] { run(task); });
}

void coroutine_tasks::run(running& task)
{
    const known_function& known = *task.work.function;
    if (known.error)
        return finish(task, known.error);
    if (!known.function->is_coroutine())
        return finish(task, std::make_exception_ptr(std::logic_error("a plain function was sent as a coroutine")));
    asio::awaitable<void> call;
    try {
        call = known.function->call_async(decoder(task.arguments.bytes()), task.result);
    }
    catch (...) { // arguments that cannot be decoded
        return finish(task, std::current_exception());
    }
    const asio::any_io_executor executor = task_executor(environment_.io.get_executor(), *task.place);
    asio::co_spawn(executor, std::move(call),
                   asio::bind_cancellation_slot(task.signal.slot(), [this, &task](const std::exception_ptr& error) {
                       finish(task, error);
                   }));
}

void coroutine_tasks::finish(running& task, const std::exception_ptr& error)
{
    leave_if_copy();
    if (error)
        encode_failure(task.result, error, *task.work.function, task.arguments.bytes(), environment_.max_message_size);
    const auto found = running_.find(task.work.id);
    ended_.push_back(std::move(found->second));
    running_.erase(found);
    if (!task.abandoned)
        --active_;
    const time_point now = clock::now();
    chunk_slot& slot = environment_.page.slot(task.work.message.slot);
    slot.until.store(now.time_since_epoch().count(), std::memory_order_release);
    environment_.memory.look(now);
    outcome_writer::of_chunk outcomes(environment_.outcomes, task.work.id);
    outcomes.write(error ? record_kind::failure : record_kind::value, 0, task.result.bytes());
    slot.mark.store(0, std::memory_order_release);
    outcomes.end(now - task.begun);
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
    for (const auto& task : ended_)
        places_.give_back(*task->place);
    ended_.clear();
}

} // namespace twat::mp::detail
