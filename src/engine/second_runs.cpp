// SPDX-License-Identifier: BSL-1.0
// The engine's part that runs late tasks a second time, as `hedging` decides.
#include "engine/engine.hpp"

#include <utility>

namespace twat::mp::detail {

void engine::consider_hedge(given_chunk& held, time_point now)
{
    if (!hedging::is_of_use(held))
        return;
    auto running = backend_.running(held.holder->id, held.work->id);
    if (!running && held.work->coroutine)
        running = backend::running_task{0, held.since};
    const auto late = agenda_.hedging.late_task(held, running, now);
    if (!late)
        return;
    take_back(*held.holder, held, true); // what stands behind it need not wait
    if (!held.recalling && *late < held.keep && *late != held.timed_out)
        agenda_.hedging.add_late(held, *late);
}

// A copy is for a worker that has nothing else to do: it keeps no other task waiting.
void engine::hedge()
{
    if (!agenda_.hedging.any_late() || entrance_.gate.ends_all())
        return;
    placement_.handout.place_considered();
    agenda_.hedging.serve_late([this](given_chunk& held) {
        ready_worker* const worker = placement_.handout.for_copy(held);
        if (!worker)
            return false;
        held.list_hook<late_tag>::unlink();
        submit_copy(held, *worker);
        return true;
    });
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
    ++totals_.hedged;
    submit(worker, *held.owner, std::move(work));
    agenda_.hedging.begin_race(held, worker.held.back());
    placement_.handout.place(worker);
}

// Whether the end of this run counts for nothing, as the task has another one.
bool engine::race_goes_on(given_chunk& held, std::size_t position, run_end how)
{
    if (!agenda_.hedging.goes_on(held, position, how))
        return false;
    if (held.owner)
        touch(*held.owner);
    return true;
}

// The task has its outcome. If it has a second run, that is not wanted any more.
void engine::win_race(given_chunk& held, std::size_t position)
{
    if (given_chunk* const loser = hedging::part(held, position)) {
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
