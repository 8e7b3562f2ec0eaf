// SPDX-License-Identifier: BSL-1.0
// The part of a worker process that does what the engine asks, and what is due.
#include <twat/mp/error.hpp>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <string>

#include "process/task_list.hpp"
#include "process/worker_process.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail {

void worker_process::submit(const chunk& work)
{
    const bool was_busy = is_busy();
    const process_chunk& held = parts_->held.add(work);
    if (!session_.is_ready() || !session_.is_reachable())
        return; // it is on its way out, and these tasks will not have begun
    const time_point now = clock::now();
    silence_.given(now, !was_busy, held.timed);
    parts_->sender.queue(work, held, now);
    flush_unless_in_batch();
    if (!was_busy)
        update_waits();
}

void worker_process::flush_unless_in_batch()
{
    if (!owner_->in_batch())
        flush();
}

std::size_t worker_process::recall(chunk_id id)
{
    if (const auto kept = parts_->held.recall(id))
        return *kept;
    const std::size_t kept = parts_->held.find(id)->kept;
    sent_malformed("it claimed tasks that it does not have");
    return kept;
}

void worker_process::cancel(chunk_id id)
{
    const process_chunk* held = parts_->held.find(id);
    if (!held || !session_.is_ready())
        return;
    if (held->work->coroutine) {
        parts_->link.channel().queue({frame_type::cancel, 0, id, 0});
        return flush_unless_in_batch();
    }
    parts_->held.request_stop(id);
    ring_doorbell();
}

void worker_process::ring_doorbell() noexcept { signal_event(parts_->doorbell.get()); }

std::optional<backend::running_task> worker_process::running(chunk_id id) const
{
    return parts_->held.running(id, clock::now());
}

void worker_process::take_reports(const std::function<void(task_report&&)>& f)
{
    if (parts_)
        parts_->reports.take(parts_->page.reports(), f);
}

std::optional<backend::chunk_times> worker_process::times(chunk_id id) const
{
    return parts_->held.times(id, clock::now());
}

void worker_process::abandon(chunk_id id)
{
    parts_->held.abandon(id);
    if (session_.is_ready()) {
        const worker_settings& settings = owner_->settings();
        if (parts_->held.abandoned() > settings.child_concurrency) {
            obituary_.killed_because("it was killed because too many of its coroutines ignored their cancellation",
                                     obituary::blame::nobody);
            resume(worker_input::unfit);
            return;
        }
        const std::uint64_t ping = session_.ping(saturating_add(clock::now(), settings.cancel_grace));
        parts_->link.channel().queue({frame_type::cancel, frame_flag_abandon, id, 0});
        parts_->link.channel().queue({frame_type::ping, 0, ping, 0});
        flush_unless_in_batch();
    }
    update_waits();
}

stacktrace worker_process::ask_for_stack(chunk_id id)
{
    if (!parts_ || !child_ || !session_.is_ready() ||
        std::ranges::none_of(parts_->held.begun(),
                             [id](const worker_loss::begun_task& begun) { return begun.id == id; }))
        return {};
    return parts_->stacks->ask(*child_, describe_tasks(parts_->held, clock::now()), "stuck at");
}

void worker_process::ask_for_stack()
{
    if (parts_ && child_ && session_.is_ready() && !parts_->held.empty())
        parts_->stacks->ask(*child_, describe_tasks(parts_->held, clock::now()), "stuck at");
}

parcel worker_process::parcel_of(chunk_id id, std::size_t position) const
{
    const process_chunk* const held = parts_ ? parts_->held.find(id) : nullptr;
    return held ? owner_->settings().parcels->make(*held->work, position, node(),
                                                   identity_.name() + ": the task ran longer than its timeout")
                : parcel();
}

std::optional<dumped_worker> worker_process::dump()
{
    if (!parts_ || !child_ || !session_.is_ready())
        return std::nullopt;
    dumped_worker dumped{.index = node(), .pid = pid(), .thread = pid()};
    dumped.tasks = list_tasks(parts_->held, clock::now());
    if (dumped.tasks.empty())
        return std::nullopt;
    dumped.stack = parts_->stacks->ask(*child_, {}, "at");
    return dumped;
}

// ---------------------------------------------------------------- time

time_point worker_process::next_due() const noexcept
{
    if (!owner_ || !session_.is_reachable() || !session_.is_ready())
        return time_point::max();
    const held_chunks& held = parts_->held;
    return std::min(
        {session_.ping_due(), silence_.look_due(held.wanted(), held.outstanding()), silence_.stop_due(held.wanted())});
}

void worker_process::on_time(time_point now)
{
    if (!owner_ || next_due() > now)
        return;
    if (session_.ping_due() <= now)
        return check_ping(now);
    const held_chunks& held = parts_->held;
    if (silence_.look_due(held.wanted(), held.outstanding()) <= now)
        look_at_ring();
    if (owner_ && silence_.stop_due(held.wanted()) <= now)
        look_whether_stopped(now);
}

void worker_process::check_ping(time_point now)
{
    read(time_point::max()); // it may have answered while nobody read
    if (!owner_ || session_.ping_due() > now)
        return;
    obituary_.killed_because("it was killed because a cancelled coroutine kept its event loop from running");
    ask_for_stack();
    session_.forget_ping();
    resume(worker_input::unfit);
}

void worker_process::look_at_ring()
{
    silence_.look();
    try {
        bool found = false;
        if (!parts_->link.look(owner_->turn_until(), found))
            read_later();
        silence_.looked(found);
    }
    catch (const error& e) {
        sent_malformed(e.what());
    }
}

void worker_process::look_whether_stopped(time_point now)
{
    const int signal = child_->stop_signal();
    std::atomic<std::uint64_t>& paused = parts_->page.paused();
    switch (silence_.judge_stop(now, signal, paused.load(std::memory_order_acquire) != 0)) {
    case stop_judge::verdict::leave:
        ring_doorbell(); // From now on it looks whether this program is stopped, until it has nothing to do.
        break;
    case stop_judge::verdict::resume:
        paused.store(0, std::memory_order_release);
        child_->resume();
        break;
    case stop_judge::verdict::kill:
        obituary_.killed_because(
            std::string("it was killed because it had been stopped by signal ") + std::to_string(signal) + " (" +
            ::strsignal(signal) +
            (signal == SIGTTIN || signal == SIGTTOU ? "): a worker cannot use the terminal" : ")"));
        resume(worker_input::unfit);
        break;
    }
}

} // namespace twat::mp::detail
