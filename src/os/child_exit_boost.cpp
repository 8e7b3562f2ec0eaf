// SPDX-License-Identifier: BSL-1.0
#include "os/child_exit.hpp"

#include <boost/process/v2/process.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

#include <sys/wait.h>

#include "os/descriptor.hpp"

namespace twat::mp::detail {

/*  Boost.Process 1.81, once the pidfd is readable, waits by the pid and blocks. But a pidfd can be readable before there is a status to
    fetch (a debugger holds the child), and when the application has taken the status, the pid may be another child's. So it is called only
    when the child is known to be over and unreaped: then it completes at once. Its destructor kills and waits, by the pid, unless detached.
*/
struct child_exit::impl
{
    impl(asio::io_context& context, pid_t pid, unique_descriptor& handle)
        : process(context.get_executor(), pid, handle.get())
    {
        handle.release();
    }
    ~impl() { process.detach(); }

    boost::process::v2::basic_process<asio::io_context::executor_type> process;
};

child_exit::child_exit(asio::io_context& context, pid_t pid, int pidfd)
{
    boost::system::error_code ec;
    unique_descriptor handle = duplicate(pidfd, ec);
    if (ec)
        throw boost::system::system_error(ec);
    impl_ = std::make_unique<impl>(context, pid, handle);
}

child_exit::~child_exit() = default;

void child_exit::async_reap(std::function<void(status)> handler)
{
    // The last argument means different things in different versions: the status is read from the process.
    impl_->process.async_wait([this, handler = std::move(handler)](boost::system::error_code ec, int) {
        const int native = impl_->process.native_exit_code();
        handler(!ec && (WIFEXITED(native) || WIFSIGNALED(native)) ? status(native) : std::nullopt);
    });
}

} // namespace twat::mp::detail
