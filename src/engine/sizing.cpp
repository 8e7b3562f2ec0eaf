// SPDX-License-Identifier: BSL-1.0
// The engine's part that has workers started when tasks wait, and ended when they have nothing to do. Only for pools that keep fewer workers
// than they may have: in others nothing of this costs anything.
#include "engine/engine.hpp"

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
void engine::note_work(operation_state& op)
{
    if (!elastic_ || op.list_hook<unbegun_tag>::is_linked())
        return;
    if (!op.begun)
        unbegun_.push_back(op);
    else if (op.traits().total != 1u)
        served_.push_back(op);
}

void engine::note_begin(operation_state& op)
{
    if (!op.list_hook<unbegun_tag>::is_linked())
        return;
    op.list_hook<unbegun_tag>::unlink();
    note_work(op);
}

/// Workers that the tasks of this operation which wait would keep busy for as long as a start takes.
std::size_t engine::wanted_by(const operation_state& op) const
{
    std::size_t tasks = op.requeued_tasks;
    if (!op.exhausted && !op.stopping) {
        const std::uint64_t left = op.traits().total
                                       ? *op.traits().total - std::min<std::uint64_t>(*op.traits().total, op.next_index)
                                       : most_counted;
        tasks += std::min({static_cast<std::size_t>(left), demand(op), most_counted});
    }
    for (const given_chunk& h : op.held)
        if (!h.work->coroutine)
            tasks += h.outstanding() - (&h == &h.holder->held.front() && h.outstanding() != 0);
    if (op.traits().coroutine)
        tasks = (tasks + settings_.child_concurrency - 1) / settings_.child_concurrency;
    else if (const auto takes = op.sizes.estimate(tasks))
        tasks = std::min(tasks, static_cast<std::size_t>(*takes / roster_.start_time()));
    if (const std::size_t bound = op.traits().options.max_concurrency; bound != 0)
        tasks = std::min(tasks, bound - std::min(bound, op.places));
    return tasks;
}

/// The same for all that wait, up to `most`.
std::size_t engine::wanted_by_all(std::size_t most) const
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
time_point engine::waiting_since() const
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

// Workers are started when tasks have waited for longer than a start takes, at most as many as there is work; at once where there is nobody.
void engine::grow_if_tasks_wait()
{
    if (!elastic_)
        return;
    grow_at_ = time_point::max();
    if (!roster_.may_grow() || broken_ || (unbegun_.empty() && served_.empty()))
        return;
    const time_point now = now_();
    if (roster_.wanted() == 0) {
        roster_.grow(1, now);
        looked_at_work_ = now;
    }
    if (ledger_.free() != 0)
        return; // what does not go to an idle worker is not wanted by its reader yet
    // Looks cost time, and what was started shall have its effect first.
    if (const time_point next = saturating_add(looked_at_work_, roster_.start_time()); next > now) {
        grow_at_ = next;
        return;
    }
    looked_at_work_ = now;
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
    const std::size_t wanted = wanted_by_all(roster_.nodes() - roster_.wanted() + coming);
    roster_.grow(wanted - std::min(wanted, coming), now);
    grow_at_ = saturating_add(now, roster_.start_time());
}

void engine::note_idle(ready_worker& worker)
{
    if (!elastic_ || worker.guest)
        return;
    worker.idle_since = now_();
    shrink_at_ = std::min(shrink_at_, saturating_add(worker.idle_since, roster_.idle_limit()));
}

// The last that came goes first: those that stay are warm.
void engine::shrink_if_idle(time_point now)
{
    if (shrink_at_ > now)
        return;
    shrink_at_ = time_point::max();
    std::vector<ready_worker*> idle;
    for (const auto& w : workers_)
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
            send_away(*w, true);
    }
    if (roster_.may_shrink())
        shrink_at_ = std::min(shrink_at_, saturating_add(now, std::max(roster_.idle_limit(), shortest_look)));
}

void engine::resize(std::size_t nodes)
{
    settings_.nodes = nodes;
    for (const worker_id id : roster_.resize(nodes, now_()))
        if (ready_worker* const worker = find(id))
            send_away(*worker, true);
    elastic_ = can_.launches && roster_.kept() < nodes;
    grow_at_ = time_point::max();
    unbegun_.clear();
    served_.clear();
    for (operation_state& op : outstanding_)
        if (!op.outside())
            note_work(op);
    for (const auto& w : workers_)
        if (w->held.empty())
            note_idle(*w);
}

} // namespace twat::mp::detail
