// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_CHILD_EXIT_HPP
#define TWAT_MP_SRC_OS_CHILD_EXIT_HPP

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <optional>

#include <sys/types.h>

#include <twat/mp/config.hpp>

namespace twat::mp::detail {

/** Fetches the status of a child that has ended, and so reaps it.

    There are two implementations, of which the build takes one (TWAT_MP_CHILD_EXIT): with Boost.Process, and with waitid alone for
    systems that have no Boost.Process.
*/
class child_exit
{
public:
    /// What waitpid tells of a child; none if somebody else has fetched it.
    using status = std::optional<int>;

    /// `pidfd` stays the caller's and must outlive this object. Throws if descriptors or memory are short; the child is left alone then.
    child_exit(asio::io_context& context, pid_t pid, int pidfd);

    /// Leaves the child as it is.
    ~child_exit();

    child_exit(const child_exit&) = delete;
    child_exit& operator=(const child_exit&) = delete;

    /** Calls `handler` on the context, once.

        To be called only when the child is known to have ended and is not reaped. This object must live until `handler` is called, and may be
        destroyed in it.
    */
    void async_reap(std::function<void(status)> handler);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace twat::mp::detail

#endif
