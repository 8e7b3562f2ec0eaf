// SPDX-License-Identifier: BSL-1.0
// The part of a worker process that says what became of it.
#include <twat/mp/detail/exception/make_error.hpp>

#include <boost/exception/exception.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include "process/worker_process.hpp"
#include "wire/exception.hpp"
#include "start/worker_marker.hpp"
#include "start/marker.hpp"

namespace twat::mp::detail {
namespace {

/// Exit code of a program whose libraries could not be loaded, perhaps because memory ran out.
constexpr int linker_exit_code = 127;

/// Whether a program that had no memory may have ended like this: it aborted, used a null pointer, or left with a status of its own.
template <class Status>
bool may_follow_a_failed_allocation(const Status& status) noexcept
{
    return status.known && (status.signal == SIGABRT || status.signal == SIGSEGV || status.signal == SIGBUS ||
                            (status.signal == 0 && status.code != 0));
}

} // namespace

life_phase worker_process::life() const noexcept
{
    switch (fsm_.phase()) {
    case worker_phase::launching:
    case worker_phase::greeting: return life_phase::start;
    case worker_phase::initializing: return life_phase::initializer;
    case worker_phase::ready: return life_phase::idle;
    case worker_phase::leaving: return life_phase::finalizer;
    case worker_phase::killed:
    case worker_phase::dead: break;
    }
    return fsm_.was_ready() ? life_phase::idle : fsm_.was_greeted() ? life_phase::initializer : life_phase::start;
}

worker_end worker_process::make_end()
{
    worker_end end;
    end.phase = life();
    end.how = fsm_.resume(worker_input::lost);
    end.status = status_;
    end.given_up = given_up_;
    if (held_) {
        end.loss.begun = held_->begun();
        end.loss.chunks = held_->come_to(clock::now());
    }
    // Where we ended it for another reason, what it was doing at that moment says nothing.
    for (worker_loss::begun_task& begun : end.loss.begun)
        begun.culprit = !nonsense_.empty() || (begun.culprit && !nobody_to_blame_);
    end.loss.expected = end.how == worker_action::report_end;
    if (note_.empty() && !end.loss.begun.empty() && page_ &&
        page_.memory_refused().load(std::memory_order_relaxed) != 0)
        note_ = "an allocation had failed in it for pool_options::max_memory_per_child, " +
                std::to_string(owner_->settings().max_memory) + " bytes";
    // What allocates otherwise than by operator new leaves no trace: the limit is a possible cause only.
    else if (note_.empty() && !end.loss.begun.empty() && owner_->settings().max_memory != 0 &&
             may_follow_a_failed_allocation(status_))
        note_ = "its memory was limited to " + std::to_string(owner_->settings().max_memory) +
                " bytes by pool_options::max_memory_per_child: an allocation may have failed";
    end.in_task = !end.loss.begun.empty() || !note_.empty();
    if (!note_.empty())
        end.phase = life_phase::call; // a cancelled coroutine is a task, though nobody waits for it
    explain_death(end);
    if (end.how == worker_action::report_failed_start)
        explain_failed_start(end);
    end.hopeless = hopeless_;
    end.initializer_failed = initializer_error_ != nullptr;
    end.launch_failed = launch_failed_;
    end.stack = last_stack();
    return end;
}

void worker_process::explain_death(worker_end& end)
{
    if (!nonsense_.empty()) {
        end.why = name() + " sent malformed data: " + nonsense_;
        end.loss.explain = [what = end.why](std::uint64_t index) {
            return make_error(errc::protocol_error, what, static_cast<std::size_t>(index));
        };
        end.cause = [what = end.why] { return make_error(errc::protocol_error, what); };
        return;
    }
    const worker_died::exit_status status{status_.known, status_.signal, status_.code};
    if (!end.loss.begun.empty())
        end.phase = life_phase::call;
    worker_died::circumstances circumstances;
    circumstances.phase = end.phase;
    circumstances.resident_size = std::max(status_.peak_rss, resident_size());
    circumstances.out_of_memory = status_.out_of_memory;
    circumstances.stack = last_stack();
    if (child_)
        circumstances.stderr_tail = child_->error_tail();
    const auto last = std::make_shared<const worker_died::circumstances>(std::move(circumstances));

    struct step
    {
        std::uint64_t first;
        life_phase second;
        parcel call;
    };
    std::vector<step> steps; // of the tasks that it was at
    for (const worker_loss::begun_task& begun : end.loss.begun)
        if (begun.culprit && !end.loss.expected) {
            const process_chunk& held = *held_->find(begun.id);
            steps.push_back(
                {held.first + begun.position, held_->step(begun.id),
                 owner_->settings().parcels->make(*held.work, begun.position, node_, name() + status_text())});
        }
    const auto make = [pid = pid(), status, note = note_, last,
                       steps = std::move(steps)](std::optional<std::uint64_t> index) {
        const auto found =
            std::ranges::find_if(steps, [&](const auto& step) { return !index || step.first == *index; });
        if (found == steps.end())
            return make_worker_died(pid, status, index, note, {}, *last);
        auto in_task = *last;
        in_task.phase = found->second;
        in_task.call = found->call;
        return make_worker_died(pid, status, found->first, note, {}, in_task);
    };
    end.loss.explain = make;
    end.loss.explain_to_bystander = [pid = pid(), status, note = note_, last](std::uint64_t index) {
        auto beside = *last;
        beside.phase = life_phase::call;
        beside.bystander = true;
        return make_worker_died(pid, status, index, note, {}, beside);
    };
    end.cause = [make] { return make(std::nullopt); };
    const auto culprit = std::ranges::find(end.loss.begun, true, &worker_loss::begun_task::culprit);
    if (culprit != end.loss.begun.end())
        end.phase = held_->step(culprit->id);
    try {
        std::rethrow_exception(end.cause());
    }
    catch (const std::exception& e) {
        end.why = e.what();
    }
}

void worker_process::explain_failed_start(worker_end& end)
{
    if (initializer_error_) {
        end.why = "the initializer of " + name() + " failed";
        end.cause = [bytes = initializer_error_, pid = pid(), what = end.why] {
            decoder in(bytes->bytes());
            return make_nested(errc::initializer_failed, what, decode_exception(in, std::nullopt, pid));
        };
        return;
    }
    start_failure failure{errc::worker_start_failed, {}};
    if (start_failure_)
        failure = *start_failure_;
    else {
        failure.what = name() + status_text() + " before it was ready";
        if (fsm_.was_ready() || status_.code == bad_start_exit_code || status_.signal != 0)
            ;
        else if (status_.code == not_entered_exit_code) {
            failure.what = name() + " did not enter the worker: does main() call twat::mp::run_if_worker(argc, argv) "
                                    "as its first statement, "
                                    "or link twat::mp_main?";
            hopeless_ = true;
        } else if (end.phase == life_phase::initializer)
            failure.what = name() + status_text() + " while it ran the initializer";
        else {
            failure.what += "; does main() call twat::mp::run_if_worker(argc, argv) as its first statement?";
            // This program's main() came to an end of its own: it will again, and do again what it does before. Not so the dynamic linker.
            hopeless_ = owner_->settings().executable.empty() && end.phase == life_phase::start && status_.known &&
                        status_.code != linker_exit_code;
        }
    }
    end.why = failure.what;
    end.cause = [failure, pid = pid(), phase = end.phase, tail = child_ ? child_->error_tail() : std::string(),
                 stack = last_stack()] {
        return make_start_error(failure.code, failure.what, pid, phase, tail, stack);
    };
}

stacktrace worker_process::last_stack() const
{
    if (!stacks_)
        return {};
    stacktrace crash = stacks_->crash(status_.signal);
    return crash.empty() ? stacks_->asked() : crash;
}

stacktrace worker_process::ask_for_stack(chunk_id id)
{
    if (!held_ || !child_ || !stacks_ || fsm_.phase() != worker_phase::ready ||
        std::ranges::none_of(held_->begun(), [id](const worker_loss::begun_task& begun) { return begun.id == id; }))
        return {};
    return stacks_->ask(*child_, describe_tasks());
}

void worker_process::ask_for_stack()
{
    if (held_ && child_ && stacks_ && fsm_.phase() == worker_phase::ready && !held_->empty())
        stacks_->ask(*child_, describe_tasks());
}

parcel worker_process::parcel_of(chunk_id id, std::size_t position) const
{
    const process_chunk* const held = held_ ? held_->find(id) : nullptr;
    return held ? owner_->settings().parcels->make(*held->work, position, node_,
                                                   name() + ": the task ran longer than its timeout")
                : parcel();
}

void worker_process::attach_parcel(const std::exception_ptr& error, chunk_id id, std::size_t position) const
{
    const process_chunk* const held = held_->find(id);
    if (!held)
        return;
    try {
        std::rethrow_exception(error);
    }
    catch (const boost::exception& e) {
        if (const parcel made =
                owner_->settings().parcels->make(*held->work, position, node_, name() + ": the task threw");
            !made.empty())
            e << errinfo_parcel(made);
    }
    catch (...) { // nothing can be attached to it
    }
}

std::optional<dumped_worker> worker_process::dump()
{
    if (!held_ || !child_ || !stacks_ || fsm_.phase() != worker_phase::ready)
        return std::nullopt;
    const time_point now = clock::now();
    dumped_worker dumped{.index = node_, .pid = pid(), .thread = pid()};
    for (const worker_loss::begun_task& begun : held_->begun()) {
        const process_chunk& held = *held_->find(begun.id);
        dumped_task task{.index = held.first + begun.position, .suspended = !begun.culprit};
        if (held.work->op) {
            task.function = held.work->op->function_types();
            if (const char* label = held.work->op->traits().options.label)
                task.label = label;
        }
        if (const auto running = held_->running(begun.id, now); running && running->position == begun.position)
            task.since = running->begun;
        else if (const auto times = held_->times(begun.id, now))
            task.since = times->since;
        dumped.tasks.push_back(std::move(task));
    }
    if (dumped.tasks.empty())
        return std::nullopt;
    dumped.stack = stacks_->ask(*child_, {});
    return dumped;
}

// "runs task 4 (calling the function)", or of coroutines: "the event loop waits; suspended: task 4 for 2.1 s, task 7 for 0.3 s".
std::string worker_process::describe_tasks() const
{
    constexpr std::size_t most_named = 16;
    const time_point now = clock::now();
    std::string runs, suspended;
    std::size_t unnamed = 0, named = 0;
    bool coroutines = false;
    for (const worker_loss::begun_task& begun : held_->begun()) {
        const process_chunk& held = *held_->find(begun.id);
        coroutines = coroutines || held.work->coroutine;
        std::string name = "task " + std::to_string(held.first + begun.position);
        if (const char* label = held.work->op ? held.work->op->traits().options.label : nullptr)
            name += std::string(" of ") + label;
        if (begun.culprit) {
            runs += (runs.empty() ? "" : ", ") + name + " (" + to_string(held_->step(begun.id)) + ')';
            continue;
        }
        if (named++ >= most_named) {
            ++unnamed;
            continue;
        }
        char since[32] = "";
        if (const auto times = held_->times(begun.id, now))
            std::snprintf(since, sizeof since, " for %.1f s",
                          std::chrono::duration<double>(now - times->since).count());
        suspended += (suspended.empty() ? "" : ", ") + name + since;
    }
    std::string text = coroutines && runs.empty() ? "the event loop waits"
                       : runs.empty()             ? "no task runs"
                                                  : "runs " + runs;
    if (!suspended.empty())
        text += "; suspended: " + suspended + (unnamed == 0 ? "" : " and " + std::to_string(unnamed) + " more");
    return text;
}

std::string worker_process::name() const
{
    return "worker " + std::to_string(node_) + " (pid " + std::to_string(pid()) + ")";
}

std::string worker_process::status_text() const
{
    if (!status_.known)
        return " ended";
    if (status_.signal != 0)
        return " was killed by signal " + std::to_string(status_.signal) + " (" + ::strsignal(status_.signal) + ")";
    return " ended with exit code " + std::to_string(status_.code);
}

} // namespace twat::mp::detail
