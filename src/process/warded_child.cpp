// SPDX-License-Identifier: BSL-1.0
#include "process/warded_child.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <cerrno>
#include <csignal>
#include <exception>

#include "os/oom_watch.hpp"
#include "os/pidfd.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail {
namespace {

using boost::system::error_code;

/// Between two looks at a child whose pidfd claims what waitid denies.
constexpr auto recheck_pause = std::chrono::milliseconds(20);

/// By how much two readings of one process's peak may differ: each processor counts some pages for itself (percpu_counter in Linux 6.2 and
/// later).
constexpr std::size_t peak_rss_error = std::size_t(4) << 20;

oom_watch& get_oom_watch()
{
    static oom_watch& watch = *new oom_watch; // Never destroyed, as the warden's threads are not.
    return watch;
}

} // namespace

std::string warded_child::failed_at() const
{
    if (is_foreign())
        return {};
    std::lock_guard lock(mutex_);
    return failed_at_;
}

std::string warded_child::error_tail() const
{
    if (is_foreign())
        return {};
    std::shared_ptr<const child_output> output;
    {
        std::lock_guard lock(mutex_);
        output = output_;
    }
    return output ? output->text() : std::string();
}

bool warded_child::signal(int number) noexcept
{
    if (is_foreign())
        return false;
    std::lock_guard lock(mutex_);
    return phase_ == phase::running && signal_child(pidfd_.get(), number);
}

int warded_child::stop_signal() const noexcept
{
    if (is_foreign())
        return 0;
    std::lock_guard lock(mutex_);
    return phase_ == phase::running ? stop_signal_of_child(pidfd_.get()) : 0;
}

void warded_child::resume() noexcept
{
    if (is_foreign())
        return;
    std::lock_guard lock(mutex_);
    if (phase_ == phase::running)
        signal_group(SIGCONT);
}

void warded_child::end(duration before_sigterm, duration before_sigkill, duration before_abandon,
                       std::function<void()> on_abandoned)
{
    if (is_foreign() || withdraw())
        return;
    {
        std::lock_guard lock(mutex_);
        if (phase_ == phase::gone)
            return;
        on_abandoned_.swap(on_abandoned);
    }
    asio::post(context_,
               [self = shared_from_this(), steps = std::array{before_sigterm, before_sigkill, before_abandon}] {
                   self->steps_ = steps;
                   self->escalate(0, ++self->escalation_);
               });
}

void warded_child::kill() noexcept
{
    if (is_foreign() || withdraw())
        return;
    std::lock_guard lock(mutex_);
    kill_requested_ = true;
    if (phase_ == phase::running) {
        signal_child(pidfd_.get(), SIGKILL);
        kill_group();
    }
}

void warded_child::forget() noexcept
{
    if (is_foreign())
        return;
    std::function<void(error_code)> on_launched;
    std::function<void(exit_status)> on_exit;
    std::function<void()> on_abandoned;
    std::lock_guard lock(mutex_); // Released before the functions are destroyed, which may call us.
    on_launched.swap(on_launched_);
    on_exit.swap(on_exit_);
    on_abandoned.swap(on_abandoned_);
}

void warded_child::launch_now() noexcept
{
    error_code ec;
    launch_request request;
    {
        std::lock_guard lock(mutex_);
        request = std::move(request_);
        if (phase_ == phase::queued)
            phase_ = phase::launching;
        else
            ec = asio::error::operation_aborted;
    }
    if (!ec) {
        get_oom_watch().child_starts();
        try_launch(request, ec);
        parent_peak_rss_ = own_peak_rss();
    }
    request = {}; // Closes the child's ends here, before anybody is told that the child has them.
    if (ec) {
        std::lock_guard lock(mutex_);
        phase_ = phase::gone;
    }
    asio::post(context_, [self = shared_from_this(), ec] {
        self->report_launch(ec);
        if (ec)
            return;
        self->watch();
        if (self->output_)
            self->output_->watch();
    });
}

void warded_child::try_launch(launch_request& request, error_code& ec) noexcept
{
    launched result;
    try {
        result = launch(request, ec);
        {
            std::lock_guard lock(mutex_);
            failed_at_ = std::move(result.failed_at);
        }
        if (!ec)
            adopt(result, request.captured, ec);
    }
    catch (const boost::system::system_error& e) {
        ec = e.code();
    }
    catch (const std::exception&) {
        ec = asio::error::no_memory;
    }
    if (!ec || !result.pidfd)
        return;
    // Nobody could tell when it ends, so it ends here.
    signal_child(result.pidfd.get(), SIGKILL);
    reap_child(result.pidfd.get());
}

bool warded_child::withdraw() noexcept
{
    launch_request request; // Closed at once: the launching thread may not get so far for a long time.
    {
        std::lock_guard lock(mutex_);
        if (phase_ != phase::queued)
            return false;
        phase_ = phase::gone;
        request = std::move(request_);
    }
    request = {};
    try {
        asio::post(context_, [self = shared_from_this()] { self->report_launch(asio::error::operation_aborted); });
    }
    catch (...) { // No memory: then the launching thread tells it, in its turn.
    }
    return true;
}

void warded_child::adopt(launched& result, unique_descriptor& captured, error_code& ec)
{
    std::shared_ptr<child_output> output;
    if (captured) {
        output = std::make_shared<child_output>(context_);
        output->assign(captured, ec);
        if (ec)
            return;
    }
    exit_.emplace(context_, result.pid, result.pidfd.get());
    watch_.emplace(context_);
    watch_->assign(result.pidfd.get(), ec);
    if (ec)
        return;
    std::lock_guard lock(mutex_);
    output_ = std::move(output);
    pid_ = result.pid;
    pidfd_ = std::move(result.pidfd);
    phase_ = phase::running;
    if (kill_requested_)
        signal_child(pidfd_.get(), SIGKILL);
    else if (signalled_) // asked to end while it was launched
        signal_child(pidfd_.get(), SIGTERM);
}

void warded_child::report_launch(error_code ec)
{
    std::function<void(error_code)> report;
    std::function<void(exit_status)> never;
    std::function<void()> never_either;
    {
        std::lock_guard lock(mutex_);
        report.swap(on_launched_);
        if (ec) {
            never.swap(on_exit_);
            never_either.swap(on_abandoned_);
        }
    }
    if (report)
        report(ec);
}

void warded_child::watch()
{
    watch_->async_wait(pidfd_watch::wait_read, [self = shared_from_this()](error_code) { self->look(); });
}

void warded_child::look()
{
    auto how = child_state::alive;
    {
        std::lock_guard lock(mutex_);
        how = state_of_child(pidfd_.get());
        if (how == child_state::over) {
            // Counted from the launch, when the child still had its parent's memory; so it says nothing about a small child.
            peak_rss_ = peak_rss_of_child(pidfd_.get());
            if (peak_rss_ <= parent_peak_rss_ + peak_rss_error)
                peak_rss_ = 0;
        }
        if (how != child_state::alive) {
            // What a child that had to be killed has left behind; its group's number is still its own.
            if (signalled_)
                kill_group();
            phase_ = phase::gone;
        }
    }
    if (how == child_state::over)
        return exit_->async_reap([self = shared_from_this()](child_exit::status native) { self->finish(native); });
    if (how == child_state::reaped)
        return finish(std::nullopt);
    recheck_.expires_after(recheck_pause);
    recheck_.async_wait([self = shared_from_this()](error_code) { self->watch(); });
}

void warded_child::finish(child_exit::status native)
{
    exit_status status;
    if (native) {
        status = {true, exit_signal_of(*native), exit_code_of(*native)};
        status.peak_rss = peak_rss_;
        status.out_of_memory = status.signal == SIGKILL && !was_signalled() ? get_oom_watch().child_was_killed()
                                                                            : memory_verdict::unlikely;
    }
    if (output_)
        output_->drain();
    exit_.reset();
    watch_->release();
    watch_.reset();
    ++escalation_;
    deadline_.cancel();

    std::function<void(exit_status)> report;
    std::function<void()> never;
    {
        std::lock_guard lock(mutex_);
        pidfd_.reset();
        report.swap(on_exit_);
        never.swap(on_abandoned_);
    }
    if (report)
        report(status);
}

void warded_child::escalate(std::size_t step, std::uint64_t escalation)
{
    if (is_gone())
        return;
    if (steps_[step] == duration::max())
        return; // As long as it takes.
    deadline_.expires_at(saturating_add(std::chrono::steady_clock::now(), steps_[step]));
    deadline_.async_wait([self = shared_from_this(), step, escalation](error_code) {
        if (escalation != self->escalation_ || self->is_gone())
            return;
        if (step == 2)
            return self->abandon();
        if (step == 0)
            self->terminate();
        else
            self->kill();
        self->escalate(step + 1, escalation);
    });
}

void warded_child::terminate() noexcept
{
    std::lock_guard lock(mutex_);
    signalled_ = true;
    if (phase_ == phase::running)
        signal_child(pidfd_.get(), SIGTERM);
}

void warded_child::abandon()
{
    std::function<void()> report;
    {
        std::lock_guard lock(mutex_);
        report.swap(on_abandoned_);
    }
    if (report)
        report();
}

void warded_child::kill_group() noexcept
{
    signalled_ = true;
    signal_group(SIGKILL);
}

void warded_child::signal_group(int number) noexcept
{
    if (signal_group_of_child(pidfd_.get(), number) || errno != EINVAL)
        return;
    // Older kernels know the group by its number only, which is the child's as long as the child is not reaped.
    if (state_of_child(pidfd_.get()) != child_state::reaped)
        ::kill(-pid_, number);
}

bool warded_child::was_signalled() const
{
    std::lock_guard lock(mutex_);
    return signalled_ || kill_requested_;
}

bool warded_child::is_gone() const
{
    std::lock_guard lock(mutex_);
    return phase_ == phase::gone;
}

} // namespace twat::mp::detail
