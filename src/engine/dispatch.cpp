// SPDX-License-Identifier: BSL-1.0
// The engine's part that hands out work: whose turn it is, how much, and what is taken back for it.
#include "engine/engine.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "time/saturating.hpp"

namespace twat::mp::detail {
namespace {

// A worker holds `chunks_ahead` so that it never waits for a round trip, and more while all of them together are shorter than this part
// of a chunk.
constexpr int in_flight_part = 4;
// Tasks in a worker that will be through in less than this part of a chunk are not worth taking back for an idle one.
constexpr int worth_stealing_part = 40;
constexpr duration look_again_after = std::chrono::milliseconds(1);
// A worker that has not begun its first task within this was stopped, or gets no time.
constexpr duration surely_begun = std::chrono::milliseconds(100);
// A new operation may wait so long behind those of its priority that had their turns before.
constexpr duration short_wait = std::chrono::milliseconds(5);

std::optional<duration> time_left(const given_chunk& held)
{
    return held.owner ? held.owner->sizes.estimate(held.outstanding()) : std::nullopt;
}

// The same for the chunk that its worker has come to: one that takes longer than expected will go on for as long as it is late.
duration time_left_of_first(const given_chunk& held, duration unknown, time_point now)
{
    const duration left = time_left(held).value_or(unknown);
    const auto whole = held.owner ? held.owner->sizes.estimate(held.keep) : std::nullopt;
    return std::max(left, now - held.since - whole.value_or(duration::zero()));
}

} // namespace

void engine::decide()
{
    // Completing an operation can make room, and handing out can complete one (its range ends or throws).
    admission_.begin_turn();
    if (ending_)
        end_some();
    do {
        carry_out();
        flush();
        hand_out();
        steal();
        hedge();
        grow_if_tasks_wait();
    } while (!touched_.empty() || let_in_those_that_wait() || roster_.has_actions());
    if (admission_.has_shed_enough() || (ending_ && !outstanding_.empty()))
        look_again_ = now_(); // the loop's other handlers first
}

// ---------------------------------------------------------------- whose turn

std::size_t engine::demand(const operation_state& op) { return op.unbounded ? no_position : op.op->demand(); }

bool engine::has_work(const operation_state& op) const
{
    return !op.stopping && !op.outside() && !op.unless_begun && !op.at_bound() &&
           (!op.requeued.empty() || (!op.exhausted && demand(op) != 0));
}

void engine::line_up(operation_state& op)
{
    if (!op.waiting && has_work(op)) {
        op.waiting = true;
        resting_ -= std::exchange(op.resting, false);
        queue_.push_back(op, op.place());
    }
}

void engine::line_up_first(operation_state& op)
{
    if (!op.waiting && has_work(op)) {
        op.waiting = true;
        resting_ -= std::exchange(op.resting, false);
        queue_.push_front(op, op.place());
    }
}

void engine::leave_queue(operation_state& op) noexcept
{
    if (std::exchange(op.waiting, false))
        queue_.remove(op, op.place());
}

std::size_t engine::allowance(const ready_worker& worker) const noexcept
{
    if (settings_.max_tasks_per_child == 0 || worker.guest)
        return no_position;
    return settings_.max_tasks_per_child - std::min(settings_.max_tasks_per_child, worker.given);
}

bool engine::can_take(const ready_worker& worker) const
{
    if (worker.dying || worker.retiring || allowance(worker) == 0)
        return false;
    if (worker.held.empty())
        return true;
    if (worker.guest || worker.drains_for || worker.dirty())
        return false;
    if (worker.runs_coroutines())
        return worker.held.size() < settings_.child_concurrency;
    if (worker.held.size() >= can_.chunks_per_worker)
        return false;
    // One that was taken back whole is nothing to wait for.
    const auto chunks_ahead = static_cast<std::ptrdiff_t>(can_.chunks_ahead);
    if (std::count_if(worker.held.begin(), worker.held.end(),
                      [](const given_chunk& h) { return h.outstanding() != 0; }) < chunks_ahead)
        return true;
    duration sum{};
    for (const given_chunk& h : worker.held) {
        const auto left = time_left(h);
        if (!left)
            return false;
        sum += *left;
    }
    return sum < can_.chunk_aim / in_flight_part;
}

/// Something has happened to the worker that may let it take a chunk.
void engine::consider(ready_worker& worker) noexcept
{
    if (!worker.list_hook<considered_tag>::is_linked())
        considered_.push_back(worker);
}

void engine::place(ready_worker& worker)
{
    worker.list_hook<considered_tag>::unlink();
    if (!can_take(worker))
        return takers_.remove(worker);
    const takers::kind kind = worker.guest               ? takers::guest
                              : worker.held.empty()      ? takers::idle
                              : worker.runs_coroutines() ? takers::coroutines
                                                         : takers::plain;
    takers_.put(worker, kind, worker.held.size());
}

void engine::place_considered()
{
    while (!considered_.empty())
        place(considered_.front());
}

void engine::hand_out()
{
    if (ending_)
        return;
    if (guests_ != 0)
        hand_out_to_guests();
    if (queue_.empty())
        return;
    place_considered();
    // The worker with the fewest chunks first: nobody gets a second one while another is idle. What there is nothing of for one, there is
    // for no other that holds the same kind of task.
    std::array<bool, takers::kinds> none_left{};
    none_left[takers::guest] = true;
    while (!queue_.empty() && !admission_.has_shed_enough()) {
        taker* first = nullptr;
        takers::kind kind = takers::idle;
        for (const takers::kind k : {takers::idle, takers::plain, takers::coroutines})
            if (taker* const t = none_left[k] ? nullptr : takers_.first(k); t && (!first || *t < *first)) {
                first = t;
                kind = k;
            }
        if (!first)
            return;
        ready_worker& next = static_cast<ready_worker&>(*first);
        const bool given = can_take(next) && give_one(next);
        place(next); // where it belongs now, if anywhere
        none_left[kind] = !given && takers_.first(kind) == first;
    }
}

// They may run tasks of a tenant that gets no turn: what their threads wait for.
void engine::hand_out_to_guests()
{
    place_considered();
    for (taker* next = takers_.first(takers::guest); next;) {
        ready_worker& guest = static_cast<ready_worker&>(*next);
        next = takers_.after(takers::guest, guest);
        if (can_take(guest))
            give_one(guest);
        place(guest);
    }
}

bool engine::give_one(ready_worker& worker)
{
    if (worker.guest)
        return worker.only && give_from(*worker.only, worker);
    if (worker.held.empty() && worker.drains_for) {
        operation_state& op = *worker.drains_for;
        stop_draining(op);
        if (has_work(op) && !op.tenant->at_bound() && give_from(op, worker))
            return true;
    }
    for (const priority prio : {priority::high, priority::normal, priority::low}) {
        if (give_one(worker, prio))
            return true;
        if (worker.drains_for || admission_.has_shed_enough())
            return false;
    }
    return false;
}

bool engine::give_one(ready_worker& worker, priority prio)
{
    std::vector<operation_state*> aside; // had a look at; none, as a rule, and then no allocation
    bool given = false;
    while (operation_state* const next = queue_.front(prio)) {
        operation_state& op = *next;
        if (sheds(op)) {
            if (admission_.has_shed_enough())
                break;
            continue;
        }
        leave_queue(op);
        if (has_work(op) && !worker.held.empty() && worker.runs_coroutines() != op.traits().coroutine) {
            aside.push_back(&op); // its kind of task cannot run beside what the worker holds
            if (op.drains)
                continue;
            op.drains = &worker;
            worker.drains_for = &op;
            break;
        }
        given = has_work(op) && give_from(op, worker);
        if (given) {
            line_up(op); // behind the others of its tenant
            if (!op.waiting && op.traits().stream)
                touch(op); // perhaps it rests now
            break;
        }
        aside.push_back(&op);
    }
    for (operation_state* const op : aside) {
        line_up(*op);
        if (!op->waiting && op->traits().stream)
            touch(*op);
    }
    return given;
}

void engine::stop_draining(operation_state& op) noexcept
{
    if (ready_worker* const worker = std::exchange(op.drains, nullptr)) {
        worker->drains_for = nullptr;
        consider(*worker);
    }
}

// ---------------------------------------------------------------- chunks

bool engine::give_from(operation_state& op, ready_worker& worker)
{
    std::shared_ptr<chunk> work = make_chunk(op, worker);
    if (!work)
        return false;
    submit(worker, op, std::move(work));
    return true;
}

std::shared_ptr<chunk> engine::make_chunk(operation_state& op, const ready_worker& worker)
{
    if (op.stopping || op.unless_begun || op.at_bound())
        return nullptr;
    if (op.requeued.empty())
        return op.exhausted ? nullptr
                            : pull_chunk(op, allowance(worker), can_.encodes ? backend_.memory(worker.id) : nullptr);

    const std::size_t size = std::min(allowance(worker), next_size(op, op.requeued_tasks));
    std::shared_ptr<chunk> work = take_requeued(op);
    if (work->tasks->size() > size) {
        requeue(op, work->first + size, work->tasks->split(size), work->attempt, work->unexplained, work->failures);
    }
    return work;
}

std::size_t engine::next_size(operation_state& op, std::optional<std::size_t> remaining) noexcept
{
    const std::size_t bound = op.traits().coroutine ? 0 : op.traits().options.max_concurrency;
    op.sizes.share_among(bound != 0 ? std::min(bound, settings_.nodes) : settings_.nodes);
    return op.sizes.next(remaining);
}

/// @param memory Where large arguments may lie; null: on the heap.
std::shared_ptr<chunk> engine::pull_chunk(operation_state& op, std::size_t most, std::shared_ptr<buffer_memory> memory)
{
    const operation_traits& traits = op.traits();
    std::unique_ptr<payload> tasks;
    try {
        if (!op.prepared) {
            op.prepared = true;
            if (can_.encodes)
                op.function = std::make_shared<const byte_buffer>(op.op->encode_function(can_.by_name));
        }
        tasks = op.op->make_payload();
        if (memory)
            tasks->set_memory(std::move(memory));
    }
    catch (...) {
        op.final_error = std::current_exception();
        op.exhausted = op.stopping = true;
        touch(op);
        return nullptr;
    }

    std::optional<std::size_t> remaining;
    if (traits.total)
        remaining = *traits.total - std::min<std::size_t>(*traits.total, op.next_index);
    const std::size_t size = traits.coroutine ? 1 : next_size(op, remaining);
    if (traits.stream && traits.options.window == 0)
        op.op->set_chunk_size(settings_.nodes, size);
    std::size_t wanted = std::min({size, most, demand(op)});

    std::uint64_t first = op.next_index;
    while (tasks->size() < wanted && !op.exhausted) {
        // The first task tells how many of its kind fit.
        std::size_t step = 1;
        if (const std::size_t n = tasks->size(); n != 0) {
            const std::size_t bytes = tasks->size_in_bytes();
            if (bytes >= can_.chunk_bytes)
                break;
            step = std::min(wanted - n,
                            bytes == 0 ? wanted : std::max<std::size_t>(1, (can_.chunk_bytes - bytes) * n / bytes));
        }
        const pull_result pulled = op.op->pull(*tasks, step, settings_.max_message_size);
        if (pulled.skipped != 0) {
            first = op.next_index += pulled.skipped;
            op.done += pulled.skipped;
            totals_.resumed += pulled.skipped;
            if (traits.stream)
                wanted -= std::min(wanted, pulled.skipped); // its reader has not so much room any more
            touch(op);
        }
        op.next_index += pulled.count;
        if (pulled.broken) {
            op.exhausted = true;
            op.final_error = pulled.broken;
            touch(op);
            if (!traits.stream)
                stop_handing_out(op);
        }
        if (pulled.refused) {
            fail_task(op, op.next_index++, pulled.refused); // and the chunk ends before the gap
            break;
        }
        if (pulled.ended) {
            op.exhausted = true;
            touch(op);
        }
        if ((pulled.count == 0 && pulled.skipped == 0) || pulled.gap)
            break;
    }
    if (tasks->size() == 0 || op.stopping)
        return nullptr;
    auto work = std::make_shared<chunk>();
    work->first = first;
    work->tasks = std::move(tasks);
    return work;
}

void engine::submit(ready_worker& worker, operation_state& op, std::shared_ptr<chunk> work)
{
    const operation_traits& traits = op.traits();
    work->id = ++last_chunk_;
    work->op = op.op;
    work->op_id = op.id;
    work->count = work->tasks->size();
    work->function = op.function;
    work->coroutine = traits.coroutine;
    work->timeout = traits.options.timeout;
    if (may_hedge(op)) {
        if (work->timeout == duration::zero())
            work->timeout = duration::max(); // then the worker tells when each task begins
        if (!work->copy)
            budget_.add_tasks(work->count);
    }
    work->deadline = op.deadline;
    work->seed = traits.options.seed;
    work->measured = measures(op);
    if (settings_.chaos && settings_.chaos->touches_tasks())
        work->chaos = settings_.chaos;
    work->reports = traits.counts_progress;

    op.held_tasks += work->count;
    ++op.held_chunks;
    worker.running += work->count;
    worker.given += work->count;
    if (elastic_)
        worker.idle_since = {};
    totals_.bytes_sent += work->tasks->size_in_bytes();
    given_chunk& given = worker.held.emplace_back(worker);
    given.keep = work->count;
    given.owner = &op;
    given.work = std::move(work);
    op.held.push_back(given);
    charge(given);
    ++held_of_[static_cast<std::size_t>(op.prio)];
    given.is_part = given.keep > 1 || op.held_chunks > 1;
    parts_of_[static_cast<std::size_t>(op.prio)] += given.is_part;
    if (worker.held.size() > 1 || given.keep > 1)
        may_steal_ = true;
    else if (op.next_index > 1)
        steal_at_ = std::min(steal_at_, saturating_add(now_(), surely_begun));
    consider(worker);
    if (traits.options.max_concurrency != 0) {
        given.in_place = true;
        ++op.places;
    }
    recount(worker);
    if (worker.held.size() == 1 || traits.coroutine)
        chunk_begins(worker.id, given);
    backend_.submit(worker.id, *given.work);
    if (worker.given >= worker.share)
        recycle(worker);
}

void engine::chunk_begins(worker_id worker, given_chunk& held)
{
    // It may have come to it long before the pool learns that it was done with the chunk before.
    const auto known = backend_.times(worker, held.work->id);
    held.since = known ? known->since : now_();
    held.begun = true;
    trace_chunk(trace_event::chunk_begun, worker, held, held.since);
    if (held.owner && !std::exchange(held.owner->begun, true)) {
        note_begin(*held.owner);
        admission_.leave(*held.owner);
        if (held.owner->tenant->counters)
            held.owner->tenant->counters->add_pending(-1);
        held.opens = held.owner->initiated;
    }
    // Also where nobody waits for it any more. (Threads that were asked to stop can be asked no more.)
    if (held.work->timeout != duration::zero() && !held.doomed && !(held.cancelled && !can_.can_kill))
        check_at(held, saturating_add(held.since, held.work->timeout));
    if (!held.work->copy)
        watch_for_hedge(held);
}

void engine::requeue(operation_state& op, std::uint64_t first, std::unique_ptr<payload> tasks, std::size_t attempt,
                     std::size_t unexplained, std::size_t failures)
{
    if (op.stopping) {
        totals_.cancelled += tasks->size();
        return;
    }
    auto work = std::make_shared<chunk>();
    work->first = first;
    work->tasks = std::move(tasks);
    work->attempt = attempt;
    work->failures = failures;
    op.requeued_tasks += work->tasks->size();
    work->unexplained = unexplained;
    op.requeued.push_front(std::move(work));
    if (op.traits().total == 1u)
        line_up_first(op); // it has had its turn, and asks for no more
    else
        line_up(op);
}

std::shared_ptr<chunk> engine::take_requeued(operation_state& op)
{
    std::shared_ptr<chunk> work = std::move(op.requeued.front());
    op.requeued.pop_front();
    op.requeued_tasks -= work->tasks->size();
    return work;
}

void engine::drop_requeued(operation_state& op) noexcept
{
    totals_.cancelled += std::exchange(op.requeued_tasks, 0);
    op.requeued.clear();
}

// ---------------------------------------------------------------- taking back

// Takes back what the worker has not begun of a chunk. Returns how many tasks that were: none as long as it is `recalling`.
std::size_t engine::take_back(ready_worker& worker, given_chunk& held, bool again)
{
    if (held.outstanding() == 0 || held.all_begun || worker.dying)
        return 0;
    held.all_begun = true;
    const auto kept = backend_.recall(worker.id, held.work->id);
    held.recalling = !kept;
    return kept ? took_back(worker, held, *kept, again) : 0;
}

std::size_t engine::took_back(ready_worker& worker, given_chunk& held, std::size_t kept, bool again)
{
    const std::size_t keep = std::clamp(kept, held.settled, held.keep);
    const std::size_t taken = held.keep - keep;
    if (taken == 0)
        return 0;
    std::unique_ptr<payload> tasks = held.work->tasks->split(keep);
    held.keep = keep;
    refund(held, taken);
    if (held.outstanding() == 0) {
        leave_place(held);
        no_longer_runs(held);
    }
    worker.running -= taken;
    recount(worker);
    consider(worker);
    worker.given -= std::min(worker.given, taken);
    if (!held.owner) {
        totals_.cancelled += taken;
        return taken;
    }
    operation_state& op = *held.owner;
    op.held_tasks -= taken;
    if (again)
        requeue(op, held.work->first + keep, std::move(tasks), held.work->attempt, held.work->unexplained,
                held.work->failures);
    else
        totals_.cancelled += taken;
    touch(op);
    return taken;
}

// An operation of higher priority does not wait behind chunks of lower priority that no worker has begun.
void engine::make_room(operation_state& op)
{
    const priority prio = op.traits().options.prio;
    if (operations_.size() == 1)
        return; // there is no other
    if (op.tenant->at_bound())
        return; // it gets no turn now
    if (ledger_.free() != 0)
        return; // nothing has to be taken back
    std::size_t lower = 0;
    for (std::size_t p = 0; p < static_cast<std::size_t>(prio); ++p)
        lower += held_of_[p];
    if (lower == 0)
        return make_room_beside_equals(op);
    ready_worker* from = nullptr;
    priority lowest = prio;
    for (auto& w : workers_) {
        if (w->guest || w->dying || w->retiring)
            continue;
        if (w->runs_coroutines() || w->dirty())
            continue;
        for (const given_chunk& h : w->held)
            if (h.owner && h.owner->traits().options.prio < lowest) {
                lowest = h.owner->traits().options.prio;
                from = w.get();
            }
    }
    if (from)
        for (auto h = from->held.rbegin(); h != from->held.rend(); ++h)
            if (h->owner && h->owner->traits().options.prio < prio)
                take_back(*from, *h, true);
    if (!from)
        make_room_beside_equals(op);
}

// Operations of one priority take turns, but what workers hold already would go before a new one's first turn. So where that would take
// long, one operation that holds much steps back: once, until one of its tasks has an outcome.
void engine::make_room_beside_equals(operation_state& op)
{
    if (parts_of_[static_cast<std::size_t>(op.prio)] == 0)
        return;
    constexpr duration unknown = std::chrono::seconds(1);
    const time_point now = now_();
    const auto steps_back = [&](const ready_worker& w, const given_chunk& h) {
        const bool has_more = h.outstanding() > 1 || (h.owner && h.owner->held_chunks > 1 && &h != &w.held.front());
        return has_more && !h.all_begun && h.owner && h.owner != &op && !h.owner->yielded &&
               h.owner->traits().options.prio == op.traits().options.prio;
    };
    const auto could_take_it = [](const ready_worker& w) {
        return !w.guest && !w.dying && !w.retiring && !w.runs_coroutines() && !w.dirty();
    };
    const auto has_some_that_step_back = [&](const ready_worker& w) {
        return std::any_of(w.held.begin(), w.held.end(), [&](const given_chunk& h) { return steps_back(w, h); });
    };
    // Mostly there is none, and how long the wait is need not be known.
    if (std::none_of(workers_.begin(), workers_.end(),
                     [&](const auto& w) { return could_take_it(*w) && has_some_that_step_back(*w); }))
        return;
    ready_worker* from = nullptr;
    duration least = duration::max();
    for (auto& w : workers_) {
        if (!could_take_it(*w))
            continue;
        duration before = duration::zero();
        for (const given_chunk& h : w->held)
            before = saturating_add(before, &h == &w->held.front() ? time_left_of_first(h, unknown, now)
                                                                   : time_left(h).value_or(unknown));
        if (before >= least)
            continue;
        least = before;
        from = has_some_that_step_back(*w) ? w.get() : nullptr;
    }
    if (!from || least < short_wait)
        return;
    std::vector<operation_state*> stepped_back;
    for (auto h = from->held.rbegin(); h != from->held.rend(); ++h)
        if (steps_back(*from, *h) && (take_back(*from, *h, true) != 0 || h->recalling))
            stepped_back.push_back(h->owner);
    for (operation_state* other : stepped_back)
        other->yielded = true;
    if (stepped_back.empty() || !op.waiting)
        return;
    queue_.remove(op, op.place());
    queue_.push_front(op, op.place());
}

// An operation that was alone may have handed out much whose duration is not known yet. Now another one wants its turns.
void engine::take_back_unknown()
{
    operation_state* const op = std::exchange(alone_, nullptr);
    if (!op || !op->sizes.hold_back())
        return;
    std::vector<given_chunk*> large;
    for (given_chunk& h : op->held)
        if (h.outstanding() > 1)
            large.push_back(&h);
    for (auto h = large.rbegin(); h != large.rend(); ++h)
        take_back(*(*h)->holder, **h, true);
}

// Nothing waits and a worker is idle: it gets what another one holds and has not begun. A guest gets only tasks of its own operation;
// without them it would wait for chunks that stand behind tasks which wait as it does.
void engine::steal()
{
    look_again_ = time_point::max();
    if (ledger_.running() == 0 || ending_)
        return;
    place_considered();
    // A guest has its own operation: what is there for it is not known.
    for (taker* next = takers_.first(takers::guest); next;) {
        ready_worker& guest = static_cast<ready_worker&>(*next);
        next = takers_.after(takers::guest, guest);
        if (guest.only && can_take(guest))
            steal_for(guest);
    }
    if (!takers_.first(takers::idle))
        return;
    // All workers are looked at, so not again before there can be something.
    if (!std::exchange(may_steal_, false) && (steal_at_ == time_point::max() || steal_at_ > now_())) {
        look_again_ = std::min(look_again_, steal_at_);
        return;
    }
    steal_at_ = time_point::max();
    std::size_t awaited = awaited_;
    for (taker* next = takers_.first(takers::idle); next;) {
        ready_worker& worker = static_cast<ready_worker&>(*next);
        next = takers_.after(takers::idle, worker);
        if (!can_take(worker))
            continue;
        if (awaited != 0) { // what it gets is on its way
            --awaited;
            continue;
        }
        if (!steal_for(worker))
            break; // what is not there for one is not there for the next
        may_steal_ = true;
    }
    steal_at_ = std::min(steal_at_, look_again_);
}

bool engine::steal_for(ready_worker& idle)
{
    ready_worker* victim = nullptr;
    given_chunk* from = nullptr;
    duration most = duration::zero();
    const time_point now = now_();
    constexpr duration unknown = std::chrono::seconds(1);
    time_point look = time_point::max();
    for (auto& w : workers_) {
        // a coroutine task can block its worker and wait for a guest
        if (w->dying || (w->runs_coroutines() && !idle.guest))
            continue;
        duration before = duration::zero(); // until the worker comes to the chunk
        for (given_chunk& h : w->held) {
            const bool first = &h == &w->held.front();
            const duration left = first ? time_left_of_first(h, unknown, now) : time_left(h).value_or(unknown);
            const bool runs = first && !h.work->coroutine && now - h.since < surely_begun;
            const bool wanted = h.owner && (!idle.guest || h.owner == idle.only);
            // for a lone call a timer is too dear
            if (wanted && runs && h.outstanding() == 1 && !h.all_begun && h.owner->next_index > 1)
                look = std::min(look, h.since + surely_begun);
            // what is taken would have to wait for the task that runs
            const bool of_use =
                wanted && (!runs || !(h.owner->at_bound() || (h.owner->tenant->at_bound() && !idle.guest)));
            if (of_use && !h.owner->stopping && !h.cancelled && !h.all_begun && h.outstanding() > (runs ? 1u : 0u)) {
                const duration wait = before + left;
                if (wait > most) {
                    most = wait;
                    victim = w.get();
                    from = &h;
                }
            }
            before = saturating_add(before, left);
        }
    }
    if (!victim) {
        look_again_ = std::min(look_again_, look);
        return false;
    }
    if (most < can_.chunk_aim / worth_stealing_part) {
        look_again_ = now_() + look_again_after; // unless it takes longer than expected
        return false;
    }
    operation_state& op = *from->owner;
    const std::size_t taken = take_back(*victim, *from, true);
    if (from->recalling) {
        from->awaited.count(awaited_);
        return true;
    }
    if (taken == 0)
        return steal_for(idle); // its outcomes are on their way: another one may have some
    divide(op, taken);
    give_one(idle);
    hand_out();
    return true;
}

/// Of what was taken back for an idle worker, half for each: its owner will soon be idle too.
void engine::divide(operation_state& op, std::size_t taken)
{
    if (taken < 2)
        return;
    chunk& back = *op.requeued.front();
    const std::size_t half = (taken + 1) / 2;
    auto rest = back.tasks->split(half);
    auto second = std::make_shared<chunk>();
    second->first = back.first + half;
    second->tasks = std::move(rest);
    second->attempt = back.attempt;
    second->unexplained = back.unexplained;
    second->failures = back.failures;
    op.requeued.insert(std::next(op.requeued.begin()), std::move(second));
}

// What `take_back` was to find out.
void engine::recalled(worker_id worker, chunk_id id, std::size_t kept)
{
    ready_worker* const w = find(worker);
    given_chunk* const held = w ? find(*w, id) : nullptr;
    if (!held || !std::exchange(held->recalling, false))
        return;
    const bool for_idle = held->awaited.clear();
    const std::size_t taken = took_back(*w, *held, kept, true);
    may_steal_ = may_steal_ || (for_idle && taken == 0); // another one may have some
    if (operation_state* const op = held->owner) {
        if (for_idle && !op->stopping)
            divide(*op, taken);
        touch(*op);
    }
    if (held->outstanding() == 0 && held != &w->held.front()) { // nothing of it runs, so nothing of it is late
        checks_.clear(held->check);
        unwanted_checks_.clear(held->check);
        kills_.clear(held->kill);
    }
    leave_if_idle(*w);
}

// ---------------------------------------------------------------- guests

void engine::add_guest(worker_id id, operation& op)
{
    ready_worker& added = add_worker(id);
    added.guest = true;
    added.only = find(op);
    recount(added);
    ++guests_;
}

bool engine::remove_guest(worker_id id)
{
    ready_worker* const guest = find(id);
    if (!guest)
        return true;
    guest->only = nullptr;
    guest->retiring = true;
    recount(*guest);
    if (!guest->held.empty())
        return false;
    take_worker(*guest);
    return true;
}

} // namespace twat::mp::detail
