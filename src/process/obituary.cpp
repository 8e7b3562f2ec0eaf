// SPDX-License-Identifier: BSL-1.0
#include "process/obituary.hpp"

#include <twat/mp/detail/exception/make_error.hpp>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ranges>
#include <utility>
#include <vector>

#include "start/worker_marker.hpp"
#include "wire/exception.hpp"

namespace twat::mp::detail {
namespace {

/// Exit code of a program whose libraries could not be loaded, perhaps because memory ran out.
constexpr int linker_exit_code = 127;

/// Whether a program that had no memory may have ended like this: it aborted, used a null pointer, or left with a status of its own.
bool may_follow_a_failed_allocation(const exit_status& status) noexcept
{
    return status.known && (status.signal == SIGABRT || status.signal == SIGSEGV || status.signal == SIGBUS ||
                            (status.signal == 0 && status.code != 0));
}

std::string describe(const exit_status& status)
{
    if (!status.known)
        return " ended";
    if (status.signal != 0)
        return " was killed by signal " + std::to_string(status.signal) + " (" + ::strsignal(status.signal) + ")";
    return " ended with exit code " + std::to_string(status.code);
}

} // namespace

worker_loss loss_of(const worker_end& end, const worker_settings& settings)
{
    worker_loss loss = end.loss;
    loss.in_task = end.in_task;
    loss.initializer_threw = end.initializer_failed;
    loss.no_room = end.launch_failed && !end.hopeless;
    loss.fails_again = end.hopeless;
    loss.for_good = end.hopeless && !end.launch_failed; // a file that is not there may be put there
    // main() never entered the worker: that says more than how often.
    loss.cause_tells_all = settings.executable.empty() && end.phase == life_phase::start && !end.launch_failed;
    loss.cause = end.cause;
    return loss;
}

void obituary::killed_because(std::string note, blame whose)
{
    note_ = std::move(note);
    if (whose == blame::nobody)
        blame_ = blame::nobody;
}

void obituary::sent_malformed(std::string what)
{
    if (malformed_.empty())
        malformed_ = std::move(what);
}

void obituary::start_failed(errc code, std::string what, outlook another)
{
    start_failure_ = {code, std::move(what), another};
}

worker_end obituary::write(const last_state& state) const
{
    worker_end end;
    end.how = state.how;
    end.status = state.status;
    end.given_up = state.given_up;
    end.stack = state.stack;
    end.phase = state.life;
    if (state.held) {
        end.loss.begun = state.held->begun();
        end.loss.chunks = state.held->come_to(state.now);
    }
    // Where we ended it for another reason, what it was doing at that moment says nothing.
    for (worker_loss::begun_task& begun : end.loss.begun)
        begun.culprit = has_sent_malformed() || (begun.culprit && blame_ == blame::task);
    end.loss.expected = end.how == worker_action::report_end;
    const std::string note = note_of(state, !end.loss.begun.empty());
    end.in_task = !end.loss.begun.empty() || !note.empty();
    if (!note.empty())
        end.phase = life_phase::call; // a cancelled coroutine is a task, though nobody waits for it
    end.hopeless = start_failure_ && start_failure_->another == outlook::hopeless;
    end.initializer_failed = initializer_error_ != nullptr;
    end.launch_failed = launch_failed_;
    if (has_sent_malformed())
        explain_malformed(state, end);
    else
        explain_death(state, note, end);
    if (end.how == worker_action::report_failed_start)
        explain_failed_start(state, end);
    return end;
}

std::string obituary::note_of(const last_state& state, bool in_task) const
{
    if (!note_.empty() || !in_task)
        return note_;
    const std::string limit = std::to_string(state.settings.max_memory);
    if (state.memory_refused)
        return "an allocation had failed in it for pool_options::max_memory_per_child, " + limit + " bytes";
    // What allocates otherwise than by operator new leaves no trace: the limit is a possible cause only.
    if (state.settings.max_memory != 0 && may_follow_a_failed_allocation(state.status))
        return "its memory was limited to " + limit +
               " bytes by pool_options::max_memory_per_child: an allocation may have failed";
    return {};
}

void obituary::explain_malformed(const last_state& state, worker_end& end) const
{
    end.why = state.worker.name() + " sent malformed data: " + malformed_;
    end.loss.explain = [what = end.why](std::uint64_t index) {
        return make_error(errc::protocol_error, what, static_cast<std::size_t>(index));
    };
    end.cause = [what = end.why] { return make_error(errc::protocol_error, what); };
}

void obituary::explain_death(const last_state& state, const std::string& note, worker_end& end) const
{
    const worker_died::exit_status status{state.status.known, state.status.signal, state.status.code};
    if (!end.loss.begun.empty())
        end.phase = life_phase::call;
    worker_died::circumstances circumstances;
    circumstances.phase = end.phase;
    circumstances.resident_size = std::max(state.status.peak_rss, state.resident_size);
    circumstances.out_of_memory = state.status.out_of_memory;
    circumstances.stack = state.stack;
    circumstances.stderr_tail = state.error_tail;
    const auto last = std::make_shared<const worker_died::circumstances>(std::move(circumstances));

    struct step
    {
        std::uint64_t index;
        life_phase phase;
        parcel call;
    };
    std::vector<step> steps; // of the tasks that it was at
    for (const worker_loss::begun_task& begun : end.loss.begun)
        if (begun.culprit && !end.loss.expected) {
            const process_chunk& held = *state.held->find(begun.id);
            steps.push_back({held.first + begun.position, state.held->step(begun.id),
                             state.settings.parcels->make(*held.work, begun.position, state.worker.node,
                                                          state.worker.name() + describe(state.status))});
        }
    const auto make = [pid = state.worker.pid, status, note, last,
                       steps = std::move(steps)](std::optional<std::uint64_t> index) {
        const auto found = std::ranges::find_if(steps, [&](const step& at) { return !index || at.index == *index; });
        if (found == steps.end())
            return make_worker_died(pid, status, index, note, {}, *last);
        auto in_task = *last;
        in_task.phase = found->phase;
        in_task.call = found->call;
        return make_worker_died(pid, status, found->index, note, {}, in_task);
    };
    end.loss.explain = make;
    end.loss.explain_to_bystander = [pid = state.worker.pid, status, note, last](std::uint64_t index) {
        auto beside = *last;
        beside.phase = life_phase::call;
        beside.bystander = true;
        return make_worker_died(pid, status, index, note, {}, beside);
    };
    end.cause = [make] { return make(std::nullopt); };
    const auto culprit = std::ranges::find(end.loss.begun, true, &worker_loss::begun_task::culprit);
    if (culprit != end.loss.begun.end())
        end.phase = state.held->step(culprit->id);
    try {
        std::rethrow_exception(end.cause());
    }
    catch (const std::exception& e) {
        end.why = e.what();
    }
}

void obituary::explain_failed_start(const last_state& state, worker_end& end) const
{
    if (initializer_error_) {
        end.why = "the initializer of " + state.worker.name() + " failed";
        end.cause = [bytes = initializer_error_, pid = state.worker.pid, what = end.why] {
            decoder in(bytes->bytes());
            return make_nested(errc::initializer_failed, what, decode_exception(in, std::nullopt, pid));
        };
        return;
    }
    const start_failure failure = start_failure_ ? *start_failure_ : judge_early_end(state, end);
    end.hopeless = failure.another == outlook::hopeless;
    end.why = failure.what;
    end.cause = [failure, pid = state.worker.pid, phase = end.phase, tail = state.error_tail, stack = state.stack] {
        return make_start_error(failure.code, failure.what, pid, phase, tail, stack);
    };
}

/// Of one that ended by itself before it was ready.
obituary::start_failure obituary::judge_early_end(const last_state& state, const worker_end& end)
{
    const std::string who = state.worker.name() + describe(state.status);
    start_failure failure{errc::worker_start_failed, who + " before it was ready", outlook::may_pass};
    if (state.status.code == bad_start_exit_code || state.status.signal != 0)
        return failure;
    if (state.status.code == not_entered_exit_code)
        return {errc::worker_start_failed,
                state.worker.name() + " did not enter the worker: does main() call twat::mp::run_if_worker(argc, argv) "
                                      "as its first statement, or link twat::mp_main?",
                outlook::hopeless};
    if (end.phase == life_phase::initializer) {
        failure.what = who + " while it ran the initializer";
        return failure;
    }
    failure.what += "; does main() call twat::mp::run_if_worker(argc, argv) as its first statement?";
    // This program's main() came to an end of its own: it will again, and do again what it does before. Not so the dynamic linker.
    if (state.settings.executable.empty() && end.phase == life_phase::start && state.status.known &&
        state.status.code != linker_exit_code)
        failure.another = outlook::hopeless;
    return failure;
}

} // namespace twat::mp::detail
