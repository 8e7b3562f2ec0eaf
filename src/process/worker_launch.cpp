// SPDX-License-Identifier: BSL-1.0
// The part of a worker process that starts it.
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <unistd.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#include "os/limits.hpp"
#include "process/worker_memory.hpp"
#include "process/worker_process.hpp"
#include "start/title.hpp"
#include "start/worker_marker.hpp"
#include "start/marker.hpp"

namespace twat::mp::detail {

std::uint64_t worker_process::longest_frame(const worker_settings& settings) noexcept
{
    constexpr std::uint64_t beside = 64 * 1024;
    return std::max<std::uint64_t>(settings.max_message_size, std::uint64_t(1) << 20) + beside;
}

std::shared_ptr<child> worker_process::launch() noexcept
{
    started_at_ = clock::now();
    boost::system::error_code ec;
    try {
        const worker_settings& settings = owner_->settings();
        launch_request request;
        failed_at_ = "socketpair";
        socket_pair sockets = make_socket_pair(ec);
        unique_descriptor doorbell;
        worker_memory memory;
        if (!ec)
            failed_at_ = "memfd_create";
        if (!ec)
            memory = make_worker_memory(settings.nodes, settings.child_concurrency, ec);
        if (!ec)
            failed_at_ = "eventfd";
        if (!ec)
            doorbell = make_event(ec);
        if (!ec)
            doorbell_ = duplicate(doorbell.get(), ec);
        if (!ec)
            failed_at_ = settings.child_stderr == error_output::capture ? "pipe2" : "/dev/null";
        socket_pair output;
        if (!ec && settings.child_stderr == error_output::capture)
            output = make_pipe(ec);
        else if (!ec && settings.child_stderr == error_output::discard)
            output.second = open_null(ec);
        if (!ec) {
            failed_at_.clear();
            page_ = std::move(memory.page);
            stacks_ = std::make_shared<worker_stacks>(std::move(memory.stacks));
            socket_fd_ = std::move(sockets.first);
            channel_.emplace(socket_fd_.get(), longest_frame(settings));
            ring_.emplace(page_);
            held_.emplace(page_);
            arguments_ = std::make_shared<argument_arena>(std::move(memory.arguments));
            results_ = std::make_shared<const arena_mapping>(std::move(memory.results));
            request.executable = settings.executable;
            request.title = make_title(program_name(), node_, ::getpid());
            request.environment.push_back(
                encode_marker({node_, nesting_depth() + 1, ::getpid(), nonce_, settings.cpus}));
            request.descriptors = {std::move(sockets.second), std::move(memory.file), std::move(doorbell)};
            request.error_output = std::move(output.second);
            request.captured = std::move(output.first);
            auto launched = [weak = weak_from_this(), link = owner_->link()](boost::system::error_code error) {
                link->post([weak, error] {
                    if (const auto self = weak.lock(); self && self->owner_)
                        self->on_launched(error);
                });
            };
            child_ = warden::instance().launch(std::move(request), launched, on_strand(&worker_process::on_exit),
                                               settings.launcher);
        }
    }
    catch (const boost::system::system_error& e) {
        ec = e.code();
    }
    catch (const std::system_error& e) {
        ec.assign(e.code().value(), boost::system::system_category());
    }
    catch (...) {
        ec = asio::error::no_memory;
    }
    if (!child_) {
        try {
            owner_->link()->post([weak = weak_from_this(), ec] {
                if (const auto self = weak.lock(); self && self->owner_)
                    self->on_launched(ec);
            });
        }
        catch (...) { // the start's deadline will tell
        }
    }
    return child_;
}

void worker_process::on_launched(const boost::system::error_code& ec)
{
    worker_owner& owner = *owner_;
    owner.begin_batch(*this);
    if (ec) {
        launch_failed_ = true;
        const std::string program =
            owner_->settings().executable.empty() ? "this program" : owner_->settings().executable.string();
        // Lack of memory, processes or descriptors may pass; a program that is not there stays away.
        const bool passes =
            ec == boost::system::errc::resource_unavailable_try_again || ec == boost::system::errc::not_enough_memory ||
            ec == boost::system::errc::too_many_files_open || ec == boost::system::errc::too_many_files_open_in_system;
        const std::string at = failed_at_.empty() && child_ ? child_->failed_at() : failed_at_;
        fail_start(errc::worker_start_failed,
                   program + " could not be started as a worker process: " + (at.empty() ? "" : at + ": ") +
                       ec.message() + explain_limit(ec),
                   !passes);
        exited_ = true;
        settle();
    } else {
        try {
            socket_.emplace(owner_->strand(), socket_fd_.get());
            socket_fd_.release();
            owner_->worker_launched(*this);
            act(fsm_.resume(worker_input::launched));
        }
        catch (const boost::system::system_error& e) {
            launch_failed_ = true;
            fail_start(errc::worker_start_failed,
                       std::string("the socket of a worker process cannot be watched: ") + e.what() +
                           explain_limit(e.code()),
                       false);
            act(fsm_.resume(worker_input::unfit));
        }
    }
    owner.end_batch();
}

} // namespace twat::mp::detail
