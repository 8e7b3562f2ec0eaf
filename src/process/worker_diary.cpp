// SPDX-License-Identifier: BSL-1.0
#include "process/worker_diary.hpp"

#include <twat/mp/error.hpp>

#include <cstdio>
#include <string>
#include <utility>

#include "process/worker_owner.hpp"

namespace twat::mp::detail {
namespace {

pool_event event_of(decltype(pool_event::what) what)
{
    pool_event event{};
    event.what = what;
    return event;
}

} // namespace

void worker_diary::launched(const worker_identity& worker) const
{
    say(worker, "started");
    report(worker, event_of(pool_event::worker_started));
}

void worker_diary::ready(const worker_identity& worker) const { report(worker, event_of(pool_event::worker_ready)); }

void worker_diary::gone(const worker_identity& worker, const worker_end& end) const
{
    if (debug_) {
        std::string how;
        if (!end.status.known)
            how = ", its status is not known";
        else if (end.status.signal != 0)
            how = " by signal " + std::to_string(end.status.signal);
        else
            how = " with exit code " + std::to_string(end.status.code);
        if (end.given_up)
            how = ", or cannot be killed: it is given up";
        if (!end.loss.begun.empty())
            how += ", " + std::to_string(end.loss.begun.size()) + " tasks are lost with it";
        say(worker, "ended" + how);
    }
    pool_event event = event_of(pool_event::worker_lost);
    event.signal = end.status.signal;
    event.exit_code = end.status.code;
    if (end.given_up)
        event.what = pool_event::worker_abandoned;
    else if (end.how == worker_action::report_end)
        event.what = pool_event::worker_retired;
    else
        event.ec = make_error_code(end.how == worker_action::report_failed_start ? errc::worker_start_failed
                                                                                 : errc::worker_died);
    if (end.how != worker_action::report_end) {
        event.phase = end.phase;
        event.why = end.why;
    }
    event.stack = end.stack;
    report(worker, std::move(event));
}

void worker_diary::recalled(const worker_identity& worker, chunk_id chunk, std::size_t kept) const
{
    if (debug_)
        say(worker,
            "returned chunk " + std::to_string(chunk) + " except for " + std::to_string(kept) + " started tasks");
}

void worker_diary::cancelled(const worker_identity& worker, chunk_id chunk) const
{
    if (debug_)
        say(worker, "is asked to drop chunk " + std::to_string(chunk));
}

void worker_diary::report(const worker_identity& worker, pool_event event) const
{
    if (!on_event_)
        return;
    event.index = worker.node;
    event.pid = worker.pid;
    on_event_(event);
}

void worker_diary::say(const worker_identity& worker, const std::string& what) const
{
    if (debug_)
        std::fprintf(stderr, "twat-mp: %s %s\n", worker.name().c_str(), what.c_str());
}

} // namespace twat::mp::detail
