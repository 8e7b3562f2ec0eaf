// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_WARDED_CHILD_HPP
#define TWAT_MP_SRC_PROCESS_WARDED_CHILD_HPP

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/system/error_code.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <unistd.h>

#include "os/child_exit.hpp"
#include "os/descriptor.hpp"
#include "os/launcher.hpp"
#include "process/child_output.hpp"
#include "process/warden.hpp"

namespace twat::mp::detail {

/** A child from its launch to its end: launched on a thread of its pool's, watched and reaped on the warden's.

    Who asks something of it may be any thread, so what any of them may touch is behind a mutex; the waits are the reaping thread's alone.
*/
class warded_child final : public child, public std::enable_shared_from_this<warded_child>
{
public:
    warded_child(asio::io_context& context, launch_request request,
                 std::function<void(boost::system::error_code)> on_launched, std::function<void(exit_status)> on_exit)
        : context_(context), deadline_(context), recheck_(context), request_(std::move(request)),
          on_launched_(std::move(on_launched)), on_exit_(std::move(on_exit))
    {}

    int pid() const noexcept override { return pid_; }

    std::string failed_at() const override;
    std::string error_tail() const override;
    bool signal(int number) noexcept override;
    int stop_signal() const noexcept override;
    void resume() noexcept override;

    void end(duration before_sigterm, duration before_sigkill, duration before_abandon,
             std::function<void()> on_abandoned) override;
    void kill() noexcept override;
    void forget() noexcept override;

    /// On the launching thread. Blocks as long as the launch does.
    void launch_now() noexcept;

private:
    using executor = asio::io_context::executor_type;
    using clock = std::chrono::steady_clock;
    using timer = asio::basic_waitable_timer<clock, asio::wait_traits<clock>, executor>;
    using pidfd_watch = asio::posix::basic_stream_descriptor<executor>;

    enum class phase { queued, launching, running, gone };

    bool is_foreign() const noexcept { return ::getpid() != owner_; }

    void try_launch(launch_request& request, boost::system::error_code& ec) noexcept;

    /// Takes the launch back if it has not begun.
    bool withdraw() noexcept;

    /// On the launching thread, where waiting does no harm if something fails.
    void adopt(launched& result, unique_descriptor& captured, boost::system::error_code& ec);
    void report_launch(boost::system::error_code ec);

    /** Waits for the end of the child.

        A pidfd can be readable before there is a status to fetch: a debugger holds the child. A wait that completes for no reason
        (see os/readiness.hpp) is found out by `look`, which asks the system whether the child is over.
    */
    void watch();
    void look();
    void finish(child_exit::status native);

    /// Waits for the `step`-th span, then does what follows it.
    void escalate(std::size_t step, std::uint64_t escalation);

    void terminate() noexcept;
    void abandon();

    /// With the lock held, so that the child is not reaped by us meanwhile.
    void kill_group() noexcept;
    void signal_group(int number) noexcept;

    bool was_signalled() const;
    bool is_gone() const;

    const pid_t owner_ = ::getpid();
    asio::io_context& context_;
    std::atomic<pid_t> pid_{0};

    // Of the reaping thread, once the launch is over.
    std::optional<pidfd_watch> watch_; // Holds the number that pidfd_ owns.
    std::optional<child_exit> exit_;   // Borrows pidfd_.
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
    std::shared_ptr<child_output> output_; // If it is captured.
    std::string failed_at_;
    std::function<void(boost::system::error_code)> on_launched_;
    std::function<void(exit_status)> on_exit_;
    std::function<void()> on_abandoned_;
};

} // namespace twat::mp::detail

#endif
