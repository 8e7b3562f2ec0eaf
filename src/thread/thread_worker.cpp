// SPDX-License-Identifier: BSL-1.0
#include "thread/thread_worker.hpp"

#include <twat/mp/detail/completion/run_out.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "chaos/faults.hpp"
#include "chaos/pause.hpp"
#include "start/task_executor.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail {
namespace {

// Results wait no longer than this for others of their chunk, so that a stream's reader and a progress bar see them.
constexpr auto report_interval = std::chrono::milliseconds(1);

// Tasks between two looks at the clock (20 ns; a task that doubles a number costs 1 ns): as many as take about this long, but no more
// than that, for the next one may take long, and the results before it wait. More where nobody sees the results before the operation is over.
constexpr auto look_aim = std::chrono::microseconds(10);
constexpr std::size_t most_between_looks = 4;
constexpr std::size_t most_unseen_between_looks = 256;

std::size_t until_next_look(std::size_t count, duration took, std::size_t most) noexcept
{
    if (took < look_aim / 4)
        return std::min(4 * count, most);
    if (took > look_aim)
        return std::max<std::size_t>(1, count / 4);
    return count;
}

time_point task_deadline(const thread_chunk& held, time_point begun)
{
    if (held.timeout == duration::zero())
        return held.deadline;
    return std::min(held.deadline, saturating_add(begun, held.timeout));
}

} // namespace

thread_worker::thread_worker(std::size_t index, const void* pool, duration cancel_grace, report_function report)
    : index_(index), pool_(pool), cancel_grace_(cancel_grace), report_(std::move(report)),
      context_(std::make_unique<asio::io_context>(1)), loop_(context_.get()), work_(context_->get_executor())
{}

thread_worker::~thread_worker() = default;

template <class F>
void thread_worker::post(F&& f)
{
    std::lock_guard lock(mutex_);
    if (context_)
        asio::post(*context_, std::forward<F>(f));
}

thread_chunk* thread_worker::find(chunk_id id) const noexcept
{
    for (const auto& held : held_)
        if (held->id == id)
            return held.get();
    return nullptr;
}

void thread_worker::submit(const chunk& work)
{
    assert(work.count != 0);
    auto held = std::make_shared<thread_chunk>(work);
    std::lock_guard lock(mutex_);
    held_.push_back(held);
    if (context_)
        asio::post(*context_, [this, held = std::move(held)]() mutable { run(std::move(held)); });
}

thread_chunk::recalled thread_worker::recall(chunk_id id)
{
    const auto held = find(id);
    if (!held)
        return {0, false};
    const auto result = held->recall();
    if (result.ended)
        held->release();
    return result;
}

void thread_worker::cancel(chunk_id id)
{
    const auto held = find(id);
    if (!held)
        return;
    if (!held->coroutine)
        return held->request_stop();
    post([this, id] { cancel_coroutine(id); });
}

void thread_worker::cancel_coroutine(chunk_id id)
{
    // A coroutine that co_spawn was given begins in a later turn of the loop. What cancels it before that is ignored by some versions of
    // Asio, and others throw it out of run(): so it is cancelled in a turn behind that one.
    asio::post(*loop_, [this, id] {
        const auto found = coroutines_.find(id);
        if (found == coroutines_.end())
            return;
        coroutine& running = found->second;
        run_on_cpu(*running.task, [&] {
            running.task->cancel();
            running.signal.emit(asio::cancellation_type::terminal);
        });
    });
}

std::optional<backend::running_task> thread_worker::running(chunk_id id) const
{
    const auto held = find(id);
    return held ? held->running() : std::nullopt;
}

std::optional<backend::chunk_times> thread_worker::times(chunk_id id) const
{
    const auto held = find(id);
    return held ? held->times() : std::nullopt;
}

void thread_worker::abandon(chunk_id id)
{
    if (const auto held = find(id)) {
        held->abandoned = true;
        forget(id);
    }
}

void thread_worker::forget(chunk_id id)
{
    std::shared_ptr<thread_chunk> over; // destroyed without the mutex: perhaps with arguments of the user's
    std::lock_guard lock(mutex_);
    const auto found = std::find_if(held_.begin(), held_.end(), [id](const auto& held) { return held->id == id; });
    if (found == held_.end())
        return;
    over = std::move(*found);
    held_.erase(found);
}

void thread_worker::finish()
{
    post([this] { finished_ = true; });
}

void thread_worker::quit() noexcept
{
    std::vector<std::shared_ptr<thread_chunk>> all;
    {
        std::lock_guard lock(mutex_);
        quit_ = true;
        all = held_;
    }
    for (const auto& held : all) {
        held->recall();
        if (!held->coroutine)
            held->request_stop();
    }
    finish();
}

void thread_worker::wake()
{
    post([] {});
}

void thread_worker::serve()
{
    thread_ = ::gettid();
    while (!finished_)
        run_one();
    thread_ = 0;
}

void thread_worker::serve_until(const std::function<bool()>& stop)
{
    thread_ = ::gettid();
    while (!finished_ && !stop())
        run_one();
    thread_ = 0;
}

void thread_worker::run_one()
{
    // A task can reach the context through `this_worker::executor()`, and stop it.
    if (loop_->run_one() == 0)
        loop_->restart();
}

void thread_worker::close()
{
    // Emitting may end a task, which posts the removal of its signal and never removes it at once. From within the loop: outside it
    // Asio would queue the request, behind the removal of a signal to which it refers.
    post([this] {
        for (const auto& [id, signal] : coroutines_)
            cancel_coroutine(id);
    });
    std::unique_ptr<asio::io_context> context;
    {
        std::lock_guard lock(mutex_);
        context = std::move(context_);
    }
    work_.reset();
    if (coroutines_.empty())
        run_out(*context);
    else
        context->run_for(cancel_grace_);
    // Frames that are left are destroyed here, in the thread that ran them; then the signals, to which their slots refer.
    context.reset();
    coroutines_.clear();
}

void thread_worker::run(std::shared_ptr<thread_chunk> held)
{
    if (held->coroutine)
        return run_coroutine(std::move(held));
    if (!held->gate().begin(0))
        return; // Taken back whole; who did that tells of it.

    worker_context& context = *current_worker();
    operation& op = held->op();
    const operation_traits& traits = op.traits();
    context.running = &op;
    context.task = {.chunk = held->id,
                    .first = held->first,
                    .seed = held->seed,
                    .operation = held->op_id,
                    .reports = held->reports,
                    .gate = &held->gate(),
                    .trace = &traits.options.trace_parent};
    const bool seen = traits.stream || traits.counts_progress;
    const std::size_t most = held->timeout != duration::zero() || held->chaos || held->measured ? 1
                             : seen                                                             ? most_between_looks
                                    : most_unseen_between_looks;
    const time_point began = clock::now();
    held->begin(began);
    time_point reported = began;
    time_point now = began;
    bool told_of_failure = !traits.stops_at_failure;
    std::size_t count = 1;
    chunk_report report{};
    task_meter meter;
    for (std::size_t position = 0;;) {
        held->begin_task(position, now);
        held->begin_stoppable(position);
        context.stoppable = held.get();
        context.deadline = task_deadline(*held, now);
        const std::size_t failed_before = report.failures.size();
        if (held->measured)
            meter.begin_next();
        const std::size_t end =
            op.run_some(held->tasks(), held->gate(), position, position + count, held->first, report.failures);
        if (held->measured && end != position)
            report.used.push_back(meter.end());
        if (held->chaos && end != position)
            sleep_unless(held->late_by(position), [&] { return quitting() || held->stop_requested(); });
        context.deadline = time_point::max();
        context.stoppable = nullptr;
        held->end_task();

        report.end = end;
        const time_point before = std::exchange(now, clock::now());
        const bool failed = report.failures.size() != failed_before;
        if (end != position + count && !failed)
            break; // all
        count = until_next_look(count, now - before, most);
        position = end;
        if (!held->gate().begin(position))
            break;
        const bool news = failed && !std::exchange(told_of_failure, true);
        if (news || now - reported >= report_interval) {
            report.held = held;
            report_(std::move(report));
            report = chunk_report{.begin = position};
            reported = now;
        }
    }
    context.running = nullptr;
    context.task = {};
    report.ended = true;
    report.busy = now - began;
    held->end(now);
    // Once the end is told, the strand may hand the arguments back: this thread holds nothing of them any more.
    report.held = std::move(held);
    report_(std::move(report));
}

void thread_worker::run_coroutine(std::shared_ptr<thread_chunk> held)
{
    const chunk_id id = held->id;
    coroutine& entry = coroutines_[id];
    const auto slot = entry.signal.slot();
    coroutine_task& task = *(entry.task = &places_.take(*current_worker()));
    task.mark = id;
    current_worker()->on_cpu = &on_cpu_;
    auto returned = [this, id](std::exception_ptr error) {
        // The frame that the signal's slot refers to goes away after this call.
        asio::post(*loop_, [this, id] {
            const auto found = coroutines_.find(id);
            places_.give_back(*found->second.task);
            coroutines_.erase(found);
        });
        if (error)
            std::rethrow_exception(error);
    };
    const asio::any_io_executor executor = task_executor(loop_->get_executor(), task);
    asio::co_spawn(executor, run_task(std::move(held), task), asio::bind_cancellation_slot(slot, std::move(returned)));
}

// The task begins when it is first resumed, not when it arrives, and its outcome is reported in the turn of the loop in which it ends:
// a neighbour may keep the loop from running in between.
asio::awaitable<void> thread_worker::run_task(std::shared_ptr<thread_chunk> held, coroutine_task& task)
{
    if (!held->gate().begin(0))
        co_return; // Taken back; who did that tells of it.
    const time_point began = clock::now();
    held->begin_task(0, began);
    held->begin(began);
    task.deadline = task_deadline(*held, began);
    task.running = {.chunk = held->id,
                    .first = held->first,
                    .seed = held->seed,
                    .operation = held->op_id,
                    .reports = held->reports,
                    .trace = &held->op().traits().options.trace_parent};
    task_meter meter;
    if (held->measured) {
        meter.begin();
        task.meter = &meter;
    }
    std::exception_ptr error;
    try {
        error = co_await held->op().run_async(held->tasks(), 0, held->first);
    }
    catch (...) {
        error = std::current_exception();
    }
    if (held->chaos)
        co_await pause(held->late_by(0));
    held->end_task();
    const time_point now = clock::now();
    held->end(now);
    chunk_report report{.begin = 0, .end = 1, .ended = true, .busy = now - began};
    if (std::exchange(task.meter, nullptr))
        report.used.push_back(meter.end());
    if (error)
        report.failures.push_back({0, error});
    report.held = std::move(held);
    report_(std::move(report));
}

} // namespace twat::mp::detail
