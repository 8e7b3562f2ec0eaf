// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_READINESS_HPP
#define TWAT_MP_SRC_OS_READINESS_HPP

#include <boost/system/error_code.hpp>

#include <cstdint>

#include "os/descriptor.hpp"

namespace twat::mp::detail {

/** Makes a descriptor that is readable while one of some events is pending on another one.

    To be given to Asio in place of `fd` itself where only certain events matter, or where `fd` must stay as it is: Asio makes every descriptor
    that it waits for non-blocking, for all who share it.

    @param events Of epoll. EPOLLHUP and EPOLLERR always count.
*/
unique_descriptor make_readiness(int fd, std::uint32_t events, boost::system::error_code& ec);

/** Whether one of the events is pending now. Does not consume it.

    To be asked after each wait: one without an operation may complete for no reason. Asio reuses the state of a descriptor that was closed for
    the next one that is opened, and an event of the old descriptor that is still queued then completes the new one's wait.
*/
bool is_ready(int readiness) noexcept;

} // namespace twat::mp::detail

#endif
