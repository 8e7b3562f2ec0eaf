// SPDX-License-Identifier: BSL-1.0
// The engine's part that runs late tasks a second time, `call_options::hedge_after`.
#include "engine/engine.hpp"

#include <algorithm>
#include <utility>

namespace twat::mp::detail {
namespace {

// Sooner than this a copy costs more than the wait.
constexpr duration soonest = std::chrono::milliseconds(1);

} // namespace

// Workers on other hosts are not the pool's to choose: their chunks may both go to the slow one.
bool engine::may_hedge(const operation_state& op) const noexcept
{
    return !op.traits().options.hedge_after.never() && can_.launches;
}

std::optional<duration> engine::hedge_delay_of(const operation_state& op) const
{
    const hedge_delay& delay = op.traits().options.hedge_after;
    if (!delay.measured())
        return delay.after();
    const auto measured = op.times->percentile(delay.percent());
    return measured ? std::optional(std::max(*measured, soonest)) : std::nullopt;
}

void engine::watch_for_hedge(given_chunk& held)
{
    if (held.owner && may_hedge(*held.owner))
        hedges_.set(held.hedge, look_at_running(std::nullopt, 0, hedge_delay_of(*held.owner), held.since).again);
}

void engine::consider_hedge(given_chunk& held, time_point now)
{
    const bool wanted = held.owner && !held.owner->stopping && !held.owner->final_error;
    if (!wanted || held.holder->dying || held.cancelled || held.twin || held.outstanding() == 0)
        return;
    auto running = backend_.running(held.holder->id, held.work->id);
    if (!running && held.work->coroutine)
        running = backend::running_task{0, held.since};
    const hedge_look look = look_at_running(running, held.settled, hedge_delay_of(*held.owner), now);
    if (!look.late)
        return hedges_.set(held.hedge, look.again);
    take_back(*held.holder, held, true); // what stands behind it need not wait
    if (held.recalling || *look.late >= held.keep || *look.late == held.timed_out)
        return;
    held.late_at = *look.late;
    if (!held.list_hook<late_tag>::is_linked())
        late_.push_back(held);
}

// A copy is for a worker that has nothing else to do: it keeps no other task waiting.
void engine::hedge()
{
    if (late_.empty() || ending_)
        return;
    handout_.place_considered();
    for (auto next = late_.begin(); next != late_.end() && budget_.allows_copy();) {
        given_chunk& held = *next++;
        const bool still_late = held.owner && !held.owner->stopping && !held.owner->final_error && !held.cancelled &&
                                !held.holder->dying && held.settled <= held.late_at;
        if (!still_late) {
            held.list_hook<late_tag>::unlink();
            if (held.owner && held.outstanding() != 0)
                watch_for_hedge(held);
            continue;
        }
        operation_state& op = *held.owner;
        if (op.at_bound() || op.tenant->at_bound())
            continue;
        ready_worker* const worker = handout_.for_copy(held);
        if (!worker)
            break;
        held.list_hook<late_tag>::unlink();
        submit_copy(held, *worker);
    }
}

void engine::submit_copy(given_chunk& held, ready_worker& worker)
{
    std::unique_ptr<payload> task;
    try {
        task = held.work->tasks->copy(held.late_at);
    }
    catch (...) { // no memory for a copy: the first run goes on alone
    }
    if (!task)
        return;
    auto work = std::make_shared<chunk>();
    work->first = held.work->first + held.late_at;
    work->tasks = std::move(task);
    work->attempt = held.work->attempt;
    work->failures = held.work->failures;
    work->unexplained = held.work->unexplained;
    work->copy = true;
    budget_.add_copy();
    ++totals_.hedged;
    submit(worker, *held.owner, std::move(work));
    given_chunk& copy = worker.held.back();
    copy.all_begun = true; // as long as there are two, neither is put in line again
    copy.late_at = 0;
    copy.twin = &held;
    held.twin = &copy;
    handout_.place(worker);
}

// The two runs of a task have nothing to do with each other any more. Returns the other one; null if there is none of this task.
given_chunk* engine::part(given_chunk& held, std::size_t position) noexcept
{
    if (!held.twin || held.late_at != position)
        return nullptr;
    given_chunk* const other = std::exchange(held.twin, nullptr);
    other->twin = nullptr;
    return other;
}

// Whether the end of this run counts for nothing, as the task has another one.
bool engine::race_goes_on(given_chunk& held, std::size_t position, run_end how)
{
    const bool other_runs = held.twin && held.late_at == position;
    if (judge_race(other_runs, how) != race_result::goes_on)
        return false;
    given_chunk* const other = part(held, position);
    if (held.owner)
        touch(*held.owner);
    watch_for_hedge(*other); // it may be late by now
    return true;
}

// The task has its outcome. If it has a second run, that is not wanted any more.
void engine::win_race(given_chunk& held, std::size_t position)
{
    if (given_chunk* const loser = part(held, position)) {
        totals_.hedges_won += held.work->copy;
        lose_race(*loser);
    }
}

void engine::lose_race(given_chunk& loser)
{
    ready_worker& worker = *loser.holder;
    if (can_.can_kill) {
        // As one that ran out of time: what it says is dropped, and its worker is killed if it goes on beyond the grace.
        loser.expired.push_back(loser.late_at);
        --loser.owner->held_tasks;
        return ask_to_stop(worker, loser, stop_force::kill);
    }
    if (loser.work->copy && can_.local) { // perhaps its thread has not come to it
        loser.all_begun = false;
        take_back(worker, loser, false);
        if (loser.outstanding() == 0)
            return;
    }
    loser.beaten = loser.late_at; // the operation waits for its return
    ask_to_stop(worker, loser, stop_force::ask);
}

} // namespace twat::mp::detail
