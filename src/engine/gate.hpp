// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_GATE_HPP
#define TWAT_MP_SRC_ENGINE_GATE_HPP

#include <exception>
#include <functional>
#include <utility>

namespace twat::mp::detail {

/** Whether a pool takes operations, and what those get that it does not take, or does not go on with.

    A broken pool may be mended. One that is closed, or ends all that it has, stays so. Whoever is refused gets an exception of its own.
*/
class gate
{
public:
    using error_maker = std::function<std::exception_ptr()>;

    /// No more operations are taken. The first reason counts.
    void close(error_maker refusal)
    {
        if (!refusal_)
            refusal_ = std::move(refusal);
    }
    /// There is no worker, and will be none soon.
    void break_down(const error_maker& cause) { cause_ = cause; }
    /// There is one, or one is tried.
    void mend() noexcept { cause_ = nullptr; }
    /// All operations that there are end with what `error` makes. Returns whether that is new.
    bool end_all(error_maker error)
    {
        if (ending_)
            return false;
        ending_ = std::move(error);
        return true;
    }

    bool takes() const noexcept { return !cause_ && !refusal_; }
    /// Why not: that a pool is broken tells more than that it is closed. @pre `!takes()`
    std::exception_ptr refuses() const { return cause_ ? cause_() : refusal_(); }
    bool broken() const noexcept { return cause_ != nullptr; }
    /// Nothing is handed out any more.
    bool ends_all() const noexcept { return ending_ != nullptr; }
    /// @pre `ends_all()`
    std::exception_ptr why_ended() const { return ending_(); }

private:
    error_maker refusal_, cause_, ending_;
};

} // namespace twat::mp::detail

#endif
