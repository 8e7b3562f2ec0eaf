// SPDX-License-Identifier: BSL-1.0
// How a pool ends: closed, joined, drained, terminated, or let go of by its last user.
#include "pool/pool.hpp"

#include <algorithm>
#include <utility>

#include <twat/mp/detail/exception/aborted.hpp>
#include <twat/mp/detail/exception/make_error.hpp>

#include "time/saturating.hpp"

namespace twat::mp::detail {

void pool::close()
{
    check_process();
    enter([](pool& p) {
        p.closed_ = true;
        p.engine_->close([] { return make_error(errc::pool_closed); });
    });
}

void pool::join(start_handler handler)
{
    check_process();
    enter([handler = std::move(handler)](pool& p) mutable {
        p.closed_ = true;
        p.engine_->close([] { return make_error(errc::pool_closed); });
        p.engine_->unbind_streams();
        p.join_waiters_.push_back(std::move(handler));
    });
}

void pool::drain(duration limit, drain_handler handler)
{
    check_process();
    enter([handler = std::move(handler), limit = std::max(limit, duration::zero()),
           called = clock::now()](pool& p) mutable {
        p.closed_ = true;
        p.engine_->close([] { return make_error(errc::pool_closed); });
        p.engine_->unbind_streams();
        const pool_stats stats = p.engine_->stats();
        p.drain_waiters_.push_back({std::move(handler), called, p.engine_->ended(), stats.done + stats.failed});
        p.drained_by_ = std::min(p.drained_by_, saturating_add(called, limit));
    });
}

void pool::terminate()
{
    check_process();
    enter([](pool& p) { p.end_operations(); });
}

void pool::end_operations()
{
    if (std::exchange(terminated_, true))
        return;
    closed_ = true;
    const auto error = [] { return make_error(errc::pool_terminated); };
    engine_->close(error);
    engine_->stop_all(error);
    if (can_.can_kill)
        kill_workers();
}

void pool::kill_workers()
{
    engine_->start_none();
    workers_->kill();
    engine_->forget_workers();
    stopping_ = stopped_ = true;
}

void pool::release() noexcept
{
    if (fork_guard_.forked()) {
        // The copy of a pool in a forked process has no threads and other people's children: nothing of it may run, not even
        // destructors.
        new std::shared_ptr<pool>(shared_from_this());
        return;
    }
    if (released_.exchange(true) || gone_)
        return;
    workers_->halt();
    const auto let_go = [](pool& p) {
        if (p.gone_)
            return;
        p.closed_ = true;
        p.engine_->close([] { return make_error(errc::pool_closed); });
        p.engine_->stop_all(make_aborted);
        p.kill_workers();
    };
    try {
        enter(let_go);
    }
    catch (...) {
        // No memory to say goodbye with: the context's end cleans up.
    }
}

void pool::settle_joins()
{
    if (join_waiters_.empty() && drain_waiters_.empty() && !(terminated_ && !stopping_))
        return;
    if (!stopping_ && engine_->idle_but_for_streams()) {
        engine_->end_streams([] { return make_error(errc::pool_closed); });
        engine_->decide();
        stopping_ = true;
        engine_->start_none();
        if (started_ && !health_.broken()) {
            workers_->stop([weak = weak_from_this()] {
                if (const auto self = weak.lock(); self && !self->gone_) {
                    self->stopped_ = true;
                    self->engine_->forget_workers();
                    self->settle();
                }
            });
        } else {
            workers_->kill();
            stopped_ = true;
        }
    }
    if (stopped_)
        complete(join_waiters_, released_ ? make_aborted : nullptr);
}

/// What has not ended when the time of a `drain` is up is ended, also if nobody waits for the `drain` any more.
void pool::settle_drains()
{
    if (!stopping_ && drained_by_ <= clock::now()) {
        drained_by_ = time_point::max();
        end_operations();
        engine_->decide();
        settle_joins();
        publish_stats();
    }
    if (stopping_)
        drained_by_ = time_point::max(); // from now on `stop_grace` bounds it
    if (!stopped_ || drain_waiters_.empty())
        return;
    const engine::endings ended = engine_->ended();
    const pool_stats stats = engine_->stats();
    for (drain_waiter& waiter : std::exchange(drain_waiters_, {})) {
        drain_report report;
        report.finished = ended.finished - waiter.ended.finished;
        report.terminated = ended.terminated - waiter.ended.terminated;
        report.in_time = report.terminated == 0;
        report.tasks = stats.done + stats.failed - waiter.tasks;
        report.took = clock::now() - waiter.called;
        std::move(waiter.handler)(released_ ? make_aborted() : nullptr, report); // which only posts
    }
}

} // namespace twat::mp::detail
