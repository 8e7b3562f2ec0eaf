// SPDX-License-Identifier: BSL-1.0
#include "process/warden.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <mutex>
#include <new>
#include <optional>
#include <utility>

#include <unistd.h>

#include "os/child_exit.hpp"
#include "os/helper_thread.hpp"
#include "os/launch_thread.hpp"
#include "os/oom_watch.hpp"
#include "os/output_tail.hpp"
#include "os/pidfd.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail {
namespace {

using boost::system::error_code;
using executor = asio::io_context::executor_type;
using timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, executor>;
using pidfd_watch = asio::posix::basic_stream_descriptor<executor>;

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

class warden_impl;

class warded_child final : public child, public std::enable_shared_from_this<warded_child>
{
public:
    warded_child(asio::io_context& context, launch_request request, std::function<void(error_code)> on_launched,
                 std::function<void(exit_status)> on_exit)
        : context_(context), deadline_(context), recheck_(context), request_(std::move(request)),
          on_launched_(std::move(on_launched)), on_exit_(std::move(on_exit))
    {}

    int pid() const noexcept override { return pid_; }

    std::string failed_at() const override
    {
        if (is_foreign())
            return {};
        std::lock_guard lock(mutex_);
        return failed_at_;
    }

    std::string error_tail() const override
    {
        if (is_foreign())
            return {};
        std::lock_guard lock(mutex_);
        return tail_.text();
    }

    bool signal(int number) noexcept override
    {
        if (is_foreign())
            return false;
        std::lock_guard lock(mutex_);
        return phase_ == phase::running && signal_child(pidfd_.get(), number);
    }

    int stop_signal() const noexcept override
    {
        if (is_foreign())
            return 0;
        std::lock_guard lock(mutex_);
        return phase_ == phase::running ? stop_signal_of_child(pidfd_.get()) : 0;
    }

    void resume() noexcept override
    {
        if (is_foreign())
            return;
        std::lock_guard lock(mutex_);
        if (phase_ == phase::running)
            signal_group(SIGCONT);
    }

    void end(duration before_sigterm, duration before_sigkill, duration before_abandon,
             std::function<void()> on_abandoned) override
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

    void kill() noexcept override
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

    void forget() noexcept override
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

    /// On the launching thread. Blocks as long as the launch does.
    void launch_now() noexcept
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
            self->watch_output();
        });
    }

private:
    enum class phase { queued, launching, running, gone };

    bool is_foreign() const noexcept { return ::getpid() != owner_; }

    void try_launch(launch_request& request, error_code& ec) noexcept
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

    /// Takes the launch back if it has not begun.
    bool withdraw() noexcept
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

    /// On the launching thread, where waiting does no harm if something fails.
    void adopt(launched& result, unique_descriptor& captured, error_code& ec)
    {
        if (captured) {
            output_.emplace(context_);
            output_->assign(captured.get(), ec);
            if (ec)
                return;
            captured.release();
        }
        exit_.emplace(context_, result.pid, result.pidfd.get());
        watch_.emplace(context_);
        watch_->assign(result.pidfd.get(), ec);
        if (ec)
            return;
        std::lock_guard lock(mutex_);
        pid_ = result.pid;
        pidfd_ = std::move(result.pidfd);
        phase_ = phase::running;
        if (kill_requested_)
            signal_child(pidfd_.get(), SIGKILL);
        else if (signalled_) // asked to end while it was launched
            signal_child(pidfd_.get(), SIGTERM);
    }

    void report_launch(error_code ec)
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

    /** Waits for the end of the child.

        A pidfd can be readable before there is a status to fetch: a debugger holds the child. A wait that completes for no reason (see os/readiness.hpp) is found out by `look`, which asks the system whether the child is over.
    */
    void watch()
    {
        watch_->async_wait(pidfd_watch::wait_read, [self = shared_from_this()](error_code) { self->look(); });
    }

    /// Reads all the time, whoever else is busy: the child must never wait for somebody to read. A wait that completes for no reason costs a read
    /// that finds nothing.
    void watch_output()
    {
        if (output_)
            output_->async_wait(pidfd_watch::wait_read, [self = shared_from_this()](error_code ec) {
                if (!ec && self->output_ && self->read_output())
                    self->watch_output();
            });
    }

    /// Some of what is there; whether more may come at once or later.
    bool read_output()
    {
        std::array<char, 16 * 1024> bytes;
        const ssize_t n = ::read(output_->native_handle(), bytes.data(), bytes.size());
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        if (n == 0)
            return false;
        std::lock_guard lock(mutex_);
        tail_.append({bytes.data(), static_cast<std::size_t>(n)});
        return true;
    }

    /// The child is over. What it left behind is read; not what others go on writing.
    void drain_output()
    {
        if (!output_)
            return;
        constexpr std::size_t most_reads = 64; // A pipe holds less.
        errno = 0;
        for (std::size_t i = 0; i != most_reads && read_output() && errno != EAGAIN; ++i)
            errno = 0;
        output_.reset();
    }

    void look()
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

    void finish(child_exit::status native)
    {
        exit_status status;
        if (native) {
            status = {true, exit_signal_of(*native), exit_code_of(*native)};
            status.peak_rss = peak_rss_;
            status.out_of_memory = status.signal == SIGKILL && !was_signalled() ? get_oom_watch().child_was_killed()
                                                                                : memory_verdict::unlikely;
        }
        drain_output();
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

    /// Waits for the `step`-th span, then does what follows it.
    void escalate(std::size_t step, std::uint64_t escalation)
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

    void terminate() noexcept
    {
        std::lock_guard lock(mutex_);
        signalled_ = true;
        if (phase_ == phase::running)
            signal_child(pidfd_.get(), SIGTERM);
    }

    void abandon()
    {
        std::function<void()> report;
        {
            std::lock_guard lock(mutex_);
            report.swap(on_abandoned_);
        }
        if (report)
            report();
    }

    /// With the lock held, so that the child is not reaped by us meanwhile.
    void kill_group() noexcept
    {
        signalled_ = true;
        signal_group(SIGKILL);
    }

    void signal_group(int number) noexcept
    {
        if (signal_group_of_child(pidfd_.get(), number) || errno != EINVAL)
            return;
        // Older kernels know the group by its number only, which is the child's as long as the child is not reaped.
        if (state_of_child(pidfd_.get()) != child_state::reaped)
            ::kill(-pid_, number);
    }

    bool was_signalled() const
    {
        std::lock_guard lock(mutex_);
        return signalled_ || kill_requested_;
    }

    bool is_gone() const
    {
        std::lock_guard lock(mutex_);
        return phase_ == phase::gone;
    }

    const pid_t owner_ = ::getpid();
    asio::io_context& context_;
    std::atomic<pid_t> pid_{0};

    // Of the reaping thread, once the launch is over.
    std::optional<pidfd_watch> watch_;  // Holds the number that pidfd_ owns.
    std::optional<child_exit> exit_;    // Borrows pidfd_.
    std::optional<pidfd_watch> output_; // Owns its descriptor.
    timer deadline_, recheck_;
    std::size_t parent_peak_rss_ = 0, peak_rss_ = 0;
    std::array<duration, 3> steps_{};
    std::uint64_t escalation_ = 0;

    mutable std::mutex mutex_; // For what follows.
    phase phase_ = phase::queued;
    launch_request request_; // While queued.
    unique_descriptor pidfd_;
    bool kill_requested_ = false;
    bool signalled_ = false;
    output_tail tail_;
    std::string failed_at_;
    std::function<void(error_code)> on_launched_;
    std::function<void(exit_status)> on_exit_;
    std::function<void()> on_abandoned_;
};

class warden_impl final : public warden
{
public:
    pid_t owner() const noexcept { return owner_; }

    std::shared_ptr<child> launch(launch_request request, std::function<void(error_code)> on_launched,
                                  std::function<void(exit_status)> on_exit, std::shared_ptr<launch_thread> by) override
    {
        if (!by)
            by = std::make_shared<launch_thread>();
        request.ignored = by->ignored();
        auto launched =
            std::make_shared<warded_child>(context_, std::move(request), std::move(on_launched), std::move(on_exit));
        start_reaping();
        by->post([launched] { launched->launch_now(); });
        return launched;
    }

private:
    void start_reaping()
    {
        std::lock_guard lock(mutex_);
        if (reaping_)
            return;
        start_helper_thread("twat-mp:reap", [this]() noexcept { context_.run(); });
        reaping_ = true;
    }

    const pid_t owner_ = ::getpid();
    asio::io_context context_{1};
    asio::executor_work_guard<executor> work_{context_.get_executor()};
    std::mutex mutex_;
    bool reaping_ = false;
};

std::atomic<warden_impl*> current_warden{nullptr};

} // namespace

warden& warden::instance()
{
    // No lock: one could have been held by another thread when this process was forked.
    auto* current = current_warden.load();
    while (!current || current->owner() != ::getpid()) {
        auto* fresh = new warden_impl; // Never destroyed: its threads use it until the process ends.
        if (current_warden.compare_exchange_strong(current, fresh))
            return *fresh;
        delete fresh;
    }
    return *current;
}

} // namespace twat::mp::detail
