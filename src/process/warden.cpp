// SPDX-License-Identifier: BSL-1.0
#include "process/warden.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>

#include <atomic>
#include <mutex>
#include <utility>

#include <unistd.h>

#include "os/helper_thread.hpp"
#include "os/launch_thread.hpp"
#include "process/warded_child.hpp"

namespace twat::mp::detail {
namespace {

using boost::system::error_code;

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
    asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
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
