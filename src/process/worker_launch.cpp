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

worker_process::parts::parts(worker_process& self, worker_memory memory, unique_descriptor socket,
                             unique_descriptor bell)
    : page(std::move(memory.page)), doorbell(std::move(bell)),
      stacks(std::make_shared<worker_stacks>(std::move(memory.stacks))), held(page),
      link(self, std::move(socket), page, self.owner_->settings().longest_frame()),
      sender(link.channel(), held, page, std::make_shared<argument_arena>(std::move(memory.arguments))),
      outcomes(*self.owner_, self.identity_, held, page,
               std::make_shared<const arena_mapping>(std::move(memory.results)), self.max_rss_,
               {.on_strand = [&self] { return self.on_strand(&worker_process::on_decoded); },
                .later = [&self] { self.read_later(); }})
{}

std::shared_ptr<child> worker_process::launch() noexcept
{
    started_at_ = clock::now();
    boost::system::error_code ec;
    std::string failed_at;
    try {
        const worker_settings& settings = owner_->settings();
        launch_request request;
        failed_at = "socketpair";
        socket_pair sockets = make_socket_pair(ec);
        unique_descriptor doorbell, own_doorbell;
        worker_memory memory;
        if (!ec)
            failed_at = "memfd_create";
        if (!ec)
            memory = make_worker_memory(settings.nodes, settings.child_concurrency, ec);
        if (!ec)
            failed_at = "eventfd";
        if (!ec)
            doorbell = make_event(ec);
        if (!ec)
            own_doorbell = duplicate(doorbell.get(), ec);
        if (!ec)
            failed_at = settings.child_stderr == error_output::capture ? "pipe2" : "/dev/null";
        socket_pair output;
        if (!ec && settings.child_stderr == error_output::capture)
            output = make_pipe(ec);
        else if (!ec && settings.child_stderr == error_output::discard)
            output.second = open_null(ec);
        if (!ec) {
            failed_at.clear();
            request.executable = settings.executable;
            request.title = make_title(program_name(), node(), ::getpid());
            request.environment.push_back(
                encode_marker({node(), nesting_depth() + 1, ::getpid(), nonce_, settings.cpus}));
            request.descriptors = {std::move(sockets.second), std::move(memory.file), std::move(doorbell)};
            request.error_output = std::move(output.second);
            request.captured = std::move(output.first);
            parts_ =
                std::make_unique<parts>(*this, std::move(memory), std::move(sockets.first), std::move(own_doorbell));
            auto launched = [weak = weak_from_this(), link = owner_->link()](boost::system::error_code error) {
                link->post([weak, error] {
                    if (const auto self = weak.lock(); self && self->owner_)
                        self->on_launched(error, {});
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
            owner_->link()->post([weak = weak_from_this(), ec, failed_at] {
                if (const auto self = weak.lock(); self && self->owner_)
                    self->on_launched(ec, failed_at);
            });
        }
        catch (...) { // the start's deadline will tell
        }
    }
    return child_;
}

void worker_process::on_launched(const boost::system::error_code& ec, const std::string& failed_at)
{
    worker_owner& owner = *owner_;
    identity_.pid = pid();
    owner.begin_batch(*this);
    if (ec) {
        const std::string program =
            owner.settings().executable.empty() ? "this program" : owner.settings().executable.string();
        // The worker was told to end before its turn came.
        const bool dropped = ec == asio::error::operation_aborted;
        // Lack of memory, processes or descriptors may pass; a program that is not there stays away.
        const bool passes = dropped || ec == boost::system::errc::resource_unavailable_try_again ||
                            ec == boost::system::errc::not_enough_memory ||
                            ec == boost::system::errc::too_many_files_open ||
                            ec == boost::system::errc::too_many_files_open_in_system;
        const std::string at = failed_at.empty() && child_ ? child_->failed_at() : failed_at;
        obituary_.launch_failed();
        if (!dropped || !obituary_.has_failed_to_start()) // it has its reason
            fail_start(program + " could not be started as a worker process: " + (at.empty() ? "" : at + ": ") +
                           ec.message() + explain_limit(ec),
                       errc::worker_start_failed, passes ? obituary::outlook::may_pass : obituary::outlook::hopeless);
        session_.resume(worker_input::exited);
        settle();
    } else {
        try {
            parts_->link.open(owner.strand());
            owner.worker_launched(*this);
            resume(worker_input::launched);
        }
        catch (const boost::system::system_error& e) {
            obituary_.launch_failed();
            fail_start(std::string("the socket of a worker process cannot be watched: ") + e.what() +
                       explain_limit(e.code()));
            resume(worker_input::unfit);
        }
    }
    owner.end_batch();
}

} // namespace twat::mp::detail
