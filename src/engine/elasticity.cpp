// SPDX-License-Identifier: BSL-1.0
#include "engine/elasticity.hpp"

#include <algorithm>

#include "time/saturating.hpp"

namespace twat::mp::detail {
namespace {

/// Operations that are looked at to see how much work there is: each counts as one worker's at least.
constexpr std::size_t most_looked_at = 1024;

/// Between two looks at who is idle.
constexpr duration shortest_look = std::chrono::milliseconds(1);
/// Tasks of one operation that are counted: enough for any number of workers.
constexpr std::size_t most_counted = std::size_t(1) << 20;

} // namespace

// An operation of which no task has begun, or that has many.
void elasticity::note_work(operation_state& op)
{
    if (!elastic_ || op.list_hook<unbegun_tag>::is_linked())
        return;
    if (!op.begun)
        unbegun_.push_back(op);
    else if (op.traits().total != 1u)
        served_.push_back(op);
}

void elasticity::note_begin(operation_state& op)
{
    if (!op.list_hook<unbegun_tag>::is_linked())
        return;
    op.list_hook<unbegun_tag>::unlink();
    note_work(op);
}

/// Workers that the tasks of this operation which wait would keep busy for as long as a start takes.
std::size_t elasticity::wanted_by(const operation_state& op) const
{
    std::size_t tasks = op.requeued_tasks;
    if (!op.exhausted && !op.stopping) {
        const std::uint64_t left = op.traits().total
                                       ? *op.traits().total - std::min<std::uint64_t>(*op.traits().total, op.next_index)
                                       : most_counted;
        tasks += std::min({static_cast<std::size_t>(left), op.demand(), most_counted});
    }
    for (const given_chunk& h : op.held)
        if (!h.work->coroutine)
            tasks += h.outstanding() - (&h == &h.holder->held.front() && h.outstanding() != 0);
    if (op.traits().coroutine)
        tasks = (tasks + child_concurrency_ - 1) / child_concurrency_;
    else if (const auto takes = op.sizes.estimate(tasks))
        tasks = std::min(tasks, static_cast<std::size_t>(*takes / roster_.start_time()));
    if (const std::size_t bound = op.traits().options.max_concurrency; bound != 0)
        tasks = std::min(tasks, bound - std::min(bound, op.places));
    return tasks;
}

/// The same for all that wait, up to `most`.
std::size_t elasticity::wanted_by_all(std::size_t most) const
{
    std::size_t workers = 0, looked = 0;
    for (const auto* list : {&unbegun_, &served_})
        for (const operation_state& op : *list) {
            if (workers >= most || ++looked > most_looked_at)
                return std::min(workers, most);
            if (op.tenant->at_bound())
                continue; // more workers would be of no use to it
            workers += std::min(most, std::max<std::size_t>(!op.begun, wanted_by(op)));
        }
    return std::min(workers, most);
}

/// Since when tasks have waited, as far as it counts.
time_point elasticity::waiting_since() const
{
    std::size_t looked = 0;
    const auto first = [&looked](const auto& list, auto&& waits) {
        for (const operation_state& op : list) {
            if (++looked > most_looked_at)
                break;
            if (!op.tenant->at_bound() && waits(op))
                return op.initiated;
        }
        return time_point::max();
    };
    return std::min(first(unbegun_, [](const operation_state&) { return true; }),
                    first(served_, [this](const operation_state& op) { return wanted_by(op) != 0; }));
}

void elasticity::look_at_work(std::size_t free, bool wanted, const clock_type& clock)
{
    grow_at_ = time_point::max();
    if (!roster_.may_grow() || !wanted || (unbegun_.empty() && served_.empty()))
        return;
    const time_point now = clock();
    if (roster_.wanted() == 0) {
        roster_.grow(1, now);
        looked_at_ = now;
    }
    if (free != 0)
        return; // what does not go to an idle worker is not wanted by its reader yet
    // Looks cost time, and what was started shall have its effect first.
    if (const time_point next = saturating_add(looked_at_, roster_.start_time()); next > now) {
        grow_at_ = next;
        return;
    }
    looked_at_ = now;
    const time_point due = saturating_add(waiting_since(), roster_.start_time());
    if (due == time_point::max()) {
        grow_at_ = saturating_add(now, roster_.start_time());
        return;
    }
    if (due > now) {
        grow_at_ = due;
        return;
    }
    const std::size_t coming = roster_.coming();
    const std::size_t useful = wanted_by_all(roster_.nodes() - roster_.wanted() + coming);
    roster_.grow(useful - std::min(useful, coming), now);
    grow_at_ = saturating_add(now, roster_.start_time());
}

void elasticity::note_idle(ready_worker& worker, const clock_type& now)
{
    if (!elastic_ || worker.guest)
        return;
    worker.idle_since = now();
    shrink_at_ = std::min(shrink_at_, saturating_add(worker.idle_since, roster_.idle_limit()));
}

void elasticity::restart(bool elastic) noexcept
{
    elastic_ = elastic;
    grow_at_ = time_point::max();
    unbegun_.clear();
    served_.clear();
}

void elasticity::shrink_if_idle(const std::vector<std::unique_ptr<ready_worker>>& workers, time_point now,
                                const std::function<void(ready_worker&)>& send_away)
{
    if (shrink_at_ > now)
        return;
    shrink_at_ = time_point::max();
    std::vector<ready_worker*> idle;
    for (const auto& w : workers)
        if (!w->guest && !w->dying && !w->retiring && !w->recycling && w->running == 0)
            idle.push_back(w.get());
    std::sort(idle.begin(), idle.end(), [](auto* a, auto* b) { return a->order > b->order; });
    for (ready_worker* w : idle) {
        if (!roster_.may_shrink())
            return;
        if (w->idle_since == time_point())
            // it has told its last outcome, and an idle pool does not listen for the end of the chunk
            w->idle_since = now;
        if (const time_point due = saturating_add(w->idle_since, roster_.idle_limit()); due > now)
            shrink_at_ = std::min(shrink_at_, due);
        else
            send_away(*w);
    }
    if (roster_.may_shrink())
        shrink_at_ = std::min(shrink_at_, saturating_add(now, std::max(roster_.idle_limit(), shortest_look)));
}

} // namespace twat::mp::detail
