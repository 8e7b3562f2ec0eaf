// SPDX-License-Identifier: BSL-1.0
#include "os/child_exit.hpp"

#include <boost/asio/post.hpp>

#include <cerrno>
#include <utility>

#include <sys/wait.h>

namespace twat::mp::detail {
namespace {

/// As the macros of <sys/wait.h> read it.
int wait_status(const siginfo_t& info) noexcept
{
    if (info.si_code == CLD_EXITED)
        return (info.si_status & 0xff) << 8;
    return info.si_status | (info.si_code == CLD_DUMPED ? 0x80 : 0);
}

child_exit::status reap(int pidfd) noexcept
{
    siginfo_t info{};
    int result = 0;
    do
        result = ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG);
    while (result != 0 && errno == EINTR);
    if (result != 0 || info.si_pid == 0)
        return std::nullopt;
    return wait_status(info);
}

} // namespace

struct child_exit::impl
{
    asio::io_context& context;
    int pidfd;
};

child_exit::child_exit(asio::io_context& context, pid_t, int pidfd) : impl_(new impl{context, pidfd}) {}
child_exit::~child_exit() = default;

void child_exit::async_reap(std::function<void(status)> handler)
{
    asio::post(impl_->context, [pidfd = impl_->pidfd, handler = std::move(handler)] { handler(reap(pidfd)); });
}

} // namespace twat::mp::detail
