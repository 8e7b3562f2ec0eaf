// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_POOL_POOL_HEALTH_HPP
#define TWAT_MP_SRC_POOL_POOL_HEALTH_HPP

#include <exception>
#include <functional>
#include <memory>

#include <twat/mp/detail/operation/operation.hpp>

namespace twat::mp::detail {

/** Whether the pool can serve, and what its calls are told if it cannot.

    A broken pool has no worker, and each of its calls fails at once. Now and then a worker is tried again: the call that came then waits for
    the outcome, the others go on failing.
*/
class pool_health
{
public:
    using cause = std::function<std::exception_ptr()>; ///< Makes a fresh exception each time.

    /// @param for_good It will never mend.
    void broke(cause why, bool for_good);
    void mended();

    bool broken() const noexcept { return bool(why_); }
    bool trying() const noexcept { return trying_; }

    /// What calls get.
    std::exception_ptr error() const;

    /// What those get who ask why workers do not start.
    const cause& why() const noexcept { return why_; }

    /** Whether a call to the broken pool may wait for a worker that is tried.

        @param awaited Whether somebody else waits for the one that is tried now, if there is one.
        @param start Has a worker started, and returns whether it does: not as long as the pause after the last one lasts.
    */
    bool try_again(bool awaited, const std::function<bool()>& start);

    /// The call that waits for the worker that is tried.
    void let_wait(const std::shared_ptr<operation>& call) noexcept { waiting_ = call; }
    std::shared_ptr<operation> waiting() const noexcept { return waiting_.lock(); }

private:
    cause why_;
    bool for_good_ = false;
    bool trying_ = false;
    std::weak_ptr<operation> waiting_;
};

} // namespace twat::mp::detail

#endif
