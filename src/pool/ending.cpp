// SPDX-License-Identifier: BSL-1.0
// How a pool ends: closed, joined, drained, terminated, or let go of by its last user.
#include "pool/pool.hpp"

#include <algorithm>
#include <utility>

#include <twat/mp/detail/exception/aborted.hpp>
#include <twat/mp/detail/exception/make_error.hpp>

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
        p.waiters_.add_join(std::move(handler));
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
        p.waiters_.add_drain(std::move(handler), called, limit, p.progress_so_far());
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
    if (!waiters_.any_for_the_end() && !(terminated_ && !stopping_))
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
        waiters_.complete_joins(released_ ? make_aborted : nullptr);
}

/// What has not ended when the time of a `drain` is up is ended, also if nobody waits for the `drain` any more.
void pool::settle_drains()
{
    if (!stopping_ && waiters_.drained_by() <= clock::now()) {
        waiters_.forget_limit();
        end_operations();
        engine_->decide();
        settle_joins();
        publish_stats();
    }
    if (stopping_)
        waiters_.forget_limit(); // from now on `stop_grace` bounds it
    if (stopped_ && waiters_.any_drain())
        waiters_.complete_drains(released_ ? make_aborted : nullptr, clock::now(), progress_so_far());
}

waiters::progress pool::progress_so_far() const
{
    const pool_stats& stats = engine_->stats();
    return {engine_->ended(), stats.done + stats.failed};
}

} // namespace twat::mp::detail
